"""What a person is told about a Compose file that became an inventory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Note:
    """One thing to be told.

    Attributes:
        subject: where it stands, `web.build` in the Compose file or `site_volumes.media.uid` in the inventory.
        sentence: the reason, or what to do.
    """

    subject: str
    sentence: str


@dataclass
class Report:
    """All that is told.

    Attributes:
        dropped: keys of the Compose file that have no place in the inventory, each with its reason.
        chosen: what could be known or guessed, and how to change it.
        wanted: what only a person can know.
    """

    dropped: list[Note] = field(default_factory=list)
    chosen: list[Note] = field(default_factory=list)
    wanted: list[Note] = field(default_factory=list)

    def drop(self, subject: str, sentence: str) -> None:
        """Tell of a key that was dropped."""
        _add(self.dropped, subject, sentence)

    def choose(self, subject: str, sentence: str) -> None:
        """Tell of a choice."""
        _add(self.chosen, subject, sentence)

    def want(self, subject: str, sentence: str) -> None:
        """Tell of what is still to be typed."""
        _add(self.wanted, subject, sentence)

    def lines(self) -> list[str]:
        """The report as text: a heading for each list, then a line for each reason, its subjects together."""
        parts = {
            "Dropped, with the reason:": self.dropped,
            "Chosen:": self.chosen,
            "Still to be typed or looked at:": self.wanted,
        }
        return [line for title, notes in parts.items() if notes for line in (title, *_told(notes))]


def _add(notes: list[Note], subject: str, sentence: str) -> None:
    note = Note(subject, " ".join(sentence.split()))
    if note not in notes:
        notes.append(note)


def _told(notes: list[Note]) -> Iterator[str]:
    subjects: dict[str, list[str]] = {}
    for note in notes:
        subjects.setdefault(note.sentence, []).append(note.subject)
    for sentence, names in subjects.items():
        yield f"  {', '.join(names)}: {sentence}"
