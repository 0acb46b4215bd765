# shellcheck shell=bash
# What is refused before anything is done: values that no step could use, options without their step, what is
# missing.

# An option whose step is not there does nothing: somebody believes that it did.
check_options() {
  $FORCE && needs_step --force functions
  $SAME_BUILD && needs_step --same-build verify
  $WITH_PAGE && needs_step --with-page verify
  $WITH_SECRETS && needs_step --with-secrets destroy
  $WITH_DATABASE && needs_step --with-database destroy
  [ -z "$ROTATE" ] || needs_step --rotate secrets
}

needs_step() { is_word "$2" "$REMAINING" || usage_error "$1 does nothing without the step $2"; }

must_match() { [[ ${!1} =~ $2 ]] || usage_error "$(flag_of "$1"): $3"; }

readonly ID_FORM='[a-z][a-z0-9-]{4,28}[a-z0-9]' ADDRESS_FORM='[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]+'
readonly PLACEHOLDER='(^|[^a-z])your-[a-z]+|(^|[/@.])example\.(is|com|net|org)|\.example(/|:|,|$)'

check_settings() {
  local name
  [ -n "$PROJECT" ] || usage_error '--project=P is missing: which Google Cloud project?'
  while read -r name; do
    [[ ${!name} != *[[:cntrl:]]* ]] || usage_error "$(flag_of "$name"): a line end or another control character"
    # Refused in a dry run too, which would print it.
    [[ ! ${!name} =~ ://[^,]*@ ]] || usage_error "$(flag_of "$name"): an address with a user name or password in it (an @ of the path is %40)"
  done < <(setting_names)
  check_shell
  must_match PROJECT "^$ID_FORM\$" 'not the form of a project id'
  must_match STAGING_PROJECT "^($ID_FORM)?\$" 'not the form of a project id'
  check_project_of_files
  must_match REGION '^[a-z]+-[a-z]+[0-9]+$' 'not the form of a region'
  must_match RUNTIME '^nodejs[0-9]+$' 'not the form of a runtime'
  must_match TRIGGER '^(http|pubsub)$' 'http or pubsub'
  must_match TIME_ZONE '^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$' 'a name such as Atlantic/Reykjavik'
  [ ! -d /usr/share/zoneinfo ] || [ -f "/usr/share/zoneinfo/$TIME_ZONE" ] || usage_error '--time-zone: there is no such time zone'
  must_match CLOUDSQL_INSTANCE '^([a-z][a-z0-9-]*:[a-z0-9-]+:[a-z][a-z0-9-]*)?$' 'expected PROJECT:REGION:INSTANCE'
  must_match SECRET_PREFIX '^[A-Za-z0-9_-]*$' 'letters, digits, _ and -'
  must_match MIGRATION_SECRET '^[A-Za-z0-9_-]*$' 'the name of a secret'
  for name in ADMIN_KEY WEBHOOK; do must_match "$name" '^(true|false)$' 'true or false'; done
  for name in RUNTIME READER HEALTH SCHEDULER PAGE; do must_match "${name}_ACCOUNT" "^$ID_FORM\$" 'not the form of an account'; done
  for name in ADMINS_GROUP ALERT_EMAIL BUILD_SERVICE_ACCOUNT; do must_match "$name" "^($ADDRESS_FORM)?\$" 'an e-mail address'; done
  for name in SYNC_MEMORY READ_MEMORY; do
    must_match "$name" '^[1-9][0-9]{0,4}[MmGg][Ii]?[Bb]?$' 'an amount such as 512Mi or 1Gi'
    # With one CPU an instance has 4 GiB at most.
    if [ "$(mebibytes_of "${!name}")" -lt 128 ] || [ "$(mebibytes_of "${!name}")" -gt 4096 ]; then
      usage_error "$(flag_of "$name"): from 128Mi to 4Gi"
    fi
  done
  for name in SYNC_TIMEOUT READ_TIMEOUT; do must_match "$name" '^([1-9][0-9]{1,2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600)$' 'seconds, from 10 to 3600'; done
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
  if is_word monitoring "$REMAINING" && [ "$SYNC_INTERVAL_MINUTES" -gt 720 ]; then
    missing="$missing
  --sync-interval-minutes of 720 or less: nobody would notice that no run comes, since Google Monitoring looks back
    23 hours and 30 minutes (monitoring)"
  fi
  [ -z "$missing" ] || usage_error "missing:$missing"
  check_function_settings
}
