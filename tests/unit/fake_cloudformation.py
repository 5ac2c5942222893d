# ruff: noqa: ARG001, ARG002 (the signatures are those of AWS and of Say, used or not)
"""A CloudFormation client whose stack goes through scripted states: any state of the table, in no time."""

from __future__ import annotations

import collections
import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local_aws.tests.clock import Clock
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
"""States that follow each other; None is no stack."""
EventRow = tuple[str, str, str, str]
"""Status, logical id, type, reason."""
BEGINNING = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)


def error(message: str, operation: str = "DescribeStacks", code: str = "ValidationError") -> ClientError:
    """An error as AWS answers it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class FakeCloudFormation:
    """See the module. Each look at the events brings the stack one state further, with an event of its own.

    Attributes:
        states: the state that the stack is in, and those that follow if nobody does anything.
        scripts: operation → the states that it leads to.
        emits: operation → the events that it causes.
        becomes: operation → what DescribeStacks shows besides the state once it is through.
        calls: (operation, arguments) of everything that changes something.
        refusal: what UpdateStack answers instead of doing it.
        races: operation → what it answers the first time instead, and the states that follow: somebody was faster.
        changes: resource changes of a change set; None for a change set without changes.
        late: how many answers of DescribeStacks (and of DescribeChangeSet) still show what was before an operation.
        late_events: how many answers of DescribeStackEvents still lack an operation's events.
        shuffled: whether the newest event stands on the second page of events.
        read: how often DescribeStacks and DescribeStackEvents were called.
    """

    states: Script
    scripts: dict[str, Script] = field(default_factory=dict)
    emits: dict[str, list[EventRow]] = field(default_factory=dict)
    becomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""
    races: dict[str, tuple[ClientError, Script]] = field(default_factory=dict)
    changes: list[dict[str, Any]] | None = None
    resources: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    late: int = 0
    late_events: int = 0
    shuffled: bool = False
    read: collections.Counter[str] = field(default_factory=collections.Counter)

    def __post_init__(self) -> None:
        self.stack_id = STACK_ID
        self._token: str | None = None
        self._clock = 0
        self._before: tuple[int, Script, dict[str, Any]] = (0, [], {})
        self._events_before: tuple[int, list[dict[str, Any]]] = (0, [])

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
        own = kind == "AWS::CloudFormation::Stack"
        self.events.insert(
            0,
            {
                "EventId": str(len(self.events)),
                "ResourceStatus": status,
                "LogicalResourceId": logical,
                "ResourceType": kind,
                "ResourceStatusReason": why,
                "PhysicalResourceId": self.stack_id if own else f"{logical.lower()}-1",
                "Timestamp": self.now(),
                "ClientRequestToken": self._token,
            },
        )

    def own_event(self, status: str | None) -> None:
        """Let the stack itself enter a state."""
        reason = "User Initiated" if (status or "").endswith("IN_PROGRESS") else ""
        self.event((status or "DELETE_COMPLETE", "legacy-test-data", "AWS::CloudFormation::Stack", reason))

    def now(self) -> datetime.datetime:
        """The time: some minutes later with each question."""
        self._clock += 5
        return BEGINNING + datetime.timedelta(minutes=self._clock)

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        """The present state, or still the one of before."""
        self.read["describe_stacks"] += 1
        left, states, description = self._before
        if left:
            self._before = left - 1, states, description
        else:
            states, description = self.states, self.description
        state = states[0]
        if state is None and (StackName != self.stack_id or left):
            raise error(f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackId": self.stack_id, "StackStatus": state or "DELETE_COMPLETE", **description}]}

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:
        """All events, newest first."""
        return {"StackEvents": self._read_events()}

    def _read_events(self) -> list[dict[str, Any]]:
        self.read["describe_stack_events"] += 1
        if len(self.states) > 1:
            self.states.pop(0)
            self.own_event(self.states[0])
        left, events = self._events_before
        if left:
            self._events_before = left - 1, events
            if not events and self.stack_id != STACK_ID:
                raise error(f"Stack [{self.stack_id}] does not exist", "DescribeStackEvents")
            return events
        return list(self.events)

    def get_template(self, StackName: str) -> dict[str, Any]:
        """The template of the tests."""
        return {"TemplateBody": TEMPLATE}

    def get_paginator(self, operation: str) -> Any:
        """Pages of the events or the resources."""
        fake = self

        class Paginator:
            def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
                if operation != "describe_stack_events":
                    assert operation == "list_stack_resources"
                    yield {"StackResourceSummaries": fake.resources}
                    return
                # In pages of two, so that reading stops at the right one.
                events = fake._read_events()
                if fake.shuffled and len(events) > 2:
                    events = [*events[1:3], events[0], *events[3:]]
                for start in range(0, max(1, len(events)), 2):
                    yield {"StackEvents": events[start : start + 2]}

        return Paginator()

    def create_change_set(self, **arguments: Any) -> dict[str, Any]:
        """Remember it."""
        self.calls.append(("create_change_set", arguments))
        self._before = self.late, self.states, self.description
        return {"Id": "change-set"}

    def describe_change_set(self, **_: Any) -> dict[str, Any]:
        """The scripted changes."""
        left, *before = self._before
        if left:
            self._before = left - 1, *before  # type: ignore[assignment]  # the length of a rest is not known
            raise error("ChangeSet [change-set] does not exist", "DescribeChangeSet", "ChangeSetNotFound")
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
            if operation not in self.scripts:
                return {"StackId": self.stack_id}
            self._before = self.late, self.states, self.description
            self._token = arguments.get("ClientRequestToken")
            if operation == "create_stack":
                self.stack_id, self.events = f"{self.stack_id}x", []  # an id never comes back
            self._events_before = self.late_events, list(self.events)
            self.states = list(self.scripts[operation])
            self.own_event(self.states[0])
            self.description = {**self.description, "LastUpdatedTime": self.now(), **self.becomes.get(operation, {})}
            for row in self.emits.get(operation, []):
                self.event(row)
            return {"StackId": self.stack_id}

        return call


def a_layer(**changes: Any) -> Layer:
    """A layer over the template of the tests."""
    given = {"parameters": {"Size": "2"}, "gives": {"DatabaseHost": "DatabaseHost"}, **changes}
    return Layer("data", "legacy-test-data", None, Template.read(TEMPLATE), **given)


def a_stack(
    client: Any,
    lines: list[str] | None = None,
    service: Any = None,
    records: Records | None = None,
    watchers: Any = None,
    **layer: Any,
) -> Stack:
    """A stack that does not really wait; its lines of progress go into `lines`."""
    clock, shown = Clock(), lines if lines is not None else []

    def say(name: str, text: str, color: str | None = None) -> None:
        shown.append(f"{name}: {text}")

    def wait(seconds: float, say: Any, name: str) -> Wait:
        return Wait(seconds, say, name, clock, clock.sleep)

    return Stack(a_layer(**layer), client, say, records, service, wait, watchers or {})
