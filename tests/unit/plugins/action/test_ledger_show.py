"""`releases` shows whose static files are there."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import ledger_show
from plugins.plugin_utils.ledger import FOLDER, Ledger
from plugins.plugin_utils.static_release import Bucket, Kept
from tests.unit.plugin_support import run_action, talk_to


@pytest.fixture
def shown(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run → what is said of its static files."""
    talk_to(aws, monkeypatch)
    s3, name = aws.client("s3"), f"show-{uuid.uuid4().hex}"
    for bucket in (f"{name}-ledger", f"{name}-files"):
        s3.create_bucket(Bucket=bucket)
    store, ledger = Bucket(s3, f"{name}-files"), Ledger(s3, f"{name}-ledger")
    for release in ("0a", "0b"):
        store.write_manifest(release, {"index.html": Kept("d", "text/html", "no-cache")})
    s3.put_object(Bucket=f"{name}-files", Key="_releases/0b/index.html", Body=b"x")
    static = {
        "1": {"bucket": f"{name}-files", "release": "0a"}, "2": {"bucket": f"{name}-files", "release": "0b"},
        "3": None, "4": {"bucket": f"{name}-gone", "release": "0b"}, "5": {"bucket": f"{name}-files", "release": "0c"},
    }  # fmt: skip
    for run, each in static.items():
        files = {"static": {"front": each}} if each else {}
        entry = {"run": run, "verb": "release", "outcome": "good", "release": run, "services": {}, **files}
        ledger.begin({**entry, "key": f"{FOLDER}2026112{run}T100000Z-{run}.json"})
    given = {"prefix": "shop-live", "bucket": f"{name}-ledger", "live": {}, "lines": "20", "format": "json"}
    found = run_action(ledger_show, given)
    assert not found.get("failed"), found
    return {each["run"]: each["static_there"] for each in found["entries"]}


def test_static_files_are_there_gone_or_of_another_bucket(shown: dict[str, Any]) -> None:
    assert (shown["1"], shown["2"]) == (False, True), "of the first the page has gone"
    assert shown["3"] is True, "a run that says nothing of them has left them as they were"
    assert shown["4"] is False, "its bucket has gone"
    assert shown["5"] is False, "nor is there a list of its files"
