"""Which data of a preview environment are as a backup has them, and were not anonymised since.

Written into its ledger before the site is switched to them, and let go of once the job has ended well that anonymises
them, or the site has again what it had before. Whoever finds something written there lets no visitor in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from plugins.plugin_utils.ledger import Ledger

KEY = "raw.json"


@dataclass(frozen=True)
class Raw:
    """What is written there.

    Attributes:
        point: name of the backup; empty if there is nothing.
        typed: the arguments of the restore that has brought it, as they are typed again.
        parts: keys (`database.main`), a path of one behind it, to when it was written.
    """

    point: str
    typed: str
    parts: dict[str, str]


def read(ledger: Ledger) -> Raw:
    """What is written in the ledger of an environment."""
    found = ledger.read(KEY) or {}
    parts = {str(key): str(at) for key, at in (found.get("parts") or {}).items()}
    return Raw(str(found.get("point", "")), str(found.get("typed", "")), parts) if parts else Raw("", "", {})


def add(ledger: Ledger, point: str, typed: str, parts: Iterable[str]) -> Raw:
    """Write down that the site is about to have parts of a backup.

    Args:
        ledger: of the environment, whose lock this run holds.
        point: name of the backup.
        typed: the arguments of the restore.
        parts: their keys.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return _write(ledger, Raw(point, typed, {**read(ledger).parts, **dict.fromkeys(parts, now)}))


def take(ledger: Ledger, parts: Iterable[str], with_paths: bool = False) -> Raw:
    """Let go of what is written of parts, if anything is.

    Args:
        ledger: of the environment, whose lock this run holds.
        parts: their keys.
        with_paths: whether also of what is written of single paths of them.
    """
    found, going = read(ledger), set(parts)
    left = {key: at for key, at in found.parts.items() if (key.partition(" ")[0] if with_paths else key) not in going}
    return _write(ledger, Raw(found.point, found.typed, left)) if left != found.parts else found


def _write(ledger: Ledger, raw: Raw) -> Raw:
    ledger.begin({"key": KEY, "point": raw.point, "typed": raw.typed, "parts": raw.parts})
    return read(ledger)
