#!/bin/bash
# Lint and unit tests, side by side; the output of what fails is shown whole.
# Usage: scripts/check.sh [changed|lint|unit]
# Without an argument everything. `changed` looks at what differs from the branch main, on main at what the last commit
# changed, and at the unit tests that this concerns (scripts/changed.py), and says of how many; what is not through in time is ended,
# and named. `lint` and `unit` are everything of the one or the other.
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
  [docs]="scripts/docs.sh"
  [unit]="pytest -m 'not playbook and not embedded' --numprocesses 2 --quiet"
)
readonly seconds=30 # of `changed`, after which no more tests are begun
readonly whole=${CHECK_SECONDS:-50} # of `changed`, after which nothing goes on: with a start and an end less than a minute
readonly chosen_of=" unit ansible-lint cfn-lint docs " # the others take seconds, and mypy remembers what it has seen
case ${1:-all} in
  lint) names=(ansible-lint mypy cfn-lint docs ruff yamllint) ;;
  unit) names=(unit) ;;
  all) names=(unit ansible-lint mypy cfn-lint docs ruff yamllint) ;;
  changed) names=(ruff unit mypy ansible-lint yamllint cfn-lint docs) ;; # what is quick, or matters most, first
  *) echo "check: there is no part $1. Use changed, lint or unit." >&2; exit 2 ;;
esac
readonly part=${1:-all}

run() { # name: runs one check, keeps its output, prints one line
  local started=$SECONDS said="" arguments=() limit=() status=0
  [[ $1 == unit ]] && arguments=(tests/unit local_aws/tests/unit)
  if [[ $part == changed && $chosen_of == *" $1 "* ]]; then
    mapfile -t arguments < <(python scripts/changed.py "$1")
    if ((${#arguments[@]} == 0)); then
      echo "  FAILED  $1: scripts/changed.py does not say what to look at"
      touch "$output/$1.failed"
      return
    fi
    said=": ${arguments[0]}"
    if ((${#arguments[@]} == 1)); then
      echo "  ok      $1 (nothing to look at)$said"
      return
    fi
    arguments=("${arguments[@]:2}")
    [[ $1 == unit ]] && arguments=(-p scripts.within --within "$seconds" "${arguments[@]}")
  fi
  [[ $part == changed ]] && limit=(timeout --kill-after=2 $((whole > SECONDS ? whole - SECONDS : 1)))
  "${limit[@]}" bash -c "${checks[$1]} \"\$@\"" "$1" "${arguments[@]}" >"$output/$1" 2>&1 || status=$?
  if ((status == 0)); then
    echo "  ok      $1 ($((SECONDS - started)) s)$said"
  elif [[ $part == changed ]] && ((status == 124 || status == 137)); then
    echo "  LEFT    $1 (ended after $((SECONDS - started)) s, not through: make $([[ $1 == unit ]] && echo unit || echo lint))$said"
    echo "$1" >>"$output/left"
  else
    echo "  FAILED  $1 ($((SECONDS - started)) s)$said"
    touch "$output/$1.failed"
  fi
}

rm -f "$output"/*
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
  [[ -e $output/$name ]] && cat "$output/$name"
done
# The test runner's own closing line, so that a reader of the log sees what ran.
[[ -e $output/unit ]] && tail -n 1 "$output/unit"
[[ $part == changed ]] && echo "Only what has changed was looked at, in $seconds s as many of its tests as fit (the others are skipped); everything: make lint unit, or make test."
[[ -e $output/left ]] && echo "Not through in $whole s, and so not seen: $(paste -sd' ' "$output/left")."
exit $status
