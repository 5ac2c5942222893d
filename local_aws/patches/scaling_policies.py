"""Scaling policies of ECS services: moto makes alarms of any metric, and anew with each change, and has no activities.

What is put here is acted on by `parts/scaling.py`; a policy that it would not act on is refused.
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
"""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, FakeApplicationAutoscalingPolicy
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from local_aws.patches._moto import AwsError, around, instead, missing
from local_aws.scaling.tracking import IN_MINUTES, IN_SHARE, OUT_MINUTES

if TYPE_CHECKING:
    from moto.cloudwatch.models import Alarm

METRICS = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
    "ALBRequestCountPerTarget": "RequestCountPerTarget",
}
LABEL = re.compile(r"(?P<balancer>app/[\w-]+/\w+)/(?P<group>targetgroup/[\w-]+/\w+)")
"""Of a load balancer and a target group of it: the ends of both ARNs."""
ACTIVITIES = 100
PAGE = 50


def metric(policy: Any) -> str:
    """The predefined metric of a target tracking policy of moto's; empty if it has another."""
    config = policy.target_tracking_scaling_policy_configuration or {}
    return str(config.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", ""))


def label(policy: Any) -> tuple[str, str]:
    """Load balancer and target group whose requests a policy looks at, as metrics call them."""
    specification = policy.target_tracking_scaling_policy_configuration["PredefinedMetricSpecification"]
    found = LABEL.fullmatch(specification.get("ResourceLabel", ""))
    assert found, "it was judged when it was put"
    return found["balancer"], found["group"]


def record(backend: Any, resource: str, cause: str, description: str, status: str, message: str) -> None:
    """Add a scaling activity, the newest first.

    Args:
        backend: moto's.
        resource: `service/<cluster>/<service>`.
        cause: why it was done.
        description: what was done.
        status: `Successful` or `Failed`.
        message: what became of it.
    """
    activities = backend.__dict__.setdefault("scaling_activities", [])
    now = time.time()
    activities.insert(0, {
        "ActivityId": str(uuid.uuid4()), "ServiceNamespace": "ecs", "ResourceId": resource,
        "ScalableDimension": "ecs:service:DesiredCount", "Description": description, "Cause": cause,
        "StartTime": now, "EndTime": now, "StatusCode": status, "StatusMessage": message,
    })  # fmt: skip
    del activities[ACTIVITIES:]


@around(ApplicationAutoscalingBackend, "put_scaling_policy")
def _put(put: Any, self: Any, **given: Any) -> Any:
    if given["service_namespace"] != "ecs":
        return put(self, **given)
    resource, dimension = given["resource_id"], given["scalable_dimension"]
    if resource not in self.targets.get(dimension, {}):
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: ecs, resource ID: {resource}, "
            f"scalable dimension: {dimension}",
        )
    _judge(given)
    key = FakeApplicationAutoscalingPolicy.formulate_key("ecs", resource, dimension, given["policy_name"])
    before = self.policies.get(key)
    policy = put(self, **given)
    if before:
        before.delete_alarms(self.account_id, self.region_name)
        policy.policy_arn, policy.creation_time = before.policy_arn, before.creation_time
        for alarm in policy.alarms:
            alarm.alarm_actions = [policy.policy_arn]
    return policy


def _judge(given: dict[str, Any]) -> None:
    """Refuse what AWS refuses, and what no load would change here."""
    body = given["policy_body"] or {}
    specification = body.get("PredefinedMetricSpecification") or {}
    kind = specification.get("PredefinedMetricType")
    if given["policy_type"] == "StepScaling" or kind not in METRICS:
        raise AWSValidationException(
            f"Policy {given['policy_name']} is not emulated; use TargetTrackingScaling by one of {', '.join(METRICS)}."
        )
    if not float(body.get("TargetValue") or 0) > 0:
        raise AWSValidationException("TargetValue must be greater than 0.")
    labelled = specification.get("ResourceLabel")
    if kind == "ALBRequestCountPerTarget" and not LABEL.fullmatch(labelled or ""):
        raise AWSValidationException(
            f"Invalid resource label '{labelled}'. It must have the format app/<name>/<id>/targetgroup/<name>/<id>."
        )
    if kind != "ALBRequestCountPerTarget" and labelled:
        raise AWSValidationException(f"A resource label is not supported by the metric type {kind}.")


@around(ApplicationAutoscalingBackend, "deregister_scalable_target")
def _deregister(deregister: Any, self: Any, namespace: str, r_id: str, dimension: str) -> None:
    """The policies of a target go with it."""
    deregister(self, namespace, r_id, dimension)
    for key, policy in list(self.policies.items()):
        if (policy.service_namespace, policy.resource_id, policy.scalable_dimension) == (namespace, r_id, dimension):
            policy.delete_alarms(self.account_id, self.region_name)
            del self.policies[key]


@instead(FakeApplicationAutoscalingPolicy, "_generate_ecs_alarms")
def _alarms(self: Any) -> list[Alarm]:
    """The upper and the lower alarm, in this order. No cloud is told of them: the policy itself acts."""
    from moto.cloudwatch.models import cloudwatch_backends

    cloudwatch = cloudwatch_backends[self.account_id][self.region_name]
    target = float(self.target_tracking_scaling_policy_configuration["TargetValue"])
    by_requests = metric(self) == "ALBRequestCountPerTarget"
    if by_requests:
        balancer, group = label(self)
        dimensions = [{"Name": "TargetGroup", "Value": group}, {"Name": "LoadBalancer", "Value": balancer}]
    else:
        _, cluster, service = self.resource_id.split("/")
        dimensions = [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]
    return [
        cloudwatch.put_metric_alarm(
            name=f"TargetTracking-{self.resource_id}-Alarm{word}-{uuid.uuid4()}",
            namespace="AWS/ApplicationELB" if by_requests else "AWS/ECS",
            metric_name=METRICS[metric(self)],
            metric_data_queries=[],
            comparison_operator=f"{comparison}Threshold",
            evaluation_periods=minutes,
            period=60,
            threshold=threshold,
            unit=None if by_requests else "Percent",
            statistic="Sum" if by_requests else "Average",
            description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {self.policy_name}.",
            dimensions=dimensions,
            alarm_actions=[self.policy_arn],
        )
        for word, comparison, minutes, threshold in (
            ("High", "GreaterThan", OUT_MINUTES, target),
            ("Low", "LessThan", IN_MINUTES, target * IN_SHARE),
        )
    ]


@missing(ApplicationAutoScalingResponse, "describe_scaling_activities")
def _activities(self: Any) -> str:
    found = [
        each
        for each in self.applicationautoscaling_backend.__dict__.get("scaling_activities", [])
        if each["ServiceNamespace"] == self._get_param("ServiceNamespace")
        and self._get_param("ResourceId") in (None, each["ResourceId"])
        and self._get_param("ScalableDimension") in (None, each["ScalableDimension"])
    ]
    begin, most = int(self._get_param("NextToken") or 0), self._get_int_param("MaxResults") or PAGE
    answer: dict[str, Any] = {"ScalingActivities": found[begin : begin + most]}
    if len(found) > begin + most:
        answer["NextToken"] = str(begin + most)
    return json.dumps(answer)
