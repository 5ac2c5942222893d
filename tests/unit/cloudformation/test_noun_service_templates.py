"""Services, jobs and what is exposed: linted in all their variants, and right where the schemas do not reach."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from cfnlint.decode import decode_str

from plugins.filter.route_targets import route_targets
from tests.unit.noun_support import TASKS, body, made
from tests.unit.render_support import PROJECT

FLOWERS = "Fleurs 💐"
CONTAINER = {
    "Name": "web", "Image": "shop/web:1", "Memory": 64, "Essential": True,
    "PortMappings": [{"ContainerPort": 80, "HostPort": 0, "Protocol": "tcp"}],
    "LogConfiguration": {
        "LogDriver": "awslogs",
        "Options": {"awslogs-group": {"Ref": "LogGroup"}, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "w"},
    },
    "Secrets": [{"Name": "PASSWORD", "ValueFrom": {"Fn::Sub": "${DatabaseMainLoginArn}:password::"}}],
    "Environment": [{"Name": "TITLE", "Value": FLOWERS}],
    "MountPoints": [{"SourceVolume": "media", "ContainerPath": "/srv", "ReadOnly": False}],
}  # fmt: skip
TASK: dict[str, Any] = {
    "containers": [CONTAINER],
    "volumes": [{"Name": "media", "EFSVolumeConfiguration": {"FilesystemId": {"Ref": "VolumeMediaFileSystemId"}}}],
    "takes": {
        "DatabaseMainLoginArn": "database.main.LoginArn",
        "VolumeMediaFileSystemId": "volume.media.FileSystemId",
    },
    "data": {"web": {"DB_HOST": "", "DB_NAME": "db.example.net/site"}},
    "execution_statements": [
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "DatabaseMainLoginArn"}}
    ],
}
ROUTE = {"to": "web", "port": 80, "hosts": [], "paths": [], "health": "/healthz", "priority": 49000}
ENTRIES: dict[str, Any] = {
    "service": {
        "web": {**TASK, "routes": [ROUTE]},
        "api": {
            **TASK,
            "routes": [
                {**ROUTE, "to": "web-2", "port": 8000, "hosts": ["api.shop.test"], "priority": 7},
                {**ROUTE, "to": "web-2", "port": 8000, "hosts": ["shop.test"], "paths": ["/api/*", "/v1/*"],
                 "priority": 9},
                {**ROUTE, "health": "/", "priority": 11},
            ],
            "scale": {"min": 2, "max": 6, "cpu": 60, "memory": 70},
            "task_statements": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme/*"}],
        },
        "worker": {**TASK, "scale": {"min": 1, "max": 4, "cpu": 50}},
        "asked": {**TASK, "routes": [{**ROUTE, "priority": 48000}], "scale": {"min": 2, "max": 4, "requests": 600}},
        "beat": {"containers": [CONTAINER], "replicas": 0, "stop_first": True, "volumes": TASK["volumes"],
                 "takes": TASK["takes"]},
        "my-redis": {**TASK, "expose": {"container": "web", "container_port": 80, "port": 6379, "scheme": "redis"}},
        "both": {**TASK, "routes": [ROUTE], "expose": {"container": "web", "container_port": 80, "port": 8080}},
    },
    "job": {
        "migrate": TASK,
        "nightly": {**TASK, "schedule": "cron(0 3 * * ? *)", "zone": "Europe/Zurich",
                    "task_statements": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]},
    },
    "job_retries": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def layers() -> dict[str, dict[str, Any]]:
    return made(ENTRIES, TASKS)


def template(layer: dict[str, Any]) -> dict[str, Any]:
    found, problems = decode_str(body(layer))
    assert found is not None, problems
    return dict(found)


def resources(layer: dict[str, Any]) -> dict[str, Any]:
    """Logical id → resource."""
    return dict(template(layer)["Resources"])


def kinds(layer: dict[str, Any]) -> set[str]:
    return {each["Type"].partition("::")[2] for each in resources(layer).values()}


def test_every_template_is_clean_for_cfn_lint_as_it_is_deployed(layers: dict[str, Any], tmp_path: Path) -> None:
    for name, layer in layers.items():
        (tmp_path / f"{name}.yml").write_text(body(layer))
    (tmp_path / "expose.yml").write_text((PROJECT / "cloudformation/expose.yml").read_text())
    run = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", "--regions", "us-east-1", "--", *tmp_path.glob("*.yml")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert {each.stem for each in tmp_path.glob("*.yml")} == {*layers, "expose"}


def test_parameters_are_given_taken_or_outputs_of_layers_there_is_one_of(layers: dict[str, Any]) -> None:
    shared = {"ClusterName", "CapacityProviderName", "VpcId", "HttpsListenerArn", "HostSecurityGroupId"}
    shared |= set(template({"template": "expose.yml"})["Outputs"])
    for name, layer in layers.items():
        declared = template(layer)["Parameters"]
        given = layer["parameters"].keys() | layer["takes"].keys()
        assert given <= declared.keys(), name
        assert {each for each in declared.keys() - given if "Default" not in declared[each]} <= shared, name


def test_a_worker_has_no_way_in_and_a_service_only_those_it_asks_for(layers: dict[str, Any]) -> None:
    bare = {"Logs::LogGroup", "IAM::Role", "ECS::TaskDefinition", "ECS::Service"}
    front = {"ElasticLoadBalancingV2::TargetGroup", "ElasticLoadBalancingV2::ListenerRule"}
    back = {"ElasticLoadBalancingV2::TargetGroup", "ElasticLoadBalancingV2::Listener", "EC2::SecurityGroupIngress",
            "Route53::RecordSet"}  # fmt: skip
    scaling = {"ApplicationAutoScaling::ScalableTarget", "ApplicationAutoScaling::ScalingPolicy"}
    assert kinds(layers["service.beat"]) == bare
    assert kinds(layers["service.worker"]) == bare | scaling
    assert kinds(layers["service.web"]) == bare | front
    assert kinds(layers["service.my-redis"]) == bare | back
    assert kinds(layers["service.both"]) == bare | front | back
    assert kinds(layers["service.api"]) == bare | front | scaling
    for name in ("beat", "worker"):
        service = resources(layers[f"service.{name}"])["Service"]
        assert not {"LoadBalancers", "HealthCheckGracePeriodSeconds"} & set(service["Properties"])
        assert "DependsOn" not in service


def test_routes_of_one_port_share_a_target_group_and_each_has_its_rule(layers: dict[str, Any]) -> None:
    found = resources(layers["service.api"])
    groups = {name: each for name, each in found.items() if name.startswith("TargetGroup")}
    assert {name: each["Properties"]["HealthCheckPath"] for name, each in groups.items()} == {
        "TargetGroupwebx2d2": "/healthz", "TargetGroupweb": "/",
    }  # fmt: skip
    rules = {each["Properties"]["Priority"]: each["Properties"] for name, each in found.items() if "Rule" in name}
    assert set(rules) == {7, 9, 11}
    assert [each["Field"] for each in rules[9]["Conditions"]] == ["host-header", "path-pattern"]
    assert rules[9]["Conditions"][1]["PathPatternConfig"]["Values"] == ["/api/*", "/v1/*"]
    assert rules[7]["Conditions"] == [{"Field": "host-header", "HostHeaderConfig": {"Values": ["api.shop.test"]}}]
    assert rules[11]["Conditions"] == [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
    assert rules[7]["Actions"][0]["TargetGroupArn"] == rules[9]["Actions"][0]["TargetGroupArn"]
    service = found["Service"]
    assert set(service["DependsOn"]) == {"ListenerRule7", "ListenerRule9", "ListenerRule11"}
    assert [(each["ContainerName"], each["ContainerPort"]) for each in service["Properties"]["LoadBalancers"]] == [
        ("web-2", 8000), ("web", 80),
    ]  # fmt: skip
    for group in groups.values():
        properties = group["Properties"]
        assert (properties["TargetType"], properties["HealthCheckPort"]) == ("instance", "traffic-port")
        assert properties["TargetGroupAttributes"] == [
            {"Key": "deregistration_delay.timeout_seconds", "Value": {"Ref": "ServiceDeregistrationSeconds"}}
        ]
        assert "Name" not in properties, "a replacement would need another"


def test_one_port_is_asked_for_its_health_in_one_way() -> None:
    twice = [ROUTE, {**ROUTE, "priority": 3}]
    (target,) = route_targets(twice)
    assert (target["id"], target["key"], target["health"]) == ("web", "web:80", "/healthz")
    with pytest.raises(AnsibleFilterError, match="port 80 of web, with health /healthz and /other"):
        route_targets([ROUTE, {**ROUTE, "health": "/other"}])
    alike = route_targets([{**ROUTE, "to": "a-b"}, {**ROUTE, "to": "a_b"}, {**ROUTE, "to": "ab"}])
    assert len({each["id"] for each in alike}) == 3


def test_another_port_keeps_the_target_group_in_which_the_old_tasks_answer() -> None:
    """A rule leads to a new group before anything is in it: the site would answer 503 until the new tasks are well."""
    (before,), (after,) = route_targets([ROUTE]), route_targets([{**ROUTE, "port": 81}])
    assert (before["id"], before["port"]) == (after["id"], 80) == ("web", 80)
    assert after["port"] == 81
    ports = [80, 8080, 80, 9090]
    many = route_targets([{**ROUTE, "port": port} for port in ports] + [{**ROUTE, "to": "web-8080"}])
    assert [each["id"] for each in many] == ["web", "webPort8080", "webPort9090", "webx2d8080"]


def test_autoscaling_has_the_count_to_itself(layers: dict[str, Any]) -> None:
    api, worker = resources(layers["service.api"]), resources(layers["service.worker"])
    assert "DesiredCount" not in api["Service"]["Properties"]
    assert resources(layers["service.web"])["Service"]["Properties"]["DesiredCount"] == {"Ref": "ServiceReplicas"}
    assert layers["service.web"]["parameters"]["ServiceReplicas"] == 1
    assert layers["service.beat"]["parameters"]["ServiceReplicas"] == 0
    given = layers["service.api"]["parameters"]
    assert (given["ServiceScaleMinimum"], given["ServiceScaleMaximum"]) == (2, 6)
    assert api["ScalableTarget"]["Properties"]["ResourceId"] == {"Fn::Sub": "service/${ClusterName}/${Service.Name}"}
    for metric, value in (("CPU", 60), ("Memory", 70)):
        tracking = api[f"ScalingPolicy{metric}"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        assert tracking["TargetValue"] == value
        assert tracking["PredefinedMetricSpecification"]["PredefinedMetricType"] == (
            f"ECSServiceAverage{metric}Utilization"
        )
    assert "ScalingPolicyMemory" not in worker
    assert "ScalingPolicyRequests" not in api


def test_requests_are_those_of_the_target_group(layers: dict[str, Any]) -> None:
    asked = resources(layers["service.asked"])
    assert [name for name in asked if name.startswith("ScalingPolicy")] == ["ScalingPolicyRequests"]
    tracking = asked["ScalingPolicyRequests"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 600
    counted = tracking["PredefinedMetricSpecification"]
    assert counted["PredefinedMetricType"] == "ALBRequestCountPerTarget"
    text, given = counted["ResourceLabel"]["Fn::Sub"]
    assert text == "app/${Name}/${Id}/${Group}"
    assert given["Group"] == {"Fn::GetAtt": ["TargetGroupweb", "TargetGroupFullName"]}


def test_a_singleton_s_old_task_goes_first_and_all_others_stay(layers: dict[str, Any]) -> None:
    def percents(name: str) -> tuple[int, int]:
        given = layers[f"service.{name}"]["parameters"]
        return given["ServiceMinimumHealthyPercent"], given["ServiceMaximumPercent"]

    assert percents("beat") == (0, 100)
    assert percents("web") == (100, 200)
    for name in ("beat", "web"):
        service = resources(layers[f"service.{name}"])["Service"]["Properties"]
        assert service["DeploymentConfiguration"]["DeploymentCircuitBreaker"]["Rollback"] is True
        assert service["AvailabilityZoneRebalancing"] == "DISABLED"
        assert not {"ServiceName", "LaunchType"} & set(service)


def test_the_settings_of_services_reach_their_parameters(layers: dict[str, Any]) -> None:
    settings = {
        "service_grace_seconds": 5, "service_deregistration_seconds": 6, "service_wait_minutes": 2,
        "log_retention_days": 7,
    }  # fmt: skip
    other = made(ENTRIES | settings, TASKS)
    for name, seconds in (("service.api", (5, 6)), ("service.my-redis", (5, 6))):
        given = other[name]["parameters"]
        assert (given["ServiceGraceSeconds"], given["ServiceDeregistrationSeconds"]) == seconds
    given = layers["service.api"]["parameters"]
    assert (given["ServiceGraceSeconds"], given["ServiceDeregistrationSeconds"]) == (60, 30)
    assert [int(each["service.api"]["timeout"]) for each in (other, layers)] == [120, 900]
    for name in ("service.api", "job.migrate"):
        assert [each[name]["parameters"]["LogRetentionDays"] for each in (other, layers)] == [7, 30], name
    assert layers["service.my-redis"]["parameters"]["ServiceExposePort"] == 6379


def test_an_exposed_service_is_reached_from_its_own_host_too(layers: dict[str, Any]) -> None:
    found = resources(layers["service.my-redis"])
    attributes = {each["Key"]: each["Value"] for each in
                  found["ExposeTargetGroup"]["Properties"]["TargetGroupAttributes"]}  # fmt: skip
    assert attributes["preserve_client_ip.enabled"] == "false"
    assert found["ExposeTargetGroup"]["Properties"]["Protocol"] == "TCP"
    assert found["ExposeTargetGroup"]["Properties"]["Port"] == 80
    assert found["ExposeListener"]["Properties"]["Port"] == {"Ref": "ServiceExposePort"}
    assert found["Service"]["DependsOn"] == ["ExposeListener"]
    assert found["ExposeRecord"]["Properties"]["Name"] == {"Fn::Sub": "my-redis.${ExposeZoneName}"}
    rule = found["ExposeSecurityGroupInHost6379"]["Properties"]
    assert rule["SourceSecurityGroupId"] == {"Ref": "HostSecurityGroupId"}
    both = resources(layers["service.both"])["Service"]
    assert set(both["DependsOn"]) == {"ListenerRule49000", "ExposeListener"}
    assert len(both["Properties"]["LoadBalancers"]) == 2


def test_a_revision_is_kept_and_its_family_is_the_stack_s_own(layers: dict[str, Any]) -> None:
    for name in ("service.web", "job.migrate"):
        definition = resources(layers[name])["TaskDefinition"]
        assert definition["UpdateReplacePolicy"] == "Retain"
        assert definition["Properties"]["Family"] == {"Ref": "AWS::StackName"}
        assert definition["Properties"]["ContainerDefinitions"] == [CONTAINER]
        assert definition["Properties"]["Volumes"] == TASK["volumes"]
    assert FLOWERS in body(layers["service.web"])


def statements(layer: dict[str, Any], role: str) -> list[dict[str, Any]]:
    policies = resources(layer)[role]["Properties"].get("Policies", [])
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def test_roles_have_what_the_entry_needs_and_logs(layers: dict[str, Any]) -> None:
    for name in ("service.web", "job.migrate"):
        execution = statements(layers[name], "ExecutionRole")
        assert TASK["execution_statements"][0] in execution
        assert {"Fn::GetAtt": ["LogGroup", "Arn"]} in [each["Resource"] for each in execution]
        assert statements(layers[name], "TaskRole") == []
    for name in ("service.api", "job.nightly"):
        assert [each["Action"] for each in statements(layers[name], "TaskRole")] == ["s3:GetObject"]
    assert len(statements(layers["service.beat"], "ExecutionRole")) == 2


def test_a_schedule_may_run_its_job_and_nothing_else(layers: dict[str, Any]) -> None:
    found = resources(layers["job.nightly"])
    allowed = {each["Action"]: each for each in statements(layers["job.nightly"], "ScheduleRole")}
    assert set(allowed) == {"ecs:RunTask", "ecs:TagResource", "iam:PassRole", "sqs:SendMessage"}
    assert allowed["ecs:RunTask"]["Resource"]["Fn::Sub"].endswith(":task-definition/${AWS::StackName}:*")
    assert "ecs:cluster" in allowed["ecs:RunTask"]["Condition"]["ArnEquals"]
    assert allowed["iam:PassRole"]["Resource"] == [
        {"Fn::GetAtt": ["ExecutionRole", "Arn"]}, {"Fn::GetAtt": ["TaskRole", "Arn"]},
    ]  # fmt: skip
    schedule = found["Schedule"]["Properties"]
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["Target"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}}
    assert schedule["Target"]["EcsParameters"]["TaskDefinitionArn"] == {"Ref": "TaskDefinition"}
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == {"Ref": "JobRetries"}
    conditional = {name for name, each in found.items() if each.get("Condition") == "IsScheduled"}
    assert conditional == {"Schedule", "ScheduleRole", "DeadLetterQueue"}
    given = layers["job.nightly"]["parameters"]
    assert (given["JobSchedule"], given["JobZone"], given["JobRetries"]) == ("cron(0 3 * * ? *)", "Europe/Zurich", 2)
    assert layers["job.migrate"]["parameters"]["JobSchedule"] == ""


def test_the_shared_load_balancer_is_internal_and_knows_no_service() -> None:
    found = resources({"template": "expose.yml"})
    properties = found["LoadBalancer"]["Properties"]
    assert (properties["Type"], properties["Scheme"]) == ("network", "internal")
    assert properties["Subnets"] == {"Ref": "PrivateSubnetIds"}
    assert "Name" not in properties
    assert not [each for each in found.values() if each["Type"].endswith(("Listener", "TargetGroup", "RecordSet"))]
    assert found["Zone"]["Properties"]["VPCs"] == [{"VPCId": {"Ref": "VpcId"}, "VPCRegion": {"Ref": "AWS::Region"}}]
    rule = found["HostSecurityGroupInExpose"]["Properties"]
    assert (rule["FromPort"], rule["ToPort"]) == (32768, 60999)
