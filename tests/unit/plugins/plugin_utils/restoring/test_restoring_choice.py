"""Which parts of a backup are meant, and what of it is not restored."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.restoring import choice

GOOD: dict[str, Any] = {"kind": "snapshot", "state": "good", "id": "x", "why": ""}
POINT: dict[str, Any] = {
    "release": "2026.11.3",
    "secrets": {"arn": "1"},
    "without": ["table.items, of which DynamoDB keeps points in time itself"],
    "parts": {
        "bucket.old": {"kind": "versions", "state": "left out", "why": "it keeps no old versions"},
        "bucket.theirs": {"kind": "versions", "state": "good", "days": None},
        "bucket.up": {"kind": "versions", "state": "good", "days": 90},
        "database.main": GOOD,
        "database.more": GOOD | {"id": "y"},
        "volume.media": {"kind": "recovery point", "state": "good"},
    },
}
SITE = {"bucket": ["theirs", "up"], "database": ["main", "more"], "volume": ["media"]}


def test_all_that_can_be_or_what_was_typed() -> None:
    every = ["bucket.up", "database.main", "database.more", "volume.media"]
    assert list(choice.parts(POINT, {"database": "", "bucket": ""}, SITE)) == every
    assert list(choice.parts(POINT, {"bucket": "up"}, SITE)) == ["bucket.up"]
    assert choice.parts(POINT, {"database": "more"}, SITE) == {"database.more": GOOD | {"id": "y"}}


@pytest.mark.parametrize(
    ("point", "typed", "site", "said"),
    [
        (
            POINT,
            {"database": "mian"},
            SITE,
            "database.mian is not in it (bucket.up, database.main, database.more, volume.media; did ",
        ),
        (POINT, {"bucket": "old"}, SITE, "bucket.old is not whole in it: it keeps no old versions"),
        (
            POINT,
            {"bucket": "theirs"},
            SITE,
            "bucket.theirs: it is not Berth's bucket: its old versions lead back there",
        ),
        (POINT, {}, SITE | {"bucket": []}, "the site has no bucket.up any more to restore it to; write it into site_b"),
        (
            POINT,
            {},
            SITE | {"database": ["main"]},
            "the site has no database.more any more to restore it to; write it into ",
        ),
        ({"parts": {}}, {}, SITE, "nothing is in it that can be restored"),
        ({"parts": {}}, {"database": "main"}, SITE, "database.main is not in it (nothing that can be restored is)"),
    ],
)
def test_what_is_not_in_it_is_told(point: dict[str, Any], typed: Any, site: Any, said: str) -> None:
    with pytest.raises(choice.Wrong) as error:
        choice.parts(point, typed, site)
    assert str(error.value).startswith(said)


def test_what_is_not_restored_is_told() -> None:
    chosen = choice.parts(POINT, {}, SITE)
    assert choice.without(POINT, chosen) == [
        "bucket.theirs: it is not Berth's bucket: its old versions lead back there, file by file: aws s3api "
        "list-object-versions",
        "the release 2026.11.3 of then: rollback.yml leads to it",
        "secrets: a backup has the names of their versions, never a value",
        "table.items, of which DynamoDB keeps points in time itself: it is not in the backup",
    ]
    assert choice.without({"parts": {"database.main": GOOD}}, {"database.main": GOOD}) == []
