"""A test file that no script runs tests nothing, and a failure that a script forgets is none."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]


def test_every_file_of_the_parts_tests_is_run() -> None:
    script = (PROJECT / "scripts" / "integration.sh").read_text()
    named = re.findall(r"parts\+=\(([\w ]+)\)", script)
    assert {f"test_{name}.py" for names in named for name in names.split()} == {
        path.name
        for folder in ("tests/integration", "local_aws/tests/parts")
        for path in (PROJECT / folder).glob("test_*.py")
    }


def test_the_gate_names_scenarios_that_exist() -> None:
    script = (PROJECT / "scripts" / "integration.sh").read_text()
    named = re.search(r"readonly core=\(([\w ]+)\)", script)
    assert named
    for scenario in named.group(1).split():
        assert (PROJECT / "molecule" / scenario / "molecule.yml").is_file(), scenario


@pytest.mark.parametrize("failing", ["", "scripts/integration.sh molecule"])
def test_all_steps_are_run_and_timed_also_after_a_failure(tmp_path: Path, failing: str) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "test-all.sh", tmp_path / "scripts")
    for name in ("scripts/test.sh", "scripts/checkov.sh", "scripts/integration.sh", "pytest", "python"):
        stub = f'#!/bin/bash\necho "ran: {name} $*"\n[[ "{name} $*" != "{failing}" ]]\n'
        (tmp_path / name).write_text(stub)
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [tmp_path / "scripts" / "test-all.sh"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert [line.strip() for line in done.stdout.splitlines() if line.startswith("ran: ")] == [
        "ran: scripts/test.sh all",
        "ran: scripts/checkov.sh",
        "ran: pytest local_aws/tests/oracle --quiet",
        "ran: scripts/integration.sh molecule",
        "ran: pytest tests/chaos --exitfirst",
        "ran: pytest tests/late --exitfirst",
        "ran: python -m scripts.acceptance --embedded",
    ]
    told = re.findall(r"^  (ok|FAILED) +(\w+) +\d+ min \d\d s$", done.stdout, re.MULTILINE)
    assert [step for _, step in told] == ["gate", "checkov", "oracle", "molecule", "chaos", "late", "acceptance"]
    assert ("FAILED", "molecule") in told if failing else {result for result, _ in told} == {"ok"}
    assert (done.returncode != 0) == bool(failing)
