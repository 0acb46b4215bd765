# shellcheck shell=bash
# The admin's page: Identity-Aware Proxy before its service, and who passes it. Never before another
# function: IAP takes every path, and the scheduler, Pub/Sub and gcloud could not call any more.

readonly IAP_ROLE=roles/iap.httpsResourceAccessor

step_page() {
  if ! $HAS_PAGE; then
    say 'no page: it is deployed with --admin-viewers or --admin-approvers'
    return
  fi
  guard_page
  let_visitors_in
  say "$(page_address)"
}

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
