# shellcheck shell=bash
# The way back: `rollback` of a bad deployment, `destroy` of everything.

# First where to, so that nothing is paused for nothing; then the scheduler, so that no run starts in
# between. Data is not touched: that is what undo is for. Each deployment has two revisions or more
# (attaching Cloud SQL makes one), so the way back goes by the variable DEPLOYMENT.
step_rollback() {
  local plan found line
  say 'which revisions are there'
  if $DRY_RUN; then
    what_serves >/dev/null
    comment 'for each function, to the revision that was found:'
    plan=$(for name in $FUNCTIONS; do printf '%s\tPREVIOUS_REVISION\n' "$(service_of "$name")"; done)
  else
    found=$(what_serves)
    # A page that nobody is to see any more does not decide how far the others go back.
    # shellcheck disable=SC2046
    plan=$(json previous "$CLOUDSQL_INSTANCE" $(for line in $FUNCTIONS; do service_of "$line"; done) <<<"$found")
  fi
  [ -n "$plan" ] || fail 'there is no earlier deployment that all functions have: nothing was paused or changed'
  HALF_DONE='Until it has gone on, the functions may answer from two deployments.'
  pause_job
  for line in ${plan//$'\t'/=}; do
    if [ -z "${line#*=}" ]; then
      say "${line%%=*} stays as it is, since no earlier deployment has it; to take the page away: $(hint_no_page)"
      continue
    fi
    say "${line%%=*} to ${line#*=} ..."
    gc run services update-traffic "${line%%=*}" "--region=$REGION" "--to-revisions=${line#*=}=100"
  done
  say "done. Paused: ${PAUSED:-nothing, the scheduler has no job}"
  say "when all is well again: $(hint scheduler verify)"
  PAUSED='' HALF_DONE=''
}

pause_job() {
  local jobs name
  jobs=$(look scheduler jobs list "--location=$REGION" '--format=value(name.basename(),state)')
  for name in $JOB $PUBSUB_JOB; do
    case $DRY_RUN$name$(column "$jobs" "$name" 2) in
      *ENABLED | "true$JOB")
        say "pausing $name ..."
        # Before the call: who stops it there has paused it, perhaps.
        PAUSED="${PAUSED:+$PAUSED }$name"
        gc scheduler jobs pause "$name" "--location=$REGION" || {
          PAUSED=''
          return 1
        }
        ;;
      *PAUSED)
        say "$name is paused already"
        PAUSED="${PAUSED:+$PAUSED }$name"
        ;;
    esac
  done
}

step_destroy() {
  confirm "This deletes the functions, the scheduler, the alerts and the accounts of membership-sync in $PROJECT.
Type the name of the project to go on: " "$PROJECT"
  destroy_job
  destroy_functions
  destroy_monitoring
  destroy_accounts
  if $WITH_SECRETS; then destroy_secrets; else say 'the secrets are kept (--with-secrets deletes them)'; fi
  if $WITH_DATABASE; then destroy_database; else say 'the database is kept'; fi
}

confirm() {
  local answer=''
  if $DRY_RUN; then return; fi
  printf '%s' "$1" >&3
  IFS= read -r answer || true
  [ "$answer" = "$2" ] || fail "Not confirmed (that was not $2): nothing was deleted."
}

# Deletes those of the names $2 that are in the list $1: delete_listed LIST NAMES command...
delete_listed() {
  local list=$1 names=$2 name
  shift 2
  for name in $names; do
    if $DRY_RUN || has_line "$name" "$list"; then
      say "deleting $name ..."
      gc "${@//NAME/$name}"
    fi
  done
}

destroy_job() {
  local list
  list=$(look scheduler jobs list "--location=$REGION" '--format=value(name.basename())')
  delete_listed "$list" "$JOB $PUBSUB_JOB" scheduler jobs delete NAME "--location=$REGION"
  if [ "$TRIGGER" = http ]; then return; fi
  list=$(look pubsub subscriptions list '--format=value(name.basename())')
  delete_listed "$list" "$TOPIC" pubsub subscriptions delete NAME
  list=$(look pubsub topics list '--format=value(name.basename())')
  delete_listed "$list" "$TOPIC" pubsub topics delete NAME
}

destroy_functions() {
  local list
  list=$(look functions list --v2 "--regions=$REGION" '--format=value(name.basename())')
  delete_listed "$list" "$PRIVATE_FUNCTIONS syncAdmin health" functions delete NAME --gen2 "--region=$REGION"
}

# The alerts before the metrics that they watch. The channel may serve others and is kept.
destroy_monitoring() {
  local list file names=''
  list=$(look alpha monitoring policies list '--filter=userLabels.app=membership-sync' '--format=value(name)')
  delete_listed "$list" "$(if $DRY_RUN; then echo POLICY_NAME; else echo "$list"; fi)" alpha monitoring policies delete NAME
  list=$(look monitoring dashboards list '--filter=displayName=membership-sync' '--format=value(name)')
  delete_listed "$list" "$(if $DRY_RUN; then echo DASHBOARD_NAME; else echo "$list"; fi)" monitoring dashboards delete NAME
  list=$(look logging metrics list '--format=value(name)')
  for file in deploy/monitoring/metrics/*.json; do names="$names $(basename "$file" .json)"; done
  delete_listed "$list" "$names" logging metrics delete NAME
}

# Who is deleted keeps no role behind; the admins' view of the functions goes too.
destroy_accounts() {
  local list name member project=${CLOUDSQL_INSTANCE%%:*}
  list=$(look iam service-accounts list '--format=value(email)')
  for name in "$RUNTIME_ACCOUNT" "$READER_ACCOUNT" "$PAGE_ACCOUNT"; do
    member=$(account "$name")
    if [ -n "$project" ] && { $DRY_RUN || has_line "$member" "$list"; }; then
      take_from_project "$project" "serviceAccount:$member" roles/cloudsql.client
    fi
  done
  if [ -n "$ADMINS_GROUP" ]; then take_from_project "$PROJECT" "group:$ADMINS_GROUP" roles/cloudfunctions.viewer; fi
  for name in "$RUNTIME_ACCOUNT" "$READER_ACCOUNT" "$PAGE_ACCOUNT" "$HEALTH_ACCOUNT" "$SCHEDULER_ACCOUNT"; do
    delete_listed "$list" "$(account "$name")" iam service-accounts delete NAME
  done
}

take_from_project() {
  local found
  found=$(look projects get-iam-policy "$1" '--flatten=bindings[].members' \
    "--filter=bindings.role=$3 AND bindings.members=$2" '--format=value(bindings.members)')
  if ! $DRY_RUN && ! has_line "$2" "$found"; then return; fi
  say "$3 of ${2#*:} ..."
  run gcloud projects remove-iam-policy-binding "$1" "--member=$2" "--role=$3" --condition=None
}

destroy_secrets() {
  local list name
  list=$(look secrets list '--format=value(name.basename())')
  for name in $SECRET_SETTINGS; do
    delete_listed "$list" "$(secret_id "$name")" secrets delete NAME
  done
}

destroy_database() {
  local instance=${CLOUDSQL_INSTANCE##*:}
  [ -n "$instance" ] || fail '--with-database needs --cloudsql-instance'
  confirm "This deletes the Cloud SQL instance $CLOUDSQL_INSTANCE with EVERY database in it.
Type the name of the instance to go on: " "$instance"
  say "deleting $instance ..."
  run gcloud sql instances delete "$instance" "--project=${CLOUDSQL_INSTANCE%%:*}"
}
