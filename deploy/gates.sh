# shellcheck shell=bash
# What production refuses: code that is not clean, not released, or not proven by staging. Only the
# steps that bring code are held up; whatever repairs must work at three in the morning.

readonly CODE_STEPS='migrate functions'

check_gates() {
  local step steps=''
  [ "$ENVIRONMENT" = production ] || return 0
  for step in $REMAINING; do
    if is_word "$step" "$CODE_STEPS"; then steps="$steps $step"; fi
  done
  case $steps in
    '') return ;;
    ' functions') if runs_this_build; then return; fi ;;
  esac
  refuse_dirty_tree
  refuse_unreleased
  refuse_unproven
}

# What answers now has the same code: other settings are no other code.
runs_this_build() {
  local name
  if $DRY_RUN; then return 1; fi
  PROGRESS='[gate]'
  build_all
  find_bundles
  find_serving
  for name in $FUNCTIONS; do
    [ "$(column "$SERVING" "$(service_of "$name")" 5)" = "$(bundle_digest "$name")" ] || return 1
    case ",$(column "$SERVING" "$(service_of "$name")" 9 | tr -d ' ')," in
      *,image,* | *,imagedigest,* | *,command,* | *,containersbesideit,* | *,volumes,*) return 1 ;;
    esac
  done
  say 'production runs this very build: only settings change'
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

# Staging must run this very build, the page too where production gets it, and pass `verify` with it.
refuse_unproven() {
  local status=0 staging=("$SELF" --env=staging "--env-dir=$ENV_DIR" ${STAGING_PROJECT:+"--project=$STAGING_PROJECT"} --same-build)
  if $HAS_PAGE; then staging+=(--with-page); fi
  staging+=(verify)
  if $DRY_RUN; then
    comment "first, on staging: $(typed "${staging[@]}")"
    return
  fi
  if [ -z "$STAGING_PROJECT$(project_of_file staging)" ]; then
    refuse "nobody says where staging is: name it as PROJECT in $ENV_DIR/staging.env, or as STAGING_PROJECT"
  fi
  PROGRESS='[gate] staging'
  build_all
  say 'verify with the build that is about to go to production'
  # The settings of this run must not reach that one through the environment.
  (while read -r name; do unset "$name"; done < <(setting_names) && cd "$START" && "$ROOT/deploy.sh" "${staging[@]:1}") || status=$?
  case $status in
    0) return ;;
    "$UNREADABLE") refuse 'staging could not be looked at; why is said above' ;;
    *) refuse "staging does not pass verify with this build; what is wrong there is said above. Once more by itself: $(typed "${staging[@]}")" ;;
  esac
}
