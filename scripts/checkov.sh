#!/bin/bash
# checkov over all templates as they are rendered (tests/rendered_templates.py): nothing may fail. What it is not to find of a
# resource stands in that resource's Metadata, with the reason. About two minutes, the first time three.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly here=.cache/checkov requirements=requirements-checkov.txt
python=/usr/bin/python3 # as in scripts/setup.sh
[[ -x $python ]] || python=python3
wanted=$({ "$python" --version; cat "$requirements"; } | sha256sum)
if [[ $(cat "$here/.requirements" 2>/dev/null) != "$wanted" ]]; then
  "$python" -m venv --clear "$here"
  "$here/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" 2> >(grep -v "^WARNING: Location" >&2) \
    || { echo "checkov: pip could not install $requirements. Check the network, then type: scripts/checkov.sh" >&2; exit 1; }
  echo "$wanted" >"$here/.requirements"
fi
python -m tests.rendered_templates "$here/templates"
# Without --skip-download it would ask its maker's servers for the texts of its rules.
"$here/bin/checkov" --directory "$here/templates" --framework cloudformation --compact --quiet --skip-download
echo "checkov: $(find "$here/templates" -name '*.yml' | wc -l) templates, nothing failed"
