"""The verbs `backup` and `backups`, typed on the embedded AWS: what is there, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.backups.drills import KEY
from plugins.plugin_utils.backups.point import Points
from tests.unit.playbooks.test_locked_verbs import ANNA, Site
from tests.unit.variables_support import evaluate, load, tasks_of


@pytest.fixture
def site(aws: Cloud, tmp_path: Path) -> Site:
    return Site(aws, tmp_path)


def test_volumes_without_a_vault_are_refused_before_anything_is_locked(site: Site) -> None:
    container = {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"], "volumes": ["media:/srv/media"]}
    services = {"web": {"containers": {"web": container}, "routes": [{"to": "web", "health": "/"}]}}
    site.describe(site_volumes={"media": {}}, site_services=services)
    code, shown = site.type("backup")
    assert code == 2, shown
    assert "There is nothing to copy the volumes into (media)" in shown
    assert "site_backups: {every: 1d, keep: 14}" in shown
    assert site.ledger.entries() == []


def test_a_site_that_is_not_up_is_told_to_come_up_and_nothing_is_written_down(site: Site, aws: Cloud) -> None:
    code, shown = site.type("backup", "-e", "backup=before-it")
    assert code == 2, shown
    assert "is not there" in shown
    (entry,) = site.ledger.entries()
    assert (entry["verb"], entry["outcome"], entry["arguments"]) == ("backup", "failed", {"backup": "before-it"})
    assert Points(aws.client("s3"), site.ledger).all() == []


def test_it_is_kept_out_by_a_lock_as_any_verb_that_changes_something(site: Site) -> None:
    site.ledger.lock.take(ANNA)
    code, shown = site.type("backup")
    assert code == 2
    assert "is locked: release by anna@laptop since " in shown


def test_there_is_none_yet_and_what_to_type(site: Site) -> None:
    code, shown = site.type("backups")
    assert code == 0, shown
    assert "there is no backup yet. Type: ansible-playbook backup.yml" in shown


def test_the_ledger_has_them_and_backups_shows_what_is_in_them(site: Site, aws: Cloud) -> None:
    part = {"kind": "snapshot", "of": "db", "id": "shop-gone", "state": "good", "why": "", "bytes": 20 * 2**30}
    Points(aws.client("s3"), site.ledger).begin(
        {
            "name": "before-it", "run": "one", "who": "anna", "where": "laptop", "started": "2026-11-26T10:02:00+00:00",
            "seconds": 75.2, "outcome": "good", "release": "2026.11.3", "parts": {"database.main": part},
            "without": ["table.items, of which DynamoDB keeps points in time itself"],
        }
    )  # fmt: skip
    code, shown = site.type("backups")
    assert code == 0, shown
    row = next(line for line in site.shown.splitlines() if line.startswith("2026-11-26"))
    assert " ".join(row.split()) == ("2026-11-26 10:02 before-it good 2026.11.3 gone: database.main 75 s anna@laptop")
    assert "database.main 20 GB" in shown
    assert "not in it: table.items" in shown


def test_one_is_counted_only_where_no_plan_begins_them_and_somebody_is_told() -> None:
    counted = tasks_of("playbooks/backup.yml")["Make it, and see that it is whole"]["backup_point"]["counted"]
    subscribers, wanted = ["ops@shop.test"], {"every": 86_400, "at": ""}
    assert evaluate(counted, {"alarms_subscribers": subscribers, "backup_wanted": wanted}) is True
    for each in (wanted | {"at": "04:00"}, wanted | {"every": None}):
        assert evaluate(counted, {"alarms_subscribers": subscribers, "backup_wanted": each}) is False
    assert evaluate(counted, {"alarms_subscribers": [], "backup_wanted": wanted}) is False


def test_backups_shows_the_last_drill(site: Site, aws: Cloud) -> None:
    point = {"name": "one", "run": "r", "started": "2026-11-26T10:02:00+00:00", "outcome": "good", "parts": {}}
    Points(aws.client("s3"), site.ledger).begin(point)
    _, shown = site.type("backups")
    assert "last drill of a restore: none yet. Type: ansible-playbook drill.yml" in shown
    drill = {
        "key": KEY, "backup": "one", "run": "d", "started": "2026-11-26T12:02:00+00:00", "outcome": "failed",
        "reason": "public.orders has 490 rows", "point_seconds": 7_200, "recovery_seconds": None,
    }  # fmt: skip
    site.ledger.begin(drill)
    _, shown = site.type("backups")
    told = "2026-11-26 12:02 UTC, of one: failed · data 2 h old · public.orders has 490 rows"
    assert f"last drill of a restore: {told}" in shown
    _, shown = site.type("backups", "-e", "format=json")
    assert '"reason": "public.orders has 490 rows"' in shown


def test_it_makes_the_backup_only_once_it_holds_the_lock_and_lets_older_ones_go_last() -> None:
    (play,) = load("playbooks/backup.yml")
    names = [task["name"] for task in play["tasks"]]
    assert names.index("Lock the environment") < names.index("Make it, and see that it is whole")
    assert names[-1] == "Let older ones go"
