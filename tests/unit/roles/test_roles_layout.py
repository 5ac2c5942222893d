"""Roles, templates and variables keep to the layout: what a reader knows of one is true of all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta
import pytest
import yaml

from tests.unit.render_support import LAYERS

PROJECT = Path(__file__).resolve().parents[3]
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


RULES = sorted((PROJECT / "roles").glob("*/rules.yml"))


def reads(text: str) -> set[str]:
    """Names that the Jinja in a text reads, its own variables left out."""
    return set(jinja2.meta.find_undeclared_variables(JINJA.parse(text)))


class Whichever(dict[str, Any]):
    """Filters or tests, Ansible's too: which there are does not matter here."""

    def get(self, key: str, default: Any = None) -> Any:
        """Something that can be called."""
        return super().get(key, default) or str


JINJA = jinja2.Environment(autoescape=True)  # parses only
JINJA.filters, JINJA.tests = Whichever(JINJA.filters), Whichever(JINJA.tests)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_reads_nothing_but_inputs_and_what_it_says_itself(layer: str) -> None:
    """No fact that another role happened to set: what comes from outside is an input that the play hands over."""
    role = PROJECT / "roles" / layer
    variables, template = role / "vars/main.yml", PROJECT / f"cloudformation/{layer}.yml"
    text = variables.read_text() + template.read_text().replace("{{resolve:", "")
    files = [path.read_text() for path in sorted((role / "tasks").glob("*.yml"))]
    own = set(load(variables)) | {name for file in files for name in re.findall(r"register: (\w+)", file)}
    inputs = {name for each in ROLES for name in options(each)}
    known = (
        inputs
        | own
        | set(load(PROJECT / "group_vars/all/site.yml"))
        | {"lookup", "entry", "entry_name", "omit", "item"}
    )
    assert sorted((reads(text) | set().union(*map(reads, files))) - known) == []


def test_what_is_handed_over_are_inputs_of_layers() -> None:
    handed = load(PROJECT / "playbooks/vars/layers.yml")
    inputs = {name for layer in LAYERS for name in options(PROJECT / "roles" / layer)}
    helpers = {name for name in handed if name.startswith("layers_")}
    assert set(handed) - helpers <= inputs


def test_the_layers_are_listed_in_one_place() -> None:
    stages = load(PROJECT / "group_vars/all/site.yml")["site_stages"]
    word = rf"['\"]?\b({'|'.join(layer for stage in stages.values() for layer in stage)})\b['\"]?"
    listed = re.compile(rf"{word}(, ?{word}){{3}}")  # three in a row are the nouns that have something in common
    files = [path for folder in ("playbooks", "roles", "plugins", "scripts") for path in (PROJECT / folder).rglob("*")]
    texts = {path: path.read_text() for path in files if path.suffix in (".yml", ".py", ".sh", ".j2")}
    examples = {
        PROJECT / "plugins/modules/cloudformation_stacks.py",
        PROJECT / "plugins/plugin_utils/site/nouns/__init__.py",
    }
    assert [path for path, text in texts.items() if listed.search(text) and path not in examples] == []
    assert listed.search((PROJECT / "group_vars/all/site.yml").read_text())


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.parent.name)
def test_a_rule_says_what_it_is_about_and_is_about_an_input_of_its_role(path: Path) -> None:
    inputs = set(options(path.parent))
    for rule in load(path):
        assert {"variable", "that", "say"} <= set(rule) <= {"name", "variable", "that", "say", "each"}
        assert rule["variable"] in inputs or rule["variable"].startswith("{{ item")


def test_playbooks_see_the_variables_too() -> None:
    assert (PROJECT / "playbooks/group_vars").resolve() == PROJECT / "group_vars"
