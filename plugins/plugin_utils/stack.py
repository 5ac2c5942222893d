"""One CloudFormation stack: bring it to what its layer says from whatever state it is in, plan, delete, explain."""

from __future__ import annotations

import dataclasses
import enum
import re
import time
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed, Say, Wait
from plugins.plugin_utils.layers import Layer
from plugins.plugin_utils.plan.billed import Quantities
from plugins.plugin_utils.plan.model import CHANGE, NOTHING, UNKNOWN, StackChange
from plugins.plugin_utils.stack_events import (
    Events,
    Records,
    Stuck,
    Watch,
    WatcherFactory,
    describe,
    is_settled,
    reasons,
)
from plugins.plugin_utils.stack_plan import (
    CHANGE_SET_SECONDS,
    HOLDING_TYPES,
    NO_UPDATES,
    Loss,
    Plan,
    Planner,
    billed_now,
    billed_then,
    built,
    left_over,
    new_stack,
    outputs,
    parameters,
    request,
    resources_of,
    update_parameters,
)


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

RACES = 10
"""How often one run looks again because a stack is not what DescribeStacks has just shown."""
EXISTS = "AlreadyExistsException"
BUSY = re.compile(
    r"is in \w+ state and can ?not be (updated|rolled back)|can ?not continue its update rollback"
    rf"|{EXISTS}|UpdateStack operation: Stack .* does not exist"
)
"""Somebody else was faster (a run beside this one, or what a killed run left behind: Ansible's workers outlive it), or
DescribeStacks has shown what was before."""
HELD = re.compile(r"has a dependent object|has dependencies and cannot be deleted|mapped public address", re.IGNORECASE)
"""How EC2 says of a security group, a subnet or a VPC that something is in it still: a load balancer's interfaces go
some minutes after it. https://repost.aws/knowledge-center/troubleshoot-dependency-error-delete-vpc
"""
HELD_SECONDS = 300
"""For how long the deletion of what is held is tried again."""
STOP_SECONDS = 1_800
"""Within which a stopped operation is to be taken back."""
SETTLE_SECONDS = 120
"""For how long DescribeStacks may differ from the stack's events, with nothing under way."""


class Busy(Exception):
    """Somebody else is changing the stack."""

    def __str__(self) -> str:
        return "is being changed by another run. Let that end first, then type the same command again."


@dataclasses.dataclass
class Outcome:
    """What became of a layer.

    Attributes:
        changed: whether anything was (or, in check mode, would be) changed.
        outputs: the stack's outputs under their own names.
        plan: lines of the diff.
        losses: what holds data and would be replaced, removed or hidden.
        kept: resources that a deletion left in place.
        records: DNS records that somebody had to create.
        seconds: how long it took.
    """

    changed: bool = False
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    plan: list[str] = dataclasses.field(default_factory=list)
    losses: list[Loss] = dataclasses.field(default_factory=list)
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
        service: gives a client of another service in the same region (RDS to let go of a failed create,
            S3 to empty a bucket).
        wait: makes a `Wait`; replaced by tests.
        watchers: resource type → makes what explains it while it is in progress.

    Attributes:
        body: the template that it is deployed with, as `read` has seen it; None if it has never been through.
    """

    def __init__(
        self,
        layer: Layer,
        client: Any,
        say: Say,
        records: Records | None = None,
        service: Callable[[str], Any] | None = None,
        wait: Callable[[float, Say, str], Wait] = Wait,
        watchers: Mapping[str, WatcherFactory] = MappingProxyType({}),
    ) -> None:
        self.layer, self._client, self._service = layer, client, service
        self._say, self._wait = say, wait
        self._watch = Watch(layer, client, say, records or Records(), service, wait, watchers)
        self.outcome = Outcome(records=self._watch.asked)
        self._now: dict[str, Any] | None = None
        self._unseen = False  # whether there seemed to be no such stack
        self.body: Any = None

    def expects(self, seconds: Callable[[], float]) -> None:
        """Tell while it is waited for how much of these seconds is over; see `Watch.expected`."""
        self._watch.expected = seconds

    def describe(self) -> dict[str, Any] | None:
        """DescribeStacks of the stack, or None if there is none."""
        return describe(self._client, self.layer.stack)

    # Create or update

    def deploy(self, taken: Mapping[str, str], appeared: Callable[[], None] = lambda: None) -> Outcome:
        """Bring the stack to what the layer says.

        Args:
            taken: values of the parameters that come from other layers.
            appeared: called before the update of a stack that was not there when it was read, and so was not looked at.

        Raises:
            Failed: with the failing resource's own reason.
        """
        wait = self._wait(self.layer.timeout, self._say, self.layer.name)
        for _ in range(RACES):
            try:
                return self._deploy(taken, appeared)
            except Busy:
                pass
            except ClientError as error:
                if not BUSY.search(str(error)):
                    raise
                self._unseen = self._unseen or error.response["Error"]["Code"] == EXISTS
            self._say(self.layer.name, "is being changed by another run: waiting for that", "yellow")
            if not wait.pause("another run"):
                break
        raise Failed(f"{self.layer.stack} is being changed by another run all the time. Let that end first.")

    def _deploy(self, taken: Mapping[str, str], appeared: Callable[[], None]) -> Outcome:
        now = self._recover()
        if now is None or now["StackStatus"] == "DELETE_COMPLETE":
            now = self._create(taken)
            if self.layer.first:
                self._say(self.layer.name, f"created; now with {', '.join(self.layer.first)} as it is to stay")
                now = self._update(now, taken)
        else:
            if self._unseen:
                self._unseen = False
                appeared()
            now = self._update(now, taken)
        self._protect(now)
        self.outcome.outputs = outputs(now)
        return self.outcome

    def _recover(self) -> dict[str, Any] | None:
        """Get the stack into a state from which it can be created or updated; its description then."""
        # What `read` has just shown is asked again only once it has proved wrong.
        now, self._now = self._now or self.describe(), None
        for _ in range(RECOVERIES):
            step = STEPS[now["StackStatus"]] if now else Step.CREATE
            if now is None or step in (Step.CREATE, Step.UPDATE):
                return now
            status = now["StackStatus"]
            if step is Step.REFUSE:
                raise Failed(_refusal(self.layer.stack, status))
            self._say(self.layer.name, f"is {status}: {step.value}", "yellow")
            if step is Step.WAIT:
                now = self._wait_for_others(now)
            elif step is Step.DELETE:
                self._clear(now)
                now = None
            else:
                now = self._continue_rollback(now, step)
        raise Failed(f"{self.layer.stack} does not recover: it is {now['StackStatus'] if now else 'gone'} again.")

    def _wait_for_others(self, now: dict[str, Any]) -> dict[str, Any]:
        """Wait for an operation that was under way already; one that is stuck is stopped, so that ours can follow."""
        events = Events(self._client, now["StackId"], None, now.get("LastUpdatedTime") or now.get("CreationTime"))
        try:
            return self._watch.until_over(now, events)
        except Stuck as stuck:
            self._say(self.layer.name, f"{stuck}\n{stuck.why}".rstrip(), "red")
            return self._stop(now, events, stuck)[0]

    def _await(self, now: dict[str, Any], events: Events, wanted: str) -> dict[str, Any]:
        """Wait for an operation of ours, which must end in the state `wanted`."""
        try:
            now = self._watch.until_over(now, events)
        except Stuck as stuck:
            now, done = self._stop(now, events, stuck)
            if now["StackStatus"] != wanted:
                raise Failed(f"{stuck}. {done}\n{stuck.why}".rstrip()) from None
        if now["StackStatus"] != wanted:
            because = reasons(events.all) or now.get("StackStatusReason") or now["StackStatus"]
            raise Failed(f"{because}\n{self._watch.why()}".rstrip())
        return now

    def _stop(self, now: dict[str, Any], events: Events, stuck: Stuck) -> tuple[dict[str, Any], str]:
        """Take back an operation that is stuck; the stack's description then, and a sentence about what was done.

        Raises:
            Failed: it is the create of something that holds data: whether that may go is for a person to say.
        """
        if (events.status or now.get("StackStatus", "CREATE_IN_PROGRESS")) == "CREATE_IN_PROGRESS":
            kept = sorted(
                {resource.get("Type", "") for resource in self.layer.template.resources.values()} & HOLDING_TYPES
            )
            if kept:
                raise Failed(
                    f"{stuck}. It goes on by itself, as it makes what holds data ({', '.join(kept)}).\n{stuck.why}"
                )
            self._say(self.layer.name, "the create is stopped: what it has made is taken back", "yellow")
            return self._delete_and_wait(now), "What the create had made was taken back."
        token = _token()
        self._say(self.layer.name, "the update is cancelled: what was before is put back", "yellow")
        try:
            self._client.cancel_update_stack(StackName=now["StackId"], ClientRequestToken=token)
        except ClientError as error:
            if "CancelUpdateStack cannot be called" not in str(error):
                raise  # else it has just come to its end
        now = self._watch.until_over(now, events, stopping=STOP_SECONDS)
        status = now["StackStatus"]
        if status != "UPDATE_ROLLBACK_COMPLETE":
            return now, f"The update was cancelled, but could not be taken back: {reasons(events.all) or status}."
        return now, "The update was cancelled: the site goes on with what it had before."

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
        if now["StackStatus"] == "DELETE_FAILED":
            self._empty_buckets(now)
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

    def _continue_rollback(self, now: dict[str, Any], step: Step) -> dict[str, Any]:
        token = _token()
        call = self._client.continue_update_rollback if step is Step.CONTINUE else self._client.rollback_stack
        call(StackName=now["StackId"], ClientRequestToken=token)
        self.outcome.changed = True
        events = Events(self._client, now["StackId"], token)
        now = self._watch.until_over(now, events)
        if now["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
            raise Failed(
                f"its rollback fails again: {reasons(events.all) or now.get('StackStatusReason', 'no reason given')}. "
                f"Put that right by hand, or let the rollback pass over it: aws cloudformation "
                f"continue-update-rollback --stack-name {self.layer.stack} --resources-to-skip <logical id>"
            )
        return now

    def _create(self, taken: Mapping[str, str]) -> dict[str, Any]:
        values = {**self.layer.parameters, **taken, **self.layer.first}
        missing = [
            name
            for name, declared in self.layer.template.parameters.items()
            if not (name in values or "Default" in declared)
        ]
        if missing:
            raise Failed(f"{', '.join(missing)} must be given for the first create: there is no stack to keep it from.")
        token = _token()
        stack = self._client.create_stack(**request(self.layer, parameters(values)), ClientRequestToken=token)[
            "StackId"
        ]
        self.outcome.changed = True
        return self._await({"StackId": stack}, Events(self._client, stack, token), "CREATE_COMPLETE")

    def _update(self, now: dict[str, Any], taken: Mapping[str, str]) -> dict[str, Any]:
        token = _token()
        asked = request(self.layer, update_parameters(self.layer, now, taken))
        try:
            self._client.update_stack(**asked, ClientRequestToken=token)
        except ClientError as error:
            if NO_UPDATES.search(str(error)):
                return self._settled(now)
            raise
        self.outcome.changed = True
        return self._await(now, Events(self._client, now["StackId"], token), "UPDATE_COMPLETE")

    def _settled(self, now: dict[str, Any]) -> dict[str, Any]:
        """The description of a stack that needs no update, as new as its events: another run may just have updated it.

        Raises:
            Busy: somebody is changing it.
        """
        wait = self._wait(SETTLE_SECONDS, self._say, self.layer.name)
        while not (settled := is_settled(self._client, now)):
            if settled is None:
                raise Busy
            if not wait.pause("DescribeStacks to show what the events say"):
                self._say(self.layer.name, "its description and its events differ; the description is taken", "yellow")
                break
            now = self.describe() or now
        return now

    def _protect(self, now: dict[str, Any] | None) -> None:
        """Switch termination protection as the layer says, after the create is through."""
        wanted = self.layer.protect
        if wanted is None or now is None or bool(now.get("EnableTerminationProtection")) == wanted:
            return
        self._client.update_termination_protection(StackName=self.layer.stack, EnableTerminationProtection=wanted)
        self.outcome.changed = True
        self._say(self.layer.name, f"termination protection {'on' if wanted else 'off'}")

    # Plan

    def read(self) -> None:
        """Read the stack as it is: for `look`, and for the `deploy` after it."""
        self._now = self.describe()
        self._unseen = self._now is None
        status = self._now["StackStatus"] if self._now else "DELETE_COMPLETE"
        there = STEPS[status] is Step.UPDATE or status.startswith("UPDATE_")
        self.body = self._client.get_template(StackName=self.layer.stack)["TemplateBody"] if there else None

    def billed(self) -> tuple[Quantities, Quantities]:
        """What it is billed for as it is, and as the layer says; after `read`."""
        return billed_now(self._now, self.body), billed_then(self.layer, self._now)

    def settle(self) -> None:
        """Bring what is under way to its end, as nothing can be known of a stack in the middle of something.

        Raises:
            Failed: as `deploy`.
        """
        now = self._now
        step = STEPS[now["StackStatus"]] if now else Step.CREATE
        if now is None or step not in (Step.WAIT, Step.CONTINUE, Step.ROLL_BACK):
            return
        self._say(self.layer.name, f"is {now['StackStatus']}: {step.value}", "yellow")
        if step is Step.WAIT:
            self._wait_for_others(now)
        else:
            self._continue_rollback(now, step)
        self.read()

    def look(
        self,
        taken: Mapping[str, str],
        uncertain: frozenset[str] = frozenset(),
        layers: Mapping[str, Layer] = MappingProxyType({}),
        thoroughly: bool = True,
    ) -> Plan:
        """What `deploy` would change and lose, without changing anything; after `read`.

        Args:
            taken: values of the parameters that come from other layers, as far as they are known.
            uncertain: the other ones.
            layers: those that this one may take from, or give to.
            thoroughly: whether a change set is made for all that differs, in tags even, and not only where data is
                concerned.

        Raises:
            Busy: somebody has begun to change it.
            Failed: the stack is in a state, or the template in a shape, in which it could not be deployed.
        """
        now, layer = self._now, self.layer
        if now is None or STEPS[now["StackStatus"]] in (Step.CREATE, Step.DELETE):
            again = f" (it is {now['StackStatus']}: {Step.DELETE.value})" if now and _is_left(now) else ""
            rows, detail = new_stack(layer, again)
            # What a first create left is nobody's data yet; what a deletion could not take away may be.
            undeleted = now is not None and now["StackStatus"] == "DELETE_FAILED"
            losses = left_over(layer, self._resources(now["StackId"])) if now and undeleted else []
            return Plan(changed=True, rows=rows, losses=losses, detail=detail)
        step = STEPS[now["StackStatus"]]
        if step is Step.REFUSE:
            raise Failed(_refusal(layer.stack, now["StackStatus"]))
        planner = Planner(layer, self._client, self._wait(CHANGE_SET_SECONDS, self._say, layer.name), layers)
        if step is not Step.UPDATE:
            said = f"is {now['StackStatus']}: {step.value}; what changes then is not known"
            return Plan(
                True,
                rows=[f"~ stack {layer.stack} {said}"],
                losses=planner.pointing(now, self.body, taken, uncertain),
                outputs=outputs(now),
                detail=StackChange(layer.name, layer.stack, UNKNOWN, notes=[said]),
            )
        try:
            plan = planner.plan(now, self.body, taken, uncertain, thoroughly)
        except ClientError as error:
            if BUSY.search(str(error)):
                raise Busy from None
            raise
        if layer.protect is not None and bool(now.get("EnableTerminationProtection")) != layer.protect:
            said = f"termination protection {'on' if layer.protect else 'off'}"
            plan.rows.append(f"~ stack {layer.stack}: {said}")
            plan.changed = True
            if plan.detail:
                plan.detail.action = CHANGE if plan.detail.action == NOTHING else plan.detail.action
                plan.detail.notes.append(said)
        return plan

    # Delete

    def plan_deletion(self) -> Outcome:
        """What `delete` would remove, and what it would leave."""
        now = self.describe()
        if now is None:
            return self.outcome
        retained = self._retained(now)
        self.outcome.changed = True
        self.outcome.outputs = outputs(now)
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
            now = self._wait_for_others(now)
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
        self._empty_buckets(now)
        self._delete_and_wait(now)
        self.outcome.changed = True
        return self.outcome

    def _empty_buckets(self, now: Mapping[str, Any]) -> None:
        """Take out what the next run makes again: a bucket that is not empty stops the deletion of its stack.

        Raises:
            Failed: S3 keeps something.
        """
        if self._service is None:
            return
        names = built(self._deployed_resources(now))
        for resource in self._resources(now["StackId"]) if names else []:
            bucket = resource.get("PhysicalResourceId")
            mine = resource["LogicalResourceId"] in names and resource["ResourceType"] == "AWS::S3::Bucket"
            if mine and bucket and resource["ResourceStatus"] != "DELETE_COMPLETE":
                self._empty(self._service("s3"), bucket)

    def _empty(self, s3: Any, bucket: str) -> None:
        try:
            # Versions also where none are kept: each object is one then, and a patch may have asked for more.
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
                if not keys:
                    continue
                self._say(self.layer.name, f"taking {len(keys)} built files out of {bucket}")
                left = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True}).get("Errors")
                if left:
                    raise Failed(f"{bucket} cannot be emptied: {left[0]['Key']}: {left[0].get('Message')}")
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise

    def _delete_and_wait(self, now: dict[str, Any]) -> dict[str, Any]:
        wait: Wait | None = None
        while True:
            token = _token()
            self._client.delete_stack(StackName=now["StackId"], ClientRequestToken=token)
            events = Events(self._client, now["StackId"], token)
            now = self._watch.until_over(now, events, stopping=self.layer.timeout)
            if now["StackStatus"] == "DELETE_COMPLETE":
                break
            why = reasons(events.all) or now.get("StackStatusReason") or now["StackStatus"]
            wait = wait or self._wait(HELD_SECONDS, self._say, self.layer.name)
            if not HELD.search(why) or not wait.pause("what holds it to go"):
                raise Failed(f"cannot be deleted: {why}")
            wait.tell("is held by what AWS lets go of some minutes later: deleting it again", "yellow")
        for event in (each for each in events.all if each["ResourceStatus"] == "DELETE_SKIPPED"):
            row = f"{self.layer.name}.{event['LogicalResourceId']} ({event['ResourceType']})"
            self.outcome.kept.append(f"{row} {event.get('PhysicalResourceId', '')}".strip())
        return now

    def _retained(self, now: Mapping[str, Any]) -> frozenset[str]:
        """Logical ids that a deletion of the deployed stack leaves in place."""
        policies = {
            name: (declared or {}).get("DeletionPolicy") for name, declared in self._deployed_resources(now).items()
        }
        return frozenset(name for name, policy in policies.items() if policy in ("Retain", "RetainExceptOnCreate"))

    def _deployed_resources(self, now: Mapping[str, Any]) -> Mapping[str, Any]:
        """Logical id → resource, of the template that a stack is deployed with."""
        if now["StackStatus"] == "REVIEW_IN_PROGRESS":
            return {}
        return resources_of(self._client.get_template(StackName=now["StackId"])["TemplateBody"])

    def _resources(self, stack: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=stack)
        return [resource for page in pages for resource in page["StackResourceSummaries"]]


def _token() -> str:
    """Lets a call that botocore repeats be recognized as the same one."""
    return f"berth-{time.time_ns()}-{uuid.uuid4().hex[:8]}"


def _is_left(now: Mapping[str, Any]) -> bool:
    return STEPS[now["StackStatus"]] is Step.DELETE


def _refusal(stack: str, status: str) -> str:
    return (
        f"{stack} is {status}: somebody imports resources into it by hand. Finish that first (in the console, or with "
        f"aws cloudformation describe-stack-events --stack-name {stack}), then type the same command again."
    )
