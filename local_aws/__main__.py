"""python -m local_aws up | status | down: an embedded AWS for this machine."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from typing import Any

import docker

from local_aws.config import CONFIGS, LABEL, PROJECT, Config, config

UP_SECONDS = 900  # a first start builds the images
MEMORY_GIB = 3.0
DISK_GIB = 8.0


class Refused(Exception):
    """Something a person has to mend first; the message says what to type."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit status: 0 done, 1 refused or failed, 3 (status) some part is not well."""
    parser = argparse.ArgumentParser(prog="python -m local_aws", description=__doc__)
    parser.add_argument("verb", choices=["up", "status", "down", "serve", "log"])
    parser.add_argument("--name", default="local", choices=sorted(CONFIGS), help="which embedded AWS (default: local)")
    parsed = parser.parse_args(arguments)
    chosen = config(parsed.name)
    try:
        return {"up": up, "status": status, "down": down, "serve": _serve, "log": log}[parsed.verb](chosen)
    except Refused as refused:
        print(f"local_aws: {refused}", file=sys.stderr)
        return 1


def up(chosen: Config) -> int:
    """Start it in the background and wait until every part is prepared; a second start says that it runs."""
    if _process(chosen):
        print(f"The embedded AWS {chosen.name!r} already runs at {chosen.endpoint}.")
        return 0
    _check_machine(chosen)
    _remove_containers(chosen)
    shutil.rmtree(chosen.state, ignore_errors=True)
    chosen.state.mkdir(parents=True)
    log_file = chosen.state / "log"
    print(f"Starting the embedded AWS {chosen.name!r} (a first start builds container images; log: {_short(log_file)})")
    with log_file.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local_aws", "serve", "--name", chosen.name],
            cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            env=_clean_environment(),
        )  # fmt: skip
    (chosen.state / "pid").write_text(f"{process.pid}\n")
    _follow(chosen, process)
    print(f"The embedded AWS {chosen.name!r} answers at {chosen.endpoint}.")
    return 0


def status(chosen: Config) -> int:
    """Show every part and its health."""
    if not _process(chosen):
        raise Refused(f"The embedded AWS {chosen.name!r} does not run. Type: python -m local_aws up{_name(chosen)}")
    lines = _status(chosen)
    width = max((len(line["name"]) for line in lines), default=0)
    for line in lines:
        print(f"  {'ok ' if line['ok'] else 'BAD'}  {line['name']:<{width}}  {line['detail']}")
    return 0 if all(line["ok"] for line in lines) else 3


def down(chosen: Config) -> int:
    """Stop it and remove everything of it: containers, volumes, networks, state. The Docker engine is left running."""
    pid = _process(chosen)
    if pid:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 60
        while _alive(pid) and time.monotonic() < deadline:
            time.sleep(0.2)
        if _alive(pid):
            os.kill(pid, signal.SIGKILL)
    _docker_engine()
    removed = _remove_containers(chosen)
    shutil.rmtree(chosen.state, ignore_errors=True)
    print(f"The embedded AWS {chosen.name!r} is gone ({removed} containers removed). Docker is left running.")
    return 0


def log(chosen: Config) -> int:
    """Print the log of the running (or last failed) start."""
    path = chosen.state / "log"
    if not path.exists():
        raise Refused(f"There is no log yet. Type: python -m local_aws up{_name(chosen)}")
    print(path.read_text(), end="")
    return 0


def _serve(chosen: Config) -> int:
    from local_aws.server import serve

    chosen.state.mkdir(parents=True, exist_ok=True)
    serve(chosen)
    return 0


def _follow(chosen: Config, process: subprocess.Popen[bytes]) -> None:
    """Show what the background process prepares until it is ready."""
    deadline = time.monotonic() + UP_SECONDS
    with (chosen.state / "log").open() as output:
        while not (chosen.state / "ready").exists():
            for line in output.readlines():
                if line.startswith("  ") or " INFO preparing " in line:
                    print("  " + line.split(" INFO ")[-1].strip(), flush=True)
            if process.poll() is not None:
                tail = "\n".join((chosen.state / "log").read_text().splitlines()[-12:])
                raise Refused(f"The embedded AWS {chosen.name!r} ended while it started:\n{tail}")
            if time.monotonic() > deadline:
                raise Refused(f"Not ready after {UP_SECONDS} s. Look at {_short(chosen.state / 'log')}")
            time.sleep(0.2)


def _check_machine(chosen: Config) -> None:
    _docker_engine()
    for port in (
        chosen.api_port, chosen.agent_port, chosen.registry_port, chosen.https_port, chosen.http_port
    ):  # fmt: skip
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise Refused(
                    f"Port {port} of this machine is taken. See who has it: ss -ltnp 'sport = :{port}'"
                ) from None
    available = next(
        int(line.split()[1]) / 2**20
        for line in open("/proc/meminfo", encoding="ascii")  # noqa: SIM115 - read to its end here
        if line.startswith("MemAvailable")
    )
    if available < MEMORY_GIB:
        raise Refused(f"Only {available:.1f} GiB of memory are free; {MEMORY_GIB:.0f} are needed. Stop something.")
    free = shutil.disk_usage(PROJECT).free / 2**30
    if free < DISK_GIB:
        raise Refused(f"Only {free:.1f} GiB of disk are free; {DISK_GIB:.0f} are needed. Try: docker system prune")


def _docker_engine() -> docker.DockerClient:
    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except (docker.errors.DockerException, OSError):
        raise Refused("No Docker engine answers. Type: make setup") from None
    return client


def _remove_containers(chosen: Config) -> int:
    """Remove what bears our label, and only that."""
    client = _docker_engine()
    mine = {"label": f"{LABEL}={chosen.name}"}
    containers = client.containers.list(all=True, filters=mine)
    for container in containers:
        try:
            container.remove(force=True, v=True)
        except docker.errors.NotFound:
            continue  # gone by itself meanwhile
    for volume in client.volumes.list(filters=mine):
        volume.remove(force=True)
    for network in client.networks.list(filters=mine):
        network.remove()
    return len(containers)


def _process(chosen: Config) -> int | None:
    try:
        pid = int((chosen.state / "pid").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _alive(pid) else None


def _alive(pid: int) -> bool:
    try:
        command = open(f"/proc/{pid}/cmdline", "rb").read()  # noqa: SIM115 - one read
    except OSError:
        return False
    return b"local_aws" in command


def _status(chosen: Config) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{chosen.endpoint}/_local_aws/status", timeout=30) as answer:
        lines: list[dict[str, Any]] = json.load(answer)
    return lines


def _clean_environment() -> dict[str, str]:
    """The process must talk to itself only: no credentials, profiles or endpoints of the person's shell."""
    return {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | {"PYTHONUNBUFFERED": "1"}


def _short(path: os.PathLike[str]) -> str:
    return os.path.relpath(path)


def _name(chosen: Config) -> str:
    return "" if chosen.name == "local" else f" --name {chosen.name}"


if __name__ == "__main__":
    sys.exit(main())
