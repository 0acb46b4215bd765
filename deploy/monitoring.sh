# shellcheck shell=bash
# Metrics from the log, one e-mail channel, alerts for failed, held, set aside and stale, one dashboard.
# Each definition is a file under deploy/monitoring/; what is there already is changed in place.

step_monitoring() {
  ensure_metrics
  ensure_channel "$ALERT_EMAIL"
  ensure_policies "$CHANNEL"
  ensure_dashboard
}

# Says whether one of the objects in the JSON list $2 is `same`, `different` or `absent` when held
# against the JSON object $1, found by the member $3; then its name. A dry run knows neither.
compare() {
  if $DRY_RUN; then return; fi
  json compare "$1" "$3" <<<"$2"
}

# A list that lags must not make a second object of the same name: what is absent is looked for twice.
listed() {
  local found=$1 wanted=$2 key=$3
  shift 3
  if ! $DRY_RUN && [ "$(json compare "$wanted" "$key" <<<"$found")" = absent ]; then
    sleep 3
    found=$(look "$@")
  fi
  printf %s "$found"
}

ensure_metrics() {
  local existing file name answer
  say 'metrics ...'
  existing=$(look logging metrics list --format=json)
  for file in deploy/monitoring/metrics/*.json; do
    name=$(basename "$file" .json)
    answer=$(compare "$(cat "$file")" "$existing" name)
    case $answer in
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

# Into CHANNEL, the name of the channel for an address.
CHANNEL=''
ensure_channel() {
  say "notification channel for $1 ..."
  CHANNEL=$(look beta monitoring channels list "--filter=type=\"email\" AND labels.email_address=\"$1\"" --limit=1 '--format=value(name)')
  comment 'when there is none for this address:'
  if [ -z "$CHANNEL" ]; then
    gc beta monitoring channels create '--display-name=membership-sync' --type=email "--channel-labels=email_address=$1" '--format=value(name)'
    if $DRY_RUN; then CHANNEL=CHANNEL_NAME; else CHANNEL=$(grep -m1 '^projects/' "$TMP/output"); fi
  fi
}

# Three intervals without a complete run is stale. 25 hours is the longest that Monitoring can add
# up, and 23.5 hours the longest absence that it can watch: for long intervals only the sum is watched.
stale_seconds() {
  local seconds=$((SYNC_INTERVAL_MINUTES * 60 * 3))
  [ "$seconds" -le 90000 ] || seconds=90000
  echo "$seconds"
}

policy_files() {
  printf '%s\n' deploy/monitoring/policies/failed.json deploy/monitoring/policies/held.json \
    deploy/monitoring/policies/set-aside.json
  if [ "$(stale_seconds)" -le 84600 ]; then echo deploy/monitoring/policies/stale.json; else echo deploy/monitoring/policies/stale-daily.json; fi
}

# A policy file on one line, with the window filled in.
policy_of() { sed -e "s/STALE_SECONDS/$(stale_seconds)/g" -e 's/^ *//' "$1" | tr -d '\n'; }

ensure_policies() {
  local existing file policy answer again
  existing=$(look alpha monitoring policies list --filter=userLabels.app=membership-sync --format=json)
  for file in $(policy_files); do
    policy=$(policy_of "$file")
    existing=$(listed "$existing" "$policy" displayName alpha monitoring policies list --filter=userLabels.app=membership-sync --format=json)
    say "alert $(basename "$file" .json) ..."
    answer=$(compare "${policy%\}},\"notificationChannels\":[\"$1\"]}" "$existing" displayName)
    case $answer in
      same*) continue ;;
      different*) gc alpha monitoring policies update "${answer#* }" "--policy=$policy" "--set-notification-channels=$1" ;;
      absent*) gc alpha monitoring policies create "--policy=$policy" "--notification-channels=$1" ;;
      *)
        comment 'when absent; when it is there and differs (by the name that the list gives):'
        gc alpha monitoring policies create "--policy=$policy" "--notification-channels=$1"
        gc alpha monitoring policies update POLICY_NAME "--policy=$policy" "--set-notification-channels=$1"
        ;;
    esac
  done
  if $DRY_RUN; then return; fi
  for again in $(json repeated displayName <<<"$existing"); do
    say 'a second alert of the same name ...'
    gc alpha monitoring policies delete "$again"
  done
}

ensure_dashboard() {
  local existing answer file=deploy/monitoring/dashboard.json
  say 'dashboard ...'
  existing=$(look monitoring dashboards list --format=json)
  existing=$(listed "$existing" "$(cat "$file")" displayName monitoring dashboards list --format=json)
  answer=$(compare "$(cat "$file")" "$existing" displayName)
  case $answer in
    same*) ;;
    different*) gc monitoring dashboards update "${answer#* }" "--config=$(json with-etag "$(cat "$file")" displayName <<<"$existing")" ;;
    absent*) gc monitoring dashboards create "--config-from-file=$file" ;;
    *)
      comment 'when absent; when it is there and differs (by its name, with its etag added):'
      gc monitoring dashboards create "--config-from-file=$file"
      gc monitoring dashboards update DASHBOARD_NAME "--config-from-file=$file"
      ;;
  esac
}
