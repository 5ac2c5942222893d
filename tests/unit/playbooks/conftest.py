"""Whoever types the verbs in these tests has the policies of docs/ and no other right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_aws.cloud import Cloud
from local_aws.config import Iam


@pytest.fixture(autouse=True)
def enforced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """IAM refuses what it denies, where the embedded AWS is asked; what a test itself prepares is not judged."""
    if "aws_server" not in request.fixturenames:
        yield
        return
    cloud: Cloud = request.getfixturevalue("aws_server")
    assert cloud.guard is not None
    monkeypatch.setattr(cloud.guard, "mode", Iam.ENFORCE)
    cloud.guard.denied.counts.clear()
    yield
    assert not cloud.guard.denied.counts, "IAM denied a call: docs/ or the test lacks a right"
