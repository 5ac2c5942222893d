"""An embedded AWS with a few parts only, in a process of its own, for the tests of those parts.

moto's state is one a process, so tests that shared pytest's own would see each other's records.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import docker

from local_aws.config import LABEL, PROJECT, REGION, Config, SecurityGroups

START_SECONDS = 300  # images may have to be built


def configuration(number: int) -> Config:
    """A configuration that no other embedded AWS uses: `number` tells tests apart that may run side by side."""
    base = 4800 + 10 * number
    network = ipaddress.IPv4Network(f"10.{90 + number}.0.0/16")
    return Config(f"part{number}", base, base + 1, base + 2, base + 3, base + 4, network)


class OwnServer:
    """A running embedded AWS.

    Attributes:
        config: its fixed facts.
        docker: this machine's Docker engine.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.docker = docker.from_env(timeout=60)

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        return boto3.client(
            service,
            endpoint_url=self.config.endpoint,
            region_name=REGION,
            aws_access_key_id="test-parts",
            aws_secret_access_key="not-a-secret-5a41",  # noqa: S106 - any is accepted
        )

    def status(self) -> dict[str, tuple[bool, str]]:
        """Health lines, name → (ok, detail)."""
        with urllib.request.urlopen(f"{self.config.endpoint}/_local_aws/status", timeout=20) as answer:
            return {line["name"]: (line["ok"], line["detail"]) for line in json.load(answer)}

    def start_host(self, image: str, name: str, command: list[str], address: str = "") -> Any:
        """A container on the network, as an instance would be; it resolves names as instances do."""
        endpoint = self.docker.api.create_endpoint_config(ipv4_address=address) if address else None
        container = self.docker.containers.create(
            image,
            command=command,
            name=self.config.container(name),
            labels={LABEL: self.config.name},
            network=self.config.network_name,
            networking_config={self.config.network_name: endpoint} if endpoint else None,
            dns=[self.config.resolver],
            mounts=[docker.types.Mount("/ca", str(self.config.state / "ca"), type="bind", read_only=True)],
        )
        container.start()
        return container


@contextlib.contextmanager
def running(number: int, parts: set[str], guarded: bool = False, agent: Path | None = None) -> Iterator[OwnServer]:
    """Start an embedded AWS with `parts` (and the network), stop it and remove all that bears its label.

    Args:
        number: of its configuration.
        parts: their names.
        guarded: whether security groups are enforced.
        agent: what the hosts run in the place of the stand-in.
    """
    config = configuration(number)
    _clean(config)
    config.state.mkdir(parents=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    groups = SecurityGroups.ENFORCE if guarded else SecurityGroups.RECORD
    command = [sys.executable, "-m", "local_aws.tests.own_server", str(number), groups, str(agent or "")]
    command += sorted({"network", *parts})
    with (config.state / "log").open("w") as output:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (config.state / "ready").exists():
            assert process.poll() is None, f"it ended while it started:\n{(config.state / 'log').read_text()}"
            assert time.monotonic() < deadline, "it is not ready"
            time.sleep(0.1)
        yield OwnServer(config)
    finally:
        process.terminate()
        process.wait(60)
        if sys.exc_info()[0]:
            print((config.state / "log").read_text())
        _clean(config)


def _clean(config: Config) -> None:
    client = docker.from_env(timeout=60)
    mine = {"label": f"{LABEL}={config.name}"}
    for container in client.containers.list(all=True, ignore_removed=True, filters=mine):
        container.remove(force=True, v=True)
    for volume in client.volumes.list(filters=mine):
        volume.remove(force=True)
    for network in client.networks.list(filters=mine):
        network.remove()
    shutil.rmtree(config.state, ignore_errors=True)


def _serve(number: int, groups: SecurityGroups, agent: Path | None, parts: set[str]) -> None:
    from local_aws.server import Server

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    server = Server(configuration(number), only=parts, security_groups=groups, ecs_agent=agent)
    server.start()
    (configuration(number).state / "ready").touch()
    done.wait()
    server.stop()


if __name__ == "__main__":
    named = Path(sys.argv[3]) if sys.argv[3] else None
    _serve(int(sys.argv[1]), SecurityGroups(sys.argv[2]), named, set(sys.argv[4:]))
