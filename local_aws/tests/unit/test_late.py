"""Late mode: what AWS may answer, in the words that boto3 understands, and never worse than it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.late.chance import Chance, Settings
from local_aws.late.pages import paginator
from local_aws.late.stale import REMEMBERED
from local_aws.tests.clock import Clock
from local_aws.tests.late_support import LateAws

Start = Callable[..., LateAws]

TEMPLATE = "Resources: {Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: %s}}}"
READS: list[tuple[str, str, str]] = [
    ("cloudformation", "describe_stacks", "Stacks"),
    ("ec2", "describe_security_groups", "SecurityGroups"),
    ("iam", "list_roles", "Roles"),
    ("logs", "describe_log_groups", "logGroups"),
    ("ecs", "list_clusters", "clusterArns"),
    ("efs", "describe_file_systems", "FileSystems"),
    ("route53", "list_hosted_zones", "HostedZones"),
    ("s3", "list_buckets", "Buckets"),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups"),
    ("elbv2", "describe_target_groups", "TargetGroups"),
    ("autoscaling", "describe_launch_configurations", "LaunchConfigurations"),
]
"""A read in each protocol, and then some: service, operation, what it lists."""


def make(late: LateAws, service: str, name: str) -> None:
    """One more thing in the list of `READS`."""
    client = late.client(service)
    image = "ami-061ecaadf85691afe"
    how: dict[str, Callable[[], Any]] = {
        "cloudformation": lambda: client.create_stack(StackName=name, TemplateBody=TEMPLATE % name),
        "ec2": lambda: client.create_security_group(GroupName=name, Description="ä & <b>", VpcId=vpc(late)),
        "iam": lambda: client.create_role(RoleName=name, AssumeRolePolicyDocument="{}"),
        "logs": lambda: client.create_log_group(logGroupName=name),
        "ecs": lambda: client.create_cluster(clusterName=name),
        "efs": lambda: client.create_file_system(CreationToken=name, Tags=[{"Key": "Name", "Value": name}]),
        "route53": lambda: client.create_hosted_zone(Name=f"{name}.example.org", CallerReference=name),
        "s3": lambda: client.create_bucket(Bucket=name),
        "rds": lambda: client.create_db_subnet_group(
            DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=[subnet(late)]
        ),
        "elbv2": lambda: client.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc(late)),
        "autoscaling": lambda: client.create_launch_configuration(
            LaunchConfigurationName=name, ImageId=image, InstanceType="t2.micro"
        ),
    }
    how[service]()


def vpc(late: LateAws) -> str:
    return str(late.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


def subnet(late: LateAws) -> str:
    return str(late.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"])


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


# Chance


def test_a_seed_gives_each_operation_its_sequence_whatever_others_do() -> None:
    alone, beside, other = Chance(Settings(7)), Chance(Settings(7)), Chance(Settings(8))
    mine = [alone.draw("ecs:RunTask") for _ in range(200)]
    theirs = []
    for _ in range(200):
        beside.draw("ec2:DescribeVpcs")
        theirs.append(beside.draw("ecs:RunTask"))
    assert mine == theirs
    assert mine != [other.draw("ecs:RunTask") for _ in range(200)]


@pytest.mark.parametrize("seed", range(5))
def test_errors_come_in_rows_of_at_most_so_many_and_end(seed: int) -> None:
    chance = Chance(Settings(seed, faults=0.2, in_a_row=3))
    failed = "".join("x" if chance.draw("a:B").fault else "." for _ in range(3000))
    assert "xxx" in failed
    assert "xxxx" not in failed
    assert 0.2 < failed.count("x") / len(failed) < 0.4


def test_stale_reads_have_an_end() -> None:
    chance = Chance(Settings(1, stale_seconds=4))
    drawn = [chance.draw("a:B") for _ in range(1000)]
    assert 3.5 < max(draw.window for draw in drawn) <= 4
    assert max(draw.lag for draw in drawn) <= 4
    assert {draw.stale for draw in drawn} == {True, False}


# Errors


@pytest.mark.parametrize(("service", "operation", "_key"), READS)
def test_errors_are_those_that_boto3_repeats(late_aws: Start, service: str, operation: str, _key: str) -> None:
    late = late_aws(faults=1)
    failed = list(errors(getattr(late.client(service), operation), 12))
    assert {"Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown"} & set(failed), failed
    assert len(set(failed)) > 1, failed
    getattr(late.client(service, attempts=4), operation)()


def errors(call: Callable[[], Any], times: int) -> Iterator[str]:
    for _ in range(times):
        try:
            call()
        except ClientError as error:
            yield str(error.response["Error"]["Code"])


def test_a_write_that_failed_was_not_done(aws: Cloud, late_aws: Start) -> None:
    late = late_aws(faults=1, in_a_row=1)
    with pytest.raises(ClientError):
        late.client("ec2").create_vpc(CidrBlock="10.7.0.0/16")
    assert not [each for each in aws.client("ec2").describe_vpcs()["Vpcs"] if each["CidrBlock"] == "10.7.0.0/16"]
    late.client("ec2").create_vpc(CidrBlock="10.7.0.0/16")


def test_a_lost_answer_is_given_to_the_same_token_and_the_write_done_once(aws: Cloud, late_aws: Start) -> None:
    late = late_aws(lost=1)
    asked = {"StackName": "one", "TemplateBody": TEMPLATE % "one", "ClientRequestToken": "t-1"}
    with pytest.raises(ClientError) as error:
        late.client("cloudformation").create_stack(**asked)
    assert code(error) == "InternalFailure"
    made = late.client("cloudformation").create_stack(**asked)["StackId"]
    assert [each["StackId"] for each in aws.client("cloudformation").describe_stacks()["Stacks"]] == [made]
    with pytest.raises(ClientError) as error:
        late.client("cloudformation").create_stack(**asked | {"ClientRequestToken": "t-2"})
    assert code(error) == "AlreadyExistsException"


# Pages


@pytest.mark.parametrize(("service", "operation", "key"), READS)
def test_one_page_is_not_all_and_all_pages_are_the_truth(
    late_aws: Start, service: str, operation: str, key: str
) -> None:
    truth = late_aws()
    for number in range(5):
        make(truth, service, f"thing-{number}")
        if service == "cloudformation":  # what is still being made would look otherwise a moment later
            made = truth.client(service).get_waiter("stack_create_complete")
            made.wait(StackName=f"thing-{number}", WaiterConfig={"Delay": 1})
    late = late_aws(short=1)
    everything = getattr(truth.client(service), operation)()
    page = getattr(late.client(service), operation)()
    assert len(everything[key]) >= 5
    assert len(page[key]) < len(everything[key])
    paged = [each for page in late.client(service).get_paginator(operation).paginate() for each in page[key]]
    for each in [*paged, *everything[key]]:
        if service == "efs":
            each.pop("SizeInBytes")  # it says when it was measured: now
            each.pop("CreationTime")  # moto says microseconds, but its serializers milliseconds, as AWS does
    assert paged == everything[key]
    assert set(page) - set(everything) <= {
        "NextToken",
        "nextToken",
        "NextMarker",
        "Marker",
        "IsTruncated",
        "ContinuationToken",
    }


def test_a_list_may_be_empty_at_first(late_aws: Start) -> None:
    late = late_aws(short=1)
    late.client("iam").create_role(RoleName="alone", Path="/mine/", AssumeRolePolicyDocument="{}")
    pages = [late.client("iam").list_roles(PathPrefix="/mine/") for _ in range(20)]
    empty = [page for page in pages if not page["Roles"]]
    assert empty
    assert all(page["IsTruncated"] for page in empty)
    found = late.client("iam").list_roles(PathPrefix="/mine/", Marker=empty[0]["Marker"])
    assert [role["RoleName"] for role in found["Roles"]] == ["alone"]


def test_what_is_named_alone_comes_whole(late_aws: Start) -> None:
    late = late_aws(short=1)
    late.client("cloudformation").create_stack(StackName="one", TemplateBody=TEMPLATE % "one")
    for _ in range(10):
        assert len(late.client("cloudformation").describe_stacks(StackName="one")["Stacks"]) == 1


def test_only_paginators_with_a_plain_token_are_cut() -> None:
    assert paginator("ecs", "ListTasks")
    assert paginator("route53", "ListHostedZones")
    assert paginator("ecs", "DescribeCapacityProviders")  # botocore has no paginator for it
    assert paginator("ecs", "DescribeTasks") is None
    assert paginator("route53", "ListResourceRecordSets") is None


# Stale reads


def test_a_read_shows_the_state_of_before_a_write_for_a_while(late_aws: Start) -> None:
    clock = Clock()
    late = late_aws(stale=1, stale_seconds=2, clock=clock)
    ecs = late.client("ecs")
    ecs.create_cluster(clusterName="one")

    def settings() -> list[dict[str, str]]:
        found: list[dict[str, str]] = ecs.describe_clusters(clusters=["one"], include=["SETTINGS"])["clusters"]
        return found[0]["settings"] if found else []  # type: ignore[return-value]

    clock.sleep(2.1)
    before = settings()
    ecs.update_cluster_settings(cluster="one", settings=[{"name": "containerInsights", "value": "enabled"}])
    assert settings() == before
    clock.sleep(2.1)
    assert settings()[0]["value"] == "enabled"


def test_what_was_made_is_not_there_yet_as_each_api_says_it(late_aws: Start) -> None:
    clock = Clock()
    late = late_aws(stale=1, stale_seconds=2, clock=clock)
    cloudformation, iam, ecs = late.client("cloudformation"), late.client("iam"), late.client("ecs")
    stack = cloudformation.create_stack(StackName="one", TemplateBody=TEMPLATE % "one")["StackId"]
    for operation in (cloudformation.describe_stacks, cloudformation.describe_stack_events):
        with pytest.raises(ClientError, match="does not exist"):
            operation(StackName=stack)
    assert cloudformation.describe_stacks()["Stacks"] == []
    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]["RoleName"]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName=role)
    assert iam.list_roles(PathPrefix="/aws-service-role/")["Roles"] == []
    ecs.create_cluster(clusterName="one")
    assert ecs.list_clusters()["clusterArns"] == []
    clock.sleep(2.1)
    assert cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert iam.get_role(RoleName=role)["Role"]
    assert ecs.list_clusters()["clusterArns"]


def test_a_deleted_thing_is_shown_for_a_while(late_aws: Start) -> None:
    clock = Clock()
    late = late_aws(stale=1, stale_seconds=2, clock=clock)
    iam = late.client("iam")
    iam.create_role(RoleName="one", AssumeRolePolicyDocument="{}")
    clock.sleep(2.1)
    assert iam.get_role(RoleName="one")
    iam.delete_role(RoleName="one")
    assert iam.get_role(RoleName="one")
    clock.sleep(2.1)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="one")


def test_what_was_true_before_an_earlier_write_is_not_shown_again(late_aws: Start) -> None:
    """More is read than is asked again before a write: the others have nothing that they could show."""
    clock = Clock()
    late = late_aws(stale=1, stale_seconds=2, clock=clock)
    iam = late.client("iam")

    def description() -> str:
        return str(iam.get_role(RoleName="one")["Role"]["Description"])

    iam.create_role(RoleName="one", AssumeRolePolicyDocument="{}", Description="first")
    clock.sleep(2.1)
    assert description() == "first"
    iam.update_role(RoleName="one", Description="second")
    clock.sleep(2.1)
    assert description() == "second"
    for number in range(REMEMBERED):
        assert iam.list_roles(PathPrefix=f"/{number}/")["Roles"] == []
    iam.create_role(RoleName="two", AssumeRolePolicyDocument="{}")
    assert description() == "second"


def test_without_a_write_a_read_may_lag(aws: Cloud, late_aws: Start) -> None:
    """What the embedded AWS does by itself is seen late as well, but not for longer than it says."""
    clock = Clock()
    late = late_aws(lag=1, stale_seconds=1, clock=clock)
    names = []
    for number in range(8):
        aws.client("ecs").create_cluster(clusterName="x")
        aws.client("iam").create_role(RoleName=f"r{number}", AssumeRolePolicyDocument="{}")
        names.append(len(late.client("iam").list_roles()["Roles"]))
        clock.sleep(0.2)
    assert any(seen < true for seen, true in zip(names, range(1, 9), strict=True)), names
    clock.sleep(1.1)
    assert len(late.client("iam").list_roles()["Roles"]) == 8


def test_s3_is_consistent(late_aws: Start) -> None:
    late = late_aws(stale=1, lag=1)
    s3 = late.client("s3")
    s3.list_buckets()
    s3.create_bucket(Bucket="one")
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["one"]


def test_records_are_current_and_zones_are_not(late_aws: Start) -> None:
    route53 = late_aws(stale=1, lag=1, clock=Clock()).client("route53")
    zone = route53.create_hosted_zone(Name="one.example.org", CallerReference="1")["HostedZone"]["Id"]
    assert zone not in [each["Id"] for each in route53.list_hosted_zones()["HostedZones"]]
    before = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    record = {"Name": "a.one.example.org.", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
    changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    after = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert len(after) == len(before) + 1


# The front


def test_the_embedded_aws_itself_is_told_the_truth(aws: Cloud, late_aws: Start) -> None:
    late = late_aws(faults=1)
    inside = aws.client("ec2")
    inside._endpoint.host, former = late.endpoint, inside._endpoint.host
    try:
        for _ in range(5):
            assert inside.describe_vpcs()["Vpcs"]
    finally:
        inside._endpoint.host = former
    assert late.front.counts["calls"] == 0


def test_it_says_what_it_did(late_aws: Start) -> None:
    late = late_aws(seed=42, faults=1, in_a_row=1)
    with pytest.raises(ClientError):
        late.client("ec2").describe_vpcs()
    late.client("ec2").describe_vpcs()
    assert late.front.describe() == "seed 42; of 2 calls 1 failed, 0 lost, 0 stale, 0 paged"


def test_an_unknown_operation_is_refused_in_the_apis_own_words(late_aws: Start) -> None:
    with pytest.raises(ClientError) as error:
        late_aws(faults=1).client("ecs", attempts=4).execute_command(
            cluster="none", command="ls", interactive=True, task="x"
        )
    assert code(error) == "ClusterNotFoundException"
