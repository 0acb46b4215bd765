# shellcheck shell=bash
# Calls the deployed system the way its users do, and says what works.

FAILURES=0 PINNED=false DEPLOYED='' SERVING='' JOBS=''
right() { printf '  ok    %s\n' "$*" >&3; }
note() { printf '  note  %s\n' "$*" >&3; }
wrong() {
  printf '  WRONG %s\n' "$*" >&3
  FAILURES=$((FAILURES + 1))
}

step_verify() {
  FAILURES=0 PINNED=false
  say 'functions, callers, health, status, a dry run, scheduler ...'
  eventually all_is_listed || true
  check_functions
  check_traffic
  check_health
  check_callers
  check_status
  check_dry_run
  check_job
  check_socket
  check_page
  if $DRY_RUN; then return; fi
  [ "$FAILURES" -eq 0 ] || fail "$FAILURES check(s) found something wrong; docs/setup/MEMBERSHIP_SYNC_DEPLOYMENT.md says what to do"
  if $PINNED; then
    say "what answers works, but it is not the newest deployment: $(hint functions) brings that back"
  else
    say 'everything works'
  fi
}

# Into DEPLOYED (name, state, address), SERVING and JOBS, what there is; lists show what has just been
# made a little later.
all_is_listed() {
  local name
  DEPLOYED=$(look functions list --v2 "--regions=$REGION" '--format=value(name.basename(),state,serviceConfig.uri)')
  find_serving
  JOBS=$(look scheduler jobs list "--location=$REGION" '--format=value(name.basename(),state,schedule,status.code,lastAttemptTime,httpTarget.uri,httpTarget.oidcToken.serviceAccountEmail)')
  if $DRY_RUN; then return; fi
  for name in $FUNCTIONS; do
    [ -n "$(column "$DEPLOYED" "$name" 1)" ] && [ -n "$(column "$SERVING" "$(service_of "$name")" 1)" ] || return 1
  done
  [ -n "$JOBS" ]
}

# Into SERVING, one line a service: name, revision, traffic, deployment, build, instances. What was
# deployed last is not what answers while the traffic is pinned.
find_serving() {
  local found
  found=$(what_serves)
  # shellcheck disable=SC2046
  $DRY_RUN || SERVING=$(json serving $(service_names) <<<"$found")
}

check_functions() {
  local name state expected
  if $DRY_RUN; then return; fi
  if $SAME_BUILD; then find_bundles; fi
  for name in $FUNCTIONS; do
    state=$(column "$DEPLOYED" "$name" 2)
    expected=''
    if $SAME_BUILD; then expected=$(bundle_digest "$name"); fi
    if [ "$state" != ACTIVE ]; then
      wrong "$name is ${state:-not deployed}: $(hint functions)"
    elif [ -n "$expected" ] && [ "$(column "$SERVING" "$(service_of "$name")" 5)" != "$expected" ]; then
      wrong "$name answers from another build"
    else
      right "$name is deployed"
    fi
  done
}

# All functions answer from one deployment, or what answers is a mixture that nobody has tested.
check_traffic() {
  local deployments service kind
  if $DRY_RUN; then return; fi
  if [ -z "$SERVING" ]; then
    wrong "no service of these functions was found in $REGION"
    return
  fi
  deployments=$(cut -f4 <<<"$SERVING" | sort -u)
  while IFS=$'\t' read -r service _ kind _; do
    case $kind in
      split) wrong "the traffic of $service is split between revisions: $(hint functions)" ;;
      pinned) PINNED=true && note "the traffic of $service is pinned to one revision, as a rollback does" ;;
    esac
  done <<<"$SERVING"
  if [ "$(wc -l <<<"$deployments")" -gt 1 ]; then
    wrong "the functions answer from different deployments: $(hint functions)"
    awk -F'\t' '{ printf "          %s: %s (deployment %s)\n", $1, $2, substr($4, 1, 8) }' <<<"$SERVING" >&3
  elif [ -z "$deployments" ]; then
    wrong "the functions were not deployed by this script: $(hint functions)"
  else
    right 'all functions answer from one deployment'
  fi
}

# The answer to a plain GET: the status on the first line, with where it sends the caller; then the body.
fetch() { curl -sS --max-time 20 -o "$TMP/body" -w '%{http_code},%{redirect_url}\n' "$@" 2>&1 && cat "$TMP/body"; }

check_health() {
  local answer
  if $DRY_RUN; then
    comment "$(typed curl "$(uri_of health)")"
    return
  fi
  answer=$(fetch "$(column "$DEPLOYED" health 3)" | tr '\n' ' ') || true
  case $answer in
    200*'"status":"healthy"'*) right 'health is public and healthy' ;;
    *) wrong "health answers: $answer" ;;
  esac
}

FORGED=''
check_callers() {
  local name
  $DRY_RUN || FORGED=$(json forged-token "${ALLOWED_CALLERS%%,*}" "$(url_of syncScheduled)")
  for name in $DATABASE_FUNCTIONS; do
    check_policy "$name"
    if $DRY_RUN; then continue; fi
    check_strangers "$name" "$(column "$DEPLOYED" "$name" 3)"
  done
}

check_policy() {
  local callers
  if ! callers=$(callers_of "$1" 2>/dev/null); then
    note "who may call $1 could not be read"
    return
  fi
  if $DRY_RUN; then return; fi
  ! grep -qxE 'allUsers|allAuthenticatedUsers' <<<"$callers" ||
    wrong "IAM lets the whole world call $1: $(hint invokers)"
  [ "$1" != syncScheduled ] || has_line "serviceAccount:$(account "$SCHEDULER_ACCOUNT")" "$callers" ||
    wrong "the scheduler may not call $1: $(hint invokers)"
}

# Google's front end refuses whoever has no identity, or one that nobody has signed. Our own code
# believes what that front end lets through, so an answer of ours (PUT is no method of ours, so it does
# nothing) means that nothing stands before the function. Identity-Aware Proxy refuses, or sends the caller
# to Google's sign-in.
check_strangers() {
  local token answer who
  if [ -z "$2" ]; then return; fi
  for token in '' "$FORGED"; do
    who=${token:+'a forged identity'} who=${who:-nobody}
    answer=$(fetch -X PUT ${token:+-H "Authorization: Bearer $token"} "$2" | tr '\n' ' ') || true
    case $answer in
      *'"error":{"code":'*) wrong "$1 is open to the world: its own code answers $who" ;;
      401* | 403* | 302,https://accounts.google.com/*) continue ;;
      *) wrong "$1 answers a stranger: $(head -c 200 <<<"$answer")" ;;
    esac
    return
  done
  right "$1 refuses strangers and forged identities"
}

# What a function answers to gcloud, which waits longer than the function may take.
call() {
  CLOUDSDK_CORE_HTTP_TIMEOUT=$((SYNC_TIMEOUT + 30)) look functions call "$1" --gen2 "--region=$REGION" '--format=value(.)'
}

check_status() {
  local answer status
  answer=$(call syncStatus 2>&1) || answer="${answer:-no answer}"
  if $DRY_RUN; then return; fi
  status=$(json members status <<<"$answer")
  case $status in
    ok | running | never_synced) right "syncStatus: $status" ;;
    attention) right 'syncStatus: attention' && note 'something waits for a person: syncStatus lists it' ;;
    '') wrong "syncStatus answers: $(head -c 400 <<<"$answer")" ;;
    *) wrong "syncStatus: $status" ;;
  esac
}

# Held classes are the work of the limits, not a fault of the deployment: they are shown, no more.
check_dry_run() {
  local answer fields dry_run held fetched added updated reactivated removed
  answer=$(call syncDryRun 2>&1) || answer="${answer:-no answer}"
  if $DRY_RUN; then return; fi
  fields=$(json members dry_run held members_fetched members_added members_updated members_reactivated members_removed <<<"$answer")
  IFS=$'\x1f' read -r dry_run held fetched added updated reactivated removed <<<"$fields"
  if [ "$dry_run" != true ]; then
    wrong "syncDryRun answers: $(head -c 400 <<<"$answer")"
    return
  fi
  right "syncDryRun: of $fetched members would add $added, update $updated, reactivate $reactivated, remove $removed"
  case $held in '' | null | '{}') ;; *) note "held until an admin approves: $held" ;; esac
}

check_job() {
  local job=$JOB other=$PUBSUB_JOB state code schedule target
  if $DRY_RUN; then return; fi
  if [ "$TRIGGER" = pubsub ]; then job=$PUBSUB_JOB other=$JOB; fi
  state=$(column "$JOBS" "$job" 2) schedule=$(column "$JOBS" "$job" 3) code=$(column "$JOBS" "$job" 4)
  target=$(column "$JOBS" "$job" 6),$(column "$JOBS" "$job" 7)
  if [ "$state" != ENABLED ]; then
    wrong "scheduler job $job is ${state:-absent}: $(hint scheduler)"
  elif [ -n "$(column "$JOBS" "$other" 2)" ]; then
    wrong "scheduler job $other starts every run a second time: $(hint scheduler)"
  elif [ "$schedule" != "$(schedule_of "$SYNC_INTERVAL_MINUTES")" ]; then
    wrong "scheduler job $job has another schedule ($schedule): $(hint scheduler)"
  elif [ "$TRIGGER" = http ] && [ "$target" != "$(column "$DEPLOYED" syncScheduled 3),$(account "$SCHEDULER_ACCOUNT")" ]; then
    wrong "scheduler job $job calls another address, or as somebody else: $(hint scheduler)"
  elif [ -n "${code#0}" ]; then
    wrong "scheduler job $job: its last call failed (code $code, $(column "$JOBS" "$job" 5))"
  else
    right "scheduler job $job is enabled: $schedule"
  fi
}

check_socket() {
  local name
  if $DRY_RUN || [ -z "$CLOUDSQL_INSTANCE" ]; then return; fi
  for name in $DATABASE_FUNCTIONS; do
    case ",$(column "$SERVING" "$(service_of "$name")" 6)," in
      *",$CLOUDSQL_INSTANCE,"*) ;;
      *) wrong "$name is not attached to $CLOUDSQL_INSTANCE: $(hint cloudsql)" ;;
    esac
  done
}

check_page() {
  local current name
  current=$(services)
  if $DRY_RUN; then return; fi
  for name in $FUNCTIONS; do
    case $name,$(column "$current" "$(service_of "$name")" 4) in
      syncAdmin,true) right 'syncAdmin is behind Identity-Aware Proxy' ;;
      syncAdmin,*) wrong "syncAdmin is not behind Identity-Aware Proxy: $(hint page)" ;;
      *,true) wrong "$name is behind Identity-Aware Proxy, which shuts out its callers: $(typed gcloud beta run services update "$(service_of "$name")" --no-iap "--region=$REGION" "--project=$PROJECT")" ;;
    esac
  done
}
