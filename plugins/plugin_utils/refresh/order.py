"""In which order hosts are replaced: what AWS shows now → the one next step.

Nothing is remembered anywhere else, so a run that was killed at any point, even in the middle of a step, is gone on
with by whoever looks next. What is new is what was launched from that from which the group launches now.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

MOST_STEPS = 10_000
"""More than any refresh has: each host is launched, proved, drained and terminated at most once."""
Kind = Literal["launch", "await", "prove", "activate", "settle", "drain", "terminate", "gone"]


class Goal(enum.Enum):
    """What is wanted in the end."""

    REFRESH = "refresh"
    """New hosts, and the old ones gone."""
    KEEP = "keep"
    """New hosts, and the old ones beside them, without tasks."""
    BACK = "back"
    """The old hosts, and the new ones gone."""


class Refused(Exception):
    """What is wanted cannot be had from what is there.

    Args:
        why: in one sentence, without a full stop.
        maximum: how many hosts the group would have to be allowed; 0 where that is no help.
    """

    def __init__(self, why: str, maximum: int = 0) -> None:
        super().__init__(why)
        self.maximum = maximum


@dataclass(frozen=True)
class Host:
    """A host of the group.

    Attributes:
        name: instance id.
        zone: availability zone.
        new: whether it was launched from what the group launches from now.
        status: of its container instance, `ACTIVE` or `DRAINING`; empty if it has not joined the cluster.
        lack: why it could not take tasks, were it ACTIVE; empty if it could.
        tasks: how many hold on to it.
        proved: whether it was tried whether tasks can start on it.
        leaving: whether it is being terminated.
    """

    name: str
    zone: str
    new: bool
    status: str = "ACTIVE"
    lack: str = ""
    tasks: int = 0
    proved: bool = False
    leaving: bool = False

    @property
    def drained(self) -> bool:
        """Whether it takes no tasks and has none."""
        return self.status != "ACTIVE" and not self.tasks


@dataclass(frozen=True)
class Scene:
    """What AWS shows.

    Attributes:
        hosts: all that the group has.
        wanted: how many there are to be in the end.
        desired: how many the group is to have now.
        maximum: how many it may have.
        lacking: what services lack of their tasks or healthy targets; empty if nothing.
    """

    hosts: tuple[Host, ...]
    wanted: int
    desired: int
    maximum: int
    lacking: str = ""

    @property
    def old(self) -> list[Host]:
        """Those that are to go, or to come back."""
        return [each for each in self.hosts if not each.new and not each.leaving]

    @property
    def new(self) -> list[Host]:
        """Those that are to stay, or to go again."""
        return [each for each in self.hosts if each.new and not each.leaving]

    @property
    def missing(self) -> int:
        """How many the group is still to launch."""
        return max(0, self.desired - len(self.old) - len(self.new))

    @property
    def under_way(self) -> bool:
        """Whether hosts of both kinds are there, or more are to be than in the end: a refresh was begun."""
        return bool(self.old) and (bool(self.new) or self.desired > self.wanted)


@dataclass(frozen=True)
class Step:
    """What to do next.

    Attributes:
        kind: `launch` (let the group have `number` hosts), `await` (until `hosts` and `number` more are ready), `prove`
            (that tasks can start on them), `activate` (let them take tasks), `settle` (until services are whole),
            `drain`, `terminate` (`number` is 1 where the group is to have one host less, else 0 and it launches
            another), `gone` (until they are terminated).
        hosts: names.
        number: see there.
    """

    kind: Kind
    hosts: tuple[str, ...] = ()
    number: int = 0


def next_step(scene: Scene, goal: Goal, in_place: bool = False) -> Step | None:
    """The next step to the goal; None if it is reached.

    Args:
        scene: what AWS shows now.
        goal: what is wanted.
        in_place: whether a host may be replaced where none can stand beside it, which is a gap.

    Raises:
        Refused: it cannot be had.
    """
    return _back(scene) if goal is Goal.BACK else _forward(scene, goal, in_place)


def _forward(scene: Scene, goal: Goal, in_place: bool) -> Step | None:
    old, new = scene.old, scene.new
    needed = scene.wanted - len(new) if old else 0
    if goal is Goal.KEEP and needed > scene.missing + scene.maximum - scene.desired:
        least = len(old) + scene.wanted
        raise Refused(
            f"To keep the old hosts beside the new ones takes {least}, and there may be {scene.maximum}", least
        )
    beside = scene.desired > scene.wanted or scene.maximum > scene.desired
    if needed > 0 and not scene.missing and not beside and not in_place:
        raise Refused(f"No new host can stand beside the old ones: there may be {scene.maximum}", scene.wanted + 1)
    # Where all tasks have moved already, the new hosts have proved themselves.
    if step := _gone(scene) or _ready(scene, new, not all(each.drained for each in old)):
        return step
    if needed > 0 and scene.maximum > scene.desired:
        return Step("launch", number=min(scene.desired + needed, scene.maximum))
    going = [each for each in old if goal is Goal.REFRESH or not each.drained]
    return _out(scene, going, goal is Goal.REFRESH)


def _back(scene: Scene) -> Step | None:
    old, new = scene.old, scene.new
    if new and len(old) < scene.wanted:
        raise Refused(f"Of the {scene.wanted} hosts that there are to be, {len(old)} of before are left to go back to")
    if step := _gone(scene):
        return step
    if scene.missing and len(old) + len(new) >= scene.wanted:
        # A launch that is to come would be of the new kind, and may fail for ever.
        return Step("launch", number=len(old) + len(new))
    if step := _ready(scene, old, False):
        return step
    return _out(scene, new, True)


def _gone(scene: Scene) -> Step | None:
    leaving = tuple(each.name for each in scene.hosts if each.leaving)
    return Step("gone", leaving) if leaving else None


def _ready(scene: Scene, staying: list[Host], proving: bool) -> Step | None:
    """What those that stay still need before any other is drained."""
    if inactive := tuple(each.name for each in staying if each.status == "DRAINING"):
        return Step("activate", inactive)
    unready = tuple(each.name for each in staying if each.lack or not each.status)
    if unready or scene.missing:
        return Step("await", unready, scene.missing)
    unproved = tuple(each.name for each in staying if proving and not each.proved)
    return Step("prove", unproved) if unproved else None


def _out(scene: Scene, going: list[Host], terminating: bool) -> Step | None:
    """One host less, if the services are whole; None if none is to go and they are."""
    if not going:
        return Step("settle") if scene.lacking else None
    zones = Counter(each.zone for each in scene.hosts)
    # What was begun is ended first. Then from the fuller zone: else the group would balance the zones by itself, which
    # launches one more and terminates one of its own choice. https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-benefits.html
    chosen = min(going, key=lambda each: (each.status == "ACTIVE", -zones[each.zone], each.name))
    fewer = scene.desired > scene.wanted
    # Where none stands beside it, its tasks come back only on the host that comes after it.
    if scene.lacking and (fewer or chosen.status == "ACTIVE" or not terminating):
        return Step("settle")
    if not chosen.drained:
        return Step("drain", (chosen.name,))
    return Step("terminate", (chosen.name,), int(fewer))


def steps(scene: Scene, goal: Goal, in_place: bool = False) -> Iterator[tuple[Step, Scene]]:
    """All steps to the goal, if each does what it should, and what AWS shows after each.

    Raises:
        Refused: as in `next_step`.
    """
    for _ in range(MOST_STEPS):
        step = next_step(scene, goal, in_place)
        if step is None:
            return
        scene = done(scene, step)
        yield step, scene
    raise AssertionError(f"no end: {step}")


def done(scene: Scene, step: Step) -> Scene:
    """What AWS shows after a step that did what it should."""
    match step.kind:
        case "launch":
            return launched(replace(scene, desired=step.number))
        case "await":
            ready = launched(scene)
            return _changed(ready, step.hosts, status="ACTIVE", lack="")
        case "prove":
            return _changed(scene, step.hosts, proved=True)
        case "activate":
            return _changed(scene, step.hosts, status="ACTIVE")
        case "settle":
            return replace(scene, lacking="")
        case "drain":
            return _changed(scene, step.hosts, status="DRAINING", tasks=0)
        case "terminate":
            left = tuple(each for each in scene.hosts if each.name not in step.hosts)
            return launched(replace(scene, hosts=left, desired=scene.desired - step.number))
        case "gone":
            return replace(scene, hosts=tuple(each for each in scene.hosts if each.name not in step.hosts))


def launched(scene: Scene) -> Scene:
    """With what the group launches to have what it is to have."""
    for _ in range(scene.missing):
        zones = Counter(each.zone for each in scene.hosts)
        taken = {each.name for each in scene.hosts}
        name = next(name for number in range(1, MOST_STEPS) if (name := f"new host {number}") not in taken)
        zone = min(zones, key=lambda each: (zones[each], each), default="")
        scene = replace(scene, hosts=(*scene.hosts, Host(name, zone, new=True)))
    return scene


def _changed(scene: Scene, names: tuple[str, ...], **change: object) -> Scene:
    hosts = tuple(replace(each, **change) if each.name in names else each for each in scene.hosts)  # type: ignore[arg-type] # its own fields
    return replace(scene, hosts=hosts)
