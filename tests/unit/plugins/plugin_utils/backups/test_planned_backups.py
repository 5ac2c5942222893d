"""Backups that AWS Backup begins by itself: what belongs together, what it is called, and what ran then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.plugin_utils.backups import planned
from plugins.plugin_utils.backups.planned import Plan

AT = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
FILES = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0123"
ROWS = "arn:aws:rds:us-east-1:123456789012:db:shop-main"
PLAN = Plan("vault", {"database.main": "shop-main", "volume.media": FILES})
BY = {"BackupPlanId": "plan"}


def a_point(of: str = FILES, at: datetime = AT, **more: Any) -> dict[str, Any]:
    kind, own = ("RDS", f"snapshot:awsbackup:job-{at:%d%H}") if of == ROWS else ("EFS", f"recovery-point:{at:%d%H}")
    return {
        "ResourceArn": of, "ResourceType": kind, "RecoveryPointArn": f"arn:aws:x:us-east-1:123456789012:{own}",
        "CreationDate": at, "CompletionDate": at + timedelta(minutes=3), "Status": "COMPLETED",
        "BackupSizeInBytes": 5, "CreatedBy": BY, "BackupVaultName": "vault",
    } | more  # fmt: skip


def a_job(of: str = FILES, at: datetime = AT, **more: Any) -> dict[str, Any]:
    kind = "RDS" if of == ROWS else "EFS"
    return {"ResourceArn": of, "ResourceType": kind, "CreationDate": at, "State": "FAILED", "CreatedBy": BY} | more


class Backup:
    """AWS Backup's client, of one vault."""

    def __init__(self, *points: dict[str, Any], jobs: list[dict[str, Any]] | None = None) -> None:
        self._answers = {
            "list_recovery_points_by_backup_vault": {"RecoveryPoints": list(points)},
            "list_backup_jobs": {"BackupJobs": jobs or []},
        }

    def get_paginator(self, operation: str) -> Any:
        answer = self._answers[operation]
        return type("Pages", (), {"paginate": staticmethod(lambda **_: [answer])})


def read(*points: dict[str, Any], jobs: list[dict[str, Any]] | None = None, plan: Plan = PLAN) -> list[dict[str, Any]]:
    return planned.read(Backup(*points, jobs=jobs), plan, NOW)


def test_what_is_begun_within_the_hour_is_one_backup_called_after_the_time() -> None:
    late = AT + timedelta(minutes=40)
    (found,) = read(a_point(), a_point(ROWS, late))
    assert (found["name"], found["outcome"], found["who"]) == ("plan-2026-11-27-0400", "good", "AWS Backup")
    assert found["started"] == "2026-11-27T04:00:00+00:00"
    assert (found["ended"], found["seconds"]) == ("2026-11-27T04:43:00+00:00", 43 * 60)
    assert set(found["parts"]) == {"database.main", "volume.media"}
    rows = found["parts"]["database.main"]
    assert (rows["of"], rows["snapshot"], rows["vault"]) == ("shop-main", "awsbackup:job-2704", "vault")
    assert found["parts"]["volume.media"]["of"] == FILES
    assert "snapshot" not in found["parts"]["volume.media"]


def test_what_is_of_the_same_thing_or_later_is_another() -> None:
    hourly = [a_point(at=AT + timedelta(minutes=minutes)) for minutes in (0, 59)]
    assert [each["name"][-4:] for each in read(*hourly, plan=Plan("vault", {}))] == ["0459", "0400"]
    apart = read(a_point(), a_point(ROWS, AT + timedelta(minutes=60)), plan=Plan("vault", {}))
    assert [list(each["parts"]) for each in apart] == [["database.shop-main"], ["volume.fs-0123"]]


def test_what_somebody_else_copied_into_the_vault_is_none_of_it() -> None:
    by_hand = a_point()
    del by_hand["CreatedBy"]
    assert read(by_hand) == []
    assert [list(each["parts"]) for each in read(by_hand, a_point(ROWS), plan=Plan("vault", {}))] == [
        ["database.shop-main"]
    ]


@pytest.mark.parametrize(
    ("jobs", "why"),
    [
        ([a_job(ROWS, State="EXPIRED")], "database.main: AWS Backup: EXPIRED"),
        ([a_job(ROWS, StatusMessage="no right")], "database.main: AWS Backup: FAILED, no right"),
        ([], f"database.main: {planned.UNBEGUN}"),
        ([a_job(ROWS, State="COMPLETED")], f"database.main: {planned.UNBEGUN}"),
    ],
)
def test_one_that_lacks_something_is_not_whole_and_says_why(jobs: list[dict[str, Any]], why: str) -> None:
    (found,) = read(a_point(), jobs=jobs)
    assert (found["outcome"], found["reason"]) == ("failed", why)
    assert found["parts"]["volume.media"]["state"] == "good"


def test_one_of_which_nothing_came_is_told_too() -> None:
    (found,) = read(jobs=[a_job(), a_job(ROWS)])
    assert (found["name"], found["outcome"]) == ("plan-2026-11-27-0400", "failed")


def test_one_that_is_under_way_is_no_failure_yet() -> None:
    just = NOW - timedelta(minutes=5)
    (found,) = read(a_point(at=just, Status="PARTIAL", CompletionDate=None))
    assert (found["outcome"], found["ended"], set(found["parts"])) == ("running", None, {"volume.media"})
    (found,) = read(a_point(at=just))
    assert found["outcome"] == "running", "the database may begin still"


def test_what_the_site_did_not_have_yet_is_not_missing() -> None:
    day = timedelta(days=1)
    newer, older = read(a_point(), a_point(ROWS), a_point(at=AT - day))
    assert (newer["outcome"], older["outcome"]) == ("good", "good")
    assert older["without"] == ["database.main, of which the first copy was made later"]


def test_the_ledger_tells_what_ran_then() -> None:
    entries: list[dict[str, Any]] = [
        {"outcome": "good", "services": {"web": {}}, "release": "3", "ended": "2026-11-27T05:00:00+00:00"},
        {"outcome": "failed", "services": {"web": {}}, "release": "bad", "ended": "2026-11-27T03:59:00+00:00"},
        {"outcome": "good", "release": "none", "ended": "2026-11-27T03:58:00+00:00"},
        {"outcome": "good", "services": {"web": {"images": {}}}, "release": "2", "secrets": {"s": "v1"},
         "ended": "2026-11-26T20:00:00+00:00"},
    ]  # fmt: skip
    (found,) = planned.with_releases(read(a_point(), a_point(ROWS)), entries)
    assert (found["release"], found["secrets"], found["services"]) == ("2", {"s": "v1"}, {"web": {"images": {}}})
    (before,) = planned.with_releases(read(a_point(), a_point(ROWS)), entries[:1])
    assert before["release"] == ""


def test_a_record_counts_for_more_than_what_is_read() -> None:
    made = read(a_point(), a_point(ROWS))
    own = {"name": "one", "started": "2026-11-27T08:00:00+00:00"}
    again = {**made[0], "restores": {"volume.media": {}}}
    assert planned.merged([own, again], made) == [own, again]
    assert [each["name"] for each in planned.merged([own], made)] == ["one", "plan-2026-11-27-0400"]


def a_stack(at: datetime = AT, parameters: dict[str, str] | None = None, **outputs: str) -> dict[str, Any]:
    return {
        "CreationTime": at,
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        "Parameters": [{"ParameterKey": key, "ParameterValue": each} for key, each in (parameters or {}).items()],
    }


def test_it_is_told_by_the_stacks_of_the_layers() -> None:
    described = {
        "backup": a_stack(VaultName="v", PlanId="p"), "database.main": a_stack(InstanceId="shop-main", Port="5432"),
        "volume.media": a_stack(FileSystemArn=FILES),
        "bucket.up": a_stack(AT, {"BucketVersioned": "true", "BucketOldVersionsDays": "30"}, BucketName="b"),
        "bucket.fleeting": a_stack(AT, {"BucketVersioned": "false", "BucketOldVersionsDays": "7"}, BucketName="f"),
        "bucket.broken": a_stack(),
    }  # fmt: skip
    assert Plan.told(described) == Plan(
        "v",
        {"database.main": "shop-main", "volume.media": FILES},
        {"bucket.up": planned.Bucket("b", True, 30, AT), "bucket.fleeting": planned.Bucket("f", False, 7, AT)},
    )
    assert Plan.told({}) == Plan("", {})


@pytest.mark.parametrize(
    ("bucket", "state", "without"),
    [
        ({}, "good", []),
        ({"since": AT}, "good", []),
        ({"since": AT + timedelta(seconds=1)}, None, ["bucket.up, which was made later"]),
        ({"keeps": False}, "left out", []),
        ({"days": 1}, "good", []),
        ({"days": 0}, None, ["bucket.up, whose old versions of then are gone"]),
        ({"days": 0, "keeps": False}, "left out", []),
    ],
)
def test_of_a_bucket_it_has_the_time_as_one_that_was_typed_has(
    bucket: dict[str, Any], state: str | None, without: list[str]
) -> None:
    usual: dict[str, Any] = {"name": "b", "keeps": True, "days": 30, "since": AT - timedelta(days=9)}
    there = planned.Bucket(**usual | bucket)
    (found,) = read(a_point(), a_point(ROWS), plan=Plan(PLAN.vault, PLAN.wanted, {"bucket.up": there}))
    assert (found["outcome"], found["without"]) == ("good", without), "what a bucket keeps is no copy that failed"
    part = found["parts"].get("bucket.up")
    assert (part or {}).get("state") == state
    if part:
        assert (part["kind"], part["of"], part["days"], part["made"]) == (
            "versions", "b", there.days, "2026-11-27T04:00:00+00:00",
        )  # fmt: skip
