"""Sites of all shapes: each noun is drawn, and a stack is expected of each entry that has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.status.picture import NARROW, WIDE, svg
from plugins.plugin_utils.status.stacks import ALWAYS, expected
from plugins.plugin_utils.status.topology import drawn
from tests.unit.noun_support import RolesOf
from tests.unit.plugins.plugin_utils.site.support import small

SITES = sorted((Path(__file__).parents[1] / "site/sites").glob("*.yml"))
IDENTITY = {"site_name": "shop", "environment_name": "prod", "domain_name": "www.shop.test"}


def described(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return IDENTITY | found


def read(path: Path) -> Site:
    site = read_site(described(path))
    assert [str(each) for each in site.problems] == []
    return site


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_every_entry_is_drawn_once_and_reached_from_where_it_is_used(path: Path) -> None:
    site = read(path)
    topology = drawn(site, {}, [])
    names = [each["id"] for each in topology["nodes"] if each["id"] not in ("visitors", "balancer")]
    nouns = ("service", "job", "function", "volume", "database", "bucket", "table", "secret", "static")
    assert sorted(names) == sorted(f"{noun}.{name}" for noun in nouns for name in site.entries[noun])
    assert all(each["from"] != each["to"] for each in topology["lines"])
    mounted = {(key, f"volume.{mount.volume}") for key, container in site.containers() for mount in container.volumes}
    assert mounted <= {(each["from"], each["to"]) for each in topology["lines"]}
    for spread in (WIDE, NARROW):
        assert svg(topology, spread, "x").count("<g ") == len(topology["nodes"])


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_a_stack_is_expected_of_what_the_roles_make_one_of(path: Path) -> None:
    roles = RolesOf(described(path))
    made = {
        f"{noun}.{name}"
        for noun in ("volume", "database", "bucket", "table", "secret")
        for name, layer in _entries(roles, noun)
        if layer
    }
    plain = ("service", "job", "function", "static")
    site = read(path)
    made |= {f"{noun}.{name}" for noun in plain for name in site.entries[noun]} | set(ALWAYS)
    made |= {"edge"} if site.edge else set()
    made |= {"backup"} if site.backups.wanted else set()
    assert set(expected(site)) == made


def test_a_firewall_is_expected_where_no_cdn_has_it() -> None:
    waf = "site_waf: {mode: count}\n"
    routes = "site_services: {web: {routes: [{to: web}]}}\nsite_edge: {default: web}\n"
    assert "waf" in set(expected(read_site(small(waf))))
    assert "waf" not in set(expected(read_site(small(f"{routes}{waf}"))))
    assert "waf" not in set(expected(read_site(small(""))))


def _entries(roles: RolesOf, noun: str) -> list[tuple[str, bool]]:
    """Entry, and whether the noun's role makes a stack of it (`when` of its `…_layer`)."""
    known = roles.variables(noun)
    found = []
    for name, entry in roles.value(known[f"{noun}_entries"], known).items():
        when = known[f"{noun}_layer"].get("when", True)
        found.append((name, bool(roles.value(when, known | {"entry": entry, "entry_name": name}))))
    return found
