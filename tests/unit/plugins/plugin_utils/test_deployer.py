"""A pipeline may release one environment, and nothing else."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest

from plugins.plugin_utils import deployer
from scripts import operator_policy
from scripts.rights import calls, iam

RELEASES = deployer.releasing("shop", "prod")
OWN = {"aws:ResourceTag/Site": "shop", "aws:ResourceTag/Environment": "prod"}
MADE = {"aws:RequestTag/Site": "shop", "aws:RequestTag/Environment": "prod"}
"""What AWS has no name of ours for is told by its tags."""
LOOKS = deployer.looking("shop")
PARTS = (
    "ecr_keep", "ecr_push", "ecs_live_release", "ecs_run_task", "ecs_service_wait", "function_code", "ledger", "lock",
    "logs", "maintenance_switch", "registry_images", "scaling", "secret_versions", "stack_outputs", "starts",
    "static_release",
)  # fmt: skip
"""Plugins of a release that ask AWS, by the names of their files; what updates stacks is judged by its own table."""
MOST = 10240
"""Characters of all inline policies of a role: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for each in statements for action in listed(each["Action"])}


def arns(statement: dict[str, Any]) -> list[str]:
    return [each if isinstance(each, str) else each["Fn::Sub"] for each in listed(statement["Resource"])]


def test_each_action_is_one_of_iam_and_of_who_makes_a_site() -> None:
    found = operator_policy.policies(operator_policy.Site())
    given = {right for policy in found.values() for each in policy["Statement"] for right in listed(each["Action"])}
    for action in actions(RELEASES):
        assert iam.known(action), action
        assert any(fnmatch.fnmatchcase(action, right) for right in given), action


def test_a_release_and_its_checks_are_allowed_all_that_they_call() -> None:
    given = actions(RELEASES) | actions(LOOKS) | {"ecs:DeregisterTaskDefinition", "sts:GetCallerIdentity"}
    called = calls.scanned()
    for part in PARTS:
        wanted = {action for call in called[part] for action in calls.actions(*call)}
        assert {each for each in wanted if not any(fnmatch.fnmatchcase(each, right) for right in given)} == set(), part


def by_tags(statement: dict[str, Any]) -> bool:
    given: dict[str, str] = statement.get("Condition", {}).get("StringEquals", {})
    return OWN.items() <= given.items() or MADE.items() <= given.items()


def test_each_action_is_granted_on_what_it_takes() -> None:
    """An action in a statement whose resource is none of its types is not granted, without a word."""
    for statement in RELEASES:
        if by_tags(statement):
            named = [re.sub(r"\$\{AWS::\w+\}", "", arn).split(":", 5)[-1] for arn in arns(statement)]
            types = {each.removesuffix("/*") for each in named}
            types = {each.replace("scalable-target", "scalabletarget") for each in types}  # IAM's own word for it
            assert [action for action in statement["Action"] if not iam.kinds(action) & types] == []
            continue
        names = [re.sub(r"\$\{AWS::\w+\}", "", arn).split(":", 5)[-1] for arn in arns(statement)]
        for action in statement["Action"]:
            shapes = [pattern.partition("{site}")[0] for pattern in iam.patterns(action)]
            assert any(name.startswith(shape) for name in names for shape in shapes), action


def test_all_that_it_changes_is_of_this_environment() -> None:
    for statement in RELEASES:
        for arn in arns(statement):
            assert by_tags(statement) or re.search(r"[:/]shop-prod[-/]|:/shop/prod/", arn), arn
    tagged = [each for each in RELEASES if by_tags(each)]
    services = {action.partition(":")[0] for action in actions(tagged)}
    assert services == {"elasticloadbalancing", "application-autoscaling"}, "whose names AWS makes up"
    (making,) = [each for each in tagged if "aws:RequestTag/Site" in each["Condition"]["StringEquals"]]
    assert making["Condition"]["StringEquals"]["elasticloadbalancing:CreateAction"] == "CreateRule"
    assert making["Action"] == ["elasticloadbalancing:AddTags"], "tags of its own are a right to all that bears them"


@pytest.mark.parametrize(
    "forbidden",
    [
        "iam:PutRolePolicy", "iam:CreateRole", "iam:AttachRolePolicy", "cloudformation:CreateStack",
        "cloudformation:DeleteStack", "cloudformation:ExecuteChangeSet", "ecs:DeleteService", "ecs:DeleteCluster",
        "ecr:DeleteRepository", "logs:DeleteLogGroup", "rds:DeleteDBInstance", "secretsmanager:GetSecretValue",
        "ec2:TerminateInstances", "autoscaling:UpdateAutoScalingGroup", "dynamodb:GetItem", "s3:DeleteBucket",
    ],
)  # fmt: skip
def test_what_is_no_release_it_may_not(forbidden: str) -> None:
    for policy in (RELEASES, LOOKS):
        assert not [right for right in actions(policy) if fnmatch.fnmatchcase(forbidden, right)]


def test_stacks_of_the_ground_are_none_of_its_business() -> None:
    (stacks,) = [each for each in RELEASES if "cloudformation:UpdateStack" in each["Action"]]
    assert {arn.rpartition("stack/")[2] for arn in arns(stacks)} == {
        "shop-prod-service-*/*", "shop-prod-job-*/*", "shop-prod-function-*/*",
    }  # fmt: skip
    (roles,) = [each for each in RELEASES if each["Action"] == ["iam:PassRole"]]
    assert all(re.search(r":role/shop-prod-(service|job|function)-\*$", arn) for arn in arns(roles))


def test_it_looks_at_what_operate_looks_at_and_at_no_content() -> None:
    operate = json.loads(deployer.OPERATE.read_text())["Statement"]
    looking = {right for right in actions(operate) if deployer.LOOKING.match(right)}
    assert actions(LOOKS) == looking
    assert {"ecs:Describe*", "cloudformation:GetTemplate"} <= looking
    assert "s3:GetObject" not in looking
    assert deployer.LOOKING.pattern == iam.LOOKING.pattern
    assert not re.search(r"\b(SITE|PARTITION|REGION|ACCOUNT)\b", json.dumps(LOOKS))


def test_a_role_has_room_for_all_of_it() -> None:
    """Names are at their longest: twenty letters of a site, twelve of an environment."""
    site, environment = "s" * 20, "e" * 12
    text = json.dumps([deployer.looking(site), deployer.releasing(site, environment)], separators=(",", ":"))
    for word, longest in (("Partition", "aws"), ("Region", "ap-southeast-2"), ("AccountId", "1" * 12)):
        text = text.replace(f"${{AWS::{word}}}", longest)
    assert len(text.replace('{"Fn::Sub":', "")) < MOST
