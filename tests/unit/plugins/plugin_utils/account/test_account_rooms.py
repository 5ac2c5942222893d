"""What roles ask the account and how they judge its answers, put together from the files beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from plugins.action import aws_account_info
from plugins.modules.aws_account_info import DOCUMENTATION
from plugins.plugin_utils.account.rooms import Rooms
from plugins.plugin_utils.aws_action import specification
from plugins.plugin_utils.roles import Roles
from tests.unit.plugin_support import run_action

PROJECT = Path(__file__).resolve().parents[5]
FILES = sorted((PROJECT / "roles").glob("*/account.yml"))
TOPIC = """
topic_account_questions: {secrets: "{{ topic_names }}", databases: {}}
topic_account_unasked: {quotas: "Then it fails."}
topic_account_rules:
  - {variable: topic_days, that: queue_room > topic_days, say: "has no room, but {{ queue_room }}. Write less."}
topic_account_warnings: ["{{ 'Two  lines,\\n one sentence.' if topic_days > 1 else '' }}"]
"""
QUEUE = """
queue_account_questions: {secrets: [q], instance_type: t3.micro}
queue_room: "{{ preflight_asked.room }}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for role, text in {"topic": TOPIC, "queue": QUEUE}.items():
        (tmp_path / role / "vars").mkdir(parents=True)
        (tmp_path / role / "account.yml").write_text(text)
    (tmp_path / "topic/vars/main.yml").write_text("topic_names: [a, b]\n")
    (tmp_path / "silent").mkdir()
    return tmp_path


def rooms(folder: Path, *names: str, **variables: Any) -> Rooms:
    loader = DataLoader()
    roles = Roles(loader, Templar(loader), {"topic_days": 3, "preflight_asked": {"room": 3}} | variables, folder)
    return Rooms(roles, names or ("topic", "silent", "queue"))


def test_the_questions_of_all_are_asked_at_once(folder: Path) -> None:
    found = {"secrets": ["a", "b", "q"], "databases": {}, "instance_type": "t3.micro"}
    assert rooms(folder).questions() == found
    assert rooms(folder, "silent").questions() == {}


def test_two_roles_cannot_ask_one_question_otherwise(folder: Path) -> None:
    (folder / "silent/account.yml").write_text("silent_account_questions: {instance_type: t3.micro}\n")
    assert rooms(folder).questions()["instance_type"] == "t3.micro"
    (folder / "silent/account.yml").write_text("silent_account_questions: {instance_type: t2.micro}\n")
    with pytest.raises(ValueError, match=r"queue asks instance_type: t3\.micro, and another role .*: t2\.micro"):
        rooms(folder).questions()


@pytest.mark.parametrize(("room", "says"), [(3, [("topic_days", "has no room, but 3. Write less.")]), (4, [])])
def test_a_rule_reads_what_another_role_s_file_holds(folder: Path, room: int, says: list[tuple[str, str]]) -> None:
    account = rooms(folder, preflight_asked={"room": room})
    roles = account._roles
    assert [told for rule in account.rules() for told in roles.refusals(rule, account.variables)] == says


def test_what_was_not_asked_is_said_before_the_warnings(folder: Path) -> None:
    said = rooms(folder).notes({"quotas": "not for you."})
    assert said == ["Could not ask for quotas: not for you. Then it fails.", "Two lines, one sentence."]
    assert rooms(folder, topic_days=1).notes({}) == []
    with pytest.raises(KeyError):
        rooms(folder).notes({"weather": "cloudy"})


def test_the_task_asks_what_the_roles_ask_and_its_own_word_holds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def gather(_client: Any, wanted: dict[str, Any]) -> dict[str, Any]:
        asked.update(wanted)
        return {}

    monkeypatch.setattr(aws_account_info, "gather", gather)
    monkeypatch.setattr(aws_account_info, "Rooms", lambda _roles, names: rooms(folder, *names))
    run_action(aws_account_info, {"questions_of": ["topic", "queue"], "instance_type": "t2.micro"})
    assert asked["secrets"] == ["a", "b", "q"]
    assert asked["instance_type"] == "t2.micro"
    (folder / "silent/account.yml").write_text("silent_account_questions: {instance_type: t2.micro}\n")
    with pytest.raises(
        AnsibleActionFail, match=r"questions_of: silent asks instance_type: t2\.micro, and another role"
    ):
        run_action(aws_account_info, {"questions_of": ["queue", "silent"]})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_file_about_the_account_says_what_is_read(path: Path) -> None:
    role, content = path.parent.name, yaml.safe_load(path.read_text())
    parts: dict[str, tuple[type, ...]] = {
        "questions": (dict,),
        "unasked": (dict,),
        "rules": (list,),
        "warnings": (list, str),
    }
    found = {name.removeprefix(f"{role}_account_"): value for name, value in content.items() if "_account_" in name}
    assert found.keys() <= parts.keys()
    assert found, "a file that says nothing of these is read by nobody"
    assert [name for name, value in found.items() if not isinstance(value, parts[name])] == []
    assert found.get("questions", {}).keys() <= specification(DOCUMENTATION).keys()
    for rule in found.get("rules", []):
        assert {"variable", "that", "say"} <= rule.keys() <= {"variable", "that", "say", "each"}
