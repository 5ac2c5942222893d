"""The embedded AWS called `test` in late mode, as for tests/e2e: never at the same time.

BERTH_LATE_SEED=<number> draws the same again; the header says which it is.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from local_aws.cloud import Cloud
from tests.e2e.conftest import CONFIG, images, local_aws

__all__ = ["cloud", "images"]

SEED = os.environ.setdefault("BERTH_LATE_SEED", str(secrets.randbelow(10**6)))
"""Kept in the environment: pytest has this file once for itself, and those who import it have it once more."""


def pytest_report_header() -> str:
    return f"late mode: BERTH_LATE_SEED={SEED}"


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The embedded AWS `test`, late to everybody but this client, which is told the truth; gone afterwards."""
    local_aws("down")
    local_aws("up", "--late", "--seed", SEED)
    yield Cloud(CONFIG)
    print(local_aws("status"))
    if os.environ.get("BERTH_KEEP") != "1":  # BERTH_KEEP=1: leave it up, to look into a failure
        local_aws("down")
