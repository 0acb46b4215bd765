# shellcheck shell=bash disable=SC2153
# Who may call which function and who may read which secret: made so, and looked at.

# Roles on a service that let nobody call it. Any other may, those that somebody has made included.
readonly HARMLESS_ROLES='roles/run.viewer roles/run.developer roles/viewer roles/cloudfunctions.viewer'
readonly INVOKER=roles/run.invoker ACCESSOR=roles/secretmanager.secretAccessor

# Who an e-mail address is to IAM.
member_of() {
  case $1 in
    *.gserviceaccount.com) printf 'serviceAccount:%s' "$1" ;;
    *) printf 'user:%s' "$1" ;;
  esac
}

members_of() {
  local caller
  for caller in ${1//,/ }; do
    if [[ $caller == *@* ]]; then member_of "$caller" && echo; fi
  done
}

# Those that are to be let in, one a line. Identity-Aware Proxy calls the page as its own account, which Google
# lets in itself.
expected_callers() {
  case $1 in
    syncAdmin) return ;;
    syncScheduled)
      echo "serviceAccount:$(account "$SCHEDULER_ACCOUNT")"
      members_of "$WEBHOOK_CALLERS,$SCHEDULER_CALLERS"
      ;;
  esac
  case $1 in syncScheduled | syncDryRun) if $HAS_PAGE; then echo "serviceAccount:$(account "$PAGE_ACCOUNT")"; fi ;; esac
  [ -z "$ADMINS_GROUP" ] || echo "group:$ADMINS_GROUP"
}

# Those that may be there and need not: the settings name them as callers.
allowed_callers() {
  if [ "$1" = syncAdmin ]; then
    echo "serviceAccount:service-$PROJECT_NUMBER@gcp-sa-iap.iam.gserviceaccount.com"
  else
    members_of "$ALLOWED_CALLERS,$ADMIN_PAGE_CALLER"
  fi
}

# Lines "role<TAB>member".
bindings_of() {
  try_look run services get-iam-policy "$(service_of "$1")" "--region=$REGION" '--flatten=bindings[].members' \
    '--format=value(bindings.role,bindings.members)'
}

# strangers FUNCTION BINDINGS: those of the bindings that let somebody in who is not to be.
strangers() {
  local role member wanted
  wanted=$(expected_callers "$1" && allowed_callers "$1")
  while IFS=$'\t' read -r role member; do
    if [ -z "$member" ] || is_word "$role" "$HARMLESS_ROLES"; then continue; fi
    if [ "$role" = "$INVOKER" ] && has_line "$member" "$wanted"; then continue; fi
    printf '%s\t%s\n' "$role" "$member"
  done <<<"$2"
}

# The words that take somebody's role away: removal FUNCTION ROLE MEMBER.
removal() {
  WORDS=(run services remove-iam-policy-binding "$(service_of "$1")" "--region=$REGION" "--member=$3" "--role=$2")
}

step_invokers() {
  local name
  find_project_number
  for name in $DATABASE_FUNCTIONS; do fit_callers "$name"; done
  if [ -z "$ADMINS_GROUP" ]; then
    say 'no --admins-group: no person may call'
    return
  fi
  # `gcloud functions call` looks the function up first.
  allow_in_project "$PROJECT" "group:$ADMINS_GROUP" roles/cloudfunctions.viewer
}

# Exactly those that are to call it. A role that lets more than call is taken from the whole world only: somebody
# may need it to deploy.
fit_callers() {
  local bindings role member WORDS
  say "who may call $1 ..."
  bindings=$(bindings_of "$1") || unreadable run services get-iam-policy "$(service_of "$1")"
  comment 'for each that is let in and is not to be:'
  if $DRY_RUN; then
    removal "$1" "$INVOKER" allUsers
    gc "${WORDS[@]}"
  fi
  while IFS=$'\t' read -r role member; do
    [ -n "$member" ] || continue
    removal "$1" "$role" "$member"
    case $role,$member in
      "$INVOKER",* | *,allUsers | *,allAuthenticatedUsers | *,domain:*)
        say "$1 no longer for $member ($role) ..."
        gc "${WORDS[@]}"
        ;;
      *) say "$member keeps $role and with it may call $1; if that is not wanted: $(typed gcloud "${WORDS[@]}" --project="$PROJECT")" ;;
    esac
  done < <(strangers "$1" "$bindings")
  for member in $(expected_callers "$1"); do
    if has_line "$INVOKER"$'\t'"$member" "$bindings"; then continue; fi
    say "$1 for $member ..."
    gc functions add-invoker-policy-binding "$1" "--region=$REGION" "--member=$member"
  done
}

# What verify says of it. What cannot be read is no proof of anything.
check_policy() {
  local bindings role member WORDS
  if ! bindings=$(bindings_of "$1" 2>&1); then
    wrong "who may call $1 could not be read: $(tail -1 <<<"$bindings" | head -c 300)"
    return
  fi
  if $DRY_RUN; then return; fi
  while IFS=$'\t' read -r role member; do
    [ -n "$member" ] || continue
    removal "$1" "$role" "$member"
    case $member,$role in
      allUsers,* | allAuthenticatedUsers,*) wrong "IAM lets the whole world call $1 ($role): $(hint invokers)" ;;
      *,"$INVOKER") wrong "IAM lets $member call $1, which is not expected: $(hint invokers)" ;;
      *) wrong "$member may call $1 by $role: $(typed gcloud "${WORDS[@]}" --project="$PROJECT")" ;;
    esac
  done < <(strangers "$1" "$bindings")
  for member in $(expected_callers "$1"); do
    if has_line "$INVOKER"$'\t'"$member" "$bindings"; then continue; fi
    case $member in "serviceAccount:$(account "$SCHEDULER_ACCOUNT")") member='the scheduler' ;; esac
    wrong "$member may not call $1: $(hint invokers)"
  done
}

# A role in the whole project lets in as well, and no service shows it. Owners and editors of the project are its
# owners' choice.
check_project_policy() {
  local found role member
  if ! found=$(try_look projects get-iam-policy "$PROJECT" '--flatten=bindings[].members' \
    "--filter=bindings.role:($INVOKER roles/run.servicesInvoker)" '--format=value(bindings.role,bindings.members)' 2>&1); then
    wrong "who may call in the whole project could not be read: $(tail -1 <<<"$found" | head -c 300)"
    return
  fi
  while IFS=$'\t' read -r role member; do
    [ -z "$member" ] || wrong "$member may call every function, by $role in the project: $(typed gcloud projects remove-iam-policy-binding "$PROJECT" "--member=$member" "--role=$role" --all)"
  done <<<"$found"
}

secret_readers() {
  try_look secrets get-iam-policy "$1" '--flatten=bindings[].members' \
    "--filter=bindings.role=$ACCESSOR" '--format=value(bindings.members)'
}

# ensure_reader SECRET ACCOUNT
ensure_reader() {
  local id member readers
  id=$(secret_id "$1") member="serviceAccount:$(account "$2")"
  readers=$(secret_readers "$id") || unreadable secrets get-iam-policy "$id"
  has_line "$member" "$readers" && return
  say "$id readable by $2 ..."
  gc secrets add-iam-policy-binding "$id" "--member=$member" "--role=$ACCESSOR"
}

drop_reader() {
  local id member readers
  id=$(secret_id "$1") member="serviceAccount:$(account "$2")"
  readers=$(secret_readers "$id") || unreadable secrets get-iam-policy "$id"
  if $DRY_RUN || has_line "$member" "$readers"; then
    say "$id no longer readable by $2 ..."
    gc secrets remove-iam-policy-binding "$id" "--member=$member" "--role=$ACCESSOR"
  fi
}

check_secret_readers() {
  local name id readers member wanted
  for name in $(used_secrets); do
    id=$(secret_id "$name")
    if ! readers=$(secret_readers "$id" 2>&1); then
      wrong "who may read $id could not be read: $(tail -1 <<<"$readers" | head -c 300)"
      continue
    fi
    if $DRY_RUN; then continue; fi
    wanted=$(for member in $(readers_of "$name"); do echo "serviceAccount:$(account "$member")"; done)
    for member in $wanted; do
      has_line "$member" "$readers" || wrong "${member#*:} may not read $id: $(hint secrets)"
    done
    for member in $readers; do
      has_line "$member" "$wanted" ||
        wrong "$member may read $id, which is not expected: $(typed gcloud secrets remove-iam-policy-binding "$id" "--member=$member" "--role=$ACCESSOR" --project="$PROJECT")"
    done
  done
}
