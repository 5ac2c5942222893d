"""What CONTRIBUTING's recipes list, looked for in a tree: what a layer, a host role, a verb or a resource type lacks.

`test_rooms.py` finds nothing missing in this tree; `test_recipes.py` follows each recipe
in a copy, and leaves parts of it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROLE_FILES = ("defaults/main.yml", "meta/argument_specs.yml", "vars/main.yml", "tasks/main.yml", "README.md")
RESOURCE_TYPE = re.compile(r"\b(AWS::\w+::\w+)\b")
OWN_TYPE = re.compile(r'^    TYPE = "(AWS::\w+::\w+)"$', re.MULTILINE)


def load(path: Path) -> Any:
    """What a YAML file holds; nothing if there is none."""
    return yaml.safe_load(path.read_text()) if path.is_file() else None


def roles_with(project: Path, ending: str) -> set[str]:
    """The roles whose `vars` have a variable `<role>_<ending>`."""
    paths = (project / "roles").glob("*/vars/main.yml")
    return {path.parents[1].name for path in paths if f"{path.parents[1].name}_{ending}" in (load(path) or {})}


def host_roles(project: Path) -> list[str]:
    """The roles that make a machine a host, in no order."""
    return sorted(roles_with(project, "files"))


def layers(project: Path) -> list[str]:
    """The one list of layers, in its order."""
    stages = load(project / "group_vars/all/site.yml")["site_stages"]
    return [layer for stage in stages.values() for layer in stage]


def table(project: Path, head: str) -> str:
    """A table of the README."""
    return (project / "README.md").read_text().partition(head)[2].partition("\n\n")[0]


def missing_of_layers(project: Path) -> Iterator[str]:
    """A sentence for each thing that a layer lacks."""
    listed = layers(project)
    templates = {path.stem for path in (project / "cloudformation").glob("*.yml")}
    rows = set(re.findall(r"\[(\w+)\]\(roles/\1/README.md\)", table(project, "| layer | a stack | of |")))
    nouns = (project / "plugins/plugin_utils/site/nouns/__init__.py").read_text()
    for layer in sorted({*listed, *templates, *rows, *roles_with(project, "layer")}):
        role = project / "roles" / layer
        for name in ROLE_FILES:
            if not (role / name).is_file():
                yield f"the layer {layer} has no roles/{layer}/{name}"
        if layer not in templates:
            yield f"the layer {layer} has no template cloudformation/{layer}.yml"
        if layer not in roles_with(project, "layer"):
            yield f"roles/{layer}/vars/main.yml does not say {layer}_layer"
        if layer not in listed:
            yield f"site_stages in group_vars/all/site.yml does not name {layer}, so nobody deploys it"
        if layer not in rows:
            yield f"the README's table of layers has no line for {layer}"
        link = project / "group_vars/all" / f"{layer}.yml"
        if link.resolve() != (role / "defaults/main.yml").resolve():
            yield f"group_vars/all/{layer}.yml is no link to roles/{layer}/defaults/main.yml"
        if f"lookup('site', '{layer}'" in str((load(role / "vars/main.yml") or {}).get(f"{layer}_entries")):
            made_of_containers = layer == "image"  # which the model derives
            if not made_of_containers and not (project / f"plugins/plugin_utils/site/nouns/{layer}.py").is_file():
                yield f"the noun {layer} has no model plugins/plugin_utils/site/nouns/{layer}.py"
            if not made_of_containers and len(re.findall(rf"\b{layer}\b", nouns)) < 2:
                yield f"plugins/plugin_utils/site/nouns/__init__.py does not import the noun {layer}, and list it"


def missing_of_host_roles(project: Path) -> Iterator[str]:
    """A sentence for each thing that a host role lacks."""
    order = str(load(project / "roles/cluster/defaults/main.yml")["host_roles"])
    named = [name for name in re.findall(r"'(\w+)'", order) if not name.startswith("rexray_efs_")]
    for name in sorted({*host_roles(project), *named}):
        role = project / "roles" / name
        known = load(role / "vars/main.yml") or {}
        for file in (*ROLE_FILES, "rules.yml"):
            if not (role / file).is_file():
                yield f"the host role {name} has no roles/{name}/{file}"
        if name not in named:
            yield f"host_roles in roles/cluster/defaults/main.yml does not name {name}, so no host has it"
        for variable in (f"{name}_files", f"{name}_units"):
            if variable not in known:
                yield f"roles/{name}/vars/main.yml does not say {variable}"
        for file in known.get(f"{name}_files", []):
            if not (role / "templates" / file["template"]).is_file():
                yield f"{file['path']} has no template roles/{name}/templates/{file['template']}"
        first = (load(role / "tasks/main.yml") or [{}])[0]
        if first.get("check_rules") != {"role": name}:
            yield f"the first task of roles/{name}/tasks/main.yml is not check_rules: {{role: {name}}}"
        for scenario in (name, f"{name}_alternative"):
            for file in ("molecule.yml", "converge.yml"):
                if not (project / "molecule" / scenario / file).is_file():
                    yield f"the host role {name} has no molecule/{scenario}/{file}"


def missing_of_verbs(project: Path) -> Iterator[str]:
    """A sentence for each thing that a verb lacks."""
    texts = {path.name: path.read_text() for path in project.glob("*.yml")}
    verbs = {name for name, text in texts.items() if "import_playbook" in text}
    rows = set(re.findall(r"^\| `ansible-playbook (\S+\.yml) ", table(project, "| verb | does |"), re.MULTILINE))
    there = {path.name: path for path in (project / "playbooks").glob("*.yml")}
    imported = {
        name for path in there.values() for name in re.findall(r"import_playbook: (\S+\.yml)$", path.read_text(), re.M)
    }
    for verb in sorted({*verbs, *rows}):
        if verb not in there:
            yield f"the verb {verb} has no playbook playbooks/{verb}"
        if verb not in rows:
            yield f"the README's table of verbs has no line for {verb}"
    for playbook in sorted(there.keys() - imported - verbs):
        yield f"playbooks/{playbook} is no verb, as there is no {playbook} at the root, and no playbook imports it"


def missing_of_resource_types(project: Path) -> Iterator[str]:
    """A sentence for each thing that a resource type of the embedded AWS lacks."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    handlers = project / "local_aws/cloudformation/handlers"
    handled = {each for path in handlers.glob("*.py") for each in OWN_TYPE.findall(path.read_text())}
    templates = {each for path in (project / "cloudformation").glob("*.yml") for each in _types(path)}
    tested = {
        each
        for top in ("local_aws/tests", "tests", "molecule")
        for path in (project / top).rglob("*")
        if path.suffix in (".py", ".yml") and "recipes" not in path.parts
        for each in RESOURCE_TYPE.findall(path.read_text())
    }
    official = set(PROVIDER_SCHEMA_MANAGER.get_resource_types("us-east-1"))
    for each in sorted(templates - handled):
        yield f"a template has {each}, and no handler in local_aws/cloudformation/handlers makes it"
    for each in sorted(handled - tested):
        yield f"{each} has a handler, and no test makes it"
    for each in sorted(handled - official):
        yield f"{each} has a handler, and is no resource type of CloudFormation"


def _types(template: Path) -> set[str]:
    resources = template.read_text().partition("\nResources:")[2]
    return set(re.findall(r"^ {4}Type: (AWS::\S+)", resources, re.MULTILINE))


MISSING: dict[str, Callable[[Path], Iterator[str]]] = {
    "layer": missing_of_layers,
    "host_role": missing_of_host_roles,
    "verb": missing_of_verbs,
    "resource_type": missing_of_resource_types,
}
"""What is added → what is missing of it in a tree."""
