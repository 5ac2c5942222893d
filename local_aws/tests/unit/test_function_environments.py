"""Execution environments are made when they are needed, kept for a while, and go when their function changes."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest

from local_aws.functions.environments import (
    CONCURRENCY,
    IDLE_SECONDS,
    Environments,
    Settings,
    ThrottledError,
    refusal,
)
from local_aws.tests.function_support import SETTINGS

OTHER = dataclasses.replace(SETTINGS, name="other", arn=SETTINGS.arn.replace("shop", "other"))


class Places:
    """Makes places that are nowhere.

    Attributes:
        made, removed: names of functions.
        now: seconds of the clock.
    """

    def __init__(self) -> None:
        self.made: list[str] = []
        self.removed: list[str] = []
        self.now = 0.0
        self.environments = Environments(self.start, lambda: self.now)

    def start(self, settings: Settings) -> Place:
        self.made.append(settings.name)
        return Place(settings.name, self.removed)

    def call(self, settings: Settings = SETTINGS) -> None:
        """One call, at once over."""
        with self.environments.lent(settings):
            pass


@dataclasses.dataclass
class Place:
    name: str
    removed: list[str]
    url: str = ""
    log_stream: str = ""

    def remove(self) -> None:
        self.removed.append(self.name)


@pytest.fixture
def places() -> Places:
    return Places()


def test_the_next_call_gets_the_warm_one_and_a_call_meanwhile_another(places: Places) -> None:
    places.call()
    with places.environments.lent(SETTINGS) as first, places.environments.lent(SETTINGS) as second:
        assert first is not second
        assert places.environments.count("shop") == (2, 2)
    assert places.made == ["shop", "shop"]
    assert places.environments.count("shop") == (2, 0)
    places.call(OTHER)
    assert places.made[2:] == ["other"], "one is of one function"


def test_one_that_waits_too_long_goes(places: Places) -> None:
    places.call()
    places.now = IDLE_SECONDS - 1
    places.environments.tidy({"shop": SETTINGS})
    assert places.removed == []
    places.call()
    places.now = 2 * IDLE_SECONDS - 2
    places.environments.tidy({"shop": SETTINGS})
    assert places.removed == [], "it was used meanwhile"
    places.now += 2
    places.environments.tidy({"shop": SETTINGS})
    assert places.removed == ["shop"]
    assert places.environments.count("shop") == (0, 0)


@pytest.mark.parametrize(
    "current", [{}, {"shop": dataclasses.replace(SETTINGS, code_digest="x")}], ids=["gone", "changed"]
)
def test_one_of_a_function_that_is_another_one_goes(places: Places, current: dict[str, Settings]) -> None:
    places.call()
    with places.environments.lent(SETTINGS):
        places.environments.tidy(current)
        assert places.removed == [], "a call is not ended"
    places.environments.tidy(current)
    assert places.removed == ["shop"]


@pytest.mark.parametrize("change", [{"variables": (("A", "b"),)}, {"memory": 256}, {"timeout": 9}, {"role": "other"}])
def test_a_changed_function_starts_cold_at_once(places: Places, change: dict[str, object]) -> None:
    places.call()
    places.call(dataclasses.replace(SETTINGS, **change))  # type: ignore[arg-type] # the fields' own types
    assert places.made == ["shop", "shop"]


def test_one_that_failed_is_not_used_again(places: Places) -> None:
    with pytest.raises(OSError, match="gone"), places.environments.lent(SETTINGS):
        raise OSError("gone")
    assert places.removed == ["shop"]
    places.call()
    assert places.made == ["shop", "shop"]


def test_beyond_the_quota_an_idle_one_makes_room_or_else_the_call_is_refused(places: Places) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(CONCURRENCY - 1):
            stack.enter_context(places.environments.lent(SETTINGS))
        places.call(OTHER)
        stack.enter_context(places.environments.lent(SETTINGS))
        assert places.removed == ["other"]
        with pytest.raises(ThrottledError), places.environments.lent(SETTINGS):
            pass
    places.call()
    assert len(places.made) == CONCURRENCY + 1


def test_one_that_does_not_come_up_counts_no_more(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_settings: Settings) -> Place:
        raise RuntimeError("no engine")

    monkeypatch.setattr(places.environments, "_start", fail)
    for _ in range(CONCURRENCY + 1):
        with pytest.raises(RuntimeError, match="no engine"), places.environments.lent(SETTINGS):
            pass


@pytest.mark.parametrize(
    ("runtime", "runs"),
    [
        ("python3.9", True),
        ("python3.13", True),
        ("python2.7", False),
        ("nodejs22.x", False),
        ("provided.al2023", False),
    ],
)
def test_what_runs_here_is_python_3(runtime: str, runs: bool) -> None:
    assert (refusal(runtime) == "") is runs
    assert runs or refusal(runtime).endswith(f"none of {runtime}.")
