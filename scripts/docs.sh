#!/bin/bash
# The documentation, strictly: a link or an anchor that leads nowhere fails.
# Usage: scripts/docs.sh [dummy|html]
# `html` is the site, in .cache/docs/html; `dummy` (by default) follows the links only, in a third of the time.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly builder=${1:-dummy} output=.cache/docs
sphinx-build --builder "$builder" --quiet --fail-on-warning --keep-going --fresh-env --conf-dir docs \
  --doctree-dir "$output/doctrees" . "$output/$builder"
