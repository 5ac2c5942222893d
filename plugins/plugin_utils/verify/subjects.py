"""What is verified: the services and jobs that the inventory describes, beside what is there of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.ecs_placement import Needs
from plugins.plugin_utils.site.images import is_local

Json = dict[str, Any]
PSEUDO = re.compile(r"\$\{([^}]+)\}")


class Unknown(Exception):
    """A value comes of a stack that is not there; the message names entry and output."""


NOTHING = Needs(0, 0)


@dataclass(frozen=True)
class Secret:
    """A secret of a container.

    Attributes:
        name: of its variable.
        where: `valueFrom` of ECS; empty where the stack that has it is not there.
        missing: the entry and output that it is to come of, where it is not there.
    """

    name: str
    where: str
    missing: str = ""


@dataclass(frozen=True)
class Container:
    """A container of a service or job.

    Attributes:
        name: of it.
        called: its image as the inventory calls it.
        image: to run; empty where the registry is not known to have one.
        secrets: of its environment.
        volumes: names of those that it mounts.
    """

    name: str
    called: str
    image: str
    secrets: tuple[Secret, ...] = ()
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """A service or job.

    Attributes:
        key: `service.web`.
        log_group: of its containers.
        containers: of its task.
        volumes: name → volume of RegisterTaskDefinition; None where its stack is not there.
        needs: what a task takes of its host.
        stop_first: whether a deployment stops the old task before it starts the new one.
        replicas: how many tasks there are to be.
        definition: the task definition that runs (of a job: the newest), of DescribeTaskDefinition; empty if none.
        service: of DescribeServices; empty for a job, and for what is not up.
    """

    key: str
    log_group: str
    containers: tuple[Container, ...]
    volumes: Mapping[str, Json | None] = field(default_factory=dict)
    needs: Needs = NOTHING
    stop_first: bool = False
    replicas: int = 0
    definition: Json = field(default_factory=dict)
    service: Json = field(default_factory=dict)

    @property
    def up(self) -> bool:
        """Whether there is a task definition of it."""
        return bool(self.definition)

    def of(self, container: Container) -> str:
        """How a container of it is called in the table."""
        return self.key if self.key.partition(".")[2] == container.name else f"{self.key}/{container.name}"


@dataclass(frozen=True)
class World:
    """What the values of a description come of.

    Attributes:
        outputs: of stacks, `database.main.SecretArn` → value.
        pseudo: CloudFormation's pseudo parameters, `AWS::Region` → value.
        images: image as the inventory calls it → the one to run.
    """

    outputs: Mapping[str, str]
    pseudo: Mapping[str, str]
    images: Mapping[str, str]


def resolved(value: Any, takes: Mapping[str, str], world: World) -> str:
    """A value of a template as CloudFormation would make it.

    Args:
        value: a text, `Ref` or `Fn::Sub`.
        takes: parameter → the output that it holds.
        world: has the outputs.

    Raises:
        Unknown: its stack is not there.
    """

    def named(name: str) -> str:
        if name in takes:
            if takes[name] not in world.outputs:
                raise Unknown(takes[name])
            return world.outputs[takes[name]]
        return world.pseudo[name]

    if isinstance(value, Mapping):
        if "Ref" in value:
            return named(str(value["Ref"]))
        return PSEUDO.sub(lambda found: named(found[1]), str(value["Fn::Sub"]))
    return str(value)


def task(key: str, entry: Mapping[str, Any], world: World, log_group: str, live: Mapping[str, Json]) -> Task:
    """What is to be verified of a service or job.

    Args:
        key: `service.web`.
        entry: as the lookup `site` gives it, images as the inventory calls them.
        world: what its values come of.
        log_group: of its containers.
        live: `definition` and `service`, where there are any.
    """
    takes = entry["takes"]
    definition = live.get("definition", {})
    cpu = sum(each.get("Cpu") or 0 for each in entry["containers"])
    attributes = frozenset(str(each["name"]) for each in definition.get("requiresAttributes", []))
    return Task(
        key,
        log_group,
        tuple(_container(each, takes, world) for each in entry["containers"]),
        {each["Name"]: _volume(each, takes, world) for each in entry["volumes"]},
        Needs(int(entry["memory"]), int(cpu), attributes),
        bool(entry.get("stop_first")),
        int(entry.get("replicas", 0)),
        dict(definition),
        dict(live.get("service", {})),
    )


def _container(given: Mapping[str, Any], takes: Mapping[str, str], world: World) -> Container:
    called = str(given["Image"])
    return Container(
        str(given["Name"]),
        called,
        world.images.get(called, "" if is_local(called) else called),
        tuple(_secret(each, takes, world) for each in given.get("Secrets", [])),
        tuple(str(each["SourceVolume"]) for each in given.get("MountPoints", [])),
    )


def _secret(given: Mapping[str, Any], takes: Mapping[str, str], world: World) -> Secret:
    try:
        return Secret(given["Name"], resolved(given["ValueFrom"], takes, world))
    except Unknown as error:
        return Secret(given["Name"], "", str(error))


def _volume(given: Mapping[str, Any], takes: Mapping[str, str], world: World) -> Json | None:
    """A volume as RegisterTaskDefinition spells it, of CloudFormation's."""
    made: Json = {"name": given["Name"]}
    if docker := given.get("DockerVolumeConfiguration"):
        made["dockerVolumeConfiguration"] = {name[:1].lower() + name[1:]: value for name, value in docker.items()}
    if efs := given.get("EFSVolumeConfiguration"):
        authorization = efs["AuthorizationConfig"]
        try:
            made["efsVolumeConfiguration"] = {
                "fileSystemId": resolved(efs["FilesystemId"], takes, world),
                "transitEncryption": efs["TransitEncryption"],
                "authorizationConfig": {
                    "accessPointId": resolved(authorization["AccessPointId"], takes, world),
                    "iam": authorization["IAM"],
                },
            }
        except Unknown:
            return None
    return made
