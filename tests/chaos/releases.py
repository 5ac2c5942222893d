"""What tests of releases look at: the release that answers, the upload that is to stay, the ledger."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from local_aws.cloud import Cloud
from local_aws.tests.until import until
from tests.e2e.test_site import IMAGE, Visits, built, release_seen, served, the_ledger, visited

STAMP = int(time.time())
"""In the names of releases, so that no two runs of these tests meet in a registry that was kept (BERTH_KEEP=1)."""


def name_of(what: str) -> str:
    """A release's name."""
    return f"{what}-{STAMP}"


@contextlib.contextmanager
def new_image(cloud: Cloud, name: str, *lines: str, of: str = "nginx") -> Iterator[None]:
    """An image of the site is another one on this machine while the block runs."""
    with built(cloud, f"legacy-site/{of}", f"LABEL berth.chaos={name}", *lines):
        yield


@contextlib.contextmanager
def loaded(*paths: str) -> Iterator[Visits]:
    """Visitors of the site, one a path, each about five times a second; none may be left without an answer."""
    with contextlib.ExitStack() as stack:
        every = [stack.enter_context(visited(path)) for path in paths]
        yield every[0]
    failed = {path: visits.failed for path, visits in zip(paths, every, strict=True) if visits.failed}
    answered = [visits.answered for visits in every]
    assert not failed, f"{failed}; answered: {answered}"
    assert min(answered) > 10, answered


def is_live(cloud: Cloud, name: str, photo: str) -> None:
    """The release answers, it is the newest good one of the ledger, nobody holds the lock, and no upload is lost."""
    until(lambda: served("/healthz"), "the site", 60)
    assert release_seen() == name
    assert served(photo) == IMAGE.read_bytes()
    newest = entries(cloud)[0]
    assert (newest["outcome"], newest["release"]) == ("good", name), newest
    assert the_ledger(cloud).lock.read() is None


def entries(cloud: Cloud, limit: int = 5) -> list[dict[str, Any]]:
    """Of the ledger, newest first."""
    return the_ledger(cloud).entries(limit)
