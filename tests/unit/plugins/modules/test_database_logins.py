"""Logins from inside tasks: a real PostgreSQL, real networks of the kernel, and a stand-in for Docker alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.modules import database_logins as module
from plugins.plugin_utils.doctor.judging import told_by
from plugins.plugin_utils.doctor.signature import LOGIN, Evidence
from tests.unit.postgres_support import PASSWORD, Postgres, postgres
from tests.unit.variables_support import PROJECT

VARIABLES = {"host": "DB_HOST", "port": "DB_PORT", "username": "DB_USER", "password": "DB_PASSWORD"}
LOGINS = [
    {"service": "web", "container": "app", "database": "main", "variables": VARIABLES, "known": {"dbname": "postgres"}}
]
DOCKER = '''#!{python}
"""The containers of a file, as Docker tells of them, to whom asks for them by their labels."""
import json, os, sys
wanted = dict(each.split("label=", 1)[1].split("=") for each in sys.argv if each.startswith("--filter="))
there = json.load(open(os.environ["CONTAINERS"]))
if there is None:
    sys.exit("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.")
begin = "com.amazonaws.ecs."
if sys.argv[1] == "ps":
    asked = [wanted[begin + each] for each in ("task-definition-family", "container-name")]
    print("\\n".join(each["Id"] for each in there if asked == [each["family"], each["name"]]))
else:
    print(json.dumps([each for each in there if each["Id"] in sys.argv[2:]]))
'''


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


class Host:
    """A host, which is this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.containers: list[dict[str, Any]] | None = []
        docker = folder / "docker"
        docker.write_text(DOCKER.replace("{python}", sys.executable))
        docker.chmod(0o755)

    def runs(self, port: int, environment: dict[str, str] | None = None, pid: int | None = None) -> None:
        """A container of the service, whose network is this process's, or that of another one."""
        known = {"DB_HOST": "127.0.0.1", "DB_PORT": str(port), "DB_USER": "clerk", "DB_PASSWORD": PASSWORD}
        (self._folder / "hosts").write_text("127.0.0.1 localhost db.shop.test # the container's\n")
        assert self.containers is not None
        self.containers.append({
            "Id": f"{len(self.containers):012}", "family": "shop-prod-service-web", "name": "app",
            "State": {"Running": pid != 0, "Pid": os.getpid() if pid is None else pid},
            "Config": {"Env": [f"{name}={value}" for name, value in (known | (environment or {})).items()]},
            "HostsPath": str(self._folder / "hosts"), "ResolvConfPath": str(self._folder / "resolv.conf"),
        })  # fmt: skip

    def logins(self, **more: Any) -> tuple[list[dict[str, Any]], str]:
        """What the module says, run as Ansible runs it; and all of its output."""
        (self._folder / "containers").write_text(json.dumps(self.containers))
        given = {"prefix": "shop-prod", "logins": LOGINS, "timeout": 3, **more}
        shell = {**os.environ, "CONTAINERS": str(self._folder / "containers")}
        done = subprocess.run(
            [sys.executable, str(PROJECT / "plugins/modules/database_logins.py")],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
            env=shell | {"PATH": f"{self._folder}:{os.environ['PATH']}"},
            capture_output=True, text=True, check=False, timeout=60, cwd=PROJECT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)["logins"]
        return found, done.stdout + done.stderr


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def signature(answer: dict[str, Any]) -> str:
    """By which failure a reason is known."""
    found = told_by(Evidence(LOGIN, "service.web", answer["why"]))
    return found.name if found else ""


def test_a_task_logs_in_with_what_it_has_got_and_says_none_of_it(host: Host, server: Postgres) -> None:
    host.runs(server.port)
    (found,), said = host.logins()
    assert found == {
        "service": "web", "container": "app", "database": "main", "state": "good", "where": "inside a task",
        "to": f"127.0.0.1:{server.port}", "tls": "no TLS",
    }  # fmt: skip
    assert PASSWORD not in said
    assert json.dumps(PASSWORD)[1:-1] not in said
    assert server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'berth-doctor'") == "0"


def test_a_server_with_tls_is_asked_by_it(host: Host, server: Postgres) -> None:
    folder = server.folder / "db"
    files = ["-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=db.shop.test", *files]
    subprocess.run(made, check=True, capture_output=True)
    for name in ("server.key", "server.crt"):
        os.chown(folder / name, folder.stat().st_uid, folder.stat().st_gid)
        (folder / name).chmod(0o600)
    server.sql("ALTER SYSTEM SET ssl = on")
    server.sql("SELECT pg_reload_conf()")
    try:
        host.runs(server.port)
        (found,), _ = host.logins()
        assert (found["state"], found["tls"]) == ("good", "TLSv1.3")
    finally:
        server.sql("ALTER SYSTEM RESET ssl")
        server.sql("SELECT pg_reload_conf()")


def test_names_are_those_of_the_container(host: Host, server: Postgres) -> None:
    host.runs(server.port, {"DB_HOST": "db.shop.test"})
    assert host.logins()[0][0]["state"] == "good"
    with pytest.raises(OSError, match=r"not known|No address|failure"):
        socket.gethostbyname("db.shop.test")


@pytest.mark.parametrize(
    ("changed", "name", "words"),
    [
        ({"DB_PASSWORD": "another"}, "database-password", 'FATAL:  password authentication failed for user "clerk"'),
        ({"DB_HOST": "db.gone.test"}, "database-name", 'could not translate host name "db.gone.test" to address'),
    ],
)
def test_what_the_database_refuses_is_known_by_its_words(
    host: Host, server: Postgres, changed: dict[str, str], name: str, words: str
) -> None:
    host.runs(server.port, changed)
    (found,), said = host.logins()
    assert found["state"] == "bad"
    assert words in found["why"]
    assert signature(found) == name
    assert "another" not in said.replace("another way", "")


def test_a_database_that_there_is_not(host: Host, server: Postgres) -> None:
    host.runs(server.port)
    (found,), _ = host.logins(logins=[LOGINS[0] | {"known": {"dbname": "gone"}}])
    assert 'FATAL:  database "gone" does not exist' in found["why"]
    assert signature(found) == "database-name"


def test_a_server_that_lets_nobody_in_without_tls_or_has_no_place_left(host: Host, server: Postgres) -> None:
    rules = server.folder / "db/pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all all trust\nhostssl all all all scram-sha-256\n")
    server.sql("SELECT pg_reload_conf()")
    try:
        host.runs(server.port)
        (found,), _ = host.logins()
        assert signature(found) == "database-tls", found
    finally:
        rules.write_text(before)
        server.sql("SELECT pg_reload_conf()")
    server.sql("ALTER ROLE clerk CONNECTION LIMIT 0")
    try:
        (found,), _ = host.logins()
        assert signature(found) == "database-busy", found
    finally:
        server.sql("ALTER ROLE clerk CONNECTION LIMIT -1")


def test_a_login_that_was_retired(host: Host, server: Postgres) -> None:
    server.sql("ALTER ROLE clerk NOLOGIN")
    try:
        host.runs(server.port)
        (found,), _ = host.logins()
        assert signature(found) == "database-password", found
    finally:
        server.sql("ALTER ROLE clerk LOGIN")


def test_a_server_that_asks_for_md5(host: Host, server: Postgres) -> None:
    server.sql("SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'known'")
    rules = server.folder / "db/pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all all trust\nhost all all all md5\n")
    server.sql("SELECT pg_reload_conf()")
    try:
        host.runs(server.port, {"DB_USER": "old", "DB_PASSWORD": "known"})
        assert host.logins()[0][0]["state"] == "good"
    finally:
        rules.write_text(before)
        server.sql("SELECT pg_reload_conf(); DROP ROLE old")


def test_the_network_is_the_container_s(host: Host, server: Postgres) -> None:
    beside = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE)
    try:
        assert beside.stdout
        if not beside.stdout.readline():
            pytest.skip("this machine lets nobody make a network")
        host.runs(server.port, pid=beside.pid)
        (found,), _ = host.logins()
        assert found["where"] == "inside a task"
        assert "failed: Network is unreachable" in found["why"], "where the same address is none"
        assert signature(found) == "database-away"
    finally:
        beside.kill()
        beside.wait()


def test_of_a_task_that_has_ended_the_login_is_tried_on_its_host(host: Host, server: Postgres) -> None:
    host.runs(server.port, pid=0)
    (found,), _ = host.logins()
    assert (found["state"], found["where"]) == ("good", "on its host")
    host.runs(server.port, {"DB_PASSWORD": "other"})  # one that runs is asked before it
    (found,), _ = host.logins()
    assert (found["state"], found["where"]) == ("bad", "inside a task")


@pytest.mark.parametrize(
    ("containers", "why"),
    [
        ([], ""),
        (
            None,
            "the host's Docker cannot be asked: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
        ),
    ],
)
def test_without_a_container_nothing_is_tried(host: Host, containers: list[dict[str, Any]] | None, why: str) -> None:
    host.containers = containers
    (found,), _ = host.logins()
    assert (found["state"], found["why"]) == ("untried", why)


def test_a_task_of_before_the_inventory_asked_for_a_login(host: Host) -> None:
    host.runs(5432, {"DB_PASSWORD": ""})
    (found,), _ = host.logins()
    assert found["state"] == "untried"
    assert found["why"] == "its task has no DB_PASSWORD: it was made before the inventory asked for it"


def test_an_address_that_the_container_has_not_is_the_site_s(host: Host, server: Postgres) -> None:
    variables = {"username": "DB_USER", "password": "DB_PASSWORD"}
    host.runs(1)
    (found,), _ = host.logins(
        logins=[LOGINS[0] | {"variables": variables}], addresses={"main": f"127.0.0.1:{server.port}"}
    )
    assert found["state"] == "good"
    (found,), _ = host.logins(logins=[LOGINS[0] | {"variables": variables}])
    assert found["why"] == "nobody knows the database's host, as the container does not take it by reference"


def serving(answer: Callable[[socket.socket], None]) -> int:
    """A port at which somebody answers once."""
    listener = socket.create_server(("127.0.0.1", 0))

    def once() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                connection.recv(8)
                answer(connection)

    threading.Thread(target=once, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def error(connection: socket.socket, text: str) -> None:
    """What a server says that lets nobody in yet."""
    connection.sendall(b"N")
    connection.recv(1000)
    body = f"SFATAL\0VFATAL\0C57P03\0M{text}\0\0".encode()
    connection.sendall(b"E" + (len(body) + 4).to_bytes(4, "big") + body)


def test_what_answers_otherwise(host: Host) -> None:
    answers: list[tuple[Callable[[socket.socket], None], str, str]] = [
        (lambda each: each.sendall(b"HTTP/1.1 400"), "something else than PostgreSQL answers there", "database-other"),
        (lambda each: error(each, "the database system is starting up"), "is starting up", "database-restarts"),
        (lambda each: each.sendall(b"N"), "server closed the connection unexpectedly", "database-restarts"),
    ]
    for answer, words, name in answers:
        host.containers = []
        host.runs(serving(answer))
        (found,), _ = host.logins()
        assert words in found["why"]
        assert signature(found) == name, found
    host.containers = []
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        host.runs(silent.getsockname()[1])
        (found,), _ = host.logins()
    assert "failed: Connection timed out" in found["why"]
    assert signature(found) == "database-away"
    host.containers = []
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        host.runs(shut.getsockname()[1])
        (found,), _ = host.logins()
    assert "failed: Connection refused" in found["why"]
    assert signature(found) == "database-away"


def test_a_proof_is_for_the_server_that_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the words of the example in https://www.rfc-editor.org/rfc/rfc7677#section-3."""
    proof = module.Proof("pencil")
    monkeypatch.setattr(proof, "_nonce", "rOprNGfwEbeRWgbNEkqO")
    assert proof.first() == "n,,n=,r=rOprNGfwEbeRWgbNEkqO"
    said = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert proof.final(said).startswith("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=")
    with pytest.raises(module.NoLogin, match="does not know the password itself"):
        proof.check("v=AAAA")
    with pytest.raises(module.NoLogin, match="answers another login"):
        proof.final(said.replace("r=rOp", "r=xxx"))


def test_an_address_or_a_line_of_the_hosts_file_needs_no_name_server() -> None:
    assert module.resolved("db", "10.0.0.9 db\n::1 db6\n", "", 1) == "10.0.0.9"
    assert module.resolved("10.1.2.3", "", "", 1) == "10.1.2.3"
    with pytest.raises(module.NoLogin, match='could not translate host name "db6"'):
        module.resolved("db6", "::1 db6\n", "", 1)


def test_the_container_s_name_server_is_asked_behind_its_aliases() -> None:
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind(("127.0.53.1", 53))
        except OSError:
            pytest.skip("this machine gives nobody port 53")

        def answer() -> None:
            for _ in range(2):
                question, who = server.recvfrom(1000)
                asked.append(question[12:-4])
                if b"shop" in question:
                    alias = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x04\x01a\xc0\x0f"
                    address = b"\xc0\x26\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x07"
                    server.sendto(question[:2] + b"\x81\x80\0\x01\0\x02\0\0\0\0" + question[12:] + alias + address, who)
                else:
                    server.sendto(question[:2] + b"\x81\x83\0\x01\0\0\0\0\0\0" + question[12:], who)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        found = module.resolved("db", "", "search gone.test shop.test\nnameserver 127.0.53.1\n", 2)
        thread.join(5)
    assert found == "10.0.0.7"
    assert asked == [b"\x02db\x04gone\x04test\0", b"\x02db\x04shop\x04test\0"]
