# shellcheck shell=bash
# How a command is shown, run, and read from. Every change of the cloud goes through `run`,
# every look at it through `look`, so that a dry run can print both and do neither.

PROGRESS=''
say() { printf '%s: %s\n' "$PROGRESS" "$*" >&3; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The words as one would type them.
typed() {
  local word line=''
  for word in "$@"; do
    case $word in
      --*=*) line="$line ${word%%=*}=$(quoted "${word#*=}")" ;;
      *) line="$line $(quoted "$word")" ;;
    esac
  done
  printf '%s' "${line# }"
}

# A look-up is known only at run time: in a dry run its $(gcloud ...) stays.
quoted() {
  # shellcheck disable=SC2016
  case $1 in
    *'$(gcloud '*) printf '"%s"' "$1" ;;
    '' | *[!A-Za-z0-9_./:@%+=,^~-]*) printf "'%s'" "${1//\'/\'\\\'\'}" ;;
    *) printf '%s' "$1" ;;
  esac
}

comment() { if $DRY_RUN; then printf '# %s\n' "$*" >&3; fi; }

# Runs a command that changes something; what it prints is shown when it fails.
run() {
  local status=0
  if $DRY_RUN || $VERBOSE; then printf '%s\n' "$(typed "$@")" >&3; fi
  if $DRY_RUN; then return; fi
  if $VERBOSE; then
    "$@" >&3 2>&1 || status=$?
  else
    "$@" >"$TMP/output" 2>&1 || status=$?
  fi
  [ "$status" -eq 0 ] && return
  $VERBOSE || cat "$TMP/output" >&2
  printf 'failed (%s): %s\n' "$status" "$(typed "$@")" >&2
  return "$status"
}

gc() { run gcloud "$@" --project="$PROJECT"; }

# Prints what gcloud answers; nothing in a dry run.
look() {
  if $DRY_RUN; then
    printf '%s  # only reads\n' "$(typed gcloud "$@" --project="$PROJECT")" >&3
  else
    gcloud "$@" --project="$PROJECT"
  fi
}

has_line() { grep -qxF -- "$1" <<<"$2"; }

# Works on JSON: see deploy/json.ts.
json() { node "$ROOT/deploy/json.ts" "$@"; }

# shellcheck disable=SC2016
check_tools() {
  if $DRY_RUN; then return; fi
  command -v gcloud >/dev/null || fail 'gcloud is not installed: https://cloud.google.com/sdk/docs/install'
  [ -x "$ROOT/node_modules/.bin/node" ] || fail 'node_modules is missing: run `npm ci` first'
}
