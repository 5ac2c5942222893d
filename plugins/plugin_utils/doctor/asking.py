"""What AWS is asked besides what `status` reads: it only reads too.

Asks ListServices, DescribeServices, FilterLogEvents, DescribeStackEvents, DescribeScalingActivities, GetQueueUrl,
GetQueueAttributes, GetMetricData.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.container_log import readable
from plugins.plugin_utils.doctor.evidence import is_settled
from plugins.plugin_utils.doctor.signature import (
    ACTIVITY,
    BALANCER,
    EVENT,
    LOG,
    RIGHT,
    SCHEDULE,
    STACK,
    Evidence,
)
from plugins.plugin_utils.ecs import chunks, listed, short
from plugins.plugin_utils.ecs_service_watch import event_text
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.services import SETTLED
from plugins.plugin_utils.status.stacks import TAKEN_BACK, outputs

RECENT = datetime.timedelta(hours=1)
"""How far back events are looked at: as long as ECS remembers a task."""
MINUTES = 15
"""Over how long the balancer's errors are counted, and logs are read."""
TAKEN_BACK_SECONDS = 86_400
"""For how long a change that was taken back is news: the stack stays so until there is another one."""
BEGINS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
"""States of a stack with which a change begins."""
LINES = 200
CHARACTERS = 300
ERRORS = ("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count")
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html"""


class Asking:
    """Asks for a site whose status is known.

    Args:
        client: gives a boto3 client.
        model: the status (status/model.py).
        told: layer → what its stack gives on.
        prefix: `<site_name>-<environment_name>`.
        now: with its time zone.
    """

    def __init__(
        self,
        client: Client,
        model: Mapping[str, Any],
        told: Mapping[str, Mapping[str, str]],
        prefix: str,
        now: datetime.datetime,
    ) -> None:
        self._client, self._model, self._told, self._prefix, self._now = client, model, told, prefix, now
        self._part = Part()

    def evidence(self) -> list[Evidence]:
        """The lines; also those that tell what could not be asked.

        Raises:
            ConnectionError: AWS cannot be reached.
        """
        found: list[Evidence] = []
        for about, service, question in (
            ("services", "ecs", self._events),
            ("services", "logs", self._lines),
            ("stacks", "cloudformation", self._stacks),
            ("hosts", "autoscaling", self._activities),
            ("schedules", "sqs", self._dead_letters),
            ("load balancer", "cloudwatch", self._errors),
        ):
            found += self._part.ask(about, service, lambda ask=question: list(ask())) or []
        for each in self._part.unasked:
            missing = f" (the right {each['action']} is missing)" if each["action"] else ""
            found.append(Evidence(RIGHT, each["about"], f"{each['why']}{missing}"))
        return found

    def _events(self) -> Iterator[Evidence]:
        """What ECS said of each service since it was last in order."""
        ecs = self._client("ecs")
        if "ClusterName" not in self._told.get("cluster", {}):
            return
        arns = listed(ecs, "list_services", "serviceArns", cluster=self._prefix)
        begin = f"{self._prefix}-service-"
        for some in chunks(arns, 10):
            for service in ecs.describe_services(cluster=self._prefix, services=some)["services"]:
                name = short(service["taskDefinition"]).rpartition(":")[0].removeprefix(begin)
                for event in service.get("events", []):  # the newest comes first
                    if SETTLED in event["message"] or event["createdAt"] < self._now - RECENT:
                        break
                    yield Evidence(EVENT, f"service.{name}", event_text(event["message"]))

    def _lines(self) -> Iterator[Evidence]:
        """What the containers of a service that is not in order have written of late."""
        logs, since = self._client("logs"), self._now - datetime.timedelta(minutes=MINUTES)
        site = self._model["site"]
        for service in self._model["services"] or ():
            well = is_settled(service) and all(each["state"] == "healthy" for each in service["targets"] or ())
            if well:
                continue
            group = f"/{site['name']}/{site['environment']}/service/{service['name']}"
            try:
                # one page: what ails a service now it says again and again
                answer = logs.filter_log_events(
                    logGroupName=group, startTime=int(since.timestamp() * 1000), limit=LINES
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    continue
                raise
            for event in answer["events"]:
                place = str(event.get("logStreamName", "")).partition("/")[0]
                for line in event["message"].splitlines():
                    yield Evidence(LOG, f"service.{service['name']}", readable(line)[:CHARACTERS], place)

    def _stacks(self) -> Iterator[Evidence]:
        """What failed in the last change of each stack that is not well, or was taken back."""
        cloudformation = self._client("cloudformation")
        for stack in self._model["stacks"] or ():
            if stack["well"] and (stack["status"] != TAKEN_BACK or stack["age_seconds"] > TAKEN_BACK_SECONDS):
                continue
            # one page: the newest come first, and the last change is what is asked for
            for event in cloudformation.describe_stack_events(StackName=stack["name"])["StackEvents"]:
                reason, state = event.get("ResourceStatusReason", ""), event["ResourceStatus"]
                if event["LogicalResourceId"] == stack["name"] and state in BEGINS:
                    break
                if reason and state.endswith("_FAILED"):
                    yield Evidence(STACK, stack["layer"], reason, event["LogicalResourceId"])

    def _activities(self) -> Iterator[Evidence]:
        """Why Auto Scaling could not start a host, where one is wanting."""
        group = self._told.get("cluster", {}).get("HostGroupName", "")
        hosts = self._model["hosts"]
        if not group or (hosts and all(each["usable"] for each in hosts) and not _lack_hosts(self._model)):
            return
        # one page: the newest come first
        found = self._client("autoscaling").describe_scaling_activities(AutoScalingGroupName=group, MaxRecords=20)
        for activity in found["Activities"]:
            failed = activity["StatusCode"] in ("Failed", "Cancelled")
            if failed and activity["StartTime"] >= self._now - RECENT:
                yield Evidence(ACTIVITY, "hosts", activity.get("StatusMessage") or activity["StatusCode"], group)

    def _dead_letters(self) -> Iterator[Evidence]:
        """Runs of jobs that could not be started: EventBridge Scheduler leaves them in a queue. None is taken out."""
        for layer, told in self._told.items():
            arn = told.get("DeadLetterQueueArn", "")
            if not arn:
                continue
            sqs, name = self._client("sqs"), arn.rpartition(":")[2]
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            wanted = ["ApproximateNumberOfMessages"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted).get("Attributes", {})
            number = int(found.get("ApproximateNumberOfMessages", 0))
            if number:
                runs = "run" if number == 1 else "runs"
                yield Evidence(SCHEDULE, layer, f"{number} {runs} could not be started", name)

    def _errors(self) -> Iterator[Evidence]:
        """How many answers of 500 to 599 the load balancer has counted of late."""
        listener = self._told.get("cluster", {}).get("HttpsListenerArn", "")
        if "listener/" not in listener:
            return
        balancer = listener.rpartition("listener/")[2].rpartition("/")[0]
        dimensions = [{"Name": "LoadBalancer", "Value": balancer}]
        queries = [
            {
                "Id": name.lower(),
                "MetricStat": {
                    "Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": dimensions},
                    "Period": 60 * MINUTES,
                    "Stat": "Sum",
                },
            }
            for name in ERRORS
        ]
        since = self._now - datetime.timedelta(minutes=MINUTES)
        # one page: one number each
        answer = self._client("cloudwatch").get_metric_data(
            MetricDataQueries=queries, StartTime=since, EndTime=self._now
        )
        for name in ERRORS:
            values = [each["Values"] for each in answer["MetricDataResults"] if each["Id"] == name.lower()]
            number = int(sum(sum(each) for each in values))
            if number:
                yield Evidence(BALANCER, "load balancer", f"{name}: {number} in {MINUTES} minutes", balancer)


def _lack_hosts(model: Mapping[str, Any]) -> bool:
    return any(each["about"] == "hosts" for each in model["wrong"])


def told_by(stacks: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Layer → what its stack gives on, of stacks/described."""
    return {layer: outputs(stack) for layer, stack in stacks.items()}
