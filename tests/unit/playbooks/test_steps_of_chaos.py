"""The steps at which tests with containers break a run off are tasks that there are: no other ever begins."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.plugin_support import PROJECT
from tests.unit.variables_support import flat, load

MARK = re.compile(r'"TASK \[(?:(\w+) : )?([^"\]]+)"')


def named(paths: list[Path]) -> list[str]:
    return [str(task.get("name")) for path in paths for task in flat(load(str(path.relative_to(PROJECT))))]


def test_each_step_is_the_begin_of_a_task_s_name() -> None:
    files = sorted((PROJECT / "tests/chaos").glob("test_*.py"))
    marks = {(path.name, *mark) for path in files for mark in MARK.findall(path.read_text())}
    assert len(marks) > 15
    plays = named([*(PROJECT / "playbooks").glob("*.yml"), *(PROJECT / "playbooks/tasks").glob("*.yml")])
    of_role = {role: named([*(PROJECT / f"roles/{role}/tasks").glob("*.yml")]) for _, role, _ in marks if role}
    lost = [mark for mark in sorted(marks) if not any(name.startswith(mark[2]) for name in of_role.get(mark[1], plays))]
    assert lost == []
