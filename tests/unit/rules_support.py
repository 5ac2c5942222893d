"""What preflight can refuse, every variable of every role and every rule; to count which of them have a case.

Used by the tests of both halves of preflight. A test collects what its cases set and which rules refused, and asserts
that nothing is left over, by name:

    assert unset(given) == []
    assert unproven(offline_rules(), refused_by) == []
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.unit.render_support import LAYERS

PROJECT = Path(__file__).resolve().parents[2]
JUDGED = [*LAYERS, "maintenance"]
"""The roles beside which rules of the inventory stand, in their order; those of the host roles come behind."""


@dataclass(frozen=True)
class Rule:
    """One rule of a list of rules.

    Attributes:
        place: in the list, from 0; what `check_variables` returns as `refused_by`.
        variable: that it complains about.
        number: among the rules on this variable, from 1.
        that: its condition.
        say: its sentence, not rendered.
        each: template of the list of which each `item` is judged; empty if the rule is about the variable as a whole.
    """

    place: int
    variable: str
    number: int
    that: str
    say: str
    each: str = ""

    def __str__(self) -> str:
        return f"rule {self.number} on {self.variable} ({' '.join(self.that.split())})"


def role_variables() -> dict[str, Any]:
    """The variables of the role `preflight`, from all files of its vars/main."""
    files = sorted((PROJECT / "roles/preflight/vars/main").iterdir())
    return {name: value for file in files for name, value in yaml.safe_load(file.read_text()).items()}


def of_inventory(name: str) -> dict[str, Any]:
    """The variables of the group site in one of inventories/, as Ansible reads them: the last file holds."""
    top = PROJECT / "inventories" / name / "group_vars"
    files = sorted((top / "site").glob("*.yml")) or [top / "site.yml"]
    return {key: value for file in files for key, value in yaml.safe_load(file.read_text()).items()}


def beside(role: str) -> list[dict[str, Any]]:
    """The rules beside a role."""
    path = PROJECT / "roles" / role / "rules.yml"
    return list(yaml.safe_load(path.read_text())) if path.exists() else []


def offline_rules() -> list[Rule]:
    """The rules of preflight's first task, in its order, but for those of the host roles, which come last."""
    given = [*role_variables()["preflight_rules"], *(rule for role in JUDGED for rule in beside(role))]
    found: list[Rule] = []
    for place, rule in enumerate(given):
        number = 1 + sum(other.variable == rule["variable"] for other in found)
        each = str(rule.get("each", ""))
        found.append(Rule(place, rule["variable"], number, str(rule["that"]), str(rule["say"]), each))
    return found


def options() -> dict[str, dict[str, Any]]:
    """Every variable that an inventory may set: name → its specification in the roles' meta/argument_specs.yml."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((PROJECT / "roles").glob("*/meta/argument_specs.yml")):
        for entry in yaml.safe_load(path.read_text())["argument_specs"].values():
            for name, option in (entry.get("options") or {}).items():
                found[name] = {**found.get(name, {}), **option}
    return found


def unset(given: Iterable[Mapping[str, Any]]) -> list[str]:
    """Variables to which none of the inventories `given` gives another value than the default."""
    inventories = list(given)

    def differs(name: str, option: Mapping[str, Any]) -> bool:
        return any(name in one and one[name] != option.get("default") for one in inventories)

    return [name for name, option in options().items() if not differs(name, option)]


def unproven(known: Iterable[Rule], refused_by: Iterable[int]) -> list[str]:
    """Rules that have refused nothing.

    Args:
        known: the rules of a list.
        refused_by: places in the list of the rules that have refused something, by not holding (an error is none).
    """
    proven = set(refused_by)
    return [str(rule) for rule in known if rule.place not in proven]
