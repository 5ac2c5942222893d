"""A test file that no script runs tests nothing."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_every_file_of_the_parts_tests_is_run() -> None:
    script = (PROJECT / "scripts" / "integration.sh").read_text()
    named = re.search(r"for file in ([\w ]+);", script)
    assert named
    assert {f"test_{name}.py" for name in named.group(1).split()} == {
        path.name for path in (PROJECT / "tests" / "local_aws").glob("test_*.py")
    }


def test_the_gate_names_scenarios_that_exist() -> None:
    script = (PROJECT / "scripts" / "integration.sh").read_text()
    named = re.search(r"readonly core=\(([\w ]+)\)", script)
    assert named
    for scenario in named.group(1).split():
        assert (PROJECT / "molecule" / scenario / "molecule.yml").is_file(), scenario
