"""Which images are kept: of what is live, and of the last good releases."""

from __future__ import annotations

from typing import Any

from plugins.filter.images import kept_images

LIVE = {
    "services": {"web": {"images": {"shop/web": "r/web:9"}}},
    "jobs": {"mail": {"images": {"shop/mail": "r/mail:9"}}},
}


def entry(release: str, *images: str, outcome: str = "good", **more: Any) -> dict[str, Any]:
    services = {f"s{place}": {"images": {f"shop/{place}": image}} for place, image in enumerate(images)}
    return {"verb": "release", "release": release, "outcome": outcome, "services": services, **more}


def test_without_a_ledger_it_is_what_is_live() -> None:
    assert kept_images(LIVE, [], 5) == ["r/mail:9", "r/web:9"]


def test_the_last_good_releases_count_each_once() -> None:
    entries = [entry("5", "r/web:5"), entry("5", "r/web:5b"), entry("4", "r/web:4"), entry("3", "r/web:3")]
    assert kept_images({}, entries, 2) == ["r/web:4", "r/web:5", "r/web:5b"]
    assert kept_images({}, entries, 3) == ["r/web:3", "r/web:4", "r/web:5", "r/web:5b"]


def test_what_failed_what_was_left_and_what_was_no_release_do_not_count() -> None:
    entries = [
        entry("7", "r/web:7", outcome="failed"),
        entry("6", "r/web:6", outcome="running"),
        entry("5", "r/web:5", left_by="4"),
        entry("", "r/web:none"),
        {"verb": "hosts", "outcome": "good"},
        entry("4", "r/web:4", jobs={"mail": {"exit_code": 0}, "other": {"images": {"shop/other": "r/other:4"}}}),
    ]
    assert kept_images(LIVE, entries, 1) == ["r/mail:9", "r/other:4", "r/web:4", "r/web:9"]
