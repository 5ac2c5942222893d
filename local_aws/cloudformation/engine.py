"""The verbs on stacks: what each refuses, and the operation that it starts. Each answers at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloud import CALLER, INSIDE_KEY
from local_aws.cloudformation import template as templates
from local_aws.cloudformation.change_sets import ChangeSet
from local_aws.cloudformation.deletion import Deletion
from local_aws.cloudformation.deployment import Deployment, Wanted
from local_aws.cloudformation.errors import AlreadyExistsException, CloudFormationError, ValidationError
from local_aws.cloudformation.intrinsics import Environment
from local_aws.cloudformation.operation import ClientFactory
from local_aws.cloudformation.parameters import Given, effective, resolve
from local_aws.cloudformation.plan import Plan, make_plan
from local_aws.cloudformation.rollback import CreateRollback, UpdateRollback
from local_aws.cloudformation.stacks import PARTITION, UPDATABLE, Region, Stack
from local_aws.cloudformation.validation import check_capabilities, validate
from local_aws.config import ACCOUNT_ID

STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
CREATING = {"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}
NOT_DELETABLE = {
    "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What a create, an update or a change set asks for.

    Attributes:
        body: the template, None for the previous one.
        tags: None to leave them as they are.
        on_failure: ROLLBACK, DO_NOTHING or DELETE.
        timeout: seconds, for a create.
    """

    name: str
    body: str | None
    parameters: Given
    tags: dict[str, str] | None = None
    capabilities: list[str] = field(default_factory=list)
    token: str | None = None
    on_failure: str = "ROLLBACK"
    timeout: float | None = None
    protected: bool = False
    policy: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


class Engine:
    """All stacks of an embedded AWS.

    Args:
        clients: service, region and access key → boto3 client.
    """

    def __init__(self, clients: Callable[[str, str, str], Any]) -> None:
        self._clients = clients
        self._regions: dict[str, Region] = {}
        self._lock = threading.Lock()

    @property
    def clients(self) -> ClientFactory:
        """Clients with the rights of whoever's request is being answered, as CloudFormation acts with the caller's.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html
        """
        key = CALLER.get() or INSIDE_KEY
        return lambda service, region: self._clients(service, region, key)

    def region(self, name: str) -> Region:
        """The stacks of a region."""
        with self._lock:
            return self._regions.setdefault(name, Region(name))

    def create(self, region: Region, request: Request) -> Stack:
        """Start CreateStack.

        Raises:
            CloudFormationError: see `local_aws.cloudformation.errors`.
        """
        if not STACK_NAME.fullmatch(request.name):
            raise ValidationError(
                f"1 validation error detected: Value '{request.name}' at 'stackName' failed to satisfy constraint:"
                " Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        present = region.stacks.get(request.name)
        if present is not None:
            if request.token and present.token == request.token:
                return present
            raise AlreadyExistsException(f"Stack [{request.name}] already exists")
        stack = region.new(request.name)
        wanted, _ = self.plan(region, stack, request)
        stack.protected, stack.policy = request.protected, request.policy
        region.add(stack)
        self._deploy(region, stack, wanted, "CREATE", request.token)
        return stack

    def update(self, region: Region, request: Request) -> Stack:
        """Start UpdateStack. Raises CloudFormationError: also if nothing would change."""
        stack = region.find(request.name)
        with stack.lock:
            if request.token and request.token == stack.token and stack.status.startswith("UPDATE_"):
                return stack
            self._check_updatable(stack)
            wanted, plan = self.plan(region, stack, request)
            if plan.empty and stack.undo is None:
                raise ValidationError("No updates are to be performed.")
            stack.policy = request.policy or stack.policy
            self._deploy(region, stack, wanted, "UPDATE", request.token)
        return stack

    def delete(
        self, region: Region, stack: Stack, token: str | None, leave: list[str] | None = None, force: bool = False
    ) -> None:
        """Start DeleteStack. Raises ValidationError: it is protected, in use, or in the middle of an update."""
        with stack.lock:
            if stack.status == "DELETE_IN_PROGRESS":
                return
            if stack.protected:
                raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
            if stack.status in NOT_DELETABLE:
                raise ValidationError(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
            if leave and stack.status != "DELETE_FAILED":
                raise ValidationError(
                    f"Invalid operation on stack [{stack.id}]. Specify RetainResources only when the stack is in the"
                    " DELETE_FAILED state."
                )
            if lost := sorted(set(leave or ()) - set(stack.resources)):
                raise ValidationError(f"Resource {lost[0]} does not exist for stack {stack.name}")
            for name in stack.exports:
                if users := region.importers(name):
                    raise ValidationError(f"Export {name} cannot be deleted as it is in use by {', '.join(users)}")
            creating = stack.status in CREATING or stack.status == "ROLLBACK_FAILED"
            deletion = Deletion(stack, self.clients, region, frozenset(leave or ()), force, creating)
            if stack.status == "CREATE_IN_PROGRESS" and stack.operation is not None:
                stack.operation.cancel("Stack deletion was requested.", rollback=False)
            stack.token = token
            stack.set("DELETE_IN_PROGRESS", "User Initiated")
            deletion.start()

    def cancel_update(self, region: Region, name: str, token: str | None) -> None:
        """CancelUpdateStack: the update under way is rolled back."""
        stack = region.find(name)
        with stack.lock:
            if stack.status != "UPDATE_IN_PROGRESS" or stack.operation is None:
                raise ValidationError(f"CancelUpdateStack cannot be called from current stack status {stack.status}")
            stack.token = token or stack.token
            stack.operation.cancel("Cancelled by the user.")

    def continue_rollback(self, region: Region, name: str, skip: list[str], token: str | None) -> None:
        """ContinueUpdateRollback: try again what is left of it."""
        stack = region.find(name)
        with stack.lock:
            if stack.status != "UPDATE_ROLLBACK_FAILED" or stack.undo is None:
                raise ValidationError(
                    f"Stack:{stack.id} is in {stack.status} state and can not continue its update rollback."
                )
            if wrong := sorted(set(skip) - set(stack.undo.updated)):
                raise ValidationError(f"Resource {wrong[0]} is not in a failed state and cannot be skipped.")
            stack.token = token
            rollback = UpdateRollback(stack, self.clients, stack.undo, region)
            rollback.skip(skip)
            stack.set("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
            rollback.start()

    def rollback(self, region: Region, name: str, token: str | None) -> Stack:
        """RollbackStack: for a stack that failed with DisableRollback."""
        stack = region.find(name)
        with stack.lock:
            stack.token = token
            if stack.status == "CREATE_FAILED":
                stack.set("ROLLBACK_IN_PROGRESS", "User Initiated")
                CreateRollback(stack, self.clients, region).start()
            elif stack.status == "UPDATE_FAILED" and stack.undo is not None:
                stack.set("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
                UpdateRollback(stack, self.clients, stack.undo, region).start()
            else:
                raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        return stack

    def create_change_set(
        self, region: Region, request: Request, name: str, kind: str, description: str | None
    ) -> ChangeSet:
        """CreateChangeSet; the plan is made at once."""
        if not STACK_NAME.fullmatch(name):
            raise ValidationError(f"1 validation error detected: Value '{name}' at 'changeSetName' is not a valid name")
        stack = region.stacks.get(request.name) if kind == "CREATE" else region.find(request.name)
        if stack is not None and any(
            other.name == name and other.stack is stack for other in region.change_sets.values()
        ):
            raise AlreadyExistsException(f"ChangeSet {name} already exists")
        if kind == "UPDATE" and stack is not None:
            self._check_updatable(stack)
        elif stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(
                f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [{name}]."
            )
        added = stack is None
        stack = stack or region.new(request.name)
        wanted, plan = self.plan(region, stack, request)
        if added:
            region.add(stack)
            stack.token = request.token
            stack.set("REVIEW_IN_PROGRESS", "User Initiated")
        change_set = ChangeSet(region.arn("changeSet", name), name, stack, kind, wanted, plan, description)
        with region.lock:
            region.change_sets[change_set.id] = change_set
        return change_set

    def find_change_set(self, region: Region, name: str, stack: str | None) -> ChangeSet:
        """A change set by its ARN, or by its name and its stack's name or ARN."""
        with region.lock:
            for found in region.change_sets.values():
                if name == found.id or (name == found.name and stack in (found.stack.name, found.stack.id)):
                    return found
        raise CloudFormationError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")

    def execute_change_set(self, region: Region, found: ChangeSet, token: str | None, on_failure: str | None) -> None:
        """ExecuteChangeSet; the other change sets of the stack are gone thereafter."""
        stack = found.stack
        with stack.lock:
            if found.execution != "AVAILABLE":
                raise CloudFormationError(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{found.id}] cannot be executed in its current status of [{found.summary()['Status']}]",
                )
            if found.kind == "UPDATE":
                self._check_updatable(stack)
            found.execution = "EXECUTE_COMPLETE"
            with region.lock:
                for other in [key for key, value in region.change_sets.items() if value.stack is stack]:
                    if other != found.id:
                        del region.change_sets[other]
            found.wanted.on_failure = on_failure or found.wanted.on_failure
            self._deploy(region, stack, found.wanted, found.kind, token)

    def plan(self, region: Region, stack: Stack, request: Request) -> tuple[Wanted, Plan]:
        """Check a request and say what it would do to `stack`, which may be a new one."""
        template = stack.template if request.body is None else templates.parse(request.body)
        validate(template)
        check_capabilities(template, request.capabilities)
        values = effective(template.parameters, request.parameters, stack.parameters)
        environment = self._environment(region, stack, resolve(template.parameters, values, self._ssm(region)))
        tags = stack.tags if request.tags is None else request.tags
        plan = make_plan(stack, template, environment, tags, lambda service: self.clients(service, region.name))
        wanted = Wanted(template, values, environment, tags, request.on_failure, request.timeout, dict(request.options))
        return wanted, plan

    def _deploy(self, region: Region, stack: Stack, wanted: Wanted, kind: str, token: str | None) -> None:
        stack.token = token
        deployment = Deployment(stack, region, self.clients, wanted, kind)
        stack.set(f"{kind}_IN_PROGRESS", "User Initiated")
        if kind == "UPDATE":
            stack.touch()
        deployment.start()

    def _environment(self, region: Region, stack: Stack, resolved: dict[str, Any]) -> Environment:
        pseudo = {
            "AWS::AccountId": ACCOUNT_ID, "AWS::NotificationARNs": stack.options.get("NotificationARNs", []),
            "AWS::Partition": PARTITION, "AWS::Region": region.name, "AWS::StackId": stack.id,
            "AWS::StackName": stack.name, "AWS::URLSuffix": "amazonaws.com",
        }  # fmt: skip

        def zones(name: str) -> list[str]:
            found = self.clients("ec2", name).describe_availability_zones()["AvailabilityZones"]
            return sorted(zone["ZoneName"] for zone in found)

        return Environment(pseudo, resolved, zones, lambda name: region.exports()[name][1])

    def _ssm(self, region: Region) -> Any:
        def read(name: str) -> str:
            ssm = self.clients("ssm", region.name)
            try:
                return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
            except ClientError as error:
                raise KeyError(name) from error

        return read

    @staticmethod
    def _check_updatable(stack: Stack) -> None:
        if stack.status not in UPDATABLE:
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
