"""The revisions of a task definition's family, and what of a site's each was made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plugins.plugin_utils.ecs import listed
from plugins.plugin_utils.site.labels import IMAGE, RELEASE

SUCCESS = "LastSuccess"
"""Tag of a job's revision: when it ended well."""
MOST = 100
"""How many revisions are looked at, each by a call of its own."""


def newest_first(ecs: Any, family: str, most: int = MOST) -> Iterator[dict[str, Any]]:
    """The active revisions of a family, of DescribeTaskDefinition.

    Args:
        ecs: a boto3 client.
        family: the whole name of it.
        most: how many are looked at.
    """
    arns = listed(ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family, status="ACTIVE", sort="DESC")
    # ECS says that `familyPrefix` is the full name; its own name says that others may come along.
    own = [arn for arn in arns if arn.rsplit("/", 1)[-1].rpartition(":")[0] == family]
    for arn in own[:most]:
        yield dict(ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"])


def release_of(definition: Mapping[str, Any]) -> str:
    """The release that a task definition belongs to; empty if it says none."""
    labels = [each.get("dockerLabels", {}) for each in definition["containerDefinitions"]]
    return next((str(each[RELEASE]) for each in labels if RELEASE in each), "")


def ended_well(answer: Mapping[str, Any]) -> str:
    """When a job's revision ended well, ISO 8601; empty if it never has.

    Args:
        answer: of DescribeTaskDefinition, with the tags.
    """
    return next((str(tag["value"]) for tag in answer.get("tags", []) if tag["key"] == SUCCESS), "")


def has_images(definition: Mapping[str, Any], images: Mapping[str, str]) -> bool:
    """Whether a task definition runs these images, as far as they tell of its own.

    Args:
        definition: of DescribeTaskDefinition.
        images: image as the inventory calls it → image of the registry.
    """
    return all(
        images.get(each.get("dockerLabels", {}).get(IMAGE, ""), each["image"]) == each["image"]
        for each in definition["containerDefinitions"]
    )
