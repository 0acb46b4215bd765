# shellcheck shell=bash
# Secret values: from a hidden prompt or from stdin to gcloud's stdin. They are never an argument,
# never printed, never in a file.

secret_id() { printf '%s%s' "$SECRET_PREFIX" "$(tr 'A-Z_' 'a-z-' <<<"$1")"; }

# The secrets that this deployment uses.
used_secrets() {
  printf '%s\n' DATABASE_URL DJANGO_API_KEY
  [ "$ADMIN_KEY" = false ] || echo ADMIN_API_KEY
  [ -z "$NOTIFY_URLS" ] || echo NOTIFY_SECRET
}

step_secrets() {
  local existing name names
  names=$(used_secrets | tr '\n' ' ')
  if [ -n "$ROTATE" ]; then
    is_word "$ROTATE" "$names" || fail "--rotate=$ROTATE: this deployment uses $names"
    say "new version of $ROTATE ..."
    read_secret "$ROTATE"
    add_version "$ROTATE"
    return
  fi
  say 'which are missing'
  existing=$(look secrets list '--format=value(name.basename())')
  for name in $names; do
    ensure_secret "$name" "$existing"
    ensure_reader "$name"
  done
}

ensure_secret() {
  local id versions
  id=$(secret_id "$1")
  comment "the value of $1 comes from a hidden prompt or from stdin"
  if ! has_line "$id" "$2"; then
    say "creating $id ..."
    read_secret "$1"
    printf %s "$SECRET_VALUE" |
      gc secrets create "$id" --replication-policy=user-managed "--locations=$REGION" --data-file=-
  else
    versions=$(look secrets versions list "$id" --filter=state=ENABLED --limit=1 '--format=value(name)')
    if [ -z "$versions" ]; then
      say "$id has no version ..."
      read_secret "$1"
      add_version "$1"
    fi
  fi
  SECRET_VALUE=''
}

add_version() { printf %s "$SECRET_VALUE" | gc secrets versions add "$(secret_id "$1")" --data-file=-; }

ensure_reader() {
  local id member readers
  id=$(secret_id "$1") member="serviceAccount:$(account "$RUNTIME_ACCOUNT")"
  readers=$(look secrets get-iam-policy "$id" '--flatten=bindings[].members' \
    --filter=bindings.role=roles/secretmanager.secretAccessor '--format=value(bindings.members)')
  has_line "$member" "$readers" && return
  say "$id readable by $RUNTIME_ACCOUNT ..."
  gc secrets add-iam-policy-binding "$id" "--member=$member" --role=roles/secretmanager.secretAccessor
}

SECRET_VALUE='' SUPPLIED='' STDIN_READ=false

# Into SECRET_VALUE. Without a terminal, stdin holds lines NAME=value, or the one value of --rotate.
read_secret() {
  SECRET_VALUE=''
  if $DRY_RUN; then return; fi
  if [ -t 0 ]; then
    read -rs -p "  value of $1 (not shown): " SECRET_VALUE
    echo >&3
  else
    $STDIN_READ || SUPPLIED=$(cat)
    STDIN_READ=true
    if [ -n "$ROTATE" ]; then SECRET_VALUE=$SUPPLIED; else SECRET_VALUE=$(sed -n "s/^$1=//p" <<<"$SUPPLIED"); fi
  fi
  check_secret "$1"
}

check_secret() {
  [ -n "$SECRET_VALUE" ] || fail "$1 is empty: type its value at the prompt, or pass lines NAME=value on stdin"
  case $SECRET_VALUE in *$'\n'*) fail "$1 has more than one line" ;; esac
  case $1 in
    DATABASE_URL) [[ $SECRET_VALUE =~ ^postgres(ql)?:// ]] || fail 'DATABASE_URL must start with postgresql://' ;;
    ADMIN_API_KEY) [ "${#SECRET_VALUE}" -ge 32 ] || fail 'ADMIN_API_KEY must have at least 32 characters' ;;
  esac
}
