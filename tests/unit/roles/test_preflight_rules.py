"""No value that an inventory can have breaks a rule: each rule holds, or refuses by its sentence.

The rules are judged in this process, with all defaults, and in turn with each variable as nobody would write it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, test_loader
from ansible.template import Templar, trust_as_template

from plugins.action.check_variables import shape_problems
from plugins.plugin_utils.site.reading import VARIABLES, read_site
from tests.unit.render_support import LAYERS
from tests.unit.rules_support import PROJECT, Rule, of_inventory, offline_rules, options, role_variables

ODD: list[Any] = [
    "", "x", "5", "-5", 5, 2.5, -1, True, ["x"], [5], [["x"]], [{}], {}, {"a": 5}, {"a": {"b": None}}, "ü💐", "a b",
    [None], {"web": None}, {"web": {"containers": 5, "routes": 5, "deploy": ["a"], "expose": "x"}},
    {"web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}, "deploy": {"replicas": 0}}},
    {"web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}, "deploy": None, "routes": None}},
    {"media": {"driver": "rexray"}}, {"media": {"driver": ["rexray"], "mode": 755}}, {"min": 2}, {"min": None},
    {"hello": {"code": "none", "handler": "x", "runtime": "go1.x", "routes": "$default"}},
    {"hello": {"code": "roles/function/files/example", "handler": "💐", "runtime": "java25", "routes": "$default"}},
]  # fmt: skip
"""Of every shape; only those that pass a variable's own specification reach its rules."""


def trusted(value: Any) -> Any:
    """The value, its strings marked as templates of the project's own files."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def inventory() -> dict[str, Any]:
    """The variables of the embedded AWS's inventory, as a run has them."""
    files = [*sorted((PROJECT / "roles").glob("*/defaults/main.yml")), PROJECT / "group_vars/all/site.yml"]
    given = {name: value for file in files for name, value in yaml.safe_load(file.read_text()).items()}
    given |= of_inventory("local")
    for layer in LAYERS:  # a rule reads what its own role makes of its inputs
        given |= yaml.safe_load((PROJECT / "roles" / layer / "vars/main.yml").read_text())
    identity = {"site_name": "legacy", "environment_name": "local", "preview_of": "", "aws_region": "us-east-1"}
    return {**trusted(given | role_variables()), **identity, "inventory_dir": str(PROJECT)}


def is_wrong_noun(name: str, value: Any) -> bool:
    """Whether the model complains about a noun of the site; rules pass over it then."""
    described = of_inventory("local") | {"site_name": "legacy", "environment_name": "local"}
    problems = read_site(described | {name: value}).problems if name in VARIABLES else []
    return any(problem.path[0] == name for problem in problems)


def judged(rule: Rule, variables: dict[str, Any]) -> str:
    """What the rule says; empty where it holds."""
    items = Templar(DataLoader(), variables).template(trusted(rule.each)) if rule.each else [None]
    for item in items:
        templar = Templar(DataLoader(), variables | {"item": item})
        if not templar.evaluate_conditional(trusted(rule.that)):
            return str(templar.template(trusted(rule.say)))
    return ""


def written(rule: Rule, variables: dict[str, Any]) -> str:
    """All that the rule says, with what the variables are made of whose items it judges."""
    made_of = [str(variables.get(name, "")) for name in re.findall(r"\w+", rule.each)]
    return " ".join([rule.variable, rule.that, rule.say, rule.each, *made_of])


@pytest.fixture(scope="module", autouse=True)
def plugins() -> None:
    """The project's own filters and tests, as ansible.cfg names them."""
    filter_loader.add_directory(str(PROJECT / "plugins/filter"))
    test_loader.add_directory(str(PROJECT / "plugins/test"))


@pytest.mark.parametrize("rule", offline_rules(), ids=lambda rule: f"{rule.variable}-{rule.number}")
def test_no_odd_value_breaks_a_rule(rule: Rule) -> None:
    variables = inventory()
    assert judged(rule, variables) == ""
    broken = []
    for name, option in options().items():
        if name not in written(rule, variables):
            continue
        for value in ODD:
            if shape_problems(name, option, value) or is_wrong_noun(name, value):
                continue
            try:
                judged(rule, variables | {name: value})
            except AnsibleError as error:
                broken.append(f"{name}={value!r}: {' '.join(error.message.split())}")
    assert broken == []
