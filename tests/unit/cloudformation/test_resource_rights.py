"""What services of AWS may do by the policy of a thing itself: each statement has a use, and lets in nobody else's."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from cfnlint.decode import decode_str

from local_aws.cloud import Cloud
from local_aws.iam.evaluate import Policy, Principal, Request, Unevaluable, decide
from local_aws.tests.stack_support import Stacks
from tests.unit.noun_support import body, made
from tests.unit.render_support import PROJECT
from tests.unit.rights_support import ACCOUNT, Entry, Json, entries, unneeded

HERE, STRANGER = f"us-east-1:{ACCOUNT}", "210987654321"
GIVEN = {
    "site_access_logs": 30,
    "alarms_subscribers": ["ops@shop.test"],
    "alarms_budget": 40,
    "site_static": {"front": {"folder": "roles/static/files/example"}},
    "site_edge": {"default": "static.front"},
}
KEPT = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy")
NEVER = "nobody.example.com"


class Call(NamedTuple):
    """What a service of AWS does for the site.

    Attributes:
        service: who.
        action: of IAM.
        on: what stands behind the thing's ARN.
        says: what it says of whom it does that for, as condition keys.
    """

    service: str
    action: str
    on: str = ""
    says: Mapping[str, str] = {}


def account(source: str, **more: str) -> dict[str, str]:
    return {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source, **more}


LOGS = f"arn:aws:logs:{HERE}:log-group:x"
ACL = {"s3:x-amz-acl": "bucket-owner-full-control"}
CALLS: Mapping[tuple[str, str], tuple[Call, ...]] = {
    ("access_logs", "AccessLogs"): (
        # docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
        Call(
            "logdelivery.elasticloadbalancing.amazonaws.com", "s3:PutObject",
            f"/balancer/AWSLogs/{ACCOUNT}/elasticloadbalancing/us-east-1/2026/11/27/x.log.gz",
        ),
        # docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
        Call(
            "delivery.logs.amazonaws.com", "s3:PutObject",
            f"/network/AWSLogs/{ACCOUNT}/vpcflowlogs/us-east-1/2026/11/27/x.log.gz", account(LOGS, **ACL),
        ),
        Call("delivery.logs.amazonaws.com", "s3:GetBucketAcl", "", account(LOGS)),
    ),
    ("static.front", "Files"): (
        # docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
        Call(
            "cloudfront.amazonaws.com", "s3:GetObject", "/index.html",
            account(f"arn:aws:cloudfront::{ACCOUNT}:distribution/E0A1B"),
        ),
    ),
    ("alarms", "Topic"): (
        # docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
        Call(
            "cloudwatch.amazonaws.com", "sns:Publish", "",
            account(f"arn:aws:cloudwatch:{HERE}:alarm:shop-unit-cluster-x"),
        ),
        # docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
        Call("events.amazonaws.com", "sns:Publish", "", account(f"arn:aws:events:{HERE}:rule/shop-unit-alarms-x")),
        # docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
        Call(
            "budgets.amazonaws.com", "sns:Publish", "", account(f"arn:aws:budgets::{ACCOUNT}:budget/shop-unit-monthly"),
        ),
    ),
}  # fmt: skip
"""(layer, logical id) → what is done to it."""


def layers() -> dict[str, Any]:
    return made(GIVEN, tuple(layer.partition(".")[0] for layer, _ in CALLS))


@pytest.fixture
def policy(request: pytest.FixtureRequest, aws: Cloud, stacks: Stacks) -> tuple[str, Json]:
    """ARN and policy of a thing, as CloudFormation makes them."""
    layer, name = request.param
    options = layers()[layer]
    found, problems = decode_str(body(options))
    assert found is not None, problems
    resources = {key: copy.deepcopy(each) for key, each in found["Resources"].items() if each["Type"] in KEPT}
    values = {**options.get("parameters", {}), "SiteName": "shop", "EnvironmentName": "unit", "VpcId": "vpc-0a1b"}
    parameters = {key: {"Type": "String", "Default": str(values[key])} for key in found.get("Parameters", {})}
    stack = f"shop-unit-{options['stack'].replace('_', '-')}"
    ids = stacks.made(stack, json.dumps({"Parameters": parameters, "Resources": resources}))
    if resources[name]["Type"] == "AWS::S3::Bucket":
        arn, text = f"arn:aws:s3:::{ids[name]}", aws.client("s3").get_bucket_policy(Bucket=ids[name])["Policy"]
    else:
        arn = ids[name]
        text = aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    return arn, json.loads(text)


def asked(call: Call, arn: str, service: str = "", **other: str) -> Request:
    says = {"aws:SecureTransport": "true", "aws:SourceAccount": (), "aws:SourceArn": (), "s3:x-amz-acl": ()}
    context: dict[str, Any] = says | dict(call.says) | other
    return Request(Principal.service(service or call.service), call.action, arn + call.on, context, account=ACCOUNT)


def allowed(request: Request, document: Json) -> bool:
    try:
        return decide(request, (), Policy("of the thing", document)).allowed
    except Unevaluable as unknown:
        raise AssertionError(f"{request.action}: {unknown}") from unknown


@pytest.mark.parametrize(("policy", "calls"), [(each, CALLS[each]) for each in CALLS], indirect=["policy"])
def test_each_statement_has_a_use_and_lets_in_nobody_else_s(policy: tuple[str, Json], calls: tuple[Call, ...]) -> None:
    arn, document = policy
    for call in calls:
        assert allowed(asked(call, arn), document), call
        assert not allowed(asked(call, arn, NEVER), document), call
        if source := call.says.get("aws:SourceArn"):
            other = source.replace(ACCOUNT, STRANGER)
            assert not allowed(asked(call, arn, **{"aws:SourceArn": other}), document), call
        if not call.says.get("aws:SourceArn"):  # who it is for stands in the path
            assert not allowed(asked(call._replace(on=call.on.replace(ACCOUNT, STRANGER)), arn), document), call

    def denied(less: Any, _entry: Entry) -> bool:
        rest = json.loads(str(less[0].document)) if isinstance(less[0].document, str) else less[0].document
        return any(not allowed(asked(call, arn), rest) for call in calls)

    found = {"of the thing": document}
    assert "\n".join(unneeded(found, denied, {})) == ""
    assert list(entries(found))


def test_each_policy_that_lets_a_service_in_is_judged() -> None:
    """Else a new one could let in whom it likes; who may assume a role is judged in test_role_rights.py."""
    principal = re.compile(r"AssumeRolePolicyDocument:(?:\n.*?)*?Principal: .*|Principal: {Service: (\S+)}")
    named = {
        (path.stem, found[1])
        for path in (PROJECT / "cloudformation").glob("*.yml")
        for found in principal.finditer(path.read_text())
        if found[1]
    }
    judged = {(layer.partition(".")[0], call.service) for (layer, _), made_by in CALLS.items() for call in made_by}
    assert named == judged - {("static", "cloudfront.amazonaws.com")}, "that one is made by plugins/filter/edge.py"
