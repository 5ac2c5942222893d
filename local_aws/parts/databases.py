"""RDS's real half: a PostgreSQL for each DB instance, reached under the endpoint name that the API reports."""

from __future__ import annotations

import io
import json
import tarfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from docker.types import Mount

from local_aws import database_log, images
from local_aws.ca import authority, write_private
from local_aws.cloud import Cloud
from local_aws.part import Health, Part
from local_aws.patches import backup, rds, rds_times

FOLDER = "/etc/database"
MEMORY = "512m"
START_SECONDS = 60
LOG_MINUTES = 0.5
"""How often a piece of a server's log is put away. RDS does it every 5 minutes; nobody is to wait so long here."""
RESOURCE_LABEL = "berth.local-aws.db-resource"
COMING = ("creating", "upgrading")
STOPPED = ("stopped", "stopping")

ADMINISTRATION = """\
\\getenv master MASTER_NAME
\\getenv password MASTER_PASSWORD
\\getenv database DATABASE_NAME
SELECT 'CREATE ROLE rds_superuser' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_superuser') \\gexec
GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN OPTION;
SELECT format('CREATE ROLE %I LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser', :'master')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'master') \\gexec
ALTER ROLE :"master" PASSWORD :'password';
ALTER DATABASE postgres OWNER TO :"master";
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'master')
  WHERE :'database' <> '' AND NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \\gexec
"""
"""Makes the master user what it is on RDS, no superuser but a member of rds_superuser, and the first database; run
again it only sets the password. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html
"""

OWN_ROLE = 'CREATE ROLE "rdsadmin";\n'
"""What a dump of a whole instance begins with, and each new one has already."""


@dataclass
class Database:
    """One DB instance as its container knows it.

    Attributes:
        record: as DescribeDBInstances has it.
        parameters: the values that a person set in its parameter group.
        password: the master password last applied.
        ready: it has let the master user in, over TLS.
        started: when it was last started (monotonic seconds).
        trouble: why it does not work; empty if it does.
        loaded: what its snapshot has is in it, if it was restored from one.
        is_logged: its log of changes is kept.
        backups: its automated ones.
    """

    record: dict[str, Any]
    parameters: dict[str, str] = field(default_factory=dict)
    password: str = ""
    ready: bool = False
    started: float = 0.0
    trouble: str = ""
    loaded: bool = False
    is_logged: bool = False
    backups: database_log.Backups = field(default_factory=database_log.Backups)

    @property
    def identifier(self) -> str:
        """DBInstanceIdentifier."""
        return str(self.record["DBInstanceIdentifier"])

    @property
    def resource(self) -> str:
        """DbiResourceId: unlike the identifier, no second instance ever has it."""
        return str(self.record["DbiResourceId"])

    @property
    def endpoint(self) -> str:
        """The DNS name that the API reports."""
        return str(self.record["Endpoint"]["Address"])

    @property
    def port(self) -> int:
        """The TCP port that the API reports."""
        return int(self.record["Endpoint"]["Port"])

    @property
    def days(self) -> int:
        """For how many automated backups lead back; 0 if none are made."""
        return int(self.record.get("BackupRetentionPeriod") or 0)


class Databases(Part):
    """Runs a container for each DB instance of engine postgres, with its data on a volume.

    An instance is `creating` until its master user gets in over TLS, with the certificate of its endpoint. A changed
    master password or parameter group is applied at once. A snapshot is a dump of the whole instance in
    `<state>/snapshots/<id>.sql`; a deleted instance goes only after its final snapshot was taken. One that is restored
    from a snapshot is `creating` until the dump was loaded, one that is restored to a time until its log was read
    until then. A base backup and the log are kept of each instance with a BackupRetentionPeriod (database_log.py).
    """

    name = "rds"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._databases: dict[str, Database] = {}

    def prepare(self) -> None:
        images.ensure("postgres")
        rds.initial_status = "creating"
        rds.upgrade_status = "upgrading"
        rds_times.is_told = True
        rds.initial_snapshot_status = "creating"

    def reconcile(self) -> None:
        found = self.cloud.look("rds", "describe_db_instances")["DBInstances"]
        records = {record["DbiResourceId"]: record for record in found}
        snapshots = [
            snapshot
            for kind in ("manual", "awsbackup")
            for snapshot in self.cloud.look("rds", "describe_db_snapshots", SnapshotType=kind)["DBSnapshots"]
        ]
        pending = [snapshot for snapshot in snapshots if snapshot["Status"] == "creating"]
        errors = []
        for resource in {*records, *self._databases}:
            try:
                if resource in records:
                    database = self._databases.setdefault(resource, Database(records[resource]))
                    database.record = records[resource]
                    self._keep(database)
                self._snapshots(resource, [item for item in pending if item["DbiResourceId"] == resource])
                if resource not in records:
                    self._remove(self._databases[resource])
            except Exception as error:  # one database in trouble must not keep the others waiting
                self.log.exception("database %s", resource)
                errors.append(error)
        if errors:
            raise errors[0]

    def health(self) -> list[Health]:
        lines = []
        for database in list(self._databases.values()):
            where = f"{database.endpoint}:{database.port}"
            detail = database.trouble or (where if database.ready else f"{where}, coming up")
            lines.append(Health(f"database {database.identifier}", not database.trouble, detail))
        return lines

    def _keep(self, database: Database) -> None:
        """One step towards a database that runs as its record says."""
        if database.record["Engine"] != "postgres":
            database.trouble = f"engine {database.record['Engine']} is not emulated; use postgres"
            self._say(database, "failed")
            return
        container = self._container(database)
        if database.record["DBInstanceStatus"] in STOPPED:
            database.ready = False
            if container and container.status == "running":
                container.stop(timeout=30)
            return
        if container is None:
            container = self._create(database)
        elif container.status != "running":
            self._start_again(database, container)
            return
        if not database.ready:
            self._come_up(database, container)
            return
        if rds.upgrading_to(self.cloud, database.identifier):
            self._upgrade(database, container)
            return
        if self._password(database) != database.password:
            self._administer(database, container)
        if self._parameters(database) != database.parameters or bool(database.days) != database.is_logged:
            self._configure(database, container)
            self._execute(container, ["pg_ctl", "reload", "--pgdata=/data/db"])
        if database.record["DBInstanceStatus"] != "available":
            self._say(database, "available")  # StartDBInstance and the like only change the record
        self._back_up(database, container)

    def _back_up(self, database: Database, container: Container) -> None:
        """One step of its automated backups, of which RDS then tells how far they lead."""
        before = database.backups.window
        if database.days:
            every = self.cloud.minute * LOG_MINUTES
            database.backups.keep_up(lambda command: self._execute(container, command), database.days, every)
        elif before:
            database_log.let_go(lambda command: self._execute(container, command))
            database.backups = database_log.Backups()
        if database.backups.window != before:
            self._tell_window(database)

    def _tell_window(self, database: Database) -> None:
        try:
            rds_times.set_window(self.cloud, database.identifier, database.backups.window)
        except KeyError:
            return  # deleted meanwhile; the next round removes it

    def _create(self, database: Database) -> Container:
        name = self.cloud.config.container(f"db-{database.identifier}")
        labels = {**self.cloud.labels, RESOURCE_LABEL: database.resource}
        volume = self.cloud.docker.volumes.create(name, labels=labels)
        container = self.cloud.docker.containers.create(
            images.ensure("postgres"),
            name=name,
            labels=labels,
            mounts=[Mount("/data", volume.name)],
            network=self.cloud.config.network_name,
            mem_limit=MEMORY,
            shm_size="128m",
        )
        chain, key = authority(self.cloud).issue([database.endpoint])
        certificates = {"server.pem": chain, "server.key": key}
        certificates["ca.pem"] = authority(self.cloud).certificate_path.read_text()
        _put(container, {**certificates, "administration.sql": ADMINISTRATION})
        self._configure(database, container)
        if restored := rds_times.restored_to(self.cloud, database.identifier):
            try:
                self._hand_over(container, *restored)
            except Exception:
                container.remove(force=True)  # started so, it would be an empty server
                raise
        container.start()
        database.started = time.monotonic()
        return container

    def _hand_over(self, container: Container, resource: str, when: datetime) -> None:
        source = self._databases.get(resource)
        found = self._container(source) if source else None
        if found is None:
            raise RuntimeError(f"The database {resource} is gone, so nothing leads to what it was at {when}.")
        database_log.hand_over(found, container, when)

    def _start_again(self, database: Database, container: Container) -> None:
        """Start what was killed or stopped. What ended while it came up is in trouble; that is said, not repeated."""
        if not database.ready and database.started and database.record["DBInstanceStatus"] in COMING:
            log = container.logs(tail=3).decode(errors="replace").strip()
            database.trouble = f"PostgreSQL does not start: {log}"
            # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
            restored = rds_times.restored_to(self.cloud, database.identifier)
            lacks = "incompatible-restore" if restored else "failed"
            self._say(database, "incompatible-parameters" if database.parameters else lacks)
            return
        if database.trouble:
            return
        self.log.warning("database %s does not run; starting it again", database.identifier)
        database.ready = False
        self._say(database, "starting")
        self._configure(database, container)
        container.start()
        database.started = time.monotonic()

    def _come_up(self, database: Database, container: Container) -> None:
        """Once it answers, set up the master user and let it log in as a client on a host would."""
        if container.exec_run(["pg_isready", "--quiet", "--host=/var/run/postgresql"]).exit_code:
            late = time.monotonic() - database.started > START_SECONDS
            database.trouble = f"does not answer after {START_SECONDS} s" if late else ""
            return
        if not self._load(database, container):
            return
        self._administer(database, container)
        target = f"host={database.endpoint} hostaddr=127.0.0.1 port={database.port} dbname=postgres sslmode=verify-full"
        login = [
            "psql",
            f"{target} sslrootcert={FOLDER}/ca.pem",
            f"--username={database.record['MasterUsername']}",
            "--command=SELECT 1",
        ]
        self._execute(container, login, {"PGPASSWORD": database.password})
        container.reload()
        addresses = container.attrs["NetworkSettings"]["Networks"][self.cloud.config.network_name]
        self.cloud.publish(database.endpoint, [addresses["IPAddress"]])
        if rds.upgrading_to(self.cloud, database.identifier):
            rds.upgraded(self.cloud, database.identifier)
        database.ready, database.trouble = True, ""
        self._say(database, "available")
        self.log.info("database %s answers at %s", database.identifier, database.endpoint)

    def _load(self, database: Database, container: Container) -> bool:
        """Have what its snapshot has in an instance that was restored from one; whether it may go on."""
        snapshot = "" if database.loaded else rds.restored_from(self.cloud, database.identifier)
        if not snapshot:
            return True
        if database.record["DBInstanceStatus"] == "incompatible-restore":
            return False  # what came of a try stays as it is; RDS does not repeat it either
        dump = self.snapshot_path(snapshot).read_text().replace(OWN_ROLE, "")
        _put(container, {"snapshot.sql": dump})
        command = ["psql", "--username=rdsadmin", "--dbname=postgres", "--no-psqlrc", "--quiet", "--output=/dev/null"]
        try:
            self._execute(container, [*command, "--set=ON_ERROR_STOP=1", f"--file={FOLDER}/snapshot.sql"])
        except RuntimeError as error:
            database.trouble = f"the snapshot {snapshot} cannot be loaded: {error}"
            self._say(database, "incompatible-restore")
            return False
        self._execute(container, ["rm", f"{FOLDER}/snapshot.sql"])
        database.loaded = True
        self.log.info("database %s has what the snapshot %s has", database.identifier, snapshot)
        return True

    def _upgrade(self, database: Database, container: Container) -> None:
        """Stop it, and let it come up with all that it has put into an empty server (images/postgres/serve).

        There is one PostgreSQL here, so the server's own version stays what it was; RDS tells the new one. What a major
        upgrade does to a site is real: connections end, for a while nobody answers, and the planner knows nothing.
        """
        self.log.info("database %s is being upgraded", database.identifier)
        self._execute(container, ["touch", "/data/upgrade"])
        database.backups = database_log.Backups()  # the log of the server of now says nothing to the one that comes
        self._tell_window(database)
        container.stop(timeout=30)
        database.ready = False
        container.start()
        database.started = time.monotonic()

    def _administer(self, database: Database, container: Container) -> None:
        password = self._password(database)
        command = ["psql", "--username=rdsadmin", "--dbname=postgres", "--no-psqlrc", "--quiet"]
        variables = {
            "MASTER_NAME": str(database.record["MasterUsername"]),
            "MASTER_PASSWORD": password,
            "DATABASE_NAME": str(database.record.get("DBName") or ""),
        }
        command += ["--set=ON_ERROR_STOP=1", f"--file={FOLDER}/administration.sql"]
        self._execute(container, command, variables)
        database.password = password

    def _configure(self, database: Database, container: Container) -> None:
        parameters = self._parameters(database)
        _put(container, configuration(database.port, parameters, bool(database.days)))
        database.parameters, database.is_logged = parameters, bool(database.days)

    def _password(self, database: Database) -> str:
        managed = database.record.get("MasterUserSecret")
        if managed:
            secret = self.cloud.look("secretsmanager", "get_secret_value", SecretId=managed["SecretArn"])
            return str(json.loads(secret["SecretString"])["password"])
        return rds.master_password(self.cloud, database.identifier)

    def _parameters(self, database: Database) -> dict[str, str]:
        found: dict[str, str] = {}
        for group in database.record.get("DBParameterGroups", []):
            if group["DBParameterGroupName"].startswith("default."):
                continue
            name = group["DBParameterGroupName"]
            answer = self.cloud.look("rds", "describe_db_parameters", DBParameterGroupName=name)
            found |= {
                item["ParameterName"]: str(item["ParameterValue"])
                for item in answer["Parameters"]
                if item.get("ParameterValue") is not None
            }
        return found

    def _snapshots(self, resource: str, snapshots: list[dict[str, Any]]) -> None:
        """Dump the instance for each snapshot that is to be made. The first to fail is tried again next round."""
        database = self._databases.get(resource)
        if not snapshots or database is None:
            return
        container = self._container(database)
        if container is None:
            raise RuntimeError(f"Database {database.identifier} has no container to take a snapshot of.")
        if container.status != "running":
            container.start()
        for snapshot in snapshots:
            self._wait_for_socket(container)
            name = snapshot["DBSnapshotIdentifier"]
            dump = self._execute(container, ["pg_dumpall", "--username=rdsadmin", "--quote-all-identifiers"])
            write_private(self.snapshot_path(name), dump)
            rds.set_snapshot_status(self.cloud, name, "available")
            backup.snapshot_made(self.cloud, name, len(dump))
            self.log.info("snapshot %s of %s: %d bytes", name, database.identifier, len(dump))

    def snapshot_path(self, snapshot: str) -> Path:
        """Where the dump of a snapshot is kept."""
        return self.cloud.config.state / "snapshots" / f"{snapshot}.sql"

    def _wait_for_socket(self, container: Container) -> None:
        deadline = time.monotonic() + START_SECONDS
        while container.exec_run(["pg_isready", "--quiet", "--host=/var/run/postgresql"]).exit_code:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{container.name} does not answer, so no snapshot can be taken of it.")
            time.sleep(0.1)

    def _remove(self, database: Database) -> None:
        self.cloud.publish(database.endpoint, [])
        container = self._container(database)
        if container is not None:
            container.remove(force=True)
        for volume in self.cloud.docker.volumes.list(filters={"label": f"{RESOURCE_LABEL}={database.resource}"}):
            volume.remove()
        del self._databases[database.resource]

    def _container(self, database: Database) -> Container | None:
        label = f"{RESOURCE_LABEL}={database.resource}"
        found = self.cloud.docker.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        return found[0] if found else None

    def _say(self, database: Database, status: str) -> None:
        if database.record["DBInstanceStatus"] == status:
            return
        try:
            rds.set_status(self.cloud, database.identifier, status)
        except KeyError:
            return  # deleted meanwhile; the next round removes it
        database.record = database.record | {"DBInstanceStatus": status}

    def _execute(self, container: Container, command: list[str], variables: dict[str, str] | None = None) -> str:
        """Run a command in the container and return what it wrote.

        Raises:
            RuntimeError: it failed; with what it said.
        """
        done = container.exec_run(command, environment=variables or {}, demux=True)
        output, errors = ((part or b"").decode(errors="replace") for part in done.output)
        if done.exit_code:
            raise RuntimeError(f"{command[0]} failed in {container.name}: {errors.strip() or output.strip()}")
        return output


def configuration(port: int, parameters: dict[str, str], is_logged: bool = False) -> dict[str, str]:
    """PostgreSQL's files, by name, for a server at `port`.

    Args:
        parameters: what a person set in the DB parameter group. `rds.force_ssl` (1 by default from version 15 on:
            https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html) decides
            whether a connection without TLS is refused; PostgreSQL's own parameters are handed to it. Formulas such as
            `{DBInstanceClassMemory/9531392}` are RDS's and are left out.
        is_logged: whether its log of changes is kept.
    """
    kind = "host" if parameters.get("rds.force_ssl", "1") in ("0", "off", "false") else "hostssl"
    own = {name: value for name, value in parameters.items() if "." not in name and "{" not in value}
    settings = {
        "data_directory": "/data/db",
        "hba_file": f"{FOLDER}/pg_hba.conf",
        "ident_file": f"{FOLDER}/pg_ident.conf",
        "listen_addresses": "*",
        "port": str(port),
        "unix_socket_directories": "/var/run/postgresql",
        "ssl": "on",
        "ssl_cert_file": f"{FOLDER}/server.pem",
        "ssl_key_file": f"{FOLDER}/server.key",
        "ssl_min_protocol_version": "TLSv1.2",
        "password_encryption": "scram-sha-256",
        "max_connections": "80",
        "shared_buffers": "32MB",
        "jit": "off",
        # The data outlives a killed container, which needs no fsync, but not `down`.
        "fsync": "off",
        "full_page_writes": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **database_log.settings(is_logged),
    }
    lines = [f"{name} = '{_escape(value)}'" for name, value in {**settings, **own}.items()]
    access = [f"local {of} rdsadmin peer map=administration" for of in ("all", "replication")]
    access.append("host all rdsadmin all reject")
    access.append(f"{kind} all all all scram-sha-256")
    return {
        "postgresql.conf": "\n".join(lines) + "\n",
        "pg_hba.conf": "\n".join(access) + "\n",
        "pg_ident.conf": "administration postgres rdsadmin\n",
    }


def _escape(value: str) -> str:
    return value.replace("'", "''").replace("\n", " ")


def _put(container: Container, files: dict[str, str]) -> None:
    """Copy files into /etc/database, for the server's eyes only."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as out:
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o600, database_log.OWNER, database_log.OWNER
            entry.mtime = int(time.time())
            out.addfile(entry, io.BytesIO(content))
    try:
        container.put_archive(FOLDER, packed.getvalue())
    except docker.errors.APIError as error:
        raise RuntimeError(f"Files could not be copied into {container.name}: {error}") from error
