"""What the tests of example sites share: containers in a network of their own, a database, a browser behind TLS."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import requests
import yaml

from local_aws import ca, images
from local_aws.tests.until import until

PROJECT = Path(__file__).parents[2]
BUILD = PROJECT / "examples" / "build.py"
DATABASE = """
set -e
cp -a /var/lib/postgresql/empty /tmp/db
printf '%s' "$CERTIFICATE" > /tmp/db/server.crt; (umask 077; printf '%s' "$KEY" > /tmp/db/server.key)
printf 'local all all trust\\nhostssl all all all scram-sha-256\\n' > /tmp/db/pg_hba.conf
postgres -D /tmp/db -c ssl=on -c listen_addresses='*' -c fsync=off -c unix_socket_directories=/run/database &
sql() { psql -h /run/database -U rdsadmin postgres -c "$1"; }
until sql "create role site login password 'from-the-secret'"; do sleep 0.2; done
sql 'create database site owner site'
wait
"""
"""As on RDS: over TLS only, and no superuser from outside."""
DATABASE_ENVIRONMENT = {
    "DB_HOST": "database", "DB_NAME": "site", "DB_USER": "site", "DB_PASSWORD": "from-the-secret",
}  # fmt: skip


class Stage:
    """The containers of one site; `stage` makes one and clears it away."""

    def __init__(self) -> None:
        self.client = docker.from_env()
        self.name = f"berth-test-site-{uuid.uuid4().hex[:8]}"
        self.network = self.client.networks.create(self.name)
        self.made: list[Any] = []

    def run(self, image: str, alias: str, port: int | None = None, **arguments: Any) -> Any:
        """Start a container that the others reach as `alias`; `port` is published on a free port of 127.0.0.1."""
        config = {self.name: self.client.api.create_endpoint_config(aliases=[alias])}
        if port:
            arguments["ports"] = {f"{port}/tcp": ("127.0.0.1", None)}
        container = self.client.containers.create(
            image, network=self.name, networking_config=config, name=f"{self.name}-{alias}-{len(self.made)}",
            **arguments,
        )  # fmt: skip
        self.made.append(container)
        container.start()
        return container

    def once(self, image: str, command: list[str], **arguments: Any) -> str:
        """What a one-off task prints.

        Raises:
            docker.errors.ContainerError: it failed.
        """
        output: bytes = self.client.containers.run(
            image, command, network=self.name, remove=True, stderr=True, **arguments
        )
        return output.decode()

    def mount(self, volume: str, folder: str) -> dict[str, dict[str, str]]:
        """The argument `volumes` that mounts a volume of this stage."""
        return {f"{self.name}-{volume}": {"bind": folder, "mode": "rw"}}

    def database(self, folder: Path) -> Any:
        """PostgreSQL, reached with DATABASE_ENVIRONMENT; `folder` is a free place for its certificate authority."""
        certificate, key = ca.Authority(folder).issue(["database"])
        container = self.run(
            images.ensure("postgres"), "database", command=["bash", "-c", DATABASE],
            environment={"CERTIFICATE": certificate, "KEY": key}, tmpfs={"/run/database": "mode=1777"},
        )  # fmt: skip
        until(
            lambda: "CREATE DATABASE" in container.logs().decode(), "the database is made", also=last_lines(container)
        )
        return container

    def clear(self) -> None:
        """Remove everything that was made here."""
        for container in reversed(self.made):
            container.remove(force=True, v=True)
        self.network.remove()
        for volume in self.client.volumes.list(filters={"name": self.name}):
            volume.remove()


@contextmanager
def stage(site: str) -> Iterator[Stage]:
    """Build an example's images; a stage for its containers."""
    subprocess.run([sys.executable, str(BUILD), site], check=True)
    made = Stage()
    try:
        yield made
    finally:
        made.clear()


def confined(site: str, service: str, container: str) -> dict[str, Any]:
    """What an example's description takes from a container, as arguments of `Stage.run`."""
    described = yaml.safe_load((PROJECT / "examples" / site / "site.yml").read_text())
    found = described["site_services"][service]["containers"][container]
    return {key: found[key] for key in ("read_only", "cap_drop", "security_opt") if key in found}


def powers(container: Any) -> dict[str, Any]:
    """What a container's first process may do, as the kernel says: its user, its capabilities, and whether a program
    that it starts can get more (a setuid one); and whether it can write beside its mounts."""
    code, output = container.exec_run(["cat", "/proc/1/status"])
    assert code == 0, output
    status = dict(line.split(":", 1) for line in output.decode().splitlines())
    return {
        "user": int(status["Uid"].split()[0]),
        "capabilities": int(status["CapBnd"], 16),
        "may_get_more": status["NoNewPrivs"].strip() == "0",
        "writes": container.exec_run(["touch", "/etc/mark"], user="0").exit_code == 0,
    }


def url(container: Any, port: int) -> str:
    """Where this machine reaches a published port; it changes when a container is started again."""
    container.reload()
    return f"http://127.0.0.1:{container.ports[f'{port}/tcp'][0]['HostPort']}"


def sql(database: Any, statement: str, name: str = "postgres") -> str:
    """What a statement answers when the database's superuser runs it."""
    code, output = database.exec_run(["psql", "-At", "-h", "/run/database", "-U", "rdsadmin", name, "-c", statement])
    assert code == 0, output
    return str(output.decode().strip())


def answers(address: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        return requests.get(address, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def last_lines(container: Any) -> Callable[[], str]:
    """What `until` shows of a container besides: the end of its log."""
    return lambda: str(container.logs(tail=20).decode())


def stop(container: Any, seconds: int = 30) -> tuple[int, float]:
    """Stop a container as ECS does; its exit status and the seconds it took."""
    started = time.monotonic()
    container.stop(timeout=seconds)
    container.reload()
    return int(container.attrs["State"]["ExitCode"]), time.monotonic() - started


class Browser:
    """A client that is seen as coming through the load balancer over HTTPS."""

    def __init__(self, address: str, host: str) -> None:
        self.address = address
        self.host = host
        self.session = requests.Session()
        self.session.headers.update({"Host": host, "X-Forwarded-Proto": "https"})

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.address + path, headers=self._cookies(), timeout=20, allow_redirects=False)

    def post(self, path: str, **arguments: Any) -> requests.Response:
        """With the token that Django's forms carry."""
        headers = self._cookies() | {"Referer": f"https://{self.host}{path}"}
        if token := self.session.cookies.get("csrftoken"):
            arguments["data"] = {"csrfmiddlewaretoken": token} | arguments.get("data", {})
        return self.session.post(self.address + path, headers=headers, timeout=20, allow_redirects=False, **arguments)

    def _cookies(self) -> dict[str, str]:
        """requests does not send Secure cookies over http, so they are sent by hand."""
        return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.session.cookies)}
