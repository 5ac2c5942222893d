"""Why an ECS service does not come up: what ECS, the load balancer and the logs know, while they can be asked.

After a rollback little of it is left: the service of a first create is gone, its targets are deregistered, and stopped
tasks are known for an hour. So everything is shown when it is first seen, and remembered for the end.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.aws_action import Say, reason
from plugins.plugin_utils.container_log import ContainerLog
from plugins.plugin_utils.ecs import listed, same_task_definition, short, stop_reason, tasks
from plugins.plugin_utils.ecs_placement import Placement
from plugins.plugin_utils.layers import Layer
from plugins.plugin_utils.target_health import TargetHealth

LOOK_SECONDS = 4.0
"""Between two looks at a service: some calls each, of an API rate that an account shares."""
LOG_SECONDS = 15.0
"""For how long after a task's end its log may still be coming; the log driver sends it in parts."""
LOG_LINES = 15
ENDS = 3
"""How many different ends of tasks are told."""
EVENTS = 3
"""How many of the service's last events are told in the end; those of trouble, where there are any."""
NO_PLACE = "unable to place a task"
TROUBLE = re.compile(r"unable|unhealthy|failed|rolling back|error", re.IGNORECASE)


@dataclass
class End:
    """A task that was stopped for a reason.

    Attributes:
        task: of DescribeTasks.
        since: when it was first seen, by the clock of the report.
        logs: container → the last lines of its log.
        shown: whether the log was shown.
    """

    task: dict[str, Any]
    since: float
    logs: dict[str, list[str]] = field(default_factory=dict)
    shown: bool = False

    @property
    def reason(self) -> str:
        """The same text for tasks that ended in the same way."""
        return shortened(stop_reason(self.task))

    def log_lines(self) -> list[str]:
        """The logs, each line with its container; also that a container which failed wrote nothing."""
        failed = [each["name"] for each in self.task.get("containers", []) if each.get("exitCode")]
        silent = [f"{name}: (nothing in its log)" for name in failed if not self.logs.get(name)]
        return [f"{name}: {line}" for name, lines in self.logs.items() for line in lines] + silent


class ServiceReport:
    """What happens to one service, shown as it happens and remembered.

    Args:
        client: gives a boto3 client by the service's name.
        say: shows a line.
        name: in whose name it is shown.
        cluster: name or ARN.
        release: task definition of which all is told, also what was before the first look.
        clock: seconds; replaced by tests.
    """

    def __init__(
        self,
        client: Callable[[str], Any],
        say: Say,
        name: str,
        cluster: str,
        release: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._say, self._name, self._cluster, self._clock = client, say, name, cluster, clock
        self._release = release
        self._begun = False
        self._seen: set[str] = set()  # events by id, stopped tasks by ARN
        self._told: set[str] = set()
        self._news: list[tuple[float, str, str | None]] = []  # when, what, in which color
        self._events: list[str] = []
        self._ends: list[End] = []
        self._definitions: dict[str, dict[str, Any]] = {}
        self._targets = TargetHealth(client)
        self._unplaced = self._ended = False
        self._service: Mapping[str, Any] | None = None
        self.placement = Placement(client, cluster, clock)

    def look(self, service: Mapping[str, Any]) -> None:
        """Show and remember what is new.

        Args:
            service: of DescribeServices, just asked for.
        """
        self._service = service
        steps: list[Callable[[Mapping[str, Any]], None]] = [self._look_at_events, self._look_at_tasks]
        if not self._begun and not self._try(self._begin, service):
            return
        if service["status"] == "ACTIVE":
            steps += [self._look_at_targets, self._look_at_places]
        for step in steps:
            self._try(step, service)
        self._show_news()

    def why(self) -> list[str]:
        """All that explains a failure; lines, those of logs indented."""
        self._ended = True
        if self._service:  # also of a service that is gone by now: its tasks are not
            self._try(self._look_at_tasks, self._service)
            self._show_news()
        for end in self._ends:
            self._read_logs(end)
        lines = [text for text in self._events if TROUBLE.search(text)][-EVENTS:] or self._events[-EVENTS:]
        newest = {end.reason: end for end in self._ends}
        for text, end in list(newest.items())[-ENDS:]:
            same = sum(other.reason == text for other in self._ends)
            lines.append(f"task {short(end.task['taskArn'])}: {text}{f', as {same} tasks in all' * (same > 1)}")
            lines += [f"  {line}" for line in end.log_lines()]
        lines += self._targets.why()
        if self.placement.obstacles and not any(self.placement.obstacles in line for line in lines):
            lines.append(f"no place: {self.placement.obstacles}")
        return lines

    def _try(self, step: Callable[[Mapping[str, Any]], None], service: Mapping[str, Any]) -> bool:
        """Whether a step went well; what cannot be asked must not end the wait itself."""
        try:
            step(service)
        except (BotoCoreError, ClientError) as error:
            self._tell(f"cannot say more: {reason(error)}", "yellow")
            return False
        return True

    def _show_news(self) -> None:
        """Show what was found, in the order in which it happened."""
        for _, text, color in sorted(self._news, key=lambda news: news[0]):
            self._tell(text, color)
        self._news.clear()

    def _begin(self, service: Mapping[str, Any]) -> None:
        """Take what was there before the deployment that is watched for known."""
        primary: Mapping[str, Any] = next((each for each in service["deployments"] if each["status"] == "PRIMARY"), {})
        deploying = primary.get("rolloutState") == "IN_PROGRESS"
        news = [primary["createdAt"]] if deploying and "createdAt" in primary else []
        for task in self._stopped(service):
            mine = deploying and task.get("startedBy") == primary.get("id")
            if mine or (self._release and same_task_definition(task["taskDefinitionArn"], self._release)):
                news += [task["createdAt"]] if "createdAt" in task else []
            else:
                self._seen.add(task["taskArn"])
        for event in service.get("events", []):
            if not (news and event["createdAt"] >= min(news)):
                self._seen.add(event["id"])
        self._begun = True

    def _look_at_events(self, service: Mapping[str, Any]) -> None:
        for event in reversed(service.get("events", [])):
            if event["id"] in self._seen:
                continue
            self._seen.add(event["id"])
            text = event_text(event["message"])
            self._unplaced = self._unplaced or NO_PLACE in text
            if text not in self._events:
                self._events.append(text)
            self._news.append((_seconds(event["createdAt"]), text, "yellow" if TROUBLE.search(text) else None))
            if target := self._targets.heard(service.get("loadBalancers", []), event["message"]):
                self._news.append((_seconds(event["createdAt"]), target, "yellow"))

    def _look_at_tasks(self, service: Mapping[str, Any]) -> None:
        for task in self._stopped(service):
            if task["lastStatus"] != "STOPPED" and not self._ended:
                continue  # its exit codes are still to come
            self._seen.add(task["taskArn"])
            # Those that a rollback or the next deployment stops, in ECS's words, are a consequence.
            if not str(task.get("stoppedReason", "")).startswith("Scaling activity initiated by"):
                end = End(task, self._clock())
                self._ends.append(end)
                self._news.append((_seconds(task.get("stoppedAt")), end.reason, "red"))
        for end in self._ends:
            if not end.shown and self._clock() - end.since < LOG_SECONDS:
                self._read_logs(end)
                end.shown = any(end.logs.values())
                if end.shown:
                    lines = "\n".join(f"  {line}" for line in end.log_lines())
                    self._news.append((_seconds(end.task.get("stoppedAt")), lines, None))

    def _look_at_targets(self, service: Mapping[str, Any]) -> None:
        for line in self._targets.look(service.get("loadBalancers", [])):
            self._tell(line, "yellow")

    def _look_at_places(self, service: Mapping[str, Any]) -> None:
        if self._unplaced or self.placement.waiting(service):
            self.placement.look(service)

    def _stopped(self, service: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The service's tasks that are stopped or being stopped, and not known yet; the oldest first."""
        ecs, name = self._client("ecs"), service["serviceName"]
        # By family, as the tasks of a service that is gone cannot be asked for by its name.
        families = {short(each["taskDefinition"]).rpartition(":")[0] for each in service["deployments"]}
        arns = [
            arn
            for family in sorted(families)
            for arn in listed(ecs, "list_tasks", "taskArns", cluster=self._cluster, family=family,
                              desiredStatus="STOPPED")
            if arn not in self._seen
        ]  # fmt: skip
        found = [each for each in tasks(ecs, self._cluster, arns) if each["group"] == f"service:{name}"]
        return sorted(found, key=lambda task: str(task.get("stoppingAt") or task.get("stoppedAt")))

    def _read_logs(self, end: End) -> None:
        """Read the ends of a task's logs, again while nothing has come yet."""
        if any(end.logs.values()):
            return
        arn = end.task["taskDefinitionArn"]
        try:
            if arn not in self._definitions:
                found = self._client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
                self._definitions[arn] = found
            for container in self._definitions[arn]["containerDefinitions"]:
                log = ContainerLog.of(lambda _: self._client("logs"), container, end.task["taskArn"], LOG_LINES)
                if log:
                    end.logs[container["name"]] = log.last()
        except (BotoCoreError, ClientError) as error:
            self._tell(f"a log cannot be read: {reason(error)}", "yellow")

    def _tell(self, text: str, color: str | None = None) -> None:
        """Show `text` once."""
        if text not in self._told:
            self._told.add(text)
            self._say(self._name, text, color)


class EcsServiceWatch:
    """Watches the services of a stack in progress; `plugin_utils/stack.py` calls it.

    Args:
        layer: whose stack it is; its parameter ClusterName says where a service is that has no ARN yet.
        client: gives a boto3 client of the layer's region by the service's name.
        say: shows a line.
        clock: seconds; replaced by tests.
    """

    def __init__(
        self, layer: Layer, client: Callable[[str], Any], say: Say, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._layer, self._client, self._say, self._clock = layer, client, say, clock
        self._reports: dict[str, ServiceReport] = {}
        self._resources: dict[str, str] = {}
        self._new: set[str] = set()  # logical ids of services that were not there at first
        self._looked: float | None = None
        self._refused = ""

    def look(self, resources: Mapping[str, str]) -> None:
        """Look at the services now and then; see the class for what is shown.

        Args:
            resources: logical id → ARN, or an empty text, of those in progress.
        """
        self._resources = dict(resources)
        now = self._clock()
        if self._looked is not None and now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        self._look()

    def hopeless(self) -> str:
        """Why a deployment cannot end well any more; empty while it may."""
        return next(filter(None, (report.placement.hopeless() for report in self._reports.values())), "")

    def why(self) -> str:
        """What the services know of a failure; lines, empty if nothing."""
        self._look()
        return "\n".join(line for report in self._reports.values() for line in report.why())

    def _look(self) -> None:
        for logical, arn in self._resources.items():
            try:
                service = self._find(logical, arn)
            except (BotoCoreError, ClientError) as error:  # not ours to end the stack's wait
                if str(error) != self._refused:
                    self._refused = str(error)
                    self._say(self._layer.name, f"cannot look at the service: {reason(error)}", "yellow")
                continue
            if service is None:
                self._new.add(logical)
            elif service["status"] != "INACTIVE":
                self._report(logical, service).look(service)

    def _report(self, logical: str, service: Mapping[str, Any]) -> ServiceReport:
        arn = service["serviceArn"]
        if arn not in self._reports:
            self._reports[arn] = ServiceReport(
                self._client,
                self._say,
                self._layer.name,
                service["clusterArn"],
                service["taskDefinition"] if logical in self._new else "",
                self._clock,
            )
        return self._reports[arn]

    def _find(self, logical: str, arn: str) -> dict[str, Any] | None:
        ecs, cluster = self._client("ecs"), self._layer.parameters.get("ClusterName", "")
        if arn:
            _, *path = arn.split("/")  # arn:…:service/<cluster>/<name>; without the cluster in the old form
            found = ecs.describe_services(cluster=path[0] if len(path) > 1 else cluster, services=[arn])["services"]
            return next((dict(each) for each in found), None)
        if not cluster:
            return None
        # CloudFormation names what its template does not: <stack>-<logical id>-<random>.
        mine = f"{self._layer.stack}-{logical}-"
        arns = [
            each
            for each in listed(ecs, "list_services", "serviceArns", cluster=cluster)
            if short(each).startswith(mine)
        ]
        services = ecs.describe_services(cluster=cluster, services=arns[:10])["services"] if arns else []
        return max(map(dict, services), key=lambda each: str(each["createdAt"]), default=None)


def event_text(message: str) -> str:
    """An event of a service without what nobody needs to read: the service's name, ARNs, the pointer to the guide."""
    text = re.sub(r"^\(service [^)]*\) ", "", message)
    return re.sub(r"\s*For more information, see the Troubleshooting section.*$", "", shortened(text))


def shortened(text: str) -> str:
    """`text` with a target group's name for its ARN."""
    return re.sub(r"arn:[^ )]*:targetgroup/([^/ )]+)/\w+", r"\1", text)


def _seconds(at: Any) -> float:
    """A time of an answer as a number; one that is not told is the latest."""
    if at is None:
        return float("inf")
    return float(at.timestamp() if isinstance(at, datetime.datetime) else at)
