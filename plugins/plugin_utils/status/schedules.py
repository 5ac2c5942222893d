"""Jobs that run on a schedule: when they ran last and how that ended, and the runs that did not begin.

Asks ListTasks, DescribeTasks, DescribeLogStreams, GetLogEvents, GetQueueUrl, GetQueueAttributes, ReceiveMessage.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.ecs import listed, short, tasks
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.site.cron_times import Times
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns.job import Job
from plugins.plugin_utils.status import schedule_state, stopped
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.schedule_state import GRACE, LATE, NOT_STARTED, UNKNOWN, Lost, Runs
from plugins.plugin_utils.status.stacks import outputs
from plugins.plugin_utils.status.words import age, ago, iso, seconds_since, shown

QUEUE = "DeadLetterQueueArn"
"""Output of a job's stack."""
MOST = 10
"""Messages that SQS gives at a time."""


def look(
    client: Client, site: Site, now: datetime.datetime, stacks: Mapping[str, Mapping[str, Any]] | None = None
) -> Part:
    """Ask for the last runs, and judge.

    Args:
        client: gives a boto3 client.
        site: whose jobs.
        now: with its time zone.
        stacks: layer → its stack, of DescribeStacks: since when a job is deployed, and where its lost runs are.
    """
    part = Part([])
    for name, job in site.jobs.items():
        if job.schedule:
            _look(part, client, site, job, now, (stacks or {}).get(f"job.{name}"))
    return part


def _look(
    part: Part, client: Client, site: Site, job: Job, now: datetime.datetime, stack: Mapping[str, Any] | None
) -> None:
    about, prefix = f"job.{job.entry}", site.identity.prefix
    family, group = f"{prefix}-job-{job.entry}", f"{_root(site)}/job/{job.entry}"
    stream = part.ask(about, "logs", _newest, client("logs"), group) or {}
    running = part.ask(about, "ecs", _running, client("ecs"), prefix, family) or []
    arns = part.ask(about, "ecs", stopped.of_family, client, prefix, family)
    past = stopped.look(client, prefix, arns or [], about, {}, now)
    part.unasked += past.unasked
    queue = outputs(stack).get(QUEUE) if stack else None
    number, lost = (part.ask(about, "sqs", _lost, client("sqs"), queue) if queue else None) or (0, None)
    begun = {short(task["taskArn"]): _began(task, now) for task in running}
    times = [*begun.values(), *_times(each["started"] for each in past.facts), *_stream_times(stream)]
    last = next(iter(past.facts), None)
    runs = Runs(
        due=_due(job, now, stack),
        began=max(times, default=None),
        running=list(begun.values()),
        failed=bool(last and last["failed"]),
        lost=lost,
        tells="lastEventTimestamp" in stream,
        longest=datetime.timedelta(minutes=job.minutes),
    )
    facts = {
        "name": job.entry,
        "schedule": job.schedule,
        "zone": job.zone,
        "state": schedule_state.state(runs, now),
        "due": iso(runs.due) if runs.due else "",
        "began": iso(runs.began) if runs.began else "",
        "exit_code": _exit_code(last) if last and not running and _is_newest(last, runs) else None,
        "running": len(running),
        "lost": number,
        "last_wrote": iso(stream["lastEventTimestamp"] / 1000) if "lastEventTimestamp" in stream else "",
        "stopped": past.facts,
    }
    part.facts.append(facts)
    _judge(part, about, job, runs, facts, begun, now)


def _judge(
    part: Part,
    about: str,
    job: Job,
    runs: Runs,
    facts: Mapping[str, Any],
    begun: Mapping[str, datetime.datetime],
    now: datetime.datetime,
) -> None:
    by_hand = verb("run.yml") + f" -e job={job.entry}"
    if facts["state"] == NOT_STARTED and runs.due:
        reason = runs.lost.why if runs.lost and runs.lost.due >= runs.due - schedule_state.SKEW else (
            "no task and no log of it is there. ECS loses a run for which no host has room"
        )  # fmt: skip
        part.is_wrong(about, f"did not start at {shown(iso(runs.due))}: {reason}", by_hand)
    elif facts["state"] == UNKNOWN and runs.due:
        when = shown(iso(runs.due))
        part.note(
            about, f"nothing tells whether it ran at {when}: it writes nothing, and ECS forgets a task in an hour"
        )
    elif facts["state"] == LATE and runs.due and not (runs.began and runs.began >= runs.due - schedule_state.SKEW):
        waited = age(seconds_since(runs.due, now))
        part.note(about, f"is late: it was due {waited} ago and has not begun; Scheduler goes on trying for an hour")
    elif facts["state"] == LATE:
        task, since = min(begun.items(), key=lambda each: each[1])
        took = f"is late: it has run for {age(seconds_since(since, now))}, and has minutes: {job.minutes}"
        part.is_wrong(about, took, verb("run.yml") + f" -e stop={task}")
    if len(begun) > 1 and not job.may_overlap:
        newest = max(begun, key=lambda task: begun[task])
        part.is_wrong(about, f"runs {len(begun)} times at once", verb("run.yml") + f" -e stop={newest}")
    last = next(iter(facts["stopped"]), None)
    if last and last["failed"]:
        typed = verb("logs.yml") + f" -e job={job.entry}"
        part.is_wrong(about, f"its last run failed {ago(last['age_seconds'] or 0)}: {last['reason']}", typed)


def _due(job: Job, now: datetime.datetime, stack: Mapping[str, Any] | None) -> datetime.datetime | None:
    """When the last run should have begun, if the job was there already as it is now."""
    due = Times.of(job.schedule, job.zone).due(now - GRACE)
    deployed = stack and (stack.get("LastUpdatedTime") or stack.get("CreationTime"))
    return due if due and deployed and due > deployed else None


def _is_newest(last: Mapping[str, Any], runs: Runs) -> bool:
    """Whether the task that ended last is the run that began last."""
    began = next(iter(_times([last["started"]])), None)
    return not (began and runs.began) or runs.began - began <= schedule_state.SKEW


def _exit_code(last: Mapping[str, Any]) -> int | None:
    return next((each["exit_code"] for each in last["containers"]), None)


def _root(site: Site) -> str:
    """What the names of the site's log groups begin with."""
    return f"/{site.identity.site_name}/{site.identity.environment_name}"


def _running(ecs: Any, cluster: str, family: str) -> list[dict[str, Any]]:
    arns = listed(ecs, "list_tasks", "taskArns", cluster=cluster, family=family, desiredStatus="RUNNING")
    return tasks(ecs, cluster, arns)


def _began(task: Mapping[str, Any], now: datetime.datetime) -> datetime.datetime:
    found: datetime.datetime = task.get("startedAt") or task.get("createdAt") or now
    return found


def _times(given: Iterable[str]) -> list[datetime.datetime]:
    return [datetime.datetime.fromisoformat(each) for each in given if each]


def _newest(logs: Any, group: str) -> dict[str, Any]:
    """The stream of a log group that was written into last: each run has one of its own."""
    try:
        # one page: the newest alone
        found = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=1)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise
    return dict(next(iter(found["logStreams"]), {}))


def _stream_times(stream: Mapping[str, Any]) -> Iterable[datetime.datetime]:
    """When the run of a stream began: Docker makes the stream with the container."""
    at = stream.get("creationTime") or stream.get("firstEventTimestamp") or stream.get("lastEventTimestamp")
    return [datetime.datetime.fromtimestamp(at / 1000, datetime.UTC)] if at else []


def _lost(sqs: Any, arn: str) -> tuple[int, Lost | None]:
    """How many runs could not be started, and the last of those that SQS gives; they stay in the queue."""
    name, account = arn.split(":")[5], arn.split(":")[4]
    url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    number = "ApproximateNumberOfMessages"
    many = int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[number])["Attributes"][number])
    if not many:
        return 0, None
    given = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=MOST, VisibilityTimeout=0, MessageAttributeNames=["All"]
    )
    told = [
        {name: each["StringValue"] for name, each in message.get("MessageAttributes", {}).items()}
        for message in given.get("Messages", [])
    ]
    found = [
        Lost(datetime.datetime.fromisoformat(each["SCHEDULED_TIME"]), _why(each))
        for each in told
        if "SCHEDULED_TIME" in each
    ]
    return many, max(found, key=lambda each: each.due, default=None)


def _why(told: Mapping[str, str]) -> str:
    retries = told.get("RETRY_ATTEMPTS", "?")
    return f"{told.get('ERROR_CODE', '')}: {told.get('ERROR_MESSAGE', '')} (Scheduler gave up after {retries} retries)"
