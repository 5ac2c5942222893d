"""A bucket as it was: compared by its versions, brought back as new ones, and nothing of it taken away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.restoring.versions import Bucket, Version, compare

THEN = datetime(2026, 11, 26, 10, 2, tzinfo=UTC)
BEFORE, AFTER = THEN - timedelta(hours=1), THEN + timedelta(seconds=1)


def version(made: datetime, content: str = "", name: str = "") -> Version:
    return Version(made, name or f"{made:%H%M%S}{content}", content, len(content))


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        ([(version(BEFORE, "a"), True)], "same"),
        ([(version(THEN, "a"), True)], "same"),  # of that very second
        ([(version(AFTER, "a"), True), (version(BEFORE, "a"), False)], "same"),
        ([(version(AFTER, "b"), True), (version(BEFORE, "a"), False)], "other"),
        ([(version(AFTER, "b"), True), (version(THEN, "a2"), False), (version(BEFORE, "a"), False)], "other"),
        ([(version(BEFORE, "a"), False), (version(AFTER), True)], "lost"),
        ([(version(AFTER, "a"), True)], "new"),
        ([(version(AFTER, "a"), True), (version(BEFORE), False)], "new"),  # it was deleted then
        ([(version(AFTER, "b"), False), (version(AFTER), True)], "neither"),
        ([(version(BEFORE, "a"), False), (version(BEFORE), True)], "neither"),  # both of one second
    ],
)
def test_each_object_is_found_in_what_it_was_and_is(versions: list[tuple[Version, bool]], found: str) -> None:
    difference = compare([("k", *each) for each in versions], THEN)
    told = {
        "same": bool(difference.same), "other": "k" in difference.other, "lost": "k" in difference.lost,
        "new": difference.new == ["k"],
    }  # fmt: skip
    assert [name for name, is_so in told.items() if is_so] == ([] if found == "neither" else [found])
    assert difference.is_none == (found in ("same", "neither"))
    if found in ("other", "lost"):
        assert difference.back["k"].etag in ("a", "a2")
        assert difference.back["k"].made <= THEN


def test_it_is_told_in_numbers() -> None:
    listed = [("same", version(BEFORE, "a"), True), ("new", version(AFTER, "a"), True)]
    listed += [("other", version(AFTER, "b"), True), ("other", version(BEFORE, "a"), False)]
    assert compare(listed, THEN).told() == (
        "2 objects were there: 1 are as they are now, 1 have another content now, 0 are not there now; "
        "1 of now are not among them"
    )


@pytest.fixture
def bucket(aws: Cloud) -> str:
    name = f"shop-{id(aws)}-{datetime.now(UTC):%H%M%S%f}"
    aws.client("s3").create_bucket(Bucket=name)
    aws.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def put(aws: Cloud, bucket: str, key: str, content: bytes, **more: Any) -> Version:
    made = aws.client("s3").put_object(Bucket=bucket, Key=key, Body=content, **more)
    return Version(datetime.now(UTC), made["VersionId"], made["ETag"], len(content))


@pytest.mark.embedded
@pytest.mark.parametrize("at_once", [2**30, 5 * 2**20])
def test_a_version_comes_back_with_what_belongs_to_it(aws: Cloud, bucket: str, at_once: int) -> None:
    s3, content = aws.client("s3"), b"x" * (5 * 2**20 + 1)
    about = {"ContentType": "image/png", "CacheControl": "max-age=60", "Metadata": {"by": "anna"}}
    old = put(aws, bucket, "albums/é a.png", content, Tagging="kind=photo&of=a%20b", **about)
    put(aws, bucket, "albums/é a.png", b"overwritten")
    Bucket(s3, bucket, at_once=at_once).bring_back("albums/é a.png", old)
    found = s3.get_object(Bucket=bucket, Key="albums/é a.png")
    assert found["Body"].read() == content
    assert {name: found[name] for name in about} == about
    tags = s3.get_object_tagging(Bucket=bucket, Key="albums/é a.png")["TagSet"]
    assert {each["Key"]: each["Value"] for each in tags} == {"kind": "photo", "of": "a b"}
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 3


@pytest.mark.embedded
def test_only_what_is_meant_is_looked_at(aws: Cloud, bucket: str) -> None:
    for key in ("albums/2013", "albums/2013/a.png", "albums/20134", "other"):
        put(aws, bucket, key, b"1")

    def keys(path: str) -> list[str]:
        return sorted(key for key, _, _ in Bucket(aws.client("s3"), bucket, path).versions())

    assert keys("albums/2013") == ["albums/2013", "albums/2013/a.png"]
    assert len(keys("")) == 4


@pytest.mark.embedded
def test_an_object_that_is_put_away_stays_as_an_old_version(aws: Cloud, bucket: str) -> None:
    put(aws, bucket, "a", b"1")
    there = Bucket(aws.client("s3"), bucket)
    there.put_away("a")
    found = {(version.is_object, is_latest) for _, version, is_latest in there.versions()}
    assert found == {(True, False), (False, True)}


@pytest.mark.embedded
def test_time_is_what_s3_says(aws: Cloud, bucket: str) -> None:
    assert abs(Bucket(aws.client("s3"), bucket).now() - datetime.now(UTC)) < timedelta(seconds=60)
