"""`patch` of a service or a job: what no task on the site's hosts can have is refused before ECS does so in a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plugins.plugin_utils.site.patch import patch
from plugins.plugin_utils.site.place import Place

REFUSED = {
    "EphemeralStorage": "is Fargate's; here tasks write to their host's disk. Write host_volume_gb: 60.",
    "InferenceAccelerators": "is Elastic Inference's, which AWS has ended. Take it out.",
    "ProxyConfiguration": "is App Mesh's, which AWS has ended; services reach each other by expose. Take it out.",
    "Volumes.FSxWindowsFileServerVolumeConfiguration": (
        "is a share of Windows, and the hosts run Linux. Mount an entry of site_volumes."
    ),
}
"""Property of a task definition → what is wrong with it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskdefinition.html
https://docs.aws.amazon.com/app-mesh/latest/userguide/what-is-app-mesh.html
"""
NAMED = ("ContainerDefinitions", "Volumes")
"""Lists of a task definition, into which a path goes by an item's name."""


def task_patch(value: Any, at: Place) -> dict[str, Any] | None:
    """The kind: as `patch`."""
    found = patch(value, at)
    for path, item in (found or {}).items():
        resource, *steps = path.split(".")
        if resource != "TaskDefinition":
            continue
        if steps[0] in NAMED:
            del steps[1:2]
        for refused in sorted({*_properties(tuple(steps), item)} & REFUSED.keys()):
            (at / path).wrong(REFUSED[refused])
    return found


def _properties(steps: tuple[str, ...], value: Any) -> Iterator[str]:
    """Every property that a patch writes, those above it too."""
    yield from (".".join(steps[: place + 1]) for place in range(len(steps)))
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _properties((*steps, str(name)), item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _properties(steps, item)
