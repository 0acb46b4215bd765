# shellcheck shell=bash
# The functions. Cloud Run knows each by its name in lower case.

readonly PRIVATE_FUNCTIONS='syncScheduled syncDryRun syncStatus syncLogs'
FUNCTIONS='' DATABASE_FUNCTIONS='' HAS_PAGE=false PROJECT_NUMBER=''

# The admin's page is deployed where somebody may look at it.
choose_functions() {
  if [ -f functions/syncAdmin.ts ] && [ -n "$ADMIN_VIEWERS$ADMIN_APPROVERS" ]; then HAS_PAGE=true; fi
  DATABASE_FUNCTIONS=$PRIVATE_FUNCTIONS
  if $HAS_PAGE; then DATABASE_FUNCTIONS="$PRIVATE_FUNCTIONS syncAdmin"; fi
  FUNCTIONS="$DATABASE_FUNCTIONS health"
}

service_of() { tr 'A-Z_' 'a-z-' <<<"$1"; }

# The URL that the platform gave to a function.
uri_of() {
  local answer
  answer=$(look_if_there functions describe "$1" --gen2 "--region=$REGION" '--format=value(serviceConfig.uri)')
  if $DRY_RUN; then printf 'ADDRESS_OF_%s' "$1"; else printf %s "$answer"; fi
}

# The other address of a function, which is known before it is there and which tokens may be for.
url_of() { printf 'https://%s-%s.cloudfunctions.net/%s' "$REGION" "$PROJECT" "$1"; }

# One CPU everywhere: below that Cloud Run allows no concurrency and Node.js starts slowly; a call is
# billed for its own time only. The two that walk the register run one at a time in one instance, so
# that two runs never share memory or the lock; the two that read may answer several at once, within
# the connections that a small database has. The page waits for a run as long as a run may take, and what
# somebody looked at is in its memory, so there is one of it. health is public: two instances bound what it can cost.
shape_of() {
  case $1 in
    syncScheduled | syncDryRun)
      printf '%s\n' "--memory=$SYNC_MEMORY" --cpu=1 "--timeout=${SYNC_TIMEOUT}s" --concurrency=1 --max-instances=1
      ;;
    syncAdmin)
      printf '%s\n' "--memory=$READ_MEMORY" --cpu=1 "--timeout=${SYNC_TIMEOUT}s" \
        "--concurrency=$READ_CONCURRENCY" --max-instances=1
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
  local who=$RUNTIME_ACCOUNT access=--no-allow-unauthenticated
  case $1 in
    health) who=$HEALTH_ACCOUNT access=--allow-unauthenticated ;;
    syncStatus | syncLogs) who=$READER_ACCOUNT ;;
    syncAdmin) who=$PAGE_ACCOUNT ;;
  esac
  printf '%s\n' "$access" "--service-account=$(account "$who")"
  [ -z "$BUILD_SERVICE_ACCOUNT" ] ||
    printf '%s\n' "--build-service-account=projects/$PROJECT/serviceAccounts/$BUILD_SERVICE_ACCOUNT"
}

# Lines NAME=value. LOG_EXECUTION_ID and NODE_ENV are named because setting variables removes what
# the platform would have added. Secrets are references; each function gets only those it needs.
environment_of() {
  local line name value seconds=$SYNC_TIMEOUT
  case $1 in syncStatus | syncLogs) seconds=$READ_TIMEOUT ;; health) seconds=10 ;; esac
  printf '%s\n' NODE_ENV=production LOG_EXECUTION_ID=true "GOOGLE_CLOUD_PROJECT=$PROJECT" \
    "CLOUD_RUN_TIMEOUT_SECONDS=$seconds" ${LOG_LEVEL:+"LOG_LEVEL=$LOG_LEVEL"}
  if [ "$1" = health ]; then return; fi
  # Pages are garbage as soon as they are written, and V8 lets a heap that may be small grow by less before it
  # collects. The other half of the memory is for what is not in the heap: texts as they arrive, and Node.js
  # itself.
  case $1 in
    syncScheduled | syncDryRun)
      echo "NODE_OPTIONS=--max-old-space-size=$(($(mebibytes_of "$SYNC_MEMORY") / 2))"
      ;;
  esac
  authentication_of "$1"
  while IFS= read -r line; do
    name=${line%%=*}
    case $name in
      '' | LOG_LEVEL | ALLOWED_CALLERS | AUTH_AUDIENCE | SCHEDULER_CALLERS | ADMIN_PAGE_CALLER) continue ;;
      ADMIN_VIEWERS | ADMIN_APPROVERS | DJANGO_ADMIN_URL) [ "$1" = syncAdmin ] || continue ;;
    esac
    value=${!name}
    if [ -n "$value" ]; then printf '%s=%s\n' "$name" "$value"; fi
  done <<<"$FUNCTION_SETTINGS"
  for name in $(secrets_of "$1"); do
    printf '%s=sm://%s/%s\n' "$name" "$PROJECT" "$(secret_id "$name")"
  done
}

# Who has checked the caller, and what callers may do. A list of callers never shuts out the scheduler
# or the page: they are in it, and the one that may only start runs is restricted to that.
authentication_of() {
  local scheduler page=$ADMIN_PAGE_CALLER callers
  if [ "$1" = syncAdmin ]; then
    printf '%s\n' AUTH_MODE=iap \
      "AUTH_AUDIENCE=/projects/${PROJECT_NUMBER:-0}/locations/$REGION/services/$(service_of syncAdmin)" \
      "SYNC_URL=$(url_of syncScheduled)" "SYNC_DRY_RUN_URL=$(url_of syncDryRun)"
    return
  fi
  scheduler=$(account "$SCHEDULER_ACCOUNT")
  if $HAS_PAGE && [ -z "$page" ]; then page=$(account "$PAGE_ACCOUNT"); fi
  printf '%s\n' AUTH_MODE=iam ${AUTH_AUDIENCE:+"AUTH_AUDIENCE=$AUTH_AUDIENCE"} \
    "SCHEDULER_CALLERS=${SCHEDULER_CALLERS:+$SCHEDULER_CALLERS,}$scheduler" ${page:+"ADMIN_PAGE_CALLER=$page"}
  callers=$ALLOWED_CALLERS
  if [ -n "$callers" ]; then printf 'ALLOWED_CALLERS=%s,%s\n' "$callers" "$scheduler${page:+,$page}"; fi
}

secrets_of() {
  case $1 in
    syncScheduled) used_secrets | grep -vx DATABASE_READER_URL ;;
    syncDryRun) used_secrets | grep -vxE 'DATABASE_READER_URL|WEBHOOK_KEY' ;;
    syncStatus | syncLogs) used_secrets | grep -xE 'DATABASE_READER_URL|ADMIN_API_KEY' ;;
    syncAdmin) echo DATABASE_READER_URL ;;
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
  find_project_number
  find_bundles
  find_serving
  $DRY_RUN || deployment=$(deployment_digest)
  deployed=$(look functions list --v2 "--regions=$REGION" \
    '--format=value(name.basename(),state,serviceConfig.environmentVariables.DEPLOYMENT)')
  for name in $FUNCTIONS; do
    if ! $FORCE && has_line "$name"$'\t'ACTIVE$'\t'"$deployment" "$deployed" &&
      [ "$(column "$SERVING" "$(service_of "$name")" 10)" = right ]; then
      say "$name is unchanged"
    else
      HALF_DONE="Until it has gone on, the functions may answer from two deployments, and $name may have no database."
      deploy_function "$name" "$deployment"
      [ "$name" = health ] || attach_instance "$name"
      if [ "$name" = syncAdmin ]; then guard_page; fi
    fi
  done
  send_traffic_to_latest
  HALF_DONE=''
}

# Google names the audience of the page and its proxy's account by it.
find_project_number() {
  if ! $HAS_PAGE || [ -n "$PROJECT_NUMBER" ]; then return; fi
  PROJECT_NUMBER=$(look projects describe "$PROJECT" '--format=value(projectNumber)')
  if $DRY_RUN; then PROJECT_NUMBER=PROJECT_NUMBER; fi
}

# One digest over the builds and flags of all. It tells that nothing has changed, and which
# revisions belong to one deployment: they are deployed and rolled back together, so that never
# a mixture answers which nobody has tested.
deployment_digest() {
  local name all=''
  for name in $FUNCTIONS; do
    all="$all$name $RUNTIME $(bundle_digest "$name") $(environment_of "$name") $(identity_of "$name") $(shape_of "$name")"
  done
  json digest <<<"$all"
}

# BUNDLE is the digest of this function's build alone: what staging and production must share. The first
# revision with its DEPLOYED_AT is as it was deployed: what a later one has of another image, environment or
# account was changed by hand.
deploy_function() {
  local name=$1 flag flags bundle variables words
  say "$name ..."
  bundle=$(bundle_digest "$name")
  flags=$(identity_of "$name" && shape_of "$name")
  variables=$(environment_of "$name" && printf '%s\n' "BUNDLE=$bundle" "DEPLOYMENT=$2" \
    "DEPLOYED_AT=$(if $DRY_RUN; then echo NOW; else date -u +%Y-%m-%dT%H:%M:%SZ; fi)")
  variables=$(as_flag "$variables")
  words=(functions deploy "$name" --gen2 "--region=$REGION" "--runtime=$RUNTIME" "--source=dist/$name"
    "--entry-point=$name" --trigger-http --ingress-settings=all
    "--update-labels=app=membership-sync,environment=$ENVIRONMENT")
  while IFS= read -r flag; do words+=("$flag"); done <<<"$flags"
  gc "${words[@]}" "$variables"
}

# One line a service: name, instances, whether traffic goes to the latest revision, IAP.
services() {
  look run services list "--region=$REGION" \
    '--format=value(metadata.name,spec.template.metadata.annotations["run.googleapis.com/cloudsql-instances"],spec.traffic[0].latestRevision,metadata.annotations["run.googleapis.com/iap-enabled"])'
}

# gcloud functions has no flag for Cloud SQL, and nothing promises that the attachment survives a
# deployment. So each function is looked at as soon as it is deployed, which keeps the time without a
# database to seconds, and this step looks at all of them, and again after attaching. It leaves the
# traffic where it is: after a rollback that is an older revision.
step_cloudsql() {
  local name before
  if [ -z "$CLOUDSQL_INSTANCE" ]; then
    say 'no --cloudsql-instance: the address in DATABASE_URL must be reachable without a socket'
    return
  fi
  before=$(services)
  for name in $DATABASE_FUNCTIONS; do
    attach_instance "$name" "$before"
  done
  if $DRY_RUN; then return; fi
  for name in $DATABASE_FUNCTIONS; do
    eventually is_attached "$name" || fail "$(service_of "$name") is not attached to $CLOUDSQL_INSTANCE"
  done
  say 'attached to all'
}

is_attached() { attached "$(service_of "$1")" "$(services)"; }

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

attached() { case ",$(column "$2" "$1" 2)," in *",$CLOUDSQL_INSTANCE,"*) return 0 ;; *) return 1 ;; esac }

# A rollback pins the traffic to an old revision; a new deployment must be the one that answers.
send_traffic_to_latest() {
  local name service current
  current=$(services)
  comment 'when a rollback has pinned the traffic:'
  for name in $FUNCTIONS; do
    service=$(service_of "$name")
    # What is too new to be listed goes to the latest by itself.
    if ! $DRY_RUN && { [ -z "$(column "$current" "$service" 1)" ] || [ "$(column "$current" "$service" 3)" = True ]; }; then continue; fi
    say "traffic of $service to its latest revision ..."
    gc run services update-traffic "$service" "--region=$REGION" --to-latest
  done
}
