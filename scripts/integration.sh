#!/bin/bash
# Molecule's scenarios and the tests of the embedded AWS's parts, each in a process of its own (moto's state is one a
# process; a scenario has an embedded AWS for itself), two at a time. The output of what fails is shown whole.
# Usage: scripts/integration.sh [images|parts|molecule]
# Without an argument: the parts, and of molecule's scenarios those that run every host role, since all of them would
# take the gate over its 40 minutes. `molecule` is all scenarios.
set -uo pipefail
cd "$(dirname "$0")/.."

readonly output=.cache/integration
rm -rf "$output"
mkdir -p "$output"

run() { # name, command…: runs it, keeps its output, prints one line
  local name=$1 started=$SECONDS
  shift
  # Molecule calls it a success when it finds no tests.
  if "$@" >"$output/$name" 2>&1 && ! grep -q 'no tests found' "$output/$name"; then
    echo "  ok      $name ($((SECONDS - started)) s)$(grep -oE '[0-9]+ passed[^=]*' "$output/$name" | paste -sd, | sed 's/^/: /')"
  else
    echo "  FAILED  $name ($((SECONDS - started)) s)"
    touch "$output/$name.failed"
  fi
}

readonly core=(boot default rexray_efs)

jobs_of() { # parts|molecule|all: lines of a name and its command, the longest first
  local scenarios=("${core[@]}") parts=() scenario file
  if [[ $1 == molecule ]]; then mapfile -t scenarios < <(dirname molecule/*/molecule.yml | xargs -n 1 basename); fi
  if [[ $1 != parts ]]; then
    for scenario in "${scenarios[@]}"; do
      echo "molecule-$scenario molecule test --scenario-name $scenario"
    done
  fi
  # Minutes each: releases on one host, whose roles' files all scenarios look at; what no site of an inventory uses yet.
  if [[ $1 == molecule ]]; then
    parts+=(image_cleanup edge_waf real_agent_host network_load_balancers security_groups functions provoked_on_hosts static_image compose_file celery_site django_rds flask_plain flask_spa node_cms_proxy)
  fi
  if [[ $1 != molecule ]]; then
    parts+=(volumes hosts load_balancers molecule databases agent agent_host edge registry provoked_by_agent provoked_by_docker legacy_site resolver status_page)
  fi
  for file in "${parts[@]}"; do
    echo "test_$file.py pytest $(ls {tests/integration,local_aws/tests/parts}/test_"$file".py 2>/dev/null) --quiet --durations=5"
  done
}

# Images are built once, before two processes would both begin to.
echo "building what is missing of the container images"
python -c 'from local_aws import images; images.ensure_all()' || exit 1
python examples/legacy_site/build.py || exit 1
[[ ${1:-all} != images ]] || exit 0

engine() { # everything on the Docker engine, anonymous volumes and images without a name included
  docker container ls --all --format 'container {{.Names}}' &&
    docker volume ls --format 'volume {{.Name}}' &&
    docker network ls --format 'network {{.Name}}' &&
    docker image ls --all --format 'image {{.ID}} {{.Repository}}:{{.Tag}}'
}
engine | sort >"$output/engine" || exit 1

while read -ra job; do
  while (($(jobs -rp | wc -l) >= 2)); do wait -n; done
  run "${job[@]}" </dev/null &
done < <(jobs_of "${1:-all}")
wait

status=0
left=$(engine | sort | comm -13 "$output/engine" -) || { status=1; echo "The Docker engine does not answer any more." >&2; }
if [[ -n $left ]]; then
  status=1
  printf '\n=== left behind on the Docker engine:\n%s\n' "$left"
fi
for failed in "$output"/*.failed; do
  [[ -e $failed ]] || continue
  status=1
  printf '\n=== %s\n' "${failed%.failed}"
  cat "${failed%.failed}"
done
# Once more and last, what went wrong: where an output is cut short, its end is kept.
for failed in "$output"/*.failed; do
  [[ -e $failed ]] || continue
  printf '\n=== %s, in short\n' "${failed%.failed}"
  grep -E '(^|│\S* )(E  |FAILED|ERROR|fatal:)' "${failed%.failed}" | tail -40
done
exit $status
