"""What a soak has cost: of each act how many requests failed, for how long, and what may not be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.soak.drawing import Act


@dataclass(frozen=True)
class Answer:
    """What a visitor got.

    Attributes:
        asked: when, in seconds of one clock for all.
        ended: when it was over.
        well: a page came within the visitor's patience.
        release: which the answer says it is of; empty where the page says nothing.
        why: what came in the page's place.
    """

    asked: float
    ended: float
    well: bool
    release: str = ""
    why: str = ""


@dataclass
class Outcome:
    """How an act went.

    Attributes:
        act: what was done.
        began: when, in the clock of the answers.
        ended: when the site was whole again.
        allowed: the releases that might answer meanwhile.
        note: what is worth a word, for example which host it was.
        trouble: why the site did not become whole; empty if it did.
        answers: of visitors, that were asked for meanwhile.
    """

    act: Act
    began: float
    ended: float = 0.0
    allowed: frozenset[str] = frozenset()
    note: str = ""
    trouble: str = ""
    answers: list[Answer] = field(default_factory=list)

    @property
    def failed(self) -> list[Answer]:
        """Requests that nobody answered in time."""
        return [each for each in self.answers if not each.well]

    @property
    def outage(self) -> float:
        """Seconds from the first request that failed to the end of the last one."""
        failed = self.failed
        return max(each.ended for each in failed) - min(each.asked for each in failed) if failed else 0.0

    @property
    def wrong(self) -> list[Answer]:
        """Answers of a release that was not to answer."""
        return [each for each in self.answers if each.well and each.release and each.release not in self.allowed]


def sorted_in(outcomes: Sequence[Outcome], answers: Iterable[Answer]) -> None:
    """Give each answer to the act during which it was asked for; what was asked between two belongs to the earlier."""
    begins = [outcome.began for outcome in outcomes]
    for answer in answers:
        at = sum(1 for begin in begins if begin <= answer.asked) - 1
        if at >= 0:
            outcomes[at].answers.append(answer)


def objections(outcomes: Iterable[Outcome], confirmed: int, lost: Sequence[str]) -> list[str]:
    """What may not be, a sentence each: nothing, if the soak is well.

    Args:
        outcomes: of all acts, with their answers.
        confirmed: how many uploads were; of none nothing could be lost.
        lost: names of uploads that were confirmed and are not there, or are not the same.
    """
    found = [f"the upload {name} is lost" for name in lost]
    if not confirmed:
        found.append("no upload was confirmed, so none could be lost")
    for outcome in outcomes:
        about = f"act {outcome.act.number} ({outcome.act.name})"
        if outcome.trouble:
            found.append(f"{about}: {outcome.trouble}")
        if outcome.wrong:
            releases = ", ".join(sorted({each.release for each in outcome.wrong}))
            found.append(f"{about}: {len(outcome.wrong)} answers of the release {releases}")
        if outcome.failed and outcome.act.sort != "fault":
            reasons = ", ".join(sorted({each.why for each in outcome.failed}))
            found.append(f"{about}: {len(outcome.failed)} requests failed ({reasons}), and a verb may cost none")
    return found


def table(outcomes: Iterable[Outcome]) -> list[str]:
    """A Markdown table, a line for each kind of act.

    It says how often it was done, what visitors asked for meanwhile, how much of that failed, the longest time between
    the first and the last failure of one act, and how long the site took to be whole again, at most.
    """
    lines = ["| act | times | requests | failed | longest outage | whole again after |", "|---|---|---|---|---|---|"]
    kinds: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        kinds.setdefault((outcome.act.sort, outcome.act.name), []).append(outcome)
    for (_, name), each in sorted(kinds.items()):
        asked, failed = sum(len(one.answers) for one in each), sum(len(one.failed) for one in each)
        outage, whole = max(one.outage for one in each), max(one.ended - one.began for one in each)
        lines.append(f"| {name} | {len(each)} | {asked:,} | {failed:,} | {outage:.1f} s | {whole:.0f} s |")
    return lines
