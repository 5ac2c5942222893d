"""Turn `site_containers` into the container definitions and volumes of a CloudFormation task definition.

The shape that comes in is described in roles/task/README.md; what goes out is AWS::ECS::TaskDefinition's
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskdefinition.html), with
references to the parameters of cloudformation/task.yml where only CloudFormation knows the value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils.places import verb

SECRETS = {"database": "DatabaseSecretArn", "django": "DjangoSecretArn", "admin": "AdminSecretArn"}
"""First word of a secret's source → parameter of cloudformation/task.yml that holds the secret's ARN."""


def container_definitions(
    containers: Mapping[str, Mapping[str, Any]],
    images: Mapping[str, str],
    release: str,
    region: str,
    log_options: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Container definitions of the service's task.

    Args:
        containers: `site_containers`.
        images: container → image with its tag.
        release: the release's id. It stands in the definition itself, as tags of a task definition are changed in
            place, and a release must be a revision of its own.
        region: for the log driver.
        log_options: more options of the log driver awslogs.

    Raises:
        AnsibleFilterError: a container has no image, or a secret has an unknown source.
    """
    return [_definition(name, given, images, release, region, log_options) for name, given in containers.items()]


def one_off_definitions(
    containers: Mapping[str, Mapping[str, Any]],
    once: Mapping[str, Any],
    images: Mapping[str, str],
    release: str,
    region: str,
    log_options: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Container definitions of the one-off task: one of the site's containers with another command, alone.

    Args:
        containers: `site_containers`.
        once: `site_once`: `container` names the one to take; `command`, `memory` and more `environment` and `secrets`.
        images, release, region, log_options: as for `container_definitions`.
    """
    base = {
        key: value
        for key, value in containers[once["container"]].items()
        if key not in ("port", "links", "depends_on", "health", "command")
    }
    for key in ("environment", "secrets"):
        base[key] = {**base.get(key, {}), **once.get(key, {})}
    base |= {key: once[key] for key in ("command", "memory") if key in once}
    if int(base.get("memory_reservation") or 0) > int(base["memory"]):
        del base["memory_reservation"]  # the container's own; ECS refuses more than memory, and only at the end
    stream = f"{once['container']}-once"
    return [_definition(once["container"], base, images, release, region, log_options, stream)]


def task_volumes(containers: Mapping[str, Mapping[str, Any]], driver: str) -> list[dict[str, Any]]:
    """The volumes that the containers' `volumes` name, by the driver `rexray` or `efs`.

    With rexray the volume is the file system whose Name tag is `<EFS_TAG>/<volume>`. It exists before any task, and
    autoprovision only makes Docker know it: the hosts' role may not create one. With efs the access point leads to the
    folder that rexray would use, so both see the same files.

    Raises:
        AnsibleFilterError: there is no such driver.
    """
    names = list(dict.fromkeys(name for given in containers.values() for name in given.get("volumes", {})))
    shapes: dict[str, Callable[[str], dict[str, Any]]] = {"rexray": _rexray_volume, "efs": _efs_volume}
    if driver not in shapes:
        raise AnsibleFilterError(f"media_volume_driver is {driver!r}, must be one of {', '.join(shapes)}.")
    return [shapes[driver](name) for name in names]


def front_container(containers: Mapping[str, Mapping[str, Any]]) -> str:
    """The container that answers the load balancer: the one with `port`.

    Raises:
        AnsibleFilterError: there is not exactly one.
    """
    names = [name for name, given in containers.items() if given.get("port")]
    if len(names) != 1:
        raise AnsibleFilterError(f"Exactly one of site_containers needs a port, not {', '.join(names) or 'none'}.")
    return names[0]


def image_pushes(images: Mapping[str, str], tags: Sequence[str], prefix: str) -> list[dict[str, str]]:
    """What the task ecr_push is given: container → local image, each with its tag, into `<prefix>/<container>`.

    Args:
        images: `site_images`.
        tags: one for each of them, in the same order.
        prefix: of the repositories' names, as in cloudformation/data.yml.
    """
    return [
        {"image": image, "repository": f"{prefix}/{name}", "tag": tag}
        for (name, image), tag in zip(images.items(), tags, strict=True)
    ]


def _definition(
    name: str,
    given: Mapping[str, Any],
    images: Mapping[str, str],
    release: str,
    region: str,
    log_options: Mapping[str, str] | None,
    stream: str | None = None,
) -> dict[str, Any]:
    if not images.get(name):
        raise AnsibleFilterError(
            f"There is no image for the container {name}. Name it in site_images, or type first: {verb('publish.yml')}"
        )
    definition: dict[str, Any] = {
        "Name": name,
        "Image": images[name],
        # Both essential: nginx resolves its link once, so a task is replaced as a whole.
        "Essential": True,
        "Memory": int(given["memory"]),
        "Environment": _environment({**given.get("environment", {}), "RELEASE": release}),
        "DockerLabels": {"berth.release": release},
        "LinuxParameters": {"InitProcessEnabled": True},
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": {"Ref": "LogGroupName"},
                "awslogs-region": region,
                "awslogs-stream-prefix": stream or name,
                **(log_options or {}),
            },
        },
    }
    if given.get("memory_reservation"):
        definition["MemoryReservation"] = int(given["memory_reservation"])
    if given.get("command"):
        definition["Command"] = [str(word) for word in given["command"]]
    if given.get("secrets"):
        definition["Secrets"] = [
            {"Name": key, "ValueFrom": _secret(name, source)} for key, source in sorted(given["secrets"].items())
        ]
    if given.get("port"):
        # Port 0: the host gives a free one, so that the new task fits beside the old one on the same host.
        definition["PortMappings"] = [{"ContainerPort": int(given["port"]), "HostPort": 0, "Protocol": "tcp"}]
    if given.get("links"):
        definition["Links"] = list(given["links"])
    if given.get("depends_on"):
        definition["DependsOn"] = [
            {"ContainerName": other, "Condition": condition} for other, condition in sorted(given["depends_on"].items())
        ]
    if given.get("volumes"):
        definition["MountPoints"] = [_mount(volume, mount) for volume, mount in given["volumes"].items()]
    if given.get("health"):
        definition["HealthCheck"] = _health(given["health"])
    if given.get("stop_seconds"):
        definition["StopTimeout"] = int(given["stop_seconds"])
    return definition


def _environment(values: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"Name": key, "Value": str(value).lower() if isinstance(value, bool) else str(value)}
        for key, value in sorted(values.items())
    ]


def _secret(container: str, source: str) -> dict[str, str]:
    secret, _, key = str(source).partition(".")
    if secret not in SECRETS or not key:
        raise AnsibleFilterError(
            f"site_containers: {container} takes a secret from {source!r}; write <secret>.<key>, "
            f"where <secret> is one of {', '.join(SECRETS)}."
        )
    # <ARN>:<JSON key>:<version stage>:<version id>, the last two left to their defaults.
    return {"Fn::Sub": f"${{{SECRETS[secret]}}}:{key}::"}


def _mount(volume: str, mount: Any) -> dict[str, Any]:
    if isinstance(mount, str):
        mount = {"path": mount}
    return {"SourceVolume": volume, "ContainerPath": mount["path"], "ReadOnly": bool(mount.get("read_only", False))}


def _health(health: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Command": ["CMD", *(str(word) for word in health["command"])],
        "Interval": int(health.get("interval_seconds", 10)),
        "Timeout": int(health.get("timeout_seconds", 5)),
        "Retries": int(health.get("retries", 3)),
        "StartPeriod": int(health.get("start_seconds", 60)),
    }


def _rexray_volume(name: str) -> dict[str, Any]:
    return {
        "Name": name,
        "DockerVolumeConfiguration": {"Scope": "shared", "Autoprovision": True, "Driver": "rexray/efs"},
    }


def _efs_volume(name: str) -> dict[str, Any]:
    # The access point's path is the root here, so RootDirectory stays out; IAM and access points need TLS.
    return {
        "Name": name,
        "EFSVolumeConfiguration": {
            "FilesystemId": {"Ref": "FileSystemId"},
            "TransitEncryption": "ENABLED",
            "AuthorizationConfig": {"AccessPointId": {"Ref": "AccessPointId"}, "IAM": "ENABLED"},
        },
    }


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filter name → function."""
        return {
            "container_definitions": container_definitions,
            "one_off_definitions": one_off_definitions,
            "task_volumes": task_volumes,
            "front_container": front_container,
            "image_pushes": image_pushes,
        }
