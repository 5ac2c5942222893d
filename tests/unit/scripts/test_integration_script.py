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


STEPS = {
    "gate": "scripts/test.sh all",
    "checkov": "scripts/checkov.sh",
    "oracle": "pytest local_aws/tests/oracle --quiet",
    "molecule": "scripts/integration.sh molecule",
    "chaos": "pytest tests/chaos --exitfirst",
    "late": "pytest tests/late --exitfirst",
    "acceptance": "python -m scripts.acceptance --embedded",
}


def run_all(folder: Path, *steps: str, failing: str = "") -> subprocess.CompletedProcess[str]:
    """The script with stubs for what it runs, of which one fails."""
    (folder / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "test-all.sh", folder / "scripts")
    for name in ("scripts/test.sh", "scripts/checkov.sh", "scripts/integration.sh", "pytest", "python"):
        stub = f'#!/bin/bash\necho "ran: {name} $*"\n[[ "{name} $*" != "{failing}" ]]\n'
        (folder / name).write_text(stub)
        (folder / name).chmod(0o755)
    return subprocess.run(
        [folder / "scripts" / "test-all.sh", *steps], env={"PATH": f"{folder}:/usr/bin:/bin"},
        text=True, capture_output=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("failing", ["", "molecule"])
def test_all_steps_are_run_and_timed_also_after_a_failure(tmp_path: Path, failing: str) -> None:
    done = run_all(tmp_path, failing=STEPS.get(failing, ""))
    assert re.findall("^ran: (.*?) *$", done.stdout, re.MULTILINE) == list(STEPS.values())
    told = re.findall(r"^  (ok|FAILED) +(\w+) +\d+ min \d\d s$", done.stdout, re.MULTILINE)
    assert told == [("FAILED" if step == failing else "ok", step) for step in STEPS]
    assert (done.returncode != 0) == bool(failing)


def test_some_steps_are_run_again_and_none_that_does_not_exist(tmp_path: Path) -> None:
    assert re.findall("^ran: (.*?) *$", run_all(tmp_path, "late", "chaos").stdout, re.MULTILINE) == [
        STEPS["late"],
        STEPS["chaos"],
    ]
    (tmp_path / "other").mkdir()
    wrong = run_all(tmp_path / "other", "late", "choas")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == f"test-all has no step choas; it has {' '.join(STEPS)}.\n"
