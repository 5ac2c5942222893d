"""The outputs of layers are read without a look at their templates, and what is missing is told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.template import Templar

from plugins.action import stack_outputs
from plugins.plugin_utils.roles import Roles
from tests.unit.plugin_support import run_action
from tests.unit.variables_support import LOADER, variables

WANTED = {"network": ["network"], "database": ["database.main", "database.my_own"], "code": []}


class Stacks:
    """A client of CloudFormation with these stacks."""

    def __init__(self, **stacks: str) -> None:
        self.stacks = [
            {
                "StackName": f"shop-{name.replace('_', '-')}",
                "StackStatus": status,
                "Outputs": [{"OutputKey": "Id", "OutputValue": f"{name}-id"}],
            }
            for name, status in stacks.items()
        ]

    def __call__(self, service: str, region: str | None = None) -> Stacks:
        del region
        assert service == "cloudformation"
        return self

    def get_paginator(self, operation: str) -> Stacks:
        assert operation == "describe_stacks"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"Stacks": self.stacks[:1]}, {"Stacks": self.stacks[1:]}]


def read(monkeypatch: pytest.MonkeyPatch, elsewhere: str | None = None, **stacks: str) -> dict[str, Any]:
    monkeypatch.setattr(Roles, "wanted", lambda _, noun: WANTED[noun])
    monkeypatch.setattr(Roles, "region", lambda _, noun: elsewhere if noun == "code" else None)
    return run_action(stack_outputs, {"prefix": "shop", "layers": list(WANTED)}, client=Stacks(**stacks))


ALL = {"network": "CREATE_COMPLETE", "database_main": "UPDATE_COMPLETE", "database_my_own": "UPDATE_ROLLBACK_COMPLETE"}


def test_outputs_have_the_names_by_which_layers_give_them_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, **ALL, other="CREATE_COMPLETE") == {
        "changed": False,
        "outputs": {
            "Id": "network-id",
            "database.main.Id": "database_main-id",
            "database.my_own.Id": "database_my_own-id",
        },
    }


def test_a_site_that_is_not_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for stacks in ({}, {"other": "CREATE_COMPLETE"}, {"network": "ROLLBACK_COMPLETE"}):
        said = read(monkeypatch, **stacks)
        assert said["failed"]
        assert said["msg"].startswith("The site shop is not there. Type: ansible-playbook")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("", "database.main is not there, and the site has to have it. Type: ansible-playbook"),
        ("CREATE_FAILED", "database.main is not there, and the site has to have it. Type: ansible-playbook"),
        ("UPDATE_IN_PROGRESS", "database.main is being changed (UPDATE_IN_PROGRESS). Let that end"),
        (
            "UPDATE_ROLLBACK_FAILED",
            "database.main is in UPDATE_ROLLBACK_FAILED, and the site has to have it. Type: ansible-playbook",
        ),
    ],
)
def test_a_layer_that_is_wanting_is_said(monkeypatch: pytest.MonkeyPatch, status: str, said: str) -> None:
    stacks = {name: each for name, each in {**ALL, "database_main": status}.items() if each}
    found = read(monkeypatch, **stacks)
    assert found["failed"]
    assert found["msg"].startswith(said)


def test_the_layers_that_a_site_wants_are_known_without_what_they_take() -> None:
    given = variables(
        site_services={"web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}}},
        site_databases={"main": {"engine": "postgres", "version": "16"}},
    )

    def wanted(noun: str, **more: Any) -> list[str]:
        return Roles(LOADER, Templar(LOADER, given | more), given | more).wanted(noun)

    assert wanted("network") == ["network"]
    assert wanted("database") == ["database.main"]
    assert wanted("image") == ["image.shop-web"]
    assert (wanted("code"), wanted("expose")) == ([], [])
    function = {"code": "functions/f", "handler": "a.b", "runtime": "python3.13", "routes": "$default"}
    assert wanted("code", site_functions={"f": function}) == ["code"]
    with pytest.raises(LookupError, match="there is no publish_layer"):
        wanted("publish")


def test_a_layer_of_another_region_is_nobodys_to_take_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WANTED, "code", ["code"])
    assert "code is not there" in read(monkeypatch, **ALL)["msg"]
    assert "database.main.Id" in read(monkeypatch, elsewhere="us-east-1", **ALL)["outputs"]
