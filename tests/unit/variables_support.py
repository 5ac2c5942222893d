"""Evaluate what playbooks and roles say, in this process: the project's filters and lookups, on variables as given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, lookup_loader, test_loader
from ansible.template import Templar, trust_as_template

PROJECT = Path(__file__).resolve().parents[2]
IDENTITY = {
    "site_name": "shop", "environment_name": "prod", "aws_region": "us-east-1", "domain_name": "www.shop.test",
    "preview_of": "",
}  # fmt: skip

LOADER = DataLoader()
"""One for all tests: it keeps what it has read."""

for _loader, _kind in ((filter_loader, "filter"), (lookup_loader, "lookup"), (test_loader, "test")):
    _loader.add_directory(str(PROJECT / "plugins" / _kind))


def load(path: str) -> Any:
    """A file of the project as Ansible reads it, templates to be evaluated."""
    return LOADER.load_from_file(str(PROJECT / path), trusted_as_template=True)


def variables(*files: str, **given: Any) -> dict[str, Any]:
    """Defaults of all roles, then those of `files`, then what is given.

    Args:
        files: vars files of the project.
        given: other variables; a text with braces is a template.
    """
    found: dict[str, Any] = dict(IDENTITY)
    for path in sorted((PROJECT / "group_vars/all").glob("*.yml")):
        found |= load(f"group_vars/all/{path.name}")
    for file in files:
        found |= load(file)
    return found | {
        name: trust_as_template(value) if isinstance(value, str) else value for name, value in given.items()
    }


def evaluate(value: Any, known: Mapping[str, Any]) -> Any:
    """A value of a task or a variable, its templates resolved."""
    return Templar(LOADER, dict(known)).template(trust_as_template(value) if isinstance(value, str) else value)


def holds(condition: Any, known: Mapping[str, Any]) -> bool:
    """Whether a `when` or a `that` holds: one condition, or all of a list."""
    each = condition if isinstance(condition, list) else [condition]
    return all(bool(evaluate(f"{{{{ {one} }}}}", known)) for one in each)


def refusal(task: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """What an assert says; empty where it holds."""
    check = task["ansible.builtin.assert"]
    said = str(evaluate(check["fail_msg"], known))  # which Ansible does also where it holds
    return "" if holds(check["that"], known) else " ".join(said.split())


def tasks_of(path: str) -> dict[str, dict[str, Any]]:
    """Name → task, of a task file or of all plays of a playbook, those of blocks too."""
    return {str(task["name"]): task for task in flat(load(path))}


def flat(items: Any) -> Iterator[dict[str, Any]]:
    """The tasks of tasks, blocks and plays, in their order."""
    for item in items or []:
        parts = [item[key] for key in ("pre_tasks", "tasks", "block", "rescue", "always") if key in item]
        for part in parts:
            yield from flat(part)
        if not parts:
            yield item
