"""Failures that real programs are brought to, in the words that those write into their logs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.plugin_utils.doctor.evidence import of_host
from plugins.plugin_utils.doctor.signature import HOST, LOG, SSH, Evidence
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked
from tests.unit.postgres_support import PASSWORD, Postgres, postgres, shell
from tests.unit.variables_support import PROJECT

provoked, provoked_of_database, provoked_of_restart = Provoked(), Provoked(), Provoked()
ABOUT = "service.web"
ARM = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00\x01\x00\x00\x00" + bytes(100)
"""The begin of a program for another processor than any that tests run on: ARM's, or (below) Intel's."""
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def said(*command: str, kind: str = LOG, about: str = ABOUT, **environment: str) -> list[Evidence]:
    """The lines of a program that must fail."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | environment,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode, done.stdout
    return [Evidence(kind, about, line) for line in (done.stdout + done.stderr).splitlines()]


def python(code: str, *before: str, **environment: str) -> list[Evidence]:
    """The lines of a program in Python that must fail."""
    return said(*before, sys.executable, "-c", code, **environment)


@provoked("disk-full")
def _full(_: Path) -> list[Evidence]:
    return python("with open('/dev/full', 'w') as file: file.write('x')")


@provoked("read-only")
def _read_only(folder: Path) -> list[Evidence]:
    script = f"mount -t tmpfs -o ro none {folder} || exit 0; touch {folder}/x"
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    return said("unshare", "--mount", "sh", "-c", script)


@provoked("owner")
def _owner(folder: Path) -> list[Evidence]:
    if os.getuid():
        pytest.skip("only root can be somebody else")
    del folder
    return python("open('/etc/berth-test', 'w')", *NOBODY)


@provoked("port-inside")
def _port(_: Path) -> list[Evidence]:
    return python("import socket as s; a = s.create_server(('', 0)); s.create_server(a.getsockname())")


@provoked("processor")
def _processor(folder: Path) -> list[Evidence]:
    machine = os.uname().machine
    path = folder / "serve"
    path.write_bytes(ARM.replace(b"\xb7", b"\x3e") if machine.startswith(("aarch", "arm")) else ARM)
    path.chmod(0o755)
    return python(f"import os; os.execv({str(path)!r}, ['serve'])")


@provoked("neighbour")
def _neighbour(_: Path) -> list[Evidence]:
    return python("import socket; socket.getaddrinfo('app.invalid', 80)")


@provoked("no-credentials")
def _credentials(folder: Path) -> list[Evidence]:
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": "", "HOME": str(folder)}
    files = {"AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"), "AWS_CONFIG_FILE": str(folder / "none")}
    code = "import os; os.environ.pop('AWS_PROFILE'); import boto3; boto3.client('sqs', 'us-east-1').list_queues()"
    return python(code, **nothing, **files)


@provoked("migration-missing")
def _migration(_: Path) -> list[Evidence]:
    return python("import sqlite3; sqlite3.connect(':memory:').execute('select * from shop_order')")


@provoked("docker-down")
def _docker(folder: Path) -> list[Evidence]:
    return said("docker", "--host", f"unix://{folder}/docker.sock", "info", kind=HOST, about="host i-1")


@provoked("ssh-refused")
def _ssh(_: Path) -> list[Evidence]:
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        port = str(shut.getsockname()[1])
        return said("ssh", "-F", "none", "-oBatchMode=yes", "-p", port, "127.0.0.1", kind=SSH, about="host i-1")


@provoked("ssh-shut")
def _shut(_: Path) -> list[Evidence]:
    """In a network of its own in which nobody has the address, as behind a security group that drops packets."""
    ways = "ip link add way type veth peer name back && ip addr add 192.0.2.1/24 dev way"
    ways += " && ip link set way up && ip link set back up"
    if subprocess.run(["unshare", "--net", "sh", "-c", ways], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a network")
    typed = f"{ways} && exec ssh -F none -oBatchMode=yes -oConnectTimeout=2 192.0.2.7"
    return said("unshare", "--net", "sh", "-c", typed, kind=SSH, about="host i-1")


@provoked("session-program")
def _session(folder: Path) -> list[Evidence]:
    return said("/bin/sh", "-c", "session-manager-plugin x", kind=SSH, about="host i-1", PATH=str(folder))


@provoked("agent-hangs")
def _agent(_: Path) -> list[Evidence]:
    with socket.socket() as agent:  # as of a process that is stopped: the kernel takes what it does not
        agent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            agent.bind(("127.0.0.1", 51678))
        except OSError:
            pytest.skip("an agent runs on this machine")
        agent.listen()
        return looked()


def looked() -> list[Evidence]:
    """What this machine says as a host."""
    look = PROJECT / "playbooks/files/doctor-look.sh"
    done = subprocess.run(["bash", str(look)], capture_output=True, text=True, check=False, timeout=120)
    return list(of_host("i-1", {"stdout": done.stdout}, takes_tasks=True))


def psql(server: Postgres, *options: str, **environment: str) -> list[Evidence]:
    """The lines of psql that must fail, as of a program with libpq in a container."""
    place = ["--no-psqlrc", "-h", "127.0.0.1", "-p", str(server.port), "-U", "clerk", "-d", "postgres"]
    return said("psql", *place, *options, PGPASSWORD=environment.pop("PGPASSWORD", PASSWORD), **environment)


@provoked_of_database("database-password")
def _password(server: Postgres) -> list[Evidence]:
    return psql(server, PGPASSWORD="other")


@provoked_of_database("database-name")
def _name(server: Postgres) -> list[Evidence]:
    return psql(server, "-d", "gone")


@provoked_of_database("database-tls")
def _tls(server: Postgres) -> list[Evidence]:
    rules = server.folder / "db/pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all all trust\nhostssl all all all scram-sha-256\n")
    server.sql("SELECT pg_reload_conf()")
    try:
        return psql(server, "-c", "select 1")
    finally:
        rules.write_text(before)
        server.sql("SELECT pg_reload_conf()")


@provoked_of_database("database-busy")
def _busy(server: Postgres) -> list[Evidence]:
    server.sql("ALTER ROLE clerk CONNECTION LIMIT 0")
    try:
        return psql(server)
    finally:
        server.sql("ALTER ROLE clerk CONNECTION LIMIT -1")


@provoked_of_database("database-away")
def _away(server: Postgres) -> list[Evidence]:
    del server
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        return said("psql", "-h", "127.0.0.1", "-p", str(shut.getsockname()[1]), "-U", "clerk")


@provoked_of_database("migration-missing")
def _relation(server: Postgres) -> list[Evidence]:
    return psql(server, "-v", "ON_ERROR_STOP=1", "-c", "select * from shop_order")


@pytest.mark.parametrize("name", provoked.by)
def test_what_a_program_writes_is_recognised(name: str, tmp_path: Path) -> None:
    provoked.prove(name, tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.mark.parametrize("name", provoked_of_database.by)
def test_what_libpq_writes_is_recognised(name: str, server: Postgres) -> None:
    provoked_of_database.prove(name, server)


@provoked_of_restart("database-restarts")
def _restarts(world: tuple[Postgres, list[subprocess.Popen[Any]]]) -> list[Evidence]:
    """It lets nobody in who is new until the last session has ended (a smart shutdown), as at RDS's maintenance."""
    server, sessions = world
    place = ["psql", "-h", str(server.folder), "-p", str(server.port), "-U", "rdsadmin", "-d", "postgres"]
    sessions.append(subprocess.Popen([*place, "-c", "select pg_sleep(60)"], env=shell(), stdout=subprocess.DEVNULL))
    while server.sql("select count(*) from pg_stat_activity where query like 'select pg_sleep%'") == "0":
        time.sleep(0.1)
    os.kill(int((server.folder / "db/postmaster.pid").read_text().splitlines()[0]), signal.SIGTERM)
    time.sleep(0.5)
    return psql(server)


@pytest.mark.long
@pytest.mark.parametrize("name", provoked_of_restart.by)
def test_a_server_that_is_being_restarted(name: str) -> None:
    sessions: list[subprocess.Popen[Any]] = []
    try:
        with postgres() as running:
            provoked_of_restart.prove(name, (running, sessions))
    finally:
        for each in sessions:
            each.kill()
            each.wait()


def test_an_agent_that_answers_does_not_hang() -> None:
    assert [each.text for each in looked() if "silent" in each.text or "does not answer" in each.text] == []
