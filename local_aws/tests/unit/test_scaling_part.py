"""The part that applies scaling policies, on the APIs and an ECS without hosts; loads and time are the test's."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.ecs import control_plane
from local_aws.load_balancers import traffic
from local_aws.load_balancers.traffic import Traffic
from local_aws.parts.scaling import Scaling
from local_aws.patches import applicationautoscaling
from local_aws.tests.clock import Clock
from local_aws.tests.watched_support import Watched

TARGET = {
    "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceId": "service/shop/api",
}  # fmt: skip
BALANCER, GROUP = "app/shop/0123456789abcdef", "targetgroup/api/0123456789abcdef"


class Shop:
    """A service of 2 to 6 tasks that is deployed, and its load."""

    def __init__(self, watched: Watched) -> None:
        self.cloud, self.clock = watched.cloud, Clock()
        self.ecs, self.scaling = self.cloud.client("ecs"), self.cloud.client("application-autoscaling")
        self.ecs.create_cluster(clusterName="shop")
        self.ecs.register_task_definition(
            family="api", containerDefinitions=[{"name": "api", "image": "shop/api", "memory": 64, "cpu": 100}]
        )
        self.ecs.create_service(
            cluster="shop", serviceName="api", taskDefinition="api", desiredCount=2, launchType="EC2"
        )
        self.scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=6)
        self.regional = control_plane.of(self.cloud).regional("us-east-1")
        (self.service,) = control_plane.of(self.cloud).state.region().services.values()
        self.service.primary.state = "COMPLETED"
        self.part = Scaling(self.cloud, self.clock)
        self.cpu: float | None = 10.0
        self.regional.metrics.data = self._data  # type: ignore[method-assign]  # no agent tells of any load

    def _data(self) -> list[dict[str, Any]]:
        dimensions = [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "api"}]
        cpu = (
            [] if self.cpu is None else [{"MetricName": "CPUUtilization", "Dimensions": dimensions, "Value": self.cpu}]
        )
        return [*cpu, {"MetricName": "CPUUtilization", "Dimensions": dimensions[:1], "Value": 99.0}]

    def policy(self, kind: str = "ECSServiceAverageCPUUtilization", target: float = 60.0, **more: Any) -> Any:
        label = {"ResourceLabel": f"{BALANCER}/{GROUP}"} if kind.startswith("ALB") else {}
        return self.scaling.put_scaling_policy(
            **TARGET, PolicyName="by-load", PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": target, "PredefinedMetricSpecification": {"PredefinedMetricType": kind, **label}, **more,
            },
        )  # fmt: skip

    def minutes(self, number: int, requests: int = 0) -> int:
        """Let so many minutes go by, with so many requests each; the count of tasks then."""
        for _ in range(number):
            known = traffic.of(self.cloud).groups.get((BALANCER, GROUP), traffic.Group())
            traffic.of(self.cloud).seen(BALANCER, GROUP, known.counted + requests, healthy=2)
            self.part.reconcile()
            self.clock.now += self.cloud.minute
            self.part.reconcile()
        return self.service.desired


@pytest.fixture
def shop(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(applicationautoscaling, "_cloud", watched.cloud)
    return Shop(watched)


def states(shop: Shop) -> dict[str, str]:
    found = shop.cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {each["AlarmName"].split("-")[2]: each["StateValue"] for each in found}


def test_load_makes_tasks_come_and_its_end_makes_them_go(shop: Shop) -> None:
    shop.policy()
    assert states(shop) == {"AlarmHigh": "INSUFFICIENT_DATA", "AlarmLow": "INSUFFICIENT_DATA"}
    assert shop.minutes(2) == 2
    shop.cpu = 120.0
    assert shop.minutes(2) == 2
    assert shop.minutes(1) == 4
    assert states(shop) == {"AlarmHigh": "ALARM", "AlarmLow": "OK"}
    shop.cpu = 10.0
    assert shop.minutes(14) == 4
    assert [shop.minutes(1), shop.minutes(4), shop.minutes(1)] == [3, 3, 2]
    assert shop.minutes(30) == 2
    assert states(shop) == {"AlarmHigh": "OK", "AlarmLow": "ALARM"}

    activities = shop.scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    assert [each["Description"] for each in activities] == [f"Setting desired count to {n}." for n in (2, 3, 4)]
    assert {each["StatusCode"] for each in activities} == {"Successful"}
    assert activities[2]["Cause"].startswith("monitor alarm TargetTracking-service/shop/api-AlarmHigh-")
    assert activities[2]["Cause"].endswith("in state ALARM triggered policy by-load")


def test_requests_are_counted_for_each_healthy_target(shop: Shop) -> None:
    shop.policy("ALBRequestCountPerTarget", 100.0)
    shop.minutes(1)
    assert shop.minutes(5, requests=200) == 2, "100 each"
    assert shop.minutes(3, requests=290) == 3, "145 each"
    assert shop.minutes(30) == 3, "no request is no data, so nothing is taken away"
    assert shop.minutes(15, requests=2) == 2


def test_a_shorter_minute_counts_as_a_whole_one(shop: Shop) -> None:
    shop.cloud.minute = 4.0
    shop.policy("ALBRequestCountPerTarget", 100.0)
    shop.minutes(1)
    assert shop.minutes(3, requests=13) == 2, "97 a minute for each of both"
    assert shop.minutes(3, requests=20) == 3, "150 a minute"
    assert shop.minutes(20, requests=1) == 2


def test_cooldowns_are_as_short_as_the_minutes(shop: Shop) -> None:
    shop.policy(ScaleInCooldown=600)
    shop.cloud.minute = 6.0
    shop.cpu = 300.0
    assert shop.minutes(3) == 6
    shop.cpu = 10.0
    assert [shop.minutes(15), shop.minutes(9), shop.minutes(1)] == [5, 5, 4]


def test_a_scale_out_ends_the_cooldown_of_a_scale_in(shop: Shop) -> None:
    shop.policy(ScaleInCooldown=6000)
    shop.ecs.update_service(cluster="shop", service="api", desiredCount=4)
    assert [shop.minutes(15), shop.minutes(30)] == [3, 3]
    shop.cpu = 120.0
    assert shop.minutes(3) == 6
    shop.cpu = 10.0
    assert shop.minutes(15) == 5


def test_a_deployment_and_a_suspension_keep_tasks(shop: Shop) -> None:
    shop.policy()
    shop.ecs.update_service(cluster="shop", service="api", desiredCount=4)
    assert shop.service.primary.state == "COMPLETED", "another count is no deployment"
    shop.service.primary.state = "IN_PROGRESS"
    assert shop.minutes(16) == 4
    shop.service.primary.state = "COMPLETED"
    suspended = {"DynamicScalingInSuspended": True}
    shop.scaling.register_scalable_target(**TARGET, SuspendedState=suspended)
    assert shop.minutes(1) == 4
    shop.scaling.register_scalable_target(**TARGET, SuspendedState=dict.fromkeys(suspended, False))
    assert shop.minutes(1) == 3


def test_without_data_nothing_is_done_and_it_says_so(shop: Shop) -> None:
    shop.policy()
    shop.cpu = None
    shop.ecs.update_service(cluster="shop", service="api", desiredCount=4)
    assert shop.minutes(20) == 4
    (line,) = shop.part.health()
    assert (line.ok, line.name) == (True, "scaling of service/shop/api")
    assert line.detail == "2 to 6 tasks; by-load no data of 60"
    shop.cpu = 33.0
    shop.minutes(1)
    assert shop.part.health()[0].detail == "2 to 6 tasks; by-load 33 of 60"


def test_a_refusal_of_ecs_is_an_activity_that_failed(shop: Shop) -> None:
    shop.policy()
    shop.cpu = 120.0
    shop.minutes(2)
    shop.service.status = "DRAINING"
    assert shop.minutes(1) == 2, "a service that goes is left alone"
    shop.service.status = "ACTIVE"
    shop.service.arn = shop.service.arn.replace("/api", "/none")
    assert shop.minutes(1) == 2
    (activity,) = shop.scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    assert activity["StatusCode"] == "Failed"
    assert "ServiceNotFoundException" in activity["StatusMessage"]
    assert [line.ok for line in shop.part.health()] == [False]


def test_where_nothing_scales_nothing_is_asked(watched: Watched) -> None:
    clock = Clock()
    part = Scaling(watched.cloud, clock)

    def a_minute() -> None:
        part.reconcile()
        clock.now += 60
        part.reconcile()

    assert watched.asked(a_minute) == 0
    assert part.health() == []


def test_a_policy_that_is_gone_is_forgotten(shop: Shop) -> None:
    shop.policy()
    shop.cpu = 120.0
    shop.minutes(2)
    shop.scaling.delete_scaling_policy(**TARGET, PolicyName="by-load")
    shop.minutes(1)
    shop.policy()
    assert shop.minutes(2) == 2
    assert shop.minutes(1) == 4


def test_metrics_of_requests_are_as_elastic_load_balancing_has_them() -> None:
    seen = Traffic()
    seen.seen(BALANCER, GROUP, 100, healthy=2)
    seen.seen(BALANCER, "targetgroup/other/0", 7, healthy=0)
    both = {
        (each["MetricName"], *sorted(item["Value"] for item in each["Dimensions"])): each["Value"]
        for each in seen.data()
    }
    assert both == {
        ("RequestCount", BALANCER): 107.0,
        ("RequestCount", BALANCER, GROUP): 100.0,
        ("RequestCountPerTarget", GROUP): 50.0,
        ("RequestCountPerTarget", BALANCER, GROUP): 50.0,
        ("RequestCount", BALANCER, "targetgroup/other/0"): 7.0,
        ("RequestCountPerTarget", "targetgroup/other/0"): 7.0,
        ("RequestCountPerTarget", BALANCER, "targetgroup/other/0"): 7.0,
    }
    assert seen.data() == [], "nothing where no request came"
    seen.seen(BALANCER, GROUP, 3, healthy=2)
    assert {each["Value"] for each in seen.data() if each["MetricName"] == "RequestCount"} == {3.0}, "after a reload"
    seen.forget(BALANCER)
    assert seen.groups == {}


def test_how_metrics_call_a_load_balancer() -> None:
    begin = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
    assert traffic.end(f"{begin}loadbalancer/{BALANCER}") == BALANCER
    assert traffic.end(f"{begin}{GROUP}") == GROUP
