"""The release that a rollback would bring back."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding
from plugins.plugin_utils.verify.last_good import before, check
from tests.unit.plugins.plugin_utils.verify.support import only

LIVE = {"web": "td/web:3"}


def entry(revision: int, **more: Any) -> dict[str, Any]:
    images = {"shop/app": f"reg/shop-app@sha256:{revision}"}
    services = {"web": {"task_definition": f"td/web:{revision}", "images": images}}
    return {"release": f"r{revision}", "outcome": "good", "services": services, **more}


@pytest.mark.parametrize(
    ("entries", "release"),
    [
        ([entry(3), entry(2), entry(1)], "r2"),
        ([entry(2, outcome="failed"), entry(1)], "r1"),
        ([entry(2, left_by="r3"), entry(1)], "r1"),
        ([{"outcome": "good", "verb": "hosts"}, entry(1)], "r1"),
        ([entry(3)], None),
        ([], None),
    ],
)
def test_it_is_the_newest_good_one_that_does_not_run(entries: list[dict[str, Any]], release: str | None) -> None:
    found = before(entries, LIVE)
    assert (found and found["release"]) == release


@pytest.mark.parametrize("state", [OK, WRONG])
def test_its_images_are_looked_for(state: Any) -> None:
    asked: list[tuple[str, str, str]] = []

    def ask(subject: str, image: str, called: str) -> list[Finding]:
        asked.append((subject, image, called))
        return [Finding("image", subject, "in the registry", state, "so it is")]

    found = only(check([entry(3), entry(2)], LIVE, ask))
    assert asked == [("r2: service.web", "reg/shop-app@sha256:2", "shop/app")]
    assert (found.check, found.subject, found.state) == ("last good release", "r2: service.web", state)


def test_without_a_ledger_or_another_release_nothing_is_asked() -> None:
    def ask(*_: str) -> list[Finding]:
        raise AssertionError

    assert only(check(None, LIVE, ask)).state == NOT_ASKED
    assert "no other good release" in only(check([entry(3)], LIVE, ask)).reason
