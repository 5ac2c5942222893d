"""The container definitions and volumes of a task, as AWS::ECS::TaskDefinition spells them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskdefinition.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.site import images, labels
from plugins.plugin_utils.site.container import Container
from plugins.plugin_utils.site.container_kinds import CONDITIONS, Health
from plugins.plugin_utils.site.inputs import Inputs, Value, substituted
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns.volume import Volume
from plugins.plugin_utils.site.reference import Output, Reference, Stored, Sub

Json = dict[str, Any]


class NoImage(ValueError):
    """A container whose image is not in the registry yet."""


@dataclass(frozen=True)
class Run:
    """What a task definition is made for.

    Attributes:
        images: image as containers call it → image to run, of the site's own registry with tag and digest. One that is
            pulled from elsewhere may be missing: it is run as it is called.
        region: for the log driver.
        log_group: of the containers, as the template knows it.
        log_options: more options of the log driver awslogs.
        release: its name; made of the task's own images if it is empty.
    """

    images: Mapping[str, str]
    region: str
    log_group: Value = field(default_factory=lambda: {"Ref": "LogGroup"})
    log_options: Mapping[str, str] = field(default_factory=dict)
    release: str = ""


def container_definitions(site: Site, key: str, run: Run, inputs: Inputs) -> list[Json]:
    """The container definitions of a service or job.

    Args:
        site: of which it is one.
        key: `service.web`.
        run: what it is made for.
        inputs: learns which outputs of other stacks it takes.

    Raises:
        KeyError: there is no such service or job.
        NoImage: a container's image is not in the registry.
    """
    containers = site.task(key).containers.values()
    release = run.release or images.release(_image(each, run.images) for each in containers)
    return [_definition(site, each, run, release, inputs) for each in containers]


def volumes(site: Site, key: str, inputs: Inputs) -> list[Json]:
    """The volumes that the containers of a service or job mount.

    Raises:
        KeyError: there is no such service or job.
    """
    mounted = [mount.volume for each in site.task(key).containers.values() for mount in each.volumes]
    return [_VOLUMES[site.volumes[name].driver](site.volumes[name], inputs) for name in dict.fromkeys(mounted)]


def _definition(site: Site, container: Container, run: Run, release: str, inputs: Inputs) -> Json:
    image = _image(container, run.images)
    ours = images.is_local(container.image)
    # What is pulled from elsewhere is named as its owner says, by tag or digest.
    named = images.by_digest(image) if ours else image
    made: Json = {
        "Name": container.name,
        "Image": named,
        "Essential": container.essential,
        "Memory": container.mem_limit,
        "MemoryReservation": container.mem_reservation,
        "Cpu": container.cpu_shares,
        "EntryPoint": list(container.entrypoint or ()),
        "Command": list(container.command or ()),
        "Environment": _environment(site, container, release, inputs),
        "Secrets": _secrets(site, container, inputs),
        # Port 0: the host gives a free one, so that the new task fits beside the old one on the same host.
        "PortMappings": [
            {"ContainerPort": port.container, "HostPort": port.host, "Protocol": port.protocol}
            for port in container.ports
        ],
        "Links": [name if name == alias else f"{name}:{alias}" for name, alias in container.links],
        "DependsOn": [
            {"ContainerName": other, "Condition": CONDITIONS[condition]}
            for other, condition in sorted(container.depends_on.items())
        ],
        "MountPoints": [
            {"SourceVolume": mount.volume, "ContainerPath": mount.path, "ReadOnly": mount.read_only}
            for mount in container.volumes
        ],
        "HealthCheck": _health(container.healthcheck),
        "User": container.user,
        "WorkingDirectory": container.working_dir,
        "Hostname": container.hostname,
        "ReadonlyRootFilesystem": container.read_only,
        "Privileged": container.privileged,
        "PseudoTerminal": container.tty,
        "Interactive": container.stdin_open,
        "DockerSecurityOptions": list(container.security_opt),
        "DnsServers": list(container.dns),
        "DnsSearchDomains": list(container.dns_search),
        "ExtraHosts": [
            {"Hostname": name, "IpAddress": address} for name, address in sorted(container.extra_hosts.items())
        ],
        "Ulimits": [
            {"Name": name, "SoftLimit": limit.soft, "HardLimit": limit.hard}
            for name, limit in sorted(container.ulimits.items())
        ],
        "SystemControls": [{"Namespace": name, "Value": value} for name, value in sorted(container.sysctls.items())],
        "StopTimeout": container.stop_grace_period,
        # The release stands in the definition itself, as tags of one are changed in place; and so does what the
        # inventory calls the image, by which the next run knows what is live. A digest is for hosts, a tag for people.
        "DockerLabels": {
            **container.labels,
            labels.RELEASE: release,
            labels.IMAGE: container.image,
            **({labels.TAG: images.tag_of(image)} if named != image else {}),
        },
        "LinuxParameters": _linux(container),
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": run.log_group,
                "awslogs-region": run.region,
                "awslogs-stream-prefix": container.name,
                **run.log_options,
            },
        },
    }
    # What nobody asked for stays out: a default that AWS adds would be another revision if AWS changed it.
    return {
        name: value for name, value in made.items() if value or (name in ("Essential", "Cpu") and value is not None)
    }


def _image(container: Container, known: Mapping[str, str]) -> str:
    if container.image in known:
        return known[container.image]
    if images.is_local(container.image):
        raise NoImage(f"The registry has no image for {container.image} (container {container.name}).")
    return container.image


def _environment(site: Site, container: Container, release: str, inputs: Inputs) -> list[Json]:
    values: dict[str, Value] = {"RELEASE": release}
    for name, value in container.environment.items():
        values[name] = plain(site, value, inputs)
    return [{"Name": name, "Value": value} for name, value in sorted(values.items())]


def plain(site: Site, value: str | Reference, inputs: Inputs) -> Value:
    """What stands in a variable of `environment`."""
    if not isinstance(value, Reference):
        return value
    found = site.attributes(value.noun, value.entry)[value.attribute].plain
    if isinstance(found, Sub):
        return substituted(found.text)
    return inputs.value(value.key, found if isinstance(found, Output) else str(found))


def _secrets(site: Site, container: Container, inputs: Inputs) -> list[Json]:
    return [
        {"Name": name, "ValueFrom": inputs.secret(*stored(site, value))}
        for name, value in sorted(container.secrets.items())
    ]


def stored(site: Site, value: Stored | Reference) -> tuple[str, Stored]:
    """Key of the entry that has a secret (empty for one named by ARN or parameter), and where the secret lies."""
    if isinstance(value, Stored):
        return "", value
    found = site.attributes(value.noun, value.entry)[value.attribute].stored
    assert found is not None, value  # reading refused the others
    return value.key, found


def _health(health: Health | None) -> Json | None:
    if not health:
        return None
    return {
        "Command": list(health.test),
        "Interval": health.interval,
        "Timeout": health.timeout,
        "Retries": health.retries,
        "StartPeriod": health.start_period,
    }


def _linux(container: Container) -> Json:
    swap = None if container.memswap_limit is None else container.memswap_limit - container.mem_limit
    if swap is None and container.mem_swappiness is not None:
        swap = container.mem_limit  # ECS passes Swappiness over without MaxSwap; Docker's default is as much as memory
    capabilities = {"Add": list(container.cap_add), "Drop": list(container.cap_drop)}
    made: Json = {
        "Capabilities": {name: value for name, value in capabilities.items() if value},
        "Devices": [
            {"HostPath": each.host, "ContainerPath": each.container}
            | ({"Permissions": list(each.permissions)} if each.permissions else {})
            for each in container.devices
        ],
        "SharedMemorySize": container.shm_size,
        "Tmpfs": [
            {"ContainerPath": each.path, "Size": each.size}
            | ({"MountOptions": list(each.options)} if each.options else {})
            for each in container.tmpfs
        ],
    }
    return {
        "InitProcessEnabled": container.init,
        **{name: value for name, value in made.items() if value},
        **({} if swap is None else {"MaxSwap": swap}),
        **({} if container.mem_swappiness is None else {"Swappiness": container.mem_swappiness}),
    }


def _rexray(volume: Volume, inputs: Inputs) -> Json:
    # The volume is the file system whose Name tag is `<EFS_TAG>/<volume>`. It exists before any task, as volumes are
    # layers of the ground; autoprovision only makes Docker know it, as the hosts' role may not create one.
    del inputs
    return {
        "Name": volume.entry,
        "DockerVolumeConfiguration": {"Scope": "shared", "Autoprovision": True, "Driver": "rexray/efs"},
    }


def _efs(volume: Volume, inputs: Inputs) -> Json:
    key = f"volume.{volume.entry}"
    # The access point's path is the root here, so RootDirectory stays out; IAM and access points need TLS. It leads to
    # the folder that rexray would use, so both see the same files.
    return {
        "Name": volume.entry,
        "EFSVolumeConfiguration": {
            "FilesystemId": inputs.value(key, Output("FileSystemId")),
            "TransitEncryption": "ENABLED",
            "AuthorizationConfig": {"AccessPointId": inputs.value(key, Output("AccessPointId")), "IAM": "ENABLED"},
        },
    }


def _task(volume: Volume, inputs: Inputs) -> Json:
    # Without a source the agent makes an empty folder for each task, and removes it with it.
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html
    del inputs
    return {"Name": volume.entry}


_VOLUMES = {"rexray": _rexray, "efs": _efs, "task": _task}
