"""A time in the place of a backup: how it is typed, and what of a site's stacks leads back to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.plugin_utils.restoring import times
from plugins.plugin_utils.restoring.times import Back, Unfit, Wrong

AT = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
EARLIEST = AT - timedelta(days=1)
FILES = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0123"
INSTANCE: dict[str, Any] = {
    "DBInstanceIdentifier": "shop-main", "DbiResourceId": "db-NOW", "BackupRetentionPeriod": 7,
    "LatestRestorableTime": NOW - timedelta(minutes=5),
}  # fmt: skip


def a_stack(layer: str, **outputs: str) -> dict[str, Any]:
    return {
        "StackName": f"shop-prod-{layer}", "StackStatus": "CREATE_COMPLETE", "CreationTime": AT - timedelta(days=2),
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }  # fmt: skip


STACKS = [
    a_stack("backup", VaultName="vault"), a_stack("database-main", InstanceId="shop-main"),
    a_stack("volume-media", FileSystemArn=FILES), a_stack("bucket-up", BucketName="shop-up"),
    a_stack("volume-broken"),
]  # fmt: skip


def automated(of: str = "db-NOW", earliest: datetime = EARLIEST) -> dict[str, Any]:
    return {"DbiResourceId": of, "RestoreWindow": {"EarliestTime": earliest}}


def a_point(at: datetime, status: str = "COMPLETED") -> dict[str, Any]:
    arn = f"arn:aws:backup:us-east-1:123456789012:recovery-point:{at:%d%H%M}"
    return {"ResourceArn": FILES, "RecoveryPointArn": arn, "CreationDate": at, "Status": status}


class Aws:
    """What a site's stacks and their resources answer, in the place of each client."""

    def __init__(self, **given: Any) -> None:
        self._pages: dict[str, Any] = {
            "describe_stacks": {"Stacks": given.get("stacks", STACKS)},
            "describe_db_instance_automated_backups": {
                "DBInstanceAutomatedBackups": given.get("automated", [automated()])
            },
            "list_recovery_points_by_backup_vault": {"RecoveryPoints": given.get("points", [])},
        }
        self._instance = INSTANCE | given.get("instance", {})
        self._versioning = given.get("versioning", "Enabled")

    def __call__(self, _service: str) -> Any:
        return self

    def get_paginator(self, operation: str) -> Any:
        return type("Pages", (), {"paginate": staticmethod(lambda **_: [self._pages[operation]])})

    def describe_db_instances(self, **_: str) -> dict[str, Any]:
        return {"DBInstances": [self._instance]}

    def get_bucket_versioning(self, **_: str) -> dict[str, str]:
        return {"Status": self._versioning}


def back(at: datetime = AT, **given: Any) -> Back:
    return Back(Aws(**given), "shop-prod", at, NOW, {"up": 30})


def refused(ask: Callable[[], Any]) -> tuple[str, datetime | None]:
    with pytest.raises(Unfit) as error:
        ask()
    return str(error.value), error.value.instead


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026-11-27T10:00Z", AT),
        (" 2026-11-27T11:00:00.9+01:00 ", AT),
        ("2026-11-27T12:00Z", NOW),
    ],
)
def test_a_time_is_typed_with_its_zone(typed: str, read: datetime) -> None:
    assert times.read(typed, NOW) == read


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("yesterday", "yesterday is no time as ISO 8601 has it, 2026-11-27T10:00Z for example"),
        ("2026-11-27T10:00", "2026-11-27T10:00 does not say in which zone"),
        ("2026-11-27T12:00:01Z", "2026-11-27T12:00:01Z is to come: it is 2026-11-27T12:00:00Z now"),
    ],
)
def test_another_time_is_refused(typed: str, said: str) -> None:
    with pytest.raises(Wrong) as error:
        times.read(typed, NOW)
    assert str(error.value).startswith(said)


def test_a_database_is_led_back_by_its_automated_backups() -> None:
    assert back().part("database.main") == {
        "kind": "time", "of": "shop-main", "id": "shop-main", "state": "good", "why": "",
        "made": "2026-11-27T10:00:00+00:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("at", "given", "said", "instead"),
    [
        (EARLIEST - timedelta(seconds=1), {}, "RDS restores it to times from 2026-11-26T10:00:00Z to 20", EARLIEST),
        (NOW, {}, "RDS restores it to times from 2026-11-26T10:00:00Z to 20", NOW - timedelta(minutes=5)),
        (AT, {"automated": [automated("db-OLD")]}, "RDS has no automated backup of it yet", None),
        (AT, {"instance": {"BackupRetentionPeriod": 0}}, "RDS makes no automated backups of it (backup_days of ", None),
    ],
)
def test_a_database_says_where_it_is_not_led(at: datetime, given: Any, said: str, instead: datetime | None) -> None:
    why, other = refused(lambda: back(at, **given).part("database.main"))
    assert why.startswith(said)
    assert other == instead


def test_of_a_volume_the_newest_whole_point_before_stands_for_the_time() -> None:
    hour = timedelta(hours=1)
    points = [a_point(AT + hour), a_point(AT - hour), a_point(AT - 2 * hour), a_point(AT, "PARTIAL")]
    way = back(points=points)
    part = way.part("volume.media")
    assert (part["made"], part["vault"], part["state"]) == ("2026-11-27T09:00:00+00:00", "vault", "good")
    assert way.distance(part)
    assert way.distance({"made": AT.isoformat()}) == ""
    assert back(points=[a_point(AT)]).part("volume.media")["made"] == "2026-11-27T10:00:00+00:00"


def test_a_volume_says_where_it_is_not_led() -> None:
    late = AT + timedelta(minutes=1, microseconds=1)
    assert refused(lambda: back(points=[a_point(late)]).part("volume.media")) == (
        "its oldest recovery point is of 2026-11-27T10:01:01Z",
        AT + timedelta(seconds=61),
    )
    assert refused(lambda: back().part("volume.media"))[0] == "AWS Backup has no recovery point of it"
    without = [each for each in STACKS if each["StackName"] != "shop-prod-backup"]
    assert "no vault" in refused(lambda: back(stacks=without).part("volume.media"))[0]


def test_a_bucket_is_led_back_for_as_long_as_it_keeps_versions() -> None:
    part = back().part("bucket.up")
    assert (part["of"], part["made"], part["days"]) == ("shop-up", "2026-11-27T10:00:00+00:00", 30)
    made = AT - timedelta(days=2)
    assert back(made).part("bucket.up")["state"] == "good"
    assert refused(lambda: back(made - timedelta(seconds=1)).part("bucket.up")) == (
        "its old versions lead back to 2026-11-25T10:00:00Z",
        made,
    )
    assert refused(lambda: back(versioning="Suspended").part("bucket.up"))[0] == "it keeps no old versions"


def test_what_is_not_there_or_does_not_say_what_it_is_leads_nowhere() -> None:
    assert refused(lambda: back().part("database.other"))[0] == "it is not there"
    assert refused(lambda: back().part("volume.broken"))[0] == "its stack does not say what it is"


def test_all_of_the_site_is_meant_or_what_was_typed() -> None:
    site = {"bucket": ["up"], "database": ["main"], "volume": ["media", "more"]}
    assert times.wanted({"database": ""}, site) == ["bucket.up", "database.main", "volume.media", "volume.more"]
    assert times.wanted({"volume": "more"}, site) == ["volume.more"]


def test_the_time_to_type_instead_is_one_to_which_all_may_lead() -> None:
    hour = timedelta(hours=1)
    assert times.nearest([Unfit("", AT - hour), Unfit("", AT - 2 * hour)], AT) == AT - 2 * hour
    assert times.nearest([Unfit("", AT + hour), Unfit("", AT + 2 * hour)], AT) == AT + 2 * hour
    assert times.nearest([Unfit("", AT + hour), Unfit("")], AT) is None
