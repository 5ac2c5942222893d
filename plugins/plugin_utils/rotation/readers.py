"""The tasks of a cluster that have read a secret when they started."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.aws_action import Failed, Wait
from plugins.plugin_utils.ecs import listed, short, some, tasks
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.rotation.versions import Versions
from plugins.plugin_utils.secret_versions import places

LISTED = 5
"""How many tasks a message names."""


@dataclass(frozen=True)
class Reader:
    """A task that is not over.

    Attributes:
        arn: of the task.
        service: ECS's name of its service; empty of a job or a command.
        ending: whether it has been told to end.
    """

    arn: str
    service: str
    ending: bool

    def __str__(self) -> str:
        what = f"of {self.service}" if self.service else "of no service"
        return f"{short(self.arn)} ({what}{', ending' if self.ending else ''})"


def readers(ecs: Any, cluster: str, secret: str, until: datetime.datetime) -> list[Reader]:
    """The tasks made until a time whose definition names a secret; who is being stopped still works off requests.

    Args:
        ecs: boto3's client.
        cluster: the cluster.
        secret: its ARN.
        until: a task made later has read what came then.
    """
    found = list(_all(ecs, cluster))
    definitions = {str(each["taskDefinitionArn"]) for each in found if each["createdAt"] <= until}
    naming = {arn for arn in definitions if secret in _places(ecs, arn)}
    return [
        Reader(
            str(each["taskArn"]),
            each["group"].partition(":")[2] if str(each.get("group", "")).startswith("service:") else "",
            each.get("desiredStatus") == "STOPPED",
        )
        for each in sorted(found, key=lambda each: str(each["taskArn"]))
        if each["createdAt"] <= until and each["taskDefinitionArn"] in naming
    ]


def stale(ecs: Any, cluster: str, versions: Versions) -> list[Reader]:
    """The tasks that have what was current before."""
    return readers(ecs, cluster, versions.arn, versions.changed())


def named(found: list[Reader]) -> str:
    """Tasks, for a sentence."""
    return some(map(str, found), LISTED)


def wait_until_none_is_stale(ecs: Any, cluster: str, versions: Versions, wait: Wait, what: str) -> None:
    """Until no task has what was current before.

    Args:
        ecs, cluster, versions: see `stale`.
        wait: for how long.
        what: that is to go then: "The login of before of the database main".

    Raises:
        Failed: one still has it.
    """
    while left := stale(ecs, cluster, versions):
        if not wait.pause(f"tasks that have what was before to end: {named(left)}"):
            alone = next((short(each.arn) for each in left if not each.service), "")
            how = f"{verb('run.yml')} -e stop={alone}" if alone else verb("doctor.yml")
            raise Failed(
                f"{what} was not retired: after {wait.seconds:.0f} s tasks still have it: {named(left)}. Let them end "
                f"({how}), then type the same command again."
            )


def services(found: list[Reader]) -> list[str]:
    """ECS's names of the services that tasks are to be replaced of."""
    return sorted({each.service for each in found if each.service and not each.ending})


def _all(ecs: Any, cluster: str) -> Iterator[dict[str, Any]]:
    """Tasks that are not over; those that are to be stopped are listed among the stopped ones from then on."""
    for desired in ("RUNNING", "STOPPED"):
        arns = listed(ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus=desired)
        yield from (each for each in tasks(ecs, cluster, arns) if each["lastStatus"] != "STOPPED")


def _places(ecs: Any, definition: str) -> list[str]:
    return places([ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]])
