"""How many of the failures that the verb doctor knows are brought about in tests, and why the others are not."""

from __future__ import annotations

from pathlib import Path

import yaml

from plugins.plugin_utils.doctor.signatures import SIGNATURES
from scripts.pages.markdown import code, plain, table

LIST = "tests/unit/plugins/plugin_utils/doctor/not_provoked.yml"
"""A test compares it with the files that bring failures about (test_provoked.py)."""


def provoked(project: Path) -> str:
    """A sentence with both numbers, and a row for each failure that is known by its words alone."""
    without = yaml.safe_load((project / LIST).read_text())["by_none"]
    number = len(SIGNATURES) - len(without)
    said = f"Of these {len(SIGNATURES)} failures {number} are brought about in tests."
    if not without:
        return f"{said}\n"
    rows = [[code(name), plain(why)] for name, why in without.items()]
    return f"{said} The others are known by their words alone:\n\n" + table(["failure", "why no test has it"], rows)
