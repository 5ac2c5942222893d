"""Whoever asks AWS again and again pauses as `Wait` does: throttling of an account is never the product's fault."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from plugins.action import log_lines, unused_certificates
from plugins.plugin_utils.aws_action import POLL_VARIABLE

PROJECT = Path(__file__).resolve().parents[3]
PLUGINS = PROJECT / "plugins"
OTHERS = {
    "action/database_tunnel.py": "looks at a process of this machine",
    "action/local_command.py": "looks at a process of this machine",
    "action/log_lines.py": "FOLLOW_SECONDS, goes on until a person ends it",
    "action/service_linked_role.py": "a second, for one role that was just made",
    "action/unused_certificates.py": "PAUSE_SECONDS, for what nothing else waits for",
    "plugin_utils/aws_action.py": "Wait itself",
    "plugin_utils/rotation/versions.py": "SETTLE_SECONDS, once, as AWS tells times in whole seconds",
}
"""Who pauses without `Wait`, and how."""


def sleeps(source: str) -> list[ast.Call]:
    """The calls of `time.sleep`, however it is imported; what takes it as an argument is `Wait`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).rpartition(".")[2] in ("sleep", "_sleep")]


def test_who_pauses_by_itself_is_known() -> None:
    found = {str(path.relative_to(PLUGINS)) for path in PLUGINS.rglob("*.py") if sleeps(path.read_text())}
    assert found == set(OTHERS), "use Wait (plugins/plugin_utils/aws_action.py), or say here how it pauses"


@pytest.mark.parametrize(
    ("source", "count"),
    [("time.sleep(0.1)", 1), ("from time import sleep\nsleep(1)", 1), ("wait.pause('it')", 0), ("Wait(3, s, n)", 0)],
)
def test_the_search_itself(source: str, count: int) -> None:
    assert len(sleeps(source)) == count


def test_those_that_ask_aws_pause_for_a_second_at_least() -> None:
    assert log_lines.FOLLOW_SECONDS >= 1
    assert unused_certificates.PAUSE_SECONDS >= 1
    (call,) = sleeps((PLUGINS / "action/service_linked_role.py").read_text())
    assert ast.literal_eval(call.args[0]) >= 1


def test_tasks_that_are_tried_again_pause_too() -> None:
    files = [path for folder in ("roles", "playbooks") for path in (PROJECT / folder).rglob("*.yml")]
    delays = [int(each) for file in files for each in re.findall(r"^\s+delay: (\d+)", file.read_text(), re.MULTILINE)]
    assert delays
    assert min(delays) >= 1


@pytest.mark.parametrize(
    "path", sorted(PROJECT.glob("inventories/*/environment.yml")), ids=lambda path: path.parent.name
)
def test_an_inventory_asks_more_often_only_of_an_aws_of_its_own(path: Path) -> None:
    given = yaml.safe_load(path.read_text())
    sets = given.get("set", {})
    assert POLL_VARIABLE not in sets or "AWS_ENDPOINT_URL" in sets
