"""Which data of a preview are not anonymised is written into its ledger, and let go of part by part."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import raw_data
from plugins.plugin_utils.ledger import Ledger
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import run_action, talk_to

NONE = {"changed": False, "point": "", "said": "", "typed": "", "parts": []}


@pytest.fixture
def there(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Ledger]:
    talk_to(aws, monkeypatch)
    return a_ledger(aws)


def run(there: tuple[str, Ledger], state: str, *parts: str, check: bool = False, **given: Any) -> dict[str, Any]:
    arguments = {"prefix": there[0], "state": state, "parts": list(parts), **given}
    return run_action(raw_data, arguments, check=check)


def add(there: tuple[str, Ledger], *parts: str, **given: Any) -> dict[str, Any]:
    return run(there, "added", *parts, point="test.one", typed=" -e from=test -e backup=one", **given)


def test_what_is_written_is_found_by_the_next_run_until_it_is_let_go_of(there: tuple[str, Ledger]) -> None:
    assert run(there, "status") == NONE
    told = {
        "point": "test.one", "said": "the backup one of test", "typed": "-e from=test -e backup=one",
        "parts": ["database.main"],
    }  # fmt: skip
    assert add(there, "database.main") == {"changed": True, **told}
    assert run(there, "status") == {"changed": False, **told}
    assert add(there, "volume.media albums")["parts"] == ["database.main", "volume.media albums"]
    assert run(there, "removed", "database.main")["parts"] == ["volume.media albums"]
    assert run(there, "removed", "volume.media albums") == NONE | {"changed": True}
    assert run(there, "removed", "volume.media albums") == NONE
    assert there[1].entries() == [], "it is none of the runs"


def test_a_path_is_a_part_of_its_own_unless_all_of_it_is_meant(there: tuple[str, Ledger]) -> None:
    add(there, "volume.media", "volume.media albums", "volume.mediaother")
    assert run(there, "removed", "volume.media")["parts"] == ["volume.media albums", "volume.mediaother"]
    assert run(there, "removed", "volume.media", with_paths=True)["parts"] == ["volume.mediaother"]


def test_check_mode_writes_nothing_and_a_site_without_a_ledger_has_none(there: tuple[str, Ledger]) -> None:
    assert add(there, "database.main", check=True) == NONE
    assert run(there, "status") == NONE
    add(there, "database.main")
    assert run(there, "removed", "database.main", check=True)["parts"] == ["database.main"]
    assert run_action(raw_data, {"prefix": "shop-nowhere", "state": "removed", "parts": ["a.b"]}) == NONE
