"""No plugin takes one page for all: what can be paged is asked by its paginator, or by the one name that it wants."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
SERVICES = (
    "acm", "apigatewayv2", "autoscaling", "cloudformation", "cloudwatch", "ec2", "ecr", "ecs", "efs", "elbv2", "iam",
    "lambda", "logs", "rds", "route53", "s3", "secretsmanager", "service-quotas", "ssm", "sts",
)  # fmt: skip
ONE = {
    "describe_auto_scaling_groups": "AutoScalingGroupNames",
    "describe_capacity_providers": "capacityProviders",
    "describe_db_instances": "DBInstanceIdentifier",
    "describe_images": ("ImageIds", "imageIds"),
    "describe_instance_types": "InstanceTypes",
    "describe_launch_configurations": "LaunchConfigurationNames",
    "describe_repositories": "repositoryNames",
    "describe_stacks": "StackName",
    "describe_target_groups": "TargetGroupArns",
    "describe_tags": "ResourceArns",  # of elbv2
}
"""Operation → the argument by which it is asked for the few things it is to find, so that one page is all."""
TOKENS = ("NextToken", "nextToken", "Marker")
REASON = "# one page: "
"""How a line says why the first page is enough: at its end, or on the line before."""


@functools.cache
def pageable() -> frozenset[str]:
    """boto3's names of all operations that answer in pages."""
    session, found = botocore.session.get_session(), set[str]()
    for service in SERVICES:
        model = session.get_service_model(service)
        found |= {xform_name(name) for name in session.get_paginator_model(service)._paginator_config}
        for name in model.operation_names:
            operation = model.operation_model(name)
            asks = operation.input_shape.members if operation.input_shape else {}
            tells = operation.output_shape.members if operation.output_shape else {}
            if any(token in asks and token in tells for token in TOKENS):
                found.add(xform_name(name))
    return frozenset(found)


def _asked(tree: ast.AST) -> dict[str, list[Any]]:
    """Pageable operation → its calls."""
    found: dict[str, list[Any]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in pageable():
            found.setdefault(node.func.attr, []).append(node)
    return found


def faults(source: str) -> list[str]:
    """Each call of a pageable operation that takes one page without a word."""
    lines, found, tree = source.splitlines(), [], ast.parse(source)
    loops = {
        id(call)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for group in _asked(function).values()
        if any(keyword.arg in TOKENS for call in group for keyword in call.keywords)
        for call in group
    }
    for node in (call for group in _asked(tree).values() for call in group if id(call) not in loops):
        names = {keyword.arg for keyword in node.keywords}
        one: Any = ONE.get(node.func.attr, ())
        line = node.func.end_lineno or node.lineno
        told = any(REASON in text for text in lines[max(0, node.lineno - 2) : line])
        if not told and not names & set([one] if isinstance(one, str) else one):
            found.append(f"{line}: {node.func.attr}")
    return found


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("*.py")), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_what_can_be_paged_is(path: Path) -> None:
    assert not faults(path.read_text()), "use get_paginator (or `listed`, `pages`), or say why: " + REASON


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("ecs.list_services(cluster=name)", True),
        ("ecs.describe_capacity_providers()", True),
        ("iam.list_roles(PathPrefix=path)['Roles']", True),
        ("ecs.list_services(cluster=name)  # one page: the cluster has one", False),
        ("# one page: the newest come first\nclient.describe_stack_events(StackName=name)", False),
        ("cloudformation.describe_stacks()", True),
        ("cloudformation.describe_stacks(StackName=name)", False),
        ("ecs.get_paginator('list_services').paginate(cluster=name)", False),
        ("def of(name):\n    page = c.describe_change_set(ChangeSetName=name)\n    return page", True),
        (
            "def of(name):\n    page = c.describe_change_set(ChangeSetName=name)\n    while page.get('NextToken'):\n"
            "        page = c.describe_change_set(ChangeSetName=name, NextToken=page['NextToken'])",
            False,
        ),
        ("ecs.describe_services(cluster=name, services=arns)", False),
    ],
)
def test_the_rule_itself(source: str, wrong: bool) -> None:
    assert bool(faults(source)) == wrong
