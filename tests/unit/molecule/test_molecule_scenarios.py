"""No molecule scenario tests less than it seems to.

Molecule passes over a step whose playbook is missing, calls a verify without test files a success, and hands
a misspelt variable to nobody. What it does not notice is noticed here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.room_support import host_roles

PROJECT = Path(__file__).resolve().parents[3]
MOLECULE = PROJECT / "molecule"
BASE = yaml.safe_load((PROJECT / ".config/molecule/config.yml").read_text())
SHARED = ("shared", "inventory")
SCENARIOS = sorted(path.name for path in MOLECULE.iterdir() if path.is_dir() and path.name not in SHARED)
HOST_ROLES = tuple(host_roles(PROJECT))
PLAYBOOK_STEPS = ("create", "prepare", "converge", "side_effect", "cleanup", "destroy")
OWN = ("molecule_", "converge_", "prepare_", "side_effect_")
"""Beginnings of variables that plays of scenarios make up for themselves."""
MIRROR = "molecule_mirror"
"""Where the plugin comes from here: the one value that a scenario of defaults may give."""


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.is_file() else None


def config(scenario: str) -> dict[str, Any]:
    return load(MOLECULE / scenario / "molecule.yml") or {}


def playbook_path(scenario: str, step: str) -> Path:
    """The file that molecule runs for a step, as the scenario or the base names it, relative to the scenario."""
    own = config(scenario).get("ansible", {}).get("playbooks", {})
    named = own.get(step) or BASE["ansible"]["playbooks"].get(step) or f"{step}.yml"
    return MOLECULE / scenario / named


def sequence(scenario: str) -> list[list[str]]:
    steps = config(scenario).get("scenario", {}).get("test_sequence") or BASE["scenario"]["test_sequence"]
    return [step.split() for step in steps]


def specification(role: str) -> dict[str, dict[str, Any]]:
    return load(PROJECT / f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"].get("options") or {}


def known_variables() -> set[str]:
    """Every variable that a role, molecule's environment or its estate knows."""
    roles = {path.parents[1].name for path in PROJECT.glob("roles/*/meta/argument_specs.yml")}
    molecule = load(MOLECULE / "inventory/group_vars/molecule.yml") | load(MOLECULE / "shared/vars/estate.yml")
    return {name for role in roles for name in specification(role)} | set(molecule)


def tasks(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        yield entry
        for part in ("block", "rescue", "always"):
            yield from tasks(entry.get(part) or [])


def roles_of(play: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each role that a play names, with the variables that it gives to it."""
    for role in play.get("roles") or []:
        yield (role, {}) if isinstance(role, str) else (role.get("role") or role["name"], role.get("vars") or {})
    for section in ("pre_tasks", "tasks", "post_tasks"):
        for task in tasks(play.get(section) or []):
            for action in ("ansible.builtin.include_role", "ansible.builtin.import_role"):
                if action in task:
                    yield task[action]["name"], task.get("vars") or {}


def inventory_variables(group: dict[str, Any]) -> dict[str, Any]:
    found = dict(group.get("vars") or {})
    for host in (group.get("hosts") or {}).values():
        found |= host or {}
    for child in (group.get("children") or {}).values():
        found |= inventory_variables(child or {})
    return found


def variables(scenario: str) -> dict[str, Any]:
    """Everything that a scenario gives to its roles: in its converge, its inventory, its estate."""
    found: dict[str, Any] = {}
    for group in (load(MOLECULE / scenario / "inventory.yml") or {}).values():
        found |= inventory_variables(group or {})
    found |= load(MOLECULE / scenario / "vars/estate.yml") or {}
    for play in load(MOLECULE / scenario / "converge.yml") or []:
        found |= play.get("vars") or {}
        files = play.get("vars_files") or []
        for name in [files] if isinstance(files, str) else files:
            found |= load(MOLECULE / scenario / name) or {}
        for _, given in roles_of(play):
            found |= given
    return {name: value for name, value in found.items() if not name.startswith(("ansible_", *OWN))}


def imported(playbook: Path) -> set[Path]:
    """A playbook and all that it imports."""
    plays = load(playbook) or []
    names = [play["ansible.builtin.import_playbook"] for play in plays if "ansible.builtin.import_playbook" in play]
    return {playbook.resolve()}.union(*(imported(playbook.parent / name) for name in names))


def test_functions(path: Path) -> list[str]:
    files = [path] if path.is_file() else sorted(path.rglob("test_*.py"))
    return [
        node.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


test_functions.__test__ = False  # type: ignore[attr-defined] # a helper, in spite of its name


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_folder_is_a_scenario(scenario: str) -> None:
    assert (MOLECULE / scenario / "molecule.yml").is_file(), "molecule passes over a folder without molecule.yml"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_converge_runs_roles_or_playbooks_that_exist(scenario: str) -> None:
    plays = load(MOLECULE / scenario / "converge.yml")
    assert plays
    roles = [role for play in plays for role, _ in roles_of(play) if "{{" not in role]
    playbooks = [play["ansible.builtin.import_playbook"] for play in plays if "ansible.builtin.import_playbook" in play]
    assert roles or playbooks
    for role in roles:
        assert (PROJECT / "roles" / role).is_dir(), role
    for playbook in playbooks:
        assert (MOLECULE / scenario / playbook).is_file(), playbook


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_there_are_tests_to_verify_with(scenario: str) -> None:
    further = config(scenario).get("verifier", {}).get("additional_files_or_dirs") or []
    for name in further:
        assert (MOLECULE / scenario / "tests" / name).exists(), name
    paths = [MOLECULE / scenario / "tests", *(MOLECULE / scenario / "tests" / name for name in further)]
    assert [name for path in paths for name in test_functions(path)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_file_of_tests_is_found_by_its_name(scenario: str) -> None:
    for path in (MOLECULE / scenario / "tests").rglob("*.py"):
        assert path.name in ("conftest.py", "__init__.py") or test_functions(path), path
        assert path.name.startswith("test_") or path.name in ("conftest.py", "__init__.py"), path


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_step_has_its_playbook_and_every_argument_its_file(scenario: str) -> None:
    for step, *arguments in sequence(scenario):
        for argument in arguments:
            path = MOLECULE / scenario / argument
            assert path.exists(), argument
            # A file as an argument of verify is no folder with tests in it to molecule, which then calls it a success.
            assert step != "verify" or path.is_dir(), f"{argument} must be a folder"
            assert step != "verify" or test_functions(path), f"{argument} has no test"
        if step in PLAYBOOK_STEPS and not arguments:
            assert playbook_path(scenario, step).is_file(), step
    for step in config(scenario).get("ansible", {}).get("playbooks", {}):
        assert playbook_path(scenario, step).is_file(), step


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_step_is_left_out_with_a_reason_only(scenario: str) -> None:
    steps = [step for step, *_ in sequence(scenario)]
    comments = "\n".join(
        line.partition("#")[2] for line in (MOLECULE / scenario / "molecule.yml").read_text().splitlines()
    )
    for step in BASE["scenario"]["test_sequence"]:
        assert step in steps or re.search(rf"\b{step}\b", comments, re.IGNORECASE), (
            f"test_sequence lacks {step}; put it in, or say why not in a comment that names it"
        )
    assert "converge" in steps
    assert "verify" in steps, "a scenario that verifies nothing"
    assert steps[-1] == "destroy"


def test_each_scenario_has_an_embedded_aws_of_its_own() -> None:
    endpoints = {name: config(name).get("ansible", {}).get("env", {}).get("AWS_ENDPOINT_URL", "") for name in SCENARIOS}
    numbers: dict[int, str] = {}
    for scenario, endpoint in endpoints.items():
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)", endpoint)
        assert found, f"{scenario}: {endpoint or 'no AWS_ENDPOINT_URL'}"
        number, rest = divmod(int(found.group(1)) - 4200, 5)
        assert rest == 0, f"{scenario}: the port is 4200 + 5 * N"
        assert 1 <= number <= 40, f"{scenario}: there are molecule1 to molecule40"
        assert numbers.setdefault(number, scenario) == scenario, f"{scenario} and {numbers[number]} share N={number}"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_variable_is_misspelt(scenario: str) -> None:
    known = known_variables()
    text = "\n".join(path.read_text() for path in (MOLECULE / scenario).rglob("*.yml"))
    for name in variables(scenario).keys() - known:
        # One of the scenario's own is used in the scenario; a misspelt one is used nowhere.
        assert not name.startswith((*HOST_ROLES, "estate_")), f"no role has a variable {name}"
        assert len(re.findall(rf"\b{name}\b", text)) > 1, f"nobody reads {name}"


@pytest.mark.parametrize("role", HOST_ROLES)
def test_a_role_has_a_scenario_of_pure_defaults(role: str) -> None:
    assert role in SCENARIOS
    assert role in [name for play in load(MOLECULE / role / "converge.yml") for name, _ in roles_of(play)]
    have_defaults = {
        name for each in HOST_ROLES for name, option in specification(each).items() if not option.get("required")
    }
    given = variables(role)
    assert {name for name in given if MIRROR not in str(given[name])} & have_defaults == set()


@pytest.mark.parametrize("role", HOST_ROLES)
def test_a_role_has_a_scenario_of_many_other_values(role: str) -> None:
    scenario = f"{role}_alternative"
    assert scenario in SCENARIOS
    assert role in [name for play in load(MOLECULE / scenario / "converge.yml") for name, _ in roles_of(play)]
    options, given = specification(role), variables(scenario)
    other = {name for name in options.keys() & given.keys() if given[name] != options[name].get("default")}
    assert len(other) * 2 >= len(options), f"still at their defaults: {sorted(options.keys() - other)}"


def test_the_default_scenario_is_the_whole_host_play() -> None:
    # The verb itself first asks which environment of inventories/ is meant, which molecule's is not.
    host_play = imported(PROJECT / "playbooks/hosts.yml") - imported(PROJECT / "playbooks/preflight.yml")
    assert host_play & imported(MOLECULE / "default/converge.yml")
