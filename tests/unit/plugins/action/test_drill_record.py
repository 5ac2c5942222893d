"""What is written down of a drill: in a record of its own, and in the entry of the run."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import drill_record
from plugins.plugin_utils.backups import drills
from plugins.plugin_utils.ledger import ENTRY_VARIABLE, RUN_VARIABLE, Place
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import run_action, talk_to


def ago(**given: float) -> str:
    """A time that was so long ago."""
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(**given)).isoformat()


class Drilled:
    def __init__(self, aws: Cloud) -> None:
        self.prefix, self.ledger = a_ledger(aws)
        self.shown = list[str]()
        self.ledger.begin({"key": "entries/one.json", "run": "one", "verb": "drill"})

    def step(self, step: str, check: bool = False, **given: Any) -> dict[str, Any]:
        arguments = {"prefix": self.prefix, "step": step, **given}
        return run_action(drill_record, arguments, check, say=lambda _, text, _color=None: self.shown.append(text))


@pytest.fixture
def drilled(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Drilled:
    talk_to(aws, monkeypatch)
    made = Drilled(aws)
    monkeypatch.setenv(RUN_VARIABLE, "one")
    monkeypatch.setenv(ENTRY_VARIABLE, str(Place(made.prefix, made.ledger.bucket, "entries/one.json")))
    return made


def last(drilled: Drilled) -> dict[str, Any]:
    found = drills.Drills(drilled.ledger).last()
    assert found
    return found


def test_one_that_went_well_says_how_old_the_data_were_and_how_long_it_took(
    drilled: Drilled,
) -> None:
    assert drills.Drills(drilled.ledger).last() is None
    drilled.step("begin", name="nightly", of=ago(hours=3, minutes=20, seconds=5))
    assert drilled.shown == ["of the backup nightly, whose data are 3 h 20 min old"]
    drilled.step("proven", part="database.main", facts={"tables": 6, "rows": 1004})
    drilled.step("proven", part="volume.media", facts={"attempt": "a"})
    drilled.ledger.update(drills.KEY, {"started": ago(minutes=20)})
    drilled.step("end")
    found = last(drilled)
    assert (found["outcome"], found["reason"], found["point_seconds"] // 60) == ("good", "", 200)
    assert 1_200 <= found["recovery_seconds"] < 1_260
    assert found["parts"] == {"database.main": {"tables": 6, "rows": 1004}, "volume.media": {"attempt": "a"}}
    entry = drilled.ledger.read("entries/one.json")
    assert entry
    assert entry["drill"]["recovery_seconds"] == found["recovery_seconds"]
    assert entry["drill"]["backup"] == "nightly"
    assert drilled.shown[-1].endswith("UTC, of nightly: good · data 3 h 20 min old, back in 20 min")


def test_one_that_failed_says_why_and_has_no_time_of_recovery(drilled: Drilled) -> None:
    drilled.step("begin", name="nightly", of=ago(hours=3, minutes=20, seconds=5))
    drilled.step("end", reason="public.orders has 490 rows")
    found = last(drilled)
    assert (found["outcome"], found["reason"]) == ("failed", "public.orders has 490 rows")
    assert found["recovery_seconds"] is None
    assert drilled.shown[-1].endswith("of nightly: failed · data 3 h 20 min old · public.orders has 490 rows")


def test_one_whose_run_was_killed_is_interrupted(drilled: Drilled) -> None:
    drilled.step("begin", name="nightly", of=ago(hours=3, minutes=20, seconds=5))
    assert last(drilled)["outcome"] == "interrupted"


def test_in_check_mode_nothing_is_written(drilled: Drilled) -> None:
    drilled.step("begin", check=True, name="nightly", of=ago(hours=3, minutes=20, seconds=5))
    drilled.step("end", check=True)
    assert drills.Drills(drilled.ledger).last() is None


def test_without_a_ledger_it_says_what_makes_one(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(aws, monkeypatch)
    result = run_action(drill_record, {"prefix": "shop-nowhere", "step": "end"})
    assert "shop-nowhere has no ledger, in which backups are written down" in result["msg"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (12_000, "3 h 20 min"), (90_061, "1 d 1 h"), (86_400, "1 d")],
)
def test_times_are_said_in_two_units(seconds: int, said: str) -> None:
    assert drills.span(seconds) == said
