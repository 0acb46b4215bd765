# shellcheck shell=bash
# The schema. The migrations themselves hold a lock in the database, so two at once are safe.

step_migrate() {
  if [ -n "${DATABASE_URL:-}" ]; then
    say "the database in DATABASE_URL ($(shown_database)) ..."
    $DRY_RUN || check_value DATABASE_URL 'DATABASE_URL of the shell' "$DATABASE_URL"
    run npm run migrate
  else
    migrate_through_proxy
  fi
}

# Host and database of an address whose every part is where it should be; of any other nothing, since
# what looks like a host may be half of a password.
shown_database() {
  if [[ $DATABASE_URL =~ ^postgres(ql)?://[^@/?#]*@([A-Za-z0-9.-]*)(:[0-9]+)?/([A-Za-z0-9_-]+)(\?[^@]*)?$ ]]; then
    printf '%s/%s' "${BASH_REMATCH[2]}" "${BASH_REMATCH[4]}"
  else
    printf 'address not shown'
  fi
}

# The address in the secret names the socket that exists in the cloud; here the proxy makes the same
# socket in a temporary folder, so only the folder is replaced.
migrate_through_proxy() {
  local url secret=${MIGRATION_SECRET:-$(secret_id DATABASE_URL)} folder='/tmp/cloudsql'
  say "$CLOUDSQL_INSTANCE through the Cloud SQL Auth Proxy ..."
  if $DRY_RUN; then
    comment "in the background: $(typed cloud-sql-proxy --gcloud-auth "--unix-socket=$folder" "$CLOUDSQL_INSTANCE")"
    comment "DATABASE_URL is the value of the secret, with the proxy's socket in place of /cloudsql"
  else
    command -v cloud-sql-proxy >/dev/null || fail 'cloud-sql-proxy is not installed:
  https://cloud.google.com/sql/docs/postgres/sql-proxy#install
or give the address of the database in the environment variable DATABASE_URL, with --use-shell'
    folder="$TMP/cloudsql"
  fi
  url=$(look secrets versions access latest "--secret=$secret")
  $DRY_RUN || check_value DATABASE_URL "the value of the secret $secret" "$url"
  case $DRY_RUN$url in
    true | *'/cloudsql/'* | *'%2Fcloudsql%2F'*) ;;
    *) fail "the secret $secret does not use the socket /cloudsql/$CLOUDSQL_INSTANCE: give DATABASE_URL in the environment, with --use-shell" ;;
  esac
  start_proxy "$folder"
  url=${url//%2Fcloudsql%2F/$folder/}
  DATABASE_URL=${url//\/cloudsql\//$folder/} run npm run migrate
  stop_proxy
}

start_proxy() {
  local tries
  if $DRY_RUN; then return; fi
  mkdir -p "$1"
  cloud-sql-proxy --gcloud-auth "--unix-socket=$1" "$CLOUDSQL_INSTANCE" >"$TMP/proxy" 2>&1 &
  PROXY=$!
  for tries in $(seq 1 150); do
    [ -e "$1/$CLOUDSQL_INSTANCE/.s.PGSQL.5432" ] && return
    kill -0 "$PROXY" 2>/dev/null || break
    sleep 0.2
  done
  cat "$TMP/proxy" >&2
  fail "cloud-sql-proxy did not open $CLOUDSQL_INSTANCE (after $tries tries)"
}

stop_proxy() {
  if $DRY_RUN; then return; fi
  kill "$PROXY" 2>/dev/null || true
  wait "$PROXY" 2>/dev/null || true
  PROXY=''
}
