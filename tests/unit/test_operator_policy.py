"""The list of IAM rights in docs/ is the one that the templates and plugins make."""

from __future__ import annotations

import json
import re

from scripts import operator_policy


def test_the_list_is_up_to_date() -> None:
    assert operator_policy.POLICY.read_text() == operator_policy.policy(), "type: python scripts/operator_policy.py"


def test_it_fits_an_inline_policy_of_a_role() -> None:
    """10,240 characters without white space: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    assert len(re.sub(r"\s", "", operator_policy.POLICY.read_text())) <= 10_240


def test_what_no_call_would_show_is_named() -> None:
    actions = [
        a
        for s in json.loads(operator_policy.policy())["Statement"]
        for a in [s["Action"]]
        for a in ([a] if isinstance(a, str) else a)
    ]
    for action in ("iam:PassRole", "iam:CreateServiceLinkedRole", "ecs:RunTask", "ecr:PutImage"):
        assert action in actions
    assert "secretsmanager:Get*" not in actions
