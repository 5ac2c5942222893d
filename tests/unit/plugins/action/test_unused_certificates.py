"""Other domain names on a live site: the old certificate goes once the listener has the new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import cloudformation_stacks, unused_certificates
from plugins.plugin_utils.account import certificates as account
from tests.unit.noun_support import RolesOf
from tests.unit.plugin_support import PROJECT, environment, playbook, run_action, talk_to

pytestmark = pytest.mark.playbook

STACK = "legacy-unit-certificate"
ZONE = "Z0BERTHLOCALZONE"


def deploy(domain: str, *aliases: str) -> str:
    """The layer as the role makes it; the ARN of its certificate."""
    given = {"domain_name": domain, "hosted_zone_id": ZONE, "domain_aliases": list(aliases)}
    ((_, layer),) = RolesOf(given).layers("certificate", PROJECT / "cloudformation")
    result = run_action(cloudformation_stacks, {"prefix": "legacy-unit", "stacks": {"certificate": layer}})
    assert not result.get("failed"), result
    return str(result["outputs"]["CertificateArn"])


def certificates(aws: Cloud) -> set[str]:
    return {one["CertificateArn"] for one in aws.client("acm").list_certificates()["CertificateSummaryList"]}


def listen(aws: Cloud, certificate: str) -> str:
    """A load balancer with an HTTPS listener; the listener's ARN."""
    ec2, elb = aws.client("ec2"), aws.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/20")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name="site", Subnets=[each["SubnetId"] for each in subnets])
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    made = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": certificate}], DefaultActions=[answer],
    )  # fmt: skip
    return str(made["Listeners"][0]["ListenerArn"])


def clear(aws: Cloud, check: bool = False) -> dict[str, Any]:
    return unused_certificates.clear(aws.client("cloudformation"), aws.client("acm"), STACK, 0, check)


@pytest.fixture
def aws(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    talk_to(aws, monkeypatch)
    return aws


def test_the_old_certificate_goes_once_the_listener_has_the_new_one(aws: Cloud) -> None:
    old = deploy("www.berth.localhost")
    listener = listen(aws, old)
    assert clear(aws) == {"deleted": [], "in_use": {}}, "the one that is there stays"

    new = deploy("shop.berth.localhost")

    assert certificates(aws) == {old, new}, "CloudFormation could not delete it"
    blocked = clear(aws)
    assert blocked["deleted"] == []
    assert [":loadbalancer/app/site/" in arn for arn in blocked["in_use"][old]] == [True]
    # Here a run may be interrupted: the next one begins anew.
    assert deploy("shop.berth.localhost") == new
    aws.client("elbv2").modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": new}])
    assert clear(aws, check=True) == {"deleted": [old], "in_use": {}}
    assert certificates(aws) == {old, new}, "check mode deletes nothing"

    assert clear(aws) == {"deleted": [old], "in_use": {}}
    assert certificates(aws) == {new}
    assert clear(aws) == {"deleted": [], "in_use": {}}


def test_a_name_more_or_less_is_another_certificate_and_the_former_goes_later(aws: Cloud) -> None:
    one = deploy("www.berth.localhost")
    listener = listen(aws, one)
    two = deploy("www.berth.localhost", "berth.localhost")
    assert certificates(aws) == {one, two}, "the listener still has the first"
    aws.client("elbv2").modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": two}])
    assert clear(aws) == {"deleted": [one], "in_use": {}}
    three = deploy("www.berth.localhost")
    assert three not in (one, two)
    aws.client("elbv2").modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": three}])
    assert clear(aws) == {"deleted": [two], "in_use": {}}


def test_certificates_that_the_stack_never_had_are_left_alone(aws: Cloud) -> None:
    acm = aws.client("acm")
    tags = [{"Key": "Name", "Value": "www.berth.localhost"}]
    somebodys = acm.request_certificate(DomainName="www.berth.localhost", ValidationMethod="DNS", Tags=tags)
    mine = deploy("www.berth.localhost")
    assert clear(aws) == {"deleted": [], "in_use": {}}
    assert certificates(aws) == {mine, somebodys["CertificateArn"]}


def test_a_stack_that_is_not_there_or_not_at_rest_is_passed_over(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    assert clear(aws) == {"deleted": [], "in_use": {}}
    deploy("www.berth.localhost")
    deploy("shop.berth.localhost")
    cloudformation = aws.client("cloudformation")
    busy = {"Stacks": [{"StackStatus": "UPDATE_IN_PROGRESS", "StackId": STACK}]}
    monkeypatch.setattr(cloudformation, "describe_stacks", lambda **_: busy)
    assert account.replaced(cloudformation, STACK) == []


def test_preflight_asks_which_were_left_and_are_still_there(aws: Cloud) -> None:
    def left() -> list[str]:
        return account.left(aws.client("cloudformation"), aws.client("acm"), STACK)

    assert left() == [], "no stack yet"
    old = deploy("www.berth.localhost")
    listener = listen(aws, old)
    assert left() == []
    new = deploy("shop.berth.localhost")
    assert left() == [old]
    aws.client("elbv2").modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": new}])
    assert clear(aws)["deleted"] == [old]
    assert left() == [], "the stack's events name it for ever"


def test_it_runs_as_a_module(aws: Cloud, tmp_path: Path) -> None:
    listener = listen(aws, deploy("www.berth.localhost"))
    new = deploy("shop.berth.localhost")
    aws.client("elbv2").modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": new}])
    task: dict[str, Any] = {"unused_certificates": {"stack": STACK}}
    run = playbook(tmp_path, [task, {**task, "register": "again"}], **environment(aws))
    assert run.code == 0, run.output
    assert "changed=1" in run.recap
    assert certificates(aws) == {new}
