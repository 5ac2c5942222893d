"""The list of IAM rights in docs/ is the one that the templates and plugins make."""

from __future__ import annotations

import fnmatch
import json
import re

import pytest

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


CALLS = (
    ("plugins/plugin_utils/stack.py", r"_client", "cloudformation"),
    ("plugins/action/*.py", r"ecs", "ecs"),
    ("plugins/action/*.py", r"ecr", "ecr"),
    ("plugins/action/*.py", r"autoscaling", "autoscaling"),
)
"""Files, the name under which they hold a boto3 client, and its service."""


@pytest.mark.parametrize(("files", "client", "service"), CALLS, ids=[service for *_, service in CALLS])
def test_what_our_plugins_call_is_allowed(files: str, client: str, service: str) -> None:
    text = "".join(path.read_text() for path in operator_policy.PROJECT.glob(files))
    calls = set(re.findall(rf"\b{client}\.(?!get_paginator)([a-z]+_[a-z_]+)\(", text))
    calls |= set(re.findall(rf"\b{client}\.get_paginator\(\"(\w+)\"\)", text))
    calls |= set(re.findall(rf"\blisted\((?:self\.)?{client}, \"(\w+)\"", text))
    assert calls
    actions = operator_policy.rights()
    missing = {
        action
        for action in (f"{service}:{''.join(word.capitalize() for word in call.split('_'))}" for call in calls)
        if not any(fnmatch.fnmatchcase(action, allowed) for allowed in actions)
    }
    assert not missing
