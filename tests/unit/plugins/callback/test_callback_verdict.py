"""The exit code that a run asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugin_support import PROJECT, playbook

pytestmark = pytest.mark.playbook

ASK: dict[str, Any] = {"name": "Ask", "ansible.builtin.set_stats": {"data": {"exit_code": 3}}}
FAIL: dict[str, Any] = {"name": "Fail", "ansible.builtin.fail": {"msg": "no"}}


def test_a_run_ends_with_the_code_that_it_has_asked_for(tmp_path: Path) -> None:
    run = playbook(tmp_path, [ASK])
    assert run.code == 3
    assert run.recap.split()[2] == "ok=1"
    assert "Traceback" not in run.output


def test_one_that_asks_for_none_is_a_success(tmp_path: Path) -> None:
    assert playbook(tmp_path, [{"name": "Say", "ansible.builtin.debug": {"msg": "hello"}}]).code == 0


def test_a_failure_is_ansibles_own_code(tmp_path: Path) -> None:
    assert playbook(tmp_path, [ASK, FAIL]).code == 2


def test_all_other_callbacks_have_heard_of_the_end_before() -> None:
    names = sorted(path.name for path in (PROJECT / "plugins/callback").glob("*.py"))
    assert names[-1] == "verdict.py", "Ansible asks them in this order"
