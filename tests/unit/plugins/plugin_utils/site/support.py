"""Sites to read: those of the seeds, and a small one to be changed."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from plugins.plugin_utils.site.definitions import Run
from plugins.plugin_utils.site.images import name_of
from plugins.plugin_utils.site.misread import Spelt, as_written
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.site.rendering import Rendered, render

SITES = Path(__file__).parent / "sites"
IDENTITY = {"site_name": "shop", "environment_name": "prod", "domain_name": "www.acme.io"}


class _Loader(yaml.SafeLoader):
    """Marks the numbers and flags that check_variables marks."""


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return as_written(loader.construct_yaml_int(node), node.value)


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    made = loader.construct_mapping(node, deep=True)
    bools = (each for each in node.value if each[1].tag == "tag:yaml.org,2002:bool")
    flags = {key.value: value.value for key, value in bools if value.value not in ("true", "false")}
    return Spelt(made, flags) if flags else made


_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _load(text: str) -> Any:
    return yaml.load(text, _Loader)  # a SafeLoader


def variables(name: str) -> dict[str, Any]:
    """The variables of a site in sites/."""
    found: dict[str, Any] = yaml.safe_load((SITES / f"{name}.yml").read_text())
    return IDENTITY | found


def small(text: str = "") -> dict[str, Any]:
    """A right site with one service and one database, and what is written in YAML laid over it, key by key.

    An empty mapping takes out what stands there.
    """
    site: dict[str, Any] = _load(
        """
        host_instance_type: t3.medium
        site_services:
          web:
            containers:
              web: {image: shop/web, mem_limit: 256m, ports: ["8000"]}
            routes: [{to: web}]
        site_databases: {main: {}}
        """
    )
    made: dict[str, Any] = _over(IDENTITY | site, _load(text) or {})
    return made


def _over(base: Any, given: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(given, dict)):
        return given
    made = copy.copy(base)
    for key, value in given.items():
        made[key] = value if value == {} else _over(base.get(key), value)
    return made


def read(given: dict[str, Any]) -> Site:
    """A site that has no problem."""
    site = read_site(given)
    assert [str(problem) for problem in site.problems] == []
    return site


def rendered(site: Site, key: str, **run: Any) -> Rendered:
    """The parts of a template, every image of this machine published: as `r1`, if it has no tag of its own."""
    written = [name for image in site.images.values() for name in image.written]
    images = {name: f"registry/{name}" if name_of(name) != name else f"registry/{name}:r1" for name in written}
    return render(site, key, Run(**{"images": images, "region": "eu-west-1", **run}))
