"""Roles, templates and variables keep to the layout: what a reader knows of one is true of all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.render_support import LAYERS

PROJECT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (PROJECT / "roles").iterdir() if path.is_dir())
TASKS = sorted((PROJECT / "roles").glob("*/tasks/*.yml"))
VERBS = sorted(path for path in PROJECT.glob("*.yml") if path.name != "requirements.yml")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else None


def options(role: Path) -> dict[str, dict[str, Any]]:
    found = load(role / "meta/argument_specs.yml")
    return (found["argument_specs"]["main"].get("options") or {}) if found else {}


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_defaults_and_specification_have_the_same_names_and_values(role: Path) -> None:
    defaults = load(role / "defaults/main.yml") or {}
    wanted = {name for name, option in options(role).items() if not option.get("required")}
    assert set(defaults) == wanted
    for name, option in options(role).items():
        if "default" in option:
            assert defaults[name] == option["default"], name


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_every_input_is_described(role: Path) -> None:
    for name, option in options(role).items():
        assert option.get("description"), name
        assert option.get("type"), name


def test_no_input_belongs_to_two_roles() -> None:
    owners: dict[str, str] = {}
    for role in ROLES:
        for name in options(role):
            assert owners.setdefault(name, role.name) == role.name, name


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_every_role_says_what_it_is_for(role: Path) -> None:
    readme = (role / "README.md").read_text()
    assert readme.startswith(f"# {role.name}\n")
    for name in options(role):
        assert name in readme, f"README.md does not tell about {name}"


@pytest.mark.parametrize("layer", LAYERS)
def test_a_template_has_a_role_of_its_name_that_gives_its_parameters(layer: str) -> None:
    assert (PROJECT / f"cloudformation/{layer}.yml").is_file()
    assert f"{layer}_layer" in load(PROJECT / f"roles/{layer}/vars/main.yml")


@pytest.mark.parametrize("path", TASKS, ids=lambda path: str(path.relative_to(PROJECT / "roles")))
def test_task_files_are_short_and_their_names_are_imperatives(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 75
    for task in load(path) or []:
        assert task["name"][0].isupper()
        assert not {"ignore_errors"} & set(task)


@pytest.mark.parametrize("verb", VERBS, ids=lambda path: path.name)
def test_a_verb_is_three_lines_that_import_its_playbook(verb: Path) -> None:
    (play,) = load(verb)
    assert play["ansible.builtin.import_playbook"] == f"playbooks/{verb.name}"
    assert (PROJECT / "playbooks" / verb.name).is_file()
    assert len([line for line in verb.read_text().splitlines() if line != "---"]) == 2


def test_defaults_of_aws_side_roles_are_the_variables_of_every_environment() -> None:
    for link in (PROJECT / "group_vars/all").iterdir():
        if link.name != "site.yml":
            assert link.resolve() == PROJECT / "roles" / link.stem / "defaults/main.yml"
    linked = {link.stem for link in (PROJECT / "group_vars/all").iterdir()}
    shared = {role.name for role in ROLES for name in options(role) if not name.startswith(role.name)}
    assert shared <= linked | {"preflight"}, "a variable without its role's prefix must be seen by every play"


def test_playbooks_see_the_variables_too() -> None:
    assert (PROJECT / "playbooks/group_vars").resolve() == PROJECT / "group_vars"
