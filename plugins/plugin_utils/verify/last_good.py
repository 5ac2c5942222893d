"""The last good release: what a rollback would bring back is still in the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.verify.finding import NOT_ASKED, Finding

SUBJECT, WHAT = "last good release", "can be pulled"
RELEASING = ("site", "release", "rollback")
"""Verbs whose entries name services and their images."""


def before(entries: Iterable[Mapping[str, Any]], live: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The newest good entry that a rollback would go to: one whose revisions are not all those that run.

    Args:
        entries: of the ledger, newest first.
        live: service → ARN of the task definition that runs.
    """
    for entry in entries:
        services = entry.get("services") or {}
        good = entry.get("outcome") == "good" and not entry.get("left_by")
        if good and services and any(each.get("task_definition") != live.get(name) for name, each in services.items()):
            return entry
    return None


def check(
    entries: Iterable[Mapping[str, Any]] | None,
    live: Mapping[str, str],
    question: Callable[[str, str, str], Iterable[Finding]],
) -> Iterator[Finding]:
    """Look for the images of that release.

    Args:
        entries: of the ledger, newest first; None where there is no ledger.
        live: see `before`.
        question: looks for an image: subject, image, as it is called.

    Raises:
        ClientError: a right is missing.
    """
    if entries is None:
        yield Finding(SUBJECT, SUBJECT, WHAT, NOT_ASKED, "the ledger was not read, which says what ran before")
        return
    if not (entry := before(entries, live)):
        yield Finding(SUBJECT, SUBJECT, WHAT, NOT_ASKED, "the ledger knows no other good release than what runs")
        return
    release = entry.get("release") or entry.get("run") or "?"
    for service, each in sorted(entry["services"].items()):
        for called, image in sorted((each.get("images") or {}).items()):
            for found in question(f"{release}: service.{service}", image, called):
                yield Finding(SUBJECT, found.subject, WHAT, found.state, found.reason)
