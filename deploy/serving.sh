# shellcheck shell=bash
# What answers, and whether it is what was deployed and what is wanted.

# What a function is to be, one line each: the variables and the flags that a revision shows.
wanted_of() {
  environment_of "$1"
  identity_of "$1"
  shape_of "$1"
}

# What answers: the services and all their revisions, as one JSON object.
what_serves() {
  local services revisions
  services=$(look run services list "--region=$REGION" --format=json)
  revisions=$(look run revisions list "--region=$REGION" --format=json)
  printf '{"services":%s,"revisions":%s}' "${services:-[]}" "${revisions:-[]}"
}

# Into SERVING, one line a service: name, revision, traffic, deployment, build, instances, IAP; what is other
# than this run's settings say, and than the deployment made; whether the latest revision is right; whether runs
# are on. What was deployed last is not what answers while the traffic is pinned.
SERVING=''
find_serving() {
  local found name
  found=$(what_serves)
  if $DRY_RUN; then return; fi
  for name in $(if has_settings; then echo "$FUNCTIONS"; fi); do
    wanted_of "$name" | sed "s/^/$(service_of "$name") /"
  done >"$TMP/wanted"
  # shellcheck disable=SC2046
  SERVING=$(json serving "$TMP/wanted" $(service_names) <<<"$found")
}

# Without the register's address nobody has said what is to be deployed.
has_settings() { [ -n "$DJANGO_BASE_URL" ]; }

# The page too, whatever the file says of it: what is deployed counts.
service_names() {
  local name
  for name in $PRIVATE_FUNCTIONS syncAdmin health; do service_of "$name"; done
}

check_functions() {
  local name names=$FUNCTIONS state
  if $DRY_RUN; then return; fi
  if $WITH_PAGE && ! $HAS_PAGE; then names="$FUNCTIONS syncAdmin"; fi
  if $SAME_BUILD; then find_bundles; fi
  has_settings || note 'what is set could not be compared: neither a flag nor a file says what is to be deployed'
  for name in $names; do
    state=$(column "$DEPLOYED" "$name" 2)
    if [ "$state" = ACTIVE ]; then
      check_function "$name" "$(service_of "$name")"
    elif [ -z "$state" ] && [ "$name" = syncAdmin ] && $PINNED && ! $WITH_PAGE; then
      note 'syncAdmin is not deployed, as after a rollback to a deployment without it'
    else
      wrong "$name is ${state:-not deployed}: $(hint functions)"
    fi
  done
  if column "$SERVING" syncscheduled 11 | grep -qixE ' *(false|0|no|off) *'; then
    wrong "runs are switched off (SYNC_ENABLED), so nobody joins or leaves: $(hint --sync-enabled=true functions)"
  fi
  case $DJANGO_BASE_URL in
    [Hh][Tt][Tt][Pp]:*) wrong 'the key and the members go over the network unencrypted: DJANGO_BASE_URL is no https:// address' ;;
  esac
  if ! $HAS_PAGE && [ -n "$(column "$DEPLOYED" syncAdmin 1)" ] && ! $WITH_PAGE; then
    wrong "the admin's page is still there, and nobody is named who may see it; to take it away: $(hint page)"
  fi
}

# What answers is as it was deployed, and as the settings say. The marks in its environment are no proof.
check_function() {
  local by_hand other
  by_hand=$(column "$SERVING" "$2" 9) other=$(column "$SERVING" "$2" 8)
  if [ -n "$by_hand" ]; then
    wrong "$1 was changed by hand after its deployment ($by_hand): $(hint functions)"
  elif $SAME_BUILD && [ "$(column "$SERVING" "$2" 5)" != "$(bundle_digest "$1")" ]; then
    wrong "$1 answers from another build"
  elif [ -n "$other" ] && $PINNED; then
    note "$1 answers with other settings than these, as after a rollback: $other"
  elif [ -n "$other" ]; then
    wrong "$1 answers with other settings than these: $other: $(hint functions)"
  else
    right "$1 is deployed"
  fi
}

# All functions answer from one deployment, or what answers is a mixture that nobody has tested.
check_traffic() {
  local deployments service kind serving=$SERVING
  if $DRY_RUN; then return; fi
  if [ -z "$SERVING" ]; then
    wrong "no service of these functions is in $REGION"
    return
  fi
  # Of a page that nobody is to see any more it is said elsewhere that it is to go.
  if ! $HAS_PAGE && ! $WITH_PAGE; then serving=$(grep -v '^syncadmin' <<<"$SERVING" || true); fi
  deployments=$(cut -f4 <<<"$serving" | sort -u)
  while IFS=$'\t' read -r service _ kind _; do
    case $kind in
      split) wrong "the traffic of $service is split between revisions: $(hint functions)" ;;
      pinned) PINNED=true && note "the traffic of $service is pinned to one revision, as a rollback does" ;;
    esac
  done <<<"$serving"
  if [ "$(wc -l <<<"$deployments")" -gt 1 ]; then
    say_mixture
  elif [ -z "$deployments" ]; then
    wrong "the functions were not deployed by this script: $(hint functions)"
  else
    right 'all functions answer from one deployment'
  fi
}

# Which way out is right depends on how it came about.
say_mixture() {
  if ! $PINNED; then
    wrong "the functions answer from different deployments: $(hint functions) finishes a deployment, $(hint rollback) takes it back"
  elif [ "$(awk -F'\t' '$1 != "syncadmin" { print $4 }' <<<"$SERVING" | sort -u | wc -l)" -eq 1 ]; then
    wrong "the admin's page is of another deployment than the functions, as where none before had it; to take it away: $(hint_no_page)"
  else
    wrong "the functions answer from different deployments: $(hint rollback) finishes a rollback, $(hint functions) brings the newest back"
  fi
  awk -F'\t' '{ printf "          %s: %s (deployment %s)\n", $1, $2, substr($4, 1, 8) }' <<<"$SERVING" >&3
}
