"""Modules that ask the account, against moto: what they find, and what they do not take for ours."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from plugins.modules import aws_account_info, leftovers, service_linked_role
from plugins.plugin_utils.aws_action import specification
from tests.unit.plugin_support import environment, playbook

pytestmark = pytest.mark.playbook

MODULES = Path(__file__).resolve().parents[2] / "plugins" / "modules"


@pytest.mark.parametrize("module", [aws_account_info, leftovers, service_linked_role])
def test_the_documentation_is_the_specification(module: Any) -> None:
    assert specification(module.DOCUMENTATION) == module.SPECIFICATION


@pytest.mark.parametrize("path", sorted(MODULES.glob("*.py")), ids=lambda path: path.stem)
def test_the_documentation_is_complete(path: Path) -> None:
    module = importlib.import_module(f"plugins.modules.{path.stem}")
    documented = yaml.safe_load(module.DOCUMENTATION)
    assert documented["module"] == path.stem
    assert all(option.get("description") for option in documented["options"].values())
    assert f"{path.stem}:" in module.EXAMPLES
    assert yaml.safe_load(module.EXAMPLES)
    assert yaml.safe_load(module.RETURN)


def ask(aws: Cloud, **wanted: Any) -> dict[str, Any]:
    params = {name: option.get("default") for name, option in aws_account_info.SPECIFICATION.items()} | wanted
    return aws_account_info.gather(SimpleNamespace(params=params, client=aws.client))


def test_the_account_tells_its_zones_and_its_ami(aws: Cloud) -> None:
    parameter = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    facts = ask(aws, instance_type="t2.micro", ami_parameter=parameter, ami_id="ami-00000000000000000")
    assert facts["account"] == "123456789012"
    assert facts["partition"] == "aws"
    assert facts["region"] == "us-east-1"
    zones = facts["availability_zones"]
    assert zones["suitable"]
    assert set(zones["suitable"]) <= set(zones["instance_type"]) <= set(zones["available"])
    assert facts["ami"]["id"].startswith("ami-")
    assert facts["ami_pinned"]["found"] is False


def test_an_instance_type_that_nobody_offers_leaves_no_zone(aws: Cloud) -> None:
    zones = ask(aws, instance_type="t2.gigantic")["availability_zones"]
    assert zones["available"]
    assert zones["suitable"] == zones["instance_type"] == []


class OfferedDatabases:
    """RDS that offers two versions of PostgreSQL in different zones."""

    def get_paginator(self, _: str) -> Any:
        options = [
            {"EngineVersion": "15.10", "AvailabilityZones": [{"Name": "us-east-1a"}]},
            {"EngineVersion": "16.1", "AvailabilityZones": [{"Name": "us-east-1b"}]},
        ]
        return SimpleNamespace(paginate=lambda **_: [{"OrderableDBInstanceOptions": options}])


@pytest.mark.parametrize(
    ("version", "zones"), [("15", ["us-east-1a"]), ("1", []), (None, ["us-east-1a", "us-east-1b"])]
)
def test_a_major_version_of_the_database_is_enough(aws: Cloud, version: str | None, zones: list[str]) -> None:
    found = aws_account_info.availability_zones(
        aws.client("ec2"), OfferedDatabases(), None, "db.t3.micro", "postgres", version
    )
    assert found["suitable"] == zones


def test_what_is_there_already_is_found_by_name(aws: Cloud) -> None:
    aws.client("s3").create_bucket(Bucket="legacy-static")
    aws.client("ecr").create_repository(repositoryName="legacy/django")
    aws.client("secretsmanager").create_secret(Name="legacy/database", SecretString="x")
    efs = aws.client("efs")
    mine = efs.create_file_system(CreationToken="1", Tags=[{"Key": "Name", "Value": "legacy-unit/media"}])
    efs.create_file_system(CreationToken="2", Tags=[{"Key": "Name", "Value": "legacy-other/media"}])
    facts = ask(
        aws,
        file_system_name="legacy-unit/media",
        buckets=["legacy-static", "legacy-none"],
        repositories=["legacy/django", "legacy/nginx"],
        secrets=["legacy/database", "legacy/other"],
        stacks=["legacy-none"],
    )
    assert [each["id"] for each in facts["file_systems"]] == [mine["FileSystemId"]]
    assert facts["buckets"] == {"legacy-static": "mine", "legacy-none": "absent"}
    assert facts["repositories"] == ["legacy/django"]
    assert facts["secrets"] == ["legacy/database"]
    assert facts["stacks"] == {}


def test_pins_are_read_from_the_stacks(aws: Cloud) -> None:
    body = (
        "Parameters: {Ami: {Type: String}}\n"
        "Resources: {Log: {Type: AWS::Logs::LogGroup}}\nOutputs: {LogName: {Value: !Ref Log}}"
    )
    cloudformation = aws.client("cloudformation")
    ami = [{"ParameterKey": "Ami", "ParameterValue": "ami-1"}]
    cloudformation.create_stack(StackName="legacy-cluster", TemplateBody=body, Parameters=ami)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="legacy-cluster", WaiterConfig={"Delay": 1})
    facts = ask(aws, stacks=["legacy-cluster"])["stacks"]["legacy-cluster"]
    assert facts["status"] == "CREATE_COMPLETE"
    assert facts["parameters"] == {"Ami": "ami-1"}
    assert set(facts["outputs"]) == {"LogName"}


# Leftovers

OWNER = leftovers.Owner("legacy-unit", {"Site": "legacy", "Environment": "unit"})
TAGS = [{"Key": "Site", "Value": "legacy"}, {"Key": "Environment", "Value": "unit"}]


@pytest.mark.parametrize(
    ("name", "tags", "owned"),
    [
        ("legacy-unit", None, True),
        ("legacy-unit-data", None, True),
        ("legacy-unit/django", None, True),
        ("legacy-united", None, False),
        ("my-legacy-unit", None, False),
        ("other", TAGS, True),
        ("other", {"Site": "legacy", "Environment": "unit"}, True),
        ("other", [{"key": "Site", "value": "legacy"}, {"key": "Environment", "value": "unit"}], True),
        ("other", [{"Key": "Site", "Value": "legacy"}, {"Key": "Environment", "Value": "prod"}], False),
        ("other", TAGS[:1], False),
    ],
)
def test_what_belongs_to_an_environment(name: str, tags: Any, owned: bool) -> None:
    assert OWNER.owns(name, tags) is owned


def test_no_tags_own_nothing() -> None:
    assert not leftovers.Owner("legacy-unit", {}).owns("other", TAGS)


def found(aws: Cloud) -> set[str]:
    return {each["type"] for each in leftovers.find(aws.client, OWNER)}


@pytest.fixture
def ecs_lists_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's ECS, which the embedded AWS does not use, cannot describe all capacity providers at once."""
    from moto.ecs.models import EC2ContainerServiceBackend

    original = EC2ContainerServiceBackend.describe_capacity_providers
    monkeypatch.setattr(
        EC2ContainerServiceBackend, "describe_capacity_providers", lambda self, names: original(self, names or [])
    )


@pytest.mark.usefixtures("ecs_lists_providers")
def test_an_empty_account_has_nothing_left(aws: Cloud) -> None:
    assert leftovers.find(aws.client, OWNER) == []


@pytest.mark.usefixtures("ecs_lists_providers")
def test_everything_that_is_left_is_found(aws: Cloud) -> None:
    ec2, elb, autoscaling = aws.client("ec2"), aws.client("elbv2"), aws.client("autoscaling")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/20", TagSpecifications=[{"ResourceType": "vpc", "Tags": TAGS}])["Vpc"][
        "VpcId"
    ]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="hosts", Description="x", VpcId=vpc)["GroupId"]
    ec2.create_volume(
        AvailabilityZone="us-east-1a", Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": TAGS}]
    )
    ec2.create_network_interface(SubnetId=subnets[0], Groups=[group])
    elb.create_load_balancer(Name="legacy-unit-alb", Subnets=subnets, SecurityGroups=[group])
    elb.create_target_group(Name="other-name", Protocol="HTTP", Port=80, VpcId=vpc, Tags=TAGS)
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="legacy-unit-lc", ImageId="ami-12345678", InstanceType="t2.micro"
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="legacy-unit-asg",
        LaunchConfigurationName="legacy-unit-lc",
        MinSize=0,
        MaxSize=1,
        VPCZoneIdentifier=subnets[0],
    )
    aws.client("ecs").create_cluster(clusterName="legacy-unit")
    aws.client("ecs").register_task_definition(
        family="legacy-unit", containerDefinitions=[{"name": "django", "image": "x", "memory": 64}]
    )
    aws.client("s3").create_bucket(Bucket="legacy-unit-static")
    aws.client("s3").create_bucket(Bucket="somebody-elses")
    aws.client("ecr").create_repository(repositoryName="legacy-unit/django")
    aws.client("efs").create_file_system(CreationToken="1", Tags=TAGS)
    aws.client("secretsmanager").create_secret(Name="legacy-unit/database", SecretString="x")
    aws.client("logs").create_log_group(logGroupName="/legacy/unit")
    aws.client("logs").create_log_group(logGroupName="/legacy/united")
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier="legacy-unit-db",
        Engine="postgres",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="site",
        MasterUserPassword="not-a-secret-1",
    )
    aws.client("rds").create_db_snapshot(DBInstanceIdentifier="legacy-unit-db", DBSnapshotIdentifier="last")
    names = {each["name"] for each in leftovers.find(aws.client, OWNER)}
    assert "somebody-elses" not in names
    assert "/legacy/united" not in names
    assert found(aws) == {
        "AWS::AutoScaling::AutoScalingGroup",
        "AWS::AutoScaling::LaunchConfiguration",
        "AWS::EC2::NetworkInterface",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::Subnet",
        "AWS::EC2::VPC",
        "AWS::EC2::Volume",
        "AWS::ECR::Repository",
        "AWS::ECS::Cluster",
        "AWS::ECS::TaskDefinition",
        "AWS::EFS::FileSystem",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBSnapshot",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    }


# Service-linked roles


def test_a_role_is_made_once(aws: Cloud) -> None:
    iam = aws.client("iam")
    assert service_linked_role.find(iam, "ecs.amazonaws.com") is None
    name = service_linked_role.create(iam, "ecs.amazonaws.com", 5)
    assert name.lower() == "awsserviceroleforecs"
    assert service_linked_role.find(iam, "ecs.amazonaws.com") == name
    assert service_linked_role.find(iam, "rds.amazonaws.com") is None


def test_a_role_that_does_not_appear_is_said() -> None:
    class Iam:
        def create_service_linked_role(self, **_: Any) -> None: ...

        def list_roles(self, **_: Any) -> dict[str, Any]:
            return {"Roles": []}

    with pytest.raises(TimeoutError, match=r"ecs\.amazonaws\.com was made, but is not there"):
        service_linked_role.create(Iam(), "ecs.amazonaws.com", 0)


@pytest.mark.usefixtures("ecs_lists_providers")
def test_the_modules_run_as_modules(aws: Cloud, tmp_path: Path) -> None:
    services: dict[str, Any] = {"service_linked_role": {"services": ["ecs.amazonaws.com", "rds.amazonaws.com"]}}
    tasks: list[dict[str, Any]] = [
        {"aws_account_info": {"instance_type": "t2.micro"}, "register": "account"},
        {"ansible.builtin.assert": {"that": ["account.account == '123456789012'"]}},
        services,
        {**services, "register": "again"},
        {"ansible.builtin.assert": {"that": ["again is not changed", "again.created == []"]}},
        {"leftovers": {"prefix": "legacy-unit", "tags": {"Site": "legacy"}}, "register": "left"},
        {"ansible.builtin.assert": {"that": ["left.found == []"]}},
    ]
    run = playbook(tmp_path, tasks, **environment(aws))
    assert run.code == 0, run.output
    assert "changed=1" in run.recap
