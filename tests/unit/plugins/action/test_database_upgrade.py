"""A database gets another version, on a copy first: two real servers, RDS's API embedded."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import rds as emulated
from plugins.action import database_upgrade
from plugins.plugin_utils.importing.postgres import Server
from plugins.plugin_utils.restoring.instance import Instance
from plugins.plugin_utils.upgrading.engine import Engine
from tests.unit import rds_support
from tests.unit.plugin_support import talk_to
from tests.unit.postgres_support import PASSWORD, Postgres, postgres, reach_by_ssh
from tests.unit.rds_support import Rds

CONTENT = """
SET ROLE clerk;
CREATE DATABASE site;
\\connect site
SET ROLE clerk;
CREATE TABLE people (id serial PRIMARY KEY, name text NOT NULL);
INSERT INTO people (name) SELECT 'person ' || n FROM generate_series(1, 500) n;
CREATE TABLE orders (id int, weight float8);
INSERT INTO orders VALUES (1, 1 / 3.0);
"""
TABLES, ROWS = 3, 501
"""A sequence among the tables."""
NOW, TARGET = "15.4", "16.4"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def copy() -> Iterator[Postgres]:
    """The server that the snapshot is restored to."""
    with postgres() as running:
        running.sql(CONTENT)
        yield running


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    """The site's."""
    with postgres() as running:
        running.sql(CONTENT)
        yield running


class UpgradingRds(Rds):
    """Which raises the version of the copy, and may damage what is in it.

    Attributes:
        raised: identifiers of instances whose version was raised.
        damage: statements that the copy runs then.
    """

    def __init__(self, api: Any, beside: Postgres) -> None:
        super().__init__(api, beside)
        self.raised = list[str]()
        self.damage = ""

    def modify_db_instance(self, **given: Any) -> None:
        if "EngineVersion" not in given:
            super().modify_db_instance(**given)
            return
        self._api.modify_db_instance(**given)
        self.raised.append(given["DBInstanceIdentifier"])
        if self.damage:
            self._beside.sql(self.damage, "site")


class Estate(rds_support.Estate):
    """A site with a database."""

    rds: UpgradingRds

    def __init__(self, aws: Cloud, own: Postgres, copy: Postgres) -> None:
        rds = UpgradingRds(aws.client("rds"), copy)
        prefix, size = f"shop-up{next(_NUMBERS)}", {"AllocatedStorage": 30, "EngineVersion": NOW}
        super().__init__(aws, prefix, "database-main", own, rds, **size)
        self.copy = copy

    def go(self, check: bool = False, **given: Any) -> tuple[dict[str, Any], str]:
        """The result of the action, and what was shown."""
        arguments = {"version": TARGET, "written": given.get("version", TARGET), "wanted": "prod", **given}
        return self.heard(database_upgrade, arguments, check)

    def version(self) -> str:
        return str(self.api.describe_db_instances(DBInstanceIdentifier=self.own)["DBInstances"][0]["EngineVersion"])

    def snapshots(self) -> list[str]:
        found = self.api.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        names = [str(each["DBSnapshotIdentifier"]) for each in found]
        return sorted(name.removeprefix(f"{self.prefix}-") for name in names if name.startswith(self.prefix))


REHEARSAL, BEFORE = f"main-rehearsal-{TARGET.replace('.', '-')}", f"main-before-{TARGET.replace('.', '-')}"


@pytest.fixture
def estate(
    aws: Cloud, own: Postgres, copy: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Estate]:
    talk_to(aws, monkeypatch)
    log = reach_by_ssh(tmp_path, monkeypatch)
    yield Estate(aws, own, copy)
    copy.sql("DROP DATABASE IF EXISTS berth_upgrade")
    copy.sql("DELETE FROM orders WHERE id <> 1; UPDATE orders SET weight = 1 / 3.0", "site")
    assert not log.exists() or PASSWORD not in log.read_text()


def test_without_the_word_a_copy_is_upgraded_compared_and_deleted(estate: Estate) -> None:
    result, shown = estate.go()
    assert not result.get("failed"), result
    assert (result["before"], result["after"], result["major"], result["upgraded"]) == (NOW, TARGET, True, False)
    assert (result["tables"], result["rows"], result["allocated"]) == (TABLES, ROWS, 30)
    assert f"the copy runs {TARGET}: {TABLES} tables with {ROWS} rows, each with the same content as before" in shown
    assert "nobody was answered for" in shown
    assert estate.version() == NOW, "the site is as it was"
    assert len(estate.rds.raised) == 1
    assert estate.beside() == []
    assert estate.snapshots() == [REHEARSAL], "the proof of the rehearsal"


def test_with_the_word_the_site_s_own_is_upgraded_after_a_snapshot_and_nothing_is_rehearsed_twice(
    estate: Estate,
) -> None:
    estate.go()
    result, shown = estate.go(confirm="prod")
    assert (result["upgraded"], result["changed"]) == (True, True), result
    assert result["snapshot"] == f"{estate.prefix}-{BEFORE}"
    assert f"was rehearsed to {TARGET} on a copy on " in shown
    assert "tables" not in result
    assert estate.version() == TARGET
    assert estate.rds.raised[1:] == [estate.own]
    assert estate.site.sql("SELECT reltuples FROM pg_class WHERE relname = 'people'", "site") == "500"
    assert (estate.beside(), estate.snapshots()) == ([], [BEFORE])
    again, shown = estate.go(confirm="prod")
    assert (again["changed"], again["upgraded"], again["before"], again["after"]) == (False, False, TARGET, TARGET)
    assert f"runs {TARGET} already" in shown


def test_with_the_word_alone_it_is_rehearsed_before(estate: Estate) -> None:
    result, _ = estate.go(confirm="prod")
    assert (result["upgraded"], result["tables"]) == (True, TABLES), result
    assert [name == estate.own for name in estate.rds.raised] == [False, True]


def test_a_rehearsal_of_last_week_is_one_no_more(estate: Estate) -> None:
    estate.go()
    arn = estate.api.describe_db_snapshots(DBSnapshotIdentifier=f"{estate.prefix}-{REHEARSAL}")["DBSnapshots"][0]
    old = [{"Key": database_upgrade.TAG, "Value": "2026-01-01T00:00:00+00:00"}]
    estate.api.add_tags_to_resource(ResourceName=arn["DBSnapshotArn"], Tags=old)
    assert estate.go(confirm="prod")[0]["tables"] == TABLES


def test_a_minor_version_goes_the_same_way(estate: Estate) -> None:
    result, _ = estate.go(version="15.9" if "15.9" in emulated.upgrades(NOW) else "15", written="15", confirm="prod")
    assert (result["major"], result["upgraded"]) == (False, True), result
    assert estate.version().startswith("15.")


def test_what_is_not_the_same_afterwards_is_told_and_the_copy_is_deleted(estate: Estate) -> None:
    estate.rds.damage = "UPDATE orders SET weight = 2; INSERT INTO orders VALUES (2, 2)"
    result, _ = estate.go(confirm="prod")
    assert f"The copy is not the same with PostgreSQL {TARGET}: public.orders has 2 rows, sum " in result["msg"]
    assert "and had 1 rows, sum " in result["msg"]
    assert "people" not in result["msg"]
    assert estate.version() == NOW
    assert (estate.beside(), estate.snapshots()) == ([], []), "what was rehearsed badly is no proof"
    estate.rds.damage = ""
    estate.copy.sql("DELETE FROM orders WHERE id = 2", "site")
    assert estate.go(confirm="prod")[0]["upgraded"]


@pytest.mark.parametrize("step", ["begin", "begun", "let in", "noted", "raised", "compared"])
def test_a_rehearsal_that_was_killed_is_finished_by_the_same_command(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    of, name, done = {
        "begin": (Instance, "begin", False), "begun": (Instance, "begin", True), "let in": (Instance, "let_in", True),
        "noted": (Server, "note", True), "raised": (Engine, "upgrade", True),
        "compared": (Instance, "let_go", False),
    }[step]  # fmt: skip
    real: Callable[..., Any] = getattr(of, name)

    def killed(*given: Any, **named: Any) -> None:
        if done:
            real(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(of, name, killed)
        with pytest.raises(KeyboardInterrupt):
            estate.go()
    made = len(estate.rds.raised)
    result, _ = estate.go()
    assert (result.get("tables"), result.get("rows")) == (TABLES, ROWS), result
    assert len(estate.rds.raised) == 1 if step in ("raised", "compared") else made + 1
    assert ("away_seconds" in result) == (step not in ("raised", "compared")), "what nobody has seen is not told"
    assert (estate.beside(), estate.snapshots()) == ([], [REHEARSAL])


def test_a_copy_that_was_upgraded_before_it_was_looked_at_is_made_anew(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "upgrade", _killed)
        with pytest.raises(KeyboardInterrupt):
            estate.go()
    (name,) = estate.beside()
    estate.copy.sql("DROP DATABASE berth_upgrade")
    estate.api.modify_db_instance(DBInstanceIdentifier=name, EngineVersion=TARGET, AllowMajorVersionUpgrade=True)
    result, _ = estate.go()
    assert result["tables"] == TABLES, result
    assert len(estate.rds.raised) == 1


def _killed(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("after", [False, True])
def test_an_upgrade_of_the_site_s_own_that_was_killed_is_finished_by_the_same_command(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    estate.go()
    real = Engine.upgrade

    def killed(self: Engine, *given: Any) -> None:
        if after:
            real(self, *given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "upgrade", killed)
        with pytest.raises(KeyboardInterrupt):
            estate.go(confirm="prod")
    result, _ = estate.go(confirm="prod")
    assert result["changed"], result
    assert result["upgraded"] == (not after)
    assert estate.version() == TARGET
    assert estate.snapshots() == [BEFORE], "the rehearsal has served"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"version": "14"}, "RDS takes no version back"),
        ({"version": "99"}, "to 99. It offers"),
        ({"version": "16", "written": "15", "confirm": "prod"}, 'says version: "15", and the next run of site would'),
        ({"version": "16.4", "written": "16", "confirm": "prod"}, 'Write version: "16.4", and type the same'),
        ({"version": "15", "written": "15.4", "confirm": "prod"}, 'says version: "15.4"'),
        ({"dbname": "postgres"}, "has no table in the database postgres"),
        ({"instance": "nowhere"}, "is not up (nowhere is not there)"),
        ({"parameter_group": "mine"}, "the parameter group mine, which is not there"),
    ],
)
def test_what_cannot_be_is_refused_before_the_site_is_touched(estate: Estate, given: dict[str, Any], says: str) -> None:
    result, _ = estate.go(**given)
    assert says in result["msg"], result
    assert estate.version() == NOW
    assert estate.beside() == []
    assert not [name for name in estate.snapshots() if "before" in name]


def test_a_copy_that_does_not_come_up_is_told_and_deleted(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated, "initial_status", "creating")
    late, _ = estate.go(timeout=0)
    assert "is not ready after 0 minutes" in late["msg"]
    assert (estate.beside(), estate.snapshots()) == ([], [])
    monkeypatch.setattr(emulated, "initial_status", "incompatible-restore")
    assert "is incompatible-restore, and is deleted" in estate.go()[0]["msg"]
    assert estate.beside() == []


def test_a_check_run_changes_nothing(estate: Estate) -> None:
    result, shown = estate.go(check=True, confirm="prod")
    assert (result["changed"], result["upgraded"], result["after"]) == (True, False, TARGET)
    assert f"a copy of it would be upgraded from {NOW} to {TARGET}, compared, and deleted" in shown
    assert f"it would be upgraded from {NOW} to {TARGET}; meanwhile nobody is answered" in shown
    assert "nobody is answered" not in estate.go(check=True)[1]
    assert (estate.version(), estate.beside(), estate.snapshots()) == (NOW, [], [])


def test_without_a_program_it_is_said(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.go(check=True)
    monkeypatch.setattr("plugins.action.database_upgrade.shutil.which", lambda _name: None)
    assert estate.go()[0]["msg"].startswith("This machine has no psql, by which a database is asked.")
