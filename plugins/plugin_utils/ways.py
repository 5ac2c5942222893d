"""Ways of typing a verb that Ansible takes, and that would do nothing, half of it, or something on another AWS."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE

from plugins.plugin_utils import arguments
from plugins.plugin_utils.places import PROJECT, TEMPLATE, shown, verb

HOST_VERBS = ("hosts.yml", "exec.yml")
"""Verbs that do their work on the hosts themselves."""
SEEING_VERBS = (
    *HOST_VERBS, "doctor.yml", "drill.yml", "import_data.yml", "release.yml", "restore.yml", "rollback.yml",
    "rotate_secrets.yml", "ssh_config.yml", "tunnel.yml", "upgrade_database.yml", "verify.yml",
)  # fmt: skip
"""Verbs that have to know the hosts."""
LOCAL_VERBS = ("compose_file.yml",)
"""Verbs that ask no AWS."""
OFFLINE_VERBS = {"preflight.yml": "preflight_account"}
"""Verbs that ask no AWS where a variable is typed as false → the variable."""
ENVIRONMENT_FILE = re.compile(r"""^plugin:\s*["']?environment["']?\s*(#.*)?$""", re.MULTILINE)


def is_environment_file(path: Path) -> bool:
    """Whether the file is one of the inventory plugin `environment`."""
    return path.is_file() and bool(ENVIRONMENT_FILE.search(path.read_text(errors="replace")))


def refusal(options: Mapping[str, Any], roles_path: Iterable[str] | None = None) -> str:
    """Why a verb cannot be run the way it was typed, and what to type instead; empty if it can, or if it is no verb.

    Args:
        options: of the command line (`context.CLIARGS`).
        roles_path: setting of that name; the run's by default.
    """
    names = _run(options)
    if not names:
        return ""
    sources = [str(source) for source in options.get("inventory") or ()]
    if names[0] in arguments.MAKING_VERBS and sources == [str(source) for source in constants.DEFAULT_HOST_LIST]:
        texts = [str(text) for text in options.get("extra_vars") or ()]
        return _settings(roles_path if roles_path is not None else constants.DEFAULT_ROLES_PATH or ()) or (
            refusal_of_typed(options, dict.fromkeys(arguments.inline(texts), ""), [])
        )
    return (
        _settings(roles_path if roles_path is not None else constants.DEFAULT_ROLES_PATH or ())
        or _inventory(sources, names[0])
        or _parts(options, names[0], _whole(options, names[0], sources[0]))
        or _limit(str(options.get("subset") or ""), names[0], _whole(options, names[0], sources[0]))
    )


def refusal_of_typed(options: Mapping[str, Any], typed: Mapping[str, Any], folders: Iterable[Path]) -> str:
    """Why the variables of the command line cannot be meant, and what to type instead; empty if they can.

    Args:
        options: of the command line (`context.CLIARGS`).
        typed: the variables of the command line (`-e`), those of its files among them.
        folders: of the inventory.
    """
    names = _run(options)
    texts = [str(text) for text in options.get("extra_vars") or ()]
    return arguments.refusal(names, texts, typed, folders) if names and texts else ""


def concerns_hosts(options: Mapping[str, Any]) -> bool:
    """Whether a command has to know the site's hosts: everything but what works on localhost alone.

    Args:
        options: of the command line (`context.CLIARGS`).
    """
    if options.get("args") == "localhost":  # ansible localhost -m …
        return False
    playbooks = _playbooks(options)
    return not playbooks or not all(_is_verb(path) and path.name not in SEEING_VERBS for path in playbooks)


def concerns_aws(options: Mapping[str, Any], typed: Mapping[str, Any]) -> bool:
    """Whether a command may ask AWS something: everything but verbs that only read the inventory.

    Args:
        options: of the command line (`context.CLIARGS`).
        typed: the variables of the command line (`-e`).
    """
    playbooks = _playbooks(options)
    return not playbooks or not all(_is_verb(path) and _is_offline(path.name, typed) for path in playbooks)


def _run(options: Mapping[str, Any]) -> list[str]:
    """The playbooks of the verbs that are run, and not only listed."""
    if any(options.get(key) for key in ("syntax", "listtasks", "listtags", "listhosts")):
        return []
    return [path.name for path in _playbooks(options) if _is_verb(path)]


def _is_offline(name: str, typed: Mapping[str, Any]) -> bool:
    """Whether a verb asks no AWS. What is no plain `false` may come to anything, so it does not count."""
    return name in LOCAL_VERBS or str(typed.get(OFFLINE_VERBS.get(name, ""))).lower() in BOOLEANS_FALSE


def _playbooks(options: Mapping[str, Any]) -> list[Path]:
    typed = options.get("args")
    return [Path(each) for each in typed] if isinstance(typed, (list, tuple)) else []


def _is_verb(path: Path) -> bool:
    return path.suffix == ".yml" and path.resolve().parent in (PROJECT, PROJECT / "playbooks")


def _settings(roles_path: Iterable[str]) -> str:
    if PROJECT / "roles" in (Path(path).resolve() for path in roles_path):
        return ""
    return (
        "The settings of Berth were not read: Ansible looks for ansible.cfg in the folder where you stand. Type: "
        f"export ANSIBLE_CONFIG={shlex.quote(str(PROJECT / 'ansible.cfg'))}, then the same command again."
    )


def _inventory(given: list[str], name: str) -> str:
    folders = (path for path in sorted((PROJECT / "inventories").iterdir()) if path.is_dir())
    there = {path.name: _short(path) for path in folders if path.name != TEMPLATE}
    choice = ", ".join(there.values())
    named = [part for source in given for part in source.split(",") if part]
    given_folders = [part for part in named if Path(part).is_dir()]
    example = verb(name, shown(Path(given_folders[0])) if given_folders else next(iter(there.values())))
    if given == [str(source) for source in constants.DEFAULT_HOST_LIST]:
        return f"No environment was named. There are {choice}; type for example: {example}"
    if len(named) > 1 and given_folders:
        return f"-i names {len(named)} inventories; a run is about one environment. Type: {example}"
    if any("," in source for source in given) or len(named) != 1:
        return (
            f"-i {','.join(given)} names hosts. A verb needs the folder of an inventory ({choice}), which says which "
            f"site, AWS and region are meant. Type for example: {example}"
        )
    path = Path(named[0])
    if not path.exists():
        near = difflib.get_close_matches(path.name, there, 1)
        typed = verb(name, there[near[0]]) if near else example
        return f"There is no inventory {shown(path)}. There are {choice}; type for example: {typed}"
    if path.is_file() and any(is_environment_file(file) for file in path.parent.glob("*.y*ml")):
        return (
            f"-i {shown(path)} is one file of an inventory: the others would not be read, and one of them says which "
            f"AWS is meant. Type: {verb(name, shown(path.parent))}"
        )
    return ""


def _short(inventory: Path) -> str:
    """An inventory of the project as it is typed: by the link in the project's root, where there is one."""
    link = PROJECT / inventory.name
    return shown(link if link.is_symlink() and link.resolve() == inventory.resolve() else inventory)


def _whole(options: Mapping[str, Any], name: str, source: str) -> str:
    """The verb as it should be typed, of the same environment."""
    given = (arguments.parsed(str(text)) for text in options.get("extra_vars") or ())
    typed = [each[arguments.ENVIRONMENT] for each in given if each and arguments.ENVIRONMENT in each]
    environment = f" -e environment={shlex.quote(typed[-1])}" if typed else ""
    return f"{verb(name, shown(Path(source)))}{environment}"


def _parts(options: Mapping[str, Any], name: str, whole: str) -> str:
    tags = set(options.get("tags") or ()) - {"all"}
    for option, given in (
        ("--tags", ",".join(sorted(tags))),
        ("--skip-tags", ",".join(sorted(options.get("skip_tags") or ()))),
        ("--start-at-task", options.get("start_at_task") or ""),
    ):
        if given:
            what = f"{option} {shlex.quote(given)} would do nothing, or half of {name} without its checks."
            return f"{what} A verb is run as a whole, and passes over what is done already. Type: {whole}"
    return ""


def _limit(limit: str, name: str, whole: str) -> str:
    """A limit may name hosts, if it leaves localhost in: that is where each verb checks the inventory first."""
    patterns = [part for part in re.split(r"[,:]", limit) if part]
    if not patterns or "all" in patterns or "*" in patterns:
        return ""
    rest = [part for part in patterns if part != "localhost"]
    if name not in HOST_VERBS:
        if "localhost" in patterns:
            return ""
        return f"--limit {shlex.quote(limit)}: {name} runs on localhost and would do nothing. Type: {whole}"
    if "localhost" not in patterns:
        with_it = shlex.quote(",".join(["localhost", *rest]))
        return (
            f"--limit {shlex.quote(limit)} leaves out localhost, where {name} checks the inventory first. Type: "
            f"{whole} --limit {with_it}"
        )
    if not any(part[0] not in "!&" for part in rest):
        return f"--limit {shlex.quote(limit)} names no host, so {name} would do nothing. Type: {whole}"
    return ""
