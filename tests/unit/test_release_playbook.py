"""What playbooks/release.yml asks of the plugins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

PROJECT = Path(__file__).resolve().parents[2]


def the_task(module: str) -> dict[str, Any]:
    (play,) = yaml.safe_load((PROJECT / "playbooks/release.yml").read_text())
    (task,) = [task for task in play["tasks"] if module in task]
    return dict(task)


@pytest.mark.parametrize(("live", "again"), [("legacy:3", False), ("legacy:2", True), ("", True)])
def test_a_job_runs_for_each_release_and_else_when_it_has_not_run_yet(live: str, again: bool) -> None:
    task = the_task("ecs_run_task")
    assert "when" not in task, "a job that was changed alone would never run"
    variables = {
        "publish_live": {"task_definition": live},
        "release_task": {"outputs": {"TaskDefinitionArn": "legacy:3"}},
    }
    templar = Templar(DataLoader(), variables)
    assert templar.template(trust_as_template(task["ecs_run_task"]["again"])) is again
