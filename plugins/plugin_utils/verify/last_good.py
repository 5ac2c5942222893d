"""The last good release: what a rollback would bring back is still in the registry, and in the buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.rollback import completed, same_beside
from plugins.plugin_utils.static_release import Bucket, missing
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding

SUBJECT, WHAT = "last good release", "can be pulled"
FILES, CODE = "files are there", "code is there"
RELEASING = ("site", "release", "rollback")
"""Verbs whose entries name services and their images."""


def before(entries: Iterable[Mapping[str, Any]], live: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The newest good entry that a rollback would go to: one of which not all is live, with what was live beside it.

    Args:
        entries: of the ledger, newest first.
        live: service → ARN of the task definition that runs.
    """
    known = completed(list(entries))
    for entry in known:
        services = entry.get("services") or {}
        good = entry.get("outcome") == "good" and not entry.get("left_by")
        other = any(each.get("task_definition") != live.get(name) for name, each in services.items())
        if good and services and (other or not same_beside(entry, known[0])):
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


def files(
    entries: Iterable[Mapping[str, Any]] | None, live: Mapping[str, str], s3: Any, code_bucket: str
) -> Iterator[Finding]:
    """Look for the static files of that release, and for the code of its functions; nothing is said if it had none.

    Args:
        entries, live: see `check`.
        s3: client.
        code_bucket: name of the bucket with the functions' code; empty if it is not there.

    Raises:
        ClientError: a right is missing, or a bucket.
    """
    if not entries or not (entry := before(entries, live)):
        return
    release = entry.get("release") or entry.get("run") or "?"
    for name, each in sorted((entry.get("static") or {}).items()):
        subject, bucket = f"{release}: static.{name}", Bucket(s3, each["bucket"])
        kept = bucket.manifest(each["release"])
        lost = [] if kept is None else missing(each["release"], kept, bucket.keys())
        why = "it has no list of them" if kept is None else f"it has no {lost[0]}" if lost else ""
        if why:
            yield Finding(SUBJECT, subject, FILES, WRONG, f"{each['bucket']} has not all of {each['release']}: {why}")
        else:
            yield Finding(SUBJECT, subject, FILES, OK, f"{len(kept or {})} in {each['bucket']}")
    for name, key in sorted((entry.get("code") or {}).items()):
        if code_bucket:
            there = Bucket(s3, code_bucket).keys(key)
            state, why = (OK, key) if there else (WRONG, f"{code_bucket} has no {key}")
            yield Finding(SUBJECT, f"{release}: function.{name}", CODE, state, why)
