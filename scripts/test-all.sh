#!/bin/bash
# Everything that can be tested here, one after the other, as each wants the machine for itself; all of it is run also
# where something failed, and the time of each is told at the end.
# Usage: scripts/test-all.sh [step…], of those below; all of them if none is named.
set -uo pipefail
cd "$(dirname "$0")/.."

steps=(gate checkov oracle molecule chaos late acceptance)
declare -A commands=(
  [gate]="scripts/test.sh all"
  [checkov]="scripts/checkov.sh"
  [oracle]="pytest local_aws/tests/oracle --quiet"
  [molecule]="scripts/integration.sh molecule"
  [chaos]="pytest tests/chaos --exitfirst"
  [late]="pytest tests/late --exitfirst"
  [acceptance]="python -m scripts.acceptance --embedded"
)

for step in "$@"; do
  [[ -n ${commands[$step]:-} ]] || { echo "test-all has no step $step; it has ${steps[*]}." >&2; exit 2; }
done
[[ $# -eq 0 ]] || steps=("$@")

status=0
lines=()
for step in "${steps[@]}"; do
  printf '\n=== %s (%s)\n' "$step" "${commands[$step]}"
  started=$SECONDS
  result=ok
  ${commands[$step]} || { result=FAILED; status=1; }
  lines+=("$(printf '%-7s %-10s %3d min %02d s' "$result" "$step" $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)))")
done

printf '\n=== all of it\n'
printf '  %s\n' "${lines[@]}" "$(printf '%-7s %-10s %3d min %02d s' "" total $((SECONDS / 60)) $((SECONDS % 60)))"
exit $status
