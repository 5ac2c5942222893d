"""Change sets: a plan that waits to be executed."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from typing import Any

from local_aws.cloudformation.deployment import Wanted
from local_aws.cloudformation.plan import Change, Plan, has_unknown
from local_aws.cloudformation.schema import plain
from local_aws.cloudformation.stacks import Stack, now

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass
class ChangeSet:
    """A change set.

    Attributes:
        kind: CREATE or UPDATE.
        execution: AVAILABLE, UNAVAILABLE or EXECUTE_COMPLETE.
    """

    id: str
    name: str
    stack: Stack
    kind: str
    wanted: Wanted
    plan: Plan
    description: str | None = None
    execution: str = "AVAILABLE"
    created: datetime.datetime = field(default_factory=now)

    def __post_init__(self) -> None:
        if self.plan.empty:
            self.execution = "UNAVAILABLE"

    def summary(self) -> dict[str, Any]:
        """As ListChangeSets shows it."""
        summary = {
            "ChangeSetId": self.id, "ChangeSetName": self.name, "StackId": self.stack.id, "StackName": self.stack.name,
            "CreationTime": self.created, "ExecutionStatus": self.execution, "Description": self.description,
            "Status": "FAILED" if self.plan.empty else "CREATE_COMPLETE",
            "StatusReason": NO_CHANGES if self.plan.empty else None,
            "IncludeNestedStacks": False,
        }  # fmt: skip
        return {key: value for key, value in summary.items() if value is not None}

    def describe(self, parameters: list[dict[str, Any]], values: bool) -> dict[str, Any]:
        """As DescribeChangeSet shows it. `values`: with the properties' values (IncludePropertyValues)."""
        return {
            **self.summary(),
            "Parameters": parameters,
            "Tags": [{"Key": key, "Value": value} for key, value in self.wanted.tags.items()],
            "Changes": [
                {"Type": "Resource", "ResourceChange": resource_change(change, values)} for change in self.plan.changes
            ],
        }


def resource_change(change: Change, values: bool) -> dict[str, Any]:
    """A change as DescribeChangeSet shows it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
    """
    shown: dict[str, Any] = {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "ResourceType": change.type,
        "Scope": [],
        "Details": [],
    }
    if change.resource is not None:
        shown["PhysicalResourceId"] = change.resource.physical_id
        shown |= _policy(change)
    if change.action == "Modify":
        shown["Replacement"] = change.replacement
        shown["Scope"] = (["Properties"] if change.names else []) + sorted(change.scope)
        shown["Details"] = [_detail(change, name, values) for name in sorted(change.names)] + [
            {"Target": {"Attribute": part, "RequiresRecreation": "Never"}, "Evaluation": "Static",
             "ChangeSource": "DirectModification"}
            for part in sorted(change.scope)
        ]  # fmt: skip
    if values:
        shown["BeforeContext"] = json.dumps({"Properties": plain(change.before)}, default=repr)
        shown["AfterContext"] = json.dumps({"Properties": plain(change.after)}, default=repr)
    return shown


def _policy(change: Change) -> dict[str, str]:
    resource = change.resource
    if resource is None:
        return {}
    if change.action == "Remove":
        kept = resource.deletion_policy
        return {"PolicyAction": "Retain" if kept == "RetainExceptOnCreate" else kept}
    if change.replacement == "False":
        return {}
    return {"PolicyAction": f"ReplaceAnd{resource.update_replace_policy}"}


def _detail(change: Change, name: str, values: bool) -> dict[str, Any]:
    dynamic = has_unknown(change.after.get(name))
    recreation = "Never"
    if name in change.recreate:
        recreation = "Always"
    elif name in change.maybe:
        recreation = "Conditionally"
    target: dict[str, Any] = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    if values:
        target["Path"] = f"/Properties/{name}"
        target["AttributeChangeType"] = (
            "Add" if name not in change.before else "Remove" if name not in change.after else "Modify"
        )
        for key, properties in (("BeforeValue", change.before), ("AfterValue", change.after)):
            if name in properties:
                value = plain(properties[name])
                target[key] = value if isinstance(value, str) else json.dumps(value, default=repr)
    return {
        "Target": target,
        "Evaluation": "Dynamic" if dynamic else "Static",
        "ChangeSource": "ResourceAttribute" if dynamic else "DirectModification",
    }
