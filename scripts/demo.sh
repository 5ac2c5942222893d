#!/bin/bash
# A whole site on this machine: the embedded AWS, the example site's images, and the same playbook as on AWS.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "The embedded AWS (python -m local_aws up)"
python -m local_aws up

step "The example site's images (examples/legacy_site/build.py)"
python examples/legacy_site/build.py

step "The site (ansible-playbook site.yml -i local)"
ansible-playbook site.yml -i local

python scripts/demo_banner.py
