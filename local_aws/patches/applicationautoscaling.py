"""Application Auto Scaling: moto looks for services in its own ECS, leaves their counts as they are, and has no tags.

Limits hold as on AWS: a count outside of them becomes the nearest within, when they are set. What load makes of it, by
the policies of `scaling_policies`, is `parts/scaling.py`'s.
https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-ecs.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from local_aws.patches._moto import AwsError, around, instead, missing

if TYPE_CHECKING:
    from local_aws.cloud import Cloud

_cloud: Cloud | None = None
SUSPENDABLE = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
TAGS_MOST = 50


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
def _register(register: Any, self: Any, namespace: str, r_id: str, dimension: str, **keywords: Any) -> Any:
    before = self.targets.get(dimension, {}).get(r_id)
    was = before.suspended_state if before else {}
    target = register(self, namespace, r_id, dimension, **keywords)
    # What is not named stays as it was, and all of it is told.
    given = keywords.get("suspended_state") or {}
    target.suspended_state = {name: bool(given.get(name, was.get(name, False))) for name in SUSPENDABLE}
    if namespace == "ecs":
        ecs, cluster, service = _service(self, r_id)
        if service:
            count = min(max(service["desiredCount"], target.min_capacity), target.max_capacity)
            if count != service["desiredCount"]:
                ecs.update_service(cluster=cluster, service=service["serviceArn"], desiredCount=count)
    return target


def _tagged(self: Any) -> dict[str, str]:
    """The tags of the scalable target that a request names."""
    arn, backend = self._get_param("ResourceARN"), self.applicationautoscaling_backend
    for targets in backend.targets.values():
        for target in targets.values():
            if target.arn == arn:
                if not hasattr(target, "tags"):
                    target.tags = {}
                found: dict[str, str] = target.tags
                return found
    raise AwsError("ResourceNotFoundException", f"The specified resource {arn} does not exist")


@missing(ApplicationAutoScalingResponse, "list_tags_for_resource")
def _list_tags(self: Any) -> str:
    return json.dumps({"Tags": _tagged(self)})


@missing(ApplicationAutoScalingResponse, "tag_resource")
def _tag(self: Any) -> str:
    tags = _tagged(self)
    wanted = {**tags, **self._get_param("Tags")}
    if len(wanted) > TAGS_MOST:
        raise AwsError("TooManyTagsException", f"A resource has at most {TAGS_MOST} tags")
    tags.update(wanted)
    return json.dumps({})


@missing(ApplicationAutoScalingResponse, "untag_resource")
def _untag(self: Any) -> str:
    tags = _tagged(self)
    for key in self._get_param("TagKeys"):
        tags.pop(key, None)
    return json.dumps({})
