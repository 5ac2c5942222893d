"""The ECS service's handler waits for its deployment and says why one failed; with a fake ECS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local_aws.cloudformation.handlers import HANDLERS, Context
from local_aws.cloudformation.handlers import ecs as handlers

ARN = "arn:aws:ecs:us-east-1:123456789012:service/shop/site"
PROPERTIES = {
    "Cluster": "shop",
    "TaskDefinition": "shop:1",
    "DesiredCount": "2",
    "CapacityProviderStrategy": [{"CapacityProvider": "hosts", "Weight": "1"}],
    "PlacementStrategies": [{"Type": "spread", "Field": "instanceId"}],
    "LoadBalancers": [{"ContainerName": "nginx", "ContainerPort": "80", "TargetGroupArn": "arn:x"}],
    "DeploymentConfiguration": {
        "MinimumHealthyPercent": "100",
        "DeploymentCircuitBreaker": {"Enable": "true", "Rollback": "true"},
    },
    "HealthCheckGracePeriodSeconds": "60",
    "AvailabilityZoneRebalancing": "DISABLED",
    "EnableECSManagedTags": "true",
    "PropagateTags": "SERVICE",
}
EVENT = {"id": "e-1", "message": "(service site) was unable to place a task because of RESOURCE:MEMORY."}


def service(*deployments: tuple[str, str, str], events: Any = (), status: str = "ACTIVE") -> dict[str, Any]:
    """A service with these deployments: id, status, rollout state."""
    return {
        "serviceArn": ARN,
        "status": status,
        "schedulingStrategy": "REPLICA",
        "events": list(events),
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        "deployments": [{"id": i, "status": s, "rolloutState": r} for i, s, r in deployments],
    }


class FakeEcs:
    """Answers from a script and remembers what it was asked. Parameters are checked by botocore's own models."""

    def __init__(self) -> None:
        self.meta = boto3.client("ecs", region_name="us-east-1").meta
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.first = service(("d-1", "PRIMARY", "IN_PROGRESS"))
        self.then: Iterator[dict[str, Any]] = iter([service(("d-1", "PRIMARY", "COMPLETED"))])

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            self.calls.append((name, parameters))
            if name == "describe_services":
                return {"services": [next(self.then)]}
            return {"service": self.first}

        return call

    def sent(self, name: str) -> dict[str, Any]:
        """Parameters of the last call of that name."""
        return [parameters for called, parameters in self.calls if called == name][-1]


@pytest.fixture
def ecs() -> FakeEcs:
    return FakeEcs()


def context(ecs: FakeEcs) -> Context:
    return Context(
        stack_name="shop",
        stack_id="arn:stack",
        logical_id="Service",
        region="us-east-1",
        account_id="123456789012",
        partition="aws",
        tags={"Site": "shop"},
        clients=lambda _service, _region: ecs,
    )


HANDLER = HANDLERS["AWS::ECS::Service"]


def test_create_speaks_ecs_and_waits_until_completed(ecs: FakeEcs) -> None:
    ecs.then = iter([service(("d-1", "PRIMARY", "IN_PROGRESS")), service(("d-1", "PRIMARY", "COMPLETED"))])

    assert HANDLER.create(context(ecs), PROPERTIES) == ARN

    assert [name for name, _ in ecs.calls] == ["create_service", "describe_services", "describe_services"]
    sent = ecs.sent("create_service")
    assert sent["serviceName"].startswith("shop-Service-")
    assert sent["desiredCount"] == 2
    assert sent["capacityProviderStrategy"] == [{"capacityProvider": "hosts", "weight": 1}]
    assert sent["placementStrategy"] == [{"type": "spread", "field": "instanceId"}]
    assert sent["loadBalancers"] == [{"containerName": "nginx", "containerPort": 80, "targetGroupArn": "arn:x"}]
    assert sent["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (sent["enableECSManagedTags"], sent["healthCheckGracePeriodSeconds"]) == (True, 60)
    assert sent["tags"] == [{"key": "Site", "value": "shop"}]


@pytest.mark.parametrize(
    "end",
    [
        service(("d-1", "PRIMARY", "FAILED"), events=[EVENT]),
        service(("d-0", "PRIMARY", "IN_PROGRESS"), ("d-1", "ACTIVE", "FAILED"), events=[EVENT]),
        service(("d-0", "PRIMARY", "COMPLETED"), events=[EVENT]),
    ],
    ids=["failed", "rolling back", "rolled back"],
)
def test_a_deployment_that_failed_tells_the_service_s_own_event(ecs: FakeEcs, end: dict[str, Any]) -> None:
    ecs.then = iter([end])
    given = context(ecs)

    with pytest.raises(handlers.ServiceFailed, match=r"Circuit Breaker was triggered.*RESOURCE:MEMORY"):
        HANDLER.create(given, PROPERTIES)

    assert given.physical_id == ARN, "a rollback deletes the service"


def test_an_old_event_is_not_the_reason(ecs: FakeEcs) -> None:
    ecs.first = service(("d-1", "PRIMARY", "IN_PROGRESS"), events=[EVENT])
    ecs.then = iter([service(("d-1", "PRIMARY", "FAILED"), events=[{"id": "e-2", "message": "new one"}, EVENT])])

    with pytest.raises(handlers.ServiceFailed) as caught:
        HANDLER.update(context(ecs), ARN, PROPERTIES, PROPERTIES | {"TaskDefinition": "shop:2"})

    assert "new one" in str(caught.value)
    assert "RESOURCE:MEMORY" not in str(caught.value)


def test_update_leaves_out_a_desired_count_that_is_not_given(ecs: FakeEcs) -> None:
    without = {key: value for key, value in PROPERTIES.items() if key != "DesiredCount"}

    HANDLER.update(context(ecs), ARN, without, without | {"TaskDefinition": "shop:2"})

    sent = ecs.sent("update_service")
    assert "desiredCount" not in sent
    assert "forceNewDeployment" not in sent
    assert (sent["taskDefinition"], sent["service"]) == ("shop:2", ARN)


def test_what_the_template_no_longer_says_goes_back_to_its_default(ecs: FakeEcs) -> None:
    gone = ("PlacementStrategies", "HealthCheckGracePeriodSeconds", "CapacityProviderStrategy")
    new = {key: value for key, value in PROPERTIES.items() if key not in gone}

    HANDLER.update(context(ecs), ARN, PROPERTIES, new)

    sent = ecs.sent("update_service")
    assert (sent["placementStrategy"], sent["capacityProviderStrategy"]) == ([], [])
    assert sent["healthCheckGracePeriodSeconds"] == 0
    assert sent["forceNewDeployment"] is True, "ECS wants it with another strategy"


def test_changed_tags_alone_deploy_nothing(ecs: FakeEcs) -> None:
    HANDLER.update(context(ecs), ARN, PROPERTIES, PROPERTIES | {"Tags": [{"Key": "a", "Value": "b"}]})

    assert [name for name, _ in ecs.calls] == ["tag_resource"]


def test_delete_stops_the_tasks_first_and_waits(ecs: FakeEcs) -> None:
    ecs.then = iter([service(status="ACTIVE"), service(status="DRAINING"), service(status="INACTIVE")])

    HANDLER.delete(context(ecs), ARN, PROPERTIES)

    names = [name for name, _ in ecs.calls]
    assert names == ["describe_services", "update_service", "delete_service", "describe_services", "describe_services"]
    assert ecs.sent("update_service")["desiredCount"] == 0
    assert ecs.sent("delete_service")["force"] is True


def test_deleting_a_service_that_is_gone_is_fine(ecs: FakeEcs) -> None:
    ecs.then = iter([service(status="INACTIVE"), service(status="INACTIVE")])

    HANDLER.delete(context(ecs), ARN, PROPERTIES)

    assert {name for name, _ in ecs.calls} == {"describe_services"}
