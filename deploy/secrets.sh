# shellcheck shell=bash
# Secret values: from a hidden prompt or from stdin to gcloud's stdin. They are never an argument,
# never printed, never in a file.

secret_id() { printf '%s%s' "$SECRET_PREFIX" "$(tr 'A-Z_' 'a-z-' <<<"$1")"; }

# The secrets that this deployment uses.
used_secrets() {
  printf '%s\n' DATABASE_URL DATABASE_READER_URL DJANGO_API_KEY
  [ "$ADMIN_KEY" = false ] || echo ADMIN_API_KEY
  [ "$WEBHOOK" = false ] || echo WEBHOOK_KEY
  [ -z "$NOTIFY_URLS" ] || echo NOTIFY_SECRET
}

# Which accounts read a secret: the login that writes is for the runs alone.
readers_of() {
  case $1 in
    DATABASE_READER_URL) printf '%s\n' "$READER_ACCOUNT" && if $HAS_PAGE; then echo "$PAGE_ACCOUNT"; fi ;;
    ADMIN_API_KEY) printf '%s\n' "$RUNTIME_ACCOUNT" "$READER_ACCOUNT" ;;
    *) printf '%s\n' "$RUNTIME_ACCOUNT" ;;
  esac
}

step_secrets() {
  local existing name names reader
  names=$(used_secrets | tr '\n' ' ')
  if [ -n "$ROTATE" ]; then
    is_word "$ROTATE" "$names" || fail "--rotate: this deployment uses $names"
    say "new version of $ROTATE ..."
    read_secret "$ROTATE"
    add_version "$ROTATE"
    return
  fi
  say 'which are missing'
  existing=$(look secrets list '--format=value(name.basename())')
  for name in $names; do
    ensure_secret "$name" "$existing"
    for reader in $(readers_of "$name"); do ensure_reader "$name" "$reader"; done
  done
}

# Lists lag, and nobody shall be asked for a value that is there: what a list does not show is looked for
# by its name, and a version twice.
ensure_secret() {
  local id versions
  id=$(secret_id "$1")
  comment "the value of $1 comes from a hidden prompt or from stdin"
  if ! has_line "$id" "$2" && [ -z "$(look_if_there secrets describe "$id" '--format=value(name)')" ]; then
    say "creating $id ..."
    read_secret "$1"
    with_input "$SECRET_VALUE" create secrets create "$id" --replication-policy=user-managed "--locations=$REGION" --data-file=-
    if ! $EXISTED; then
      SECRET_VALUE=''
      return
    fi
    say 'it is there already'
  fi
  versions=$(enabled_version "$id")
  if ! $DRY_RUN && [ -z "$versions" ]; then
    sleep 3
    versions=$(enabled_version "$id")
  fi
  if ! $DRY_RUN && [ -z "$versions" ]; then
    say "$id has no version ..."
    [ -n "$SECRET_VALUE" ] || read_secret "$1"
    add_version "$1"
  fi
  SECRET_VALUE=''
}

enabled_version() { look secrets versions list "$1" --filter=state=ENABLED --limit=1 '--format=value(name)'; }
add_version() { with_input "$SECRET_VALUE" gc secrets versions add "$(secret_id "$1")" --data-file=-; }

SECRET_VALUE='' SUPPLIED='' STDIN_READ=false

# Into SECRET_VALUE. Without a terminal, stdin holds lines NAME=value, or with --rotate the one value by itself.
read_secret() {
  SECRET_VALUE=''
  if $DRY_RUN; then return; fi
  if [ -t 0 ]; then
    read -rs -p "  value of $1 (not shown): " SECRET_VALUE
    echo >&3
  else
    $STDIN_READ || SUPPLIED=$(cat)
    STDIN_READ=true
    if [ -n "$ROTATE" ] && ! grep -q "^$1=" <<<"$SUPPLIED"; then
      SECRET_VALUE=$SUPPLIED
    else
      SECRET_VALUE=$(sed -n "s/^$1=//p" <<<"$SUPPLIED")
    fi
  fi
  check_secret "$1"
}

check_secret() {
  [ -n "$SECRET_VALUE" ] || fail "$1 is empty: type its value at the prompt, or pass lines NAME=value on stdin"
  case $SECRET_VALUE in *$'\n'*) fail "$1 has more than one line" ;; esac
  check_value "$1" "$1" "$SECRET_VALUE"
}

# The parser of the functions, and what it cannot know: a new version is read by all of them at once.
# check_value NAME WHAT VALUE
check_value() {
  local problem
  problem=$(printf %s "$3" | node deploy/checkSettings.ts "$1" "$DJANGO_AUTH_SCHEME") || fail "$2 ${problem:-could not be checked}"
}
