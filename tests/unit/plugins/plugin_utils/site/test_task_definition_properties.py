"""Every property of AWS::ECS::TaskDefinition is made by a word, can be patched, or is refused: nobody has to guess.

Which there are says the schema of CloudFormation that comes with cfn-lint; how to patch, docs/your-site.md.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import yaml
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from local_aws.cloudformation.schema import schema
from plugins.plugin_utils.layers import parsed
from plugins.plugin_utils.site.patch import patched
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.site.task_patch import NAMED, REFUSED
from tests.unit.noun_support import TASKS, body, made
from tests.unit.plugins.plugin_utils.site.support import IDENTITY, small, variables
from tests.unit.render_support import PROJECT

TYPE = "AWS::ECS::TaskDefinition"
PAGE = (PROJECT / "docs/your-site.md").read_text()
ROWS = re.findall(r"^\| `(TaskDefinition\..+?)` \| (.+) \|$", PAGE, re.MULTILINE)
PATCHES = [next(iter(yaml.safe_load(written).items())) for written, _ in ROWS]
SITE: dict[str, Any] = {
    "host_instance_type": "t3.medium",
    "site_services": {
        "web": {
            "containers": {
                "app": {
                    "image": "registry.test/app:1",
                    "mem_limit": "256m",
                    "ports": ["8000"],
                    "volumes": ["media:/srv/media", "old:/srv/old", "scratch:/scratch"],
                },
                "proxy": {"image": "registry.test/proxy:1", "mem_limit": "64m"},
            },
        }
    },
    "site_volumes": {"media": {}, "old": {"driver": "rexray"}, "scratch": {"driver": "task"}},
}
"""What the page's table of patches speaks of."""


@cache
def document() -> dict[str, Any]:
    return dict(PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", TYPE).schema)


def properties(document: Mapping[str, Any]) -> set[str]:
    """Every property that is no mapping of others, with dots between the steps; items of lists have no step."""
    read_only = {path.removeprefix("/properties/") for path in document["readOnlyProperties"]}
    return set(_leaves(document, {"properties": document["properties"]}, ())) - read_only


def _leaves(document: Mapping[str, Any], rules: Mapping[str, Any], steps: tuple[str, ...]) -> Iterator[str]:
    while "$ref" in rules:
        rules = document["definitions"][rules["$ref"].rpartition("/")[2]]
    if "items" in rules:
        yield from _leaves(document, rules["items"], steps)
    elif "properties" in rules:
        for name, inner in rules["properties"].items():
            yield from _leaves(document, inner, (*steps, name))
    else:
        yield ".".join(steps)


def written(value: Any, known: set[str], steps: tuple[str, ...] = ()) -> set[str]:
    """The properties that a task definition has, `known` being those that there are."""
    if ".".join(steps) in known:
        return {".".join(steps)}
    if isinstance(value, Mapping):
        return {each for name, item in value.items() for each in written(item, known, (*steps, name))}
    if isinstance(value, list):
        return {each for item in value for each in written(item, known, steps)}
    return set()


def definitions(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The task definitions in the templates of a site."""
    images = {name: f"registry.test/{name}" for name in ("shop/setup", "shop/app:1.4", "shop/proxy", "shop/bind")}
    layers = made({**given, "service_images": images, "job_images": images}, TASKS)
    return [parsed(body(each))["Resources"]["TaskDefinition"]["Properties"] for each in layers.values()]


@cache
def by_words() -> frozenset[str]:
    """What the words of a site that has all of them make, its volume under both drivers."""
    site = variables("every_key")
    rexray = copy.deepcopy(site)
    rexray["site_volumes"]["media"] = {"driver": "rexray"}
    for each in (site, rexray):
        for noun in ("site_services", "site_jobs"):
            for entry in each[noun].values():
                entry.pop("patch", None)
    known = properties(document())
    return frozenset().union(*(written(each, known) for given in (site, rexray) for each in definitions(given)))


@cache
def plain() -> dict[str, Any]:
    """The task definition of the table's site."""
    (found,) = (each for each in definitions(SITE) if any(one["Name"] == "app" for one in each["ContainerDefinitions"]))
    return found


def laid(path: str, value: Any) -> dict[str, Any]:
    """The same with a patch, as the role does it."""
    return dict(patched({"TaskDefinition": {"Properties": plain()}}, {path: value})["TaskDefinition"]["Properties"])


def by_patch(path: str, value: Any) -> set[str]:
    """The properties that a patch of the table writes and that no word makes."""
    known = properties(document())
    before, after = plain(), laid(path, value)
    there = written(after, known)
    assert after != before
    steps = path.split(".")[1:]
    if steps[0] in NAMED:
        del steps[1]
    top = ".".join(steps)
    return {each for each in there if f"{each}.".startswith(f"{top}.")} - by_words()


def refused(known: set[str]) -> set[str]:
    """The properties that a patch is refused for."""
    return {each for each in known if any(f"{each}.".startswith(f"{name}.") for name in REFUSED)}


def unjudged(document: Mapping[str, Any]) -> list[str]:
    """A sentence for each property of which nobody has said how it comes into a task definition, or said it twice."""
    known = properties(document)
    ways = {
        "by a word": set(by_words()),
        "by a patch": set().union(*(by_patch(*each) for each in PATCHES)),
        "refused": refused(known),
    }
    return [
        f"{TYPE} has {each}, which is {' and '.join(found) or 'judged by nobody'}. Make it by a word "
        "(plugins/plugin_utils/site/container.py), or show its patch in docs/your-site.md (What has no word), or "
        "refuse it (plugins/plugin_utils/site/task_patch.py): one of them."
        for each in sorted(known)
        if len(found := [way for way, properties in ways.items() if each in properties]) != 1
    ]


def test_every_property_is_made_or_patched_or_refused_and_only_one_of_these() -> None:
    assert unjudged(document()) == []


@pytest.mark.parametrize(("within", "name"), [("ContainerDefinition", "GpuMemory"), ("HealthCheck", "Mood")])
def test_a_property_that_comes_is_told(within: str, name: str) -> None:
    newer = copy.deepcopy(document())
    newer["definitions"][within]["properties"][name] = {"type": "string"}
    (sentence,) = unjudged(newer)
    assert sentence.startswith(f"{TYPE} has ContainerDefinitions.")
    assert f"{name}, which is judged by nobody. Make it by a word (plugins/" in sentence


@pytest.mark.parametrize(("path", "value"), PATCHES, ids=[written for written, _ in ROWS])
def test_each_patch_of_the_page_is_one_that_is_taken_and_is_needed(path: str, value: Any) -> None:
    given = copy.deepcopy(SITE)
    given["site_services"]["web"]["patch"] = {path: value}
    assert [str(problem) for problem in read_site(IDENTITY | given).problems] == []
    assert schema(TYPE).problems(laid(path, value)) == []
    assert by_patch(path, value), "a word makes it"


def test_the_page_names_what_is_refused() -> None:
    sentence = PAGE[PAGE.index("Refused, as no task here can have it:") :].partition("\n\n")[0]
    assert set(re.findall(r"`([\w.]+)`", sentence)) == REFUSED.keys() <= _above(properties(document()))


def _above(known: set[str]) -> set[str]:
    """The properties, and those that they are in."""
    return {each.rsplit(".", cut)[0] for each in known for cut in range(each.count(".") + 1)}


@pytest.mark.parametrize("name", sorted(refused(properties(document()))))
def test_a_patch_of_what_no_task_can_have_is_refused(name: str) -> None:
    path = f"TaskDefinition.{name.replace('Volumes.', 'Volumes.scratch.')}"
    site = small(f"site_services: {{web: {{patch: {{{path}: x}}}}}}")
    (problem,) = read_site(site).problems
    assert problem.subject == f"site_services.web.patch.{path}"
