"""python examples/legacy_site/build.py: the same as `python examples/build.py legacy_site`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples import build

if __name__ == "__main__":
    sys.exit(build.main(["legacy_site", *sys.argv[1:]]))
