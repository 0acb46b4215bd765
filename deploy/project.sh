# shellcheck shell=bash disable=SC2153
# The project: its services, its identities and who may call.

account() { printf '%s@%s.iam.gserviceaccount.com' "$1" "$PROJECT"; }

step_apis() {
  local enabled name missing=() names='cloudfunctions run cloudbuild artifactregistry cloudscheduler
    secretmanager sqladmin iam cloudresourcemanager logging monitoring'
  [ "$TRIGGER" = http ] || names="$names pubsub"
  if $HAS_PAGE; then names="$names iap"; fi
  say 'which are missing'
  enabled=$(look services list --enabled '--format=value(config.name)')
  for name in $names; do
    has_line "$name.googleapis.com" "$enabled" || missing+=("$name.googleapis.com")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  say "${#missing[@]} to enable ..."
  gc services enable "${missing[@]}"
  NEW_APIS=true
}

# One identity for each right: the runs write to the database and read every secret; what only reads
# has a login of its own; the page may start runs; the scheduler may only call syncScheduled; and
# health is open to the world, so its identity may do nothing.
step_service_accounts() {
  local existing
  say 'which are missing'
  existing=$(look iam service-accounts list '--format=value(email)')
  create_account "$existing" "$RUNTIME_ACCOUNT" 'membership-sync: the runs'
  create_account "$existing" "$READER_ACCOUNT" 'membership-sync: status and log'
  create_account "$existing" "$HEALTH_ACCOUNT" 'membership-sync: health, without any role'
  create_account "$existing" "$SCHEDULER_ACCOUNT" 'membership-sync: starts the runs'
  if $HAS_PAGE; then create_account "$existing" "$PAGE_ACCOUNT" "membership-sync: the admin's page"; fi
  [ -n "$CLOUDSQL_INSTANCE" ] || return 0
  allow_in_project "${CLOUDSQL_INSTANCE%%:*}" "serviceAccount:$(account "$RUNTIME_ACCOUNT")" roles/cloudsql.client
  allow_in_project "${CLOUDSQL_INSTANCE%%:*}" "serviceAccount:$(account "$READER_ACCOUNT")" roles/cloudsql.client
  if $HAS_PAGE; then
    allow_in_project "${CLOUDSQL_INSTANCE%%:*}" "serviceAccount:$(account "$PAGE_ACCOUNT")" roles/cloudsql.client
  fi
}

create_account() {
  has_line "$(account "$2")" "$1" && return
  say "creating $2 ..."
  create iam service-accounts create "$2" "--display-name=$3"
}

# allow_in_project PROJECT MEMBER ROLE: the instance may belong to another project than the functions.
allow_in_project() {
  local found
  found=$(look projects get-iam-policy "$1" '--flatten=bindings[].members' \
    "--filter=bindings.role=$3 AND bindings.members=$2" '--format=value(bindings.members)')
  has_line "$2" "$found" && return
  say "$3 for ${2#*:} ..."
  gc projects add-iam-policy-binding "$1" "--member=$2" "--role=$3" --condition=None
}
