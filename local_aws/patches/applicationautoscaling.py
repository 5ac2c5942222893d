"""Application Auto Scaling: moto looks for services in its own ECS, and leaves their counts as they are.

Limits hold as on AWS: a count outside of them becomes the nearest within, when they are set. No load changes it.
https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-ecs.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

from local_aws.patches._moto import around, instead

if TYPE_CHECKING:
    from local_aws.cloud import Cloud

_cloud: Cloud | None = None


def configure(cloud: Cloud) -> None:
    """Ask the ECS of this embedded AWS."""
    global _cloud
    _cloud = cloud


def _service(self: Any, resource: str) -> tuple[Any, str, dict[str, Any] | None]:
    """A client of ECS, the cluster and the service that `resource`, `service/<cluster>/<service>`, names."""
    _, cluster, name = resource.split("/")
    assert _cloud is not None, "patches.apply was called"
    ecs = _cloud.client("ecs", self.region_name)
    found = ecs.describe_services(cluster=cluster, services=[name])["services"]
    return ecs, cluster, next((each for each in found if each["status"] == "ACTIVE"), None)


@instead(ApplicationAutoscalingBackend, "_ecs_service_exists_for_target")
def _exists(self: Any, r_id: str) -> bool:
    if _service(self, r_id)[2] is None:
        raise AWSValidationException(f"ECS service doesn't exist: {r_id}")
    return True


@around(ApplicationAutoscalingBackend, "register_scalable_target")
def _register(register: Any, self: Any, namespace: str, r_id: str, *arguments: Any, **keywords: Any) -> Any:
    target = register(self, namespace, r_id, *arguments, **keywords)
    if namespace == "ecs":
        ecs, cluster, service = _service(self, r_id)
        if service:
            count = min(max(service["desiredCount"], target.min_capacity), target.max_capacity)
            if count != service["desiredCount"]:
                ecs.update_service(cluster=cluster, service=service["serviceArn"], desiredCount=count)
    return target
