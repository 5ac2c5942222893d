"""The ledger as a person reads it."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.ledger_table import HEAD, Image, lines, live_run, rows, static_there, there, told_once

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = f"sha256:{'0a' * 32}"


def an_entry(run: str, revision: int = 1, **given: Any) -> dict[str, Any]:
    images = {"shop/web": f"{REGISTRY}/shop/web:{revision}"}
    services = {"web": {"task_definition": f"arn:web:{revision}", "release": str(revision), "images": images}}
    return {
        "run": run, "verb": "release", "outcome": "good", "started": "2026-11-27T10:02:00+00:00", "seconds": 75.4,
        "who": "anna", "where": "laptop", "release": str(revision), "services": services, "reason": "", **given,
    }  # fmt: skip


def runs(entries: list[dict[str, Any]]) -> list[str]:
    return [each["run"] for each in entries]


def test_a_site_that_found_what_was_released_is_told_once() -> None:
    newer = an_entry("newer", verb="site")
    assert runs(told_once([newer, an_entry("older")])) == ["older"]
    assert runs(told_once([newer, an_entry("newer2", verb="site"), an_entry("older")])) == ["older"]


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (an_entry("newer"), an_entry("older")),
        (an_entry("newer", verb="site", revision=2), an_entry("older")),
        (an_entry("newer", verb="site"), an_entry("older", outcome="failed")),
        (an_entry("newer", verb="site", outcome="failed"), an_entry("older")),
        (an_entry("newer", verb="site", services={}), an_entry("older", services={})),
    ],
    ids=["a release", "another revision", "the older failed", "the newer failed", "no services"],
)
def test_any_other_is_told(newer: dict[str, Any], older: dict[str, Any]) -> None:
    assert runs(told_once([newer, older])) == ["newer", "older"]


def test_a_site_that_changed_static_files_alone_is_told() -> None:
    files = {release: {"front": {"bucket": "files", "release": release}} for release in ("0a", "0b")}
    older = an_entry("older", static=files["0a"])
    assert runs(told_once([an_entry("newer", verb="site", static=files["0b"]), older])) == ["newer", "older"]
    assert runs(told_once([an_entry("newer", verb="site", static=files["0a"]), older])) == ["older"]
    assert runs(told_once([an_entry("newer", verb="site"), older])) == ["older"], "it says nothing of them"


def test_static_files_are_there_unless_some_are_missing() -> None:
    entry = an_entry("x", static={"front": {"bucket": "files", "release": "0a"}})
    assert static_there(entry, set()) is True
    assert static_there(entry, {("files", "0a")}) is False
    assert static_there(entry, {("files", "0b"), ("others", "0a")}) is True
    assert static_there(an_entry("x"), {("files", "0a")}) is None


def test_live_is_the_newest_good_one_that_the_services_run() -> None:
    entries = [an_entry("failed", 3, outcome="failed"), an_entry("new", 2), an_entry("old", 1), an_entry("first", 1)]

    def live(revision: int, **more: Any) -> str:
        return live_run(entries, {"web": {"task_definition": f"arn:web:{revision}"}, **more})

    assert live(2) == "new"
    assert live(1) == "old"
    assert live(3) == "", "it failed"
    assert live(9) == ""
    assert live(1, worker={"task_definition": "arn:worker:7"}) == "old", "a service that came later"
    assert live_run(entries, {}) == ""


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        (f"{REGISTRY}/shop/web:1.2", {"imageTag": "1.2"}),
        (f"{REGISTRY}/shop/web@{DIGEST}", {"imageDigest": DIGEST}),
        ("127.0.0.1:5000/shop/web:1", {"imageTag": "1"}),
        ("docker.io/library/nginx:1.27", None),
        (f"{REGISTRY}/shopping/web:1", None),
        (f"{REGISTRY}/shop/web", None),
    ],
)
def test_an_image_of_the_site_is_known_by_its_repository(uri: str, found: dict[str, str] | None) -> None:
    image = Image.of(uri, "shop")
    assert (image and image.identifier) == found
    assert image is None or image.repository == "shop/web"


def test_images_are_there_unless_one_is_missing() -> None:
    uri = f"{REGISTRY}/shop/web:1"
    assert there(an_entry("x"), set(), set()) is True
    assert there(an_entry("x"), {uri}, set()) is False
    assert there(an_entry("x"), set(), {uri}) is None
    assert there(an_entry("x", services={}), set(), set()) is None


def test_a_line_says_what_a_person_wants_to_know() -> None:
    entries = [
        an_entry("x", live=True, images_there=True, static_there=True),
        an_entry(
            "x",
            outcome="failed",
            reason="The job migrate ended with exit code 3",
            images_there=False,
            static_there=False,
        ),
        an_entry("x", left_by="1", release=None, seconds=None, images_there=None, started="soon"),
        {"outcome": "interrupted"},
    ]
    assert rows(entries) == [
        ("2026-11-27 10:02", "release", "1", "live, good", "there", "there", "75 s", "anna@laptop", ""),
        ("2026-11-27 10:02", "release", "1", "failed", "gone", "gone", "75 s", "anna@laptop",
         "The job migrate ended with exit code 3"),
        ("soon", "release", "-", "good", "-", "-", "-", "anna@laptop", "left by a rollback to 1"),
        ("?", "?", "-", "interrupted", "-", "-", "-", "?@?", ""),
    ]  # fmt: skip
    shown = lines(entries)
    assert shown[0][0].split() == list(HEAD)
    assert [colour for _, colour in shown] == [None, "green", "red", "green", "red"]
    assert {line.index("anna@") for line, _ in shown if "anna@" in line} == {shown[0][0].index("who")}
