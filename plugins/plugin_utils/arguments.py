"""What a verb may be told by `-e`: its own arguments, variables of Berth, and those that the inventory has.

Ansible takes any name and says nothing of one that nobody reads, nor of words that belong to no name: the verb would
run without what was meant.
"""

from __future__ import annotations

import difflib
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.parsing.convert_bool import BOOLEANS
from ansible.parsing.splitter import parse_kv

from plugins.plugin_utils.places import PROJECT, verb

FILE = PROJECT / "playbooks/vars/arguments.yml"
OWN_PREFIXES = ("ansible_", "vault_", "_")
"""Names that need no specification: Ansible's own, the vaulted halves of others, and helpers of a vars file."""
FOR_EVERY_VERB = ("lock_wait",)
"""Arguments that an inventory may have too, and a pipeline types behind each verb: some have nothing to wait for."""
ENVIRONMENT = "environment"
"""Argument of every verb but those that make an inventory; the inventory plugin reads it (previews.py)."""
MAKING_VERBS = ("init.yml",)
"""Verbs that make an inventory, and need none."""
VARIABLE = re.compile(r"""^["']?([A-Za-z_][A-Za-z0-9_]*)["']?\s*:""", re.MULTILINE)
"""A name of a vars file, or of one that holds the identity; what is vaulted as a whole shows none."""


@cache
def _said() -> dict[str, Any]:
    return dict(yaml_load(FILE.read_text()))


def arguments(name: str) -> dict[str, str]:
    """The arguments of a verb, name → what it is; none of one that is not ours.

    Args:
        name: of its playbook, `run.yml`.
    """
    return dict(_said()["verb_arguments"].get(Path(name).stem) or {})


def refusal(names: Sequence[str], texts: Sequence[str], typed: Mapping[str, Any], folders: Iterable[Path]) -> str:
    """Why the variables of a command line cannot be meant, and what to type; empty if they can.

    Args:
        names: of the verbs' playbooks, `run.yml`.
        texts: what stands behind each `-e`.
        typed: all the variables that Ansible made of these, those of files among them.
        folders: of the inventory.
    """
    own = {argument for name in names for argument in arguments(name)}
    own |= {ENVIRONMENT} if names[0] not in MAKING_VERBS else set()
    plain = list(_plain(names, texts))
    for text in plain:
        if (given := parsed(text)) is not None and "_raw_params" in given:
            return _words(names[0], text, own)
    # Words of a command that look like a variable.
    inside = {*inline(text for text in texts if text not in plain)} - {*inline(plain)}
    unknown = [each for each in typed if each not in own | inside and not each.startswith(OWN_PREFIXES)]
    known = {*_variables(), *_of_plays(names), *_of_inventory(folders)} if unknown else set()
    for each in unknown:
        if each not in known:
            behind = next((text for text in plain if each in list(parsed(text) or ())[1:]), "")
            first = behind.partition("=")[0]
            return _words(names[0], behind, own) if first in own | known else _unknown(names[0], each, own, known)
    return next(
        (_neither(names[0], each, typed[each]) for each in typed if each in own and _is_neither(each, typed)), ""
    )


def inline(texts: Iterable[str]) -> list[str]:
    """The names that are typed as `name=value`."""
    return [name for text in texts for name in parsed(text) or ()]


def _plain(names: Sequence[str], texts: Iterable[str]) -> Iterator[str]:
    """The texts of which Ansible makes a variable a word."""
    whole = {argument for name in names for argument in _said()["verb_arguments_whole"].get(Path(name).stem, ())}
    for text in texts:
        if not text.startswith(("@", "{", "[", "/", ".")) and text.partition("=")[0] not in whole:
            yield text


def parsed(text: str) -> dict[str, str] | None:
    """What Ansible makes of `name=value`; None for files and JSON, and where it would end the run itself."""
    if text.startswith(("@", "{", "[", "/", ".")):
        return None
    try:
        return dict(parse_kv(text))
    except AnsibleError:
        return None


def _words(name: str, text: str, own: set[str]) -> str:
    first, _, rest = text.partition("=")
    if not rest or not first.isidentifier():
        return (
            f"-e {shlex.quote(text)} has words that belong to no variable, and Ansible passes over them. Type "
            f"name=value behind -e, one behind each. {_takes(name)}"
        )
    value = rest if first in own else "…"  # what is no argument may be a secret
    return (
        f"Behind -e {first}= stand several words: Ansible takes the first for {first}, and passes over the others. "
        f"Give one word, or if all are meant, type: -e {shlex.quote(json.dumps({first: value}, ensure_ascii=False))}"
    )


def _is_neither(name: str, typed: Mapping[str, Any]) -> bool:
    """Whether an argument is to be true or false, and is neither."""
    value = typed[name]
    if name not in _said()["verb_arguments_bool"]:
        return False
    return not isinstance(value, str | int) or (value.lower() if isinstance(value, str) else value) not in BOOLEANS


def _neither(name: str, argument: str, value: object) -> str:
    either = " or ".join(f"-e {argument}={word}" for word in ("true", "false"))
    return f"-e {argument}={value} is neither true nor false. Nothing was done. Type: {verb(name)} {either}"


def _unknown(name: str, typed: str, own: set[str], known: set[str]) -> str:
    near = difflib.get_close_matches(typed, sorted(own), 1) or difflib.get_close_matches(typed, sorted(known), 1)
    others = [each for each in _said()["verb_arguments"] if typed in arguments(each)]
    if others:
        shown = " and ".join(f"{each}.yml" for each in others[:3])
        advice = f" It is an argument of {shown}. Type for example: {verb(f'{others[0]}.yml')} -e {typed}=…"
    elif typed in _said()["verb_arguments"]:
        advice = f" It is a verb of its own. Type: {verb(f'{typed}.yml')}"
    elif near:
        advice = f" Did you mean {near[0]}?"
    else:
        advice = ""
    sentence = f"-e {typed}: {name} takes no such argument, and it is not a variable of this project.{advice}"
    says_what_to_type = others or typed in _said()["verb_arguments"]
    return sentence if says_what_to_type else f"{sentence} {_takes(name)}"


def _takes(name: str) -> str:
    listed = ", ".join(arguments(name)) or "no argument of its own"
    return f"{name} takes {listed}, and variables of the inventory."


@cache
def _variables() -> frozenset[str]:
    """The variables of Berth."""
    found = set(FOR_EVERY_VERB)
    for path in (PROJECT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in (yaml_load(path.read_text()) or {}).get("argument_specs", {}).values():
            found |= set(entry.get("options") or {})
    return frozenset(found | _of_files([PROJECT / "group_vars"]))


def _of_plays(names: Iterable[str]) -> set[str]:
    """The variables of the verbs' own plays."""
    plays = [play for name in names for play in yaml_load((PROJECT / "playbooks" / name).read_text())]
    return {str(name) for play in plays for name in play.get("vars") or ()}


def _of_inventory(folders: Iterable[Path]) -> set[str]:
    return _of_files(folder / part for folder in folders for part in ("group_vars", "host_vars"))


def _of_files(folders: Iterable[Path]) -> set[str]:
    """Names at the left edge of all files below some folders."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {name for path in files for name in VARIABLE.findall(path.read_text(errors="replace"))}
