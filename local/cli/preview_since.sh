#!/usr/bin/env bash
# preview_since.sh COMMIT FILE STACK... plans what has changed since the commit, without an account.
#
# The commit's stacks come up on clouds of their own, in a worktree that uses this checkout's environments, and this
# checkout's program is previewed against them.
set -euo pipefail
commit=$1 file=$2
shift 2
base=build/since/checkout
clouds=$PWD/build/since/clouds

finish() {
  rm -rf "$clouds/state" # so that the clouds end at once, with production stacks, which are protected
  (cd "$base" && .venv/bin/python -m local --home "$clouds" down) 2>/dev/null || true
  rm -rf build/since
  git worktree remove --force --force "$base" 2>/dev/null || true # also one that git locked and did not complete
}

finish # what a run that was killed has left
trap finish EXIT
git worktree add --quiet --detach "$base" "$commit"
for installed in .venv app/.venv policy/.venv pulumi_momento/.venv build/lambda-runtime; do
  mkdir -p "$(dirname "$base/$installed")"
  ln -s "$PWD/$installed" "$base/$installed"
done
(cd "$base" && .venv/bin/python -m local --home "$clouds" up --artifact build -- "$@")
.venv/bin/python -m ops preview --home "$clouds" --out "$file" -- "$@"
