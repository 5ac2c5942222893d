"""The table of IAM's actions, as the script makes it of the package's files, and as it lies in the tree."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts import iam_data

ACTIONS = {
    "runtask": {
        "name": "RunTask",
        "description": "Grants …",
        "resourceTypes": [{"name": "taskDefinition", "required": True, "conditionKeys": ["aws:TagKeys"]}],
        "conditionKeys": ["ecs:cluster", "aws:ResourceTag/${TagKey}"],
    },
    "listtasks": {"name": "ListTasks", "resourceTypes": [], "conditionKeys": []},
}
TYPES = {
    "taskdefinition": {
        "key": "taskDefinition",
        "arn": "arn:${Partition}:ecs:${Region}:${Account}:task-definition/${Name}",
        "conditionKeys": ["aws:ResourceTag/${TagKey}"],
    }
}
KEYS = {"aws:tagkeys": {"key": "aws:TagKeys", "type": "ArrayOfString"}, "ecs:x": {"key": "ecs:X", "type": "String"}}


def test_a_service_is_told_shortly() -> None:
    assert iam_data.service(ACTIONS, TYPES, KEYS) == {
        "actions": {"ListTasks": [[], []], "RunTask": [["taskDefinition"], ["aws:TagKeys", "ecs:cluster"]]},
        "types": {
            "taskDefinition": [
                "arn:${Partition}:ecs:${Region}:${Account}:task-definition/${Name}", ["aws:ResourceTag/${TagKey}"],
            ]
        },
        "keys": {"aws:TagKeys": "ArrayOfString"},
    }  # fmt: skip


def files() -> dict[str, Any]:
    """What the package would have, the same of each service."""
    found: dict[str, Any] = {"package.json": {"version": "0.1.2", "updatedAt": "2026-01-02T03:04:05.678Z"}}
    for name in iam_data.SERVICES:
        found[f"data/actions/{name}.json"] = ACTIONS
        found[f"data/resourceTypes/{name}.json"] = TYPES
    return found


def test_the_text_is_what_was_told() -> None:
    table = iam_data.table(files())
    assert table["source"]["updated"] == "2026-01-02"
    assert json.loads(iam_data.text(table)) == table


def test_the_tree_s_is_of_the_version_and_the_services_that_the_script_names() -> None:
    written = json.loads(iam_data.TABLE.read_text())
    assert written["source"]["version"] == iam_data.VERSION
    assert tuple(written["services"]) == iam_data.SERVICES
    assert iam_data.TABLE.read_text() == iam_data.text(written)
    assert "MIT License" in iam_data.LICENCE.read_text()


def test_a_service_that_the_package_has_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam_data, "SERVICES", ("ecs", "ecz"))
    with pytest.raises(KeyError, match=r"data/actions/ecz\.json"):
        iam_data.table({path: content for path, content in files().items() if "ecz" not in path})


def test_an_action_of_both_kinds_of_load_balancers_takes_the_types_of_both() -> None:
    services = json.loads(iam_data.TABLE.read_text())["services"]
    actions = services[iam_data.LOAD_BALANCING]["actions"]
    assert iam_data.OF_V2.keys() <= actions.keys()
    for name, begins in iam_data.OF_V2.items():
        for begin in begins:
            assert any(each.startswith(begin) for each in actions[name][0]), (name, begin)
    assert "listener-rule/app" in actions["AddTags"][0]
    assert "loadbalancer" in actions["AddTags"][0], "the older ones' too"
    assert actions["CreateRule"][0] == ["listener/app", "listener/net"], "as the package says"


def test_what_the_package_has_lost_is_given_back_and_nothing_else() -> None:
    types = {each: {"key": each} for each in ("listener-rule/app", "loadbalancer", "loadbalancer/app/", "targetgroup")}
    actions = {
        "addtags": {"name": "AddTags", "resourceTypes": [{"name": "loadbalancer"}]},
        "createrule": {"name": "CreateRule"},
    }
    found = iam_data._with_v2({f"data/resourceTypes/{iam_data.LOAD_BALANCING}.json": types}, actions)
    names = [each["name"] for each in found["addtags"]["resourceTypes"]]
    assert names == ["loadbalancer", "listener-rule/app", "loadbalancer/app/", "targetgroup"]
    assert found["createrule"]["resourceTypes"] == []
