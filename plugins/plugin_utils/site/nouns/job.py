"""Jobs: a container that runs once: before a release, by hand, or on a schedule."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from plugins.plugin_utils.site.container import CONTAINER, Container
from plugins.plugin_utils.site.cron import NoSchedule, schedule
from plugins.plugin_utils.site.cron_times import Times
from plugins.plugin_utils.site.kinds import SHORT, Choice, Flag, Whole
from plugins.plugin_utils.site.noun import FAMILY, LOG_GROUP, STACK, Noun
from plugins.plugin_utils.site.nouns.service import USES
from plugins.plugin_utils.site.place import Place, near, shown
from plugins.plugin_utils.site.schema import Key, Schema
from plugins.plugin_utils.site.task_patch import task_patch


def _schedule(value: Any, at: Place) -> str | None:
    if not isinstance(value, str) or len(value) > SHORT * 4:
        at.wrong(f'is {shown(value)}, must be a line of cron in quotes, for example "0 3 * * *".')
        return None
    try:
        return schedule(value)
    except NoSchedule as error:
        at.wrong(f"{shown(value)} {error}")
        return None


@cache
def _zones() -> frozenset[str]:
    """The zones of the world; what a machine has beside them, no zone of Scheduler's is called."""
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "Factory"}


def _zone(value: Any, at: Place) -> str | None:
    if isinstance(value, str) and value in _zones():
        return str(value)
    close = near(value, _zones())
    at.wrong(f"is {shown(value)}, no time zone.{close or ' Write for example Europe/Zurich.'}")
    return None


UNPLACED = ("ports", "links", "depends_on", "healthcheck")
"""Keys of a container that mean nothing for one that runs alone and ends."""

SCHEMA = Schema(
    "a job",
    {
        "run": Key(
            Choice(
                ("before_release", "by_hand"),
                {"after_release": "there is no such moment; write before_release, or by_hand and run it by run.yml."},
            )
        ),
        "schedule": Key(_schedule),
        "zone": Key(_zone, "UTC"),
        "overlap": Key(Choice(("refused", "allowed")), "refused"),
        "minutes": Key(Whole(1, 1440, "minutes"), 15),
        "maintenance": Key(Flag(), False),
        "uses": Key(USES, {}),
        "patch": Key(task_patch, {}),
    }
    | {name: key for name, key in CONTAINER.keys.items() if name not in UNPLACED},
    {
        **CONTAINER.elsewhere,
        "containers": "a job is one container. Write its keys here: like: web.django, command: […].",
        "container": "write like: <service>.<container>.",
        "ports": "nobody asks a job; take the line out.",
        "links": "a job runs alone; take the line out.",
        "depends_on": "a job runs alone; take the line out.",
        "healthcheck": "a job ends by itself, and its exit code counts; take the line out.",
        "cron": 'write schedule: "0 3 * * *".',
        "timezone": "write zone: Europe/Zurich.",
        "timeout": "write minutes: 15.",
        "when": "write run: before_release.",
        "downtime": "write maintenance: true.",
        "concurrency": "write overlap: allowed, or leave it out: then runs are not to overlap.",
        "retries": "all jobs have job_retries, for a run that Scheduler could not ask ECS for; take the line out.",
    },
)


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        entry: its name in the site, and its container's in its task.
        container: what runs.
        run: `before_release` or `by_hand`; empty for one with a schedule.
        schedule: as EventBridge Scheduler writes it, or empty.
        zone: of the schedule.
        overlap: whether two runs may run side by side: `refused` or `allowed`.
        minutes: after which it is stopped and has failed; a run of a schedule is only called late.
        maintenance: whether visitors see the maintenance page from its start until the release is there.
        uses: (noun, entry) → rights.
        patch: see patch.py.
    """

    entry: str
    container: Container
    run: str
    schedule: str
    zone: str
    overlap: str
    minutes: int
    maintenance: bool
    uses: dict[tuple[str, str], tuple[str, ...]]
    patch: dict[str, Any] = field(default_factory=dict)

    @property
    def may_overlap(self) -> bool:
        """Whether two runs may run side by side."""
        return self.overlap == "allowed"

    @property
    def containers(self) -> dict[str, Container]:
        """As a service has them."""
        return {self.container.name: self.container}


def _no_overlap(keys: Mapping[str, Any], at: Place) -> None:
    """A run has to have ended when the next is due: Scheduler starts it whatever runs."""
    if keys["schedule"] and keys["zone"] and keys["minutes"] and keys["overlap"] == "refused":
        gap = int(Times.of(keys["schedule"], keys["zone"]).gap().total_seconds()) // 60
        if gap < keys["minutes"]:
            at.wrong(
                f"has runs that are {gap} minute{'s' * (gap != 1)} apart, and one may take {keys['minutes']} "
                f"(minutes): AWS would start the next beside it. Write minutes: {gap}, or overlap: allowed."
            )


def check(entry: Any, given: Mapping[Any, Any], at: Place) -> None:
    """When it runs is said once, and a copy says what to do."""
    _no_overlap(entry, at / "schedule")
    if "schedule" in given and "run" in given:
        (at / "run").wrong("stands beside schedule. A job runs on a schedule, before a release, or by hand: leave one.")
    if "zone" in given and "schedule" not in given:
        (at / "zone").wrong("belongs to a schedule. Take the line out.")
    if "overlap" in given and "schedule" not in given:
        (at / "overlap").wrong("belongs to a schedule. Take the line out.")
    if given.get("maintenance") is True and given.get("run") != "before_release":
        (at / "maintenance").wrong(
            "is of a job that no release waits for. Write run: before_release, or close the site yourself: "
            "maintenance.yml -e maintenance=on."
        )
    if "like" in given and not {"command", "entrypoint"} & set(map(str, given)):
        at.wrong(
            "has no command, so it would run what the container it is like runs, a server that never ends. "
            "Write for example command: [python, manage.py, migrate]."
        )


NOUN = Noun(
    "job",
    "site_jobs",
    SCHEMA,
    Job,
    check,
    names=(STACK, FAMILY, LOG_GROUP),
    instead_of_uses="a job is run by run.yml.",
)
