"""The READMEs of the roles: exactly the variables of `defaults/main.yml`, with the defaults that they have there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[3]
ROLES = sorted(path for path in (PROJECT / "roles").iterdir() if path.is_dir())
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<default>.+?) \| \S", re.MULTILINE)
BLOCK = re.compile(r"^```yaml\n(?P<yaml>.*?)^```$", re.MULTILINE | re.DOTALL)
REQUIRED, ELSEWHERE = "required", "see `defaults/main.yml`"


def defaults(role: Path) -> dict[str, Any]:
    """The defaults of a role; none if it has no inputs."""
    path = role / "defaults/main.yml"
    return dict(yaml.safe_load(path.read_text())) if path.exists() else {}


def shown(readme: str) -> dict[str, Any]:
    """Variable → default as a README shows it, in a table or, for the host side, in its first block of YAML."""
    rows = {row["name"]: row["default"] for row in ROW.finditer(readme)}
    if rows:
        return {
            name: yaml.safe_load(default.strip("`")) if default != ELSEWHERE else ELSEWHERE
            for name, default in rows.items()
            if default != REQUIRED
        }
    block = yaml.safe_load(next(BLOCK.finditer(readme))["yaml"])
    return dict(block) if isinstance(block, dict) else {}


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_a_readme_has_exactly_the_variables_and_their_defaults(role: Path) -> None:
    found, given = shown((role / "README.md").read_text()), defaults(role)
    assert set(found) == set(given)
    differing = {name for name, value in found.items() if value not in (ELSEWHERE, given[name])}
    assert not differing


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_a_readme_shows_how_the_role_is_used(role: Path) -> None:
    example = list(BLOCK.finditer((role / "README.md").read_text().partition("\n## Example\n")[2]))
    (play,) = yaml.safe_load(example[0]["yaml"])
    named = {entry["role"] for entry in play["roles"]}
    assert named == {role.name}


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_a_readme_names_the_template_that_the_role_owns(role: Path) -> None:
    template = f"cloudformation/{role.name}.yml"
    owned = f"Owns `{template}`" in (role / "README.md").read_text()
    assert owned == (PROJECT / template).exists()
