# shellcheck shell=bash
# The five functions. Cloud Run knows each by its name in lower case.

readonly PRIVATE_FUNCTIONS='syncScheduled syncDryRun syncStatus syncLogs'
readonly FUNCTIONS="$PRIVATE_FUNCTIONS health"

service_of() { tr 'A-Z_' 'a-z-' <<<"$1"; }

# The URL that the platform gave to a function; in a dry run the look-up itself.
uri_of() {
  local words=(functions describe "$1" --gen2 "--region=$REGION" '--format=value(serviceConfig.uri)')
  if $DRY_RUN; then
    # shellcheck disable=SC2016
    printf '$(%s)' "$(typed gcloud "${words[@]}" "--project=$PROJECT")"
  else
    look "${words[@]}"
  fi
}

# One CPU everywhere: below that Cloud Run allows no concurrency and Node.js starts slowly; a call is
# billed for its own time only. The two that walk the register run one at a time in one instance, so
# that two runs never share memory or the lock; the two that read may answer several at once, within
# the connections that a small database has. health is public: two instances bound what it can cost.
shape_of() {
  case $1 in
    syncScheduled | syncDryRun)
      printf '%s\n' "--memory=$SYNC_MEMORY" --cpu=1 "--timeout=${SYNC_TIMEOUT}s" --concurrency=1 --max-instances=1
      ;;
    syncStatus | syncLogs)
      printf '%s\n' "--memory=$READ_MEMORY" --cpu=1 "--timeout=${READ_TIMEOUT}s" \
        "--concurrency=$READ_CONCURRENCY" "--max-instances=$READ_MAX_INSTANCES"
      ;;
    health)
      printf '%s\n' "--memory=$READ_MEMORY" --cpu=1 --timeout=10s --concurrency=80 "--max-instances=$HEALTH_MAX_INSTANCES"
      ;;
  esac
}

# 512Mi, 512MB or 1Gi in MiB; what a decimal unit lacks does not matter here.
mebibytes_of() {
  local amount=${1%%[!0-9]*}
  case $1 in *[Gg]*) amount=$((amount * 1024)) ;; esac
  echo "$amount"
}

identity_of() {
  if [ "$1" = health ]; then
    printf '%s\n' --allow-unauthenticated "--service-account=$(account "$HEALTH_ACCOUNT")"
  else
    printf '%s\n' --no-allow-unauthenticated "--service-account=$(account "$RUNTIME_ACCOUNT")"
  fi
  [ -z "$BUILD_SERVICE_ACCOUNT" ] ||
    printf '%s\n' "--build-service-account=projects/$PROJECT/serviceAccounts/$BUILD_SERVICE_ACCOUNT"
}

# Lines NAME=value. LOG_EXECUTION_ID and NODE_ENV are named because setting variables removes what
# the platform would have added. Secrets are references; each function gets only those it needs.
environment_of() {
  local line name seconds=$SYNC_TIMEOUT
  # The scheduler starts runs, and approves or undoes none.
  local SCHEDULER_CALLERS=${SCHEDULER_CALLERS:-$(account "$SCHEDULER_ACCOUNT")}
  case $1 in syncStatus | syncLogs) seconds=$READ_TIMEOUT ;; health) seconds=10 ;; esac
  printf '%s\n' NODE_ENV=production LOG_EXECUTION_ID=true "GOOGLE_CLOUD_PROJECT=$PROJECT" \
    "CLOUD_RUN_TIMEOUT_SECONDS=$seconds" ${LOG_LEVEL:+"LOG_LEVEL=$LOG_LEVEL"}
  if [ "$1" = health ]; then return; fi
  # Pages are garbage as soon as they are written. V8 lets a small heap grow by less before it collects,
  # and young objects are collected in small portions: with pages of the usual size, a run of any number
  # of members stays far below 256 MiB. The other half of the memory is for what is not in the heap: texts
  # as they arrive, and Node.js itself.
  case $1 in
    syncScheduled | syncDryRun)
      echo "NODE_OPTIONS=--max-semi-space-size=8 --max-old-space-size=$(($(mebibytes_of "$SYNC_MEMORY") / 2))"
      ;;
  esac
  echo AUTH_MODE=iam
  while IFS= read -r line; do
    name=${line%%=*}
    if [ -n "$name" ] && [ "$name" != LOG_LEVEL ] && [ -n "${!name}" ]; then printf '%s=%s\n' "$name" "${!name}"; fi
  done <<<"$FUNCTION_SETTINGS"
  for name in $(secrets_of "$1"); do
    printf '%s=sm://%s/%s\n' "$name" "$PROJECT" "$(secret_id "$name")"
  done
}

secrets_of() {
  case $1 in
    syncScheduled | syncDryRun) used_secrets ;;
    syncStatus | syncLogs) used_secrets | grep -xE 'DATABASE_URL|ADMIN_API_KEY' ;;
  esac
}

# gcloud splits the variables at a delimiter of our choice, so that a value may hold commas.
readonly DELIMITER='~~'

as_flag() {
  case $1 in *"$DELIMITER"*) fail "a setting holds '$DELIMITER', which separates the variables" ;; esac
  printf -- '--set-env-vars=^%s^%s' "$DELIMITER" "${1//$'\n'/$DELIMITER}"
}

step_functions() {
  local name deployed deployment=known-after-the-build
  say 'which have changed'
  $DRY_RUN || deployment=$(deployment_digest)
  deployed=$(look functions list --v2 "--regions=$REGION" \
    '--format=value(name.basename(),state,serviceConfig.environmentVariables.DEPLOYMENT)')
  for name in $FUNCTIONS; do
    if ! $FORCE && has_line "$name"$'\t'ACTIVE$'\t'"$deployment" "$deployed"; then
      say "$name is unchanged"
    else
      deploy_function "$name" "$deployment"
      [ "$name" = health ] || attach_instance "$name"
    fi
  done
  send_traffic_to_latest
}

# One digest over the builds and flags of all five. It tells that nothing has changed, and which
# revisions belong to one deployment: the five are deployed and rolled back together, so that never
# a mixture answers which nobody has tested.
deployment_digest() {
  local name all=''
  for name in $FUNCTIONS; do
    all="$all$name $RUNTIME $(bundle_digest "$name") $(environment_of "$name") $(identity_of "$name") $(shape_of "$name")"
  done
  json digest <<<"$all"
}

# BUNDLE is the digest of this function's build alone: what staging and production must share.
deploy_function() {
  local name=$1 flag flags bundle variables words
  say "$name ..."
  bundle=$(bundle_digest "$name")
  flags=$(identity_of "$name" && shape_of "$name")
  variables=$(environment_of "$name" && printf '%s\n' "BUNDLE=$bundle" "DEPLOYMENT=$2")
  variables=$(as_flag "$variables")
  words=(functions deploy "$name" --gen2 "--region=$REGION" "--runtime=$RUNTIME" "--source=dist/$name"
    "--entry-point=$name" --trigger-http --ingress-settings=all
    "--update-labels=app=membership-sync,environment=$ENVIRONMENT")
  while IFS= read -r flag; do words+=("$flag"); done <<<"$flags"
  gc "${words[@]}" "$variables"
}

services() {
  look run services list "--region=$REGION" \
    '--format=value(metadata.name,spec.template.metadata.annotations["run.googleapis.com/cloudsql-instances"],spec.traffic[0].latestRevision)'
}

# gcloud functions has no flag for Cloud SQL, and nothing promises that the attachment survives a
# deployment. So each function is looked at as soon as it is deployed, which keeps the time without a
# database to seconds, and this step looks at all of them, and again after attaching.
step_cloudsql() {
  local name before after
  if [ -z "$CLOUDSQL_INSTANCE" ]; then
    say 'no --cloudsql-instance: the address in DATABASE_URL must be reachable without a socket'
    return
  fi
  before=$(services)
  for name in $PRIVATE_FUNCTIONS; do
    attach_instance "$name" "$before"
  done
  send_traffic_to_latest
  if $DRY_RUN; then return; fi
  after=$(services)
  for name in $PRIVATE_FUNCTIONS; do
    attached "$(service_of "$name")" "$after" || fail "$(service_of "$name") is not attached to $CLOUDSQL_INSTANCE"
  done
  say 'attached to all'
}

# attach_instance FUNCTION [SERVICES]
attach_instance() {
  local service current=${2:-}
  if [ -z "$CLOUDSQL_INSTANCE" ]; then return; fi
  service=$(service_of "$1")
  [ -n "$current" ] || current=$(services)
  if attached "$service" "$current"; then return; fi
  say "$service to $CLOUDSQL_INSTANCE ..."
  gc run services update "$service" "--region=$REGION" "--add-cloudsql-instances=$CLOUDSQL_INSTANCE"
}

attached() {
  local instances
  instances=$(awk -F'\t' -v service="$1" '$1 == service { print $2 }' <<<"$2")
  case ",$instances," in *",$CLOUDSQL_INSTANCE,"*) return 0 ;; *) return 1 ;; esac
}

# A rollback pins the traffic to an old revision; a new deployment must be the one that answers.
send_traffic_to_latest() {
  local name service current
  current=$(services)
  comment 'when a rollback has pinned the traffic:'
  for name in $FUNCTIONS; do
    service=$(service_of "$name")
    if awk -F'\t' -v service="$service" '$1 == service && $3 == "True" { found = 1 } END { exit !found }' <<<"$current"; then continue; fi
    say "traffic of $service to its latest revision ..."
    gc run services update-traffic "$service" "--region=$REGION" --to-latest
  done
}
