#!/bin/bash
# All tests; without `all` less those marked `long`, which take a minute or a host each and would take the gate over its 40
# minutes. Container images are built (or found) while lint and unit tests run: that waits for the network mostly.
# Usage: scripts/test.sh [all]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly log=.cache/images.log
mkdir -p .cache
[[ ${1:-} == all ]] && less="" || less=" and not long"
readonly less
step() { printf '\n== %s\n' "$*"; }

scripts/integration.sh images >"$log" 2>&1 &
readonly building=$!
trap 'kill "$building" 2>/dev/null || true' EXIT

step "Lint and unit tests, all of them (make lint unit); container images are built meanwhile"
scripts/check.sh
step "Playbooks and templates against the embedded APIs (make apis)"
pytest tests/unit local_aws/tests/unit -m "(playbook or embedded)$less" --numprocesses 2 --dist loadfile --quiet --durations=15
wait "$building" || { cat "$log"; exit 1; }
trap - EXIT
step "Hosts and parts: molecule's core scenarios, tests/integration, local_aws/tests/parts (make integration; all scenarios: make molecule)"
scripts/integration.sh
step "The whole site, with a browser (make e2e)"
pytest tests/e2e --exitfirst --durations=15 -m "docker$less"
