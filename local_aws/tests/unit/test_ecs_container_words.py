"""Every word of a task definition: from the API to what Docker is told, or refused with the reason; none is dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import pytest

from local_aws.agent.ecs_agent import aws, configuration, containers, secrets, volumes
from local_aws.agent.ecs_agent.aws import Credentials, Json
from local_aws.agent.ecs_agent.images import Images
from local_aws.agent.ecs_agent.store import Store
from local_aws.agent.ecs_agent.task import Task
from local_aws.agent.ecs_agent.task_host import Host
from local_aws.ecs import payload, support, task_definitions
from local_aws.ecs.errors import EcsError
from local_aws.ecs.scheduler import new_task
from local_aws.ecs.state import Instance, Region
from local_aws.tests.ecs_support import World

WEB: Json = {"name": "web", "image": "web:1", "memory": 64}
MIB = 1024 * 1024


@pytest.fixture
def world() -> World:
    return World()


def register(world: World, *definitions: Json, **more: Any) -> Json:
    """Register a task definition of family `web`."""
    answer = world.call("RegisterTaskDefinition", family="web", containerDefinitions=list(definitions), **more)
    found: Json = answer["taskDefinition"]
    return found


def sent(definition: Json) -> Json:
    """A task of a registered definition as the agent is sent it."""
    region = Region("us-east-1")
    instance = Instance("arn:i", "demo", "i-1", [], {}, {}, [], 0.0)
    task = new_task(region, "demo", definition, instance, group="g", now=0.0)
    return payload.task(task, "arn:demo", {})


def told(tmp_path: Path, definition: Json, name: str = "web", values: dict[str, str] | None = None) -> Json:
    """What Docker is told to create for a container of a registered definition; `values` are its secrets."""
    configured = configuration.from_values({"ECS_DYNAMIC_HOST_PORT_RANGE": "47300-47310"})
    images = Images(None, configured, Store(str(tmp_path)), Credentials)
    host = Host(None, configured, images, "us-east-1", "demo", lambda *_: None, lambda _: None, lambda _: None)
    task = Task.sent(sent(definition))
    for each in task.containers:
        task.containers[each].id = f"id of {each}"
    task.sources = {each["name"]: f"source of {each['name']}" for each in definition["volumes"]}
    return containers.configuration(host, task, name, values or {}, [])


def at(config: Json, path: str) -> Any:
    """The part of a create call at a path with dots."""
    found: Any = config
    for step in path.split("."):
        found = found[step]
    return found


@pytest.mark.parametrize(
    ("given", "path", "expected"),
    [
        ({"command": ["run", "it"]}, "Cmd", ["run", "it"]),
        ({"entryPoint": ["sh", "-c"]}, "Entrypoint", ["sh", "-c"]),
        ({"workingDirectory": "/srv"}, "WorkingDir", "/srv"),
        ({"user": "1000:1000"}, "User", "1000:1000"),
        ({"hostname": "cms"}, "Hostname", "cms"),
        ({"interactive": True}, "OpenStdin", True),
        ({"pseudoTerminal": True}, "Tty", True),
        ({"disableNetworking": True}, "NetworkDisabled", True),
        ({"dockerLabels": {"release": "7"}}, "Labels.release", "7"),
        ({"healthCheck": {"command": ["CMD", "true"]}}, "Healthcheck.Test", ["CMD", "true"]),
        ({"healthCheck": {"command": ["CMD-SHELL", "test -e /up"]}}, "Healthcheck.Test", ["CMD-SHELL", "test -e /up"]),
        (
            {"healthCheck": {"command": ["CMD", "a"], "interval": 5, "timeout": 2, "retries": 1, "startPeriod": 60}},
            "Healthcheck",
            {
                "Test": ["CMD", "a"],
                "Interval": 5 * 10**9,
                "Timeout": 2 * 10**9,
                "Retries": 1,
                "StartPeriod": 60 * 10**9,
            },
        ),
        ({"memory": 64}, "HostConfig.Memory", 64 * MIB),
        ({"memoryReservation": 32}, "HostConfig.MemoryReservation", 32 * MIB),
        ({"cpu": 256}, "HostConfig.CpuShares", 256),
        ({"readonlyRootFilesystem": True}, "HostConfig.ReadonlyRootfs", True),
        ({"privileged": True}, "HostConfig.Privileged", True),
        ({"dnsServers": ["10.0.0.2"]}, "HostConfig.Dns", ["10.0.0.2"]),
        ({"dnsSearchDomains": ["shop.internal"]}, "HostConfig.DnsSearch", ["shop.internal"]),
        ({"dockerSecurityOptions": ["no-new-privileges"]}, "HostConfig.SecurityOpt", ["no-new-privileges"]),
        ({"extraHosts": [{"hostname": "db", "ipAddress": "10.0.0.9"}]}, "HostConfig.ExtraHosts", ["db:10.0.0.9"]),
        (
            {"systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}]},
            "HostConfig.Sysctls",
            {"net.core.somaxconn": "1024"},
        ),
        (
            {"ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}]},
            "HostConfig.Ulimits",
            [{"Name": "nofile", "Soft": 1024, "Hard": 4096}],
        ),
        ({"linuxParameters": {"initProcessEnabled": True}}, "HostConfig.Init", True),
        ({"linuxParameters": {"sharedMemorySize": 128}}, "HostConfig.ShmSize", 128 * MIB),
        ({"linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}}}, "HostConfig.CapAdd", ["SYS_PTRACE"]),
        ({"linuxParameters": {"capabilities": {"drop": ["ALL"]}}}, "HostConfig.CapDrop", ["ALL"]),
        (
            {
                "linuxParameters": {
                    "tmpfs": [{"containerPath": "/run", "size": 16, "mountOptions": ["noexec", "mode=1777"]}]
                }
            },
            "HostConfig.Tmpfs",
            {"/run": "size=16m,noexec,mode=1777"},
        ),
        (
            {"linuxParameters": {"devices": [{"hostPath": "/dev/fuse", "permissions": ["read", "write"]}]}},
            "HostConfig.Devices",
            [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rw"}],
        ),
        ({"linuxParameters": {"maxSwap": 36}}, "HostConfig.MemorySwap", 100 * MIB),
        ({"linuxParameters": {"maxSwap": 0}}, "HostConfig.MemorySwap", 64 * MIB),
        ({"linuxParameters": {"maxSwap": 36, "swappiness": 10}}, "HostConfig.MemorySwappiness", 10),
        (
            {"portMappings": [{"containerPort": 53, "hostPort": 5353, "protocol": "udp"}]},
            "HostConfig.PortBindings",
            {"53/udp": [{"HostPort": "5353"}]},
        ),
        (
            {"portMappings": [{"containerPort": 53, "protocol": "udp"}, {"containerPort": 53, "hostPort": 53}]},
            "ExposedPorts",
            {"53/udp": {}, "53/tcp": {}},
        ),
        (
            {"logConfiguration": {"logDriver": "json-file", "options": {"max-size": "10m"}}},
            "HostConfig.LogConfig",
            {"Type": "json-file", "Config": {"max-size": "10m"}},
        ),
    ],
)
def test_a_word_reaches_docker(world: World, tmp_path: Path, given: Json, path: str, expected: object) -> None:
    assert at(told(tmp_path, register(world, {**WEB, **given})), path) == expected


def test_logs_keep_every_option(world: World, tmp_path: Path) -> None:
    options = {
        "awslogs-group": "shop", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web", "mode": "non-blocking",
        "max-buffer-size": "25m", "awslogs-create-group": "true", "awslogs-multiline-pattern": "^INFO",
    }  # fmt: skip
    definition = register(world, {**WEB, "logConfiguration": {"logDriver": "awslogs", "options": options}})
    config = told(tmp_path, definition)["HostConfig"]["LogConfig"]["Config"]

    assert config.pop("awslogs-stream").startswith("web/web/")
    assert config == {key: value for key, value in options.items() if key != "awslogs-stream-prefix"}


def test_environment_and_secrets_stand_side_by_side(world: World, tmp_path: Path) -> None:
    web = {
        **WEB,
        "environment": [{"name": "HOME", "value": "/srv"}, {"name": "EMPTY"}],
        "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/shop/key"}],
    }
    definition = register(world, web, executionRoleArn="arn:aws:iam::123456789012:role/execution")
    found = told(tmp_path, definition, values={"KEY": "secret"})["Env"]

    assert {"HOME=/srv", "EMPTY=", "KEY=secret"} <= set(found)


def test_containers_see_each_other_by_links_and_volumes(world: World, tmp_path: Path) -> None:
    names = ("media", "cache", "socket")
    mounts: list[Json] = [{"sourceVolume": name, "containerPath": f"/{name}"} for name in names]
    mounts[2]["readOnly"] = True
    node = {**WEB, "name": "node", "mountPoints": mounts}
    proxy = {**WEB, "links": ["node:cms"], "volumesFrom": [{"sourceContainer": "node", "readOnly": True}]}
    definition = register(
        world,
        proxy,
        node,
        volumes=[
            {"name": "media", "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": True}},
            {"name": "cache"},
            {"name": "socket", "host": {"sourcePath": "/var/run/app"}},
        ],
    )

    host = told(tmp_path, definition)["HostConfig"]
    assert host["Links"] == ["id of node:cms"]
    assert host["VolumesFrom"] == ["id of node:ro"]
    assert told(tmp_path, definition, "node")["HostConfig"]["Binds"] == [
        "source of media:/media", "source of cache:/cache", "source of socket:/socket:ro",
    ]  # fmt: skip


class DockerVolumes:
    """Docker's volumes; `made` is what was created, (driver, options, labels) by name."""

    def __init__(self) -> None:
        self.volumes = self
        self.made: dict[str, Any] = {}

    def create(self, name: str, driver: str, driver_opts: Json, labels: Json) -> None:
        self.made[name] = (driver, driver_opts, labels)


def test_volumes_of_each_scope(world: World) -> None:
    local = {"driver": "local", "driverOpts": {"type": "tmpfs"}, "labels": {"a": "b"}}
    given = [
        {"name": "own", "dockerVolumeConfiguration": {"scope": "task", **local}},
        {"name": "scratch"},
        {"name": "bound", "host": {"sourcePath": "/srv/data"}},
    ]
    engine = DockerVolumes()
    made: dict[str, str] = {}
    sources = [
        volumes.Volumes(engine).provide(each, "web-1", "", made)
        for each in sent(register(world, WEB, volumes=given))["volumes"]
    ]

    assert sources[2] == "/srv/data"
    assert sources[:2] == [made["own"], made["scratch"]]
    assert engine.made == {made["own"]: ("local", {"type": "tmpfs"}, {"a": "b"}), made["scratch"]: ("local", {}, {})}


def test_stop_and_start_timeouts_are_the_agents(world: World) -> None:
    (container,) = sent(register(world, {**WEB, "stopTimeout": 120, "startTimeout": 60}))["containers"]
    assert (container["stopTimeout"], container["startTimeout"]) == (120, 60)


def test_secrets_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Json] = []

    def call(_self: Any, _action: str, request: Json, _keys: Credentials) -> Json:
        asked.append(request)
        if "Names" in request:
            return {"Parameters": [{"Value": "plain"}]}
        return {"SecretString": '{"user": "shop", "port": 5432}'}

    monkeypatch.setattr(aws.Api, "call", call)
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
    given = {
        "WHOLE": arn,
        "USER": f"{arn}:user::",
        "PORT": f"{arn}:port::",
        "OLD": f"{arn}:user:AWSPREVIOUS:",
        "PINNED": f"{arn}:user::0123",
        "NAME": "key",
        "PATH": "/shop/key",
        "ARN": "arn:aws:ssm:us-east-1:123456789012:parameter/shop/key",
        "SHORT": "arn:aws:ssm:us-east-1:123456789012:parameter/key",
    }
    container = {**WEB, "secrets": [{"name": name, "valueFrom": value} for name, value in given.items()]}
    request = {"family": "web", "containerDefinitions": [container], "executionRoleArn": "arn:role"}
    task_definitions.validate(request)
    described = {**task_definitions.complete(request), "revision": 1}
    found = secrets.values(sent(described)["containers"], "us-east-1", Credentials())["web"]

    assert found["WHOLE"] == '{"user": "shop", "port": 5432}'
    assert (found["USER"], found["PORT"], found["NAME"]) == ("shop", "5432", "plain")
    assert asked == [
        {"SecretId": arn},
        {"SecretId": arn},
        {"SecretId": arn},
        {"SecretId": arn, "VersionStage": "AWSPREVIOUS"},
        {"SecretId": arn, "VersionId": "0123"},
        {"Names": ["key"], "WithDecryption": True},
        {"Names": ["/shop/key"], "WithDecryption": True},
        {"Names": ["/shop/key"], "WithDecryption": True},
        {"Names": ["key"], "WithDecryption": True},
    ]


# --- refused

OPTIONS = {"awslogs-group": "g", "awslogs-region": "us-east-1"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"credentialSpecs": ["a"]}, "does not support credentialSpecs (container 'web')"),
        ({"environmentFiles": [{"value": "arn", "type": "s3"}]}, "does not support environmentFiles (container 'web')"),
        ({"firelensConfiguration": {"type": "fluentd"}}, "does not support firelensConfiguration"),
        ({"repositoryCredentials": {"credentialsParameter": "a"}}, "does not support repositoryCredentials"),
        ({"resourceRequirements": [{"type": "GPU", "value": "1"}]}, "does not support resourceRequirements"),
        ({"restartPolicy": {"enabled": True}}, "does not support restartPolicy"),
        ({"versionConsistency": "enabled"}, "does not resolve tags to digests (container 'web')"),
        ({"portMappings": [{"containerPortRange": "80-90"}]}, "does not support containerPortRange (container 'web')"),
        ({"portMappings": [{"hostPort": 80}]}, "containerPort must be 1 to 65535"),
        (
            {"portMappings": [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}]},
            "Host port 80/tcp is mapped more than once",
        ),
        ({"logConfiguration": {"logDriver": "awsfirelens"}}, "has no FireLens (container 'web')"),
        (
            {
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": OPTIONS,
                    "secretOptions": [{"name": "a", "valueFrom": "b"}],
                }
            },
            "does not support secretOptions (container 'web')",
        ),
        ({"mountPoints": [{"sourceVolume": "media"}]}, "MountPoint.containerPath should not be null or empty"),
        ({"volumesFrom": [{"sourceContainer": "db"}]}, "Unknown container 'db' in volumesFrom of 'web'"),
        (
            {"environment": [{"name": "KEY", "value": "a"}], "secrets": [{"name": "KEY", "valueFrom": "k"}]},
            "The secret name must be unique and not shared with any new or existing environment variables set on the "
            "container, such as 'KEY'",
        ),
        ({"memory": None, "memoryReservation": 64, "linuxParameters": {"maxSwap": 64}}, "'maxSwap' setting"),
        ({"linuxParameters": {"maxSwap": 64, "swappiness": 101}}, "'swappiness' setting"),
    ],
)
def test_words_of_a_container_that_are_refused(world: World, given: Json, message: str) -> None:
    web = {key: value for key, value in {**WEB, **given}.items() if value is not None}
    with pytest.raises(EcsError) as caught:
        register(world, web, volumes=[{"name": "media"}], executionRoleArn="arn:role")
    assert caught.value.kind == "ClientException"
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pidMode": "host"}, "does not support pidMode"),
        ({"ipcMode": "task"}, "does not support ipcMode"),
        ({"proxyConfiguration": {"containerName": "web"}}, "does not support proxyConfiguration"),
        ({"ephemeralStorage": {"sizeInGiB": 30}}, "does not support ephemeralStorage"),
        ({"enableFaultInjection": True}, "does not support enableFaultInjection"),
        ({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}, "no hosts with WINDOWS"),
        ({"cpu": "0.5 vCPU"}, "takes cpu of a task in units or MiB, not '0.5 vCPU'"),
        ({"memory": "1GB"}, "takes memory of a task"),
        ({"volumes": [{"name": "a", "configuredAtLaunch": True}]}, "does not support configuredAtLaunch (volume 'a')"),
        (
            {"volumes": [{"name": "a", "s3filesVolumeConfiguration": {"fileSystemArn": "arn"}}]},
            "does not support s3filesVolumeConfiguration (volume 'a')",
        ),
        ({"volumes": [{"name": "a"}, {"name": "a"}]}, "Volume.name contains duplicate value: a"),
        (
            {"placementConstraints": [{"type": "memberOf", "expression": "task:group == a"}]},
            "Invalid filter expression",
        ),
    ],
)
def test_words_of_a_task_that_are_refused(world: World, given: Json, message: str) -> None:
    with pytest.raises(EcsError) as caught:
        register(world, WEB, **given)
    assert message in caught.value.message
    nothing: Json = {"enableFaultInjection": False, "cpu": "256", "memory": "512", "volumes": [{"name": "a"}]}
    assert register(world, WEB, **nothing)


@pytest.mark.parametrize(
    ("action", "given", "message"),
    [
        ("RunTask", {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"]}}}, "given networkMode of this"),
        ("RunTask", {"platformVersion": "1.4.0"}, "The platform version must be null"),
        (
            "RunTask",
            {"placementStrategy": [{"type": "spread", "field": "attribute:rack"}]},
            "spread by 'attribute:rack'",
        ),
        ("RunTask", {"placementStrategy": [{"type": "binpack", "field": "disk"}]}, "binpack by 'disk'"),
        ("RunTask", {"placementConstraints": [{"type": "memberOf", "expression": "a or b"}]}, "Invalid filter"),
        ("RunTask", {"overrides": {"ephemeralStorage": {"sizeInGiB": 30}}}, "does not support ephemeralStorage"),
        (
            "RunTask",
            {
                "overrides": {
                    "containerOverrides": [{"name": "web", "environmentFiles": [{"value": "a", "type": "s3"}]}]
                }
            },
            "does not support environmentFiles (container 'web')",
        ),
        ("CreateService", {"serviceRegistries": [{"registryArn": "arn"}]}, "does not support serviceRegistries"),
        ("CreateService", {"serviceConnectConfiguration": {"enabled": True}}, "it has no Service Connect"),
        ("CreateService", {"deploymentConfiguration": {"bakeTimeInMinutes": 5}}, "does not support bakeTimeInMinutes"),
        (
            "CreateService",
            {"deploymentConfiguration": {"alarms": {"alarmNames": ["a"], "rollback": True, "enable": True}}},
            "does not support enable",
        ),
        ("CreateService", {"loadBalancers": [{"loadBalancerName": "classic"}]}, "does not support loadBalancerName"),
        (
            "UpdateService",
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"]}}},
            "given networkMode of",
        ),
    ],
)
def test_words_of_a_request_that_are_refused(world: World, action: str, given: Json, message: str) -> None:
    request: Json = {"cluster": "demo", "taskDefinition": world.define()}
    request |= {"RunTask": {}, "CreateService": {"serviceName": "web"}, "UpdateService": {"service": "web"}}[action]
    with pytest.raises(EcsError) as caught:
        world.call(action, **request | given)
    assert caught.value.kind == "InvalidParameterException"
    assert message in caught.value.message


def test_what_asks_for_nothing_is_taken(world: World) -> None:
    world.agent()
    alarms: Json = {"alarmNames": [], "rollback": False, "enable": False}
    world.create(
        world.define(),
        serviceRegistries=[],
        serviceConnectConfiguration={"enabled": False},
        deploymentConfiguration={"alarms": alarms, "lifecycleHooks": []},
    )


HONOURED = {
    "RegisterTaskDefinitionRequest": "family taskRoleArn executionRoleArn networkMode containerDefinitions volumes "
    "placementConstraints requiresCompatibilities cpu memory tags runtimePlatform",
    "ContainerDefinition": "name image cpu memory memoryReservation links portMappings essential entryPoint command "
    "environment mountPoints volumesFrom linuxParameters secrets dependsOn startTimeout stopTimeout versionConsistency "
    "hostname user workingDirectory disableNetworking privileged readonlyRootFilesystem dnsServers dnsSearchDomains "
    "extraHosts dockerSecurityOptions interactive pseudoTerminal dockerLabels ulimits logConfiguration healthCheck "
    "systemControls",
    "LinuxParameters": "capabilities devices initProcessEnabled sharedMemorySize tmpfs maxSwap swappiness",
    "Device": "hostPath containerPath permissions",
    "Tmpfs": "containerPath size mountOptions",
    "PortMapping": "containerPort hostPort protocol name appProtocol",  # the last two name it for Service Connect
    "LogConfiguration": "logDriver options",
    "HealthCheck": "command interval timeout retries startPeriod",
    "Volume": "name host dockerVolumeConfiguration efsVolumeConfiguration",
    "DockerVolumeConfiguration": "scope autoprovision driver driverOpts labels",
    "EFSVolumeConfiguration": "fileSystemId rootDirectory transitEncryption transitEncryptionPort authorizationConfig",
    "TaskOverride": "containerOverrides cpu executionRoleArn memory taskRoleArn",
    "ContainerOverride": "name command environment cpu memory memoryReservation",
    "RunTaskRequest": "capacityProviderStrategy cluster count enableECSManagedTags enableExecuteCommand group "
    "launchType overrides placementConstraints placementStrategy propagateTags referenceId startedBy tags "
    "taskDefinition clientToken",
    "CreateServiceRequest": "cluster serviceName taskDefinition availabilityZoneRebalancing loadBalancers desiredCount "
    "clientToken launchType capacityProviderStrategy deploymentConfiguration placementConstraints placementStrategy "
    "healthCheckGracePeriodSeconds schedulingStrategy deploymentController tags enableECSManagedTags propagateTags "
    "enableExecuteCommand serviceConnectConfiguration",
    "UpdateServiceRequest": "cluster service desiredCount taskDefinition capacityProviderStrategy forceNewDeployment "
    "deploymentConfiguration availabilityZoneRebalancing placementConstraints placementStrategy loadBalancers "
    "healthCheckGracePeriodSeconds deploymentController enableExecuteCommand enableECSManagedTags propagateTags "
    "serviceConnectConfiguration",
    "DeploymentConfiguration": "deploymentCircuitBreaker maximumPercent minimumHealthyPercent alarms strategy "
    "earlySuccessCriteria",
    "LoadBalancer": "targetGroupArn containerName containerPort",
}
"""Members that the control plane or the agent act on, or that only name things."""


@pytest.mark.parametrize("shape", sorted(HONOURED))
def test_every_member_is_honoured_or_refused(shape: str) -> None:
    members = set(botocore.session.get_session().get_service_model("ecs").shape_for(shape).members)
    honoured = set(HONOURED[shape].split())
    refused = (set(support.REFUSED.get(shape, {})) | set(support.AWS_REFUSES)) & members

    assert not honoured & refused
    assert honoured | refused == members


# --- placement, tags, services


def test_a_task_goes_where_its_constraints_and_platform_allow(world: World) -> None:
    first, second = world.agent("i-1"), world.agent("i-2")
    world.call("PutAttributes", cluster="demo", attributes=[{"name": "disk", "value": "ssd", "targetId": second.arn}])
    ssd = [{"type": "memberOf", "expression": "attribute:disk == ssd"}]
    own = register(world, WEB, placementConstraints=ssd)["taskDefinitionArn"]
    plain = register(world, WEB)["taskDefinitionArn"]

    def placed(definition: str, **more: Any) -> Any:
        answer = world.call("RunTask", cluster="demo", taskDefinition=definition, **more)
        return answer["tasks"][0]["containerInstanceArn"] if answer["tasks"] else answer["failures"][0]["reason"]

    assert {placed(own) for _ in range(3)} == {second.arn}
    assert placed(plain, placementConstraints=[{"type": "memberOf", "expression": "ec2InstanceId == i-1"}]) == first.arn
    assert (
        placed(plain, placementConstraints=[{"type": "memberOf", "expression": "ec2InstanceId == i-3"}]) == "MemberOf"
    )
    assert placed(register(world, WEB, runtimePlatform={"cpuArchitecture": "X86_64"})["taskDefinitionArn"])
    arm = register(world, WEB, runtimePlatform={"cpuArchitecture": "ARM64"})["taskDefinitionArn"]
    assert placed(arm) == "ATTRIBUTE"


def test_a_service_s_tasks_obey_their_definition_s_constraints(world: World) -> None:
    world.agent()
    never = [{"type": "memberOf", "expression": "ec2InstanceId == i-3"}]
    world.create(register(world, WEB, placementConstraints=never)["taskDefinitionArn"])
    world.tick()

    assert not world.tasks()
    assert any("does not satisfy the placement constraints" in message for message in world.messages())


def test_managed_tags(world: World) -> None:
    world.agent()
    world.create(world.define(), enableECSManagedTags=True)
    world.tick()
    world.call("RunTask", cluster="demo", taskDefinition="web", enableECSManagedTags=True)

    cluster = {"key": "aws:ecs:clusterName", "value": "demo"}
    assert [task.tags for task in world.tasks()] == [
        [cluster, {"key": "aws:ecs:serviceName", "value": "web"}],
        [cluster],
    ]


def test_a_fixed_host_port_is_taken_once_a_host_and_protocol(world: World) -> None:
    world.agent()

    def placed(protocol: str) -> Any:
        mapping = {"containerPort": 53, "hostPort": 5353, "protocol": protocol}
        arn = register(world, {**WEB, "portMappings": [mapping]})["taskDefinitionArn"]
        answer = world.call("RunTask", cluster="demo", taskDefinition=arn)
        return [each["reason"] for each in answer["failures"]]

    assert placed("udp") == []
    assert placed("udp") == ["RESOURCE:PORTS"]
    assert placed("tcp") == []


STOP_FIRST = {"minimumHealthyPercent": 0, "maximumPercent": 100}


@pytest.mark.parametrize("port", [0, 8080])
def test_a_singleton_s_next_task_is_started_when_the_old_one_is_told_to_stop(world: World, port: int) -> None:
    """Not when it has stopped, if the next one needs nothing that it holds.

    https://github.com/aws/containers-roadmap/issues/959
    """
    agent = world.agent()
    agent.slow.add("web:1")
    ports = [{"containerPort": 80, "hostPort": port}]
    world.create(world.define(portMappings=ports), deploymentConfiguration=STOP_FIRST)
    world.tick()
    (old,) = world.tasks()
    world.update(taskDefinition=world.define("web:2", portMappings=ports))
    world.tick(1)
    assert (old.active, old.wanted) == (True, False)
    assert world.tasks() == [old]
    world.tick(12)
    assert (len(world.tasks()), old.active) == (1 if port else 2, True)
    agent.end(old.arn, 0)
    world.tick(12)
    (new,) = world.tasks()
    assert (new is old, old.active) == (False, False)
    assert new.created_at > (old.stopping_at or new.created_at)
    assert world.service()["deployments"][0]["rolloutState"] == "COMPLETED"


def test_a_service_without_tasks_is_steady_and_changes_at_once(world: World) -> None:
    world.create(world.define(), 0)
    world.tick()
    assert world.service()["deployments"][0]["rolloutState"] == "COMPLETED"
    world.update(taskDefinition=world.define("web:2"))
    world.tick()
    (deployment,) = world.service()["deployments"]
    assert deployment["rolloutState"] == "COMPLETED"
    assert deployment["taskDefinition"].endswith(":2")
    assert not world.tasks(active=False)


def test_services_are_updated_side_by_side_and_others_keep_their_tasks(world: World) -> None:
    world.agent(memory=2000)
    for name in ("web", "cms", "proxy"):
        breaker = {"deploymentConfiguration": STOP_FIRST} if name == "cms" else {}
        definition = world.define(family=name)
        world.call("CreateService", cluster="demo", serviceName=name, taskDefinition=definition, **breaker)
    world.tick()
    before = {task.service.rpartition("/")[2]: task.arn for task in world.tasks()}
    assert set(before) == {"web", "cms", "proxy"}

    for name in ("web", "cms"):
        world.call("UpdateService", cluster="demo", service=name, taskDefinition=world.define("new:1", family=name))
    world.tick(20)

    after = {task.service.rpartition("/")[2]: task.arn for task in world.tasks()}
    assert set(after) == set(before)
    assert after["proxy"] == before["proxy"]
    assert after["web"] != before["web"]
    assert after["cms"] != before["cms"]


def test_only_a_tcp_port_is_a_load_balancer_s_target(world: World) -> None:
    agent = world.agent()
    agent.binds = False
    world.balanced(world.define())
    world.tick()
    (task,) = world.tasks()
    both = [
        {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 40001, "protocol": "udp"},
        {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 40002, "protocol": "tcp"},
    ]
    task.containers[0].bindings = both
    world.tick()
    assert [port for _, _, port in task.targets] == [40002]
