"""The task by which a site is tried on what was restored: a release's own, with nothing but another place of its data.

It has the container that answers visitors and those that this needs, and no other: a worker in the same task would
take jobs away from the site's own. It has no part in a target group or a schedule, so nobody is led to it. Rights and
secrets are those of the release; of the site's own database it gets no address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.one_off import COPIED, NoContainer, needed

HOST_KEY = "host"
"""Key of a database's secret that says where it is."""
STREAM_PREFIX = "drill"


@dataclass(frozen=True)
class Database:
    """Where a database of the site is, and where it is for the drill.

    Attributes:
        address: of the site's own.
        beside: of the instance that was restored.
        secrets: ARNs of the secrets that the site's tasks may read of it.
        login: ARN of the one that it logs in with now.
    """

    address: str
    beside: str
    secrets: Sequence[str]
    login: str


def tried(
    definition: Mapping[str, Any],
    container: str,
    family: str,
    databases: Iterable[Database],
    folders: Mapping[str, str],
) -> dict[str, Any]:
    """What RegisterTaskDefinition is asked for.

    Args:
        definition: of DescribeTaskDefinition.
        container: that answers visitors.
        family: of the new definition.
        databases: those that were restored.
        folders: name of a volume → `<file system>:<folder>` with its files of then.

    Raises:
        NoContainer: there is none of that name.
    """
    containers = {each["name"]: each for each in definition["containerDefinitions"]}
    if container not in containers:
        raise NoContainer(container)
    moved = list(databases)
    kept = [_kept(containers[name], moved) for name in containers if name in needed(containers, container)]
    mounted = {mount["sourceVolume"] for each in kept for mount in each.get("mountPoints", [])}
    return {
        "family": family,
        **{key: definition[key] for key in COPIED if definition.get(key)},
        "containerDefinitions": kept,
        "volumes": [_volume(each, folders) for each in definition.get("volumes", []) if each["name"] in mounted],
    }


def _kept(container: Mapping[str, Any], databases: Sequence[Database]) -> dict[str, Any]:
    """A container with a free port of the host for each of its own, and the addresses of what was restored."""
    kept = {key: value for key, value in container.items() if value not in (None, [], {})}
    if "portMappings" in kept:
        kept["portMappings"] = [{**each, "hostPort": 0} for each in kept["portMappings"]]
    log = kept.get("logConfiguration", {})
    if "awslogs-stream-prefix" in log.get("options", {}):
        kept["logConfiguration"] = {**log, "options": {**log["options"], "awslogs-stream-prefix": STREAM_PREFIX}}
    environment = {each["name"]: str(each["value"]) for each in kept.pop("environment", [])}
    secrets = {each["name"]: str(each["valueFrom"]) for each in kept.pop("secrets", [])}
    for database in databases:
        environment = {name: value.replace(database.address, database.beside) for name, value in environment.items()}
        for name, value in list(secrets.items()):
            arn = next((each for each in database.secrets if value.startswith(f"{each}:")), "")
            key = value[len(arn) + 1 :].split(":")[0] if arn else ""
            if key == HOST_KEY:
                del secrets[name]
                environment[name] = database.beside
            elif key:  # whatever version the release was given: the instance beside lets in who logs in now
                secrets[name] = f"{database.login}:{key}::"
    if environment:
        kept["environment"] = [{"name": name, "value": value} for name, value in environment.items()]
    if secrets:
        kept["secrets"] = [{"name": name, "valueFrom": value} for name, value in secrets.items()]
    return kept


def _volume(volume: Mapping[str, Any], folders: Mapping[str, str]) -> dict[str, Any]:
    """A volume with its files of then, if they were restored; else as it is."""
    if volume["name"] not in folders:
        return dict(volume)
    system, _, folder = folders[volume["name"]].partition(":")
    mounted = {"fileSystemId": system, "rootDirectory": folder, "transitEncryption": "ENABLED"}
    return {"name": volume["name"], "efsVolumeConfiguration": mounted}
