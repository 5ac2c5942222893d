"""Schedules that run: EventBridge Scheduler's API, its loop with a clock of ours, our ECS, a queue for dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import INSIDE_KEY, Cloud
from local_aws.ecs.errors import EcsError
from local_aws.parts.schedules import Schedules
from local_aws.schedules.target import assumable
from local_aws.tests.ecs_support import World
from local_aws.tests.stack_support import refused
from local_aws.tests.until import until

CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/demo"
GROUP = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/jobs"
REFUSED = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."


def trust(service: str = "scheduler.amazonaws.com", **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


class Ecs:
    """boto3's client of the ECS of a `World`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[dict[str, Any]] = []

    def run_task(self, **request: Any) -> Any:
        self.asked.append(request)
        try:
            return self.world.call("RunTask", **request)
        except EcsError as error:
            raise ClientError({"Error": {"Code": error.kind, "Message": error.message}}, "RunTask") from None


class Home:
    """An embedded AWS at a time that the test sets, with one ECS cluster, one role and one queue."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.now = datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC)
        self.world = World()
        self.agent = self.world.agent()
        self.world.define()
        self.ecs = Ecs(self.world)
        cloud._clients["ecs", "us-east-1", INSIDE_KEY] = self.ecs
        self.offsets: list[float] = []
        self.part = Schedules(cloud, self.now_timestamp, self.offset)
        self.api = cloud.client("scheduler")
        iam = cloud.client("iam")
        self.role = iam.create_role(RoleName="jobs", AssumeRolePolicyDocument=json.dumps(trust()))["Role"]["Arn"]
        self.sqs = cloud.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="dead")["QueueUrl"]

    def now_timestamp(self) -> float:
        return self.now.timestamp()

    def offset(self, seconds: float) -> float:
        self.offsets.append(seconds)
        return seconds / 2

    def target(self, ecs: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        parameters = {"TaskDefinitionArn": "web", "LaunchType": "EC2", **(ecs or {})}
        return {"Arn": CLUSTER, "RoleArn": self.role, "EcsParameters": parameters, **more}

    def request(self, expression: str = "cron(0 3 * * ? *)", **more: Any) -> dict[str, Any]:
        target = more.pop("Target", None) or self.target(**more.pop("target", {}))
        off = {"Mode": "OFF"}
        return {"Name": "nightly", "ScheduleExpression": expression, "FlexibleTimeWindow": off, "Target": target} | more

    def schedule(self, expression: str = "cron(0 3 * * ? *)", **more: Any) -> None:
        self.api.create_schedule(**self.request(expression, **more))

    def change(self, expression: str = "cron(0 3 * * ? *)", **more: Any) -> None:
        self.api.update_schedule(**self.request(expression, **more))

    def run(self, until: str, step: float = 60) -> list[str]:
        """Let the loop run until then; when tasks were asked for."""
        asked, end = [], datetime.fromisoformat(until).replace(tzinfo=UTC)
        while self.now < end:
            before = len(self.ecs.asked)
            self.part.reconcile()
            asked += [self.now.strftime("%d %H:%M")] * (len(self.ecs.asked) - before)
            self.now += timedelta(seconds=step)
        return asked

    def dead(self) -> list[dict[str, Any]]:
        """Message attributes of what is in the queue, with the body as `body`."""
        found = self.sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        )
        return [
            {name: value["StringValue"] for name, value in each["MessageAttributes"].items()} | {"body": each["Body"]}
            for each in found.get("Messages", [])
        ]


@pytest.fixture
def home(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A `Home`, whose clock is moto's too."""
    made = Home(aws)
    monkeypatch.setattr("moto.scheduler.models.unix_time", made.now_timestamp)
    monkeypatch.setattr("moto.scheduler.models.utcnow", lambda: made.now.replace(tzinfo=None))
    yield made
    del aws._clients["ecs", "us-east-1", INSIDE_KEY]


def test_a_schedule_starts_its_task_as_aws_does(home: Home) -> None:
    overrides = {
        "containerOverrides": [{"name": "web", "command": ["clearsessions", "<aws.scheduler.scheduled-time>"]}]
    }
    parameters = {"TaskCount": 2, "PropagateTags": "TASK_DEFINITION", "Tags": [{"key": "Job", "value": "nightly"}]}
    home.schedule(target={"ecs": parameters, "Input": json.dumps(overrides)})

    assert home.run("2026-03-03T00:00:00") == ["01 03:00", "02 03:00"]

    tasks = home.world.tasks()
    assert len(tasks) == 4
    assert {task.started_by for task in tasks} == {"chronos-schedule/nightly"}
    assert tasks[0].definition["containerDefinitions"][0]["command"] == ["clearsessions", "2026-03-01T03:00:00Z"]
    assert tasks[0].tags == [{"key": "Job", "value": "nightly"}]


def test_the_loop_runs_by_itself(home: Home) -> None:
    home.schedule("rate(1 minute)")  # whose first time is at once
    home.part.start()
    until(lambda: home.ecs.asked, "the task starts", 15)
    home.part.stop()
    assert [line.ok for line in home.part.report()] == [True]


def test_a_schedule_keeps_its_zone_s_time_over_daylight_saving(home: Home) -> None:
    home.now = datetime(2026, 3, 28, tzinfo=UTC)
    home.schedule("cron(30 2 * * ? *)", ScheduleExpressionTimezone="Europe/Zurich")

    assert home.run("2026-03-31T00:00:00") == ["28 01:30", "30 00:30"]


def test_a_disabled_schedule_rests(home: Home) -> None:
    home.schedule("rate(1 hour)", State="DISABLED")
    assert home.run("2026-03-01T02:00:00") == []
    assert [line.detail for line in home.part.health()] == ["disabled"]

    home.change("rate(1 hour)")  # an update replaces all: without a State it is enabled
    assert home.run("2026-03-01T04:00:00") == ["01 02:00", "01 03:00"]
    assert [line.detail for line in home.part.health()] == ["next 2026-03-01T04:00:30+00:00"]


def test_start_and_end_bound_what_recurs(home: Home) -> None:
    bounds: dict[str, Any] = {
        "StartDate": datetime(2026, 3, 3, tzinfo=UTC),
        "EndDate": datetime(2026, 3, 5, 3, tzinfo=UTC),
    }
    home.schedule(**bounds)
    home.schedule("at(2026-03-02T12:00:00)", Name="once", **bounds)

    assert home.run("2026-03-07T00:00:00") == ["02 12:00", "03 03:00", "04 03:00", "05 03:00"]
    assert {line.detail for line in home.part.health()} == {"next never again"}


def test_a_changed_schedule_forgets_its_old_times(home: Home) -> None:
    home.schedule()
    home.run("2026-03-01T02:59:00")
    home.change("cron(0 5 * * ? *)")

    assert home.run("2026-03-01T06:00:00") == ["01 05:00"]


def test_a_flexible_window_delays_within_it(home: Home) -> None:
    home.schedule(FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 30})

    assert home.run("2026-03-01T05:00:00") == ["01 03:15"]
    assert home.offsets == [1800.0]


def test_what_was_slept_over_is_run_once(home: Home) -> None:
    home.schedule("rate(1 hour)")
    home.part.reconcile()
    home.now += timedelta(days=1)
    home.part.reconcile()

    assert len(home.ecs.asked) == 2


def test_a_schedule_that_is_over_is_deleted_if_that_was_asked(home: Home) -> None:
    home.schedule("at(2026-03-01T01:00:00)", ActionAfterCompletion="DELETE")
    home.schedule("at(2026-03-01T01:00:00)", Name="kept")
    home.schedule("at(2026-03-01T09:00:00)", Name="later")
    home.change("at(2026-03-01T09:00:00)", Name="later", ActionAfterCompletion="DELETE")

    home.run("2026-03-01T02:00:00")
    assert {each["Name"] for each in home.api.list_schedules()["Schedules"]} == {"later", "kept"}
    home.run("2026-03-01T10:00:00")
    assert {each["Name"] for each in home.api.list_schedules()["Schedules"]} == {"kept"}


def test_a_failed_start_is_retried_ever_later_until_it_succeeds(home: Home) -> None:
    home.schedule(target={"ecs": {"TaskDefinitionArn": "job"}})
    home.now = datetime(2026, 3, 1, 3, tzinfo=UTC)
    home.run("2026-03-01T03:00:10", step=1)
    assert len(home.ecs.asked) == 4  # at 0, 1, 3 and 7 seconds
    assert not home.world.tasks()

    home.world.define(family="job")
    home.run("2026-03-01T03:00:20", step=1)
    assert len(home.ecs.asked) == 5
    assert len(home.world.tasks()) == 1
    home.run("2026-03-01T03:10:00")
    assert len(home.world.tasks()) == 1
    assert all(line.ok for line in home.part.health())


def test_what_is_given_up_becomes_a_dead_letter(home: Home) -> None:
    dead = {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"}
    home.schedule(
        target={
            "ecs": {"TaskDefinitionArn": "job"},
            "DeadLetterConfig": dead,
            "RetryPolicy": {"MaximumRetryAttempts": 2},
        }
    )
    home.run("2026-03-01T03:10:00")

    assert len(home.ecs.asked) == 3
    (letter,) = home.dead()
    assert len(letter.pop("EXECUTION_ID")) == 16
    assert json.loads(letter.pop("body")) == {
        "taskDefinition": "job", "launchType": "EC2", "cluster": CLUSTER, "startedBy": "chronos-schedule/nightly",
    }  # fmt: skip
    assert letter == {
        "ERROR_CODE": "ClientException",
        "ERROR_MESSAGE": "TaskDefinition not found.",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "2",
        "SCHEDULED_TIME": "2026-03-01T03:00:00Z",
        "SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly",
        "TARGET_ARN": CLUSTER,
    }
    (line,) = home.part.health()
    assert not line.ok
    assert line.detail == "ClientException: TaskDefinition not found."


def test_an_old_event_is_given_up(home: Home) -> None:
    dead = {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"}
    policy = {"MaximumEventAgeInSeconds": 60}
    home.schedule(target={"ecs": {"TaskDefinitionArn": "job"}, "DeadLetterConfig": dead, "RetryPolicy": policy})
    home.run("2026-03-01T02:59:30")
    home.run("2026-03-01T03:10:00", step=1)

    (letter,) = home.dead()
    assert letter["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"
    assert letter["RETRY_ATTEMPTS"] == "5"  # after 1, 3, 7, 15 and 31 seconds


def test_a_role_that_is_gone_starts_nothing(home: Home) -> None:
    dead = {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"}
    home.schedule(target={"DeadLetterConfig": dead, "RetryPolicy": {"MaximumRetryAttempts": 0}})
    home.cloud.client("iam").delete_role(RoleName="jobs")
    home.run("2026-03-01T04:00:00")

    assert not home.ecs.asked
    (letter,) = home.dead()
    assert letter["ERROR_MESSAGE"] == REFUSED
    assert letter["RETRY_ATTEMPTS"] == "0"


def test_a_task_without_room_is_lost_and_said(home: Home) -> None:
    dead = {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"}
    home.world.define(family="job", memory=5000)
    home.schedule(target={"ecs": {"TaskDefinitionArn": "job"}, "DeadLetterConfig": dead})
    home.run("2026-03-01T04:00:00")

    assert len(home.ecs.asked) == 1
    assert not home.dead()
    (line,) = home.part.health()
    assert (line.ok, line.detail) == (False, "RunTask of 2026-03-01T03:00:00Z started no task: RESOURCE:MEMORY")


def test_a_deleted_schedule_is_not_retried(home: Home) -> None:
    home.schedule(target={"ecs": {"TaskDefinitionArn": "job"}})
    home.run("2026-03-01T03:01:00")
    home.api.delete_schedule(Name="nightly")
    asked = len(home.ecs.asked)
    assert asked
    home.run("2026-03-01T04:00:00")

    assert len(home.ecs.asked) == asked


def test_groups(home: Home) -> None:
    home.api.create_schedule_group(Name="jobs")
    with refused("Schedule group jobs already exists.", "ConflictException"):
        home.api.create_schedule_group(Name="jobs")
    home.schedule(GroupName="jobs")
    with refused("Schedule group nope does not exist.", "ResourceNotFoundException"):
        home.schedule(GroupName="nope")
    with refused("Schedule nightly already exists.", "ConflictException"):
        home.schedule(GroupName="jobs")
    with refused("Schedule nightly does not exist.", "ResourceNotFoundException"):
        home.change()

    assert home.run("2026-03-01T04:00:00") == ["01 03:00"]
    home.api.delete_schedule_group(Name="jobs")
    assert home.run("2026-03-02T04:00:00") == []
    with refused("Schedule group jobs does not exist.", "ResourceNotFoundException"):
        home.api.delete_schedule_group(Name="jobs")
    with refused("default schedule group", "ValidationException"):
        home.api.delete_schedule_group(Name="default")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ScheduleExpression": "cron(0 3 * * *)"}, "Invalid Schedule Expression cron(0 3 * * *)."),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Invalid ScheduleExpressionTimezone Mars/Olympus."),
        ({"State": "PAUSED"}, "Member must satisfy enum value set: [ENABLED, DISABLED]"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "Mode FLEXIBLE, which needs it"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "is for a FlexibleTimeWindow"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1441}}, "between 1 and 1440"),
        ({"ActionAfterCompletion": "ARCHIVE"}, "[NONE, DELETE]"),
        (
            {"StartDate": datetime(2026, 5, 1, tzinfo=UTC), "EndDate": datetime(2026, 4, 1, tzinfo=UTC)},
            "earlier than the EndDate",
        ),
        ({"target": {"RoleArn": "arn:aws:iam::123456789012:role/nobody"}}, REFUSED),
        ({"target": {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f"}}, "runs no target arn:aws:lambda"),
        ({"target": {"Arn": CLUSTER.replace("cluster", "service")}}, "must be an ECS cluster's ARN"),
        ({"target": {"SqsParameters": {"MessageGroupId": "a"}}}, "does not support SqsParameters of an ECS target"),
        ({"target": {"ecs": {"LaunchType": "FARGATE"}}}, "has no launch type FARGATE"),
        ({"target": {"ecs": {"PlatformVersion": "1.4.0"}}}, "does not support EcsParameters.PlatformVersion"),
        ({"target": {"ecs": {"TaskCount": 11}}}, "TaskCount must be between 1 and 10"),
        ({"target": {"ecs": {"CapacityProviderStrategy": [{"capacityProvider": "a"}]}}}, "cannot have both"),
        ({"target": {"RetryPolicy": {"MaximumRetryAttempts": 186}}}, "MaximumRetryAttempts must be between 0 and 185"),
        ({"target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 86401}}}, "must be between 60 and 86400"),
        ({"target": {"Input": "clearsessions"}}, "Input must be the JSON of the task's overrides"),
        ({"target": {"Input": "[]"}}, "Input must be the JSON object"),
        (
            {"target": {"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead.fifo"}}},
            "ARN of a standard SQS queue",
        ),
    ],
)
def test_schedules_that_are_refused(home: Home, change: dict[str, Any], message: str) -> None:
    bad = home.request() | {key: value for key, value in change.items() if key != "target"}
    given = dict(change.get("target", {}))
    bad["Target"] = home.target(given.pop("ecs", None)) | given
    with refused(message, "ValidationException"):
        home.api.create_schedule(**bad)
    home.schedule()
    with refused(message, "ValidationException"):
        home.api.update_schedule(**bad)
    assert home.run("2026-03-01T04:00:00") == ["01 03:00"]


def test_a_start_in_the_past_is_refused(home: Home) -> None:
    with refused("The StartDate you specify cannot be earlier than 5 minutes ago.", "ValidationException"):
        home.schedule(StartDate=home.now - timedelta(minutes=6))
    home.schedule(StartDate=home.now - timedelta(minutes=4))


def test_a_role_of_another_service_is_refused(home: Home) -> None:
    iam = home.cloud.client("iam")
    tasks = iam.create_role(RoleName="tasks", AssumeRolePolicyDocument=json.dumps(trust("ecs-tasks.amazonaws.com")))
    with refused(REFUSED, "ValidationException"):
        home.schedule(target={"RoleArn": tasks["Role"]["Arn"]})


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        (trust(), True),
        (trust(Action=["sts:TagSession", "sts:*"]), True),
        (trust("ecs-tasks.amazonaws.com"), False),
        (trust(Action="sts:TagSession"), False),
        ({"Statement": [*trust()["Statement"], *trust(Effect="Deny")["Statement"]]}, False),
        ({}, False),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}), True),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": ["1", "123456789012"]}}), True),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": "210987654321"}}), False),
        (trust(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:scheduler:*:*:schedule-group/*"}}), True),
        (trust(Condition={"StringEquals": {"aws:SourceArn": GROUP}}), True),
        (trust(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:scheduler:*:*:schedule/jobs/*"}}), False),
        (trust(Condition={"Bool": {"aws:SecureTransport": "true"}}), False),
    ],
)
def test_who_may_assume_a_role(policy: dict[str, Any], allowed: bool) -> None:
    assert assumable(policy, "123456789012", GROUP) is allowed
