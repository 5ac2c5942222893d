"""A command of a person's own: shown while it runs, ended after its deadline, its exit code counted."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from plugins.action import local_command
from tests.unit.plugin_support import run_action


def run(tmp_path: Path, command: Any, check: bool = False, **more: Any) -> dict[str, Any]:
    given = {"command": command, "name": "site_hooks.build[0]", "chdir": str(tmp_path), **more}
    return run_action(local_command, given, check)


@pytest.mark.parametrize("command", ["sh -c 'pwd; echo \"$BERTH_RELEASE\"'", ["sh", "-c", 'pwd; echo "$BERTH_RELEASE"']])
def test_it_runs_in_its_folder_and_is_told_what_is_released(
    tmp_path: Path, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(tmp_path, command, environment={"BERTH_RELEASE": "2026.11.3"})
    assert found == {"changed": False, "lines": [str(tmp_path), "2026.11.3"]}
    assert "2026.11.3" in capsys.readouterr().out


def test_what_is_wrong_is_told_with_its_last_lines(tmp_path: Path) -> None:
    found = run(tmp_path, ["sh", "-c", "seq 20; echo no >&2; exit 3", "secret"])
    assert found["failed"]
    assert found["msg"].startswith("The command site_hooks.build[0] (sh) ended with exit code 3.\n  7\n")
    assert found["msg"].endswith("\n  20\n  no")
    assert "secret" not in str(found), "what a command is given is nobody's business"


def test_what_takes_too_long_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    begun = time.monotonic()
    script = "sleep 60 & echo $! > child; echo begun; wait"
    found = run(tmp_path, ["sh", "-c", script], timeout=0.5)
    assert found["failed"]
    assert found["msg"] == "The command site_hooks.build[0] (sh) was not through after 0 s and has been ended.\n  begun"
    assert time.monotonic() - begun < 10
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split(")")[1]:
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.05)


def test_what_it_leaves_behind_holds_nobody_up(tmp_path: Path) -> None:
    begun = time.monotonic()
    found = run(tmp_path, ["sh", "-c", "sleep 20 & echo $! > child; echo done"])
    os.kill(int((tmp_path / "child").read_text()), 9)
    assert found["lines"] == ["done"]
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-program x", "The command site_hooks.build[0] cannot be started: No such file or directory: no-such-program"),
        ("echo 'a", "site_hooks.build[0] is no command: No closing quotation."),
        ([], "site_hooks.build[0] is no command: it is empty."),
        (5, "site_hooks.build[0] is no command:"),
    ],
)
def test_what_cannot_be_run_is_said(tmp_path: Path, command: Any, said: str) -> None:
    found = run(tmp_path, command)
    assert found["failed"]
    assert found["msg"].startswith(said)


def test_a_check_run_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not run(tmp_path, "touch made", check=True)["lines"]
    assert "site_hooks.build[0] would be run" in capsys.readouterr().out
    assert not (tmp_path / "made").exists()
