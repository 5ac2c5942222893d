"""What comes of public Compose files, and which of their keys are dropped: pytest tests/public, by hand.

No `make` runs it: the files are other people's, so they are not part of the project, and a test that passes over what
is not there proves nothing. What one of these files has taught stands in words of our own in
tests/unit/plugins/plugin_utils/compose.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.compose.describing import describe
from plugins.plugin_utils.compose.loading import load
from tests.unit.plugins.plugin_utils.compose.support import PROJECT, problems, written

TABLE: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "compose_files.yml").read_text())
CACHE = PROJECT / ".cache/compose"
NOUNS = ("site_jobs", "site_volumes", "site_databases", "site_secrets")


def test_there_are_ten_of_several_authors_under_free_licences() -> None:
    assert len(TABLE) >= 10
    assert len({each["repository"] for each in TABLE.values()}) >= 5
    assert {each["licence"] for each in TABLE.values()} <= {"MIT", "Apache-2.0", "BSD-3-Clause", "CC0-1.0"}


@pytest.mark.parametrize("name", TABLE)
def test_a_public_file_becomes_what_the_table_says(name: str) -> None:
    path, row = CACHE / f"{name}.yml", TABLE[name]
    what = f"{row['path']} of github.com/{row['repository']} at {row['commit']}"
    assert path.exists(), f"put {what} there: {path}"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"], "another version of the file"
    made = describe(load(path))
    assert problems(made) == []
    content = written(made)
    assert {entry: list(each["containers"]) for entry, each in content["site_services"].items()} == row["site_services"]
    assert {noun: list(content[noun]) for noun in NOUNS if noun in content} == {
        noun: row[noun] for noun in NOUNS if noun in row
    }
    routes = [
        f"{entry}.{route['to']}:{route.get('port', '')}{route.get('health', '')}"
        for entry, each in content["site_services"].items()
        for route in each.get("routes", [])
    ]
    assert routes == row["route"]
    dropped = {note.subject: note.sentence for note in made.report.dropped}
    assert sorted(dropped) == row["dropped"]
    assert all(dropped.values())
