"""Each policy that a template makes, and those of docs/, by what IAM knows: nothing in them is without an effect."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.decode import decode_str

from local_aws.iam.problems import policies_problems
from scripts.operator_policy import TRADES, Site, policies
from tests.unit.cloudformation import test_noun_service_templates, test_noun_templates
from tests.unit.noun_support import NOUNS, TASKS, body, made
from tests.unit.render_support import KNOWN, LAYERS, PROJECT

PSEUDO = {"Partition": "aws", "Region": "us-east-1", "AccountId": "111122223333", "StackName": "shop-unit-x"}
REGIONAL = "arn:aws:{service}:us-east-1:111122223333:{rest}"
NAMED_BY_ARN = ("AWS::SNS::Topic", "AWS::SecretsManager::Secret")
"""Types of which Ref gives the ARN."""
ARNS = {
    "AWS::SNS::Topic": REGIONAL.format(service="sns", rest="x"),
    "AWS::DynamoDB::Table": REGIONAL.format(service="dynamodb", rest="table/x"),
    "AWS::ECS::Cluster": REGIONAL.format(service="ecs", rest="cluster/x"),
    "AWS::IAM::Role": "arn:aws:iam::111122223333:role/x",
    "AWS::Logs::LogGroup": REGIONAL.format(service="logs", rest="log-group:x:*"),
    "AWS::S3::Bucket": "arn:aws:s3:::x",
    "AWS::SQS::Queue": REGIONAL.format(service="sqs", rest="x"),
    "AWS::SecretsManager::Secret": REGIONAL.format(service="secretsmanager", rest="secret:x"),
}
"""What Fn::GetAtt of a resource's Arn says."""
OUTPUTS = {
    r".*(Secret|Login)Arn": ARNS["AWS::SecretsManager::Secret"],
    r".*BucketArn": ARNS["AWS::S3::Bucket"],
    r"Table.*Arn": ARNS["AWS::DynamoDB::Table"],
    r".*RepositoryArn": REGIONAL.format(service="ecr", rest="repository/x"),
    r".*FileSystemArn": REGIONAL.format(service="elasticfilesystem", rest="file-system/x"),
    r"Copied[0-9]+": REGIONAL.format(service="elasticfilesystem", rest="file-system/x"),
    r".*VaultArn": REGIONAL.format(service="backup", rest="backup-vault:x"),
    r".*AccessPointArn": REGIONAL.format(service="elasticfilesystem", rest="access-point/x"),
    r".*Name|.*Id": "x",
}
"""What a parameter is given that takes another layer's output."""
WITH_RESOURCE = ("AssumeRolePolicyDocument", "FileSystemPolicy", "KeyPolicy", "RepositoryPolicyText", "ResourcePolicy")
"""Properties that are the policy of a resource itself."""
MORE = KNOWN | {
    "alarms_subscribers": ["ops@example.org"],
    "alarms_budget": 40,
    "host_access_session_manager": True,
    "deployer_subjects": ["repo:a/b:environment:prod"],
    "deployer_plan_subjects": ["repo:a/b:pull_request"],
    "cluster_user_data": "#cloud-config",
    "site_backups": {"every": "1d", "at": "04:00", "copy_to": "eu-west-1"},
    "site_access_logs": 30,
}
"""Variables of layers that a site has one of, with which they have all of their policies."""


def with_policies() -> set[str]:
    """The layers whose templates have a policy in them."""
    having = re.compile(rf"\b(PolicyDocument|{'|'.join(WITH_RESOURCE)}):")
    return {path.stem for path in (PROJECT / "cloudformation").glob("*.yml") if having.search(path.read_text())}


def templates() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every layer's template with a policy in it, rendered by the roles: with all that the tests of the nouns use."""
    others = tuple(layer for layer in LAYERS if layer in with_policies() - {*NOUNS, *TASKS})
    given = copy.deepcopy(test_noun_templates.ENTRIES)
    rendered = made(given, NOUNS) | made(test_noun_service_templates.ENTRIES, TASKS)
    rendered |= made(given | MORE, others)
    for name, layer in rendered.items():
        template, problems = decode_str(body(layer))
        assert template is not None, problems
        yield name, dict(template)


def resolved(value: Any, template: Mapping[str, Any]) -> Any:
    """A part of a template with texts in place of functions, as a deployment would have them."""
    if isinstance(value, list):
        return [resolved(each, template) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or not next(iter(value)).startswith(("Ref", "Fn::")):
        return {key: resolved(each, template) for key, each in value.items()}
    ((function, told),) = value.items()
    match function:
        case "Ref" | "Fn::GetAtt":
            return _told(told if isinstance(told, str) else ".".join(told), template)
        case "Fn::Sub":
            return re.sub(r"\$\{([^!}]+)\}", lambda found: str(_told(found[1], template)), told).replace("${!", "${")
        case "Fn::If":
            return resolved(told[1], template)
        case "Fn::Join":
            return told[0].join(map(str, resolved(told[1], template)))
    raise AssertionError(f"{function} is in a policy; say here what comes of it")


def _told(name: str, template: Mapping[str, Any]) -> Any:
    if name.startswith("AWS::"):
        return PSEUDO[name.removeprefix("AWS::")]
    logical_id, _, attribute = name.partition(".")
    if logical_id in template["Resources"]:
        kind = template["Resources"][logical_id]["Type"]
        if kind == "AWS::IAM::OIDCProvider":
            return "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
        return ARNS[kind] if attribute == "Arn" or kind in NAMED_BY_ARN else "x"
    given = template["Parameters"][name].get("Default")
    return given or next(text for pattern, text in OUTPUTS.items() if re.fullmatch(pattern, name))


def documents(value: Any, at: str = "") -> Iterator[tuple[str, Any, bool]]:
    """Where a policy stands, the policy, and whether it is a resource's own."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from documents(each, f"{at}.{number}")
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in WITH_RESOURCE:
                yield f"{at}.{key}", each, True
            elif key == "PolicyDocument":
                of_bucket = "Policies" not in at
                yield f"{at}.{key}", each, of_bucket
            else:
                yield from documents(each, f"{at}.{key}")


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[Any, bool]]:
    """Where → policy, and whether it is a resource's own."""
    return {
        f"{name}{at}": (resolved(document, template), of_resource)
        for name, template in templates()
        for at, document, of_resource in documents(template["Resources"])
    }


def test_each_template_with_policies_is_looked_at(found: dict[str, tuple[Any, bool]]) -> None:
    """That there is none which the tests' sites leave out."""
    assert {where.partition(".")[0] for where in found} == with_policies()


def test_no_policy_of_a_template_has_a_part_without_effect(found: dict[str, tuple[Any, bool]]) -> None:
    problems = {where: policies_problems(*policy) for where, policy in found.items()}
    assert {where: said for where, said in problems.items() if said} == {}


@pytest.mark.parametrize("trade", TRADES)
def test_no_operator_policy_has_one_either(trade: str) -> None:
    shop = Site("shop", "eu-central-1", "111122223333", "aws", session_manager=True)
    assert policies_problems(policies(shop)[trade]) == []


def test_a_policy_with_one_is_found() -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x"}
    assert policies_problems({"Version": "2012-10-17", "Statement": [statement]}) == [
        "statement 1: none of its actions takes arn:aws:s3:::x",
        "statement 1: s3:GetObject takes none of its resources, but accesspointobject or object",
    ]
