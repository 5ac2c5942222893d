# ruff: noqa: ARG001, ARG002 (the signatures are those of AWS and of Say, used or not)
"""A CloudFormation client whose stack goes through scripted states: any state of the table, in no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Wait
from plugins.plugin_utils.layers import Layer, Template
from plugins.plugin_utils.stack import Stack
from plugins.plugin_utils.stack_events import Records

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/legacy-test-data/1"

TEMPLATE = """
Parameters:
  Size: {Type: Number, Default: 1}
  Ami: {Type: String, Default: none}
  Password: {Type: String, Default: x, NoEcho: true}
Resources:
  Database: {Type: AWS::RDS::DBInstance, DeletionPolicy: Snapshot}
  Files: {Type: AWS::EFS::FileSystem, DeletionPolicy: RetainExceptOnCreate}
  Log: {Type: AWS::Logs::LogGroup}
Outputs:
  DatabaseHost: {Value: x}
"""

NO_UPDATES = "No updates are to be performed."

Script = list[str | None]
"""States that follow each other, one a DescribeStacks; None is no stack."""
EventRow = tuple[str, str, str, str]
"""Status, logical id, type, reason."""


def error(message: str, operation: str = "DescribeStacks", code: str = "ValidationError") -> ClientError:
    """An error as AWS answers it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class FakeCloudFormation:
    """See the module.

    Attributes:
        states: what DescribeStacks shows now and next.
        scripts: operation → the states that it leads to.
        emits: operation → the events that it causes.
        calls: (operation, arguments) of everything that changes something.
        refusal: what UpdateStack answers instead of doing it.
        races: operation → what it answers the first time instead, and the states that follow: somebody was faster.
        changes: resource changes of a change set; None for a change set without changes.
    """

    states: Script
    scripts: dict[str, Script] = field(default_factory=dict)
    emits: dict[str, list[EventRow]] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""
    races: dict[str, tuple[ClientError, Script]] = field(default_factory=dict)
    changes: list[dict[str, Any]] | None = None
    resources: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def operations(self) -> list[str]:
        """The names of the calls."""
        return [name for name, _ in self.calls]

    def arguments(self, operation: str) -> dict[str, Any]:
        """The arguments of the last call of an operation."""
        return [arguments for name, arguments in self.calls if name == operation][-1]

    def event(self, row: EventRow) -> None:
        """Let an event happen."""
        status, logical, kind, why = row
        self.events.insert(
            0,
            {
                "EventId": str(len(self.events)),
                "ResourceStatus": status,
                "LogicalResourceId": logical,
                "ResourceType": kind,
                "ResourceStatusReason": why,
                "PhysicalResourceId": f"{logical.lower()}-1",
            },
        )

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        """The next scripted state."""
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state is None and StackName != STACK_ID:
            raise error(f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackId": STACK_ID, "StackStatus": state or "DELETE_COMPLETE", **self.description}]}

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:
        """All events, newest first."""
        return {"StackEvents": list(self.events)}

    def get_template(self, StackName: str) -> dict[str, Any]:
        """The template of the tests."""
        return {"TemplateBody": TEMPLATE}

    def get_paginator(self, operation: str) -> Any:
        """Pages of the events or the resources."""
        fake = self

        class Paginator:
            def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
                if operation == "describe_stack_events":
                    # In two pages, so that reading stops at the right one.
                    yield {"StackEvents": fake.events[:2]}
                    yield {"StackEvents": fake.events[2:]}
                else:
                    yield {"StackResourceSummaries": fake.resources}

        return Paginator()

    def create_change_set(self, **arguments: Any) -> dict[str, Any]:
        """Remember it."""
        self.calls.append(("create_change_set", arguments))
        return {"Id": "change-set"}

    def describe_change_set(self, **_: Any) -> dict[str, Any]:
        """The scripted changes."""
        if self.changes is None:
            reason = "The submitted information didn't contain changes. Submit different information."
            return {"Status": "FAILED", "StatusReason": reason}
        return {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": change} for change in self.changes]}

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**arguments: Any) -> dict[str, Any]:
            self.calls.append((operation, arguments))
            if operation in self.races:
                raced, self.states = self.races.pop(operation)
                raise raced
            if operation == "update_stack" and self.refusal:
                raise error(self.refusal, "UpdateStack")
            for row in self.emits.get(operation, []):
                self.event(row)
            if operation in self.scripts:
                self.states = list(self.scripts[operation])
            return {"StackId": STACK_ID}

        return call


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def a_layer(**changes: Any) -> Layer:
    """A layer over the template of the tests."""
    given = {"parameters": {"Size": "2"}, "gives": {"DatabaseHost": "DatabaseHost"}, **changes}
    return Layer("data", "legacy-test-data", None, Template.read(TEMPLATE), **given)


def a_stack(
    client: Any, lines: list[str] | None = None, service: Any = None, records: Records | None = None, **layer: Any
) -> Stack:
    """A stack that does not really wait; its lines of progress go into `lines`."""
    clock, shown = Clock(), lines if lines is not None else []

    def say(name: str, text: str, color: str | None = None) -> None:
        shown.append(f"{name}: {text}")

    def wait(seconds: float, say: Any, name: str) -> Wait:
        return Wait(seconds, say, name, clock, clock.sleep)

    return Stack(a_layer(**layer), client, say, records, service, wait)
