"""The resolver, asked from a container on the network as an instance would."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws import images
from local_aws.tests.own_server import OwnServer, running
from local_aws.tests.until import until

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with running(2, {"resolver", "route53", "rds"}) as own:
        yield own


@pytest.fixture(scope="module")
def client(server: OwnServer) -> Any:
    return server.start_host(images.ensure("host"), "client", ["sleep", "infinity"])


def run(client: Any, *command: str) -> str:
    return str(client.exec_run(list(command)).output.decode()).strip()


def resolve(client: Any, name: str) -> str:
    """The first IPv4 address of a name, or nothing."""
    return run(client, "sh", "-c", f"getent ahostsv4 {name} | head -1").split(" ")[0]


@pytest.mark.parametrize(
    ("service", "target", "key"),
    [
        ("logs", "Logs_20140328.DescribeLogGroups", "logGroups"),
        ("secretsmanager", "secretsmanager.ListSecrets", "SecretList"),
        ("ssm", "AmazonSSM.DescribeParameters", "Parameters"),
        ("ecs", "AmazonEC2ContainerServiceV20141113.ListTaskDefinitions", "taskDefinitionArns"),
    ],
)
def test_service_answers_under_its_real_name_with_tls(client: Any, service: str, target: str, key: str) -> None:
    answer = run(
        client, "curl", "-sS", "--cacert", "/ca/ca.pem", "--aws-sigv4", f"aws:amz:us-east-1:{service}", "-u", "k:s",
        "-H", f"X-Amz-Target: {target}", "-H", "Content-Type: application/x-amz-json-1.1", "-d", "{}",
        f"https://{service}.us-east-1.amazonaws.com/",
    )  # fmt: skip
    assert key in json.loads(answer)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_file_systems_with_and_without_tls(client: Any, scheme: str) -> None:
    url = f"{scheme}://elasticfilesystem.us-east-1.amazonaws.com/2015-02-01/file-systems"
    signed = ["--aws-sigv4", "aws:amz:us-east-1:elasticfilesystem", "-u", "k:s"]
    assert json.loads(run(client, "curl", "-sS", "--cacert", "/ca/ca.pem", *signed, url)) == {"FileSystems": []}


def test_certificate_needs_the_local_authority(client: Any) -> None:
    assert "self-signed certificate" in run(client, "curl", "-sS", "https://logs.us-east-1.amazonaws.com/")


def test_any_aws_name_is_ours_and_has_no_other_address(server: OwnServer, client: Any) -> None:
    for name in ("sts.amazonaws.com", "123456789012.dkr.ecr.us-east-1.amazonaws.com"):
        assert resolve(client, name) == server.config.resolver
        assert run(client, "getent", "ahostsv6", name) == ""


def test_what_has_no_address_has_no_name(client: Any) -> None:
    for name in ("fs-0123.efs.us-east-1.amazonaws.com", "gone-1.us-east-1.elb.amazonaws.com"):
        assert resolve(client, name) == "", name


def test_other_names_go_upstream(client: Any) -> None:
    assert resolve(client, "no-such-name.invalid") == ""
    assert resolve(client, "deb.debian.org")


def test_published_name_counts_at_once_and_survives_a_kill(server: OwnServer, client: Any) -> None:
    rds = server.client("rds")
    name = rds.create_db_instance(
        DBInstanceIdentifier="named", DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="master",
        MasterUserPassword="long-enough-1", AllocatedStorage=20, EngineVersion="15",
    )["DBInstance"]["Endpoint"]["Address"]  # fmt: skip
    assert resolve(client, name) == server.config.resolver  # asked before: the answer must not stick

    def available() -> bool:
        record = rds.describe_db_instances(DBInstanceIdentifier="named")["DBInstances"][0]
        return bool(record["DBInstanceStatus"] == "available")

    until(available, "the database is available", 90)
    time.sleep(0.5)  # a signal's time, no more
    address = resolve(client, name)
    assert address not in ("", server.config.resolver)
    server.docker.containers.get(server.config.container("resolver")).kill()
    until(lambda: resolve(client, name) == address, "the resolver is back", 20)
    rds.delete_db_instance(DBInstanceIdentifier="named", SkipFinalSnapshot=True)
    until(lambda: resolve(client, name) == server.config.resolver, "the name is withdrawn", 10)


def test_a_private_zone_hides_a_public_one_for_as_long_as_it_is_there(server: OwnServer, client: Any) -> None:
    ec2, route53 = server.client("ec2"), server.client("route53")
    vpc = ec2.create_vpc(CidrBlock=str(next(server.config.vpc_range.subnets(3))))["Vpc"]["VpcId"]
    assert resolve(client, "deb.debian.org")
    zone = route53.create_hosted_zone(
        Name="debian.org", CallerReference="1", VPC={"VPCId": vpc, "VPCRegion": "us-east-1"},
        HostedZoneConfig={"PrivateZone": True, "Comment": ""},
    )["HostedZone"]["Id"]  # fmt: skip
    record = {"Name": "www.debian.org", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.92.1.1"}]}

    def change(action: str) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    change("CREATE")
    time.sleep(2)
    assert resolve(client, "www.debian.org") != "10.92.1.1", "the VPC has no DNS host names yet"
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    until(lambda: resolve(client, "www.debian.org") == "10.92.1.1", "the name is the private zone's", 10)
    assert resolve(client, "deb.debian.org") == "", "which has no other"
    assert resolve(client, "sts.us-east-1.amazonaws.com"), "a zone of another name is as before"
    change("DELETE")
    until(lambda: resolve(client, "www.debian.org") == "", "the name is gone", 10)
    route53.delete_hosted_zone(Id=zone)
    until(lambda: resolve(client, "deb.debian.org"), "the public zone is back", 10)
