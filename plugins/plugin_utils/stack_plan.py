"""What a change set says: which resources change, and which of them hold data that a replacement would lose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from plugins.plugin_utils.aws_action import Failed, Wait
from plugins.plugin_utils.layers import Layer, Template

NO_UPDATES = re.compile(r"No updates are to be performed|didn't contain changes")
STATEFUL_TYPES = frozenset(
    {
        "AWS::RDS::DBInstance",
        "AWS::EFS::FileSystem",
        "AWS::S3::Bucket",
        "AWS::ECR::Repository",
        "AWS::SecretsManager::Secret",
    }
)
"""Types whose replacement loses data, or starts empty beside the old one."""
REPLACEMENT = {"True": "replaced", "Conditional": "perhaps replaced"}


def read_change_set(client: Any, change_set: str, wait: Wait) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """DescribeChangeSet, once the change set is made, and its changes of resources."""
    while True:
        found: dict[str, Any] = client.describe_change_set(ChangeSetName=change_set)
        if not found["Status"].endswith(("PENDING", "IN_PROGRESS")):
            break
        if not wait.pause("its change set"):
            raise Failed(f"its change set is still {found['Status']} after {wait.seconds:.0f} s.")
    changes, page = list(found.get("Changes", [])), found
    while page.get("NextToken"):
        page = client.describe_change_set(ChangeSetName=change_set, NextToken=page["NextToken"])
        changes += page.get("Changes", [])
    return found, [change["ResourceChange"] for change in changes if "ResourceChange" in change]


def parameter_rows(layer: Layer, now: Mapping[str, Any], parameters: list[dict[str, Any]]) -> Iterator[str]:
    """Lines of the diff: the parameters whose value changes."""
    before = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in now.get("Parameters", [])}
    for parameter in parameters:
        name, value = parameter["ParameterKey"], parameter.get("ParameterValue")
        # What CloudFormation does not tell (NoEcho) is not compared, and never shown.
        if value is None or name in layer.hidden or before.get(name) == value:
            continue
        yield f"~ {layer.name} parameter {name}: {before.get(name, '(none)')} → {value}"


def declared(template: Template) -> Iterator[str]:
    """Lines of the diff of a new stack: its resources."""
    for name, resource in template.resources.items():
        condition = f" if {resource['Condition']}" if resource.get("Condition") else ""
        yield f"{name} ({resource.get('Type')}){condition}"


def change_row(layer: str, change: Mapping[str, Any]) -> str:
    """A line of the diff: what happens to one resource."""
    sign = {"Add": "+", "Modify": "~", "Remove": "-"}.get(change["Action"], "?")
    row = f"{sign} {layer}.{change['LogicalResourceId']} ({change['ResourceType']})"
    targets = (detail.get("Target", {}) for detail in change.get("Details", []))
    names = sorted({target.get("Name") or target.get("Attribute") or "" for target in targets} - {""})
    if names:
        row += f": {', '.join(names)}"
    if change["Action"] == "Modify" and change.get("Replacement") in REPLACEMENT:
        row += f" — {REPLACEMENT[change['Replacement']].upper()}"
    return row


def loses_state(change: Mapping[str, Any]) -> bool:
    """Whether a change takes away a resource that holds data."""
    if change["ResourceType"] not in STATEFUL_TYPES:
        return False
    if change["Action"] == "Remove":
        return change.get("PolicyAction") != "Retain"
    return change["Action"] == "Modify" and change.get("Replacement") in REPLACEMENT
