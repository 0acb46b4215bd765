# shellcheck shell=bash
# What production refuses. The steps that must work at three in the morning are let through.

readonly UNGATED='secrets build verify rollback destroy'

check_gates() {
  local step gated=false
  [ "$ENVIRONMENT" = production ] || return 0
  for step in $REMAINING; do
    is_word "$step" "$UNGATED" || gated=true
  done
  $gated || return 0
  refuse_dirty_tree
  refuse_unreleased
  refuse_unproven
}

refuse() {
  if $DRY_RUN; then
    comment "would be refused: $*"
  else
    fail "Production refuses: $*"
  fi
}

refuse_dirty_tree() {
  local changes
  changes=$(git status --porcelain 2>&1) || changes='not a git repository'
  [ -z "$changes" ] || refuse "the tree is not clean, so nobody could say what was deployed:
$(head -5 <<<"$changes")"
}

# The first heading after the title is "Unreleased" and has entries: those changes have no version yet.
refuse_unreleased() {
  awk '/^## / { if (seen) exit; seen = 1; open = tolower($0) ~ /unreleased/; next }
       seen && open && NF { entries = 1 }
       /^## / || open { last = 1 }
       END { exit !(open && entries || !seen) }' CHANGELOG.md || return 0
  refuse 'CHANGELOG.md opens with unreleased changes: give them a version first'
}

# Staging must run this very build, and pass `verify` with it.
refuse_unproven() {
  local staging=(./deploy.sh --env=staging "--env-dir=$ENV_DIR" ${STAGING_PROJECT:+"--project=$STAGING_PROJECT"} --same-build verify)
  if $DRY_RUN; then
    comment "first, on staging: $(typed "${staging[@]}")"
    return
  fi
  PROGRESS='[gate] staging'
  build_all
  say 'verify with the build that is about to go to production'
  # The settings of this run must not reach that one through the environment.
  (while read -r name; do unset "$name"; done < <(setting_names) && "${staging[@]}") ||
    refuse 'staging does not pass verify with this build; deploy it there first'
}
