"""CloudWatch's clock: what load balancers and groups of hosts measure, and the state that data give each alarm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from local_aws.alarms.points import forget
from local_aws.alarms.round import look
from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID
from local_aws.load_balancers.health import HEALTHY
from local_aws.part import Part
from local_aws.patches import elbv2

METRICS_SECONDS = 60.0
IN_SERVICE = "InService"
NAMESPACES = {"application": "AWS/ApplicationELB", "network": "AWS/NetworkELB"}
Datum = dict[str, Any]


class Alarms(Part):
    """Writes metrics once a minute, and looks at the alarms."""

    name = "cloudwatch"
    interval = 5.0

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._measured = -METRICS_SECONDS

    def reconcile(self) -> None:
        now = datetime.now(UTC)
        due = time.monotonic() - self._measured >= METRICS_SECONDS
        for region, backend in list(cloudwatch_backends[ACCOUNT_ID].items()):
            if not backend.alarms:
                continue  # nobody looks at anything
            if due:
                forget(backend, now)
                client = self.cloud.client("cloudwatch", region)
                for namespace, data in measured(self.cloud, region):
                    if data:
                        client.put_metric_data(Namespace=namespace, MetricData=data)
            look(backend, now)
        if due:
            self._measured = time.monotonic()


def measured(cloud: Cloud, region: str) -> Iterator[tuple[str, list[Datum]]]:
    """Namespace and data of one moment.

    Args:
        cloud: the embedded AWS.
        region: of AWS.
    """
    hosts = cloud.look("autoscaling", "describe_auto_scaling_groups", region)["AutoScalingGroups"]
    yield "AWS/AutoScaling", [datum for each in hosts for datum in _of_hosts(each)]
    kinds = {
        each["LoadBalancerArn"]: each["Type"]
        for each in cloud.look("elbv2", "describe_load_balancers", region)["LoadBalancers"]
    }
    groups = cloud.look("elbv2", "describe_target_groups", region)["TargetGroups"]
    for kind, namespace in NAMESPACES.items():
        yield (
            namespace,
            [
                datum
                for group in groups
                for arn in group["LoadBalancerArns"]
                if kinds.get(arn) == kind
                for datum in _of_targets(group["TargetGroupArn"], arn)
            ],
        )


def _of_hosts(group: dict[str, Any]) -> Iterator[Datum]:
    """Of a group whose metrics are switched on, those that are there."""
    there = sum(each["LifecycleState"] == IN_SERVICE for each in group.get("Instances") or [])
    enabled = {each["Metric"] for each in group.get("EnabledMetrics") or []}
    for name, value in (("GroupInServiceInstances", there), ("GroupDesiredCapacity", group["DesiredCapacity"])):
        if name in enabled:
            yield _datum(name, value, AutoScalingGroupName=group["AutoScalingGroupName"])


def _of_targets(group: str, balancer: str) -> Iterator[Datum]:
    """A target group without targets has no data."""
    states = [state == HEALTHY for state in list(elbv2.target_health.get(group, {}).values())]
    if states:
        named = {"TargetGroup": group.rpartition(":")[2], "LoadBalancer": balancer.partition("loadbalancer/")[2]}
        yield _datum("HealthyHostCount", sum(states), **named)
        yield _datum("UnHealthyHostCount", len(states) - sum(states), **named)


def _datum(metric: str, measured: float, **dimensions: str) -> Datum:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {"MetricName": metric, "Value": measured, "Dimensions": named}
