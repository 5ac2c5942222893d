"""What a broken-off restore has left goes with a teardown, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.action import database_beside_delete
from plugins.plugin_utils.restoring import instance
from plugins.plugin_utils.restoring.instance import Beside
from tests.unit.plugin_support import run_action, talk_to


def make(aws: Cloud, name: str, *tags: str) -> None:
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="clerk", MasterUserPassword="p" * 9, Tags=[{"Key": tag, "Value": "one"} for tag in tags],
    )  # fmt: skip


def names(aws: Cloud) -> set[str]:
    found = aws.client("rds").describe_db_instances()["DBInstances"]
    return {each["DBInstanceIdentifier"] for each in found if each["DBInstanceIdentifier"].startswith("shop-gone")}


@pytest.fixture
def go(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    talk_to(aws, monkeypatch)
    for name, tags in (("restore-aaaaaaaa", [instance.TAG]), ("restore-mine", []), ("main", [instance.TAG]),
                       ("restore-restore-aaaaaaaa", [instance.TAG])):  # fmt: skip
        make(aws, f"shop-gone-{name}", *tags)
    return lambda check=False, **given: run_action(database_beside_delete, {"prefix": "shop-gone", **given}, check)


def test_only_what_a_restore_has_made_goes(aws: Cloud, go: Any) -> None:
    left = {"shop-gone-restore-mine", "shop-gone-main", "shop-gone-restore-restore-aaaaaaaa"}
    would = go(check=True)
    assert (would["changed"], would["names"]) == (True, ["shop-gone-restore-aaaaaaaa"])
    assert names(aws) == left | {"shop-gone-restore-aaaaaaaa"}
    assert go()["changed"]
    assert names(aws) == left
    assert not go()["changed"]


def test_one_that_does_not_go_in_time_is_told(go: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Beside, "delete", lambda _self, _name: True)
    told = go(timeout=0)
    assert (
        "RDS still deletes shop-gone-restore-aaaaaaaa, which a restore or a drill has left, after 0 s." in told["msg"]
    )


def test_one_that_rds_is_still_making_goes_as_soon_as_it_can(
    aws: Cloud, go: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTH_POLL_SECONDS", "0.05")
    make(aws, "shop-gone-drill-aaaaaaaa", instance.TAG)
    real, asked = aws.client("rds").delete_db_instance, list[str]()

    def busy(**given: Any) -> None:
        asked.append(given["DBInstanceIdentifier"])
        if len(asked) < 3:
            raise ClientError({"Error": {"Code": "InvalidDBInstanceState", "Message": "creating"}}, "DeleteDBInstance")
        real(**given)

    rds = SimpleNamespace(get_paginator=aws.client("rds").get_paginator, delete_db_instance=busy)
    monkeypatch.setattr(database_beside_delete.ActionModule, "client", lambda *_: rds)
    assert go(verbs=["drill"])["names"] == ["shop-gone-drill-aaaaaaaa"]
    assert asked == ["shop-gone-drill-aaaaaaaa"] * 3
    assert not [name for name in names(aws) if "-drill-" in name]
