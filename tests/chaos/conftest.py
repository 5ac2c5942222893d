"""The embedded AWS called `test`, as for tests/e2e: never at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local_aws.cloud import Cloud
from tests.e2e.conftest import CONFIG, images, local_aws

__all__ = ["cloud", "images"]


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The embedded AWS `test`, bare at first, gone afterwards."""
    local_aws("down")
    local_aws("up")
    yield Cloud(CONFIG)
    if os.environ.get("BERTH_KEEP") != "1":  # BERTH_KEEP=1: leave it up, to look into a failure
        local_aws("down")
