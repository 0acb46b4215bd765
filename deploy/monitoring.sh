# shellcheck shell=bash disable=SC2153
# Metrics from the log, channels for operations and for the admins, alerts, one dashboard. Each
# definition is a file under deploy/monitoring/; what is there already is changed in place.

step_monitoring() {
  local operations admins
  ensure_metrics
  ensure_channel "$ALERT_EMAIL"
  operations=$CHANNEL admins=$CHANNEL
  # What waits for a decision goes to those who decide.
  if [ -n "$ADMINS_GROUP" ] && [ "$ADMINS_GROUP" != "$ALERT_EMAIL" ]; then
    ensure_channel "$ADMINS_GROUP"
    admins=$CHANNEL
  fi
  ensure_policies "$operations" "$admins"
  ensure_dashboard
}

# Into EXISTING what `gcloud WORDS --format=json` lists, and into ANSWERS a line for each wanted JSON
# object: `same`, `different` or `absent` when held against the one with the same KEY, then its name. A
# list that lags must not make a second object: what is absent is looked for twice.
# held_against KEY WORDS... -- WANTED...
EXISTING='' ANSWERS=''
held_against() {
  local key=$1 words=()
  shift
  while [ "$1" != -- ]; do words+=("$1") && shift; done
  shift
  EXISTING=$(look "${words[@]}" --format=json)
  if $DRY_RUN; then return; fi
  ANSWERS=$(json compare "$key" "$@" <<<"$EXISTING")
  if ! grep -q '^absent' <<<"$ANSWERS"; then return; fi
  sleep 3
  EXISTING=$(look "${words[@]}" --format=json)
  ANSWERS=$(json compare "$key" "$@" <<<"$EXISTING")
}

answer() { sed -n "$1p" <<<"$ANSWERS"; }

ensure_metrics() {
  local file name number=0 wanted=()
  say 'metrics ...'
  for file in deploy/monitoring/metrics/*.json; do wanted+=("$(cat "$file")"); done
  held_against name logging metrics list -- "${wanted[@]}"
  for file in deploy/monitoring/metrics/*.json; do
    name=$(basename "$file" .json) number=$((number + 1))
    case $(answer "$number") in
      same*) continue ;;
      different*) gc logging metrics update "$name" "--config-from-file=$file" ;;
      absent*)
        create logging metrics create "$name" "--config-from-file=$file"
        if $EXISTED; then gc logging metrics update "$name" "--config-from-file=$file"; fi
        ;;
      *)
        comment "$name, when absent; when it is there and differs:"
        gc logging metrics create "$name" "--config-from-file=$file"
        gc logging metrics update "$name" "--config-from-file=$file"
        ;;
    esac
  done
}

# Into CHANNEL, the name of the channel for an address, which is looked for twice as well.
CHANNEL=''
ensure_channel() {
  say "notification channel for $1 ..."
  find_channel "$1"
  if [ -z "$CHANNEL" ] && ! $DRY_RUN; then
    sleep 3
    find_channel "$1"
  fi
  comment 'when there is none for this address:'
  if [ -z "$CHANNEL" ]; then
    gc beta monitoring channels create '--display-name=membership-sync' --type=email "--channel-labels=email_address=$1" '--format=value(name)'
    if $DRY_RUN; then CHANNEL=CHANNEL_NAME; else CHANNEL=$(grep -m1 '^projects/' "$TMP/output"); fi
  fi
}

find_channel() {
  CHANNEL=$(look beta monitoring channels list "--filter=type=\"email\" AND labels.email_address=\"$1\"" --limit=1 '--format=value(name)')
}

# Monitoring looks back 23 hours and 30 minutes at most, alignment period and duration together.
readonly LOOK_BACK=84600

# Three intervals without a complete run is stale, and that for a minute.
stale_seconds() { at_most $((SYNC_INTERVAL_MINUTES * 60 * 3)) $((LOOK_BACK - 60)); }

# In words, rounded to half an hour.
stale_words() {
  local minutes=$((($(stale_seconds) + 60) / 60))
  if [ "$minutes" -ge 120 ]; then
    printf '%s hours' "$((minutes / 60))$(if [ $((minutes % 60)) -ge 30 ]; then echo ' and a half'; fi)"
  else
    printf '%s minutes' "$minutes"
  fi
}

# Two intervals: what each run reports again stays one event, of one mail.
window_seconds() { at_most $((SYNC_INTERVAL_MINUTES * 60 * 2)) "$LOOK_BACK"; }

# Long enough to see one run, and the rest of the day: what each of its runs has left waits for a person.
run_seconds() { at_most $((SYNC_INTERVAL_MINUTES * 60 * 2)) 46800; }
waiting_seconds() { echo $((LOOK_BACK - $(run_seconds))); }

at_most() { if [ "$1" -le "$2" ]; then echo "$1"; else echo "$2"; fi; }

# A policy file on one line, with what is this deployment's own, and the channel $2.
policy_of() {
  sed -e "s/STALE_SECONDS/$(stale_seconds)/g" -e "s/STALE_WORDS/$(stale_words)/g" \
    -e "s/RUN_SECONDS/$(run_seconds)/g" -e "s/WAITING_SECONDS/$(waiting_seconds)/g" -e "s/WINDOW_SECONDS/$(window_seconds)/g" \
    -e "s/PROJECT_ID/$PROJECT/g" -e "s/REGION_NAME/$REGION/g" -e 's/^ *//' "$1" |
    tr -d '\n' | sed "s|}\$|,\"notificationChannels\":[\"$2\"]}|"
}

# Held changes and what waits for a day are for the admins, the rest is for operations.
channel_of() { case $1 in *held.json | *attention.json) printf %s "$3" ;; *) printf %s "$2" ;; esac }

ensure_policies() {
  local file again number=0 wanted=()
  for file in deploy/monitoring/policies/*.json; do
    wanted+=("$(policy_of "$file" "$(channel_of "$file" "$@")")")
  done
  held_against displayName alpha monitoring policies list --filter=userLabels.app=membership-sync -- "${wanted[@]}"
  for file in deploy/monitoring/policies/*.json; do
    say "alert $(basename "$file" .json) ..."
    change_policy "$(answer $((number + 1)))" "${wanted[$number]}" "$(channel_of "$file" "$@")"
    number=$((number + 1))
  done
  if $DRY_RUN; then return; fi
  for again in $(json repeated displayName <<<"$EXISTING"); do
    say 'a second alert of the same name ...'
    gc alpha monitoring policies delete "$again"
  done
}

# change_policy ANSWER POLICY CHANNEL
change_policy() {
  case $1 in
    same*) return ;;
    different*) gc alpha monitoring policies update "${1#* }" "--policy=$2" "--set-notification-channels=$3" ;;
    absent*) gc alpha monitoring policies create "--policy=$2" ;;
    *)
      comment 'when absent; when it is there and differs (by the name that the list gives):'
      gc alpha monitoring policies create "--policy=$2"
      gc alpha monitoring policies update POLICY_NAME "--policy=$2" "--set-notification-channels=$3"
      ;;
  esac
}

ensure_dashboard() {
  local file=deploy/monitoring/dashboard.json
  say 'dashboard ...'
  held_against displayName monitoring dashboards list -- "$(cat "$file")"
  case $ANSWERS in
    same*) ;;
    different*) gc monitoring dashboards update "${ANSWERS#* }" "--config=$(json with-etag "$(cat "$file")" displayName <<<"$EXISTING")" ;;
    absent*) gc monitoring dashboards create "--config-from-file=$file" ;;
    *)
      comment 'when absent; when it is there and differs (by its name, with its etag added):'
      gc monitoring dashboards create "--config-from-file=$file"
      gc monitoring dashboards update DASHBOARD_NAME "--config-from-file=$file"
      ;;
  esac
}
