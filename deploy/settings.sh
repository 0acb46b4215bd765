# shellcheck shell=bash
# The settings: their names, their defaults, and where a value comes from. A flag is the name in lower
# case with dashes (--sync-interval-minutes=60); it wins over the file, and that over the default.

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
WEBHOOK=false
STAGING_PROJECT=
MIGRATION_SECRET=
SECRET_PREFIX=membership-sync-
RUNTIME_ACCOUNT=membership-sync-run
READER_ACCOUNT=membership-sync-read
PAGE_ACCOUNT=membership-sync-page
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
ADMIN_VIEWERS=
ADMIN_APPROVERS=
AUTH_AUDIENCE=
DJANGO_BASE_URL=
DJANGO_ADMIN_URL=
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
SYNC_STAMP_HOURS=
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
flag_of() { printf -- '--%s' "$(tr 'A-Z_' 'a-z-' <<<"$1")"; }

# Refuses what is no setting; $2 says where it was found. A value is never repeated: it may be a secret
# that has gone astray.
require_setting() {
  ! is_word "$1" "$SECRET_SETTINGS" ||
    usage_error "$2: $1 is a secret and is given to the step 'secrets' on its prompt or stdin"
  is_setting "$1" || usage_error "$2: there is no setting $1 (deploy/settings.sh has them all)"
}

setting_from_flag() {
  local name=${1%%=*}
  [[ $name =~ ^--[a-z][a-z-]*$ ]] || usage_error "argument $2: a setting is given as --name=value"
  name=$(tr 'a-z-' 'A-Z_' <<<"${name#--}")
  require_setting "$name" "${1%%=*}"
  printf -v "FLAG_$name" %s "${1#*=}"
}

# Lines NAME=value, the value as it stands or in quotes. Read as data: nothing in it is executed.
FROM_FILE=''
settings_from_file() {
  local file=$1 line name value number=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
    [[ $line =~ ^([A-Z][A-Z0-9_]*)=(.*)$ ]] || usage_error "$file:$number: expected NAME=value"
    name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    require_setting "$name" "$file:$number"
    is_word "$name" "$FROM_FILE" && usage_error "$file:$number: $name is there twice"
    FROM_FILE="$FROM_FILE $name"
    if [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
    printf -v "FILE_$name" %s "$value"
  done <"$file"
}

# What the shell sets besides, and the flags that say something else than the file.
FROM_SHELL='' FLAGS_AGAINST_FILE=''

load_settings() {
  local file="$ENV_DIR/$ENVIRONMENT.env" line name flag from_file said
  [ "$ENV_DIR" = "$ROOT/deploy" ] || [ -f "$ENV_DIR/staging.env" ] || [ -f "$ENV_DIR/production.env" ] ||
    usage_error "--env-dir: there is neither staging.env nor production.env"
  if [ -f "$file" ]; then settings_from_file "$file"; fi
  while IFS= read -r line; do
    [ -n "$line" ] || continue
    name=${line%%=*} flag="FLAG_$name" from_file="FILE_$name"
    said=${!from_file:-${line#*=}}
    if [ -n "${!flag+given}" ]; then
      [ ! -f "$file" ] || [ "${!flag}" = "$said" ] || FLAGS_AGAINST_FILE="$FLAGS_AGAINST_FILE $(flag_of "$name")"
      said=${!flag}
    elif [ -n "${!name:-}" ] && [ "${!name}" != "$said" ]; then
      FROM_SHELL="$FROM_SHELL $name"
      said=${!name}
    fi
    printf -v "$name" %s "$said"
  done <<<"$DEPLOY_SETTINGS$FUNCTION_SETTINGS"
  if [ -n "${DATABASE_URL:-}" ] && is_word migrate "$REMAINING"; then FROM_SHELL="$FROM_SHELL DATABASE_URL"; fi
  check_settings
}

# A variable that was exported for something else weeks ago must not decide what is deployed.
check_shell() {
  [ -z "$FROM_SHELL" ] || $USE_SHELL ||
    usage_error "the shell sets$FROM_SHELL, and that would be deployed: unset it, or confirm it with --use-shell"
}

# A project that a file names is deployed with that file, or its settings would be those of another.
check_project_of_files() {
  local name own
  for name in staging production; do
    [ "$name" = "$ENVIRONMENT" ] || [ "$(project_of_file "$name")" != "$PROJECT" ] ||
      usage_error "$PROJECT is the project of $ENV_DIR/$name.env: it is deployed with --env=$name"
  done
  own=$(project_of_file "$ENVIRONMENT")
  [ -z "$own" ] || [ "$own" = "$PROJECT" ] ||
    usage_error "$ENV_DIR/$ENVIRONMENT.env names the project $own, and --project another"
}

project_of_file() {
  if [ -f "$ENV_DIR/$1.env" ]; then sed -n 's/^PROJECT=//p' "$ENV_DIR/$1.env" | tail -1 | tr -d "\"'\r"; fi
}
