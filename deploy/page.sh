# shellcheck shell=bash
# The admin's page: Identity-Aware Proxy before its service, and who passes it. Never before another
# function: IAP takes every path, and the scheduler, Pub/Sub and gcloud could not call any more.

readonly IAP_ROLE=roles/iap.httpsResourceAccessor

step_page() {
  if ! $HAS_PAGE; then
    take_page_away
    return
  fi
  guard_page
  let_visitors_in
  say "$(page_address)"
}

# A page that nobody is to see any more: first who passes its proxy, since that list may outlive the service,
# and what its account may do. Then the page itself, so that a step that stops half-way is repeated whole.
take_page_away() {
  local list
  list=$(look functions list --v2 "--regions=$REGION" '--format=value(name.basename())')
  if ! $DRY_RUN && ! has_line syncAdmin "$list"; then
    say 'no page: it is deployed with --admin-viewers or --admin-approvers'
  else
    comment 'when the page is there, since nobody is named who may see it:'
    let_visitors_in
    for list in syncScheduled syncDryRun; do fit_callers "$list"; done
    drop_reader DATABASE_READER_URL "$PAGE_ACCOUNT"
    say 'deleting syncAdmin, since neither ADMIN_VIEWERS nor ADMIN_APPROVERS names anybody ...'
    gc functions delete syncAdmin --gen2 "--region=$REGION"
  fi
}

# How the page is taken away while the file still names who may see it.
hint_no_page() { hint --admin-viewers= --admin-approvers= page; }

# Nothing promises that IAP survives a deployment, so it is looked at after each. Without it the
# service is closed: IAM lets no person in.
guard_page() {
  if has_iap; then return; fi
  say 'Identity-Aware Proxy before syncadmin ...'
  gc beta run services update syncadmin "--region=$REGION" --iap
  $DRY_RUN || eventually has_iap || fail 'syncadmin has no Identity-Aware Proxy'
}

has_iap() { [ "$(column "$(services)" syncadmin 4)" = true ]; }

visitors() {
  local caller
  for caller in ${ADMIN_VIEWERS//,/ } ${ADMIN_APPROVERS//,/ }; do member_of "$caller" && echo; done | sort -u
}

# Exactly the viewers and the approvers; what each may do is for the page itself to say.
let_visitors_in() {
  local current wanted member words=("--resource-type=cloud-run" "--service=syncadmin" "--region=$REGION")
  wanted=$(visitors)
  current=$(look beta iap web get-iam-policy "${words[@]}" '--flatten=bindings[].members' \
    "--filter=bindings.role=$IAP_ROLE" '--format=value(bindings.members)')
  for member in $wanted; do
    if has_line "$member" "$current"; then continue; fi
    say "the page for ${member#*:} ..."
    gc beta iap web add-iam-policy-binding "${words[@]}" "--member=$member" "--role=$IAP_ROLE"
  done
  for member in $current; do
    if has_line "$member" "$wanted"; then continue; fi
    say "the page no longer for ${member#*:} ..."
    gc beta iap web remove-iam-policy-binding "${words[@]}" "--member=$member" "--role=$IAP_ROLE"
  done
}

page_address() { uri_of syncAdmin; }
