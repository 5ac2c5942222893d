"""What the account is asked about hosts, the database and the domain: each question against the embedded APIs."""

from __future__ import annotations

import datetime
import json
import socketserver
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.patches import autoscaling as autoscaling_patch
from local_aws.patches.route53 import ZONE_ID
from plugins.plugin_utils.account import databases
from plugins.plugin_utils.account import dns as account_dns
from tests.unit.plugins.modules.test_modules_account import Refuses, ask

ROLE = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
GRANTEE = f"arn:aws:iam::123456789012:{ROLE}"
TODAY = datetime.date(2026, 11, 25)


# Hosts


def test_the_key_pairs_of_the_region(aws: Cloud) -> None:
    aws.client("ec2").create_key_pair(KeyName="my key")
    aws.client("ec2", "eu-west-1").create_key_pair(KeyName="elsewhere")
    assert ask(aws, key_pairs=True)["key_pairs"] == ["my key"]
    assert "key_pairs" not in ask(aws)


def test_what_aws_backup_is_let_at(aws: Cloud) -> None:
    aws.client("backup").update_region_settings(ResourceTypeOptInPreference={"EFS": True, "RDS": False})
    assert ask(aws, backup_types=["EFS", "RDS", "VirtualMachine"])["backup_types"] == {
        "EFS": True, "RDS": False, "VirtualMachine": False,
    }  # fmt: skip
    aws.client("backup").update_region_settings(ResourceTypeOptInPreference={"RDS": True})
    assert "backup_types" not in ask(aws)


def test_an_account_that_enforces_tokens(aws: Cloud) -> None:
    assert ask(aws, instance_metadata=True)["instance_metadata"]["tokens_enforced"] is False
    aws.client("ec2").modify_instance_metadata_defaults(HttpTokens="required")
    assert ask(aws, instance_metadata=True)["instance_metadata"]["tokens_enforced"] is False, "a default only"
    aws.client("ec2").modify_instance_metadata_defaults(HttpTokensEnforced="enabled")
    facts = ask(aws, instance_metadata=True)["instance_metadata"]
    assert facts == {"tokens_enforced": True, "managed_by": "account"}


def test_what_tells_if_launch_configurations_can_be_made(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"launch_configurations": True}
    assert ask(aws, **asked)["launch_configurations"] == {"some": False, "account_created": "2018-03-14"}
    monkeypatch.setattr(autoscaling_patch, "refuse_launch_configurations", True)
    assert ask(aws, **asked)["launch_configurations"] == {"some": False, "account_created": "2026-03-14"}
    monkeypatch.setattr(autoscaling_patch, "refuse_launch_configurations", False)
    aws.client("autoscaling").create_launch_configuration(
        LaunchConfigurationName="hosts", ImageId="ami-12345678", InstanceType="t2.micro"
    )
    assert ask(aws, **asked)["launch_configurations"] == {"some": True, "account_created": ""}


def key(aws: Cloud, *principals: str) -> str:
    """A customer's key that is the default for EBS; its policy names these principals."""
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": each}, "Action": "kms:*", "Resource": "*"} for each in principals
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    arn = str(aws.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"])
    aws.client("ec2").modify_ebs_default_kms_key_id(KmsKeyId=arn)
    return arn


def test_the_key_of_aws_itself_is_usable(aws: Cloud) -> None:
    facts = ask(aws, volume_key=True)["volume_key"]
    assert facts == {"id": "alias/aws/ebs", "grantee": GRANTEE, "usable": True}
    aws.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
    assert ask(aws, volume_key=True)["volume_key"] == facts, "also once it has been used"


def test_a_key_of_the_customer_needs_a_grant_or_its_policy(aws: Cloud) -> None:
    arn = key(aws, "arn:aws:iam::123456789012:root")
    assert ask(aws, volume_key=True)["volume_key"] == {"id": arn, "grantee": GRANTEE, "usable": False}
    operations = ["Encrypt", "Decrypt", "GenerateDataKeyWithoutPlaintext", "DescribeKey", "CreateGrant"]
    aws.client("kms").create_grant(KeyId=arn, GranteePrincipal=GRANTEE, Operations=operations)
    assert ask(aws, volume_key=True)["volume_key"]["usable"] is True


def test_a_grant_that_is_not_enough_is_none(aws: Cloud) -> None:
    arn = key(aws, "arn:aws:iam::123456789012:root")
    aws.client("kms").create_grant(KeyId=arn, GranteePrincipal=GRANTEE, Operations=["DescribeKey"])
    aws.client("kms").create_grant(
        KeyId=arn, GranteePrincipal=f"{GRANTEE}_other", Operations=["CreateGrant", "Decrypt"]
    )
    assert ask(aws, volume_key=True)["volume_key"]["usable"] is False


@pytest.mark.parametrize("principal", [GRANTEE, "*"])
def test_a_key_policy_that_names_the_role_is_enough(aws: Cloud, principal: str) -> None:
    key(aws, "arn:aws:iam::123456789012:root", principal)
    assert ask(aws, volume_key=True)["volume_key"]["usable"] is True


def test_what_may_not_be_asked_is_said_and_judged_neither_way(aws: Cloud) -> None:
    key(aws)
    facts = ask(Refuses(aws, "kms"), volume_key=True, key_pairs=True)
    assert facts["key_pairs"] == []
    assert "volume_key" not in facts
    assert facts["unasked"] == {"volume_key": "describe_key: not for you"}


# Database


def test_major_versions_and_their_support(aws: Cloud) -> None:
    majors = databases.major_versions(aws.client("rds"), "postgres", TODAY)
    assert [major["version"] for major in majors if major["supported"]] == ["14", "15", "16", "17", "18"]
    assert majors[2] == {"version": "13", "start": "2021-02-24", "end": "2026-02-28", "supported": False}
    early = databases.major_versions(aws.client("rds"), "postgres", datetime.date(2025, 11, 13))
    assert [major["version"] for major in early if major["supported"]] == ["13", "14", "15", "16", "17"]
    two = {name: {"class": "db.t3.micro"} for name in ("main", "stats")}
    asked = ask(aws, database_majors=True, databases=two)["database_majors"]
    assert {engine: [major["version"] for major in found] for engine, found in asked.items()} == {
        "postgres": [major["version"] for major in majors]
    }
    assert "database_majors" not in ask(aws, database_majors=True), "no database, no engine"


def test_the_authorities_of_databases(aws: Cloud) -> None:
    known = databases.authorities(aws.client("rds"), TODAY)
    assert known["rds-ca-rsa2048-g1"] == {
        "end": "2061-05-25", "days": (datetime.date(2061, 5, 25) - TODAY).days, "default": True,
    }  # fmt: skip
    assert [name for name, each in known.items() if each["default"]] == ["rds-ca-rsa2048-g1"]
    asked = ask(aws, database_majors=True, databases={"main": {"class": "db.t3.micro"}})["database_authorities"]
    assert set(asked) == set(known)
    assert "database_authorities" not in ask(aws, database_majors=True), "no database, no authority"


def test_versions_that_may_not_be_asked_are_said(aws: Cloud) -> None:
    class Rds:
        """RDS without the right to see lifecycles."""

        def get_paginator(self, name: str) -> Any:
            if name == "describe_db_major_engine_versions":
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not for you"}}, name)
            return aws.client("rds").get_paginator(name)

    def client(service: str, region: str = "us-east-1") -> Any:
        return Rds() if service == "rds" else aws.client(service, region)

    facts = ask(client, database_majors=True, databases={"main": {"class": "db.t3.micro"}})
    assert "database_majors" not in facts
    assert facts["unasked"] == {"database_majors": "describe_db_major_engine_versions: not for you"}


@pytest.mark.parametrize(("made", "days"), [({}, -1), ({"retention": None}, 0), ({"retention": 30}, 30)])
def test_how_long_the_log_of_a_database_is_kept(aws: Cloud, made: dict[str, Any], days: int) -> None:
    logs, name = aws.client("logs"), "/aws/rds/instance/db-1/postgresql"
    logs.create_log_group(logGroupName=f"{name}-other")
    if made:
        logs.create_log_group(logGroupName=name)
    if made.get("retention"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=made["retention"])
    assert databases.log_days(logs, "db-1") == days


T = datetime.datetime(2026, 11, 27, 10, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    ("written", "made", "due"),
    [(None, T, True), (T, T - HOUR, False), (T, T + HOUR, True), (T, None, True)],
    ids=["new", "as it should be", "replaced since", "being made"],
)
def test_a_login_is_due_until_it_was_written_for_the_database_of_now(
    written: datetime.datetime | None, made: datetime.datetime | None, due: bool
) -> None:
    secret = {"LastChangedDate": written or T} | ({"VersionIdsToStages": {"1": ["AWSCURRENT"]}} if written else {})
    vault = SimpleNamespace(describe_secret=lambda SecretId: secret)  # noqa: ARG005 # as boto3 calls it
    instance = {"InstanceCreateTime": made} if made else {}
    rds = SimpleNamespace(describe_db_instances=lambda DBInstanceIdentifier: {"DBInstances": [instance]})  # noqa: ARG005
    assert databases.login_due(rds, vault, "db-1", "arn:1") is due


# Domain

ALB = "Legacy-Alb-1234567890.us-east-1.elb.amazonaws.com"
NAME = "www.berth.localhost"


def record(aws: Cloud, name: str, kind: str, value: str, **more: Any) -> None:
    """A record in the zone that is there from the start; an alias if the value is a load balancer's name."""
    values: dict[str, Any] = {"TTL": 300, "ResourceRecords": [{"Value": value}]}
    if "elb" in value and kind != "CNAME":
        values = {"AliasTarget": {"DNSName": value, "HostedZoneId": "Z35SXDOTRQ7X7K", "EvaluateTargetHealth": False}}
    change = {"Action": "CREATE", "ResourceRecordSet": {"Name": name, "Type": kind, **values, **more}}
    aws.client("route53").change_resource_record_sets(HostedZoneId=ZONE_ID, ChangeBatch={"Changes": [change]})


def records(aws: Cloud, balancer: str = ALB, name: str = NAME) -> dict[str, Any]:
    return account_dns.addresses(aws.client("route53"), ZONE_ID, "berth.localhost", name, balancer)


def test_a_name_that_nobody_uses(aws: Cloud) -> None:
    record(aws, "www2.berth.localhost", "A", "192.0.2.7")
    record(aws, NAME, "TXT", '"x"')
    assert records(aws) == {"own": [], "wildcard": [], "elsewhere": []}


def test_a_name_that_is_in_use(aws: Cloud) -> None:
    record(aws, NAME, "A", "192.0.2.7")
    found = records(aws)
    assert found["elsewhere"] == ["www.berth.localhost A 192.0.2.7, for 300 s"]
    assert found["own"][0]["ours"] is False
    other = "shop.berth.localhost"
    asked = ask(aws, domains={NAME: ZONE_ID, other: ZONE_ID, "shop.test": ""})
    assert asked["records"][NAME]["elsewhere"] == found["elsewhere"]
    assert asked["records"][other]["elsewhere"] == []
    assert set(asked["records"]) == {NAME, other}, "for one without a zone nobody here answers"
    assert [(zone, facts["name"]) for zone, facts in asked["hosted_zones"].items()] == [(ZONE_ID, "berth.localhost")]


def test_records_by_weight_are_all_seen(aws: Cloud) -> None:
    for number in (1, 2):
        record(aws, NAME, "A", f"192.0.2.{number}", SetIdentifier=f"server {number}", Weight=1)
    assert len(records(aws)["elsewhere"]) == 2


@pytest.mark.parametrize("alias", [ALB, f"dualstack.{ALB.lower()}."])
def test_an_alias_of_the_own_load_balancer_is_not_elsewhere(aws: Cloud, alias: str) -> None:
    record(aws, NAME, "A", alias)
    assert records(aws)["elsewhere"] == []
    assert records(aws)["own"][0]["ours"] is True
    assert records(aws, balancer="")["elsewhere"], "without a load balancer nothing is the site's"


@pytest.mark.parametrize("value", [ALB, f"{ALB.lower()}.", f"dualstack.{ALB}"])
def test_a_cname_to_the_own_load_balancer_is_not_elsewhere(aws: Cloud, value: str) -> None:
    record(aws, NAME, "CNAME", value)
    assert records(aws)["elsewhere"] == []
    assert records(aws)["own"][0]["ours"] is True
    assert records(aws, balancer=f"other-{ALB}")["elsewhere"]
    route53 = aws.client("route53")
    cdn = account_dns.addresses(route53, ZONE_ID, "berth.localhost", NAME, f"other-{ALB}", ALB)
    assert cdn["own"][0]["ours"] is True, "where there is a CDN, a name may lead there"
    assert records(aws, balancer="")["elsewhere"]


def test_a_wildcard_answers_only_where_nothing_else_is(aws: Cloud) -> None:
    record(aws, "*.berth.localhost", "CNAME", "old.example.net")
    assert records(aws)["elsewhere"] == ["*.berth.localhost CNAME old.example.net, for 300 s"]
    assert records(aws, name="a.b.berth.localhost")["elsewhere"]
    record(aws, f"below.{NAME}", "A", "192.0.2.8")
    assert records(aws)["elsewhere"] == [], "a name that has names below it is there, if empty"


def test_a_zone_that_is_not_there(aws: Cloud) -> None:
    facts = ask(aws, domains={NAME: "ZNOSUCHZONE", "shop.berth.localhost": ZONE_ID}, delegation=True)
    assert [facts["hosted_zones"][zone]["found"] for zone in ("ZNOSUCHZONE", ZONE_ID)] == [False, True]
    assert facts["records"][NAME]["own"] == facts["delegation"]["ZNOSUCHZONE"] == []


def test_a_private_zone_is_told(aws: Cloud) -> None:
    vpc = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    zone = aws.client("route53").create_hosted_zone(
        Name="inner.test", CallerReference="1", VPC={"VPCRegion": "us-east-1", "VPCId": vpc},
        HostedZoneConfig={"PrivateZone": True},
    )["HostedZone"]["Id"].split("/")[-1]  # fmt: skip
    found = account_dns.hosted_zone(aws.client("route53"), zone)
    assert (found["name"], found["private"]) == ("inner.test", True)


def test_without_the_right_to_see_the_zone_one_thing_is_said(aws: Cloud) -> None:
    facts = ask(Refuses(aws, "route53"), domains={NAME: ZONE_ID, "shop.test": "Z2"}, delegation=True)
    assert set(facts["unasked"]) == {"hosted_zones"}
    assert not {"hosted_zones", "records", "delegation"} & set(facts)


def test_more_names_than_every_account_may_have_in_a_certificate_are_asked_about(aws: Cloud) -> None:
    names = {f"a{number}.shop.test": "" for number in range(11)}
    assert ask(aws, domains=names, quotas=True)["quotas"]["certificate_names"] == {"limit": 10, "used": 0}
    del names["a0.shop.test"]
    assert "certificate_names" not in ask(aws, domains=names, quotas=True)["quotas"]


class Resolver(socketserver.BaseRequestHandler):
    """A DNS server that knows who answers for known.test."""

    def handle(self) -> None:
        data, socket = self.request
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        name = query.question[0].name.to_text()
        if name == "known.test.":
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "NS", "NS-1.awsdns-1.org.", "ns-2.awsdns-2.com."))
        elif name != "empty.test.":
            answer.set_rcode(dns.rcode.NXDOMAIN)
        socket.sendto(answer.to_wire(), self.client_address)


@pytest.fixture
def resolver() -> Iterator[str]:
    """Address and port of a DNS server."""
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Resolver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "{}:{}".format(*server.server_address)
        server.shutdown()


@pytest.mark.parametrize(
    ("zone", "servers"),
    [("known.test", ["ns-1.awsdns-1.org", "ns-2.awsdns-2.com"]), ("unknown.test", []), ("empty.test", [])],
)
def test_who_the_dns_says_answers_for_a_zone(resolver: str, zone: str, servers: list[str]) -> None:
    assert account_dns.delegated_to(zone, resolver) == servers


def test_a_dns_that_does_not_answer_is_said(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_dns, "DNS_SECONDS", 0.2)
    with socketserver.UDPServer(("127.0.0.1", 0), Resolver) as silent:  # bound, and never served
        silent_address = "{}:{}".format(*silent.server_address)
        with pytest.raises(account_dns.CannotAsk, match="no DNS answered"):
            account_dns.delegated_to("known.test", silent_address)

    def nobody(zone: str) -> list[str]:
        raise account_dns.CannotAsk(f"nobody answers for {zone}")

    monkeypatch.setattr(account_dns, "delegated_to", nobody)
    facts = ask(aws, domains={NAME: ZONE_ID}, delegation=True)
    assert facts["unasked"] == {"delegation": "nobody answers for berth.localhost"}
    assert "delegation" not in facts
