"""What status says of backups: how old the newest is, what became of the last, and that there is none."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from plugins.plugin_utils.backups.drills import KEY
from plugins.plugin_utils.status.page import rendered as page
from plugins.plugin_utils.status.terminal import rendered
from tests.unit.plugins.plugin_utils.status.status_support import (
    STACKS,
    Account,
    a_stack,
    ago,
    error,
    said,
    site,
    status,
)

EVERY_DAY = {"site_backups": {"every": "1d"}}
PARTS = {
    "database.main": {"kind": "snapshot", "id": "s", "state": "good", "bytes": 20 * 2**30},
    "volume.uploads": {"kind": "recovery point", "id": "r", "state": "good", "bytes": 1536},
}


def a_backup(name: str, hours: float, outcome: str = "good", **more: Any) -> dict[str, Any]:
    started = ago(hours=hours).isoformat()
    return {"name": name, "started": started, "outcome": outcome, "release": "2026.11.3", "parts": PARTS} | more


def an_account(
    *backups: dict[str, Any], stacks: list[dict[str, Any]] | None = None, drill: dict[str, Any] | None = None
) -> Account:
    """An account whose ledger has these backups, and the last drill."""
    kept = {f"points/{each['name']}.json": each for each in backups} | ({KEY: drill} if drill else {})

    def read(Key: str, **_: Any) -> dict[str, Any]:
        if Key not in kept:
            raise error("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(json.dumps(kept[Key]).encode()), "ETag": '"1"'}

    def listed(Prefix: str = "", **_: Any) -> dict[str, Any]:
        return {"Contents": [{"Key": key} for key in kept if key.startswith(Prefix)]}

    return Account(
        describe_stacks={"Stacks": [*(stacks or STACKS), a_stack("backup")]}, list_objects_v2=listed, get_object=read
    )


def shown(account: Account, **variables: Any) -> dict[str, Any]:
    return status(account, site(**(EVERY_DAY | variables)))


@pytest.mark.parametrize(
    ("hours", "every", "wrong"),
    [
        (25.9, "1d", []),
        (26.1, "1d", ["the newest good one, one, is 1 day old, and there should be one every 1 day (site_backups)"]),
        (13.9, "12h", []),
        (
            14.1,
            "12h",
            ["the newest good one, one, is 14 hours old, and there should be one every 12 hours (site_backups)"],
        ),
    ],
)
def test_one_that_is_older_than_it_may_be_is_not_well(hours: float, every: str, wrong: list[str]) -> None:
    model = shown(an_account(a_backup("one", hours)), site_backups={"every": every})
    assert said(model, "wrong").get("backups", []) == wrong
    assert model["backups"]["newest"]["name"] == "one"
    assert model["backups"]["newest"]["contents"] == "database.main 20 GB, volume.uploads 1.5 KB"


def test_none_at_all_is_not_well_once_the_site_is_old_enough() -> None:
    old = shown(an_account())
    assert said(old, "wrong")["backups"] == ["there is none, and there should be one every 1 day (site_backups)"]
    assert next(each["type"] for each in old["wrong"] if each["about"] == "backups").startswith(
        "ansible-playbook backup"
    )
    fresh = [each for each in STACKS if each["StackName"] != "shop-prod-ledger"]
    fresh.append(a_stack("ledger", outputs={"BucketName": "shop-prod-ledger"}, CreationTime=ago(hours=3)))
    young = shown(an_account(stacks=fresh))
    assert "backups" not in said(young, "wrong")
    assert said(young, "notes")["backups"] == ["there is none yet, and there should be one every 1 day (site_backups)"]


def test_what_failed_does_not_count_and_is_said() -> None:
    failed = a_backup("two", 1, "failed", reason="volume.uploads: AWS Backup: FAILED")
    model = shown(an_account(a_backup("one", 30), failed))
    assert said(model, "notes")["backups"] == [
        "the last one, two, did not become whole: volume.uploads: AWS Backup: FAILED"
    ]
    assert len(said(model, "wrong")["backups"]) == 1
    later = shown(an_account(failed | {"started": ago(hours=5).isoformat()}, a_backup("three", 1)))
    assert "backups" not in said(later, "notes"), "something went well after it"


def test_nobody_waits_for_one_where_the_inventory_does_not() -> None:
    model = shown(an_account(), site_backups={"keep": 3})
    assert "backups" not in said(model, "wrong")
    account = an_account()
    assert status(account)["backups"] is None
    assert site().backups.wanted is False


def test_it_is_on_the_page_and_on_the_terminal() -> None:
    model = shown(an_account(a_backup("before-it", 3)))
    lines = [line for line, _ in rendered(model)]
    told = "before-it, 3 hours old · release 2026.11.3 · database.main 20 GB, volume.uploads 1.5 KB"
    assert f"  backups: {told}" in lines
    assert told in page(model)


def a_drill(outcome: str, **more: Any) -> dict[str, Any]:
    drill = {"backup": "one", "run": "r", "started": ago(hours=2).isoformat(), "outcome": outcome, "reason": ""}
    return drill | {"point_seconds": 10_800, "recovery_seconds": None} | more


def test_the_last_drill_is_shown_with_what_it_came_to() -> None:
    drill = a_drill("good", recovery_seconds=720)
    model = shown(an_account(a_backup("one", 3), drill=drill))
    assert (model["backups"]["drill"]["point_seconds"], model["backups"]["drill"]["recovery_seconds"]) == (10_800, 720)
    told = "UTC, of one: good · data 3 h old, back in 12 min"
    (line,) = [line for line, _ in rendered(model) if "last drill" in line]
    assert line.endswith(told)
    assert told in page(model)
    assert "backups" not in said(model, "wrong") | said(model, "notes")
    never = shown(an_account(a_backup("one", 3)))
    assert "  last drill of a restore: none yet: ansible-playbook drill.yml" in [
        line.split(" -i ")[0] for line, _ in rendered(never)
    ]


def test_a_drill_that_failed_is_wrong_and_one_that_was_broken_off_is_told() -> None:
    bad = shown(an_account(a_backup("one", 3), drill=a_drill("failed", reason="public.orders has 490 rows")))
    (what,) = said(bad, "wrong")["backups"]
    assert what.startswith("the last drill of a restore failed: ")
    assert what.endswith("UTC, of one: failed · data 3 h old · public.orders has 490 rows")
    (typed,) = [each["type"] for each in bad["wrong"] if each["about"] == "backups"]
    assert typed.endswith("-e backup=one")
    killed = shown(an_account(a_backup("one", 3), drill=a_drill("running")))
    assert "backups" not in said(killed, "wrong")
    assert said(killed, "notes")["backups"] == [
        "the last drill of a restore was broken off, and may have left something"
    ]


def test_what_may_not_be_asked_is_said() -> None:
    account = an_account()
    account.refused = {"list_objects_v2"}
    model = shown(account)
    assert ("backups", "s3:ListBucket") in [(each["about"], each["action"]) for each in model["unasked"]]
    assert "backups" not in said(model, "wrong")


def test_a_site_whose_volumes_have_no_vault_is_not_all_there() -> None:
    account = an_account(a_backup("one", 3))
    account.answers["describe_stacks"] = {"Stacks": STACKS}
    assert said(shown(account))["site"] == ["is not all there: backup missing"]
    assert "site" not in said(shown(account, site_volumes={"uploads": {"driver": "task"}}))
