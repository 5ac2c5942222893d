"""Roles that are there, and that ECS may take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.verify import roles
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG
from tests.unit.plugins.plugin_utils.verify.support import states, task


def allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": roles.SERVICE}, "Action": "sts:AssumeRole", **more}


@pytest.mark.parametrize(
    ("statements", "right"),
    [
        (allow(), True),
        ([allow(Principal={"Service": ["ec2.amazonaws.com", roles.SERVICE]}, Action=["sts:AssumeRole"])], True),
        (allow(Principal="*"), True),
        (allow(Principal={"Service": "ec2.amazonaws.com"}), False),
        (allow(Principal={"AWS": "arn:aws:iam::1:root"}), False),
        (allow(Action="sts:TagSession"), False),
        ([allow(), allow(Effect="Deny")], False),
        ([allow(), allow(Effect="Deny", Condition={"Bool": {"aws:x": "true"}})], True),
        ([], False),
    ],
)
def test_a_trust_policy_lets_ecs_take_the_role_or_not(statements: Any, right: bool) -> None:
    assert roles.trusts({"Statement": statements}) is right


def test_roles_are_looked_up_and_one_that_is_gone_is_told(aws: Cloud) -> None:
    iam = aws.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [allow()]}
    iam.create_role(RoleName="shop-execution", AssumeRolePolicyDocument=json.dumps(trust))
    found = list(roles.check(iam, task()))
    assert states(found) == {
        ("role", "service.web", "execution role"): OK,
        ("role", "service.web", "task role"): WRONG,
    }
    assert "there is no role shop-task" in found[1].reason

    other = {"Version": "2012-10-17", "Statement": [allow(Principal={"Service": "ec2.amazonaws.com"})]}
    iam.update_assume_role_policy(RoleName="shop-execution", PolicyDocument=json.dumps(other))
    (first, _) = roles.check(iam, task())
    assert (first.state, "shop-execution does not trust ecs-tasks.amazonaws.com" in first.reason) == (WRONG, True)


def test_what_is_not_up_has_no_roles_to_ask_for(aws: Cloud) -> None:
    (found,) = roles.check(aws.client("iam"), task(definition={}))
    assert found.state == NOT_ASKED
