"""A run ends with the status that its task asks for, and with Ansible's own where anything else failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugin_support import playbook

pytestmark = pytest.mark.playbook


def a_task(fails: bool, **more: Any) -> dict[str, Any]:
    return {"name": "See", "ansible.builtin.assert": {"that": not fails}, **more}


@pytest.mark.parametrize(
    ("tasks", "code"),
    [
        ([a_task(False, vars={"exit_status": 1})], 0),
        ([a_task(True, vars={"exit_status": 1})], 1),
        ([a_task(True, vars={"exit_status": 3})], 3),
        ([a_task(True)], 2),
        ([a_task(True, vars={"exit_status": 1}, ignore_errors=True)], 0),
        ([{"name": "All", "block": [a_task(True, vars={"exit_status": 1})], "rescue": [a_task(True)]}], 2),
    ],
)
def test_the_status_is_the_one_that_is_asked_for(tmp_path: Path, tasks: list[dict[str, Any]], code: int) -> None:
    run = playbook(tmp_path, tasks)
    assert run.code == code, run.output
    assert run.recap
