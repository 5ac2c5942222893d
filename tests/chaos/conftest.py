"""The embedded AWS called `test`, as for tests/e2e: never at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.lock import TTL_VARIABLE
from tests.chaos.runs import Site, Typed, write_record
from tests.e2e.conftest import CONFIG, images, local_aws
from tests.e2e.test_site import IMAGE, SITE, served, stack_statuses, upload, uploaded

__all__ = ["cloud", "images"]


LOCK_SECONDS = "30"
"""The lock of a run that is killed with all that it started expires so soon; else each such test would wait long."""


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The embedded AWS `test`, bare at first, gone afterwards."""
    os.environ[TTL_VARIABLE] = LOCK_SECONDS
    local_aws("down")
    local_aws("up")
    yield Cloud(CONFIG)
    if os.environ.get("BERTH_KEEP") != "1":  # BERTH_KEEP=1: leave it up, to look into a failure
        local_aws("down")


@pytest.fixture(scope="session")
def live(cloud: Cloud, images: None) -> Cloud:  # noqa: ARG001 - the site is made of them
    """A site as its inventory has it: the one that another file has left, or a new one."""
    run = Site()
    if f"{SITE}-certificate" not in stack_statuses(cloud):
        run.reaches("acm-validations.aws.")
        write_record(cloud, run)
    run.succeeds()
    return cloud


@pytest.fixture(scope="session")
def photo(live: Cloud, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of an image that a person has uploaded."""
    upload(live, tmp_path_factory.mktemp("browser"))
    address = uploaded()
    assert served(address) == IMAGE.read_bytes()
    return address


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    """A run that its test has not seen end would go on in the next one."""
    yield
    Typed.end_all()
