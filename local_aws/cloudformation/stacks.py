"""What is known of stacks, in memory: their resources, events, outputs and change sets, by region."""

from __future__ import annotations

import datetime
import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_aws.cloudformation.errors import AlreadyExistsException, ValidationError
from local_aws.cloudformation.template import EMPTY, Template
from local_aws.config import ACCOUNT_ID

if TYPE_CHECKING:
    from local_aws.cloudformation.change_sets import ChangeSet
    from local_aws.cloudformation.operation import Operation
    from local_aws.cloudformation.rollback import Undo

PARTITION = "aws"
STACK_TYPE = "AWS::CloudFormation::Stack"
DEFAULT_DELETION_POLICY = {"AWS::RDS::DBInstance": "Snapshot", "AWS::RDS::DBCluster": "Snapshot"}
UPDATABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED"}
"""States from which a stack can be updated; the last two are left by operations without rollback."""


def now() -> datetime.datetime:
    """The time, with its zone."""
    return datetime.datetime.now(datetime.UTC)


@dataclass
class Resource:
    """One resource of a stack as it is.

    Attributes:
        properties: evaluated, secrets still as dynamic references; what the next plan is compared with.
        attributes: what Fn::GetAtt gives.
        depends_on: logical ids that were there before it, and must go after it.
        definition: everything but Properties of the template's resource: policies, Metadata.
        status: a resource status, `CREATE_COMPLETE` and so on.
    """

    logical_id: str
    type: str
    physical_id: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    depends_on: set[str] = field(default_factory=set)
    definition: dict[str, Any] = field(default_factory=dict)
    status: str = ""
    reason: str | None = None
    updated: datetime.datetime = field(default_factory=now)

    @property
    def deletion_policy(self) -> str:
        """Delete, Retain, RetainExceptOnCreate or Snapshot, when it leaves the stack."""
        return str(self.definition.get("DeletionPolicy") or DEFAULT_DELETION_POLICY.get(self.type, "Delete"))

    @property
    def update_replace_policy(self) -> str:
        """Delete, Retain or Snapshot, when a new one took its place."""
        return str(self.definition.get("UpdateReplacePolicy") or "Delete")


@dataclass
class Stack:
    """A stack.

    Attributes:
        parameters: effective values as text.
        resolved: what Ref gives for each parameter, at the last operation.
        outputs: as DescribeStacks shows them.
        events: newest first.
        token: ClientRequestToken of the operation at hand, or of the last one.
        operation: what changes it now.
        undo: what is left to do of an update's rollback, while UPDATE_ROLLBACK_FAILED.
    """

    name: str
    region: str
    id: str
    template: Template = EMPTY
    parameters: dict[str, str] = field(default_factory=dict)
    resolved: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    created: datetime.datetime = field(default_factory=now)
    updated: datetime.datetime | None = None
    deleted: datetime.datetime | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)
    token: str | None = None
    protected: bool = False
    policy: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    operation: Operation | None = None
    undo: Undo | None = None
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def touch(self) -> None:
        """Note the time of an update."""
        self.updated = now()

    def set(self, status: str, reason: str | None = None) -> None:
        """Enter a state, with its event."""
        with self.lock:
            self.event(self.name, self.id, STACK_TYPE, status, reason)
            self.status, self.reason = status, reason

    def mark(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Put a resource into a state, with its event."""
        with self.lock:
            resource.status, resource.reason, resource.updated = status, reason, now()
            self.event(resource.logical_id, resource.physical_id, resource.type, status, reason, resource.properties)

    def event(
        self,
        logical_id: str,
        physical_id: str,
        kind: str,
        status: str,
        reason: str | None,
        properties: dict[str, Any] | None = None,
    ) -> None:
        """Record that something happened."""
        event = {
            "StackId": self.id, "StackName": self.name, "EventId": str(uuid.uuid4()), "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id, "ResourceType": kind, "Timestamp": now(), "ResourceStatus": status,
            "ResourceStatusReason": reason, "ClientRequestToken": self.token,
            "ResourceProperties": json.dumps(properties, default=str) if properties is not None else None,
        }  # fmt: skip
        with self.lock:
            self.events.insert(0, {key: value for key, value in event.items() if value is not None})

    @property
    def exports(self) -> dict[str, str]:
        """Name → value of what it exports."""
        return {output["ExportName"]: output["OutputValue"] for output in self.outputs if "ExportName" in output}


class Region:
    """The stacks and change sets of one region. Stacks of different names never wait for each other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stacks: dict[str, Stack] = {}
        self.deleted: dict[str, Stack] = {}
        self.change_sets: dict[str, ChangeSet] = {}
        self.lock = threading.RLock()

    def new(self, name: str) -> Stack:
        """An empty stack, not yet listed."""
        return Stack(name, self.name, self.arn("stack", name))

    def add(self, stack: Stack) -> None:
        """List a stack.

        Raises:
            AlreadyExistsException: there is one of that name.
        """
        with self.lock:
            if stack.name in self.stacks:
                raise AlreadyExistsException(f"Stack [{stack.name}] already exists")
            self.stacks[stack.name] = stack

    def arn(self, kind: str, name: str) -> str:
        """A new ARN: kind is `stack` or `changeSet`."""
        return f"arn:{PARTITION}:cloudformation:{self.name}:{ACCOUNT_ID}:{kind}/{name}/{uuid.uuid4()}"

    def find(self, name: str, deleted: bool = False) -> Stack:
        """A stack by its name or ARN; deleted ones by their ARN only, if asked for.

        Raises:
            ValidationError: there is none.
        """
        with self.lock:
            for stack in self.stacks.values():
                if name in (stack.name, stack.id):
                    return stack
            if deleted and name in self.deleted:
                return self.deleted[name]
        raise ValidationError(f"Stack with id {name} does not exist")

    def forget(self, stack: Stack) -> None:
        """Move a stack to the deleted ones, in DELETE_COMPLETE. Its name is free from then on."""
        with self.lock:
            stack.set("DELETE_COMPLETE")
            stack.deleted = now()
            self.stacks.pop(stack.name, None)
            self.deleted[stack.id] = stack
            for identifier in [key for key, value in self.change_sets.items() if value.stack is stack]:
                del self.change_sets[identifier]

    def exports(self) -> dict[str, tuple[Stack, str]]:
        """Name → exporting stack and value, of the whole region."""
        with self.lock:
            return {
                name: (stack, value) for stack in self.stacks.values() for name, value in list(stack.exports.items())
            }

    def importers(self, export: str) -> list[str]:
        """Names of the stacks that import it."""
        with self.lock:
            return sorted(stack.name for stack in self.stacks.values() if export in stack.imports)
