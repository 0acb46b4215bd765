#!/usr/bin/env bash
# Deploys membership-sync to Google Cloud. Safe to run again: what is there and right is left alone.
#
# Usage: ./deploy.sh --project=P [--region=europe-west2] [--env=staging|production] [option...] [step...]
#
# Steps, all of the first list in this order when none is named:
#   apis              enable the services that are needed
#   service-accounts  create the identities and their project roles
#   secrets           create what is missing, value from a hidden prompt or from stdin
#   build             bundle the functions into dist/, each with its lock file and upload list
#   migrate           bring the database schema up to date
#   functions         deploy the functions; unchanged ones are skipped
#   cloudsql          attach the Cloud SQL instance and check that it is there
#   invokers          let the scheduler and the admins in, nobody else
#   page              Identity-Aware Proxy before the admin's page, and who passes it
#   scheduler         create or update the job that starts a run
#   monitoring        metrics, notification channel, alerts, dashboard
#   verify            call the deployed system and say whether it works
# Only when named:
#   rollback          traffic back to the previous deployment, scheduler paused
#   destroy           delete what the steps above made; asks for the project name
#
# Options:
#   --dry-run            print the exact commands and change nothing (needs no credentials, no gcloud)
#   --env=NAME           settings from deploy/NAME.env: staging (the default) or production
#   --env-dir=DIR        where to look for NAME.env instead
#   --use-shell          confirm settings, and DATABASE_URL for migrate, that the shell has set
#   --SETTING=VALUE      any setting of deploy/settings.sh, e.g. --django-base-url=https://...
#   --rotate=NAME        with secrets: add a new version of NAME (e.g. DJANGO_API_KEY)
#   --source-maps        upload the source maps too
#   --force              deploy functions even when nothing changed
#   --same-build         with verify: also compare what is deployed with dist/
#   --with-page          with verify: the admin's page must be there too
#   --with-secrets       with destroy: delete the secrets as well
#   --with-database      with destroy: delete the Cloud SQL instance as well; asks for its name
#   --verbose            print every command with its output
#   --help               this text
#
# A setting is taken from its flag, else the file, else its default. What the shell sets is refused
# where it says something else, unless --use-shell confirms it.
# To production goes no code from a dirty tree, with unreleased changes, or that staging does not run
# well. Every other step works there at any time.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
START=$PWD
# How it can be started again from where it was.
if [ "$START" = "$ROOT" ]; then SELF=./deploy.sh; else SELF=$ROOT/deploy.sh; fi
readonly ROOT START SELF
cd "$ROOT"
# The pinned Node.js of the project, whatever the machine has.
export PATH="$ROOT/node_modules/.bin:$PATH"
# gcloud asks nothing, and its warnings about filters that match nothing yet are left out.
export CLOUDSDK_CORE_DISABLE_PROMPTS=1 CLOUDSDK_CORE_VERBOSITY=${CLOUDSDK_CORE_VERBOSITY:-error}

source deploy/settings.sh
source deploy/checks.sh
source deploy/commands.sh
source deploy/gates.sh
source deploy/project.sh
source deploy/access.sh
source deploy/secrets.sh
source deploy/build.sh
source deploy/database.sh
source deploy/functions.sh
source deploy/serving.sh
source deploy/scheduler.sh
source deploy/page.sh
source deploy/monitoring.sh
source deploy/verify.sh
source deploy/undo.sh

readonly STEPS='apis service-accounts secrets build migrate functions cloudsql invokers page scheduler monitoring verify'
readonly STEPS_BY_NAME='rollback destroy'

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$ROOT/deploy.sh"; }

usage_error() {
  printf 'deploy.sh: %s\n' "$*" >&2
  printf 'Steps: %s %s\nSee ./deploy.sh --help\n' "$STEPS" "$STEPS_BY_NAME" >&2
  exit 2
}

DRY_RUN=false SOURCE_MAPS=false FORCE=false SAME_BUILD=false WITH_PAGE=false WITH_SECRETS=false WITH_DATABASE=false
VERBOSE=false USE_SHELL=false ROTATE='' ENVIRONMENT=staging ENV_DIR="$ROOT/deploy" STEP='' REMAINING=''
TMP='' PROXY='' PAUSED='' HALF_DONE=''
# The options as they were given, and those of them that every step needs.
GIVEN=() CONTEXT=()
# A flag comes from the command line alone, a file's value from the file.
unset "${!FLAG_@}" "${!FILE_@}"

read_arguments() {
  local arg number=0
  for arg in "$@"; do
    number=$((number + 1))
    case $arg in
      --help | -h) usage && exit 0 ;;
      --dry-run) DRY_RUN=true ;;
      --source-maps) SOURCE_MAPS=true && CONTEXT+=("$arg") ;;
      --force) FORCE=true ;;
      --same-build) SAME_BUILD=true ;;
      --with-page) WITH_PAGE=true ;;
      --with-secrets) WITH_SECRETS=true ;;
      --with-database) WITH_DATABASE=true ;;
      --verbose) VERBOSE=true ;;
      --use-shell) USE_SHELL=true && CONTEXT+=("$arg") ;;
      --rotate=*) ROTATE=${arg#*=} ;;
      --env=staging | --env=production) ENVIRONMENT=${arg#*=} && CONTEXT+=("$arg") ;;
      --env=*) usage_error '--env is staging or production' ;;
      --env-dir=/*) ENV_DIR=${arg#*=} && CONTEXT+=("$arg") ;;
      --env-dir=*) ENV_DIR=$START/${arg#*=} && CONTEXT+=("--env-dir=$ENV_DIR") ;;
      --*=*) setting_from_flag "$arg" "$number" && CONTEXT+=("$arg") ;;
      -*) usage_error "argument $number is no option (a setting is given as --name=value)" ;;
      *) add_step "$arg" "$number" && continue ;;
    esac
    GIVEN+=("$arg")
  done
  REMAINING=${REMAINING:-$STEPS}
}

add_step() {
  is_word "$1" "$STEPS $STEPS_BY_NAME" || usage_error "argument $2 is no step"
  REMAINING="${REMAINING:+$REMAINING }$1"
}

# Runs at every exit: removes what is temporary and, in the middle of a step, says how to go on.
on_exit() {
  local status=$?
  # A command that was stopped has its own.
  exec 2>&4
  [ -z "$PROXY" ] || kill "$PROXY" 2>/dev/null || true
  [ -z "$TMP" ] || rm -rf "$TMP"
  trap '' INT TERM HUP PIPE
  if [ -n "$STOPPED" ] && [ -z "$STEP" ]; then printf '\n%s: nothing was changed.\n' "$STOPPED" >&2; fi
  [ "$status" -ne 0 ] && [ -n "$STEP" ] || exit "$status"
  if [ -n "$STOPPED" ]; then
    printf '\n%s in the step %s. What Google was asked for is done there all the same. Go on with:\n  %s\n' \
      "$STOPPED" "$STEP" "$(remaining_command)" >&2
  else
    printf '\nStep %s failed. When the cause is gone, go on with:\n  %s\n' "$STEP" "$(remaining_command)" >&2
  fi
  [ -z "$HALF_DONE" ] || printf '%s\n' "$HALF_DONE" >&2
  [ -z "$PAUSED" ] || printf 'Left paused: %s. It starts again with:\n  %s\n' "$PAUSED" "$(hint scheduler)" >&2
  exit "$status"
}

# Whoever stops it has to know what it leaves behind; on_exit says so. Bash waits for the command that runs.
STOPPED=''
stop() {
  STOPPED=$1
  exit "$2"
}

stop_on_signals() {
  trap 'stop "Stopped by Ctrl-C" 130' INT
  trap 'stop "Stopped by a signal" 143' TERM
  trap 'stop "Stopped, since the terminal is gone," 129' HUP
  trap 'stop "Stopped, since nobody reads what it says," 141' PIPE
}

# The options as they were given, without those of steps that are done.
remaining_command() {
  local word words=()
  for word in ${GIVEN[@]+"${GIVEN[@]}"}; do
    case $word in
      --rotate=*) is_word secrets "$REMAINING" || continue ;;
      --force) is_word functions "$REMAINING" || continue ;;
      --same-build | --with-page) is_word verify "$REMAINING" || continue ;;
      --with-secrets | --with-database) is_word destroy "$REMAINING" || continue ;;
    esac
    words+=("$word")
  done
  printf '%s %s' "$(typed "$SELF" ${words[@]+"${words[@]}"})" "$REMAINING"
}

run_steps() {
  local steps count number=0
  steps=$REMAINING
  count=$(wc -w <<<"$steps" | tr -d ' ')
  for STEP in $steps; do
    number=$((number + 1))
    PROGRESS="[$number/$count] $STEP"
    "step_${STEP//-/_}"
    REMAINING=${REMAINING#"$STEP"} REMAINING=${REMAINING# }
  done
  STEP=''
}

# What is not as the file says is said aloud.
list_deviations() {
  local name
  [ -f "$ENV_DIR/$ENVIRONMENT.env" ] || echo "There is no $ENVIRONMENT.env: what no flag says is the default."
  [ -z "$FLAGS_AGAINST_FILE" ] || echo "Other than $ENVIRONMENT.env, by flag:$FLAGS_AGAINST_FILE"
  for name in $FROM_SHELL; do
    if [ "$name" = DATABASE_URL ]; then
      echo "From the shell: DATABASE_URL ($(shown_database))"
    else
      echo "From the shell: $name=$(quoted "${!name}")"
    fi
  done
}

main() {
  exec 3>&1 4>&2
  read_arguments "$@"
  check_options
  load_settings
  choose_functions
  check_needs
  trap on_exit EXIT
  stop_on_signals
  # See unreadable.
  trap 'exit "$UNREADABLE"' USR1
  $DRY_RUN || TMP=$(mktemp -d)
  printf 'membership-sync to project %s, region %s, as %s\nSteps: %s\n' \
    "$PROJECT" "$REGION" "$ENVIRONMENT" "$REMAINING"
  list_deviations
  check_tools
  check_gates
  run_steps
  if $DRY_RUN; then echo 'Dry run: nothing was changed.'; else echo 'Done.'; fi
}

main "$@"
