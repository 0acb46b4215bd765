# shellcheck shell=bash
# The settings: their names, their defaults, and where a value comes from.
# A flag is the name in lower case with dashes: --sync-interval-minutes=60.

# Where and how it is deployed.
readonly DEPLOY_SETTINGS='
PROJECT=
REGION=europe-west2
RUNTIME=nodejs24
TRIGGER=http
TIME_ZONE=Atlantic/Reykjavik
CLOUDSQL_INSTANCE=
ADMINS_GROUP=
ALERT_EMAIL=
ADMIN_KEY=false
STAGING_PROJECT=
MIGRATION_SECRET=
SECRET_PREFIX=membership-sync-
RUNTIME_ACCOUNT=membership-sync-run
HEALTH_ACCOUNT=membership-sync-health
SCHEDULER_ACCOUNT=membership-sync-scheduler
BUILD_SERVICE_ACCOUNT=
SYNC_MEMORY=512Mi
SYNC_TIMEOUT=540
READ_MEMORY=256Mi
READ_TIMEOUT=60
READ_CONCURRENCY=8
READ_MAX_INSTANCES=2
HEALTH_MAX_INSTANCES=2
'

# Passed on to the functions when they have a value; what they mean is in .env.example.
# A default stands here only where the deployment itself needs the value.
readonly FUNCTION_SETTINGS='
LOG_LEVEL=
ALLOWED_CALLERS=
WEBHOOK_CALLERS=
SCHEDULER_CALLERS=
ADMIN_PAGE_CALLER=
AUTH_AUDIENCE=
DJANGO_BASE_URL=
DJANGO_AUTH_SCHEME=
DJANGO_MEMBERS_PATH=
DJANGO_PAGE_SIZE=
DJANGO_CONCURRENCY=
DJANGO_TIMEOUT_MS=
DJANGO_MAX_RETRIES=
DJANGO_MODIFIED_SINCE_PARAM=
DJANGO_FIELD_MAP=
DJANGO_EXCLUDE_KENNITALA=
SYNC_ENABLED=
SYNC_INTERVAL_MINUTES=60
SYNC_FULL_INTERVAL_MINUTES=
SYNC_MAX_REMOVALS=
SYNC_MAX_ADDITIONS=
SYNC_MAX_UPDATES=
SYNC_MAX_KENNITALA_CHANGES=
SYNC_MAX_SET_ASIDE=
SYNC_LIMIT_FLOOR=
SYNC_LIMIT_WINDOW_HOURS=
SYNC_CANARY_IDS=
SYNC_CONFIRM_REMOVALS=
AUDIT_RETENTION_DAYS=
NOTIFY_URLS=
'

# Never in a file or a flag: their values live in Secret Manager.
readonly SECRET_SETTINGS='DATABASE_URL DATABASE_READER_URL DJANGO_API_KEY ADMIN_API_KEY WEBHOOK_KEY NOTIFY_SECRET'

is_word() { case " $2 " in *" $1 "*) return 0 ;; *) return 1 ;; esac }

setting_names() { sed -n 's/=.*//p' <<<"$DEPLOY_SETTINGS$FUNCTION_SETTINGS"; }
is_setting() { setting_names | grep -qx -- "$1"; }

# Refuses what is no setting; $2 says where it was found.
require_setting() {
  ! is_word "$1" "$SECRET_SETTINGS" ||
    usage_error "$2: $1 is a secret and is given to the step 'secrets' on its prompt or stdin"
  is_setting "$1" || usage_error "$2: there is no setting $1 (deploy/settings.sh has them all)"
}

setting_from_flag() {
  local name=${1%%=*}
  name=$(tr 'a-z-' 'A-Z_' <<<"${name#--}")
  require_setting "$name" "$1"
  printf -v "FLAG_$name" %s "${1#*=}"
}

# Lines NAME=value, the value as it stands or in quotes. Read as data: nothing in it is executed.
settings_from_file() {
  local file=$1 line name value number=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
    [[ $line =~ ^([A-Z][A-Z0-9_]*)=(.*)$ ]] || usage_error "$file:$number: expected NAME=value"
    name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    require_setting "$name" "$file:$number"
    if [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
    printf -v "FILE_$name" %s "$value"
  done <"$file"
}

load_settings() {
  local file="$ENV_DIR/$ENVIRONMENT.env" line name flag from_file
  if [ -f "$file" ]; then settings_from_file "$file"; fi
  while IFS= read -r line; do
    [ -n "$line" ] || continue
    name=${line%%=*} flag="FLAG_$name" from_file="FILE_$name"
    if [ -n "${!flag+given}" ]; then
      printf -v "$name" %s "${!flag}"
    elif [ -z "${!name:-}" ]; then
      printf -v "$name" %s "${!from_file:-${line#*=}}"
    fi
  done <<<"$DEPLOY_SETTINGS$FUNCTION_SETTINGS"
  check_settings
}

must_match() {
  [[ ${!1} =~ $2 ]] || usage_error "--$(tr 'A-Z_' 'a-z-' <<<"$1")=${!1}: $3"
}

check_settings() {
  [ -n "$PROJECT" ] || usage_error "--project=P is missing: which Google Cloud project?"
  must_match PROJECT '^[a-z][a-z0-9-]{4,28}[a-z0-9]$' 'not the form of a project id'
  must_match REGION '^[a-z]+-[a-z]+[0-9]+$' 'not the form of a region'
  must_match TRIGGER '^(http|pubsub)$' 'http or pubsub'
  must_match ADMIN_KEY '^(true|false)$' 'true or false'
  must_match SYNC_MEMORY '^[1-9][0-9]*([MmGg][Ii]?[Bb]?)?$' 'an amount such as 512Mi or 1Gi'
  must_match SYNC_TIMEOUT '^[0-9]+$' 'a number of seconds'
  must_match READ_TIMEOUT '^[0-9]+$' 'a number of seconds'
  must_match CLOUDSQL_INSTANCE '^([^:]+:[^:]+:[^:]+)?$' 'expected PROJECT:REGION:INSTANCE'
  schedule_of "$SYNC_INTERVAL_MINUTES" >/dev/null ||
    usage_error "--sync-interval-minutes=$SYNC_INTERVAL_MINUTES: cron can say 1-59 minutes that divide 60, or 60, 120, 180, 240, 360, 480, 720 or 1440"
}

# What the chosen steps cannot do without, all of it at once and before the first of them begins.
check_needs() {
  local missing=''
  if is_word functions "$REMAINING" && [ -z "$DJANGO_BASE_URL" ]; then
    missing="$missing
  --django-base-url=URL: where is the member register? (functions)"
  fi
  if is_word monitoring "$REMAINING" && [ -z "$ALERT_EMAIL" ]; then
    missing="$missing
  --alert-email=ADDRESS: who is told when a run fails? (monitoring)"
  fi
  if is_word migrate "$REMAINING" && [ -z "$CLOUDSQL_INSTANCE${DATABASE_URL:-}" ]; then
    missing="$missing
  --cloudsql-instance=PROJECT:REGION:INSTANCE, or DATABASE_URL in the environment (migrate)"
  fi
  [ -z "$missing" ] || usage_error "missing:$missing"
}
