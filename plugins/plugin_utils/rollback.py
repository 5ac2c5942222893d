"""To which release a rollback goes, and why not to another: decided by the ledger and by what runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.ledger import FAILED, GOOD, INTERRUPTED
from plugins.plugin_utils.places import nearest
from plugins.plugin_utils.site.images import name_of, release

Entry = Mapping[str, Any]
"""An entry of the ledger (ledger.py). Its `services` are all that ran at its end."""
VERB = "rollback"
BESIDE = ("static", "code")
"""What an entry says that was live beside the services: static files (entry → `release`), code (function → zip)."""
CARRIED = (*BESIDE, "secrets")
"""That, and what else holds until a run says otherwise."""


@dataclass(frozen=True)
class Choice:
    """What a rollback is to do.

    Attributes:
        entry: to which it goes, with all that was live beside its services; empty if there is none.
        refusal: why it goes nowhere; else empty.
        left: runs whose entries are what runs now, which the next rollback passes over.
        passed: a line for each newer release that is passed over, and why.
        migrations: a line for each job that ran before a newer release, as nothing takes back what it did.
        code: function → `key`, the zip with the code that is live now.
    """

    entry: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""
    left: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    migrations: list[str] = field(default_factory=list)
    code: dict[str, dict[str, str]] = field(default_factory=dict)


def choose(entries: Sequence[Entry], live: Mapping[str, Any], wanted: str = "", typed: str = "") -> dict[str, Any]:
    """The release to go back to, a `Choice` as a mapping.

    Args:
        entries: the ledger's, newest first, without that of this run.
        live: service → `release` and `images` that it runs (`ecs_live_release`).
        wanted: name of a release; empty for the newest good one that is older than the live one.
        typed: the verb as it was typed, for what is to be typed instead.
    """
    known = completed(entries)
    now = {"services": live} | {what: known[0].get(what) or {} for what in BESIDE if known}
    choice = _named(known, now, wanted, typed) if wanted else _default(known, now, typed)
    return dict(vars(choice))  # its parts as they are: Ansible's own containers cannot be made anew, as asdict does


def _named(entries: Sequence[Entry], live: Entry, wanted: str, typed: str) -> Choice:
    begun = _begun(entries)
    if begun is not None and entries[begun].get("release") == wanted:  # it may be what runs already
        return _to(entries, begun, live)
    called = [entry for entry in entries if entry.get("release") == wanted]
    place = next((place for place, entry in enumerate(entries) if entry in called and is_good(entry)), None)
    if place is None:
        others = [entry for entry in entries if is_good(entry) and not is_live(entry, live)]
        names = list(dict.fromkeys(str(entry["release"]) for entry in others))
        what = f"The ledger has no release {wanted}"
        if called:
            what = f"The release {wanted} is none to go back to, as it {_bad(called[0])}"
        which = (
            f" ({', '.join(names)}): {typed} -e release={nearest(wanted, names)}"
            if names
            else ", and no other good one."
        )
        return Choice(refusal=what + which)
    if is_live(entries[place], live):
        return Choice(refusal=f"The release {wanted} is what runs. There is nothing to go back to.")
    return _to(entries, place, live)


def _default(entries: Sequence[Entry], live: Entry, typed: str) -> Choice:
    if (begun := _begun(entries)) is not None:
        return _to(entries, begun, live)
    good = [place for place, entry in enumerate(entries) if is_good(entry)]
    here = next((place for place in good if is_live(entries[place], live)), -1)
    left = left_runs(entries)
    for place in good:
        if place > here and not is_live(entries[place], live) and str(entries[place].get("run")) not in left:
            return _to(entries, place, live)
    passed = list(_passed(entries, len(entries), live))
    why = "".join(f"\n  {line}" for line in passed)
    told = f" To go to one of them all the same: {typed} -e release=…" if "was left" in why else ""
    return Choice(refusal=f"There is no older good release to go back to.{why}{told}", passed=passed)


def _begun(entries: Sequence[Entry]) -> int | None:
    """The target of a rollback that did not come to its end; the same verb goes on with it."""
    newest = next((entry for entry in entries if entry.get("release") or entry.get("target")), None)
    if newest is None or newest.get("verb") != VERB or newest.get("outcome") not in (FAILED, INTERRUPTED):
        return None
    target = newest.get("target")
    return next((place for place, entry in enumerate(entries) if entry.get("run") == target and is_good(entry)), None)


def _to(entries: Sequence[Entry], place: int, live: Entry) -> Choice:
    target = entries[place]
    left = [str(entry.get("run")) for entry in entries if is_good(entry) and is_live(entry, live)]
    if is_live(target, live):  # a rollback that is gone on with has brought it up already
        left = next((list(entry.get("left") or ()) for entry in entries if entry.get("target")), [])
    passed, migrations = list(_passed(entries, place, live)), list(_migrations(entries[:place]))
    code = {name: {"key": str(key)} for name, key in (live.get("code") or {}).items()}
    return Choice(dict(target), "", left, passed, migrations, code)


def _passed(entries: Sequence[Entry], until: int, live: Entry) -> Iterator[str]:
    """A line for each release before a place, and why it is none to go to; each name once."""
    left, seen = left_runs(entries), set[str]()
    for entry in entries[:until]:
        name = str(entry.get("release") or "")
        if not name or name in seen:
            continue
        seen.add(name)
        if not is_good(entry):
            yield f"{name} {_bad(entry)}"
        elif is_live(entry, live):
            yield f"{name} is what runs"
        elif str(entry.get("run")) in left:
            yield f"{name} was left by a rollback"
        else:
            yield f"{name} is newer than what runs"


def _bad(entry: Entry) -> str:
    outcome = entry.get("outcome")
    if outcome == GOOD:
        return "has no services written down"
    return "failed" if outcome == FAILED else f"did not come to its end ({outcome})"


def _migrations(newer: Iterable[Entry]) -> Iterator[str]:
    for entry in newer:
        for name, job in (entry.get("jobs") or {}).items():
            if job.get("run"):
                before = entry.get("release") or f"a {entry.get('verb')}"
                yield f"{name}, before {before} ({entry.get('started', '')})"


def is_good(entry: Entry) -> bool:
    """Whether an entry is of a release that came to a good end, and can be gone back to."""
    return bool(entry.get("outcome") == GOOD and entry.get("release") and entry.get("services"))


def completed(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The entries with all that was live beside their services at their end: a run says only what it has changed.

    Args:
        entries: newest first, of all outcomes: what was shown before a run failed is shown.
    """
    found: list[dict[str, Any]] = []
    stood: dict[str, dict[str, Any]] = {what: {} for what in CARRIED}
    for entry in reversed(entries):
        stood = {what: {**stood[what], **(entry.get(what) or {})} for what in CARRIED}
        found.append({**entry, **stood})
    return found[::-1]


def is_live(entry: Entry, live: Entry) -> bool:
    """Whether what is live is what was at the end of an entry; what only one of them has does not count.

    Args:
        entry: with all that was live beside its services (`completed`).
        live: the same of what is live.
    """
    there, here = entry.get("services") or {}, live.get("services") or {}
    both = there.keys() & here.keys()
    return (
        bool(both) and all(_content(there[name]) == _content(here[name]) for name in both) and same_beside(entry, live)
    )


def same_beside(entry: Entry, other: Entry) -> bool:
    """Whether the same was live beside the services of two entries; what only one of them has does not count."""
    return all(_alike(entry.get(what) or {}, other.get(what) or {}) for what in BESIDE)


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    def told(value: Any) -> Any:
        return value.get("release") if isinstance(value, Mapping) else value

    return all(told(one[name]) == told(other[name]) for name in one.keys() & other.keys())


def _content(service: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """What it runs, whatever the inventory called it then."""
    return service.get("release"), sorted(set((service.get("images") or {}).values()))


def left_runs(entries: Sequence[Entry]) -> set[str]:
    """Runs whose releases were left by a rollback. One that is released again has a run of its own, and is not."""
    found: set[str] = set()
    for place, entry in enumerate(entries):
        if entry.get("verb") == VERB and (is_good(entry) or _brought_to_its_end(entries, place)):
            found |= {str(run) for run in entry.get("left") or ()}
        if entry.get("left_by"):
            found.add(str(entry.get("run")))
    return found


def _brought_to_its_end(entries: Sequence[Entry], place: int) -> bool:
    """Whether the next good run after a rollback that did not end well found, or made, what that went to."""
    target = next((each for each in entries if each.get("run") == entries[place].get("target")), None)
    after = next((each for each in reversed(entries[:place]) if is_good(each)), None)
    return bool(target and after and is_live(after, target))


def again(entry: Entry, called: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
    """Service → `images` and `name` to run again, of those that the site still has.

    Args:
        entry: of the ledger.
        called: service of the site → images as its containers call them now. One that is called by another tag by now
            is known by its name.
    """
    found = {}
    for name, images in called.items():
        if there := (entry.get("services") or {}).get(name):
            ran = dict(there.get("images") or {})
            by_name = {name_of(image): uri for image, uri in reversed(ran.items())} | ran
            mine = {image: by_name.get(image) or by_name.get(name_of(image)) for image in images}
            known = {image: str(uri) for image, uri in mine.items() if uri}
            label = str(there.get("release") or "")
            # One that was made of the images is made again, so that `site` finds it where it would make it.
            found[name] = {"images": known, "name": "" if label == release(ran.values()) else label}
    return found


def name_conflict(
    entries: Iterable[Entry], name: str, called: Mapping[str, Iterable[str]], published: Mapping[str, str]
) -> list[str]:
    """Where a release of this name had other images, a line each: a name stands for one content.

    Args:
        entries: of the ledger, newest first.
        name: of the release; empty is never in conflict.
        called: service that is released → images as its containers call them.
        published: image as containers call it → image to run; one that is missing runs as it is called.
    """
    before = next((entry for entry in entries if name and is_good(entry) and entry.get("release") == name), None)
    if before is None:
        return []
    lines = []
    for service, images in called.items():
        ran = before["services"].get(service) or {}
        was, now = _content(ran)[1], sorted({published.get(image, image) for image in images})
        if ran.get("release") == name and was != now:
            lines.append(f"{service}: then {', '.join(was)}; now {', '.join(now)}")
    return lines
