"""The layer access_logs deployed by our CloudFormation: who may write into its bucket, and for how long it is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from tests.unit.noun_support import Deployed, RolesOf, body
from tests.unit.plugin_support import talk_to
from tests.unit.render_support import PROJECT


def layer(**given: Any) -> dict[str, Any]:
    """The layer of a site with these variables; empty if it has none."""
    found = dict(RolesOf(given).layers("access_logs", PROJECT / "cloudformation"))
    return {"stack": "access-logs", **found["access_logs"]} if "access_logs" in found else {}


@pytest.fixture
def site(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    talk_to(aws, monkeypatch)
    return Deployed(aws, stacks)


def test_logs_are_kept_for_some_days_and_who_writes_them_may_write_nothing_else(site: Deployed) -> None:
    made = site.create("access_logs", layer(site_access_logs=30))
    s3, bucket = site.aws.client("s3"), made["AccessLogs"]
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (rule["Status"], rule["Expiration"]["Days"]) == ("Enabled", 30)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    allowed = {each["Sid"]: each for each in statements if each["Effect"] == "Allow"}
    assert set(allowed) == {"Balancer", "Network", "NetworkLooks"}
    balancer = allowed["Balancer"]
    assert balancer["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert balancer["Resource"] == f"arn:aws:s3:::{bucket}/balancer/AWSLogs/123456789012/*"
    assert balancer["Action"] == allowed["Network"]["Action"] == "s3:PutObject"
    assert allowed["Network"]["Resource"] == f"arn:aws:s3:::{bucket}/network/AWSLogs/123456789012/*"
    assert allowed["Network"]["Condition"]["StringEquals"]["aws:SourceAccount"] == "123456789012"
    (log,) = site.aws.client("ec2").describe_flow_logs()["FlowLogs"]
    assert (log["ResourceId"], log["TrafficType"]) == (site.outputs["VpcId"], "ALL")
    assert log["LogDestination"] == f"arn:aws:s3:::{bucket}/network"
    edge = f"{made['EdgeLogs']}.s3.amazonaws.com"
    assert site.stacks.outputs("shop-unit-access-logs") == {"AccessLogsBucket": bucket, "EdgeLogsDomainName": edge}

    site.create("access_logs", layer(site_access_logs=7))
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["Expiration"]["Days"] == 7
    assert site.run("access_logs", layer(site_access_logs=7))["changed"] is False


def test_the_cdn_has_a_bucket_of_its_own_with_acls_that_is_closed_all_the_same(site: Deployed) -> None:
    made = site.create("access_logs", layer(site_access_logs=30))
    s3, bucket = site.aws.client("s3"), made["EdgeLogs"]
    (rule,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerPreferred"}
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (rule["Status"], rule["Expiration"]["Days"]) == ("Enabled", 30)
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    (rule,) = s3.get_bucket_ownership_controls(Bucket=made["AccessLogs"])["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}, "nobody else needs ACLs"


def test_where_cloudfront_cannot_write_there_is_no_bucket_for_it() -> None:
    text = body(layer(site_access_logs=30, aws_region="eu-south-1"))
    assert "EdgeLogs" not in text
    assert "EdgeLogsDomainName" in body(layer(site_access_logs=30, aws_region="eu-west-1"))


def test_a_vpc_that_was_there_before_is_not_listened_to(site: Deployed) -> None:
    site.create("access_logs", layer(site_access_logs=30, network_vpc_id="vpc-0123456789abcdef0"))
    assert site.aws.client("ec2").describe_flow_logs()["FlowLogs"] == []


def test_without_days_there_is_no_layer() -> None:
    assert layer(site_access_logs=0) == layer() == {}


def test_the_load_balancer_takes_its_bucket_and_lets_go_of_it(site: Deployed) -> None:
    """With the attributes of cloudformation/cluster.yml, as they stand there."""
    text = (PROJECT / "cloudformation/cluster.yml").read_text()
    lines = [line for line in text.splitlines() if "access_logs.s3" in line]
    assert len(lines) == 3
    body = "\n".join(
        [
            "Parameters: {AccessLogsBucket: {Type: String, Default: ''}, Subnets: {Type: CommaDelimitedList}}",
            'Conditions: {HasAccessLogs: !Not [!Equals [!Ref AccessLogsBucket, ""]]}',
            "Resources:",
            "  Alb:",
            "    Type: AWS::ElasticLoadBalancingV2::LoadBalancer",
            "    Properties:",
            "      Subnets: !Ref Subnets",
            "      LoadBalancerAttributes:",
            *lines,
        ]
    )
    bucket = site.create("access_logs", layer(site_access_logs=30))["AccessLogs"]
    subnets = {"Subnets": site.outputs["PrivateSubnetIds"]}
    arn = site.stacks.made("balancer", body, {**subnets, "AccessLogsBucket": bucket})["Alb"]

    def told() -> dict[str, str]:
        found = site.aws.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        return {each["Key"]: each["Value"] for each in found if each["Key"].startswith("access_logs")}

    assert told() == {
        "access_logs.s3.enabled": "true", "access_logs.s3.bucket": bucket, "access_logs.s3.prefix": "balancer",
    }  # fmt: skip
    assert site.stacks.changed("balancer", body, subnets)["Alb"] == arn
    assert told()["access_logs.s3.enabled"] == "false"
