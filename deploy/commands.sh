# shellcheck shell=bash
# How a command is shown, run, and read from. Every change of the cloud goes through `run`,
# every look at it through `look`, so that a dry run can print both and do neither.

PROGRESS=''
say() { printf '%s: %s\n' "$PROGRESS" "$*" >&3; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The words as one would type them. Whatever a shell could take for more than a word stands in
# single quotes, so that nothing runs when the line is pasted.
typed() {
  local word line='' QUOTED
  for word in "$@"; do
    case $word in
      --[a-z]*=*) quote "${word#*=}" && line="$line ${word%%=*}=$QUOTED" ;;
      *) quote "$word" && line="$line $QUOTED" ;;
    esac
  done
  printf '%s' "${line# }"
}

# Into QUOTED; a subshell for each word would take longer than all the rest. The bash of macOS reads quotes
# within a substitution in its own way, so there are none.
# shellcheck disable=SC2295
quote() {
  local rest=$1 mark=\'
  case $1 in
    '' | *[!A-Za-z0-9_./:@%+=,^~-]*) QUOTED=$mark ;;
    # Without the 0 a trap would get the status of what has failed before it.
    *) QUOTED=$1 && return 0 ;;
  esac
  while [ "$rest" != "${rest%%$mark*}" ]; do
    QUOTED=$QUOTED${rest%%$mark*}$mark\\$mark$mark
    rest=${rest#*$mark}
  done
  QUOTED=$QUOTED$rest$mark
}

quoted() {
  local QUOTED
  quote "$1"
  printf '%s' "$QUOTED"
}

comment() {
  local line
  if ! $DRY_RUN; then return; fi
  while IFS= read -r line; do printf '# %s\n' "$line"; done <<<"$*" >&3
}

# How to run steps as this run was told to: its environment and its settings.
hint() { typed "$SELF" ${CONTEXT[@]+"${CONTEXT[@]}"} "$@"; }

# What the next command gets on stdin, at each of its tries.
INPUT=''
with_input() {
  INPUT=$1
  shift
  "$@"
  INPUT=''
}

# Runs a command that changes something; what it prints is shown when it fails.
run() {
  local status=0
  if $DRY_RUN || $VERBOSE; then printf '%s\n' "$(typed "$@")" >&3; fi
  if $DRY_RUN; then return; fi
  attempt "$@" >"$TMP/output" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    if $VERBOSE; then cat "$TMP/output" >&3; fi
    return
  fi
  cat "$TMP/output" >&2
  printf 'failed (%s): %s\n' "$status" "$(typed "$@")" >&2
  return "$status"
}

gc() { run gcloud "$@" --project="$PROJECT"; }

# Prints what gcloud answers; nothing in a dry run. The caller sees to what cannot be read.
try_look() {
  if $DRY_RUN; then
    printf '%s  # only reads\n' "$(typed gcloud "$@" --project="$PROJECT")" >&3
  else
    attempt gcloud "$@" --project="$PROJECT"
  fi
}

# What cannot be read ends everything, in whatever condition or subshell it was asked for: an empty answer
# would pass for "there is none", and the operator would get hints that make it worse.
look() { try_look "$@" || unreadable "$@"; }

# As look, but prints nothing where Google says that there is no such thing.
look_if_there() {
  local status=0
  if $DRY_RUN; then
    try_look "$@"
    return
  fi
  try_look "$@" 2>"$TMP/unread" || status=$?
  if [ "$status" -eq 0 ] || grep -qE 'NOT_FOUND|status=\[404\]|[Nn]ot found' "$TMP/unread"; then return 0; fi
  cat "$TMP/unread" >&2
  unreadable "$@"
}

readonly UNREADABLE=3

unreadable() {
  printf 'This could not be read, so nothing is known of it: %s\n%s\n' \
    "$(typed gcloud "$@" --project="$PROJECT")" "$(remedy "$TMP/errors")" >&2
  kill -USR1 $$
  exit "$UNREADABLE"
}

# What to do about the words in which gcloud refuses.
remedy() {
  if grep -qiE 'active account|gcloud auth login|reauth|invalid_grant|UNAUTHENTICATED|(status|code)[^a-z0-9]{1,4}401' "$1"; then
    echo 'You are not signed in, or no longer: gcloud auth login'
  elif grep -qE 'PERMISSION_DENIED|[Ff]orbidden|[Pp]ermission|403' "$1"; then
    echo 'The account that is signed in (gcloud auth list) may not read it: sign in as another, or give it the roles in docs/setup/MEMBERSHIP_SYNC_DEPLOYMENT.md, "Prerequisites"'
  elif grep -qE 'NOT_FOUND|[Nn]ot found|404' "$1"; then
    echo "Google knows no such thing in the project $PROJECT and the region $REGION: are both right?"
  else
    echo 'Google does not answer as it should: try again in some minutes'
  fi
}

# Creates what a list did not show. Lists lag: when it is there after all, EXISTED is true.
EXISTED=false
create() {
  local status=0
  EXISTED=false
  if $DRY_RUN; then
    gc "$@"
    return
  fi
  gc "$@" 2>"$TMP/refusal" || status=$?
  if [ "$status" -ne 0 ] && grep -qiE 'already[ _]exists' "$TMP/refusal"; then
    EXISTED=true
    return
  fi
  cat "$TMP/refusal" >&2
  return "$status"
}

readonly TRIES=6

# Runs a command; gcloud again, after 1, 4, 9 ... seconds, while Google's answer means "not yet".
attempt() {
  local try status
  for try in $(seq 1 "$TRIES"); do
    status=0
    if [ -n "$INPUT" ]; then
      printf %s "$INPUT" | "$@" 2>"$TMP/errors" || status=$?
    else
      "$@" </dev/null 2>"$TMP/errors" || status=$?
    fi
    if [ "$status" -eq 0 ] || [ "$1" != gcloud ] || [ "$try" -eq "$TRIES" ]; then break; fi
    not_yet "$TMP/errors" || break
    sleep "$((try * try))"
  done
  cat "$TMP/errors" >&2
  return "$status"
}

# Too many requests, a policy that somebody else writes at the same moment, a service or an account
# that not every part of Google has heard of yet.
NEW_APIS=false
not_yet() {
  grep -qE 'RESOURCE_EXHAUSTED|rateLimitExceeded|UNAVAILABLE|concurrent policy changes|[Ss]ervice account .* does not exist|(HTTPError|HttpError|status|code)[^A-Za-z0-9_]{1,4}(429|503)([^0-9]|$)' "$1" && return
  $NEW_APIS && grep -qE 'SERVICE_DISABLED|it is disabled' "$1"
}

# Whether a condition comes true: a list shows what has just been made a little later.
eventually() {
  local try
  for try in $(seq 1 "$TRIES"); do
    if "$@"; then return 0; fi
    [ "$try" -eq "$TRIES" ] || sleep "$((try * try))"
  done
  return 1
}

has_line() { grep -qxF -- "$1" <<<"$2"; }

# Field 3 of the line whose first field is syncLogs: column TEXT syncLogs 3.
column() { awk -F'\t' -v name="$2" -v number="$3" '$1 == name { print $number }' <<<"$1"; }

# Works on JSON: see deploy/json.ts.
json() { node "$ROOT/deploy/json.ts" "$@"; }

# A repair needs no more than it uses: not the project's own Node.js, nor what is installed beside it.
# shellcheck disable=SC2016
check_tools() {
  local step
  if $DRY_RUN; then return; fi
  command -v gcloud >/dev/null || fail 'gcloud is not installed: https://cloud.google.com/sdk/docs/install'
  for step in $REMAINING; do
    case $step in
      secrets | build | migrate | functions)
        [ -x "$ROOT/node_modules/.bin/node" ] || fail "$step: node_modules is missing: run \`npm ci\` first"
        ;;
      monitoring | verify | rollback)
        [ "$(node -p 'Boolean(process.features.typescript)' 2>/dev/null)" = true ] ||
          fail "$step: node_modules is missing: run \`npm ci\` first, or have Node.js 24 on the PATH"
        ;;
    esac
  done
}
