"""Where the embedded AWS mends moto: each patch, seen through the API."""

from __future__ import annotations

import base64
import http.server
import importlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import moto
import pytest
import requests
from botocore.exceptions import ClientError
from moto.s3.models import S3Backend

from local_aws import patches
from local_aws.cloud import Cloud
from local_aws.config import REGION
from local_aws.patches import _models, _moto, applicationautoscaling, ecr, elbv2, rds, route53, scaling_policies
from local_aws.patches import autoscaling as autoscaling_patch
from local_aws.tests.stack_support import refused
from local_aws.tests.watched_support import Watched

IMAGE = "ami-0123456789abcdef0"


@pytest.fixture
def network(aws: Cloud) -> dict[str, str]:
    """A VPC with two subnets."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
    subnets = {
        zone: ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for number, zone in enumerate("ab")
    }
    return {"vpc": vpc, **subnets}


def launch_configuration(aws: Cloud, name: str = "hosts", **more: Any) -> None:
    aws.client("autoscaling").create_launch_configuration(
        LaunchConfigurationName=name, ImageId=IMAGE, InstanceType="t2.micro", **more
    )


def group(aws: Cloud, network: dict[str, str], size: int = 1, **more: Any) -> dict[str, Any]:
    """Make a group of that size and describe it."""
    aws.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="hosts",
        MinSize=size,
        MaxSize=4,
        VPCZoneIdentifier=f"{network['a']},{network['b']}",
        **({"LaunchConfigurationName": "hosts"} | more),
    )
    return described(aws)


def described(aws: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]
    return found


def test_another_moto_is_refused_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moto, "__version__", "6.0.0")

    with pytest.raises(ImportError, match=r"moto 6\.0\.0 is installed.*pip install 'moto\[server\]==5\.2\.5'"):
        importlib.reload(patches)


def test_a_patch_of_what_moto_lost_fails_at_once() -> None:
    class Lost:
        def there(self) -> None: ...

    with pytest.raises(AttributeError):
        _moto.around(Lost, "gone")
    with pytest.raises(AttributeError, match="drop the patch"):
        _moto.missing(Lost, "there")


# errors


def test_an_action_that_moto_lacks_is_an_aws_error(aws: Cloud) -> None:
    with refused("StartInstanceRefresh of autoscaling is not in the embedded AWS", "NotImplemented"):
        aws.client("autoscaling").start_instance_refresh(AutoScalingGroupName="x")
    with refused("is not in the embedded AWS", "NotImplemented"):
        aws.client("efs").create_replication_configuration(SourceFileSystemId="fs-1", Destinations=[{}])


# autoscaling


def test_instances_spread_over_the_subnets_also_when_one_is_replaced(aws: Cloud, network: dict[str, str]) -> None:
    launch_configuration(aws)
    zones = [item["AvailabilityZone"] for item in group(aws, network, 4)["Instances"]]
    assert sorted(zones) == ["us-east-1a", "us-east-1a", "us-east-1b", "us-east-1b"]

    lost = [item for item in described(aws)["Instances"] if item["AvailabilityZone"] == "us-east-1b"]
    aws.client("ec2").terminate_instances(InstanceIds=[item["InstanceId"] for item in lost])

    assert sorted(item["AvailabilityZone"] for item in described(aws)["Instances"]) == sorted(zones)


def test_a_launch_that_fails_is_an_activity_of_the_group_and_is_tried_again(
    aws: Cloud, network: dict[str, str]
) -> None:
    launch_configuration(aws, IamInstanceProfile="missing")
    assert group(aws, network)["Instances"] == []

    activity = aws.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="hosts")["Activities"][0]
    assert activity["StatusCode"] == "Failed"
    assert "missing" in activity["StatusMessage"]

    aws.client("iam").create_instance_profile(InstanceProfileName="missing")
    autoscaling_patch.retry(aws.changes.happening)

    assert len(described(aws)["Instances"]) == 1
    newest = aws.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="hosts")["Activities"][0]
    assert newest["StatusCode"] == "Successful"


def test_activities_tell_of_terminations(aws: Cloud, network: dict[str, str]) -> None:
    launch_configuration(aws)
    first = group(aws, network)["Instances"][0]["InstanceId"]

    aws.client("ec2").terminate_instances(InstanceIds=[first])

    activities = aws.client("autoscaling").describe_scaling_activities()["Activities"]
    descriptions = [activity["Description"] for activity in activities]
    assert f"Terminating EC2 instance: {first}" in descriptions
    assert len(descriptions) == 3, "launched, terminated, replaced"


def test_a_desired_capacity_out_of_bounds_is_refused(aws: Cloud, network: dict[str, str]) -> None:
    launch_configuration(aws)
    group(aws, network)

    with refused("Desired capacity:9 must be between the specified min size:1 and max size:4"):
        aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName="hosts", DesiredCapacity=9)


def terminate(aws: Cloud, instance: str, decrement: bool) -> None:
    aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=decrement
    )


def lives(aws: Cloud) -> dict[str, str]:
    """Instances of the group → their lifecycle states."""
    return {each["InstanceId"]: each["LifecycleState"] for each in described(aws)["Instances"]}


def test_an_instance_is_terminated_with_or_without_another_in_its_place(aws: Cloud, network: dict[str, str]) -> None:
    launch_configuration(aws)
    group(aws, network, 1, DesiredCapacity=2)
    first, second = lives(aws)
    terminate(aws, first, decrement=False)
    assert described(aws)["DesiredCapacity"] == 2
    assert len(lives(aws)) == 2
    assert first not in lives(aws)
    terminate(aws, second, decrement=True)
    (last,) = lives(aws)
    assert described(aws)["DesiredCapacity"] == 1
    with refused("Currently, desiredSize equals minSize (1). Terminating instance without replacement will violate"):
        terminate(aws, last, decrement=True)
    with refused(f"Instance Id not found - No managed instance found for instance ID {first}"):
        terminate(aws, first, decrement=False)
    assert list(lives(aws)) == [last]


def test_an_instance_that_is_held_waits_until_it_may_go(
    aws: Cloud, network: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    launch_configuration(aws)
    group(aws, network, 1, DesiredCapacity=2)
    first, second = lives(aws)
    monkeypatch.setattr(autoscaling_patch, "holds", [lambda region, instance: (region, instance) == (REGION, first)])
    terminate(aws, first, decrement=False)
    assert (lives(aws)[first], len(lives(aws))) == ("Terminating:Wait", 3), "another comes at once"
    assert autoscaling_patch.waiting() == [(REGION, first)]
    with refused("Activities are in progress", "ScalingActivityInProgress"):
        terminate(aws, first, decrement=False)
    autoscaling_patch.complete(REGION, second)
    assert second in lives(aws), "it does not wait"
    autoscaling_patch.complete(REGION, first)
    assert first not in lives(aws)
    assert len(lives(aws)) == 2


def test_of_too_many_instances_the_held_ones_wait_and_the_oldest_source_goes_first(
    aws: Cloud, network: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    launch_configuration(aws)
    launch_configuration(aws, "newer")
    api = aws.client("autoscaling")
    group(aws, network, 1, DesiredCapacity=2)
    old = set(lives(aws))
    api.update_auto_scaling_group(AutoScalingGroupName="hosts", LaunchConfigurationName="newer", DesiredCapacity=4)
    assert len(lives(aws)) == 4
    monkeypatch.setattr(autoscaling_patch, "holds", [lambda _region, _instance: True])
    api.update_auto_scaling_group(AutoScalingGroupName="hosts", DesiredCapacity=2)
    assert {name for name, state in lives(aws).items() if state == "Terminating:Wait"} == old
    assert len(lives(aws)) == 4
    for name in old:
        autoscaling_patch.complete(REGION, name)
    assert len(lives(aws)) == 2
    assert {each["AvailabilityZone"] for each in described(aws)["Instances"]} == {"us-east-1a", "us-east-1b"}
    monkeypatch.setattr(autoscaling_patch, "holds", [])
    api.set_desired_capacity(AutoScalingGroupName="hosts", DesiredCapacity=1)
    assert len(lives(aws)) == 1


def test_metrics_collection_is_switched_on_and_off(aws: Cloud, network: dict[str, str]) -> None:
    api = aws.client("autoscaling")
    launch_configuration(aws)
    group(aws, network)

    api.enable_metrics_collection(AutoScalingGroupName="hosts", Granularity="1Minute", Metrics=["GroupMinSize"])
    assert [item["Metric"] for item in described(aws)["EnabledMetrics"]] == ["GroupMinSize"]
    api.disable_metrics_collection(AutoScalingGroupName="hosts")
    assert described(aws)["EnabledMetrics"] == []


def test_a_new_account_cannot_create_launch_configurations(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoscaling_patch, "refuse_launch_configurations", True)

    with refused("is not available in your account", "UnsupportedOperationException"):
        launch_configuration(aws)


def test_a_launch_configuration_in_use_stays(aws: Cloud, network: dict[str, str]) -> None:
    launch_configuration(aws)
    group(aws, network)

    with refused("attached to AutoScalingGroup hosts", "ResourceInUse"):
        aws.client("autoscaling").delete_launch_configuration(LaunchConfigurationName="hosts")
    with refused("A launch configuration hosts exists", "AlreadyExists"):
        launch_configuration(aws)


@pytest.mark.parametrize("size", [16384, 16385])
def test_user_data_has_a_limit(aws: Cloud, size: int) -> None:
    text = "x" * size
    data = {"ImageId": IMAGE, "UserData": base64.b64encode(text.encode()).decode()}
    ec2 = aws.client("ec2")
    calls: list[Callable[[], Any]] = [
        lambda: launch_configuration(aws, UserData=text),
        lambda: ec2.create_launch_template(LaunchTemplateName="hosts", LaunchTemplateData=data),
        lambda: ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, UserData=text),
    ]
    for call in calls:
        if size == 16384:
            call()
        else:
            with pytest.raises(aws.client("sts").exceptions.ClientError, match="User data is limited to 16384 bytes"):
                call()


# ec2


def test_a_launch_template_made_twice_alike_is_alike(aws: Cloud) -> None:
    ec2 = aws.client("ec2")
    data = {"ImageId": IMAGE, "UserData": base64.b64encode(b"#!").decode()}
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}]
    ec2.create_launch_template(LaunchTemplateName="hosts", LaunchTemplateData=data, TagSpecifications=tags)
    ec2.create_launch_template_version(LaunchTemplateName="hosts", LaunchTemplateData=data)

    versions = ec2.describe_launch_template_versions(LaunchTemplateName="hosts")["LaunchTemplateVersions"]
    assert [version["LaunchTemplateData"] for version in versions] == [data, data]


def test_instance_types_differ_by_zone(aws: Cloud) -> None:
    offers: dict[str, set[str]] = {}
    for name in ("t2.micro", "t3.micro"):
        answer = aws.client("ec2").describe_instance_type_offerings(
            LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [name]}]
        )
        offers[name] = {item["Location"] for item in answer["InstanceTypeOfferings"]}

    assert offers["t2.micro"] - offers["t3.micro"] == {"us-east-1e"}
    assert "us-east-1a" in offers["t3.micro"]


def test_offerings_are_read_for_the_region_that_is_asked(aws: Cloud) -> None:
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

    offerings = INSTANCE_TYPE_OFFERINGS["region"]
    offerings.clear()

    found = aws.client("ec2", "eu-west-1").describe_instance_type_offerings()["InstanceTypeOfferings"]

    assert {"InstanceType": "t3.micro", "Location": "eu-west-1", "LocationType": "region"} in found
    assert list(offerings) == ["eu-west-1"]
    assert offerings.get("moon-1", []) == []


# The server and its models


def test_the_service_of_a_host_is_looked_up_once(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.client("sns").list_topics()
    monkeypatch.setattr("moto.backends.list_of_moto_modules", lambda: pytest.fail("listed again"))
    assert aws.client("sns").list_topics()["Topics"] == []


def test_sessions_share_models_without_documentation() -> None:
    models = [boto3.Session().client("sns", "us-east-1").meta.service_model for _ in range(2)]
    documents = [model._service_description for model in models]
    assert documents[0]["operations"] is documents[1]["operations"]
    assert type(documents[0]["operations"]) is dict
    assert documents[0]["documentation"] == models[0].operation_model("Publish").documentation == ""


def test_a_member_that_is_called_documentation_stays() -> None:
    model = boto3.Session().client("apigateway", "us-east-1").meta.service_model
    assert "properties" in model.operation_model("CreateDocumentationPart").input_shape.members
    assert _models._undocumented([("documentation", {"shape": "String"})]) == {"documentation": {"shape": "String"}}


# elbv2


@pytest.fixture
def target_group(aws: Cloud, network: dict[str, str]) -> Iterator[str]:
    made = aws.client("elbv2").create_target_group(Name="t", Protocol="HTTP", Port=80, VpcId=network["vpc"])
    yield made["TargetGroups"][0]["TargetGroupArn"]
    elbv2.target_health.clear()


def health(aws: Cloud, arn: str) -> dict[tuple[str, int], str]:
    found = aws.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return {(item["Target"]["Id"], item["Target"]["Port"]): item["TargetHealth"]["State"] for item in found}


def test_two_tasks_of_one_host_are_two_targets(aws: Cloud, target_group: str) -> None:
    elb = aws.client("elbv2")
    run = aws.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)
    host = run["Instances"][0]["InstanceId"]
    targets = [{"Id": host, "Port": port} for port in (32768, 32769)]
    elb.register_targets(TargetGroupArn=target_group, Targets=targets)
    assert set(health(aws, target_group)) == {(host, 32768), (host, 32769)}

    elb.deregister_targets(TargetGroupArn=target_group, Targets=targets[:1])
    assert set(health(aws, target_group)) == {(host, 32769)}

    aws.client("ec2").terminate_instances(InstanceIds=[host])
    assert health(aws, target_group) == {}


def test_target_health_is_what_the_load_balancer_measured(
    aws: Cloud, target_group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elb = aws.client("elbv2")
    host = aws.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    elb.register_targets(TargetGroupArn=target_group, Targets=[{"Id": host, "Port": 32768}])

    monkeypatch.setattr(elbv2, "measured", True)
    assert health(aws, target_group) == {(host, 32768): "initial"}
    elbv2.target_health[target_group] = {(host, 32768): ("unhealthy", "Target.Timeout", "Request timed out")}
    found = elb.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"][0]["TargetHealth"]
    assert found == {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}


# rds


def create_database(aws: Cloud, name: str = "db", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        **({"Engine": "postgres", "MasterUsername": "shop", "MasterUserPassword": "p" * 9} | more),
    )["DBInstance"]
    return found


def test_a_major_version_is_its_newest_minor(aws: Cloud) -> None:
    api = aws.client("rds")
    versions = [
        item["EngineVersion"] for item in api.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
    ]
    newest = [version for version in versions if version.startswith("15.")][-1]
    assert {"15.4", "16.3"} < set(versions)

    assert create_database(aws, EngineVersion="15")["EngineVersion"] == newest
    assert create_database(aws, "exact", EngineVersion="15.4")["EngineVersion"] == "15.4"
    with refused("Cannot find version 15.99 for postgres", "InvalidParameterCombination"):
        create_database(aws, "none", EngineVersion="15.99")


def test_a_database_comes_up_when_the_real_one_does(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rds, "initial_status", "creating")
    assert create_database(aws)["DBInstanceStatus"] == "creating"

    rds.set_status(aws, "db", "available")

    assert aws.client("rds").describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available"
    assert rds.master_password(aws, "db") == "p" * 9


def test_no_snapshot_is_made_of_a_database_that_is_at_work(aws: Cloud) -> None:
    create_database(aws)
    rds.set_status(aws, "db", "modifying")
    with refused("is modifying", "InvalidDBInstanceState"):
        aws.client("rds").create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="kept")
    rds.set_status(aws, "db", "available")
    aws.client("rds").create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="kept")


def upgraded(aws: Cloud, version: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("rds").modify_db_instance(
        DBInstanceIdentifier="db", EngineVersion=version, ApplyImmediately=True, **more
    )["DBInstance"]
    return found


def test_an_engine_is_upgraded_as_rds_lets_it(aws: Cloud) -> None:
    create_database(aws, EngineVersion="15.4")
    with refused("The AllowMajorVersionUpgrade flag must be present", "InvalidParameterCombination"):
        upgraded(aws, "16.4")
    newest = upgraded(aws, "15")["EngineVersion"]
    assert newest == rds.resolve_version("postgres", "15"), "a minor one needs no flag"
    assert upgraded(aws, "15")["EngineVersion"] == newest, "as CloudFormation says it after somebody has upgraded"
    assert upgraded(aws, newest)["EngineVersion"] == newest
    with refused(f"Cannot upgrade postgres from {newest} to 15.4", "InvalidParameterCombination"):
        upgraded(aws, "15.4")
    raised = upgraded(aws, "16.4", AllowMajorVersionUpgrade=True)
    assert (raised["EngineVersion"], raised["DBInstanceStatus"]) == ("16.4", "available")
    (group,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier="db")["DBInstances"][0]["DBParameterGroups"]
    assert group["DBParameterGroupName"] == "default.postgres16", "RDS's own changes along"
    with refused("Cannot upgrade postgres from 16.4 to 15.", "InvalidParameterCombination"):
        upgraded(aws, "15", AllowMajorVersionUpgrade=True)


def test_what_a_version_can_be_upgraded_to_is_told(aws: Cloud) -> None:
    (found,) = aws.client("rds").describe_db_engine_versions(Engine="postgres", EngineVersion="15.4")[
        "DBEngineVersions"
    ]
    targets = {each["EngineVersion"]: each["IsMajorVersionUpgrade"] for each in found["ValidUpgradeTarget"]}
    assert not {"15.4", "15.3", "14.20"} & targets.keys()
    assert (targets["15.12"], targets["16.4"]) == (False, True)


def test_an_engine_is_upgraded_when_the_real_one_is(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    create_database(aws, EngineVersion="15.4")
    monkeypatch.setattr(rds, "upgrade_status", "upgrading")
    assert rds.upgrading_to(aws, "db") == ""
    raised = upgraded(aws, "16.4", AllowMajorVersionUpgrade=True)
    assert (raised["EngineVersion"], raised["DBInstanceStatus"]) == ("15.4", "upgrading")
    assert rds.upgrading_to(aws, "db") == "16.4"
    with refused("is upgrading", "InvalidDBInstanceState"):
        upgraded(aws, "16.10", AllowMajorVersionUpgrade=True)

    rds.upgraded(aws, "db")

    assert aws.client("rds").describe_db_instances()["DBInstances"][0]["EngineVersion"] == "16.4"
    assert rds.upgrading_to(aws, "db") == ""


def test_the_authority_of_a_servers_certificate_is_one_of_rds_and_changes_while_it_runs(aws: Cloud) -> None:
    api = aws.client("rds")
    known = api.describe_certificates()
    assert known["DefaultCertificateForNewLaunches"] == "rds-ca-rsa2048-g1"
    assert {each["CertificateIdentifier"] for each in known["Certificates"]} == set(rds.AUTHORITIES)
    assert create_database(aws)["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"
    assert create_database(aws, "other", CACertificateIdentifier="rds-ca-ecc384-g1")["CACertificateIdentifier"] == (
        "rds-ca-ecc384-g1"
    )

    changed = api.modify_db_instance(
        DBInstanceIdentifier="db", CACertificateIdentifier="rds-ca-rsa4096-g1", CertificateRotationRestart=False
    )["DBInstance"]

    assert changed["DBInstanceStatus"] == "available"
    (found,) = api.describe_db_instances(DBInstanceIdentifier="db")["DBInstances"]
    assert found["CertificateDetails"]["CAIdentifier"] == found["CACertificateIdentifier"] == "rds-ca-rsa4096-g1"
    assert found["CertificateDetails"]["ValidTill"].year in (found["InstanceCreateTime"].year + n for n in (0, 1))
    for wrong in (
        lambda: create_database(aws, "none", CACertificateIdentifier="rds-ca-2019"),
        lambda: api.modify_db_instance(DBInstanceIdentifier="db", CACertificateIdentifier="rds-ca-2019"),
        lambda: api.describe_certificates(CertificateIdentifier="rds-ca-2019"),
    ):
        with refused("Certificate not found: rds-ca-2019", "CertificateNotFound"):
            wrong()


def test_nothing_waits_for_a_maintenance_window(aws: Cloud) -> None:
    assert aws.client("rds").describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []


def test_there_is_no_backup_of_a_file_system(aws: Cloud) -> None:
    arn = aws.client("efs").create_file_system(CreationToken="one")["FileSystemArn"]
    pages = aws.client("backup").get_paginator("list_recovery_points_by_resource").paginate(ResourceArn=arn)
    assert [each for page in pages for each in page["RecoveryPoints"]] == []


def test_databases_have_resource_ids_of_their_own(aws: Cloud) -> None:
    assert create_database(aws, "a")["DbiResourceId"] != create_database(aws, "b")["DbiResourceId"]


def test_orderable_options_know_instance_classes(aws: Cloud) -> None:
    api = aws.client("rds")
    options = api.describe_orderable_db_instance_options(Engine="postgres", DBInstanceClass="db.t3.micro")
    offered = options["OrderableDBInstanceOptions"]
    assert {item["DBInstanceClass"] for item in offered} == {"db.t3.micro"}
    versions = {item["EngineVersion"] for item in offered}
    assert {"13.4", "15.12", "17.4"} <= versions
    assert not [version for version in versions if "." not in version or version.startswith(("9.", "12."))]
    assert "us-east-1a" in [zone["Name"] for zone in offered[0]["AvailabilityZones"]]
    options = api.describe_orderable_db_instance_options(Engine="postgres", DBInstanceClass="db.t2.nano")
    assert options["OrderableDBInstanceOptions"] == []
    options = api.describe_orderable_db_instance_options(
        Engine="postgres", DBInstanceClass="db.m4.large", EngineVersion="15.4"
    )
    assert options["OrderableDBInstanceOptions"] == []


def test_storage_never_becomes_smaller(aws: Cloud) -> None:
    create_database(aws, AllocatedStorage=26)
    with refused("less than the present 26 GiB", "InvalidParameterCombination"):
        aws.client("rds").modify_db_instance(DBInstanceIdentifier="db", AllocatedStorage=20)
    aws.client("rds").modify_db_instance(DBInstanceIdentifier="db", AllocatedStorage=30)
    assert aws.client("rds").describe_db_instances()["DBInstances"][0]["AllocatedStorage"] == 30


def test_an_unknown_parameter_group_is_an_error(aws: Cloud) -> None:
    with refused("", "DBParameterGroupNotFound"):
        aws.client("rds").describe_db_parameter_groups(DBParameterGroupName="gone")


def test_an_instance_of_a_snapshot_has_what_is_asked_for_and_else_rds_s_own(aws: Cloud) -> None:
    create_database(aws)
    api = aws.client("rds")
    api.modify_db_instance(DBInstanceIdentifier="db", DeletionProtection=True, MultiAZ=True, ApplyImmediately=True)
    api.create_db_snapshot(
        DBInstanceIdentifier="db", DBSnapshotIdentifier="before", Tags=[{"Key": "of", "Value": "then"}]
    )
    group = aws.client("ec2").create_security_group(GroupName="beside", Description="x")["GroupId"]
    api.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="new", DBSnapshotIdentifier="before", DBInstanceClass="db.t3.small",
        VpcSecurityGroupIds=[group], Port=5433, Tags=[{"Key": "for", "Value": "now"}],
    )  # fmt: skip
    api.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="plain", DBSnapshotIdentifier="before")
    old, new, plain = (
        api.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0] for name in ("db", "new", "plain")
    )
    assert (new["DBInstanceClass"], new["Endpoint"]["Port"]) == ("db.t3.small", 5433)
    assert [each["VpcSecurityGroupId"] for each in new["VpcSecurityGroups"]] == [group]
    assert [each["Key"] for each in new["TagList"]] == ["for"]
    assert [each["Key"] for each in plain["TagList"]] == ["of"]
    for found in (new, plain):
        assert (found["DeletionProtection"], found["MultiAZ"], found["PubliclyAccessible"]) == (False, False, False)
        for same in ("MasterUsername", "EngineVersion", "AllocatedStorage"):
            assert found[same] == old[same]
    assert len({each["DbiResourceId"] for each in (old, new, plain)}) == 3
    assert rds.restored_from(aws, "new") == "before"
    assert rds.restored_from(aws, "db") == ""


def test_a_snapshot_that_is_not_whole_or_not_there_is_not_restored(aws: Cloud) -> None:
    create_database(aws)
    api = aws.client("rds")
    with refused("", "DBSnapshotNotFound"):
        api.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="new", DBSnapshotIdentifier="before")
    api.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="before")
    rds.set_snapshot_status(aws, "before", "creating")
    with refused("is creating", "InvalidDBSnapshotState"):
        api.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="new", DBSnapshotIdentifier="before")
    rds.set_snapshot_status(aws, "before", "available")
    with refused("", "DBInstanceAlreadyExists"):
        api.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="before")


def test_what_would_restore_nothing_is_refused(aws: Cloud) -> None:
    create_database(aws)
    api = aws.client("rds")
    api.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="before")
    with refused("CopyDBSnapshot of rds is not in the embedded AWS", "NotImplemented"):
        api.copy_db_snapshot(SourceDBSnapshotIdentifier="before", TargetDBSnapshotIdentifier="new")
    assert [item["DBInstanceIdentifier"] for item in api.describe_db_instances()["DBInstances"]] == ["db"]
    assert [
        item["DBSnapshotIdentifier"] for item in api.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    ] == ["before"]


# dynamodb


def test_items_expire_by_one_attribute_at_a_time(aws: Cloud) -> None:
    dynamodb = aws.client("dynamodb")
    key: dict[str, Any] = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    dynamodb.create_table(TableName="items", BillingMode="PAY_PER_REQUEST", **key)

    def expire(attribute: str, enabled: bool) -> None:
        specification = {"AttributeName": attribute, "Enabled": enabled}
        dynamodb.update_time_to_live(TableName="items", TimeToLiveSpecification=specification)

    def described() -> dict[str, str]:
        return dict(dynamodb.describe_time_to_live(TableName="items")["TimeToLiveDescription"])

    with refused("TimeToLive is already disabled", "ValidationException"):
        expire("gone", False)
    expire("gone", True)
    with refused("TimeToLive is already enabled", "ValidationException"):
        expire("gone", True)
    with refused("active on a different AttributeName: current AttributeName is gone", "ValidationException"):
        expire("expires", True)
    assert described() == {"TimeToLiveStatus": "ENABLED", "AttributeName": "gone"}
    expire("gone", False)
    assert described() == {"TimeToLiveStatus": "DISABLED"}
    expire("expires", True)
    assert described()["AttributeName"] == "expires"


# s3


def test_a_condition_of_a_bucket_policy_denies_nothing_that_it_is_not_about(aws: Cloud) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="of-tls")
    deny: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::of-tls/*"}
    only = {"Version": "2012-10-17", "Statement": {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}}
    s3.put_bucket_policy(Bucket="of-tls", Policy=json.dumps(only))
    s3.put_object(Bucket="of-tls", Key="x", Body=b"x")
    s3.put_bucket_policy(Bucket="of-tls", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    with refused("Forbidden", "403"):
        s3.put_object(Bucket="of-tls", Key="x", Body=b"x")


def test_a_bucket_says_which_pages_may_read_its_answers(aws: Cloud) -> None:
    s3 = aws.client("s3")
    for name in ("open-to-one", "closed"):
        s3.create_bucket(Bucket=name)
    rule = {"AllowedOrigins": ["https://acme.test"], "AllowedMethods": ["PUT", "GET"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket="open-to-one", CORSConfiguration={"CORSRules": [rule]})

    def told(method: str, origin: str = "https://acme.test", bucket: str = "open-to-one", **more: str) -> str | None:
        signed = s3.generate_presigned_url(f"{method.lower()}_object", Params={"Bucket": bucket, "Key": "x"})
        asked = more.pop("asked", method)
        answer = requests.request(asked, signed, headers={"Origin": origin, **more}, timeout=10)
        return answer.headers.get("Access-Control-Allow-Origin")

    assert told("PUT") == told("GET") == "https://acme.test"
    assert told("GET", origin="https://elsewhere.test") is None
    assert told("PUT", bucket="closed") is None
    assert told("DELETE") is None, "no rule has this method"
    wanted = {"asked": "OPTIONS", "Access-Control-Request-Method": "PUT"}
    assert told("PUT", **wanted) == "https://acme.test"
    assert told("PUT", origin="https://elsewhere.test", **wanted) is None


def test_of_two_writes_on_one_condition_one_succeeds(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if both look at the same moment."""
    s3, look = aws.client("s3"), S3Backend.get_object
    s3.create_bucket(Bucket="conditional")

    def slowly(*arguments: Any, **keywords: Any) -> Any:
        found = look(*arguments, **keywords)
        time.sleep(0.05)
        return found

    def succeeded(call: str, **given: str) -> list[str]:
        """ETags of those of four that were let through."""

        def attempt(number: int) -> str | None:
            # the same bytes once more would have the same ETag, which another's condition would still fit
            body = {"Body": f"{given} {number}".encode()} if call == "put_object" else {}
            try:
                return str(getattr(s3, call)(Bucket="conditional", Key="x", **given, **body).get("ETag"))
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("PreconditionFailed", "NoSuchKey"):
                    raise
                return None

        with ThreadPoolExecutor(4) as pool:
            return [each for each in pool.map(attempt, range(4)) if each]

    monkeypatch.setattr(S3Backend, "get_object", slowly)
    (first,) = succeeded("put_object", IfNoneMatch="*")
    (second,) = succeeded("put_object", IfMatch=first)
    assert succeeded("delete_object", IfMatch=first) == []
    assert len(succeeded("delete_object", IfMatch=second)) == 1
    assert succeeded("put_object", IfMatch=second) == []
    s3.put_object(Bucket="conditional", Key="x", Body=b"whatever is there")
    assert s3.get_object(Bucket="conditional", Key="x")["Body"].read() == b"whatever is there"


# application-autoscaling


def test_limits_of_autoscaling_hold_at_once(aws: Cloud) -> None:
    ecs, scaling = aws.client("ecs"), aws.client("application-autoscaling")
    ecs.create_cluster(clusterName="shop")
    ecs.create_service(cluster="shop", serviceName="api", desiredCount=1)
    target = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}

    def count(least: int, most: int) -> int:
        scaling.register_scalable_target(**target, ResourceId="service/shop/api", MinCapacity=least, MaxCapacity=most)
        return int(ecs.describe_services(cluster="shop", services=["api"])["services"][0]["desiredCount"])

    assert count(2, 20) == 2
    assert count(1, 20) == 2, "what is within stays"
    assert count(1, 1) == 1
    with refused("ECS service doesn't exist: service/shop/none", "ValidationException"):
        scaling.register_scalable_target(**target, ResourceId="service/shop/none", MinCapacity=1, MaxCapacity=2)


def test_what_is_suspended_of_autoscaling_stays_until_it_is_said_otherwise(aws: Cloud) -> None:
    ecs, scaling = aws.client("ecs"), aws.client("application-autoscaling")
    ecs.create_cluster(clusterName="shop")
    ecs.create_service(cluster="shop", serviceName="api", desiredCount=1)
    target = {
        "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceId": "service/shop/api",
    }  # fmt: skip

    def suspended() -> list[bool]:
        (found,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        state = found["SuspendedState"]
        return [state[f"{each}Suspended"] for each in ("DynamicScalingIn", "DynamicScalingOut", "ScheduledScaling")]

    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    assert suspended() == [False, False, False]
    scaling.register_scalable_target(**target, SuspendedState={"DynamicScalingInSuspended": True})
    assert suspended() == [True, False, False]
    scaling.register_scalable_target(**target, MinCapacity=2)
    assert suspended() == [True, False, False], "other limits resume nothing"
    scaling.register_scalable_target(**target, SuspendedState={"ScheduledScalingSuspended": True})
    assert suspended() == [True, False, True]
    scaling.register_scalable_target(**target, SuspendedState={"DynamicScalingInSuspended": False})
    assert suspended() == [False, False, True]
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (2, 4)


def test_a_scalable_target_has_tags(aws: Cloud) -> None:
    ecs, scaling = aws.client("ecs"), aws.client("application-autoscaling")
    ecs.create_cluster(clusterName="shop")
    ecs.create_service(cluster="shop", serviceName="api", desiredCount=1)
    arn = scaling.register_scalable_target(
        ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount", ResourceId="service/shop/api",
        MinCapacity=1, MaxCapacity=4,
    )["ScalableTargetARN"]  # fmt: skip
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {}
    scaling.tag_resource(ResourceARN=arn, Tags={"a": "1", "b": "2"})
    scaling.tag_resource(ResourceARN=arn, Tags={"b": "3"})
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "1", "b": "3"}
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a", "c"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "3"}
    with refused("at most 50", "TooManyTagsException"):
        scaling.tag_resource(ResourceARN=arn, Tags={f"t{number}": "x" for number in range(50)})
    for call in (scaling.list_tags_for_resource, lambda **given: scaling.untag_resource(**given, TagKeys=["a"])):
        with refused("does not exist", "ResourceNotFoundException"):
            call(ResourceARN=f"{arn}x")


def test_autoscaling_knows_the_services_of_our_ecs(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applicationautoscaling, "_cloud", watched.cloud)
    ecs, scaling = watched.cloud.client("ecs"), watched.cloud.client("application-autoscaling")
    ecs.create_cluster(clusterName="shop")
    container = {"name": "api", "image": "shop/api", "memory": 64}
    ecs.register_task_definition(family="api", containerDefinitions=[container])
    ecs.create_service(cluster="shop", serviceName="api", taskDefinition="api", desiredCount=1, launchType="EC2")
    scaling.register_scalable_target(
        ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount", ResourceId="service/shop/api",
        MinCapacity=2, MaxCapacity=20,
    )  # fmt: skip
    (service,) = ecs.describe_services(cluster="shop", services=["api"])["services"]
    assert service["desiredCount"] == 2


def a_target(aws: Cloud) -> tuple[Any, dict[str, str]]:
    """A client of Application Auto Scaling, and a service that is registered with it."""
    ecs, scaling = aws.client("ecs"), aws.client("application-autoscaling")
    ecs.create_cluster(clusterName="shop")
    ecs.create_service(cluster="shop", serviceName="api", desiredCount=1)
    target = {
        "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceId": "service/shop/api",
    }  # fmt: skip
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    return scaling, target


def by(kind: str, target: float, **more: str) -> dict[str, Any]:
    """A target tracking policy."""
    config = {"TargetValue": target, "PredefinedMetricSpecification": {"PredefinedMetricType": kind, **more}}
    return {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": config}


LABEL = "app/shop/0123456789abcdef/targetgroup/api/fedcba9876543210"


@pytest.mark.parametrize(
    ("policy", "namespace", "metric", "dimensions"),
    [
        (by("ECSServiceAverageCPUUtilization", 60), "AWS/ECS", "CPUUtilization", {"shop", "api"}),
        (by("ECSServiceAverageMemoryUtilization", 60), "AWS/ECS", "MemoryUtilization", {"shop", "api"}),
        (
            by("ALBRequestCountPerTarget", 60, ResourceLabel=LABEL), "AWS/ApplicationELB", "RequestCountPerTarget",
            {"app/shop/0123456789abcdef", "targetgroup/api/fedcba9876543210"},
        ),
    ],
    ids=["cpu", "memory", "requests"],
)  # fmt: skip
def test_a_policy_has_an_upper_and_a_lower_alarm_that_go_with_it(
    aws: Cloud, policy: dict[str, Any], namespace: str, metric: str, dimensions: set[str]
) -> None:
    scaling, target = a_target(aws)

    def alarms() -> list[Any]:
        found = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
        for each in found:
            assert (each["Namespace"], each["MetricName"]) == (namespace, metric)
            assert {item["Value"] for item in each["Dimensions"]} == dimensions
        return [(each["ComparisonOperator"], each["EvaluationPeriods"], each["Threshold"]) for each in found]

    def at(value: float) -> Any:
        policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] = value
        return scaling.put_scaling_policy(**target, PolicyName="load", **policy)["PolicyARN"]

    made = at(60)
    assert alarms() == [("GreaterThanThreshold", 3, 60.0), ("LessThanThreshold", 15, 54.0)]
    assert at(50) == made
    assert alarms() == [("GreaterThanThreshold", 3, 50.0), ("LessThanThreshold", 15, 45.0)]
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["AlarmActions"] == [made]
    scaling.deregister_scalable_target(**target)
    assert alarms() == []
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (by("ECSServiceAverageCPUUtilization", 0), "TargetValue must be greater than 0"),
        (by("ALBRequestCountPerTarget", 60), "Invalid resource label"),
        (by("ALBRequestCountPerTarget", 60, ResourceLabel=f"{LABEL}/"), "Invalid resource label"),
        (by("ECSServiceAverageCPUUtilization", 60, ResourceLabel=LABEL), "A resource label is not supported"),
        (by("EC2SpotFleetRequestAverageCPUUtilization", 60), "is not emulated"),
        (
            {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {"AdjustmentType": "ChangeInCapacity"}},
            "is not emulated",
        ),
    ],
)
def test_a_policy_that_is_wrong_or_that_nothing_acts_on_is_refused(
    aws: Cloud, policy: dict[str, Any], words: str
) -> None:
    scaling, target = a_target(aws)
    with refused(words, "ValidationException"):
        scaling.put_scaling_policy(**target, PolicyName="load", **policy)
    right = by("ECSServiceAverageCPUUtilization", 60)
    with refused("No scalable target registered", "ObjectNotFoundException"):
        scaling.put_scaling_policy(**target | {"ResourceId": "service/shop/none"}, PolicyName="load", **right)
    scaling.put_scaling_policy(**target, PolicyName="load", **right)


def test_scaling_activities_come_in_pages_the_newest_first(aws: Cloud) -> None:
    from moto.applicationautoscaling.models import applicationautoscaling_backends

    scaling, target = a_target(aws)
    backend = applicationautoscaling_backends["123456789012"]["us-east-1"]
    for number in range(101):
        scaling_policies.record(backend, target["ResourceId"], "load", f"to {number}", "Successful", "done")
    pages = list(scaling.get_paginator("describe_scaling_activities").paginate(ServiceNamespace="ecs"))
    told = [each["Description"] for page in pages for each in page["ScalingActivities"]]
    assert (len(pages), told[0], told[-1], len(told)) == (2, "to 100", "to 1", 100)
    other = scaling.describe_scaling_activities(ServiceNamespace="ecs", ResourceId="service/shop/none")
    assert other["ScalingActivities"] == []


# efs, ssm, route53, iam


def test_the_older_tag_calls_of_efs(aws: Cloud) -> None:
    efs = aws.client("efs")
    made = efs.create_file_system(CreationToken="t", Tags=[{"Key": "Name", "Value": "media"}])["FileSystemId"]

    efs.create_tags(FileSystemId=made, Tags=[{"Key": "Role", "Value": "x"}])
    assert {tag["Key"] for tag in efs.describe_tags(FileSystemId=made)["Tags"]} == {"Name", "Role"}
    efs.delete_tags(FileSystemId=made, TagKeys=["Role"])
    assert [tag["Key"] for tag in efs.describe_tags(FileSystemId=made)["Tags"]] == ["Name"]
    with refused("", "FileSystemNotFound"):
        efs.describe_tags(FileSystemId="fs-0000000000000000")


@pytest.mark.parametrize("family", ["amazon-linux-2", "amazon-linux-2023"])
def test_the_recommended_image_is_json(aws: Cloud, family: str) -> None:
    path = f"/aws/service/ecs/optimized-ami/{family}/recommended"
    ssm = aws.client("ssm")

    value = json.loads(ssm.get_parameter(Name=path)["Parameter"]["Value"])

    assert value["image_id"] == ssm.get_parameter(Name=f"{path}/image_id")["Parameter"]["Value"]


def test_the_local_zone_is_there_from_the_start(aws: Cloud) -> None:
    zone = aws.client("route53").get_hosted_zone(Id="Z0BERTHLOCALZONE")["HostedZone"]

    assert (zone["Name"], zone["Config"]["PrivateZone"]) == ("berth.localhost.", False)


def test_changes_of_a_zone_side_by_side_are_all_kept(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    apply, client, names = route53._apply, aws.client("route53"), [f"a{number}.berth.localhost." for number in range(4)]

    def slowly(*arguments: Any) -> str:
        time.sleep(0.1)
        return apply(*arguments)

    def create(name: str) -> None:
        record = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]}
        changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        client.change_resource_record_sets(HostedZoneId=route53.ZONE_ID, ChangeBatch=changes)

    monkeypatch.setattr(route53, "_apply", slowly)
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(create, names))
    records = client.list_resource_record_sets(HostedZoneId=route53.ZONE_ID)["ResourceRecordSets"]
    assert {each["Name"] for each in records if each["Type"] == "A"} == set(names)


def test_service_linked_roles_and_managed_policies(aws: Cloud) -> None:
    iam = aws.client("iam")
    made = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]["RoleName"]

    assert made == "AWSServiceRoleForAutoScaling"
    assert iam.get_role(RoleName=made)["Role"]["Path"] == "/aws-service-role/autoscaling.amazonaws.com/"
    assert iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")


# ecr

MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"size": 10, "digest": "sha256:c"},
    "layers": [{"size": 100, "digest": "sha256:l"}],
}
DIGEST = "sha256:" + "a" * 64
PART = "sha256:" + "b" * 64
"""A manifest that no tag leads to: of one platform of an image for several."""


class Registry(http.server.BaseHTTPRequestHandler):
    """A registry with one image under two tags, and what is put besides."""

    deleted: list[str] = []  # noqa: RUF012 (shared on purpose: the server makes an instance a request)
    tags: list[str] = []  # noqa: RUF012 (as above)

    def do_GET(self) -> None:
        if self.path == "/v2/shop/django/tags/list" and not self.deleted:
            self.answer({"name": "shop/django", "tags": self.tags})
        elif self.path in [f"/v2/shop/django/manifests/{tag}" for tag in self.tags]:
            self.answer(MANIFEST)
        elif self.path == f"/v2/shop/django/manifests/{PART}":
            self.answer(MANIFEST, PART)
        elif self.path == "/v2/shop/django/blobs/sha256:c":
            self.answer({"os": "linux", "architecture": "arm64"})
        else:
            self.send_error(404)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        assert json.loads(self.rfile.read(int(self.headers["Content-Length"]))) == MANIFEST
        assert self.headers["Content-Type"] == MANIFEST["mediaType"]
        self.tags.append(self.path.rpartition("/")[2])
        self.answer({})

    def do_DELETE(self) -> None:
        self.deleted.append(self.path)
        self.answer({})

    def answer(self, body: dict[str, Any], digest: str = DIGEST) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Docker-Content-Digest", digest)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def registry(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """ECR with a registry behind it; a repository `shop/django` with an image."""
    Registry.deleted.clear()
    Registry.tags[:] = ["1", "2"]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    monkeypatch.setattr(ecr, "_registry", address)
    aws.client("ecr").create_repository(repositoryName="shop/django")
    yield address
    server.shutdown()
    server.server_close()


def test_a_repository_is_at_the_registry(aws: Cloud, registry: str) -> None:
    api = aws.client("ecr")

    assert api.describe_repositories()["repositories"][0]["repositoryUri"] == f"{registry}/shop/django"
    data = api.get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == f"http://{registry}"


@pytest.mark.usefixtures("registry")
def test_images_are_those_of_the_registry(aws: Cloud) -> None:
    api = aws.client("ecr")

    found = api.describe_images(repositoryName="shop/django", imageIds=[{"imageTag": "2"}])["imageDetails"][0]
    assert (found["imageDigest"], found["imageTags"], found["imageSizeInBytes"]) == (DIGEST, ["1", "2"], 110)
    got = api.batch_get_image(repositoryName="shop/django", imageIds=[{"imageTag": "1"}])["images"][0]
    assert json.loads(got["imageManifest"]) == MANIFEST
    with refused("imageTag:'3'", "ImageNotFoundException"):
        api.describe_images(repositoryName="shop/django", imageIds=[{"imageTag": "3"}])


def tags(api: Any) -> list[str]:
    (found,) = api.describe_images(repositoryName="shop/django")["imageDetails"]
    return sorted(found["imageTags"])


@pytest.mark.usefixtures("registry")
def test_a_tag_is_put_into_the_registry_and_taken_from_it(aws: Cloud) -> None:
    api = aws.client("ecr")
    tag = {"repositoryName": "shop/django", "imageManifest": json.dumps(MANIFEST), "imageTag": "keep-1"}

    api.put_image(**tag)
    assert Registry.tags == ["1", "2", "keep-1"]
    assert tags(api) == ["1", "2", "keep-1"]
    with refused("", "ImageAlreadyExistsException"):
        api.put_image(**tag)

    gone = api.batch_delete_image(repositoryName="shop/django", imageIds=[{"imageTag": "keep-1"}])
    assert (gone["imageIds"], gone["failures"]) == ([{"imageDigest": DIGEST, "imageTag": "keep-1"}], [])
    assert (tags(api), Registry.deleted) == (["1", "2"], []), "the registry cannot untag, and need not be asked"

    api.put_image(**tag)
    assert tags(api) == ["1", "2", "keep-1"]


@pytest.mark.usefixtures("registry")
def test_an_image_goes_from_the_registry_with_its_last_tag(aws: Cloud) -> None:
    api = aws.client("ecr")
    for tag in ("1", "2"):
        assert Registry.deleted == []
        api.batch_delete_image(repositoryName="shop/django", imageIds=[{"imageTag": tag}])
    assert Registry.deleted == [f"/v2/shop/django/manifests/{DIGEST}"]
    assert api.describe_images(repositoryName="shop/django")["imageDetails"] == []


@pytest.mark.usefixtures("registry")
def test_a_manifest_without_a_tag_is_had_by_its_digest_and_what_is_missing_is_named(aws: Cloud) -> None:
    wanted = [{"imageDigest": PART}, {"imageDigest": "sha256:gone"}, {"imageTag": "3"}, {"imageTag": "1"}]
    answer = aws.client("ecr").batch_get_image(repositoryName="shop/django", imageIds=wanted)

    assert {each["imageId"]["imageDigest"] for each in answer["images"]} == {PART, DIGEST}
    assert [each["imageId"] for each in answer["failures"]] == [{"imageDigest": "sha256:gone"}, {"imageTag": "3"}]


def test_layers_are_those_of_the_registry(aws: Cloud, registry: str) -> None:
    api = aws.client("ecr")

    answer = api.batch_check_layer_availability(repositoryName="shop/django", layerDigests=["sha256:c", "sha256:l"])
    assert [(each["layerDigest"], each["layerAvailability"]) for each in answer["layers"]] == [
        ("sha256:c", "AVAILABLE")
    ]
    (lost,) = answer["failures"]
    assert (lost["layerDigest"], lost["failureCode"]) == ("sha256:l", "MissingLayerDigest")
    url = api.get_download_url_for_layer(repositoryName="shop/django", layerDigest="sha256:c")["downloadUrl"]
    assert url == f"http://{registry}/v2/shop/django/blobs/sha256:c"
    assert requests.get(url, timeout=5).json()["architecture"] == "arm64"
    with refused("sha256:l", "LayersNotFoundException"):
        api.get_download_url_for_layer(repositoryName="shop/django", layerDigest="sha256:l")


@pytest.mark.usefixtures("registry")
def test_a_repository_with_images_goes_only_by_force_and_with_them(aws: Cloud) -> None:
    api = aws.client("ecr")
    with refused("", "RepositoryNotEmptyException"):
        api.delete_repository(repositoryName="shop/django")

    api.delete_repository(repositoryName="shop/django", force=True)

    assert Registry.deleted == [f"/v2/shop/django/manifests/{DIGEST}"]


def test_a_registry_that_does_not_answer_is_an_error(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.client("ecr").create_repository(repositoryName="shop/django")
    monkeypatch.setattr(ecr, "_registry", "127.0.0.1:1")

    with refused("The registry 127.0.0.1:1 does not answer", "ServerException"):
        aws.client("ecr").describe_images(repositoryName="shop/django")


# servicequotas


def test_quotas_of_ec2_are_those_of_a_new_account(aws: Cloud) -> None:
    api = aws.client("service-quotas")
    asked = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
    assert api.get_service_quota(**asked)["Quota"]["Value"] == 5
    assert api.get_aws_default_service_quota(**asked)["Quota"]["Value"] == 5
    with refused("", "NoSuchResourceException"):
        api.get_service_quota(ServiceCode="ec2", QuotaCode="L-00000000")


def test_quotas_of_efs_are_known(aws: Cloud) -> None:
    asked = {"ServiceCode": "elasticfilesystem", "QuotaCode": "L-848C634D"}
    assert aws.client("service-quotas").get_service_quota(**asked)["Quota"]["Value"] == 1000


# account


def test_the_account_is_as_old_as_what_it_may_do(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    api = aws.client("account")
    assert api.get_account_information()["AccountCreatedDate"].year == 2018
    monkeypatch.setattr(autoscaling_patch, "refuse_launch_configurations", True)
    assert api.get_account_information()["AccountCreatedDate"].year == 2026


# What an account presets for instances, and RDS of itself


def test_the_default_key_of_ebs_is_awss_own_until_another_is_chosen(aws: Cloud) -> None:
    ec2 = aws.client("ec2")
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    arn = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=arn)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == arn


def test_metadata_defaults_are_nobodys_until_set(aws: Cloud) -> None:
    ec2 = aws.client("ec2")
    assert ec2.get_instance_metadata_defaults()["AccountLevel"] == {}
    ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpTokensEnforced="enabled")
    level = ec2.get_instance_metadata_defaults()["AccountLevel"]
    assert level == {"HttpTokens": "required", "HttpTokensEnforced": "enabled", "ManagedBy": "account"}


def test_major_versions_have_their_days_of_support(aws: Cloud) -> None:
    api = aws.client("rds")
    (major,) = api.describe_db_major_engine_versions(Engine="postgres", MajorEngineVersion="15")[
        "DBMajorEngineVersions"
    ]
    days = {
        life["LifecycleSupportName"]: life["LifecycleSupportEndDate"] for life in major["SupportedEngineLifecycles"]
    }
    assert f"{days['open-source-rds-standard-support']:%Y-%m-%d}" == "2028-02-29"
    assert days["open-source-rds-extended-support"] > days["open-source-rds-standard-support"]
    offered = {version.split(".")[0] for version in rds.offered("EngineVersion", "postgres")}
    assert offered - {"9", "10"} == set(rds.STANDARD_SUPPORT)


def test_rds_tells_its_quota_and_its_use(aws: Cloud) -> None:
    assert aws.client("rds").describe_account_attributes()["AccountQuotas"] == [
        {"AccountQuotaName": "DBInstances", "Used": 0, "Max": 40}
    ]


def test_a_label_that_is_moved_says_what_is_current_and_when_it_was_changed(aws: Cloud) -> None:
    client = aws.client("secretsmanager")
    arn = client.create_secret(Name="login", SecretString="first")["ARN"]
    first = client.describe_secret(SecretId=arn)
    client.put_secret_value(
        SecretId=arn, ClientRequestToken="b" * 32, SecretString="second", VersionStages=["AWSPENDING"]
    )
    assert client.get_secret_value(SecretId=arn)["SecretString"] == "first", "a pending version is read by nobody"
    (before,) = first["VersionIdsToStages"]
    time.sleep(1.1)  # moto's dates have no fractions
    move = {"SecretId": arn, "VersionStage": "AWSCURRENT", "MoveToVersionId": "b" * 32, "RemoveFromVersionId": before}
    client.update_secret_version_stage(**move)
    told = client.describe_secret(SecretId=arn)
    assert told["LastChangedDate"] > first["LastChangedDate"]
    assert told["VersionIdsToStages"][before] == ["AWSPREVIOUS"]
    assert client.get_secret_value(SecretId=arn)["SecretString"] == "second"
    third = client.put_secret_value(SecretId=arn, SecretString="third")["VersionId"]
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    assert {version: set(labels) for version, labels in stages.items() if labels} == {
        third: {"AWSCURRENT"}, "b" * 32: {"AWSPREVIOUS", "AWSPENDING"},
    }  # fmt: skip
    client.update_secret_version_stage(SecretId=arn, VersionStage="AWSPENDING", RemoveFromVersionId="b" * 32)
    client.put_secret_value(SecretId=arn, SecretString="fourth")
    assert client.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"] == "third"
