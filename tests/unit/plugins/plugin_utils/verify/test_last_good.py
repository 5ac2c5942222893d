"""The release that a rollback would bring back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.static_release import Bucket, Kept
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding
from plugins.plugin_utils.verify.last_good import before, check, files
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


def test_one_of_other_static_files_alone_is_one_to_go_to() -> None:
    shown = [entry(3, static={"front": {"bucket": "files", "release": each}}) for each in ("0b", "0a")]
    found = before(shown, LIVE)
    assert (found and found["static"]) == shown[1]["static"]
    assert before([shown[0], {**shown[0], "release": "r2"}], LIVE) is None


@pytest.fixture
def buckets(aws: Cloud) -> dict[str, Any]:
    """An entry whose static files and code there are, and S3."""
    s3, name = aws.client("s3"), f"verify-{uuid.uuid4().hex}"
    for bucket in (f"{name}-files", f"{name}-code"):
        s3.create_bucket(Bucket=bucket)
    store = Bucket(s3, f"{name}-files")
    script = Kept("d", "text/javascript", "immutable")
    store.write_manifest("0a", {"index.html": Kept("d", "text/html", "no-cache"), "a.0f3c9d1e.js": script})
    for key in ("_releases/0a/index.html", "a.0f3c9d1e.js"):
        s3.put_object(Bucket=f"{name}-files", Key=key, Body=b"x")
    s3.put_object(Bucket=f"{name}-code", Key="0a.zip", Body=b"x")
    static = {"front": {"bucket": f"{name}-files", "release": "0a"}}
    return {"s3": s3, "name": name, "entries": [entry(3), entry(2, static=static, code={"items": "0a.zip"})]}


def found(buckets: dict[str, Any]) -> dict[str, tuple[str, str]]:
    given = files(buckets["entries"], LIVE, buckets["s3"], f"{buckets['name']}-code")
    return {each.subject: (each.state, each.reason) for each in given}


def test_its_static_files_and_the_code_of_its_functions_are_looked_for(buckets: dict[str, Any]) -> None:
    name = buckets["name"]
    assert found(buckets) == {
        "r2: static.front": (OK, f"2 in {name}-files"), "r2: function.items": (OK, "0a.zip"),
    }  # fmt: skip
    assert list(files([entry(3), entry(2)], LIVE, None, "")) == [], "a site without any is told nothing"
    assert list(files(None, LIVE, None, "")) == []

    for key, said in (("a.0f3c9d1e.js", "it has no a.0f3c9d1e.js"), ("_releases/0a.json", "it has no list of them")):
        buckets["s3"].delete_object(Bucket=f"{name}-files", Key=key)
        state, reason = found(buckets)["r2: static.front"]
        assert (state, said in reason) == (WRONG, True), reason
    buckets["s3"].delete_object(Bucket=f"{name}-code", Key="0a.zip")
    assert found(buckets)["r2: function.items"] == (WRONG, f"{name}-code has no 0a.zip")


def test_without_a_ledger_or_another_release_nothing_is_asked() -> None:
    def ask(*_: str) -> list[Finding]:
        raise AssertionError

    assert only(check(None, LIVE, ask)).state == NOT_ASKED
    assert "no other good release" in only(check([entry(3)], LIVE, ask)).reason
