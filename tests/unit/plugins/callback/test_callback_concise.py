"""What a run shows of its tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugin_support import Run, playbook

pytestmark = pytest.mark.playbook

QUIET: list[dict[str, Any]] = [
    {"name": "Look", "ansible.builtin.command": {"cmd": "true"}, "changed_when": False},
    {"name": "Skip", "ansible.builtin.command": {"cmd": "true"}, "when": False},
    {"name": "Look at each", "ansible.builtin.command": {"cmd": "true"}, "changed_when": False, "loop": [1, 2, 3]},
    {"name": "Skip each", "ansible.builtin.command": {"cmd": "true"}, "when": False, "loop": [1, 2, 3]},
]


def shown(run: Run) -> list[str]:
    """The lines between the play's and the recap."""
    _, _, tasks = run.output.partition("PLAY [Test]")
    return tasks.partition("\nPLAY RECAP")[0].splitlines()[1:]


def test_a_task_without_news_is_one_line(tmp_path: Path) -> None:
    run = playbook(tmp_path, QUIET)
    assert shown(run) == ["TASK [Look]", "TASK [Skip]", "TASK [Look at each]", "TASK [Skip each]"], run.output
    assert run.recap.split()[2:4] == ["ok=2", "changed=0"]


def test_an_included_file_is_its_task(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("- name: Be included\n  ansible.builtin.ping:\n")
    include = {"name": "Include", "ansible.builtin.include_tasks": {"file": str(tmp_path / "more.yml")}}
    assert shown(playbook(tmp_path, [include])) == ["TASK [Include]", "TASK [Be included]"]


WARNED = "Conditionals should not be surrounded by templating delimiters"


@pytest.mark.parametrize("loop", [{}, {"loop": [1, 2]}], ids=["once", "of a loop"])
@pytest.mark.parametrize("judged", ["changed_when", "when"])
def test_the_warnings_of_a_task_without_news_are_shown(tmp_path: Path, judged: str, loop: dict[str, Any]) -> None:
    run = playbook(
        tmp_path, [{"name": "Warn", "ansible.builtin.command": {"cmd": "true"}, judged: "{{ false }}"} | loop]
    )
    assert WARNED in run.output
    assert "skipping:" not in run.output


def test_news_and_messages_are_shown(tmp_path: Path) -> None:
    tasks: list[dict[str, Any]] = [
        {"name": "Change", "ansible.builtin.command": {"cmd": "true"}},
        {"name": "Change one", "ansible.builtin.command": {"cmd": "true"}, "changed_when": "item == 2", "loop": [1, 2]},
        {"name": "Say", "ansible.builtin.debug": {"msg": "Hear, hear."}},
    ]
    run = playbook(tmp_path, tasks)
    lines = shown(run)
    assert lines[:2] == ["TASK [Change]", "changed: [localhost]"]
    assert "changed: [localhost] => (item=2)" in lines
    assert "ok: [localhost] => (item=1)" not in lines
    assert "Hear, hear." in run.output


def test_a_failure_stands_behind_the_line_of_its_task(tmp_path: Path) -> None:
    run = playbook(tmp_path, [QUIET[0], {"name": "Fail", "ansible.builtin.fail": {"msg": "The fox is away."}}])
    lines = shown(run)
    assert lines[:2] == ["TASK [Look]", "TASK [Fail]"]
    assert any("The fox is away." in line for line in lines[2:])


def test_what_a_task_would_have_changed_is_seen_also_if_it_fails(tmp_path: Path) -> None:
    (tmp_path / "fox.txt").write_text("away\n")
    write = {"dest": str(tmp_path / "fox.txt"), "content": "here\n"}
    fail = {"name": "Write", "ansible.builtin.copy": write, "failed_when": True}
    lines = shown(playbook(tmp_path, [fail], "--check", "--diff"))
    assert lines.index("-away") < lines.index("+here") < lines.index(next(line for line in lines if "FAILED!" in line))
    assert "+here" not in playbook(tmp_path, [fail], "--check").output


def test_of_an_entry_that_failed_its_name_is_shown_and_not_all_that_it_says(tmp_path: Path) -> None:
    task = {
        "name": "Fail", "ansible.builtin.fail": {"msg": "There is no place."},
        "loop": [{"key": "web", "value": {"image": "shop/app"}}], "loop_control": {"label": "{{ item.key }}"},
    }  # fmt: skip
    run = playbook(tmp_path, [task])
    assert "failed: [localhost] (item=web)" in run.output
    assert "There is no place." in run.output
    assert "shop/app" not in run.output
    assert "shop/app" in playbook(tmp_path, [task], "-v").output


def test_with_v_it_is_as_ansible_shows_it(tmp_path: Path) -> None:
    run = playbook(tmp_path, QUIET, "-v")
    assert "\nTASK [Look] ***" in run.output
    assert "ok: [localhost] => (item=3)" in run.output
    assert "skipping: [localhost]" in run.output
