"""A database comes back out of a backup, beside, compared, and switched to: two real servers, RDS's API embedded."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import rds as emulated
from local_aws.patches import rds_times
from plugins.action import database_restore
from plugins.plugin_utils.importing.postgres import Server
from plugins.plugin_utils.places import PREVIEW_VARIABLE
from plugins.plugin_utils.restoring import instance
from plugins.plugin_utils.restoring.instance import Instance
from plugins.plugin_utils.rotation import logins
from tests.unit import rds_support
from tests.unit.plugin_support import talk_to
from tests.unit.postgres_support import PASSWORD, Postgres, postgres, reach_by_ssh
from tests.unit.rds_support import Rds

THEN = """
CREATE ROLE boss;
SET ROLE clerk;
CREATE DATABASE site;
\\connect site
SET ROLE clerk;
CREATE SCHEMA "Odd Name";
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE people (id serial PRIMARY KEY, name text NOT NULL, mood mood DEFAULT 'glad', at timestamptz);
CREATE TABLE orders (id serial PRIMARY KEY, who int REFERENCES people, price numeric(9, 2), weight float8);
CREATE TABLE "Odd Name"."a.b" (line text);
CREATE TABLE events (at date, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2013 PARTITION OF events FOR VALUES FROM ('2013-01-01') TO ('2014-01-01');
INSERT INTO people (name, at) SELECT 'person ' || n, '2013-05-01 10:00+02' FROM generate_series(1, 500) n;
INSERT INTO orders (who, price, weight) SELECT n, n / 7.0, n / 3.0 FROM generate_series(1, 500) n;
INSERT INTO "Odd Name"."a.b" VALUES (E'two\\nlines'), ('\\.'), (NULL);
INSERT INTO events VALUES ('2013-05-01', 'opened');
CREATE VIEW named AS SELECT name FROM people;
"""
TABLES, ROWS = 6, 500 + 500 + 3 + 1
"""Two sequences among the tables; the partitioned one itself has no rows."""
_NUMBERS = itertools.count(1)
NAMES = "SELECT datname FROM pg_database WHERE datname LIKE 'site%' ORDER BY 1"


@pytest.fixture(scope="module")
def then() -> Iterator[Postgres]:
    """The server that the snapshot is restored to."""
    with postgres() as running:
        running.sql(THEN)
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """The site's."""
    with postgres() as running:
        yield running


@pytest.fixture
def site(server: Postgres) -> Iterator[Postgres]:
    """The site's server, with a database that has been damaged since."""
    server.sql("SET ROLE clerk; CREATE DATABASE site;")
    server.sql("SET ROLE clerk; CREATE TABLE people (id int); INSERT INTO people VALUES (7);", "site")
    yield server
    for name in server.sql(NAMES).split():
        server.sql(f"DROP DATABASE {name} WITH (FORCE)")


class Estate(rds_support.Estate):
    """A site with a backup of its database."""

    def __init__(self, aws: Cloud, site: Postgres, then: Postgres) -> None:
        rds = Rds(aws.client("rds"), then)
        super().__init__(
            aws,
            f"shop-restored{next(_NUMBERS)}",
            "main",
            site,
            rds,
            AllocatedStorage=20,
            MultiAZ=True,
            BackupRetentionPeriod=7,
        )
        self.snapshot = f"{self.prefix}-main-one"
        self.api.create_db_snapshot(DBInstanceIdentifier=self.own, DBSnapshotIdentifier=self.snapshot)

    def go(self, check: bool = False, **given: Any) -> tuple[dict[str, Any], str]:
        """The result of the action, and what was shown."""
        arguments = {"backup": "one", "snapshot": self.snapshot, "wanted": "prod", **given}
        return self.heard(database_restore, arguments, check)

    def names(self) -> list[str]:
        return self.site.sql(NAMES).split()


@pytest.fixture
def estate(
    aws: Cloud, site: Postgres, then: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Estate]:
    talk_to(aws, monkeypatch)
    log = reach_by_ssh(tmp_path, monkeypatch)
    made = Estate(aws, site, then)
    yield made
    assert PASSWORD not in log.read_text()


def test_it_comes_beside_and_is_compared_and_the_site_is_as_it_was(estate: Estate) -> None:
    result, shown = estate.go()
    assert not result.get("failed"), result
    assert result == {
        "changed": True, "beside": "site_restore", "switched": False, "kept": "", "tables": TABLES, "rows": ROWS,
    }  # fmt: skip
    assert f"{TABLES} tables with {ROWS:,} rows, each with the content of then" in shown
    assert estate.names() == ["site", "site_restore"]
    assert estate.site.sql("SELECT id FROM people", "site") == "7"
    assert estate.site.sql("SELECT count(*) FROM named", "site_restore") == "500"
    assert estate.site.sql("INSERT INTO people (name) VALUES ('next') RETURNING id", "site_restore") == "501"
    assert estate.beside() == [], "it is deleted, once nobody needs it"


def test_then_the_word_switches_to_it_without_another_copy_and_back_undoes_that(estate: Estate) -> None:
    estate.go()
    made = len(estate.rds.passwords)
    result, shown = estate.go(confirm="prod")
    assert (result["changed"], result["switched"], result["kept"]) == (True, True, "site_before_1"), result
    assert "site_restore is beside already, and was compared" in shown
    assert len(estate.rds.passwords) == made, "nothing is restored twice"
    assert estate.names() == ["site", "site_before_1"]
    assert estate.site.sql("SELECT count(*) FROM people", "site") == "500"
    again, shown = estate.go(confirm="prod")
    assert not again["changed"], again
    assert "site is that of the backup one already" in shown
    _, shown = estate.go(back=True, check=True)
    assert "site_before_1 would be site again, and site site_before_2" in shown
    assert estate.site.sql("SELECT count(*) FROM people", "site") == "500"
    back, shown = estate.go(back=True, confirm="prod")
    assert (back["changed"], back["kept"]) == (True, "site_before_2"), back
    assert estate.site.sql("SELECT id FROM people", "site") == "7"
    assert estate.site.sql("SELECT count(*) FROM people", "site_before_2") == "500"
    nothing, _ = estate.go(back=True, confirm="prod")
    assert "There is nothing to go back to: the database site of main is not one that restore.yml" in nothing["msg"]
    _, shown = estate.go(back=True, confirm="prod", named=False)
    assert "was not switched to a backup: there is nothing to go back to" in shown
    assert estate.go(confirm="prod")[0]["switched"], "after it was gone back, the same backup is restored again"


def test_what_was_put_aside_and_is_gone_is_not_gone_back_to(estate: Estate) -> None:
    estate.go(confirm="prod")
    estate.site.sql("DROP DATABASE site_before_1")
    assert "site_before_1 is gone" in estate.go(back=True, confirm="prod")[0]["msg"]
    assert estate.site.sql("SELECT count(*) FROM people", "site") == "500"


def test_one_that_was_switched_to_is_restored_again_only_where_that_is_said(estate: Estate) -> None:
    estate.go(confirm="prod")
    estate.site.sql("DELETE FROM orders", "site")
    assert not estate.go(confirm="prod")[0]["changed"]
    assert estate.go(confirm="prod", overwrite=True)[0]["kept"] == "site_before_2"
    assert estate.site.sql("SELECT count(*) FROM orders", "site") == "500"


def test_the_instance_beside_is_the_site_s_own_but_for_what_it_costs(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Instance, "let_go", lambda _self: False)
    estate.go()
    (name,) = estate.beside()
    found = estate.api.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    assert found["DBInstanceClass"] == "db.t3.small"
    assert found["DBSubnetGroup"]["DBSubnetGroupName"] == estate.prefix
    assert [each["VpcSecurityGroupId"] for each in found["VpcSecurityGroups"]] == [estate.group]
    assert (found["PubliclyAccessible"], found["MultiAZ"], found["DeletionProtection"]) == (False, False, False)
    assert {each["Key"]: each["Value"] for each in found["TagList"]} == {"Site": "shop", "Berth::Restore": "one"}


AT = datetime(2026, 11, 27, 10, tzinfo=UTC)


def test_it_comes_as_it_was_at_a_time_and_is_switched_to_and_back(
    estate: Estate, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rds_times, "is_told", True)
    rds_times.set_window(aws, estate.own, (AT - timedelta(hours=1), AT))
    asked: dict[str, Any] = {"backup": "time-2026-11-27-100000", "snapshot": "", "time": AT.isoformat()}
    _, shown = estate.go(check=True, **asked)
    assert f"{estate.own} at 2026-11-27T10:00:00Z would be restored to an instance beside" in shown
    with monkeypatch.context() as patch:
        patch.setattr(Instance, "let_go", lambda _self: False)
        result, shown = estate.go(**asked)
        assert (result["beside"], result["rows"]) == ("site_restore", ROWS), result
        assert f"{estate.own} at 2026-11-27T10:00:00Z is being restored to an instance beside" in shown
        (name,) = estate.beside()
        own = estate.api.describe_db_instances(DBInstanceIdentifier=estate.own)["DBInstances"][0]
        assert rds_times.restored_to(aws, name) == (own["DbiResourceId"], AT)
        found = estate.api.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        assert found["DBSubnetGroup"]["DBSubnetGroupName"] == estate.prefix
        assert [each["VpcSecurityGroupId"] for each in found["VpcSecurityGroups"]] == [estate.group]
        assert (found["PubliclyAccessible"], found["MultiAZ"], found["DeletionProtection"]) == (False, False, False)
        tags = {each["Key"]: each["Value"] for each in found["TagList"]}
        assert tags == {"Site": "shop", "Berth::Restore": asked["backup"]}
    made = len(estate.rds.passwords)
    assert estate.go(confirm="prod", **asked)[0]["kept"] == "site_before_1"
    assert (len(estate.rds.passwords), estate.beside()) == (made, []), "nothing is restored twice, and all is let go"
    again, shown = estate.go(confirm="prod", **asked)
    assert not again["changed"]
    assert "site is that of 2026-11-27T10:00:00Z already" in shown
    assert estate.go(back=True, confirm="prod")[0]["kept"] == "site_before_2"
    assert estate.site.sql("SELECT id FROM people", "site") == "7"


def test_a_time_that_rds_does_not_lead_back_to_is_told(
    estate: Estate, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rds_times, "is_told", True)
    rds_times.set_window(aws, estate.own, (AT - timedelta(hours=1), AT))
    later = (AT + timedelta(seconds=1)).isoformat()
    said = estate.go(backup="time-2026-11-27-100001", snapshot="", time=later)[0]["msg"]
    assert (
        f"RDS does not restore what was in {estate.own} at 2026-11-27T10:00:01Z: RestoreDBInstanceToPointInTime" in said
    )
    assert estate.names() == ["site"]


def test_a_snapshot_of_another_environment_comes_into_this_one_s_place_and_belongs_to_its_user(
    estate: Estate, aws: Cloud, then: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Estate(aws, estate.site, then)
    asked: dict[str, Any] = {"backup": "test.one", "snapshot": theirs.snapshot}
    with monkeypatch.context() as patch:
        patch.setattr(Instance, "let_go", lambda _self: False)
        result, shown = estate.go(**asked)
    assert (result["beside"], result["rows"]) == ("site_restore", ROWS), result
    assert theirs.beside() == [], "nothing is made in the other's name"
    (name,) = estate.beside()
    found = estate.api.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    assert found["DBSubnetGroup"]["DBSubnetGroupName"] == estate.prefix
    assert [each["VpcSecurityGroupId"] for each in found["VpcSecurityGroups"]] == [estate.group]
    owners = estate.site.sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'", "site_restore")
    assert owners == "clerk"
    assert estate.go(confirm="prod", **asked)[0]["kept"] == "site_before_1"
    assert (estate.beside(), theirs.beside()) == ([], [])
    again, shown = estate.go(confirm="prod", **asked)
    assert not again["changed"]
    assert "site is that of the backup one of test already" in shown
    assert estate.go(backup="one", confirm="prod", check=True)[0]["changed"], "its own backup of that name is another"
    assert estate.go(back=True, confirm="prod")[0]["kept"] == "site_before_2"
    assert estate.site.sql("SELECT id FROM people", "site") == "7"


@pytest.mark.parametrize(("here", "taken"), [("15.12", False), ("16.1", True), ("17.2", True)])
def test_a_snapshot_of_a_newer_postgresql_is_refused_before_anything_is_made(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, here: str, taken: bool
) -> None:
    made = Instance(estate.api, estate.prefix, "main", "one", {})
    assert made.version_of(estate.snapshot) == (made.like(estate.own) or {})["EngineVersion"]
    assert made.version_of("nowhere") == ""
    monkeypatch.setattr(Instance, "version_of", lambda _self, _snapshot: "16.9")
    monkeypatch.setattr(Instance, "like", lambda self, of: {**(self._described(of) or {}), "EngineVersion": here})
    for check in (True, False):
        result, _ = estate.go(check=check)
        assert bool(result.get("failed")) is not taken, result
        if not taken:
            assert f"{estate.snapshot} is of PostgreSQL 16.9, and the database main here has {here}" in result["msg"]
            assert result["msg"].endswith("upgrade_database.yml -i <inventory> -e database=main -e version=16"), result[
                "msg"
            ]
    assert estate.names() == (["site", "site_restore"] if taken else ["site"])
    assert estate.beside() == []


def test_a_snapshot_of_another_environment_that_is_removed_meanwhile_is_told(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansible.context.CLIARGS", {"inventory": ["inventories/test"]})
    monkeypatch.setenv(PREVIEW_VARIABLE, "pr7")
    said = estate.go(backup="test.one", snapshot="shop-test-main-one")[0]["msg"]
    assert "RDS does not restore the snapshot shop-test-main-one: " in said
    assert "not found" in said
    assert said.endswith("Nothing of the site was changed. Which backups there are: ansible-playbook backups.yml -i "
                         "inventories/test")  # fmt: skip
    assert estate.names() == ["site"]


def test_what_another_run_has_left_goes_too_and_nothing_else(estate: Estate) -> None:
    tag = [{"Key": instance.TAG, "Value": "two"}]
    for name, tags in (("restore-aaaaaaaa", tag), ("restore-mine", []), ("else", tag)):
        estate.api.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=f"{estate.prefix}-{name}", DBSnapshotIdentifier=estate.snapshot, Tags=tags
        )
    estate.go()
    assert sorted(estate.beside()) == [f"{estate.prefix}-else", f"{estate.prefix}-restore-mine"]


def test_one_that_rds_does_not_show_yet_is_not_begun_twice(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    real, late = Instance.found, iter([True, True])
    monkeypatch.setattr(Instance, "found", lambda self: None if next(late, False) else real(self))
    assert not estate.go()[0].get("failed")


STEPS = {
    "restored": (Instance, "begin", True),
    "let in": (Instance, "let_in", True),
    "made": (Server, "make", True),
    "copied": (Server, "restore", True),
    "compared": (Server, "analyze", False),
    "proven": (Server, "note", True),
    "let go": (Instance, "let_go", True),
    "closed": (Server, "switch", False),
    "switched": (Server, "switch", True),
}


# One of them is tried in `make test`: a copy of a database takes its seconds.
@pytest.mark.parametrize(
    "step", ["copied", *(pytest.param(each, marks=pytest.mark.long) for each in STEPS if each != "copied")]
)
def test_a_run_that_was_killed_is_finished_by_the_same_command(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    of, name, done = STEPS[step]
    real: Callable[..., Any] = getattr(of, name)

    def killed(*given: Any, **named: Any) -> None:
        if done:
            real(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(of, name, killed)
        with pytest.raises(KeyboardInterrupt):
            estate.go(confirm="prod")
    if step == "closed":  # as it is while the names change
        estate.site.sql("ALTER DATABASE site ALLOW_CONNECTIONS false")
    result, _ = estate.go(confirm="prod")
    assert not result.get("failed"), result
    assert result["kept"] == "site_before_1"
    assert estate.names() == ["site", "site_before_1"]
    assert estate.site.sql("SELECT count(*) FROM people", "site") == "500"
    assert estate.site.sql("SELECT id FROM people", "site_before_1") == "7"
    assert estate.site.sql("SELECT bool_and(datallowconn) FROM pg_database WHERE datname LIKE 'site%'") == "t"
    assert estate.beside() == []


def test_what_is_not_the_same_is_told_and_not_switched_to(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Server.restore

    def damaged(self: Server, name: str, *given: Any) -> None:
        real(self, name, *given)
        estate.site.sql("UPDATE people SET name = 'x' WHERE id = 3; DELETE FROM orders WHERE id < 11;", name)
        estate.site.sql("SELECT setval('orders_id_seq', 7)", name)

    monkeypatch.setattr(Server, "restore", damaged)
    result, _ = estate.go(confirm="prod")
    assert "public.people has 500 rows, sum " in result["msg"]
    assert "public.orders has 490 rows, sum " in result["msg"]
    assert "public.orders_id_seq has at 7, the backup at 500" in result["msg"]
    assert "it lies beside, as site_restore" in result["msg"]
    assert "Odd Name" not in result["msg"]
    assert estate.site.sql("SELECT id FROM people", "site") == "7"


def test_rows_of_one_table_come_beside_with_what_they_are_made_of(estate: Estate) -> None:
    result, _ = estate.go(table="orders")
    assert (result["beside"], result["switched"], result["tables"], result["rows"]) == (
        "site_restore_table", False, 1, 500,
    ), result  # fmt: skip
    assert estate.site.sql("SELECT count(*) FROM orders", "site_restore_table") == "500"
    assert estate.site.sql("SELECT count(*) FROM people", "site_restore_table") == "0"
    assert not estate.go(table="orders")[0]["changed"]
    odd = estate.go(table='"Odd Name"."a.b"')[0]
    assert odd["rows"] == 3, odd
    assert "no matching tables" in estate.go(table="odrers")[0]["msg"]
    assert "with rows of its own" in estate.go(table="events")[0]["msg"]
    assert estate.site.sql("SELECT id FROM people", "site") == "7"


def test_other_users_are_told_of(estate: Estate, then: Postgres) -> None:
    then.sql("GRANT SELECT ON people TO boss", "site")
    try:
        assert "is not restored (boss)" in estate.go()[1]
    finally:
        then.sql("REVOKE ALL ON people FROM boss", "site")
    estate.site.sql("DROP DATABASE site_restore")
    assert "is not restored" not in estate.go()[1]


def test_a_server_without_room_is_left_alone(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "GIB", 2**20)  # 20 MiB of storage
    result, _ = estate.go()
    assert "needs " in result["msg"]
    assert "has room for 0 bytes" in result["msg"]
    assert "storage_gb" in result["msg"]
    assert estate.names() == ["site"]


def test_an_instance_that_does_not_come_up_is_told(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated, "initial_status", "creating")
    late, _ = estate.go(timeout=0)
    assert "is not ready after 0 minutes" in late["msg"]
    assert len(estate.beside()) == 1, "the same command goes on with it"
    monkeypatch.setattr(emulated, "initial_status", "incompatible-restore")
    estate.api.delete_db_instance(DBInstanceIdentifier=estate.beside()[0], SkipFinalSnapshot=True)
    failed, _ = estate.go()
    assert "is incompatible-restore, and is deleted" in failed["msg"]
    assert estate.beside() == []
    monkeypatch.setattr(emulated, "initial_status", "available")
    assert not estate.go()[0].get("failed")


def test_what_is_gone_or_somebody_else_s_is_told(estate: Estate) -> None:
    assert "RDS does not restore the snapshot nowhere: " in estate.go(snapshot="nowhere")[0]["msg"]
    assert "The database main is not up (nowhere is not there)" in estate.go(instance="nowhere")[0]["msg"]
    assert "has no database nothing" in estate.go(dbname="nothing")[0]["msg"]
    estate.site.sql("SET ROLE clerk; CREATE DATABASE site_restore;")
    estate.site.sql("SET ROLE clerk; CREATE TABLE theirs (id int);", "site_restore")
    assert "a database site_restore that restore.yml has not made" in estate.go()[0]["msg"]
    assert estate.site.sql("SELECT count(*) FROM theirs", "site_restore") == "0"


def test_a_check_run_changes_nothing(estate: Estate) -> None:
    would, shown = estate.go(check=True, confirm="prod")
    assert (would["changed"], would["switched"], would["kept"]) == (True, True, "site_before_1")
    assert f"{estate.snapshot} would be restored to an instance beside, and copied as site_restore" in shown
    assert "site_restore would be called site then, site site_before_1" in shown
    assert (estate.names(), estate.beside()) == (["site"], [])


def test_without_a_program_it_is_said(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.go(check=True)
    monkeypatch.setattr(
        "plugins.action.database_restore.shutil.which", lambda name: name if name != "pg_dump" else None
    )
    assert estate.go()[0]["msg"].startswith("This machine has no pg_dump, by which a database is copied.")


def test_where_users_take_turns_all_of_it_is_whom_they_act_as(estate: Estate, then: Postgres) -> None:
    """As rotate_secrets.yml leaves a server, before the backup and since."""
    for running in (estate.site, then):
        running.sql(logins.made("clerk_a", "clerk", logins.verifier("clerk_a", "x" * 32, "scram-sha-256")))
        running.sql("SET ROLE clerk;" + logins.handed_over("clerk"), "site")
    result, shown = estate.go(confirm="prod")
    assert result["switched"], result
    assert "is not restored" not in shown
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert estate.site.sql(owners, "site") == "clerk_owner"
    assert estate.site.sql("SET ROLE clerk_a; SET ROLE clerk_owner; SELECT count(*) FROM people", "site") == "500"
    assert estate.go(back=True, confirm="prod")[0]["switched"]
