"""Nothing but the examples, the inventories, documentation and tests knows what an example's site is made of."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[3]
WORDS = re.compile(
    r"django|nginx|celery|gunicorn|flask|whitenoise|\bredis\b|(?<!@)\bmedia\b|media_|_media|MediaV|MediaF|"
    r"legacy.?site|legacy-(prod|local|test)|site_containers|site_once\b|\bsite_images\b",
    re.IGNORECASE,
)
"""Containers, images, volume, secrets and names of the examples' sites, and variables that knew one shape of site.

`@media` is a rule of a stylesheet.
"""
PLACES = ("cloudformation", "group_vars", "playbooks", "plugins", "roles")
DOCUMENTS = re.compile(r"README\.md$")
EXAMPLES = re.compile(r'^(DOCUMENTATION|EXAMPLES|RETURN) = r?"""\n.*?^"""$', re.MULTILINE | re.DOTALL)
"""Ansible's documentation of a plugin: it shows how one is used."""
MODEL = "plugins/plugin_utils/site/"
"""What reads a site's description. Its sentences and docstrings show what to type, with names of containers, volumes.

Nothing is compared with these: see `test_the_model_compares_nothing_with_an_example_s_names`.
"""

COMPOSE = "plugins/plugin_utils/compose/"
"""What reads other people's Compose files: it knows what public images of that name are for."""

REMOVED = "roles/preflight/vars/main/removed.yml"
"""Variables that an inventory of an earlier release may set, and what takes their place: nothing reads them."""


@cache
def files() -> tuple[str, ...]:
    """What is under version control in `PLACES`, and the verbs; no documents."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PLACES, "*.yml"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    verbs = {name for name in listed if "/" not in name}
    mine = {name for name in listed if name.startswith(tuple(f"{place}/" for place in PLACES))}
    own = {name for name in mine | verbs if (PROJECT / name).is_file() and not (PROJECT / name).is_symlink()}
    return tuple(sorted(name for name in own if not DOCUMENTS.search(name)))


def found(text: str) -> list[str]:
    """Lines with one of the words."""
    return [f"{number}: {line.strip()}" for number, line in enumerate(text.splitlines(), 1) if WORDS.search(line)]


def code(name: str) -> str:
    """A file's text, Ansible's documentation left out."""
    return EXAMPLES.sub("", (PROJECT / name).read_text())


def test_nothing_knows_an_example_s_site() -> None:
    known: dict[str, list[str]] = {}
    for name in files():
        if name.startswith((MODEL, COMPOSE)) or name == REMOVED:
            continue
        if lines := found(code(name)):
            known[name] = lines
    assert known == {}


def test_the_model_compares_nothing_with_an_example_s_names() -> None:
    """A name alone in quotes could be compared with; one in a sentence or beside a word of Compose's is shown."""
    alone = re.compile(r"""(["'])(django|nginx|celery|flask|media|redis|admin|legacy-site)\1""")
    compared = re.compile(r"""(==|!=|\bin\b)\s*[\[({]?\s*["'](django|nginx|celery|flask|media|redis|legacy-site)\b""")
    shown = re.compile(r'(Text|Listed|Choice)\(.*"|next\(iter\(value\), "media"\)|re\.compile|^\s+r"')
    for name in files():
        if name.startswith(MODEL) and name.endswith(".py"):
            lines = (PROJECT / name).read_text().splitlines()
            assert [line for line in lines if compared.search(line)] == [], name
            assert [line for line in lines if alone.search(line) and not shown.search(line)] == [], name


def test_what_was_removed_is_told_and_read_nowhere() -> None:
    removed = yaml.safe_load((PROJECT / REMOVED).read_text())
    names = {name for table in removed.values() if isinstance(table, dict) for name in table}
    assert {"site_containers", "media_volume_name"} <= names
    known = re.compile("|".join(rf"\b{name}\b" for name in names if WORDS.search(name)))
    assert [name for name in files() if name != REMOVED and known.search(code(name))] == []


@pytest.mark.parametrize("place", [*PLACES, "site.yml"])
def test_there_is_something_to_look_at(place: str) -> None:
    assert [name for name in files() if name == place or name.startswith(f"{place}/")]


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("image: django", True),
        ("{{ containers.nginx }}", True),
        ("MediaVolumeName: media", True),
        ("prefix: legacy-prod", True),
        ("host_limits_immediate: true", False),
        ("# intermediate certificates", False),
        ("DatabaseName: site", False),
    ],
)
def test_a_line_that_knows_a_site_is_found(line: str, known: bool) -> None:
    assert bool(found(line)) is known
