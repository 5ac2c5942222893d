"""What a change set means for a table of DynamoDB: only its values tell whether the table is replaced.

One more attribute, the key of a new index, leaves the table as it is; another type of one that is there makes a new,
empty table. Both are changes of `AttributeDefinitions`, which a change set calls a perhaps, or nothing at all.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TABLE = "AWS::DynamoDB::Table"
DEFINITIONS = "AttributeDefinitions"
RECREATION = "RequiresRecreation"


def decided(change: dict[str, Any]) -> dict[str, Any]:
    """A change of a resource, with a perhaps about a table made a yes or a no; as it is where its values are not told.

    Args:
        change: of DescribeChangeSet with IncludePropertyValues.
    """
    if change["ResourceType"] != TABLE or change["Action"] != "Modify":
        return change
    before, after = (_types(change.get(context)) for context in ("BeforeContext", "AfterContext"))
    if before is None or after is None:
        return change
    retyped = any(before[name] != after[name] for name in before.keys() & after.keys())
    details = [_decided(detail, "Always" if retyped else "Never") for detail in change.get("Details") or []]
    found = {**change, "Details": details}
    if retyped:
        found["Replacement"] = "True"
    elif change.get("Replacement") == "Conditional" and all(_recreation(each) == "Never" for each in details):
        found["Replacement"] = "False"
    return found


def _decided(detail: Mapping[str, Any], recreation: str) -> dict[str, Any]:
    target = detail.get("Target", {})
    if target.get("Name") != DEFINITIONS:
        return dict(detail)
    return {**detail, "Target": {**target, RECREATION: recreation}}


def _recreation(detail: Mapping[str, Any]) -> str:
    return str(detail.get("Target", {}).get(RECREATION, "Never"))


def _types(context: str | None) -> dict[str, str] | None:
    """Attribute → type, in the properties that a change set tells of a resource."""
    content = json.loads(context or "{}")
    properties = content.get("Properties") if isinstance(content, Mapping) else None
    definitions = properties.get(DEFINITIONS) if isinstance(properties, Mapping) else None
    if not isinstance(definitions, list):
        return None
    return {str(each["AttributeName"]): str(each["AttributeType"]) for each in definitions}
