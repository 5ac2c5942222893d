"""No log of a site is kept for ever: each group has a retention, and nothing is left to a service to make by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins.plugin_utils.layers import Template
from tests.rendered_templates import templates
from tests.unit.variables_support import PROJECT, load

RETENTION = {"Ref": "LogRetentionDays"}
LOGGING = {"service", "job", "function", "waf"}
"""The layers that have a group of their own."""


@pytest.fixture(scope="module")
def rendered() -> dict[str, Any]:
    """Layer and inventory → template, of all layers as they are deployed."""
    return {name: Template.read(text) for name, text in templates()}


def of_type(rendered: dict[str, Any], *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a resource of a type stands, and its properties."""
    for name, template in rendered.items():
        for logical, resource in template.resources.items():
            if resource["Type"] in types:
                yield f"{name}.{logical}", resource.get("Properties", {})


def named(value: Any) -> Iterator[dict[str, Any]]:
    """The mappings in a value that say into which group containers write."""
    if isinstance(value, dict):
        if "awslogs-region" in value:
            yield value
        for each in value.values():
            yield from named(each)
    elif isinstance(value, list):
        for each in value:
            yield from named(each)


def test_each_group_has_a_retention(rendered: dict[str, Any]) -> None:
    found = dict(of_type(rendered, "AWS::Logs::LogGroup"))
    assert {name.partition(".")[0] for name in found} >= LOGGING
    for name, properties in found.items():
        days = properties.get("RetentionInDays")
        assert days == RETENTION or int(str(days)) > 0, name
        if days == RETENTION:
            bounds = rendered[name.rpartition(".")[0]].parameters["LogRetentionDays"]
            assert "Default" not in bounds, f"{name}: a run that says none would be taken for a default"


def test_containers_and_functions_write_into_a_group_of_the_template(rendered: dict[str, Any]) -> None:
    """Of one that is not there Lambda makes another, and so does ECS where it may (awslogs-create-group): for ever."""
    functions = dict(of_type(rendered, "AWS::Lambda::Function"))
    assert functions
    for name, properties in functions.items():
        assert properties["LoggingConfig"] == {"LogGroup": {"Ref": "LogGroup"}}, name
    tasks = dict(of_type(rendered, "AWS::ECS::TaskDefinition"))
    assert tasks
    for name, properties in tasks.items():
        written = list(named(properties))
        assert written, name
        for each in written:
            assert each["awslogs-group"] == {"Ref": "LogGroup"}, name
            assert "awslogs-create-group" not in each, name


def test_what_rds_makes_itself_gets_its_retention_by_site(rendered: dict[str, Any]) -> None:
    exporting = [
        name for name, given in of_type(rendered, "AWS::RDS::DBInstance") if given["EnableCloudwatchLogsExports"]
    ]
    assert exporting
    (task,) = [each for each in load("playbooks/tasks/leftovers.yml") if "log_retention_days" in str(each)]
    assert "postgresql" in str(task)


@pytest.mark.parametrize("wrong", ["", "RetentionInDays: 0"])
def test_a_group_without_one_is_found(wrong: str) -> None:
    text = "Resources: {Log: {Type: 'AWS::Logs::LogGroup', Properties: {" + wrong + "}}}"
    found = {"service.x": Template.read(text)}
    with pytest.raises((AssertionError, ValueError)):
        test_each_group_has_a_retention(found | {f"{each}.y": RIGHT for each in LOGGING})
    test_each_group_has_a_retention({f"{each}.y": RIGHT for each in LOGGING})


RIGHT = Template.read("Resources: {Log: {Type: 'AWS::Logs::LogGroup', Properties: {RetentionInDays: 30}}}")
PAGE = (PROJECT / "docs/operations.md").read_text()


def test_the_page_names_each_kind_of_group() -> None:
    section = PAGE.partition("## How long logs are kept")[2].partition("\n## ")[0]
    for group in (
        "…/job/…",
        "…/function/…",
        "/service/<name>",
        "/aws/rds/instance/<instance>/postgresql",
        "aws-waf-logs-",
    ):
        assert group in section, group
