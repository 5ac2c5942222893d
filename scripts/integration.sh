#!/bin/bash
# Tests of the embedded AWS's parts, each file in a process of its own (moto's state is one a process), two at a time.
# The output of what fails is shown whole.
set -uo pipefail
cd "$(dirname "$0")/.."

readonly output=.cache/integration
rm -rf "$output"
mkdir -p "$output"

run() { # file: runs its tests, keeps their output, prints one line
  local name=${1##*/} started=$SECONDS
  if pytest "$1" --quiet --durations=5 >"$output/$name" 2>&1; then
    echo "  ok      $name: $(tail -n 1 "$output/$name")"
  else
    echo "  FAILED  $name ($((SECONDS - started)) s)"
    touch "$output/$name.failed"
  fi
}

# Images are built once, before two processes would both begin to.
echo "building what is missing of the container images"
python -c 'from local_aws import images; images.ensure_all()' || exit 1
python examples/legacy_site/build.py || exit 1

# The longest first.
for file in tests/local_aws/test_{volumes,hosts,load_balancers,databases,agent,registry,legacy_site,resolver}.py; do
  while (($(jobs -rp | wc -l) >= 2)); do wait -n; done
  run "$file" &
done
wait

status=0
for failed in "$output"/*.failed; do
  [[ -e $failed ]] || continue
  status=1
  printf '\n=== %s\n' "${failed%.failed}"
  cat "${failed%.failed}"
done
exit $status
