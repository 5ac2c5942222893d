"""What the embedded ECS does not do is refused where it is asked for, never dropped in silence.

Every member of the API's requests is either honoured or named here; a test holds both lists against botocore's model.
"""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from local_aws.ecs.errors import EcsError, client, invalid
from local_aws.ecs.state import Json

FARGATE = "it has no Fargate"
ROLLING = "its deployments are rolling ones that watch tasks and targets"
NO_ECS_EXTRAS = "it has load balancers' target groups only"

REFUSED: dict[str, dict[str, str]] = {
    "RegisterTaskDefinitionRequest": {
        "pidMode": "each container has process ids of its own",
        "ipcMode": "each container has shared memory of its own",
        "proxyConfiguration": "it has no App Mesh",
        "inferenceAccelerators": "it has no accelerators",
        "ephemeralStorage": FARGATE,
        "enableFaultInjection": "it injects no faults",
        "trustedExecutionConfiguration": "it has no enclaves",
    },
    "ContainerDefinition": {
        "credentialSpecs": "it has no Active Directory",
        "environmentFiles": "its agent reads none",
        "firelensConfiguration": "it has no FireLens",
        "repositoryCredentials": "its agent asks ECR only",
        "resourceRequirements": "it has no GPUs",
        "restartPolicy": "its agent restarts no container within a task",
    },
    "PortMapping": {"containerPortRange": "name each port"},
    "LogConfiguration": {"secretOptions": "its agent reads none for log drivers"},
    "Volume": {
        "s3filesVolumeConfiguration": "use host, dockerVolumeConfiguration or efsVolumeConfiguration",
        "fsxWindowsFileServerVolumeConfiguration": "use host, dockerVolumeConfiguration or efsVolumeConfiguration",
        "configuredAtLaunch": "it attaches no EBS volumes",
    },
    "TaskOverride": {"ephemeralStorage": FARGATE, "inferenceAcceleratorOverrides": "it has no accelerators"},
    "ContainerOverride": {
        "environmentFiles": "its agent reads none",
        "resourceRequirements": "it has no GPUs",
    },
    "RunTaskRequest": {"volumeConfigurations": "it attaches no EBS volumes"},
    "ServiceConnectConfiguration": {"enabled": "it has no Service Connect"},
    "LoadBalancer": {
        "loadBalancerName": "it has no Classic Load Balancers",
        "advancedConfiguration": ROLLING,
    },
    "DeploymentConfiguration": {
        "bakeTimeInMinutes": ROLLING,
        "lifecycleHooks": ROLLING,
        "linearConfiguration": ROLLING,
        "canaryConfiguration": ROLLING,
    },
    "DeploymentAlarms": {"enable": ROLLING},
    "DeploymentEarlySuccessCriteria": {"enable": ROLLING},
    "CreateCapacityProviderRequest": {"managedInstancesProvider": "its capacity is that of Auto Scaling groups"},
}
"""Shape → member → why."""
_SERVICE = {
    "serviceRegistries": "it has no Cloud Map",
    "volumeConfigurations": "it attaches no EBS volumes",
    "vpcLatticeConfigurations": NO_ECS_EXTRAS,
    "gatewayConnectors": NO_ECS_EXTRAS,
    "monitoring": "it makes no metrics but a service's CPU and memory",
}
REFUSED["CreateServiceRequest"] = {**_SERVICE, "role": "it has no Classic Load Balancers"}
REFUSED["UpdateServiceRequest"] = _SERVICE

AWS_REFUSES = {
    "networkConfiguration": "Network Configuration is not valid for the given networkMode of this task definition.",
    "platformVersion": "The platform version must be null when specifying an EC2 launch type.",
}
"""Members that AWS refuses for EC2 tasks in bridge, host and none mode, in its words."""
NAMED = {"ContainerDefinition": "container", "ContainerOverride": "container", "Volume": "volume"}
"""Shapes whose members are told apart by their name."""


def check(action: str, shape: Shape | None, request: Json) -> None:
    """Refuse a request that asks for what the embedded ECS does not do.

    Args:
        action: of the API.
        shape: botocore's model of its request.
        request: which fits the model.

    Raises:
        EcsError: ClientException for a task definition, else InvalidParameterException.
    """
    _walk(shape, request, client if action == "RegisterTaskDefinition" else invalid, "")
    for strategy in request.get("placementStrategy") or []:
        _check_strategy(strategy)


def _walk(shape: Shape | None, value: Any, error: Any, where: str) -> None:
    if isinstance(shape, ListShape):
        for item in value or []:
            _walk(shape.member, item, error, where)
    if not isinstance(shape, StructureShape) or not isinstance(value, dict):
        return
    if shape.name in NAMED:
        where = f" ({NAMED[shape.name]} '{value.get('name', '')}')"
    for member, item in value.items():
        if not item or member not in shape.members:  # false, zero and nothing ask for nothing
            continue
        if member in AWS_REFUSES:
            raise error(AWS_REFUSES[member])
        if reason := REFUSED.get(shape.name, {}).get(member):
            raise error(f"The embedded AWS does not support {member}{where}: {reason}.")
        _walk(shape.members[member], item, error, where)


def _check_strategy(strategy: Json) -> None:
    kind, field = strategy.get("type"), str(strategy.get("field", ""))
    if kind == "spread" and field not in ("instanceId", "host", "attribute:ecs.availability-zone"):
        raise _strategy(f"spread by {field!r}", "instanceId or attribute:ecs.availability-zone")
    if kind == "binpack" and field.lower() not in ("cpu", "memory"):
        raise _strategy(f"binpack by {field!r}", "cpu or memory")


def _strategy(what: str, use: str) -> EcsError:
    return invalid(f"The embedded AWS does not support the placement strategy {what}: use {use}.")
