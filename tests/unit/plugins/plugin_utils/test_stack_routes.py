"""Which routes would answer 503 for a while: told of the templates as the role renders them."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.layers import Template, parsed
from plugins.plugin_utils.stack_routes import gaps
from tests.unit.cloudformation.test_noun_service_templates import CONTAINER, ROUTE
from tests.unit.noun_support import body, made

BOTH = {"containers": [CONTAINER, {**CONTAINER, "Name": "app"}]}
NEXT = {**ROUTE, "to": "app", "paths": ["/next"], "priority": 7}
Services = dict[str, list[dict[str, Any]]]
"""Service → its routes."""


def templates(services: Services) -> dict[str, str]:
    """Layer → template."""
    layers = made({"service": {name: {**BOTH, "routes": routes} for name, routes in services.items()}}, ("service",))
    return {name: body(layer) for name, layer in layers.items()}


def told(before: Services, after: Services) -> list[tuple[str, str]]:
    wanted = {name: Template.read(text).resources for name, text in templates(after).items()}
    return list(gaps(templates(before), wanted))


def to(container: str, **more: Any) -> dict[str, Any]:
    return {**ROUTE, "to": container, **more}


def test_a_route_that_moves_to_another_container_is_told_with_the_way_around() -> None:
    hosts = {"hosts": ["www.acme.io"], "paths": ["/a/*", "/b"]}
    assert told({"web": [to("web", **hosts)]}, {"web": [to("app", **hosts)]}) == [
        (
            "service.web",
            "the route www.acme.io and /a/*, /b leads from web:80 to app:80, and may answer 503 until a task is "
            "healthy there. Without this gap it takes two runs: give app:80 a further route first (path: /next), and "
            "move this one in the next run.",
        )
    ]


def test_one_that_moves_to_another_service_is_told_whether_or_not_the_old_one_stays() -> None:
    kept: list[Services] = [{}, {"web": []}]
    for rest in kept:
        ((layer, sentence),) = told({"web": [to("web")]}, {**rest, "shop": [to("web", priority=9)]})
        assert layer == "service.shop"
        assert "the route /* leads from web:80 of service.web to web:80, and may answer 503" in sentence


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"web": [to("web")]}),
        ({"web": [to("web")]}, {"web": [to("web")]}),
        ({"web": [to("web")]}, {"web": [to("web", priority=9, health="/")]}),
        ({"web": [to("web")]}, {"web": [to("web", port=8000)]}),
        ({"web": [to("web")]}, {"web": [to("web"), NEXT]}),
        ({"web": [to("web"), NEXT]}, {"web": [to("app")]}),
        ({"web": [to("web"), NEXT]}, {"web": [to("app"), {**NEXT, "to": "web"}]}),
        ({"web": [to("web")], "shop": [NEXT]}, {"web": [], "shop": [to("app", priority=9)]}),
    ],
    ids=[
        "a first deployment", "no change", "another number and health", "another port, in the same group",
        "a further route", "to a container that has a route", "two that change places", "to a service with tasks there",
    ],
)  # fmt: skip
def test_where_nobody_has_asked_or_tasks_are_there_already_nothing_is_told(before: Services, after: Services) -> None:
    assert told(before, after) == []


def test_a_template_may_be_json_and_a_stack_may_have_none() -> None:
    before = {name: parsed(text) for name, text in templates({"web": [to("web")]}).items()}
    after = {name: Template.read(text).resources for name, text in templates({"web": [to("app")]}).items()}
    assert len(list(gaps(before, after))) == 1
    assert list(gaps({"service.web": None}, after)) == []
