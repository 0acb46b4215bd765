# shellcheck shell=bash
# Calls the deployed system the way its users do, and says what works.

FAILURES=0 PINNED=false DEPLOYED='' JOBS=''
right() { printf '  ok    %s\n' "$*" >&3; }
note() { printf '  note  %s\n' "$*" >&3; }
wrong() {
  printf '  WRONG %s\n' "$*" >&3
  FAILURES=$((FAILURES + 1))
}

step_verify() {
  FAILURES=0 PINNED=false
  say 'functions, callers, health, status, a dry run, scheduler ...'
  find_project_number
  eventually all_is_listed || true
  check_traffic
  check_functions
  check_health
  check_callers
  check_secret_readers
  check_status
  check_dry_run
  check_job
  check_socket
  check_proxy
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
  JOBS=$(look scheduler jobs list "--location=$REGION" "--format=value($JOB_FIELDS,status.code,lastAttemptTime)")
  if $DRY_RUN; then return; fi
  for name in $FUNCTIONS; do
    [ -n "$(column "$DEPLOYED" "$name" 1)" ] && [ -n "$(column "$SERVING" "$(service_of "$name")" 1)" ] || return 1
  done
  [ -n "$JOBS" ]
}

# The answer to a plain GET: the status on the first line, with where it sends the caller; then the body.
fetch() { curl -sS --max-time 20 -o "$TMP/body" -w '%{http_code},%{redirect_url}\n' "$@" 2>&1 && cat "$TMP/body"; }

check_health() {
  local answer
  if $DRY_RUN; then
    comment "$(typed curl "$(uri_of health)")"
    return
  fi
  if [ -z "$(column "$DEPLOYED" health 3)" ]; then return; fi
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
  check_project_policy
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
  CLOUDSDK_CORE_HTTP_TIMEOUT=$((SYNC_TIMEOUT + 30)) try_look functions call "$1" --gen2 "--region=$REGION" '--format=value(.)'
}

check_status() {
  local answer status code
  answer=$(call syncStatus 2>&1) || answer="${answer:-no answer}"
  if $DRY_RUN; then return; fi
  IFS=$'\x1f' read -r status code < <(json members status last_run.details.error.code <<<"$answer") || true
  case $status in
    ok | running | never_synced) right "syncStatus: $status" ;;
    attention) right 'syncStatus: attention' && note 'something waits for a person: syncStatus lists it' ;;
    '') wrong "syncStatus answers: $(head -c 400 <<<"$answer")" ;;
    *) wrong "syncStatus: $status${code:+ ($code)}; the whole answer: $(by_hand syncStatus)" ;;
  esac
}

# The command with which a person calls a function.
by_hand() { typed gcloud functions call "$1" --gen2 "--region=$REGION" "--project=$PROJECT" '--format=value(.)'; }

# Held classes are the work of the limits, not a fault of the deployment: they are shown, no more. Records that
# cannot be read are one, where they are more than the limit: such a run is never complete.
check_dry_run() {
  local answer fields dry_run held fetched added updated reactivated removed errors aside limit
  answer=$(call syncDryRun 2>&1) || answer="${answer:-no answer}"
  if $DRY_RUN; then return; fi
  fields=$(json members dry_run held members_fetched members_added members_updated members_reactivated members_removed \
    error_count set_aside.count set_aside.limit <<<"$answer")
  IFS=$'\x1f' read -r dry_run held fetched added updated reactivated removed errors aside limit <<<"$fields"
  if [ "$dry_run" != true ]; then
    wrong "syncDryRun answers: $(head -c 400 <<<"$answer")"
    return
  fi
  right "syncDryRun: of $fetched members would add $added, update $updated, reactivate $reactivated, remove $removed"
  if [ -n "$aside" ]; then
    wrong "$aside of $fetched records cannot be used, more than SYNC_MAX_SET_ASIDE allows ($limit), so no run is complete; which and why: $(by_hand syncDryRun)"
  elif [ -n "${errors#0}" ]; then
    note "$errors record(s) cannot be used; which and why: $(by_hand syncDryRun)"
  fi
  case $held in '' | null | '{}') ;; *) note "held until an admin approves: $held" ;; esac
}

check_job() {
  local job=$JOB other=$PUBSUB_JOB line state code wanted
  if $DRY_RUN; then return; fi
  if [ "$TRIGGER" = pubsub ]; then job=$PUBSUB_JOB other=$JOB; fi
  line=$(job_line "$job" "$JOBS") state=$(cut -f2 <<<"$line") code=$(column "$JOBS" "$job" 16)
  wanted=$(if [ "$TRIGGER" = pubsub ]; then wanted_pubsub_job; else wanted_http_job "$(column "$DEPLOYED" syncScheduled 3)"; fi)
  if [ "$state" != ENABLED ]; then
    wrong "scheduler job $job is ${state:-absent}: $(hint scheduler)"
  elif [ -n "$(column "$JOBS" "$other" 2)" ]; then
    wrong "scheduler job $other starts every run a second time: $(hint scheduler)"
  elif [ "$(cut -f3-15 <<<"$line")" != "$wanted" ]; then
    wrong "scheduler job $job has another $(other_fields "$line" "$wanted"): $(hint scheduler)"
  elif [ -n "${code#0}" ]; then
    wrong "scheduler job $job: its last call failed (code $code, $(column "$JOBS" "$job" 17)): $(case $code in 7 | 16) hint invokers scheduler ;; *) by_hand syncStatus ;; esac)"
  else
    right "scheduler job $job is enabled: $(cut -f3 <<<"$line")"
  fi
  if [ "$TRIGGER" = pubsub ] && ! subscription_is_right "$(column "$DEPLOYED" syncScheduled 3)"; then
    wrong "the subscription $TOPIC is not as it is to be: $(hint scheduler)"
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

check_proxy() {
  local name
  if $DRY_RUN; then return; fi
  for name in $FUNCTIONS; do
    case $name,$(column "$SERVING" "$(service_of "$name")" 7) in
      syncAdmin,true) right 'syncAdmin is behind Identity-Aware Proxy' ;;
      syncAdmin,*) if [ -n "$(column "$SERVING" syncadmin 1)" ]; then wrong "syncAdmin is not behind Identity-Aware Proxy: $(hint page)"; fi ;;
      *,true) wrong "$name is behind Identity-Aware Proxy, which shuts out its callers: $(typed gcloud beta run services update "$(service_of "$name")" --no-iap "--region=$REGION" "--project=$PROJECT")" ;;
    esac
  done
}
