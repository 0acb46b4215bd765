# shellcheck shell=bash
# Calls the deployed system the way its users do, and says what works.

FAILURES=0
right() { printf '  ok    %s\n' "$*" >&3; }
wrong() {
  printf '  WRONG %s\n' "$*" >&3
  FAILURES=$((FAILURES + 1))
}

step_verify() {
  local deployed
  FAILURES=0
  say 'functions, health, status, a dry run, scheduler ...'
  deployed=$(look functions list --v2 "--regions=$REGION" \
    '--format=value(name.basename(),state,serviceConfig.uri,serviceConfig.environmentVariables.BUNDLE)')
  check_functions "$deployed"
  check_health "$(column "$deployed" health 3)"
  check_private "$(column "$deployed" syncStatus 3)"
  check_status
  check_dry_run
  check_job
  check_socket
  if $DRY_RUN; then return; fi
  [ "$FAILURES" -eq 0 ] || fail "$FAILURES check(s) found something wrong; docs/setup/MEMBERSHIP_SYNC_DEPLOYMENT.md says what to do"
  say 'everything works'
}

column() { awk -F'\t' -v name="$2" -v number="$3" '$1 == name { print $number }' <<<"$1"; }

check_functions() {
  local name state expected
  if $DRY_RUN; then return; fi
  for name in $FUNCTIONS; do
    state=$(column "$1" "$name" 2)
    expected=''
    if $SAME_BUILD; then expected=$(bundle_digest "$name"); fi
    if [ "$state" != ACTIVE ]; then
      wrong "$name is ${state:-not deployed}"
    elif [ -n "$expected" ] && [ "$(column "$1" "$name" 4)" != "$expected" ]; then
      wrong "$name was deployed from another build"
    else
      right "$name is deployed"
    fi
  done
}

# The answer to a plain GET: the status on the first line, then the body.
fetch() { curl -sS --max-time 20 -o "$TMP/body" -w '%{http_code}\n' "$1" 2>&1 && cat "$TMP/body"; }

check_health() {
  local answer
  if $DRY_RUN; then
    comment "$(typed curl "$(uri_of health)")"
    return
  fi
  answer=$(fetch "$1" | tr '\n' ' ') || true
  case $answer in
    200*'"status":"healthy"'*) right 'health is public and healthy' ;;
    *) wrong "health answers: $answer" ;;
  esac
}

# Nobody without an identity may come in.
check_private() {
  local answer
  if $DRY_RUN; then return; fi
  answer=$(fetch "$1" | head -1) || true
  case $answer in
    401 | 403) right 'syncStatus refuses a caller without an identity' ;;
    *) wrong "syncStatus answers a caller without an identity: $answer" ;;
  esac
}

# What a function answers to gcloud, which waits longer than the function may take.
call() {
  CLOUDSDK_CORE_HTTP_TIMEOUT=$((SYNC_TIMEOUT + 30)) look functions call "$1" --gen2 "--region=$REGION" '--format=value(.)'
}

member() { json member "$2" <<<"$1"; }

check_status() {
  local answer status
  answer=$(call syncStatus 2>&1) || answer="${answer:-no answer}"
  if $DRY_RUN; then return; fi
  status=$(member "$answer" status)
  case $status in
    ok | running | never_synced) right "syncStatus: $status" ;;
    attention)
      right "syncStatus: $status"
      printf '  note  waits for a person: %s\n' "$(member "$answer" attention)" >&3
      ;;
    '') wrong "syncStatus answers: $(head -c 400 <<<"$answer")" ;;
    *) wrong "syncStatus: $status" ;;
  esac
}

# Held classes are the work of the limits, not a fault of the deployment: they are shown, no more.
check_dry_run() {
  local answer held
  answer=$(call syncDryRun 2>&1) || answer="${answer:-no answer}"
  if $DRY_RUN; then return; fi
  if [ "$(member "$answer" dry_run)" != true ]; then
    wrong "syncDryRun answers: $(head -c 400 <<<"$answer")"
    return
  fi
  held=$(member "$answer" held)
  right "syncDryRun: of $(member "$answer" members_fetched) members would add $(member "$answer" members_added), update $(member "$answer" members_updated), reactivate $(member "$answer" members_reactivated), remove $(member "$answer" members_removed)"
  case $held in '' | null | '{}') ;; *) printf '  note  held until an admin approves: %s\n' "$held" >&3 ;; esac
}

check_job() {
  local job=$JOB line state code
  [ "$TRIGGER" = http ] || job=$PUBSUB_JOB
  line=$(look scheduler jobs list "--location=$REGION" '--format=value(name.basename(),state,schedule,status.code,lastAttemptTime)')
  if $DRY_RUN; then return; fi
  state=$(column "$line" "$job" 2) code=$(column "$line" "$job" 4)
  if [ "$state" != ENABLED ]; then
    wrong "scheduler job $job is ${state:-absent}"
  elif [ -n "${code#0}" ]; then
    wrong "scheduler job $job: its last call failed (code $code, $(column "$line" "$job" 5))"
  else
    right "scheduler job $job is enabled: $(column "$line" "$job" 3)"
  fi
}

check_socket() {
  local name current
  if [ -z "$CLOUDSQL_INSTANCE" ]; then return; fi
  current=$(services)
  if $DRY_RUN; then return; fi
  for name in $PRIVATE_FUNCTIONS; do
    attached "$(service_of "$name")" "$current" || wrong "$name is not attached to $CLOUDSQL_INSTANCE: ./deploy.sh cloudsql"
  done
}
