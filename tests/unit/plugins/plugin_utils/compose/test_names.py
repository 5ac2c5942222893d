"""What is taken for a name here is what the rules of preflight take for one, which an inventory meets next."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

from plugins.action.inventory_from_compose import is_environment
from plugins.plugin_utils.compose.describing import LONGEST, site_name
from plugins.plugin_utils.roles import Roles
from tests.unit.render_support import LAYERS, STAGES

LOADER = DataLoader()


@pytest.fixture(scope="module", autouse=True)
def plugins() -> None:
    """Ansible's own filters and tests, by their full names."""
    with warnings.catch_warnings(action="ignore"):  # another module may have done it
        init_plugin_loader()


def is_refused(variable: str, name: str) -> bool:
    """Whether a rule of preflight refuses a site or an environment of this name."""
    given: dict[str, Any] = {"site_name": "shop", "environment_name": "live", "site_stages": STAGES, variable: name}
    roles = Roles(LOADER, Templar(LOADER), given)
    known = roles.variables("preflight")
    return any(list(roles.refusals(rule, known)) for rule in known["preflight_rules"] if rule["variable"] == variable)


@pytest.mark.parametrize(
    "name",
    [
        "shop", "s", "shop-2", "my-own-shop", "a" * LONGEST, "example-2", "my-aws",
        "example", "aws-shop", "awsome", "ecs", "fargate1", "2shop",
    ],
)  # fmt: skip
def test_a_site_is_called_by_the_project_where_preflight_takes_that(name: str) -> None:
    assert site_name(name) == ("" if is_refused("site_name", name) else name)


@pytest.mark.parametrize("name", ["My Shop", "shop--2-", "a" * (LONGEST + 1), "_shop", "a" * (LONGEST - 1) + "-b"])
def test_what_is_made_of_another_project_is_a_name_that_preflight_takes(name: str) -> None:
    assert is_refused("site_name", name)
    assert site_name(name)
    assert not is_refused("site_name", site_name(name))


@pytest.mark.parametrize(
    "name", ["live", "l", "prod2", "a" * 12, "networks", *LAYERS, "new", "Live", "live-1", "2live", "a" * 13, ""]
)
def test_the_folder_of_an_inventory_is_called_as_preflight_lets_an_environment_be(name: str) -> None:
    assert is_environment(name, LAYERS) != is_refused("environment_name", name)
