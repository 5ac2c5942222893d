"""The API's answers and refusals, and what the agents are sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.config import CONFIGS
from local_aws.ecs import middleware
from local_aws.ecs.errors import EcsError
from local_aws.ecs.state import Json
from local_aws.tests.ecs_support import GROUP, World

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
        ([{**WEB, "restartPolicy": {"enabled": True}}], "does not support restartPolicy (container 'web')"),
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


def test_families_by_their_begin_and_whether_a_revision_is_active(world: World) -> None:
    for family in ("shop-job-a", "shop-job-b", "shop-service-a"):
        world.define(family=family)
    world.call("DeregisterTaskDefinition", taskDefinition="shop-job-b:1")
    ask = {"familyPrefix": "shop-job-"}
    assert world.call("ListTaskDefinitionFamilies", **ask, status="ACTIVE")["families"] == ["shop-job-a"]
    assert world.call("ListTaskDefinitionFamilies", **ask, status="INACTIVE")["families"] == ["shop-job-b"]
    assert world.call("ListTaskDefinitionFamilies", **ask)["families"] == ["shop-job-a", "shop-job-b"]
    assert len(world.call("ListTaskDefinitionFamilies", status="ACTIVE")["families"]) == 2


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
    sent = agent.sent("PayloadMessage")[0]["tasks"][0]["containers"][0]
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
    (message,) = agent.sent("PayloadMessage")
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
    first = agent.sent("PayloadMessage")[0]["tasks"][0]["roleCredentials"]
    assert agent.sent("IAMRoleCredentialsMessage") == []
    world.now += 2000
    world.tick()
    (message,) = agent.sent("IAMRoleCredentialsMessage")
    assert message["roleType"] == "TaskApplication"
    assert message["roleCredentials"]["credentialsId"] == first["credentialsId"]
    assert message["roleCredentials"]["sessionToken"] != first["sessionToken"]
    world.now += 40
    world.tick(1)
    assert len(agent.sent("IAMRoleCredentialsMessage")) == 2, "not acknowledged, so sent again"
    world.dispatcher.credentials_acknowledged(agent.arn, {"credentialsId": first["credentialsId"]})
    world.now += 40
    world.tick(1)
    assert len(agent.sent("IAMRoleCredentialsMessage")) == 2
    assert len(agent.sent("PayloadMessage")) == 1


@pytest.mark.parametrize(("wanted", "sent"), [("true", 1), ("false", 0)])
def test_a_connecting_agent_gets_the_credentials_that_it_asks_for(world: World, wanted: str, sent: int) -> None:
    agent = world.agent()
    _allow(agent, world)
    role = "arn:aws:iam::123456789012:role/task"
    definition = world.call("RegisterTaskDefinition", family="web", taskRoleArn=role, containerDefinitions=[WEB])
    world.call("RunTask", cluster="demo", taskDefinition=definition["taskDefinition"]["taskDefinitionArn"])
    world.tick()
    world.dispatcher.connected(agent.arn, agent, {"sendCredentials": wanted})
    world.tick(1)
    assert len(agent.sent("IAMRoleCredentialsMessage")) == sent


def test_a_reconnecting_agent_is_told_what_belongs_on_its_host_and_sent_what_it_did_not_acknowledge(
    world: World,
) -> None:
    agent = world.agent()
    world.create(world.define())
    world.tick()
    (task,) = world.tasks()
    world.dispatcher.disconnected(agent.arn, agent)
    instance = world.call("DescribeContainerInstances", cluster="demo", containerInstances=[agent.arn])
    assert instance["containerInstances"][0]["agentConnected"] is False
    agent.frames.clear()
    world.dispatcher.connected(agent.arn, agent)
    world.tick()
    (manifest,) = agent.sent("TaskManifestMessage")
    assert [(each["taskArn"], each["desiredStatus"]) for each in manifest["tasks"]] == [(task.arn, "RUNNING")]
    assert agent.sent("PayloadMessage") == []
    world.region.instances[agent.arn].unacked["lost"] = (world.now, [task.arn])
    world.dispatcher.connected(agent.arn, agent)
    world.tick()
    assert [each["arn"] for each in agent.sent("PayloadMessage")[0]["tasks"]] == [task.arn]
    later = agent.sent("TaskManifestMessage")[1]["timeline"]
    assert manifest["timeline"] < later < agent.sent("PayloadMessage")[0]["seqNum"]


def test_a_task_that_nobody_knows_is_to_be_stopped_and_one_that_drains_is_not(world: World) -> None:
    agent = world.agent()
    world.balanced(world.define())
    world.tick()
    (task,) = world.tasks()
    world.call("StopTask", cluster="demo", task=task.arn)
    world.dispatcher.connected(agent.arn, agent)
    manifest = agent.sent("TaskManifestMessage")[-1]
    assert [each["desiredStatus"] for each in manifest["tasks"]] == ["RUNNING"]
    asked = [{"taskArn": arn, "taskClusterArn": "c", "desiredStatus": "STOPPED"} for arn in (task.arn, "orphan")]
    world.dispatcher.stop_candidates(agent.arn, {"messageId": "of another manifest", "stopCandidates": asked})
    assert agent.sent("TaskStopVerificationAck") == []
    world.dispatcher.stop_candidates(agent.arn, {"messageId": manifest["messageId"], "stopCandidates": asked})
    (answer,) = agent.sent("TaskStopVerificationAck")
    assert [each["taskArn"] for each in answer["stopTasks"]] == ["orphan"]


# In the form of the real agent (1.105.1, agent/api/statechange.go): two containers, the second waits for the first.
DELTAS: list[tuple[Json, Json]] = [
    (
        {"status": "PENDING", "reason": "", "containers": [
            {"containerName": "web", "status": "PENDING", "imageDigest": "sha256:1"},
            {"containerName": "proxy", "status": "PENDING", "imageDigest": "sha256:2"},
        ]},
        {"lastStatus": "PENDING", "web": ("PENDING", None), "proxy": ("PENDING", None)},
    ),
    (
        {"status": "PENDING", "reason": "", "containers": [
            {"containerName": "web", "status": "RUNNING", "runtimeId": "a1", "imageDigest": "sha256:1", "reason": ""},
        ]},
        {"lastStatus": "PENDING", "web": ("RUNNING", None), "proxy": ("PENDING", None)},
    ),
    (
        {"status": "RUNNING", "reason": "", "pullStartedAt": 3.0, "pullStoppedAt": 4.0, "containers": [
            {"containerName": "proxy", "status": "RUNNING", "runtimeId": "a2", "networkBindings": [
                {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32769, "protocol": "tcp"}]},
        ]},
        {"lastStatus": "RUNNING", "web": ("RUNNING", None), "proxy": ("RUNNING", None)},
    ),
    (
        {"status": "RUNNING", "reason": "", "containers": [
            {"containerName": "proxy", "status": "STOPPED", "exitCode": 3, "runtimeId": "a2"}]},
        {"lastStatus": "RUNNING", "web": ("RUNNING", None), "proxy": ("STOPPED", 3)},
    ),
    (
        {"status": "STOPPED", "reason": "", "executionStoppedAt": 9.0, "containers": [
            {"containerName": "web", "status": "STOPPED", "exitCode": 143, "runtimeId": "a1"}]},
        {"lastStatus": "STOPPED", "web": ("STOPPED", 143), "proxy": ("STOPPED", 3)},
    ),
]  # fmt: skip


def test_an_agent_reports_what_has_changed(world: World) -> None:
    world.agent()
    answer = world.call("RegisterTaskDefinition", family="web", containerDefinitions=[WEB, {**WEB, "name": "proxy"}])
    request = {"cluster": "demo", "taskDefinition": answer["taskDefinition"]["taskDefinitionArn"]}
    arn = world.call("RunTask", **request)["tasks"][0]["taskArn"]
    for report, expected in DELTAS:
        world.call("SubmitTaskStateChange", cluster="demo", task=arn, **report)
        (task,) = world.call("DescribeTasks", cluster="demo", tasks=[arn])["tasks"]
        seen = {each["name"]: (each["lastStatus"], each.get("exitCode")) for each in task["containers"]}
        assert {"lastStatus": task["lastStatus"], **seen} == expected
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert (task["pullStoppedAt"], task["executionStoppedAt"]) == (4.0, 9.0)
    assert [each["imageDigest"] for each in task["containers"]] == ["sha256:1", "sha256:2"]


@pytest.mark.parametrize(
    ("reason", "code", "expected"),
    [
        ("CannotStartContainerError: dependency graph: … has timed out.", 143, "TaskFailedToStart"),
        ("CannotPullImageManifestError: …", None, "TaskFailedToStart"),
        ("CannotPullImageManifestError: … (it ran from the host's own)", 1, "EssentialContainerExited"),
        ("", 143, "EssentialContainerExited"),
    ],
)
def test_a_task_that_never_ran_has_failed_or_ended(world: World, reason: str, code: int | None, expected: str) -> None:
    world.agent()
    answer = world.call("RegisterTaskDefinition", family="web", containerDefinitions=[WEB, {**WEB, "name": "other"}])
    request = {"cluster": "demo", "taskDefinition": answer["taskDefinition"]["taskDefinitionArn"]}
    arn = world.call("RunTask", **request)["tasks"][0]["taskArn"]
    ended = {"containerName": "web", "status": "STOPPED", "reason": reason}
    containers = [ended if code is None else {**ended, "exitCode": code}]
    containers.append({"containerName": "other", "status": "STOPPED", "exitCode": 0})
    world.call("SubmitTaskStateChange", cluster="demo", task=arn, status="STOPPED", containers=containers)
    (task,) = world.call("DescribeTasks", cluster="demo", tasks=[arn])["tasks"]
    assert task["stopCode"] == expected


def test_registration_in_a_cluster_that_is_not_there_ends_the_agent_for_good(world: World) -> None:
    error = refused(world, "RegisterContainerInstance", cluster="nope", instanceIdentityDocument="{}")
    assert (error.kind, error.message) == ("ClientException", "Cluster not found.")
    gone = world.region.arn("container-instance", "demo", "0" * 32)
    error = refused(world, "RegisterContainerInstance", cluster="demo", containerInstanceArn=gone)
    assert (error.kind, error.message) == ("ClientException", f"Container instance {'0' * 32} is inactive.")


def test_the_same_client_token_is_the_same_registration(world: World) -> None:
    request: dict[str, Any] = {"cluster": "demo", "attributes": [], "totalResources": []}
    arns = [
        world.call("RegisterContainerInstance", **request, clientToken=token)["containerInstance"][
            "containerInstanceArn"
        ]
        for token in ("one", "one", "two")
    ]
    assert arns[0] == arns[1] != arns[2]


def test_a_capability_that_is_not_registered_again_is_gone(world: World) -> None:
    agent = world.agent()
    world.call("PutAttributes", cluster="demo", attributes=[{"name": "put", "value": "1", "targetId": agent.arn}])
    world.call("RegisterContainerInstance", cluster="demo", containerInstanceArn=agent.arn, attributes=[])
    names = {each["name"] for each in world.region.instances[agent.arn].attributes}
    assert {"put", "tier", "ecs.availability-zone"} <= names
    assert not any("capability" in name for name in names)


def test_a_deregistered_agent_is_cut_off_and_not_known_any_more(world: World) -> None:
    agent = world.agent()
    assert world.dispatcher.known(agent.arn)
    world.call("DeregisterContainerInstance", cluster="demo", containerInstance=agent.arn)
    assert agent.closed
    assert not world.dispatcher.known(agent.arn)


def test_an_instance_shows_what_its_agent_says_of_it(world: World) -> None:
    agent = world.agent()
    instance = {"cluster": "demo", "containerInstances": [agent.arn], "include": ["CONTAINER_INSTANCE_HEALTH"]}
    (before,) = world.call("DescribeContainerInstances", **instance)["containerInstances"]
    assert before["healthStatus"] == {"overallStatus": "INSUFFICIENT_DATA", "details": []}
    query = {"agentVersion": "1.105.1", "agentHash": "0fa", "dockerVersion": "DockerVersion: 25", "seqNum": "1"}
    world.dispatcher.connected(agent.arn, agent, query)
    status = {"type": "ContainerRuntime", "status": "IMPAIRED", "lastUpdated": 2.0, "lastStatusChange": 1.0}
    world.dispatcher.instance_status({"metadata": {"containerInstance": agent.arn}, "statuses": [status]})
    (after,) = world.call("DescribeContainerInstances", **instance)["containerInstances"]
    assert after["versionInfo"] == {key: query[key] for key in ("agentVersion", "agentHash", "dockerVersion")}
    assert after["healthStatus"] == {
        "overallStatus": "IMPAIRED",
        "details": [{**status, "type": "CONTAINER_RUNTIME"}],
    }


def test_a_task_shows_its_hosts_architecture_and_since_when_it_is_connected(world: World) -> None:
    agent = world.agent()
    arn = world.call("RunTask", cluster="demo", taskDefinition=world.define())["tasks"][0]["taskArn"]
    world.now += 10
    world.dispatcher.connected(agent.arn, agent)
    (task,) = world.call("DescribeTasks", cluster="demo", tasks=[arn])["tasks"]
    assert task["attributes"] == [{"name": "ecs.cpu-architecture", "value": "x86_64"}]
    assert task["connectivityAt"] == world.now


@pytest.mark.parametrize(("role", "expected"), [("execution", "ExecutionRole"), ("", None)])
def test_logs_are_written_with_the_execution_role_where_there_is_one(
    world: World, role: str, expected: str | None
) -> None:
    agent = world.agent()
    names = ("com.amazonaws.ecs.capability.logging-driver.awslogs", "ecs.capability.execution-role-awslogs")
    world.call("PutAttributes", cluster="demo", attributes=[{"name": name, "targetId": agent.arn} for name in names])
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "us-east-1"}}
    more = {"executionRoleArn": f"arn:aws:iam::123456789012:role/{role}"} if role else {}
    answer = world.call(
        "RegisterTaskDefinition",
        family="web",
        containerDefinitions=[{**WEB, "logConfiguration": log}, {**WEB, "name": "plain"}],
        **more,
    )
    world.call("RunTask", cluster="demo", taskDefinition=answer["taskDefinition"]["taskDefinitionArn"])
    world.tick()
    logging, plain = agent.sent("PayloadMessage")[0]["tasks"][0]["containers"]
    assert logging.get("logsAuthStrategy") == expected
    assert "logsAuthStrategy" not in plain


@pytest.mark.parametrize("mode", ["host", "none", "bridge", None])
def test_the_network_mode_is_where_the_agent_looks_for_it(world: World, mode: str | None) -> None:
    agent = world.agent()
    more = {"networkMode": mode} if mode else {}
    answer = world.call("RegisterTaskDefinition", family="web", containerDefinitions=[WEB], **more)
    world.call("RunTask", cluster="demo", taskDefinition=answer["taskDefinition"]["taskDefinitionArn"])
    world.tick()
    (container,) = agent.sent("PayloadMessage")[0]["tasks"][0]["containers"]
    assert json.loads(container["dockerConfig"]["hostConfig"])["NetworkMode"] == (mode or "bridge")


def test_an_image_of_the_registry_that_stands_in_for_ecr_is_a_private_one(world: World) -> None:
    agent = world.agent()
    world.dispatcher.registry = "127.0.0.1:4568"
    world.call("RunTask", cluster="demo", taskDefinition=world.define("127.0.0.1:4568/shop/web:7"))
    world.tick()
    (container,) = agent.sent("PayloadMessage")[0]["tasks"][0]["containers"]
    assert container["registryAuthentication"]["ecrAuthData"] == {
        "registryId": "123456789012",
        "region": "us-east-1",
        "useExecutionRole": False,
    }


def test_the_agent_is_told_how_to_get_a_token_for_a_private_registry_and_which_container_is_which(
    world: World,
) -> None:
    agent = world.agent()
    private = {**WEB, "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:7"}
    answer = world.call(
        "RegisterTaskDefinition", family="web", containerDefinitions=[private, {**WEB, "name": "public"}]
    )
    world.call("RunTask", cluster="demo", taskDefinition=answer["taskDefinition"]["taskDefinitionArn"])
    world.tick()
    (task,) = agent.sent("PayloadMessage")[0]["tasks"]
    ours, public = task["containers"]
    assert ours["registryAuthentication"] == {
        "type": "ecr",
        "ecrAuthData": {"registryId": "123456789012", "region": "eu-west-1", "useExecutionRole": False},
    }
    assert "registryAuthentication" not in public
    arns = {each.arn for each in world.region.tasks[task["arn"]].containers}
    assert {ours["containerArn"], public["containerArn"]} == arns


def test_on_the_hosts_network_the_target_is_the_containers_port(world: World) -> None:
    agent = world.agent()
    agent.binds = False
    answer = world.call(
        "RegisterTaskDefinition",
        family="web",
        networkMode="host",
        containerDefinitions=[{**WEB, "portMappings": [{"containerPort": 8080}]}],
    )
    balancers = [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}]
    world.create(answer["taskDefinition"]["taskDefinitionArn"], loadBalancers=balancers)
    world.scheduler.round()
    assert not world.elsewhere.health  # the port is known, and nobody listens on it before the task runs
    world.tick()
    assert list(world.elsewhere.health) == [("i-1", 8080)]


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
