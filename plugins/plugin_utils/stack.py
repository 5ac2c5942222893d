"""One CloudFormation stack: bring it to what its layer says from whatever state it is in, plan, delete, explain."""

from __future__ import annotations

import dataclasses
import enum
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed, Say, Wait
from plugins.plugin_utils.layers import Layer, Template
from plugins.plugin_utils.stack_events import Events, Records, Watch, describe, reasons
from plugins.plugin_utils.stack_plan import (
    NO_UPDATES,
    REPLACEMENT,
    change_row,
    declared,
    loses_state,
    parameter_rows,
    read_change_set,
)

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


class Step(enum.Enum):
    """What to do next with a stack in a certain state."""

    CREATE = "create it"
    UPDATE = "update it"
    WAIT = "wait until what is under way is over"
    DELETE = "delete what is left of it, then create it anew"
    CONTINUE = "continue its rollback, then update it"
    ROLL_BACK = "roll it back, then update it"
    REFUSE = "leave it to a person"


STEPS: dict[str, Step] = {
    "CREATE_IN_PROGRESS": Step.WAIT,
    "CREATE_COMPLETE": Step.UPDATE,
    # A first create that failed, with or without its rollback: such a stack can only be deleted.
    "CREATE_FAILED": Step.DELETE,
    "ROLLBACK_IN_PROGRESS": Step.WAIT,
    "ROLLBACK_COMPLETE": Step.DELETE,
    "ROLLBACK_FAILED": Step.DELETE,
    # Left by a change set of type CREATE; there are no resources.
    "REVIEW_IN_PROGRESS": Step.DELETE,
    "UPDATE_IN_PROGRESS": Step.WAIT,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": Step.WAIT,
    "UPDATE_COMPLETE": Step.UPDATE,
    # Only after an update with rollback disabled, which is not ours.
    "UPDATE_FAILED": Step.ROLL_BACK,
    "UPDATE_ROLLBACK_IN_PROGRESS": Step.WAIT,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": Step.WAIT,
    "UPDATE_ROLLBACK_COMPLETE": Step.UPDATE,
    "UPDATE_ROLLBACK_FAILED": Step.CONTINUE,
    "DELETE_IN_PROGRESS": Step.WAIT,
    "DELETE_FAILED": Step.DELETE,
    "DELETE_COMPLETE": Step.CREATE,
    # An import is somebody's work by hand (adopting a retained file system, say); once complete, the stack is as any.
    "IMPORT_IN_PROGRESS": Step.REFUSE,
    "IMPORT_COMPLETE": Step.UPDATE,
    "IMPORT_ROLLBACK_IN_PROGRESS": Step.REFUSE,
    "IMPORT_ROLLBACK_FAILED": Step.REFUSE,
    "IMPORT_ROLLBACK_COMPLETE": Step.REFUSE,
}
"""Every state of a stack (botocore's enumeration; a test compares them) and what comes next.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

FIRST_CREATE_FAILED = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
RECOVERIES = 4
"""How many recovery steps one run may take; more means that the stack falls back each time."""

BUSY = re.compile(r"_IN_PROGRESS state and can ?not be updated|AlreadyExistsException")
"""Somebody else was faster: a run beside this one, or what a killed run left behind (Ansible's workers outlive it)."""


@dataclasses.dataclass
class Outcome:
    """What became of a layer.

    Attributes:
        changed: whether anything was (or, in check mode, would be) changed.
        outputs: the stack's outputs under their own names.
        plan: lines of the diff.
        replaces: stateful resources that would be replaced or removed.
        kept: resources that a deletion left in place.
        records: DNS records that somebody had to create.
        seconds: how long it took.
    """

    changed: bool = False
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    plan: list[str] = dataclasses.field(default_factory=list)
    replaces: list[dict[str, str]] = dataclasses.field(default_factory=list)
    kept: list[str] = dataclasses.field(default_factory=list)
    records: list[dict[str, str]] = dataclasses.field(default_factory=list)
    seconds: float = 0.0


class Stack:
    """The stack of one layer.

    Args:
        layer: what it is to be.
        client: boto3's `cloudformation` client of its region.
        say: shows a line of progress.
        records: shared between the stacks of a run.
        service: gives a client of another service in the same region (RDS to let go of a failed create).
        wait: makes a `Wait`; replaced by tests.
    """

    def __init__(
        self,
        layer: Layer,
        client: Any,
        say: Say,
        records: Records | None = None,
        service: Callable[[str], Any] | None = None,
        wait: Callable[[float, Say, str], Wait] = Wait,
    ) -> None:
        self.layer, self._client, self._service = layer, client, service
        self._say, self._wait = say, wait
        self._watch = Watch(layer, client, say, records or Records(), wait)
        self.outcome = Outcome(records=self._watch.asked)

    def describe(self) -> dict[str, Any] | None:
        """DescribeStacks of the stack, or None if there is none."""
        return describe(self._client, self.layer.stack)

    # Create or update

    def deploy(self, taken: Mapping[str, str]) -> Outcome:
        """Bring the stack to what the layer says.

        Args:
            taken: values of the parameters that come from other layers.

        Raises:
            Failed: with the failing resource's own reason.
        """
        for _ in range(RECOVERIES):
            try:
                return self._deploy(taken)
            except ClientError as error:
                if not BUSY.search(str(error)):
                    raise
                self._say(self.layer.name, "is being changed by another run: waiting for that", "yellow")
        raise Failed(f"{self.layer.stack} is being changed by another run all the time. Let that end first.")

    def _deploy(self, taken: Mapping[str, str]) -> Outcome:
        now = self._recover()
        if now is None or now["StackStatus"] == "DELETE_COMPLETE":
            self._create(taken)
            now = self.describe()
            if self.layer.first:
                self._say(self.layer.name, f"created; now with {', '.join(self.layer.first)} as it is to stay")
                now = self._update(now or {}, taken)
        else:
            now = self._update(now, taken)
        self._protect(now)
        self.outcome.outputs = _outputs(now)
        return self.outcome

    def _recover(self) -> dict[str, Any] | None:
        """Get the stack into a state from which it can be created or updated; its description then."""
        for _ in range(RECOVERIES):
            now = self.describe()
            step = STEPS[now["StackStatus"]] if now else Step.CREATE
            if now is None or step in (Step.CREATE, Step.UPDATE):
                return now
            status = now["StackStatus"]
            if step is Step.REFUSE:
                raise Failed(_refusal(self.layer.stack, status))
            self._say(self.layer.name, f"is {status}: {step.value}", "yellow")
            if step is Step.WAIT:
                self._watch.until_over(now, Events(self._client, now["StackId"], self._watch.newest(now)), past=True)
            elif step is Step.DELETE:
                self._clear(now)
            else:
                self._continue_rollback(now, step)
        raise Failed(
            f"{self.layer.stack} does not recover: it is {(self.describe() or {}).get('StackStatus')} again."
        )

    def _clear(self, now: dict[str, Any]) -> None:
        """Delete what is left of a failed stack."""
        if now.get("EnableTerminationProtection"):
            raise Failed(
                f"{self.layer.stack} is {now['StackStatus']} and has to be deleted, but is protected against it. Type: "
                f"aws cloudformation update-termination-protection --no-enable-termination-protection "
                f"--stack-name {self.layer.stack}"
            )
        if now["StackStatus"] in FIRST_CREATE_FAILED:
            self._release_databases(now)
        self._delete_and_wait(now)
        self.outcome.changed = True

    def _release_databases(self, now: dict[str, Any], keep: frozenset[str] = frozenset()) -> None:
        """Switch off the deletion protection of the stack's databases, but for the logical ids in `keep`.

        A protected database makes the rollback of a first create fail, and the deletion after it as well.
        """
        if self._service is None:
            return
        rds = None
        for resource in self._resources(now["StackId"]):
            mine = resource["ResourceType"] == "AWS::RDS::DBInstance" and resource.get("PhysicalResourceId")
            if not mine or resource["ResourceStatus"] == "DELETE_COMPLETE" or resource["LogicalResourceId"] in keep:
                continue
            rds = rds or self._service("rds")
            identifier = resource["PhysicalResourceId"]
            try:
                found = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
            except ClientError as error:
                if error.response["Error"]["Code"] in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
                    continue
                raise
            if found.get("DeletionProtection"):
                self._say(self.layer.name, f"switching off the deletion protection of {identifier}", "yellow")
                rds.modify_db_instance(DBInstanceIdentifier=identifier, DeletionProtection=False, ApplyImmediately=True)

    def _continue_rollback(self, now: dict[str, Any], step: Step) -> None:
        events = Events(self._client, now["StackId"], self._watch.newest(now))
        if step is Step.CONTINUE:
            self._client.continue_update_rollback(StackName=now["StackId"])
        else:
            self._client.rollback_stack(StackName=now["StackId"])
        self.outcome.changed = True
        now = self._watch.until_over(now, events)
        if now["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
            raise Failed(
                f"its rollback fails again: {reasons(events.all) or now.get('StackStatusReason', 'no reason given')}. "
                f"Put that right by hand, or let the rollback pass over it: aws cloudformation "
                f"continue-update-rollback --stack-name {self.layer.stack} --resources-to-skip <logical id>"
            )

    def _create(self, taken: Mapping[str, str]) -> None:
        values = {**self.layer.parameters, **taken, **self.layer.first}
        missing = [
            name
            for name, declared in self.layer.template.parameters.items()
            if not (name in values or "Default" in declared)
        ]
        if missing:
            raise Failed(f"{', '.join(missing)} must be given for the first create: there is no stack to keep it from.")
        self.outcome.changed = True
        stack = self._client.create_stack(**self._request(_parameters(values)), ClientRequestToken=_token())["StackId"]
        events = Events(self._client, stack, None)
        now = self._watch.until_over({"StackId": stack}, events)
        if now["StackStatus"] != "CREATE_COMPLETE":
            raise Failed(reasons(events.all) or now.get("StackStatusReason") or now["StackStatus"])

    def _update(self, now: dict[str, Any], taken: Mapping[str, str]) -> dict[str, Any]:
        events = Events(self._client, now["StackId"], self._watch.newest(now))
        request = self._request(self._update_parameters(now, taken))
        try:
            self._client.update_stack(**request, ClientRequestToken=_token())
        except ClientError as error:
            if NO_UPDATES.search(str(error)):
                return now
            raise
        self.outcome.changed = True
        now = self._watch.until_over(now, events)
        if now["StackStatus"] != "UPDATE_COMPLETE":
            raise Failed(reasons(events.all) or now.get("StackStatusReason") or now["StackStatus"])
        return now

    def _update_parameters(
        self, now: Mapping[str, Any], taken: Mapping[str, str], unknown: frozenset[str] = frozenset()
    ) -> list[dict[str, Any]]:
        """The parameters of an update: what is kept and what is not known yet stays as it is."""
        present = {parameter["ParameterKey"] for parameter in now.get("Parameters", [])}
        previous = {name for name in (*self.layer.keep, *unknown) if name in present}
        values = {name: value for name, value in {**self.layer.parameters, **taken}.items() if name not in previous}
        return _parameters(values) + [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(previous)]

    def _request(self, parameters: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "StackName": self.layer.stack,
            "Parameters": parameters,
            "Capabilities": CAPABILITIES,
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(self.layer.tags.items())],
            "TemplateBody": self.layer.template.body,
        }

    def _protect(self, now: dict[str, Any] | None) -> None:
        """Switch termination protection as the layer says, after the create is through."""
        wanted = self.layer.protect
        if wanted is None or now is None or bool(now.get("EnableTerminationProtection")) == wanted:
            return
        self._client.update_termination_protection(StackName=self.layer.stack, EnableTerminationProtection=wanted)
        self.outcome.changed = True
        self._say(self.layer.name, f"termination protection {'on' if wanted else 'off'}")

    # Plan

    def plan(self, taken: Mapping[str, str], unknown: frozenset[str]) -> Outcome:
        """What `deploy` would change, without changing anything (a change set is made and deleted).

        Args:
            taken: values of the parameters that come from other layers, as far as they are known.
            unknown: the other ones.

        Raises:
            Failed: the stack is in a state, or the template in a shape, in which it could not be deployed.
        """
        now = self.describe()
        step = STEPS[now["StackStatus"]] if now else Step.CREATE
        plan = self.outcome.plan
        if now is not None and step is Step.REFUSE:
            raise Failed(_refusal(self.layer.stack, now["StackStatus"]))
        if now is None or step in (Step.CREATE, Step.DELETE):
            again = f" (it is {now['StackStatus']}: {step.value})" if now and step is Step.DELETE else ""
            plan.append(f"+ stack {self.layer.stack}{again}")
            plan += [f"+ {self.layer.name}.{row}" for row in declared(self.layer.template)]
            self.outcome.changed = True
            return self.outcome
        self.outcome.outputs = _outputs(now)
        if step is not Step.UPDATE:
            plan.append(
                f"~ stack {self.layer.stack} is {now['StackStatus']}: {step.value}; what changes then is not known"
            )
            self.outcome.changed = True
            return self.outcome
        missing = unknown - {parameter["ParameterKey"] for parameter in now.get("Parameters", [])}
        if missing:
            plan.append(
                f"~ stack {self.layer.stack} gets {', '.join(sorted(missing))}, known only after the layers before"
            )
            self.outcome.changed = True
            return self.outcome
        self._plan_update(now, taken, unknown)
        if self.layer.protect is not None and bool(now.get("EnableTerminationProtection")) != self.layer.protect:
            plan.append(f"~ stack {self.layer.stack}: termination protection {'on' if self.layer.protect else 'off'}")
            self.outcome.changed = True
        return self.outcome

    def _plan_update(self, now: dict[str, Any], taken: Mapping[str, str], unknown: frozenset[str]) -> None:
        parameters = self._update_parameters(now, taken, unknown)
        change_set = self._client.create_change_set(
            **self._request(parameters), ChangeSetName=f"plan-{uuid.uuid4().hex}", ChangeSetType="UPDATE"
        )["Id"]
        try:
            found, changes = read_change_set(self._client, change_set, self._wait(300, self._say, self.layer.name))
        finally:
            self._client.delete_change_set(ChangeSetName=change_set)
        if found["Status"] == "FAILED":
            if NO_UPDATES.search(found.get("StatusReason", "")):
                return
            raise Failed(found.get("StatusReason") or "its change set failed")
        self.outcome.changed = True
        self.outcome.plan += parameter_rows(self.layer, now, parameters)
        for change in changes:
            self.outcome.plan.append(change_row(self.layer.name, change))
            if loses_state(change):
                self.outcome.replaces.append(
                    {
                        "layer": self.layer.name,
                        "resource": change["LogicalResourceId"],
                        "type": change["ResourceType"],
                        "physical_id": change.get("PhysicalResourceId", ""),
                        "how": "removed" if change["Action"] == "Remove" else REPLACEMENT[change["Replacement"]],
                    }
                )
        if not changes and not self.outcome.plan:
            self.outcome.plan.append(f"~ stack {self.layer.stack}: tags or outputs only")

    # Delete

    def plan_deletion(self) -> Outcome:
        """What `delete` would remove, and what it would leave."""
        now = self.describe()
        if now is None:
            return self.outcome
        retained = self._retained(now)
        self.outcome.changed = True
        self.outcome.outputs = _outputs(now)
        self.outcome.plan.append(f"- stack {self.layer.stack}")
        for resource in self._resources(now["StackId"]):
            if resource["ResourceStatus"] == "DELETE_COMPLETE":
                continue
            row = f"{self.layer.name}.{resource['LogicalResourceId']} ({resource['ResourceType']})"
            physical = resource.get("PhysicalResourceId", "")
            if resource["LogicalResourceId"] in retained:
                self.outcome.kept.append(f"{row} {physical}".strip())
                self.outcome.plan.append(f"= {row} stays: {physical}")
            else:
                self.outcome.plan.append(f"- {row}")
        return self.outcome

    def delete(self, unprotect: bool = False) -> Outcome:
        """Delete the stack; what its template retains stays.

        Args:
            unprotect: whether to switch off the termination protection of the stack, and the deletion protection of
                databases in it that are to go.

        Raises:
            Failed: with the failing resource's own reason, or because it is protected.
        """
        now = self.describe()
        # A create may be interrupted (a certificate waits for its validation for days); an update may not.
        if now and STEPS[now["StackStatus"]] is Step.WAIT and now["StackStatus"] != "CREATE_IN_PROGRESS":
            self._say(self.layer.name, f"is {now['StackStatus']}: {Step.WAIT.value}", "yellow")
            now = self._watch.until_over(now, Events(self._client, now["StackId"], self._watch.newest(now)))
        if now is None or now["StackStatus"] == "DELETE_COMPLETE":
            return self.outcome
        if now.get("EnableTerminationProtection"):
            if not unprotect:
                raise Failed(
                    f"{self.layer.stack} is protected against deletion; only teardown (unprotect) may lift that."
                )
            self._client.update_termination_protection(StackName=self.layer.stack, EnableTerminationProtection=False)
        if unprotect:
            self._release_databases(now, keep=self._retained(now))
        self._delete_and_wait(now)
        self.outcome.changed = True
        return self.outcome

    def _delete_and_wait(self, now: dict[str, Any]) -> None:
        events = Events(self._client, now["StackId"], self._watch.newest(now))
        self._client.delete_stack(StackName=now["StackId"])
        now = self._watch.until_over(now, events, gone=True)
        skipped = [event for event in events.all if event["ResourceStatus"] == "DELETE_SKIPPED"]
        for event in skipped:
            row = f"{self.layer.name}.{event['LogicalResourceId']} ({event['ResourceType']})"
            self.outcome.kept.append(f"{row} {event.get('PhysicalResourceId', '')}".strip())
        if now["StackStatus"] != "DELETE_COMPLETE":
            raise Failed(
                f"cannot be deleted: {reasons(events.all) or now.get('StackStatusReason') or now['StackStatus']}"
            )

    def _retained(self, now: Mapping[str, Any]) -> frozenset[str]:
        """Logical ids that a deletion of the deployed stack leaves in place."""
        if now["StackStatus"] == "REVIEW_IN_PROGRESS":
            return frozenset()
        body = self._client.get_template(StackName=now["StackId"])["TemplateBody"]
        resources = body["Resources"] if isinstance(body, Mapping) else Template.read(body).resources
        policies = {name: (declared or {}).get("DeletionPolicy") for name, declared in resources.items()}
        return frozenset(name for name, policy in policies.items() if policy in ("Retain", "RetainExceptOnCreate"))

    def _resources(self, stack: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=stack)
        return [resource for page in pages for resource in page["StackResourceSummaries"]]


def _token() -> str:
    """Lets a call that botocore repeats be recognized as the same one."""
    return f"berth-{time.time_ns()}-{uuid.uuid4().hex[:8]}"


def _parameters(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def _outputs(now: Mapping[str, Any] | None) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in (now or {}).get("Outputs", [])}


def _refusal(stack: str, status: str) -> str:
    return (
        f"{stack} is {status}: somebody imports resources into it by hand. Finish that first (in the console, or with "
        f"aws cloudformation describe-stack-events --stack-name {stack}), then type the same command again."
    )
