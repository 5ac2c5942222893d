"""EventBridge Scheduler's real half: runs the schedules that moto keeps, when they are due."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from moto.scheduler.models import scheduler_backends

from local_aws.access import roles
from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID
from local_aws.part import Health, Part
from local_aws.patches.scheduler import trusted
from local_aws.schedules import expressions, target

BACKOFF_SECONDS = 480
"""The longest wait between two attempts: AWS says no more than that they are ever further apart; with its defaults,
185 retries then fill the day."""
MOMENT = timedelta(microseconds=1)


@dataclass
class Timeline:
    """Where one version of a schedule is.

    Attributes:
        began: when this version was made, or its StartDate; rates are counted from there.
        seen: up to when its times were looked at.
        upcoming: its next time; None if there is none any more.
        trouble: what became of its last start, if that went wrong.
    """

    began: datetime
    seen: datetime
    upcoming: datetime | None = None
    trouble: str = ""


@dataclass
class Invocation:
    """One start of a target, until it succeeded or was given up.

    Attributes:
        schedule: moto's record.
        settings: its target as it was when it fell due.
        scheduled: the time that the expression named.
        first, due: when to try first, and next.
        attempts: how often it was tried.
    """

    schedule: Any
    settings: dict[str, Any]
    scheduled: datetime
    first: datetime
    due: datetime
    attempts: int = 0
    identity: str = field(default_factory=lambda: uuid.uuid4().hex[:16])

    @property
    def at(self) -> str:
        """The scheduled time as AWS writes it."""
        return self.scheduled.strftime("%Y-%m-%dT%H:%M:%SZ")

    def request(self) -> dict[str, Any]:
        """The RunTask request of this attempt."""
        context = {
            "schedule-arn": self.schedule.arn,
            "scheduled-time": self.at,
            "execution-id": self.identity,
            "attempt-number": str(self.attempts),
        }
        return target.request(self.schedule.name, self.settings, context)

    def exhausted(self, now: datetime) -> str:
        """Which limit of the retry policy forbids another attempt; empty if none does."""
        policy = self.settings.get("RetryPolicy") or {}
        if self.attempts > int(policy.get("MaximumRetryAttempts", target.DEFAULT_RETRIES)):
            return "MaximumRetryAttempts"
        age = timedelta(seconds=int(policy.get("MaximumEventAgeInSeconds", target.DEFAULT_AGE_SECONDS)))
        return "MaximumEventAgeInSeconds" if now > self.first + age else ""


@dataclass(frozen=True)
class Failure:
    """Why a start failed: an error code of AWS and its message."""

    code: str
    message: str


class Schedules(Part):
    """Starts what is due and retries it; what cannot be started goes to its dead-letter queue.

    Args:
        cloud: the embedded AWS.
        clock: seconds since the epoch.
        offset: of a flexible window of so many seconds, how many to wait.
    """

    name = "schedules"

    def __init__(
        self,
        cloud: Cloud,
        clock: Callable[[], float] = time.time,
        offset: Callable[[float], float] = lambda seconds: random.uniform(0, seconds),
    ) -> None:
        super().__init__(cloud)
        self._clock = clock
        self._offset = offset
        self._timelines: dict[tuple[str, float], Timeline] = {}
        self._pending: list[Invocation] = []

    def reconcile(self) -> None:
        """Take up what has fallen due, then try what is to be tried now."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        found = self._schedules()
        kept = {(schedule.arn, schedule.last_modified_date): schedule for _, schedule in found}
        self._timelines = {key: line for key, line in self._timelines.items() if key in kept}
        enabled = {schedule.arn for schedule in kept.values() if schedule.state == "ENABLED"}
        self._pending = [each for each in self._pending if each.schedule.arn in enabled]
        for key, schedule in kept.items():
            if key not in self._timelines:
                self._timelines[key] = timeline = _begin(schedule)
                timeline.upcoming = _next(schedule, timeline)
            if schedule.state == "ENABLED":
                self._take_up(schedule, self._timelines[key], now)
        for invocation in [each for each in self._pending if each.due <= now]:
            self._attempt(invocation, now)
        for group, schedule in found:
            self._complete(group, schedule)

    def health(self) -> list[Health]:
        """A line for each schedule: when it is due next, or why its last start failed."""
        lines = []
        for _, schedule in self._schedules():
            timeline = self._timelines.get((schedule.arn, schedule.last_modified_date))
            if timeline is None:
                continue
            upcoming = timeline.upcoming.isoformat(timespec="seconds") if timeline.upcoming else "never again"
            detail = f"next {upcoming}" if schedule.state == "ENABLED" else "disabled"
            name = f"schedule {schedule.group_name}/{schedule.name}"
            lines.append(Health(name, not timeline.trouble, timeline.trouble or detail))
        return lines

    @staticmethod
    def _schedules() -> list[tuple[Any, Any]]:
        """Each schedule with its group, of all regions."""
        return [
            (group, schedule)
            for backend in list(scheduler_backends[ACCOUNT_ID].values())
            for group in list(backend.schedule_groups.values())
            for schedule in list(group.schedules.values())
        ]

    def _take_up(self, schedule: Any, timeline: Timeline, now: datetime) -> None:
        """Make an invocation of the newest time that has come.

        Of several at once (this machine slept) the older ones are left out: AWS never sleeps, and nobody wants a
        night's worth of jobs in one second.
        """
        due: datetime | None = None
        while timeline.upcoming and timeline.upcoming <= now:
            if due:
                self.log.warning("%s: %s was missed", schedule.arn, due)
            due = timeline.seen = timeline.upcoming
            timeline.upcoming = _next(schedule, timeline)
        if due:
            minutes = schedule.flexible_time_window.get("MaximumWindowInMinutes") or 0
            first = due + timedelta(seconds=self._offset(minutes * 60.0)) if minutes else due
            self._pending.append(Invocation(schedule, schedule.target, due, first, first))

    def _attempt(self, invocation: Invocation, now: datetime) -> None:
        invocation.attempts += 1
        failure = self._start_tasks(invocation)
        if failure is None:
            self._pending.remove(invocation)
            return
        self.log.info("%s: attempt %d failed: %s", invocation.schedule.arn, invocation.attempts, failure.message)
        wait = timedelta(seconds=min(2 ** (invocation.attempts - 1), BACKOFF_SECONDS))
        condition = invocation.exhausted(now + wait)
        if not condition:
            invocation.due = now + wait
            return
        self._pending.remove(invocation)
        self._trouble(invocation, f"{failure.code}: {failure.message}")
        self._bury(invocation, failure, condition)

    def _start_tasks(self, invocation: Invocation) -> Failure | None:
        """Send RunTask; None if ECS took it.

        RunTask answers 200 also where no host had room: that is a delivered event, which nobody sends again
        (https://github.com/aws/containers-roadmap/issues/1705).
        """
        region, group = _place(invocation.schedule.arn)
        partition = invocation.schedule.arn.split(":")[1]
        if not trusted(invocation.settings["RoleArn"], group, ACCOUNT_ID, partition):
            return Failure("AccessDeniedException", target.CAN_NOT_ASSUME)
        request = invocation.request()
        role, name = invocation.settings["RoleArn"], invocation.schedule.name
        if said := roles.refusal(self.cloud, role, name, ("ecs", "RunTask"), region, **request):
            return Failure("AccessDeniedException", said)
        try:
            answer = self.cloud.client("ecs", region).run_task(**request)
        except ClientError as error:
            return Failure(error.response["Error"]["Code"], error.response["Error"]["Message"])
        lost = ", ".join(sorted({each["reason"] for each in answer["failures"]}))
        self._trouble(invocation, f"RunTask of {invocation.at} started no task: {lost}" if lost else "")
        return None

    def _trouble(self, invocation: Invocation, what: str) -> None:
        if what:
            self.log.warning("%s: %s", invocation.schedule.arn, what)
        timeline = self._timelines.get((invocation.schedule.arn, invocation.schedule.last_modified_date))
        if timeline:
            timeline.trouble = what

    def _bury(self, invocation: Invocation, failure: Failure, condition: str) -> None:
        """Send an invocation that is given up to its dead-letter queue.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
        """
        arn = (invocation.settings.get("DeadLetterConfig") or {}).get("Arn")
        if not arn:
            return
        attributes = {
            "ERROR_CODE": failure.code,
            "ERROR_MESSAGE": failure.message,
            "EXECUTION_ID": invocation.identity,
            "EXHAUSTED_RETRY_CONDITION": condition,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(invocation.attempts - 1),
            "SCHEDULED_TIME": invocation.at,
            "SCHEDULE_ARN": invocation.schedule.arn,
            "TARGET_ARN": invocation.settings["Arn"],
        }
        region, role = arn.split(":")[3], invocation.settings["RoleArn"]
        sqs, call = self.cloud.client("sqs", region), ("sqs", "SendMessage")
        queue = {"QueueUrl": arn.split(":")[5]}
        if said := roles.refusal(self.cloud, role, invocation.schedule.name, call, region, **queue):
            self._trouble(invocation, f"The dead-letter queue {arn} took nothing: {said}")
            return
        try:
            sqs.send_message(
                QueueUrl=sqs.get_queue_url(QueueName=arn.split(":")[5])["QueueUrl"],
                MessageBody=json.dumps(invocation.request()),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except ClientError as error:
            self._trouble(invocation, f"The dead-letter queue {arn} took nothing: {error}")

    def _complete(self, group: Any, schedule: Any) -> None:
        """Delete a schedule that is over, if that was asked for."""
        timeline = self._timelines.get((schedule.arn, schedule.last_modified_date))
        waiting = any(each.schedule.arn == schedule.arn for each in self._pending)
        over = timeline is not None and timeline.upcoming is None and schedule.state == "ENABLED" and not waiting
        if over and schedule.action_after_completion == "DELETE":
            group.schedules.pop(schedule.name, None)


def _begin(schedule: Any) -> Timeline:
    """A schedule's times, from when it was last changed on, or from its StartDate if that is later."""
    began = datetime.fromtimestamp(schedule.last_modified_date, UTC)
    if schedule.start_date and expressions.parse(schedule.schedule_expression).recurring:
        start = datetime.fromtimestamp(float(schedule.start_date), UTC)
        return Timeline(start, max(start, began) - MOMENT)
    return Timeline(began, began - MOMENT)


def _next(schedule: Any, timeline: Timeline) -> datetime | None:
    expression = expressions.parse(schedule.schedule_expression)
    zone = expressions.time_zone(schedule.schedule_expression_timezone)
    found = expression.next(timeline.seen, zone, timeline.began)
    if not found or not expression.recurring or not schedule.end_date:
        return found
    return found if found <= datetime.fromtimestamp(float(schedule.end_date), UTC) else None


def _place(schedule_arn: str) -> tuple[str, str]:
    """Region of a schedule, and the ARN of its group."""
    prefix, _, path = schedule_arn.rpartition(":schedule/")
    return schedule_arn.split(":")[3], f"{prefix}:schedule-group/{path.split('/')[0]}"
