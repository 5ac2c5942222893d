"""What a change set's perhaps means for a table: its values tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.plugin_utils.stack_tables import decided

BEFORE = {"id": "S", "owner": "S"}


def context(types: dict[str, str] | None) -> str:
    definitions = [{"AttributeName": name, "AttributeType": kind} for name, kind in (types or {}).items()]
    return json.dumps({"Properties": {"AttributeDefinitions": definitions} if types else {}})


def change(
    after: dict[str, str] | None, recreation: str, replacement: str, *others: tuple[str, str], **more: Any
) -> dict[str, Any]:
    details = [
        {"Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": how}}
        for name, how in (("AttributeDefinitions", recreation), *others)
    ]
    return {
        "ResourceType": "AWS::DynamoDB::Table", "Action": "Modify", "Replacement": replacement, "Details": details,
        "BeforeContext": context(BEFORE), "AfterContext": context(after), **more,
    }  # fmt: skip


def shown(given: dict[str, Any]) -> tuple[str, list[str]]:
    return given["Replacement"], [each["Target"]["RequiresRecreation"] for each in given["Details"]]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        # One attribute more, or less: the table stays.
        (change(BEFORE | {"at": "N"}, "Conditionally", "Conditional"), ("False", ["Never"])),
        (change({"id": "S"}, "Conditionally", "Conditional"), ("False", ["Never"])),
        # Another type of one that is there: it goes, whatever the change set calls it.
        (change(BEFORE | {"id": "N"}, "Conditionally", "Conditional"), ("True", ["Always"])),
        (change(BEFORE | {"owner": "N"}, "Never", "False"), ("True", ["Always"])),
        # What another property says holds.
        (
            change(BEFORE | {"at": "N"}, "Conditionally", "Conditional", ("KeySchema", "Conditionally")),
            ("Conditional", ["Never", "Conditionally"]),
        ),
        (change(BEFORE, "Never", "True", ("TableName", "Always")), ("True", ["Never", "Always"])),
    ],
)
def test_the_values_decide(given: dict[str, Any], wanted: tuple[str, list[str]]) -> None:
    assert shown(decided(given)) == wanted


@pytest.mark.parametrize(
    "given",
    [
        change(None, "Conditionally", "Conditional"),
        change(BEFORE, "Conditionally", "Conditional", AfterContext=None),
        change(BEFORE, "Conditionally", "Conditional", AfterContext=json.dumps("***")),
        change(BEFORE | {"at": "N"}, "Conditionally", "Conditional", ResourceType="AWS::S3::Bucket"),
        change(BEFORE, "Conditionally", "Conditional", Action="Remove"),
    ],
)
def test_what_is_not_told_or_no_change_of_a_table_stays_as_it_is(given: dict[str, Any]) -> None:
    assert decided(given) is given
