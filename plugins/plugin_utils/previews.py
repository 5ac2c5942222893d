"""Preview environments: others beside the one of an inventory, from the same files, by `-e environment=pr7`.

All that Berth makes is called after the environment, so another name is another site. What an inventory says of things
that exist, or of the one name that people type, it says of its own environment; that is told apart here.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.template import trust_as_template

from plugins.plugin_utils.arguments import ENVIRONMENT
from plugins.plugin_utils.places import PREVIEW_VARIABLE, shown
from plugins.plugin_utils.ways import is_environment_file

KEPT = "_environment"
"""What the argument is called in the variables of a run.

`environment` is a keyword of plays and tasks, of which Ansible would warn in each run. Read by nobody else.
"""
KEY = "preview_environments"
"""The key of an inventory's `environment.yml` that allows them."""
VARIABLE = "preview_of"
"""Variable with the name of the environment whose inventory a preview environment is of; empty in that one itself."""
LEDGER_VARIABLE = "preview_of_ledger_bucket"
"""Variable of a preview environment: what the inventory says of the ledger of its own one, where its backups stand."""
NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
"""As a rule of the role preflight has it of every environment; with the site's, names of AWS's have room then."""


def take(typed: dict[str, Any]) -> str | None:
    """The name behind `-e environment=`, kept under another one; None where nothing was typed.

    Args:
        typed: the variables of the command line, as Ansible keeps them for the run.
    """
    if ENVIRONMENT in typed:
        typed[KEPT] = typed.pop(ENVIRONMENT)
    return str(typed[KEPT]) if KEPT in typed else None


def tell(name: str) -> None:
    """Let all that the run says and starts know of the preview environment; of none, if the name is empty."""
    if name:
        os.environ[PREVIEW_VARIABLE] = name
    else:
        os.environ.pop(PREVIEW_VARIABLE, None)


def refusal(name: str, own: str, allowed: bool, path: Path, others: Mapping[str, Path]) -> str:
    """Why an inventory brings up no environment of this name, and what to type; empty if it does.

    Args:
        name: as typed.
        own: name of the inventory's own environment.
        allowed: what the inventory says under `KEY`.
        path: of its `environment.yml`.
        others: name → folder, of environments that have an inventory of their own.
    """
    if name == own:
        return ""
    if not NAME.fullmatch(name):
        better = re.sub(r"[^a-z0-9]+", "", name.lower()).lstrip("0123456789")[:12] or "pr7"
        return (
            f"-e environment={shlex.quote(name)} is no name of an environment: use small letters and digits, a letter "
            f"first, at most 12. Type for example -e environment={better}"
        )
    if name in others:
        return (
            f"-e environment={name}: {name} has an inventory of its own, and {own}'s must not change what is made from "
            f"that. Type the verb with -i {shown(others[name])}"
        )
    if not allowed:
        return (
            f"-e environment={name}: {shown(path)} is of the environment {own} alone. If it may bring up others beside "
            f"{own}, with the same secrets, write there: {KEY}: true"
        )
    return ""


def variables(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """What an inventory says of its own environment alone, as it is in a preview environment.

    Args:
        name: of the preview environment.
        found: the inventory's variables, templates not resolved.
    """
    # A ledger that exists is of the other one's past; and of what is thrown away nobody looks for data that were kept.
    made: dict[str, Any] = {"ledger_bucket": "", "teardown_data": True, "teardown_keep_snapshot": False}
    made[LEDGER_VARIABLE] = found.get("ledger_bucket") or ""
    if isinstance(domain := found.get("domain_name"), str):
        made["domain_name"] = _in_front(name, domain)
    if isinstance(aliases := found.get("domain_aliases"), Sequence) and not isinstance(aliases, str):
        made["domain_aliases"] = [_alias(name, each) for each in aliases]
    return made


def of_folders(folders: Iterable[Path], site: str, load: Callable[[str], Any]) -> dict[str, Path]:
    """The environments of a site that have an inventory of their own, name → folder.

    Args:
        folders: that hold inventories, a folder each.
        site: name of the site.
        load: reads a YAML file; may raise AnsibleError for one that is none.
    """
    found: dict[str, Path] = {}
    for path in sorted({each for folder in folders for each in folder.glob("*/*.y*ml")}):
        if not is_environment_file(path):
            continue
        try:
            content = load(str(path))
        except AnsibleError:  # it is said to whom that inventory belongs
            continue
        if isinstance(content, Mapping) and content.get("site_name") == site:
            found[str(content.get("environment_name") or path.parent.resolve().name)] = path.parent
    return found


def _alias(name: str, alias: Any) -> Any:
    if isinstance(alias, Mapping):
        return {**alias, "name": _alias(name, alias["name"])} if isinstance(alias.get("name"), str) else alias
    return _in_front(name, alias) if isinstance(alias, str) else alias


def _in_front(name: str, domain: str) -> str:
    """A domain name with the environment's in front; as it is where that is written into it already."""
    if "environment_name" in domain or "site_prefix" in domain:
        return domain
    wildcard = "*." if domain.startswith("*.") else ""
    made: str = trust_as_template(f"{wildcard}{name}.{domain.removeprefix('*.')}")
    return made
