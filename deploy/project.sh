# shellcheck shell=bash
# The project: its services, its identities and who may call.

account() { printf '%s@%s.iam.gserviceaccount.com' "$1" "$PROJECT"; }

step_apis() {
  local enabled name missing=() names='cloudfunctions run cloudbuild artifactregistry cloudscheduler
    secretmanager sqladmin iam cloudresourcemanager logging monitoring'
  [ "$TRIGGER" = http ] || names="$names pubsub"
  say 'which are missing'
  enabled=$(look services list --enabled '--format=value(config.name)')
  for name in $names; do
    has_line "$name.googleapis.com" "$enabled" || missing+=("$name.googleapis.com")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  say "${#missing[@]} to enable ..."
  gc services enable "${missing[@]}"
}

# Three identities. Only the first may read secrets and reach the database; health is open to the
# world and gets an identity that may do nothing; the scheduler may only call syncScheduled.
step_service_accounts() {
  local existing
  say 'which are missing'
  existing=$(look iam service-accounts list '--format=value(email)')
  create_account "$existing" "$RUNTIME_ACCOUNT" 'membership-sync: the functions'
  create_account "$existing" "$HEALTH_ACCOUNT" 'membership-sync: health, without any role'
  create_account "$existing" "$SCHEDULER_ACCOUNT" 'membership-sync: starts the runs'
  [ -z "$CLOUDSQL_INSTANCE" ] || allow_cloudsql
}

create_account() {
  has_line "$(account "$2")" "$1" && return
  say "creating $2 ..."
  gc iam service-accounts create "$2" "--display-name=$3"
}

# The role belongs to the project of the instance, which may be another one.
allow_cloudsql() {
  local member found project=${CLOUDSQL_INSTANCE%%:*}
  member="serviceAccount:$(account "$RUNTIME_ACCOUNT")"
  found=$(look projects get-iam-policy "$project" '--flatten=bindings[].members' \
    "--filter=bindings.role=roles/cloudsql.client AND bindings.members=$member" '--format=value(bindings.members)')
  has_line "$member" "$found" && return
  say "roles/cloudsql.client for $RUNTIME_ACCOUNT ..."
  gc projects add-iam-policy-binding "$project" "--member=$member" --role=roles/cloudsql.client --condition=None
}

step_invokers() {
  local name
  allow_caller syncScheduled "serviceAccount:$(account "$SCHEDULER_ACCOUNT")"
  if [ -z "$ADMINS_GROUP" ]; then
    say 'no --admins-group: nobody but the scheduler may call'
    return
  fi
  for name in $PRIVATE_FUNCTIONS; do
    allow_caller "$name" "group:$ADMINS_GROUP"
  done
}

allow_caller() {
  local callers
  say "$1 for $2 ..."
  callers=$(look run services get-iam-policy "$(service_of "$1")" "--region=$REGION" '--flatten=bindings[].members' \
    --filter=bindings.role=roles/run.invoker '--format=value(bindings.members)')
  has_line "$2" "$callers" && return
  gc functions add-invoker-policy-binding "$1" "--region=$REGION" "--member=$2"
}
