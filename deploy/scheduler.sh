# shellcheck shell=bash
# The job that starts a run: by HTTP with an identity token, or through Pub/Sub.

readonly JOB=membership-sync
readonly PUBSUB_JOB=membership-sync-pubsub
readonly TOPIC=membership-sync
readonly RUN_BODY='{"sync_type":"scheduled"}'

# Minutes between two runs as a cron line; fails on what cron cannot say.
schedule_of() {
  local minutes=$1
  [[ $minutes =~ ^[0-9]{1,4}$ ]] || return 1
  minutes=$((10#$minutes))
  if [ "$minutes" -eq 1 ]; then
    echo '* * * * *'
  elif [ "$minutes" -gt 0 ] && [ "$minutes" -lt 60 ] && [ $((60 % minutes)) -eq 0 ]; then
    echo "*/$minutes * * * *"
  elif [ "$minutes" -eq 60 ]; then
    echo '0 * * * *'
  elif [ "$minutes" -eq 1440 ]; then
    echo '0 4 * * *'
  elif [ "$minutes" -gt 60 ] && [ $((minutes % 60)) -eq 0 ] && [ $((1440 % minutes)) -eq 0 ]; then
    echo "0 */$((minutes / 60)) * * *"
  else
    return 1
  fi
}

# Longer than the function may take, so that the scheduler sees how the run ended; 30 minutes is its most.
deadline() {
  local seconds=$((SYNC_TIMEOUT + 30))
  [ "$seconds" -le 1800 ] || seconds=1800
  echo "${seconds}s"
}

step_scheduler() {
  local uri jobs
  say 'which job is there'
  uri=$(uri_of syncScheduled)
  [ -n "$uri" ] || fail 'syncScheduled has no address yet: run the step functions first'
  jobs=$(look scheduler jobs list "--location=$REGION" "--format=value($JOB_FIELDS)")
  if [ "$TRIGGER" = http ]; then
    drop_job "$PUBSUB_JOB" "$jobs"
    http_job "$uri" "$jobs"
    resume_job "$JOB" "$jobs"
  else
    drop_job "$JOB" "$jobs"
    push_subscription "$uri"
    pubsub_job "$jobs"
    resume_job "$PUBSUB_JOB" "$jobs"
  fi
}

# What a job is, in this order: name, state, schedule, and twelve more that the two triggers want in their own way.
readonly JOB_FIELDS='name.basename(),state,schedule,timeZone,attemptDeadline,httpTarget.uri,httpTarget.httpMethod,httpTarget.headers.Content-Type,httpTarget.body.decode(base64),httpTarget.oidcToken.serviceAccountEmail,httpTarget.oidcToken.audience,retryConfig.retryCount,retryConfig.minBackoffDuration,retryConfig.maxBackoffDuration,pubsubTarget.topicName'
readonly JOB_NAMES='schedule time-zone deadline address method content-type body account audience retries shortest-wait longest-wait topic'

# From the schedule on, as a list shows them.
wanted_http_job() {
  printf '%s\t' "$(schedule_of "$SYNC_INTERVAL_MINUTES")" "$TIME_ZONE" "$(deadline)" "$1" POST application/json \
    "$RUN_BODY" "$(account "$SCHEDULER_ACCOUNT")" "$1" 2 60s 300s
}

wanted_pubsub_job() {
  printf '%s\t%s\t\t\t\t\t\t\t\t\t\t\t%s' "$(schedule_of "$SYNC_INTERVAL_MINUTES")" "$TIME_ZONE" "projects/$PROJECT/topics/$TOPIC"
}

# Which of the fields of a job differ: other_fields LINE WANTED.
other_fields() {
  local number=0 name
  for name in $JOB_NAMES; do
    number=$((number + 1))
    [ "$(cut -f$((number + 2)) <<<"$1")" = "$(cut -f$number <<<"$2")" ] || printf '%s ' "$name"
  done | sed 's/ $//; s/ /, /g'
}

job_line() { awk -F'\t' -v job="$1" '$1 == job' <<<"$2"; }

# A failed call is tried twice more; the next hour comes anyway, and two runs at once are refused.
http_job() {
  local uri=$1 schedule sender line words
  schedule=$(schedule_of "$SYNC_INTERVAL_MINUTES") sender=$(account "$SCHEDULER_ACCOUNT")
  words=("--location=$REGION" "--schedule=$schedule" "--time-zone=$TIME_ZONE" "--uri=$uri" --http-method=POST
    "--message-body=$RUN_BODY" "--oidc-service-account-email=$sender" "--oidc-token-audience=$uri"
    "--attempt-deadline=$(deadline)" --max-retry-attempts=2 --min-backoff=60s --max-backoff=300s)
  line=$(job_line "$JOB" "$2") EXISTED=false
  comment "when the job is absent:"
  if [ -z "$line" ]; then
    say "creating $JOB ($schedule) ..."
    create scheduler jobs create http "$JOB" "${words[@]}" --headers=Content-Type=application/json
  fi
  comment "when it is there and differs:"
  if $DRY_RUN || $EXISTED || { [ -n "$line" ] && [ "$(cut -f3- <<<"$line")" != "$(wanted_http_job "$uri")" ]; }; then
    say "updating $JOB ($schedule) ..."
    gc scheduler jobs update http "$JOB" "${words[@]}" --update-headers=Content-Type=application/json
  fi
}

pubsub_job() {
  local schedule line words
  schedule=$(schedule_of "$SYNC_INTERVAL_MINUTES")
  words=("--location=$REGION" "--schedule=$schedule" "--time-zone=$TIME_ZONE" "--topic=projects/$PROJECT/topics/$TOPIC" "--message-body=$RUN_BODY")
  line=$(job_line "$PUBSUB_JOB" "$1") EXISTED=false
  comment "when the job is absent:"
  if [ -z "$line" ]; then
    say "creating $PUBSUB_JOB ($schedule) ..."
    create scheduler jobs create pubsub "$PUBSUB_JOB" "${words[@]}"
  fi
  comment "when it is there and differs:"
  if $DRY_RUN || $EXISTED || { [ -n "$line" ] && [ "$(cut -f3,4,15 <<<"$line")" != "$(wanted_pubsub_job | cut -f1,2,13)" ]; }; then
    say "updating $PUBSUB_JOB ($schedule) ..."
    gc scheduler jobs update pubsub "$PUBSUB_JOB" "${words[@]}"
  fi
}

# 600 s is the longest that Pub/Sub waits for an answer: a longer run would be delivered again while it lasts.
push_subscription() {
  local topics subscriptions sender
  sender=$(account "$SCHEDULER_ACCOUNT")
  topics=$(look pubsub topics list '--format=value(name.basename())')
  has_line "$TOPIC" "$topics" || create pubsub topics create "$TOPIC"
  subscriptions=$(subscriptions)
  comment "when the subscription is absent:"
  if ! grep -q "^$TOPIC"$'\t' <<<"$subscriptions"; then
    create pubsub subscriptions create "$TOPIC" "--topic=$TOPIC" "--push-endpoint=$1" "--push-auth-service-account=$sender" \
      "--push-auth-token-audience=$1" --ack-deadline=600 --min-retry-delay=60s --max-retry-delay=300s
  fi
  comment "when it is there and differs:"
  if $DRY_RUN || { grep -q "^$TOPIC"$'\t' <<<"$subscriptions" && ! has_line "$(wanted_subscription "$1")" "$subscriptions"; }; then
    gc pubsub subscriptions update "$TOPIC" "--push-endpoint=$1" "--push-auth-service-account=$sender" "--push-auth-token-audience=$1"
  fi
}

subscriptions() {
  look pubsub subscriptions list '--format=value(name.basename(),pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,pushConfig.oidcToken.audience)'
}

wanted_subscription() { printf '%s\t%s\t%s\t%s' "$TOPIC" "$1" "$(account "$SCHEDULER_ACCOUNT")" "$1"; }

subscription_is_right() { has_line "$(wanted_subscription "$1")" "$(subscriptions)"; }

# The job of the other trigger would start every run a second time.
drop_job() {
  if [ -z "$(job_line "$1" "$2")" ]; then return; fi
  say "deleting $1, which belongs to the other trigger ..."
  gc scheduler jobs delete "$1" "--location=$REGION"
}

# rollback pauses the job; this step is how it starts anew.
resume_job() {
  comment "when a rollback has paused it:"
  if $DRY_RUN || [ "$(job_line "$1" "$2" | cut -f2)" = PAUSED ]; then
    say "resuming $1 ..."
    gc scheduler jobs resume "$1" "--location=$REGION"
  fi
}
