"""How a job that runs on a schedule is: from what ECS, its log and its dead-letter queue know of its runs."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

GRACE = datetime.timedelta(minutes=2)
"""What a start takes: Scheduler begins within the minute, and an image may have to be pulled."""
SKEW = datetime.timedelta(minutes=1)
"""By how much the clocks of Scheduler, ECS and a host's Docker may differ."""
TRIED = datetime.timedelta(hours=1)
"""For how long Scheduler goes on trying (MaximumEventAgeInSeconds in cloudformation/job.yml)."""

NOT_DUE, WELL, RUNS, LATE = "not due yet", "well", "runs", "late"
FAILED, NOT_STARTED, UNKNOWN = "failed", "did not start", "not known"
COLORS = {
    NOT_DUE: "plain", WELL: "good", RUNS: "good", LATE: "warn", FAILED: "bad", NOT_STARTED: "bad", UNKNOWN: "warn",
}  # fmt: skip
"""State → colour of the page."""


@dataclass(frozen=True)
class Lost:
    """A run that Scheduler could not start.

    Attributes:
        due: when it was to begin.
        why: ECS's reason.
    """

    due: datetime.datetime
    why: str


@dataclass(frozen=True)
class Runs:
    """What is known of a job's runs; all times with their zones.

    Attributes:
        due: when the last one should have begun; None if none has been due since the job was deployed.
        began: when the last one did, as far as anybody knows.
        running: when each that runs now began.
        failed: whether the last one that ended has failed.
        lost: the last one that could not be started.
        tells: whether it ever wrote something, by which a run would be seen later on: ECS forgets a task in an hour.
        longest: how long it may take.
    """

    due: datetime.datetime | None
    began: datetime.datetime | None = None
    running: list[datetime.datetime] = field(default_factory=list)
    failed: bool = False
    lost: Lost | None = None
    tells: bool = False
    longest: datetime.timedelta = datetime.timedelta(minutes=15)


def state(runs: Runs, now: datetime.datetime) -> str:
    """The state, in one of the words above."""
    if runs.due and not (runs.began and runs.began >= runs.due - SKEW):
        if runs.lost and runs.lost.due >= runs.due - SKEW:
            return NOT_STARTED
        if now - runs.due < TRIED:
            return LATE
        return NOT_STARTED if runs.tells or runs.running else UNKNOWN
    if runs.running:
        return LATE if now - min(runs.running) > runs.longest + GRACE else RUNS
    if runs.failed:
        return FAILED
    return WELL if runs.began else NOT_DUE
