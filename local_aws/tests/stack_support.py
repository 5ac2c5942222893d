# ruff: noqa: ARG002 (a handler's methods have one signature, used or not)
"""For tests of stacks: short words for the API's calls, and a resource type that fails on demand."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.cloudformation.handlers import Context, Handler
from local_aws.tests.until import until

DEADLINE_SECONDS = 15.0


class Stacks:
    """CloudFormation of one region as a test wants to say it."""

    def __init__(self, cloud: Cloud, region: str = "us-east-1") -> None:
        self.api = cloud.client("cloudformation", region)

    def create(self, name: str, body: str, parameters: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """Create a stack, wait for it, describe it."""
        stack = self.api.create_stack(StackName=name, TemplateBody=body, Parameters=given(parameters), **options)[
            "StackId"
        ]
        return self.settled(stack)

    def made(self, name: str, body: str, parameters: dict[str, Any] | None = None, **options: Any) -> dict[str, str]:
        """Create a stack, which must succeed; logical id → physical id."""
        stack = self.create(name, body, parameters, **options)
        failures = [event for event in self.events(stack["StackId"]) if event[1].endswith("FAILED")]
        assert stack["StackStatus"] == "CREATE_COMPLETE", failures
        return self.physical(name)

    def changed(
        self, name: str, body: str | None = None, parameters: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, str]:
        """Update a stack, which must succeed; logical id → physical id."""
        stack = self.update(name, body, parameters, **options)
        failures = [event for event in self.events(name) if event[1].endswith("FAILED")]
        assert stack["StackStatus"] == "UPDATE_COMPLETE", failures
        return self.physical(name)

    def update(
        self, name: str, body: str | None = None, parameters: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        """Update a stack, wait for it, describe it. No body: the previous template."""
        options |= {"UsePreviousTemplate": True} if body is None else {"TemplateBody": body}
        return self.settled(self.api.update_stack(StackName=name, Parameters=given(parameters), **options)["StackId"])

    def delete(self, name: str, **options: Any) -> dict[str, Any]:
        """Delete a stack, wait for it, describe what it was."""
        stack = self.describe(name)["StackId"]
        self.api.delete_stack(StackName=name, **options)
        return self.settled(stack)

    def describe(self, name: str) -> dict[str, Any]:
        """DescribeStacks of one."""
        found: dict[str, Any] = self.api.describe_stacks(StackName=name)["Stacks"][0]
        return found

    def settled(self, name: str) -> dict[str, Any]:
        """The stack when nothing is in progress any more."""
        until(
            lambda: not self.describe(name)["StackStatus"].endswith("_IN_PROGRESS"), f"{name} settles", DEADLINE_SECONDS
        )
        return self.describe(name)

    def reached(self, name: str, status: str, logical_id: str | None = None) -> None:
        """Wait until the stack, or one of its resources, had an event of that status."""
        wanted = (logical_id or name, status)
        until(lambda: wanted in [event[:2] for event in self.events(name)], f"{wanted} happens", DEADLINE_SECONDS)

    def events(self, name: str) -> list[tuple[str, str, str]]:
        """Logical id, status and reason of each event, oldest first."""
        events = self.api.describe_stack_events(StackName=name)["StackEvents"]
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in reversed(events)
        ]

    def states(self, name: str) -> list[str]:
        """The states that the stack went through."""
        stack = self.describe(name)
        return [status for logical, status, _ in self.events(stack["StackId"]) if logical == stack["StackName"]]

    def physical(self, name: str) -> dict[str, str]:
        """Logical id → physical id."""
        resources = self.api.describe_stack_resources(StackName=name)["StackResources"]
        return {resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in resources}

    def outputs(self, name: str) -> dict[str, str]:
        """Output key → value."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.describe(name)["Outputs"]}

    def change_set(
        self, name: str, body: str | None, parameters: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        """Make a change set called `plan` (`ChangeSetName` to call it otherwise) and describe it."""
        options = {"ChangeSetName": "plan"} | options
        options |= {"UsePreviousTemplate": True} if body is None else {"TemplateBody": body}
        made = self.api.create_change_set(StackName=name, Parameters=given(parameters), **options)["Id"]
        found: dict[str, Any] = self.api.describe_change_set(ChangeSetName=made, IncludePropertyValues=True)
        return found

    def changes(self, change_set: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
        """Logical id → action and replacement."""
        found = [change["ResourceChange"] for change in change_set["Changes"]]
        return {change["LogicalResourceId"]: (change["Action"], change.get("Replacement")) for change in found}


def given(parameters: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Parameters as the API wants them; None stands for UsePreviousValue."""
    return [
        {"ParameterKey": name, "UsePreviousValue": True}
        if value is None
        else {"ParameterKey": name, "ParameterValue": str(value)}
        for name, value in (parameters or {}).items()
    ]


@contextlib.contextmanager
def refused(text: str, code: str = "ValidationError") -> Iterator[None]:
    """The call in the block is refused with this error code and this text in its message."""
    with pytest.raises(ClientError) as caught:
        yield
    assert caught.value.response["Error"]["Code"] == code
    assert text in caught.value.response["Error"]["Message"]


class Thing(Handler):
    """A resource that exists in a dictionary and does what a test wants.

    Attributes:
        existing: physical id → properties of all that are there.
        log: what was asked of it: (action, logical id).
        failing: (action, logical id) → message with which that fails from now on; action is create, update, delete or
            half (created, then failed).
        once: keys of `failing` that are dropped after their first failure.
        deaf: keys of `gates` at which it waits without hearing of a cancellation.
        gates: (action, logical id) → event that this action waits for, giving up when it is cancelled.
    """

    TYPE = "Test::Fake::Thing"
    SCHEMA: ClassVar[dict[str, Any]] = {
        "additionalProperties": False,
        "properties": {
            "Name": {}, "Size": {}, "Refers": {}, "Maybe": {}, "Word": {}, "Tags": {},
            "Nested": {"type": "object", "additionalProperties": False, "properties": {"Frozen": {}, "Free": {}}},
        },
        "createOnlyProperties": ["/properties/Name", "/properties/Nested/Frozen"],
        "conditionalCreateOnlyProperties": ["/properties/Maybe"],
        "tagging": {"taggable": True},
    }  # fmt: skip

    existing: ClassVar[dict[str, dict[str, Any]]] = {}
    log: ClassVar[list[tuple[str, str]]] = []
    failing: ClassVar[dict[tuple[str, str], str]] = {}
    once: ClassVar[set[tuple[str, str]]] = set()
    deaf: ClassVar[set[tuple[str, str]]] = set()
    gates: ClassVar[dict[tuple[str, str], threading.Event]] = {}

    def create(self, context: Context, properties: dict[str, Any]) -> str:
        physical_id = context.name(40)
        if ("half", context.logical_id) in self.failing:
            self.existing[physical_id] = properties
            context.created(physical_id)
            raise RuntimeError(self.failing["half", context.logical_id])
        self._step("create", context)
        self.existing[physical_id] = properties | {"StackTags": plain_tags(context)}
        return physical_id

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._step("update", context)
        self.existing[physical_id] = new | {"StackTags": plain_tags(context)}

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        self._step("delete", context)
        self.existing.pop(physical_id, None)

    def snapshot(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        self._step("snapshot", context)

    def replaces(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        return bool(new.get("Maybe") == "replace")

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"Id": physical_id, "Size": str(properties.get("Size", "")), "Endpoint.Port": 5432}

    def _step(self, action: str, context: Context) -> None:
        self.log.append((action, context.logical_id))
        gate = self.gates.get((action, context.logical_id))
        if gate is not None:
            if (action, context.logical_id) in self.deaf:
                gate.wait(DEADLINE_SECONDS)
            else:
                context.wait(gate.is_set, DEADLINE_SECONDS, "the test to open the gate")
        if message := self.failing.get((action, context.logical_id)):
            if (action, context.logical_id) in self.once:
                del self.failing[action, context.logical_id]
            raise RuntimeError(message)

    @classmethod
    def reset(cls) -> None:
        """Forget everything."""
        for collection in (cls.existing, cls.log, cls.failing, cls.once, cls.deaf, cls.gates):
            collection.clear()


def plain_tags(context: Context) -> dict[str, str]:
    """The stack's own tags."""
    return {key: value for key, value in context.tags.items() if not key.startswith("aws:")}


def thing(**properties: Any) -> str:
    """A `Thing` as flow YAML, after `Name: `. Keys in UPPER stand for attributes: DEPENDS_ON, DELETION, REPLACE, IF."""
    attributes = {
        "DEPENDS_ON": "DependsOn",
        "DELETION": "DeletionPolicy",
        "REPLACE": "UpdateReplacePolicy",
        "IF": "Condition",
    }
    parts = [f"{attributes[key]}: {value}" for key, value in properties.items() if key in attributes]
    inner = ", ".join(f"{key}: {value}" for key, value in properties.items() if key not in attributes)
    return f"{{{', '.join(['Type: Test::Fake::Thing', *parts, f'Properties: {{{inner}}}'])}}}"


def resources(**things: str) -> str:
    """A template of these resources."""
    return "\n".join(["Resources:", *(f"  {name}: {text}" for name, text in things.items()), ""])
