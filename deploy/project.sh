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

# Who an e-mail address is to IAM.
member_of() {
  case $1 in
    *.gserviceaccount.com) printf 'serviceAccount:%s' "$1" ;;
    *) printf 'user:%s' "$1" ;;
  esac
}

step_invokers() {
  local name caller
  for name in $DATABASE_FUNCTIONS; do shut_out_strangers "$name"; done
  allow_caller syncScheduled "serviceAccount:$(account "$SCHEDULER_ACCOUNT")"
  for caller in ${WEBHOOK_CALLERS//,/ } ${SCHEDULER_CALLERS//,/ }; do
    [[ $caller != *@* ]] || allow_caller syncScheduled "$(member_of "$caller")"
  done
  if $HAS_PAGE; then
    for name in syncScheduled syncDryRun; do allow_caller "$name" "serviceAccount:$(account "$PAGE_ACCOUNT")"; done
  fi
  if [ -z "$ADMINS_GROUP" ]; then
    say 'no --admins-group: no person may call'
    return
  fi
  for name in $PRIVATE_FUNCTIONS; do
    allow_caller "$name" "group:$ADMINS_GROUP"
  done
  # `gcloud functions call` looks the function up first.
  allow_in_project "$PROJECT" "group:$ADMINS_GROUP" roles/cloudfunctions.viewer
}

shut_out_strangers() {
  local callers member
  callers=$(callers_of "$1")
  comment 'when IAM lets the whole world in:'
  for member in allUsers allAuthenticatedUsers; do
    if ! $DRY_RUN && ! has_line "$member" "$callers"; then continue; fi
    say "$1 no longer for $member ..."
    gc run services remove-iam-policy-binding "$(service_of "$1")" "--region=$REGION" "--member=$member" --role=roles/run.invoker
  done
}

callers_of() {
  look run services get-iam-policy "$(service_of "$1")" "--region=$REGION" '--flatten=bindings[].members' \
    --filter=bindings.role=roles/run.invoker '--format=value(bindings.members)'
}

allow_caller() {
  local callers
  say "$1 for $2 ..."
  callers=$(callers_of "$1")
  has_line "$2" "$callers" && return
  gc functions add-invoker-policy-binding "$1" "--region=$REGION" "--member=$2"
}
