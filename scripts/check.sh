#!/bin/bash
# Lint and unit tests, side by side; the output of what fails is shown whole.
# Usage: scripts/check.sh [lint|unit]   (both without an argument)
set -uo pipefail
cd "$(dirname "$0")/.."

readonly output=.cache/check
mkdir -p "$output"

declare -A checks=(
  [ruff]="ruff check . && ruff format --check ."
  [mypy]="mypy"
  [yamllint]="yamllint --strict ."
  [ansible-lint]="ansible-lint --offline --strict"
  [cfn-lint]="cfn-lint"
  [unit]="pytest tests/unit -m 'not playbook and not embedded' --numprocesses 2 --quiet"
)
case ${1:-all} in
  lint) names=(ansible-lint mypy cfn-lint ruff yamllint) ;;
  unit) names=(unit) ;;
  all) names=(unit ansible-lint mypy cfn-lint ruff yamllint) ;;
  *) echo "check: there is no part $1. Use lint or unit." >&2; exit 2 ;;
esac

run() { # name: runs one check, keeps its output, prints one line
  local started=$SECONDS
  if bash -c "${checks[$1]}" >"$output/$1" 2>&1; then
    echo "  ok      $1 ($((SECONDS - started)) s)"
  else
    echo "  FAILED  $1 ($((SECONDS - started)) s)"
    touch "$output/$1.failed"
  fi
}

rm -f "$output"/*
printf '%s\n' "${names[@]}" >"$output/.names"
for name in "${names[@]}"; do
  while (($(jobs -rp | wc -l) >= 3)); do wait -n; done
  run "$name" &
done
wait

status=0
for name in "${names[@]}"; do
  [[ -e $output/$name.failed ]] || continue
  status=1
  printf '\n=== %s\n' "$name"
  cat "$output/$name"
done
# The test runner's own closing line, so that a reader of the log sees what ran.
[[ -e $output/unit ]] && tail -n 1 "$output/unit"
exit $status
