"""A real PostgreSQL for tests that restore into one, with a master user as RDS has; and a way there as ssh has it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Debian's; a machine has them where somebody has installed `postgresql`."""
PASSWORD = r"pass:w\ord'$1"  # noqa: S105 # of a server that goes with its test
"""With what a password file and a shell would take for something else."""
MASTER = f"""
CREATE ROLE rds_superuser;
GRANT pg_monitor, pg_signal_backend TO rds_superuser;
CREATE ROLE clerk LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser PASSWORD '{PASSWORD.replace("'", "''")}';
ALTER DATABASE postgres OWNER TO clerk;
"""
"""As the embedded AWS makes it (local_aws/parts/databases.py)."""
FORWARD = '''#!{python}
"""As ssh -L: a port of this machine that leads elsewhere, until the input ends."""
import os, re, socket, sys, threading
log = open(os.environ["LOG"], "a")
print("ssh", *sys.argv[1:], file=log, flush=True)
if os.environ.get("REFUSED"):
    sys.exit("ssh: connect to host 10.0.0.5 port 22: Connection refused")
_, port, host, to = re.match(r"(.+):(\\d+):(.+):(\\d+)$", sys.argv[sys.argv.index("-L") + 1]).groups()
listener = socket.create_server(("127.0.0.1", int(port)))

def copy(source, target):
    try:
        while part := source.recv(65536):
            target.sendall(part)
    except OSError:
        pass
    for each in (source, target):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

def accept():
    while True:
        connection, _ = listener.accept()
        onward = socket.create_connection((host, int(to)))
        for pair in ((connection, onward), (onward, connection)):
            threading.Thread(target=copy, args=pair, daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
os._exit(0)
'''


def reach_by_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a stand-in for ssh lead to ports of this machine, and waits be short.

    Returns:
        The file that gets what it was told.
    """
    program, log = tmp_path / "bin/ssh", tmp_path / "log"
    program.parent.mkdir()
    program.write_text(FORWARD.replace("{python}", sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.setenv("BERTH_POLL_SECONDS", "0.05")
    return log


@dataclass(frozen=True)
class Postgres:
    """A server that runs.

    Attributes:
        port: of 127.0.0.1.
        folder: of its data and its socket.
    """

    port: int
    folder: Path

    def sql(self, statements: str, database: str = "postgres", user: str = "rdsadmin") -> str:
        """What statements answer; the administrator comes by the socket."""
        command = ["psql", "--no-psqlrc", "--quiet", "-At", "--set=ON_ERROR_STOP=1", "--dbname", database]
        place = ["--host", str(self.folder), "--port", str(self.port), "--username", user]
        done = subprocess.run(
            [*command, *place], input=statements, capture_output=True, text=True, check=False, env=shell()
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def dump(self, database: str, path: Path, *options: str) -> Path:
        """A file of pg_dump."""
        place = ["--host", str(self.folder), "--port", str(self.port), "--username", "rdsadmin"]
        subprocess.run(["pg_dump", *place, *options, "--file", str(path), database], check=True, env=shell())
        return path


def shell() -> dict[str, str]:
    """Without what a test sets to lead programs astray."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server for as long as the block."""
    if not PROGRAMS or shutil.which("setpriv") is None or os.getuid() != 0:
        pytest.skip(
            "no PostgreSQL is installed here, or it cannot be started as another user: apt-get install postgresql"
        )
    try:
        owner = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("this machine has no user postgres")
    programs = PROGRAMS[-1]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as made:  # a socket's path is short
        folder = Path(made)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        shell = {"PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        data = ["--pgdata", str(folder / "db")]
        initdb = [*as_owner, "initdb", *data, "--username=rdsadmin", "--encoding=UTF8", "--no-sync"]
        subprocess.run([*initdb, "--auth-local=trust", "--auth-host=scram-sha-256"], env=shell, check=True,
                       capture_output=True)  # fmt: skip
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_permissions=0777"
        control = [*as_owner, "pg_ctl", *data, "--wait", "--silent", "--log", str(folder / "log")]
        subprocess.run([*control, "--options", options, "start"], env=shell, check=True, stdout=subprocess.DEVNULL)
        folder.chmod(0o755)
        try:
            server = Postgres(port, folder)
            server.sql(MASTER)
            yield server
        finally:
            subprocess.run([*control, "--mode", "immediate", "stop"], env=shell, check=True)
