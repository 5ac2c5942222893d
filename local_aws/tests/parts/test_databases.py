"""RDS DB instances are real: each test looks through a PostgreSQL client on the network, as a task on a host would."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from local_aws import database_log, images
from local_aws.tests.own_server import OwnServer, running
from local_aws.tests.until import until

pytestmark = pytest.mark.docker

IDENTIFIER = "legacy-db"
PASSWORD = 'it\'s a "quoted" $word'  # noqa: S105 - of a database that lives for a minute


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with running(0, {"resolver", "rds"}) as own:
        yield own


@pytest.fixture(scope="module")
def client(server: OwnServer) -> Any:
    return server.start_host(images.ensure("postgres"), "client", ["sleep", "infinity"])


@pytest.fixture(scope="module")
def database(server: OwnServer) -> dict[str, Any]:
    rds = server.client("rds")
    created = rds.create_db_instance(
        DBInstanceIdentifier=IDENTIFIER,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        EngineVersion="15",
        AllocatedStorage=20,
        MasterUsername="master",
        MasterUserPassword=PASSWORD,
        DBName="legacy",
    )["DBInstance"]
    assert created["DBInstanceStatus"] == "creating"
    return available(server)


def available(server: OwnServer) -> dict[str, Any]:
    def look() -> Any:
        record = server.client("rds").describe_db_instances(DBInstanceIdentifier=IDENTIFIER)["DBInstances"][0]
        return record if record["DBInstanceStatus"] == "available" else None

    record: dict[str, Any] = until(look, "the instance is available", 90)
    return record


def quick(server: OwnServer) -> None:
    """Have pieces of a database's log put away every second."""
    asked = urllib.request.Request(f"{server.config.endpoint}/_local_aws/minute", data=b"2", method="POST")
    urllib.request.urlopen(asked, timeout=20).close()


def psql(client: Any, database: dict[str, Any], sql: str, password: str = PASSWORD, options: str = "") -> str:
    """Output of `sql`, or what psql complained about."""
    endpoint = database["Endpoint"]
    options = options or "sslmode=verify-full sslrootcert=/ca/ca.pem dbname=legacy user=master"
    target = f"host={endpoint['Address']} port={endpoint['Port']} connect_timeout=5 {options}"
    command = ["psql", "-X", "-A", "-t", target, "--set=ON_ERROR_STOP=1", f"--command={sql}"]
    done = client.exec_run(command, environment={"PGPASSWORD": password})
    return str(done.output.decode()).strip()


def test_login_over_tls_under_the_reported_name(client: Any, database: dict[str, Any]) -> None:
    assert psql(client, database, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "t"
    assert psql(client, database, "SHOW server_version").startswith("15.")


def test_without_tls_it_is_refused(client: Any, database: dict[str, Any]) -> None:
    refused = psql(client, database, "SELECT 1", options="sslmode=disable dbname=legacy user=master")
    assert "no pg_hba.conf entry" in refused
    assert "no encryption" in refused


def test_wrong_password_is_refused(client: Any, database: dict[str, Any]) -> None:
    assert "password authentication failed" in psql(client, database, "SELECT 1", "wrong")


def test_master_user_is_as_on_rds(client: Any, database: dict[str, Any]) -> None:
    roles = "SELECT rolsuper, rolcreaterole, rolcreatedb, rolpassword IS NULL FROM pg_roles WHERE rolname = 'master'"
    assert psql(client, database, roles) == "f|t|t|f"
    assert psql(client, database, "SELECT pg_has_role('master', 'rds_superuser', 'member')") == "t"
    assert "must be superuser" in psql(client, database, "COPY (SELECT 1) TO PROGRAM 'id'")
    assert "rejects connection" in psql(client, database, "SELECT 1", options="dbname=legacy user=rdsadmin")
    psql(client, database, "CREATE TABLE made_by_master (n int)")
    assert psql(client, database, "SELECT tableowner FROM pg_tables WHERE tablename = 'made_by_master'") == "master"


def test_data_survives_a_killed_container(server: OwnServer, client: Any, database: dict[str, Any]) -> None:
    psql(client, database, "CREATE TABLE kept AS SELECT 42 AS n")
    server.docker.containers.get(server.config.container(f"db-{IDENTIFIER}")).kill()
    until(lambda: psql(client, database, "SELECT n FROM kept") == "42", "the data is back", 30)


def test_changed_master_password_is_applied(server: OwnServer, client: Any, database: dict[str, Any]) -> None:
    rds = server.client("rds")
    change = {"DBInstanceIdentifier": IDENTIFIER, "ApplyImmediately": True}
    rds.modify_db_instance(**change, MasterUserPassword="another-password-1")
    until(lambda: psql(client, database, "SELECT 1", "another-password-1") == "1", "the new one is accepted", 10)
    assert "password authentication failed" in psql(client, database, "SELECT 1", PASSWORD)
    rds.modify_db_instance(**change, MasterUserPassword=PASSWORD)
    until(lambda: psql(client, database, "SELECT 1") == "1", "the former one is accepted again", 10)


def test_parameter_group_is_applied(server: OwnServer, client: Any, database: dict[str, Any]) -> None:
    rds = server.client("rds")
    rds.create_db_parameter_group(DBParameterGroupName="loose", DBParameterGroupFamily="postgres15", Description="x")
    parameters = {"rds.force_ssl": "0", "log_min_duration_statement": "250", "max_connections": "{x/9531392}"}
    rds.modify_db_parameter_group(
        DBParameterGroupName="loose",
        Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
            for name, value in parameters.items()
        ],
    )
    rds.modify_db_instance(DBInstanceIdentifier=IDENTIFIER, DBParameterGroupName="loose", ApplyImmediately=True)
    plain = "sslmode=disable dbname=legacy user=master"
    shown = "SHOW log_min_duration_statement"
    until(lambda: psql(client, database, shown, options=plain) == "250ms", "the parameters are in force", 10)


def test_status_names_the_endpoint(server: OwnServer, database: dict[str, Any]) -> None:
    ok, detail = server.status()[f"database {IDENTIFIER}"]
    assert ok
    assert detail == f"{database['Endpoint']['Address']}:5432"


def test_an_instance_of_a_snapshot_has_what_was_there_then(
    server: OwnServer, client: Any, database: dict[str, Any]
) -> None:
    rds = server.client("rds")
    psql(client, database, "CREATE TABLE of_then AS SELECT generate_series(1, 3) AS n")
    rds.create_db_snapshot(DBInstanceIdentifier=IDENTIFIER, DBSnapshotIdentifier="then")
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="then", WaiterConfig={"Delay": 1})
    psql(client, database, "DROP TABLE of_then")
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="beside", DBSnapshotIdentifier="then")

    def look() -> Any:
        record = rds.describe_db_instances(DBInstanceIdentifier="beside")["DBInstances"][0]
        return record if record["DBInstanceStatus"] == "available" else None

    beside: dict[str, Any] = until(look, "the instance beside is available", 60)
    assert psql(client, beside, "SELECT count(*) FROM of_then") == "3", "the password is the one of then"
    assert "does not exist" in psql(client, database, "SELECT FROM of_then")
    rds.delete_db_instance(DBInstanceIdentifier="beside", SkipFinalSnapshot=True)
    until(lambda: "database beside" not in server.status(), "it is gone", 20)


def test_an_instance_of_a_time_has_what_was_there_then(
    server: OwnServer, client: Any, database: dict[str, Any]
) -> None:
    quick(server)
    rds = server.client("rds")
    psql(client, database, "CREATE TABLE day (what text)")
    psql(client, database, "INSERT INTO day VALUES ('right')")
    time.sleep(1.1)  # RDS takes whole seconds
    then = datetime.fromisoformat(psql(client, database, "SELECT date_trunc('second', clock_timestamp())"))
    time.sleep(1.1)
    psql(client, database, "UPDATE day SET what = 'wrong'")
    psql(client, database, "CREATE TABLE since (n int)")

    def latest() -> datetime | None:
        record = rds.describe_db_instances(DBInstanceIdentifier=IDENTIFIER)["DBInstances"][0]
        found: datetime | None = record.get("LatestRestorableTime")
        return found

    until(lambda: (latest() or then) > then, "the instance can be led back to then", 30)
    found = rds.describe_db_instance_automated_backups(DBInstanceIdentifier=IDENTIFIER)
    assert found["DBInstanceAutomatedBackups"][0]["RestoreWindow"]["EarliestTime"] < then
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=IDENTIFIER, TargetDBInstanceIdentifier="of-then", RestoreTime=then
    )

    def look() -> Any:
        record = rds.describe_db_instances(DBInstanceIdentifier="of-then")["DBInstances"][0]
        return record if record["DBInstanceStatus"] == "available" else None

    beside: dict[str, Any] = until(look, "the instance beside is available", 60)
    assert psql(client, beside, "SELECT what FROM day") == "right"
    assert "does not exist" in psql(client, beside, "SELECT FROM since")
    assert psql(client, beside, "INSERT INTO day VALUES ('more') RETURNING what").startswith("more")
    assert psql(client, database, "SELECT what FROM day") == "wrong"
    killed = server.docker.containers.get(server.config.container("db-of-then"))
    killed.kill()
    until(lambda: psql(client, beside, "SELECT count(*) FROM day") == "2", "it is not led back again", 30)
    rds.delete_db_instance(DBInstanceIdentifier="of-then", SkipFinalSnapshot=True)
    until(lambda: "database of-then" not in server.status(), "it is gone", 20)


def test_without_automated_backups_nothing_is_kept(server: OwnServer, client: Any, database: dict[str, Any]) -> None:
    quick(server)
    rds = server.client("rds")
    container = server.docker.containers.get(server.config.container(f"db-{IDENTIFIER}"))

    def kept() -> bool:
        return bool(container.exec_run(["test", "-e", f"{database_log.FOLDER}/base/base.tar.gz"]).exit_code == 0)

    def told() -> bool:
        return "LatestRestorableTime" in rds.describe_db_instances(DBInstanceIdentifier=IDENTIFIER)["DBInstances"][0]

    change = {"DBInstanceIdentifier": IDENTIFIER, "ApplyImmediately": True}
    until(lambda: kept() and told(), "there is a backup", 30)
    rds.modify_db_instance(**change, BackupRetentionPeriod=0)
    until(lambda: not kept() and not told(), "it is let go", 20)
    assert psql(client, database, "SHOW archive_command") == "true"
    rds.modify_db_instance(**change, BackupRetentionPeriod=1)
    until(lambda: kept() and told(), "there is another", 30)


def test_another_version_keeps_what_is_there_and_answers_nobody_meanwhile(
    server: OwnServer, client: Any, database: dict[str, Any]
) -> None:
    rds, before = server.client("rds"), database["EngineVersion"]
    psql(client, database, "CREATE TABLE upgraded AS SELECT generate_series(1, 3) AS n")
    psql(client, database, "ANALYZE upgraded")
    planned = "SELECT reltuples FROM pg_class WHERE relname = 'upgraded'"
    assert psql(client, database, planned) == "3"
    rds.modify_db_instance(DBInstanceIdentifier=IDENTIFIER, EngineVersion="16", AllowMajorVersionUpgrade=True)
    (record,) = rds.describe_db_instances(DBInstanceIdentifier=IDENTIFIER)["DBInstances"]
    assert (record["DBInstanceStatus"], record["EngineVersion"]) == ("upgrading", before)
    until(lambda: psql(client, database, "SELECT 1") != "1", "it answers nobody", 20)
    assert available(server)["EngineVersion"].startswith("16.")
    assert psql(client, database, "SELECT count(*) FROM upgraded") == "3"
    assert psql(client, database, planned) == "-1", "the planner knows nothing"
    assert psql(client, database, "SHOW server_version").startswith("15."), "there is one PostgreSQL"


def test_another_engine_fails_with_the_reason(server: OwnServer) -> None:
    rds = server.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="other", DBInstanceClass="db.t3.micro", Engine="mysql", MasterUsername="master",
        MasterUserPassword="irrelevant-here", AllocatedStorage=20,
    )  # fmt: skip

    def look() -> bool:
        record = rds.describe_db_instances(DBInstanceIdentifier="other")["DBInstances"][0]
        return bool(record["DBInstanceStatus"] == "failed")

    until(look, "the instance is failed", 10)
    assert server.status()["database other"] == (False, "engine mysql is not emulated; use postgres")
    rds.delete_db_instance(DBInstanceIdentifier="other", SkipFinalSnapshot=True)
    until(lambda: "database other" not in server.status(), "it is gone", 10)


def test_deleted_with_a_final_snapshot(server: OwnServer, client: Any, database: dict[str, Any]) -> None:
    rds = server.client("rds")
    psql(client, database, "CREATE TABLE last_words AS SELECT 'goodbye' AS said", options="dbname=legacy user=master")
    rds.delete_db_instance(DBInstanceIdentifier=IDENTIFIER, FinalDBSnapshotIdentifier="final-1")

    def look() -> bool:
        snapshot = rds.describe_db_snapshots(DBSnapshotIdentifier="final-1")["DBSnapshots"][0]
        return bool(snapshot["Status"] == "available")

    until(look, "the snapshot is available", 30)
    dump = server.config.state / "snapshots" / "final-1.sql"
    assert "goodbye" in dump.read_text()
    assert dump.stat().st_mode & 0o077 == 0

    def left() -> list[Any]:
        mine = {"label": f"berth.local-aws={server.config.name}", "name": f"db-{IDENTIFIER}"}
        return [
            *server.docker.containers.list(all=True, ignore_removed=True, filters=mine),
            *server.docker.volumes.list(filters=mine),
        ]

    until(lambda: not left(), "container and volume are gone", 20)
    name = database["Endpoint"]["Address"]
    until(
        lambda: server.config.resolver in client.exec_run(["getent", "hosts", name]).output.decode(),
        "the name leads to no database any more",
        10,
    )
