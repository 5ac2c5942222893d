"""Services and jobs deployed by our CloudFormation: side by side, again, changed, gone; what they share stays."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.cloudformation.handlers.ecs import Service
from local_aws.tests.stack_support import Stacks
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.aws_action import Progress
from tests.unit.cloudformation.test_noun_service_templates import CONTAINER, ROUTE
from tests.unit.noun_support import TASKS, Deployed, made
from tests.unit.plugin_support import run_action, talk_to

CLUSTER = """
Parameters: {SubnetIds: {Type: "List<AWS::EC2::Subnet::Id>"}}
Resources:
  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: shop-unit}}
  Alb: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: !Ref SubnetIds}}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Alb
      Protocol: HTTP
      Port: 80
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "503"}}]
Outputs:
  ClusterName: {Value: !Ref Cluster}
  CapacityProviderName: {Value: hosts}
  HttpsListenerArn: {Value: !Ref Listener}
"""
"""What stands for the layer cluster."""
BARE = {key: value for key, value in CONTAINER.items() if key not in ("Secrets", "MountPoints")}
TASK: dict[str, Any] = {"containers": [BARE]}
EXPOSED = {"expose": {"container": "web", "container_port": 80, "port": 6379}}
ENTRIES: dict[str, Any] = {
    "service": {
        "web": {**TASK, "routes": [{**ROUTE, "priority": 20}, {**ROUTE, "paths": ["/a/*"], "priority": 10}]},
        "api": {
            **TASK,
            "routes": [{**ROUTE, "paths": ["/api/*"], "priority": 5}],
            "scale": {"min": 1, "max": 3, "cpu": 60},
        },
        "worker": {**TASK, "stop_first": True},
        "redis": {**TASK, **EXPOSED},
        "cms": {**TASK, "expose": {**EXPOSED["expose"], "port": 8080}},
    },
    "job": {
        "migrate": TASK,
        "nightly": {**TASK, "schedule": "cron(0 3 * * ? *)", "zone": "Europe/Zurich"},
    },
}  # fmt: skip


def without_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No task ever starts here, so no service waits for its own, and there is nothing to watch."""
    monkeypatch.setattr(Service, "_wait_for_deployment", lambda *_: None)
    monkeypatch.setattr(cloudformation_stacks, "WATCHERS", {})


@pytest.fixture(scope="module")
def layers() -> dict[str, dict[str, Any]]:
    return made(ENTRIES, TASKS)


@pytest.fixture
def site(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    talk_to(aws, monkeypatch)
    without_hosts(monkeypatch)
    deployed = Deployed(aws, stacks)
    stacks.made("shop-unit-cluster", CLUSTER, {"SubnetIds": deployed.outputs["PrivateSubnetIds"]})
    deployed.outputs |= stacks.outputs("shop-unit-cluster")
    return deployed


def shared(site: Deployed) -> None:
    """Bring up the layer expose."""
    layer = {"stack": "expose", "template": "expose.yml", "parameters": {"SiteName": "shop", "EnvironmentName": "unit"}}
    site.create("expose", layer)
    site.outputs |= site.stacks.outputs("shop-unit-expose")


def changed(layer: dict[str, Any], **old_and_new: tuple[str, str]) -> dict[str, Any]:
    """The layer with another body."""
    found = copy.deepcopy(layer)
    for old, new in old_and_new.values():
        assert old in found["template_body"]
        found["template_body"] = found["template_body"].replace(old, new)
    return found


def rules(site: Deployed) -> dict[str, list[str]]:
    """Priority → paths of the load balancer's rules."""
    found = site.aws.client("elbv2").describe_rules(ListenerArn=site.outputs["HttpsListenerArn"])["Rules"]
    return {
        rule["Priority"]: [value for each in rule["Conditions"] for value in each["PathPatternConfig"]["Values"]]
        for rule in found
        if rule["Priority"] != "default"
    }


def test_services_stand_side_by_side_and_go_alone(site: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    web, api, worker = (f"service.{name}" for name in ("web", "api", "worker"))
    for name in (web, api, worker):
        site.create(name, layers[name])
    assert rules(site) == {"5": ["/api/*"], "10": ["/a/*"], "20": ["/*"]}
    for name in (web, api, worker):
        again = site.run(name, layers[name])
        assert not again["changed"], again
    site.delete(layers[api])

    assert rules(site) == {"10": ["/a/*"], "20": ["/*"]}
    assert not site.run(web, layers[web])["changed"]
    groups = [each["logGroupName"] for each in site.aws.client("logs").describe_log_groups()["logGroups"]]
    assert sorted(groups) == ["/shop/unit/service/web", "/shop/unit/service/worker"]


def test_two_routes_that_change_places_do_not_meet(site: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    layer = layers["service.web"]
    before = site.create("service.web", layer)
    site.create("service.web", changed(layer, a=('["/*"]', '["-"]'), b=('["/a/*"]', '["/*"]'), c=('["-"]', '["/a/*"]')))
    assert rules(site) == {"10": ["/*"], "20": ["/a/*"]}
    after = site.stacks.physical("shop-unit-service-web")
    assert after["ListenerRule10"] == before["ListenerRule10"]


def test_another_release_is_another_revision_and_the_old_one_is_kept(
    site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    layer = layers["service.worker"]
    first = site.create("service.worker", layer)["TaskDefinition"]
    second = site.create("service.worker", changed(layer, image=("shop/web:1", "shop/web:2")))["TaskDefinition"]
    assert [each.split("/")[-1] for each in (first, second)] == [
        "shop-unit-service-worker:1",
        "shop-unit-service-worker:2",
    ]
    old = site.aws.client("ecs").describe_task_definition(taskDefinition=first)["taskDefinition"]
    assert old["status"] == "ACTIVE"
    assert old["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-group"] == "/shop/unit/service/worker"


def test_autoscaling_aims_at_the_service_of_the_entry(site: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    site.create("service.api", layers["service.api"])
    scaling = site.aws.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert target["ResourceId"] == f"service/shop-unit/{site.outputs['service.api.ServiceName']}"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    site.delete(layers["service.api"])
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []


def test_exposed_services_come_and_go_without_touching_each_other(
    site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    shared(site)
    before = site.stacks.physical("shop-unit-expose")
    for name in ("service.redis", "service.cms"):
        site.create(name, layers[name])
        assert not site.run(name, layers[name])["changed"]
    elb, route53 = site.aws.client("elbv2"), site.aws.client("route53")
    balancer = site.outputs["ExposeLoadBalancerArn"]

    def ports() -> list[int]:
        return sorted(each["Port"] for each in elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"])

    def names() -> list[str]:
        records = route53.list_resource_record_sets(HostedZoneId=site.outputs["ExposeZoneId"])["ResourceRecordSets"]
        return sorted(each["Name"] for each in records if each["Type"] == "A")

    assert ports() == [6379, 8080]
    assert names() == ["cms.shop-unit.internal.", "redis.shop-unit.internal."]
    group = site.aws.client("ec2").describe_security_groups(GroupIds=[site.outputs["ExposeSecurityGroupId"]])
    assert sorted(rule["FromPort"] for rule in group["SecurityGroups"][0]["IpPermissions"]) == [6379, 8080]

    site.delete(layers["service.redis"])

    assert (ports(), names()) == ([8080], ["cms.shop-unit.internal."])
    assert site.stacks.physical("shop-unit-expose") == before
    assert not site.run("service.cms", layers["service.cms"])["changed"]


def said(site: Deployed, layers: dict[str, dict[str, Any]], check: bool) -> list[str]:
    """The lines of a call that deploys these layers, or plans it."""
    lines: list[str] = []
    arguments = {"prefix": "shop-unit", "stacks": layers, "outputs": site.outputs}
    progress = Progress(lambda text, **_: lines.append(text))
    result = run_action(cloudformation_stacks, arguments, check, make_progress=lambda: progress)
    assert not result.get("failed"), result["msg"]
    return lines


def test_a_route_that_comes_to_an_empty_target_group_is_told_before_it_does(site: Deployed) -> None:
    both = {"containers": [BARE, {**BARE, "Name": "app"}]}
    before, after = (
        made({"service": {"web": {**both, "routes": [{**ROUTE, "to": to}]}}}, ("service",)) for to in ("web", "app")
    )
    site.create("service.web", before["service.web"])
    for check in (True, False):
        lines = said(site, after, check)
        (told,) = (number for number, line in enumerate(lines) if "may answer 503" in line)
        assert "service.web    the route /* leads from web:80 to app:80, and may answer 503" in lines[told]
        assert told < next(number for number, line in enumerate(lines) if line.endswith("changed"))
    assert not any("503" in line for line in said(site, after, check=False))


def test_a_job_is_a_task_definition_of_its_own(site: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    site.create("job.migrate", layers["job.migrate"])
    assert not site.run("job.migrate", layers["job.migrate"])["changed"]
    assert site.outputs["job.migrate.TaskDefinitionArn"].endswith("task-definition/shop-unit-job-migrate:1")
    assert site.outputs["job.migrate.LogGroupName"] == "/shop/unit/job/migrate"
    assert "job.migrate.ScheduleName" not in site.outputs
    site.delete(layers["job.migrate"])
    assert site.aws.client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"] == []


def test_a_schedule_runs_the_job_s_newest_revision(site: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    layer = layers["job.nightly"]
    site.create("job.nightly", layer)
    assert not site.run("job.nightly", layer)["changed"]
    site.create("job.nightly", changed(layer, image=("shop/web:1", "shop/web:2")))
    found = site.aws.client("scheduler").get_schedule(Name=site.outputs["job.nightly.ScheduleName"])
    assert (found["ScheduleExpression"], found["ScheduleExpressionTimezone"]) == ("cron(0 3 * * ? *)", "Europe/Zurich")
    assert found["Target"]["EcsParameters"]["TaskDefinitionArn"].endswith(":task-definition/shop-unit-job-nightly:2")
    assert found["Target"]["DeadLetterConfig"]["Arn"] == site.outputs["job.nightly.DeadLetterQueueArn"]
    site.delete(layer)
    assert site.aws.client("scheduler").list_schedules()["Schedules"] == []


@pytest.mark.parametrize("name", ["service.web", "service.worker", "job.migrate"])
def test_a_first_create_that_is_rolled_back_leaves_nothing_behind(
    site: Deployed, layers: dict[str, dict[str, Any]], name: str
) -> None:
    layer = layers[name]
    everything = ", ".join(site.template(layer).resources)
    bad = (
        "  Bad: {Type: AWS::EC2::Subnet, Properties: {VpcId: vpc-none, CidrBlock: 10.0.0.0/24}, "
        f"DependsOn: [{everything}]}}\n"
    )
    broken = layer["template_body"].replace("\nResources:\n", f"\nResources:\n{bad}", 1)
    stack = site.stacks.create(site.name(layer), broken, site.parameters(layer), Capabilities=["CAPABILITY_IAM"])
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    left = site.stacks.api.describe_stack_resources(StackName=site.name(layer))["StackResources"]
    assert [each for each in left if each["ResourceStatus"] != "DELETE_COMPLETE"] == []
    assert rules(site) == {}
