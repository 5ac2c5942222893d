"""A bucket is drilled where it is: each object of then is read, and what cannot be had is named."""

from __future__ import annotations

import time
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import bucket_drill, bucket_restore
from plugins.plugin_utils.backups import buckets
from plugins.plugin_utils.restoring.reading import Damaged
from plugins.plugin_utils.restoring.versions import Bucket
from tests.unit.plugin_support import run_action, talk_to
from tests.unit.plugins.action import test_bucket_restore as restored

pytestmark = pytest.mark.embedded


class Estate(restored.Estate):
    """A site with a bucket that is drilled."""

    def drill(self, check: bool = False, **given: Any) -> tuple[dict[str, Any], str]:
        shown = list[str]()
        arguments = {"entry": "up", "name": "one", "part": self.part, "of": self.bucket} | given
        done = run_action(bucket_drill, arguments, check, say=lambda _, text, _color=None: shown.append(text))
        return done, "\n".join(shown)

    def cold(self, *keys: str) -> None:
        """Have objects in an archive, out of which nobody reads, and a backup of that."""
        for key in keys:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x", StorageClass="GLACIER")
        self.part = buckets.part(self.s3, self.bucket, 90, Bucket(self.s3, self.bucket).now())


@pytest.fixture
def estate(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Estate:
    talk_to(aws, monkeypatch)
    return Estate(aws)


def test_each_object_of_then_is_read_though_it_is_not_there_now(estate: Estate) -> None:
    size = sum(len(content) for content in estate.then.values())
    done, shown = estate.drill()
    assert done == {"changed": False, "objects": 5, "bytes": size, "checked": 5}
    assert "5 objects were there: 2 are as they are now, 2 have another content now, 1 are not there now; 1 of" in shown
    assert f"5 objects of then were read ({size} bytes), 5 of them against their checksum" in shown
    assert estate.everything() == estate.now, "the site is as it was"
    assert "restores" not in (estate.points().read("one") or {})


def test_in_check_mode_none_is_read(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> bool:
        raise AssertionError

    monkeypatch.setattr(bucket_drill, "read", never)
    done, shown = estate.drill(check=True)
    assert (done["changed"], done["objects"], done["checked"]) == (False, 5, 0)
    assert "5 objects of then would be read" in shown


def test_what_cannot_be_had_fails_it_and_is_named(estate: Estate) -> None:
    estate.cold("albums/cold")
    told = estate.drill()[0]["msg"]
    assert told.startswith("1 of the 6 objects that the bucket up had then cannot be had: albums/cold: GetObject: ")
    assert told.endswith(". A restore would be without them.")


def test_of_many_some_are_named_and_no_other_is_asked_for(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.cold(*(f"cold/{number}" for number in range(bucket_drill.LISTED + 1)))
    assert (told := estate.drill()[0]["msg"]).count("GetObject: ") == bucket_drill.LISTED
    assert told.startswith("6 of the 11 objects ")
    assert "; and others. A restore" in told
    asked = list[str]()

    def broken(_s3: Any, _bucket: str, key: str, _version: Any) -> bool:
        asked.append(key)
        if len(asked) > 2:  # as many as are enough
            time.sleep(1)  # what S3 needs for an answer, in which those that wait are let go
        raise Damaged("it has 1 bytes, and 2 are listed")

    monkeypatch.setattr(bucket_drill, "read", broken)
    monkeypatch.setattr(bucket_drill, "ENOUGH", 2)
    monkeypatch.setattr(bucket_restore, "AT_A_TIME", 1)
    told = estate.drill()[0]["msg"]
    assert told.startswith("2 or more of the 11 objects that the bucket up had then cannot be had: ")
    assert "it has 1 bytes, and 2 are listed" in told
    assert len(asked) < 11


def test_a_backup_of_another_bucket_is_refused_as_a_restore_of_it_would_be(estate: Estate) -> None:
    assert "write name: other into site_buckets" in estate.drill(part=estate.part | {"of": "other"})[0]["msg"]
    assert f"and up is {estate.bucket} now" in estate.drill(part=estate.part | {"of": "other"})[0]["msg"]
    assert "and up is not there now" in estate.drill(of="")[0]["msg"]


def test_a_bucket_that_was_empty_then_is_told_in_numbers(estate: Estate) -> None:
    done, shown = estate.drill(part=estate.part | {"made": "2000-01-01T00:00:00+00:00"})
    assert (done["objects"], done["bytes"]) == (0, 0)
    assert "0 objects of then were read" in shown
