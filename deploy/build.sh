# shellcheck shell=bash
# dist/<function>/ becomes a folder that can be uploaded as it stands.

BUILT=false

step_build() { build_all; }

build_all() {
  local name
  if $BUILT; then return; fi
  say 'bundling ...'
  run npm run build
  # The page too where nobody sees it: staging may have it and production not.
  for name in $PRIVATE_FUNCTIONS syncAdmin health; do
    lock "dist/$name"
    list_uploads "dist/$name"
  done
  BUILT=true
}

# A lock with the very versions that were tested: npm prunes a copy of the project's own lock to
# what the small package.json needs, and asks no registry for it. The same package.json has the same lock.
LOCKED=''
lock() {
  if [ -n "$LOCKED" ] && { $DRY_RUN || cmp -s "$LOCKED/package.json" "$1/package.json"; }; then
    run cp "$LOCKED/package-lock.json" "$1/package-lock.json"
    return
  fi
  LOCKED=$1
  run cp package-lock.json "$1/package-lock.json"
  run npm install --prefix "$1" --package-lock-only --offline --ignore-scripts --no-audit --no-fund
}

# Names what may be uploaded. Without it gcloud would follow .gitignore, or upload all it finds. The
# folder itself (.) has to be named too: gcloud holds it against the patterns before it makes the zip,
# and would upload an empty one.
list_uploads() {
  comment "writes $1/.gcloudignore: nothing but the bundle, package.json and the lock"
  if $DRY_RUN; then return; fi
  {
    printf '%s\n' '*' '!.' '!index.js' '!package.json' '!package-lock.json'
    if $SOURCE_MAPS; then echo '!index.js.map'; fi
  } >"$1/.gcloudignore"
}

# Into BUNDLES, a line each: a function and what identifies its build, the digest of the files that are uploaded.
BUNDLES=''
find_bundles() {
  local name folders=()
  if $DRY_RUN; then return; fi
  for name in $FUNCTIONS; do
    [ -f "dist/$name/.gcloudignore" ] || fail "dist/$name is not built: $(hint build)"
    folders+=("dist/$name")
  done
  BUNDLES=$(json bundles "${folders[@]}")
}

bundle_digest() { if $DRY_RUN; then printf known-after-the-build; else column "$BUNDLES" "$1" 2; fi; }
