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

must_match() { [[ ${!1} =~ $2 ]] || usage_error "$(flag_of "$1"): $3"; }

readonly ID_FORM='[a-z][a-z0-9-]{4,28}[a-z0-9]' ADDRESS_FORM='[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]+'
readonly PLACEHOLDER='(^|[^a-z])your-[a-z]+|(^|[/@.])example\.(is|com|net|org)|\.example(/|:|,|$)'

check_settings() {
  local name
  [ -n "$PROJECT" ] || usage_error '--project=P is missing: which Google Cloud project?'
  while read -r name; do
    [[ ${!name} != *[[:cntrl:]]* ]] || usage_error "$(flag_of "$name"): a line end or another control character"
  done < <(setting_names)
  check_shell
  must_match PROJECT "^$ID_FORM\$" 'not the form of a project id'
  must_match STAGING_PROJECT "^($ID_FORM)?\$" 'not the form of a project id'
  check_project_of_files
  must_match REGION '^[a-z]+-[a-z]+[0-9]+$' 'not the form of a region'
  must_match RUNTIME '^nodejs[0-9]+$' 'not the form of a runtime'
  must_match TRIGGER '^(http|pubsub)$' 'http or pubsub'
  must_match TIME_ZONE '^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$' 'a name such as Atlantic/Reykjavik'
  must_match CLOUDSQL_INSTANCE '^([a-z][a-z0-9-]*:[a-z0-9-]+:[a-z][a-z0-9-]*)?$' 'expected PROJECT:REGION:INSTANCE'
  must_match SECRET_PREFIX '^[A-Za-z0-9_-]*$' 'letters, digits, _ and -'
  must_match MIGRATION_SECRET '^[A-Za-z0-9_-]*$' 'the name of a secret'
  for name in ADMIN_KEY WEBHOOK; do must_match "$name" '^(true|false)$' 'true or false'; done
  for name in RUNTIME READER HEALTH SCHEDULER PAGE; do must_match "${name}_ACCOUNT" "^$ID_FORM\$" 'not the form of an account'; done
  for name in ADMINS_GROUP ALERT_EMAIL BUILD_SERVICE_ACCOUNT; do must_match "$name" "^($ADDRESS_FORM)?\$" 'an e-mail address'; done
  for name in SYNC_MEMORY READ_MEMORY; do
    must_match "$name" '^[1-9][0-9]{0,4}([MmGg][Ii]?[Bb]?)?$' 'an amount such as 512Mi or 1Gi'
  done
  for name in SYNC_TIMEOUT READ_TIMEOUT; do must_match "$name" '^[1-9][0-9]{1,3}$' 'a number of seconds'; done
  for name in READ_CONCURRENCY READ_MAX_INSTANCES HEALTH_MAX_INSTANCES; do must_match "$name" '^[1-9][0-9]{0,2}$' 'a number'; done
  schedule_of "$SYNC_INTERVAL_MINUTES" >/dev/null ||
    usage_error '--sync-interval-minutes: cron can say 1-59 minutes that divide 60, or 60, 120, 180, 240, 360, 480, 720 or 1440'
  check_placeholders
}

# What stands in the examples belongs to nobody.
check_placeholders() {
  local name found=''
  while read -r name; do
    [[ ${!name} =~ $PLACEHOLDER ]] && found="$found $name"
  done < <(setting_names)
  [ -z "$found" ] || refuse_usage "still as in the example:$found"
}

# A dry run shows all that it can.
refuse_usage() {
  if $DRY_RUN; then comment "would be refused: $*"; else usage_error "$*"; fi
}

# The functions' own parser says what they would not start with, before Google builds anything.
check_function_settings() {
  local name problems
  is_word functions "$REMAINING" || return 0
  if [ ! -d node_modules/zod ]; then return; fi
  problems=$(for name in $FUNCTIONS; do environment_of "$name" | sed "s/^/$name /"; done | node deploy/checkSettings.ts) ||
    refuse_usage "the functions would not start with these settings:
$problems"
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
  --alert-email=ADDRESS: who is told when runs fail? (monitoring)"
  fi
  if is_word migrate "$REMAINING" && [ -z "$CLOUDSQL_INSTANCE${DATABASE_URL:-}" ]; then
    missing="$missing
  --cloudsql-instance=PROJECT:REGION:INSTANCE, or DATABASE_URL in the shell with --use-shell (migrate)"
  fi
  [ -z "$missing" ] || usage_error "missing:$missing"
  check_function_settings
}
