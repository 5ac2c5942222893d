"""The API's answers and refusals, and what the agents are sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.config import CONFIGS
from local_aws.ecs import middleware
from local_aws.ecs.errors import EcsError
from tests.unit.ecs_support import GROUP, World

WEB = {"name": "web", "image": "web:1", "memory": 64}


@pytest.fixture
def world() -> World:
    return World()


def refused(world: World, action: str, **request: Any) -> EcsError:
    with pytest.raises(EcsError) as caught:
        world.call(action, **request)
    return caught.value


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        ([], "Container list cannot be empty"),
        ([{"name": "a", "image": "a"}], "At least one of 'memory' or 'memoryReservation'"),
        ([WEB, WEB], "duplicate"),
        ([{**WEB, "links": ["db"]}], "unknown container 'db'"),
        ([{**WEB, "dependsOn": [{"containerName": "db", "condition": "START"}]}], "unknown container db"),
        (
            [WEB, {**WEB, "name": "b", "dependsOn": [{"containerName": "web", "condition": "HEALTHY"}]}],
            "requires a health check",
        ),
        ([{**WEB, "mountPoints": [{"sourceVolume": "media", "containerPath": "/m"}]}], "Unknown volume"),
        ([{**WEB, "essential": False}], "marked as essential"),
        ([{**WEB, "memory": 4}], "minimum is 6"),
        ([{**WEB, "memory": 10, "memoryReservation": 20}], "must be greater"),
        ([{**WEB, "secrets": [{"name": "A", "valueFrom": "arn:aws:ssm:::parameter/a"}]}], "executionRoleArn"),
        ([{**WEB, "links": ["b"]}, {**WEB, "name": "b", "links": ["web"]}], "cycle"),
        ([{**WEB, "healthCheck": {"command": ["CMD"], "interval": 1}}], "interval must be between 5 and 300"),
    ],
)
def test_task_definitions_that_aws_refuses(world: World, definitions: list[Any], message: str) -> None:
    error = refused(world, "RegisterTaskDefinition", family="web", containerDefinitions=definitions)
    assert error.kind == "ClientException"
    assert message in error.message


def test_task_volume_cannot_be_autoprovisioned(world: World) -> None:
    volume = {"name": "media", "dockerVolumeConfiguration": {"scope": "task", "autoprovision": True}}
    error = refused(world, "RegisterTaskDefinition", family="web", containerDefinitions=[WEB], volumes=[volume])
    assert "autoprovision" in error.message


def test_access_point_needs_transit_encryption(world: World) -> None:
    efs = {"fileSystemId": "fs-1", "authorizationConfig": {"accessPointId": "fsap-1"}}
    volume = {"name": "media", "efsVolumeConfiguration": efs}
    error = refused(world, "RegisterTaskDefinition", family="web", containerDefinitions=[WEB], volumes=[volume])
    assert "Transit encryption" in error.message


def test_required_attributes_name_the_volume_driver(world: World) -> None:
    volume = {"name": "media", "dockerVolumeConfiguration": {"scope": "shared", "driver": "rexray/efs:0.11.4"}}
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "us-east-1"}}
    web = {**WEB, "logConfiguration": log}
    answer = world.call("RegisterTaskDefinition", family="web", containerDefinitions=[web], volumes=[volume])
    names = {each["name"] for each in answer["taskDefinition"]["requiresAttributes"]}
    assert "ecs.capability.docker-plugin.rexray/efs.0.11.4" in names
    assert "com.amazonaws.ecs.capability.logging-driver.awslogs" in names


def test_revisions_and_their_end(world: World) -> None:
    first, second = world.define(), world.define("web:2")
    assert world.call("DescribeTaskDefinition", taskDefinition="web")["taskDefinition"]["taskDefinitionArn"] == second
    assert world.call("ListTaskDefinitions", sort="DESC")["taskDefinitionArns"] == [second, first]
    kept = world.call("DeleteTaskDefinitions", taskDefinitions=[first])
    assert "still in ACTIVE status" in kept["failures"][0]["reason"]
    world.call("DeregisterTaskDefinition", taskDefinition=first)
    assert world.call("DescribeTaskDefinition", taskDefinition=first)["taskDefinition"]["status"] == "INACTIVE"
    world.call("DeleteTaskDefinitions", taskDefinitions=[first])
    assert refused(world, "DescribeTaskDefinition", taskDefinition=first).kind == "ClientException"
    assert world.define("web:3").endswith(":3")


def test_unknown_members_and_actions(world: World) -> None:
    assert "Unknown parameter" in refused(world, "CreateCluster", clusterNam="x").message
    assert refused(world, "MakeCoffee").kind == "UnknownOperationException"
    assert refused(world, "CreateTaskSet").kind == "UnsupportedFeatureException"
    assert refused(world, "DescribeServices", cluster="nope", services=["x"]).kind == "ClusterNotFoundException"
    assert refused(world, "UpdateService", cluster="demo", service="x").kind == "ServiceNotFoundException"


def test_registration_echoes_every_attribute(world: World) -> None:
    agent = world.agent()
    got = [(each["name"], each.get("value")) for each in agent.registered["attributes"]]
    assert set(got) >= {(each["name"], each.get("value")) for each in agent.attributes}


def attach_provider(world: World) -> None:
    group = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:autoScalingGroupName/hosts"
    world.call("CreateCapacityProvider", name="hosts", autoScalingGroupProvider={"autoScalingGroupArn": group})
    strategy = [{"capacityProvider": "hosts", "weight": 1}]
    world.call(
        "PutClusterCapacityProviders",
        cluster="demo",
        capacityProviders=["hosts"],
        defaultCapacityProviderStrategy=strategy,
    )


def test_only_instances_that_come_after_the_provider_belong_to_it(world: World) -> None:
    world.elsewhere.groups = {"i-1": "hosts", "i-2": "hosts", "i-3": "others"}
    before = world.agent("i-1").registered
    attach_provider(world)
    after, other = world.agent("i-2").registered, world.agent("i-3").registered
    assert [each.get("capacityProviderName") for each in (before, after, other)] == [None, "hosts", None]


def test_provider_in_use_stays(world: World) -> None:
    world.elsewhere.groups = {"i-1": "hosts"}
    attach_provider(world)
    world.agent("i-1")
    world.call("RunTask", cluster="demo", taskDefinition=world.define())
    nothing = {"cluster": "demo", "capacityProviders": [], "defaultCapacityProviderStrategy": []}
    assert refused(world, "PutClusterCapacityProviders", **nothing).kind == "ResourceInUseException"
    assert refused(world, "DeleteCapacityProvider", capacityProvider="hosts").kind == "ResourceInUseException"


def test_cluster_goes_last(world: World) -> None:
    agent = world.agent()
    world.create(world.define())
    assert refused(world, "DeleteCluster", cluster="demo").kind == "ClusterContainsServicesException"
    world.call("DeleteService", cluster="demo", service="web", force=True)
    world.tick()
    assert refused(world, "DeleteCluster", cluster="demo").kind == "ClusterContainsContainerInstancesException"
    world.call("DeregisterContainerInstance", cluster="demo", containerInstance=agent.arn)
    world.call("DeleteCluster", cluster="demo")
    assert world.call("DescribeClusters", clusters=["demo"])["clusters"][0]["status"] == "INACTIVE"


def test_run_task_without_room_is_a_failure_not_an_error(world: World) -> None:
    definition = world.define()
    error = refused(world, "RunTask", cluster="demo", taskDefinition=definition)
    assert error.message == "No Container Instances were found in your cluster."
    agent = world.agent(memory=100)
    answer = world.call("RunTask", cluster="demo", taskDefinition=definition)
    assert answer == {"tasks": [], "failures": [{"arn": agent.arn, "reason": "RESOURCE:MEMORY"}]}


def test_run_task_override_and_exit_code(world: World) -> None:
    agent = world.agent()
    agent.exits["web:1"] = 3
    override = {"name": "web", "command": ["migrate"], "environment": [{"name": "A", "value": "b"}]}
    request = {"cluster": "demo", "taskDefinition": world.define(), "overrides": {"containerOverrides": [override]}}
    arn = world.call("RunTask", **request)["tasks"][0]["taskArn"]
    world.tick()
    task = world.call("DescribeTasks", cluster="demo", tasks=[arn])["tasks"][0]
    assert (task["lastStatus"], task["containers"][0]["exitCode"]) == ("STOPPED", 3)
    sent = agent.frames[0][1]["tasks"][0]["containers"][0]
    assert (sent["command"], sent["environment"]) == (["migrate"], {"A": "b"})
    wrong = {"containerOverrides": [{"name": "nope"}]}
    assert "nope" in refused(world, "RunTask", **{**request, "overrides": wrong}).message


def test_payload_is_as_the_agent_reads_it(world: World) -> None:
    agent = world.agent()
    log = {
        "logDriver": "json-file",
        "options": {"awslogs-group": "g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
    }
    world.call(
        "RunTask",
        cluster="demo",
        taskDefinition=world.call(
            "RegisterTaskDefinition",
            family="web",
            taskRoleArn="arn:aws:iam::123456789012:role/task",
            executionRoleArn="arn:aws:iam::123456789012:role/execution",
            containerDefinitions=[
                {
                    **WEB,
                    "logConfiguration": log,
                    "memoryReservation": 32,
                    "user": "www-data",
                    "dockerLabels": {"release": "7"},
                    "healthCheck": {"command": ["CMD", "true"], "interval": 7},
                    "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
                    "extraHosts": [{"hostname": "h", "ipAddress": "10.0.0.1"}],
                    "linuxParameters": {"initProcessEnabled": True},
                    "readonlyRootFilesystem": True,
                    "portMappings": [{"containerPort": 80}],
                }
            ],
        )["taskDefinition"]["taskDefinitionArn"]
        if _allow(agent, world)
        else "",
    )
    world.tick()
    kind, message = agent.frames[0]
    assert kind == "PayloadMessage"
    (task,) = message["tasks"]
    (container,) = task["containers"]
    config, host = (json.loads(container["dockerConfig"][key]) for key in ("config", "hostConfig"))
    assert config["Healthcheck"]["Interval"] == 7 * 10**9
    assert (config["User"], config["Labels"]) == ("www-data", {"release": "7"})
    assert host["LogConfig"]["Config"]["awslogs-stream"] == f"web/web/{task['arn'].rpartition('/')[2]}"
    assert "awslogs-stream-prefix" not in host["LogConfig"]["Config"]
    assert host["MemoryReservation"] == 32 * 1024 * 1024
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 1, "Hard": 2}]
    assert (host["ExtraHosts"], host["Init"], host["ReadonlyRootfs"]) == (["h:10.0.0.1"], True, True)
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}]
    assert container["healthCheckType"] == "docker"
    assert task["overrides"] == "{}"
    assert task["roleCredentials"]["roleArn"].endswith("role/task")
    assert task["executionRoleCredentials"]["roleArn"].endswith("role/execution")


def _allow(agent: Any, world: World) -> bool:
    names = ("com.amazonaws.ecs.capability.task-iam-role", "com.amazonaws.ecs.capability.logging-driver.json-file")
    world.call("PutAttributes", cluster="demo", attributes=[{"name": name, "targetId": agent.arn} for name in names])
    return True


def test_credentials_are_renewed_with_the_same_id(world: World) -> None:
    agent = world.agent()
    _allow(agent, world)
    role = "arn:aws:iam::123456789012:role/task"
    definition = world.call("RegisterTaskDefinition", family="web", taskRoleArn=role, containerDefinitions=[WEB])
    world.call("RunTask", cluster="demo", taskDefinition=definition["taskDefinition"]["taskDefinitionArn"])
    world.tick()
    first = agent.frames[0][1]["tasks"][0]["roleCredentials"]
    assert len(agent.frames) == 1
    world.now += 2000
    world.tick()
    kind, message = agent.frames[1]
    assert (kind, message["roleType"]) == ("IAMRoleCredentialsMessage", "TaskApplication")
    assert message["roleCredentials"]["credentialsId"] == first["credentialsId"]
    assert message["roleCredentials"]["sessionToken"] != first["sessionToken"]


def test_a_reconnecting_agent_is_sent_its_tasks_again(world: World) -> None:
    agent = world.agent()
    world.create(world.define())
    world.tick()
    world.dispatcher.disconnected(agent.arn, agent)
    instance = world.call("DescribeContainerInstances", cluster="demo", containerInstances=[agent.arn])
    assert instance["containerInstances"][0]["agentConnected"] is False
    agent.frames.clear()
    world.dispatcher.connected(agent.arn, agent)
    world.tick()
    assert [kind for kind, _ in agent.frames] == ["PayloadMessage"]


def test_service_needs_a_target_group_with_a_listener_and_its_port(world: World) -> None:
    world.elsewhere.unattached.add(GROUP)
    with pytest.raises(EcsError, match="does not have an associated load balancer"):
        world.balanced(world.define())
    world.elsewhere.unattached.clear()
    with pytest.raises(EcsError, match="did not have a container port 80"):
        world.balanced(world.define(portMappings=[]))


def test_instances_by_query(world: World) -> None:
    agent = world.agent("i-7")
    world.agent("i-8")
    ask = {"cluster": "demo", "filter": "ec2InstanceId == i-7 and agentConnected == true"}
    assert world.call("ListContainerInstances", **ask)["containerInstanceArns"] == [agent.arn]
    ask["filter"] = "attribute:tier == web"
    assert len(world.call("ListContainerInstances", **ask)["containerInstanceArns"]) == 2
    ask["filter"] = "cpu > 3"
    assert refused(world, "ListContainerInstances", **ask).kind == "InvalidParameterException"


def test_tags_of_every_kind(world: World) -> None:
    agent = world.agent()
    definition = world.define()
    world.create(definition, tags=[{"key": "a", "value": "1"}])
    for arn in (definition, agent.arn, world.service()["serviceArn"], world.region.clusters["demo"].arn):
        world.call("TagResource", resourceArn=arn, tags=[{"key": "b", "value": "2"}])
        assert {"key": "b", "value": "2"} in world.call("ListTagsForResource", resourceArn=arn)["tags"]
        world.call("UntagResource", resourceArn=arn, tagKeys=["b"])
        assert "b" not in [each["key"] for each in world.call("ListTagsForResource", resourceArn=arn)["tags"]]
    assert refused(world, "TagResource", resourceArn="arn:x", tags=[]).kind == "InvalidParameterException"


def test_middleware_answers_only_for_ecs() -> None:
    seen = []

    def moto(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["HTTP_X_AMZ_TARGET"])
        start_response("200 OK", [])
        return [b"moto"]

    application = middleware(Cloud(CONFIGS["test"]), moto)
    statuses: list[str] = []

    def ask(target: str, body: bytes) -> bytes:
        from io import BytesIO

        environ = {"HTTP_X_AMZ_TARGET": target, "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
        return b"".join(application(environ, lambda status, _headers: statuses.append(status)))

    assert ask("DynamoDB_20120810.ListTables", b"{}") == b"moto"
    answer = json.loads(ask("AmazonEC2ContainerServiceV20141113.ListTasks", b'{"cluster": "none"}'))
    assert answer == {"__type": "ClusterNotFoundException", "message": "Cluster not found."}
    assert json.loads(ask("AmazonEC2ContainerServiceV20141113.ListClusters", b"{}")) == {"clusterArns": []}
    assert statuses == ["200 OK", "400 Bad Request", "200 OK"]
    assert len(seen) == 1
