"""python -m local_aws up | status | down: an embedded AWS for this machine."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import requests
from docker.models.containers import Container

from local_aws.config import (
    DIRECT,
    IAM,
    LABEL,
    PROJECT,
    SECURITY_GROUPS,
    Config,
    Iam,
    SecurityGroups,
    config,
)
from local_aws.real_agent import binary
from plugins.plugin_utils.troubleshooting import see

UP_SECONDS = 900  # a first start builds the images
DOWN_SECONDS = 60
REMOVALS = 4  # at a time; an engine removes each in half a second or more
MEMORY_GIB = 3.0
DISK_GIB = 8.0
MEMORY = Path("/proc/meminfo")
ROUTES = Path("/proc/net/route")


class Refused(Exception):
    """Something a person has to mend first; the message says what to type."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. Returns the exit status: 0 done, 1 refused or failed, 3 (status) some part is not well."""
    parser = argparse.ArgumentParser(prog="python -m local_aws", description=__doc__)
    parser.add_argument("verb", choices=["up", "status", "down", "serve", "log"])
    parser.add_argument("--name", default="local", help="which embedded AWS: local (default), test, molecule<number>")
    parser.add_argument("--only", type=_names, help="parts to run besides the network, with commas (up; default: all)")
    parser.add_argument("--host-image", default="host", help="image of the hosts, a folder of local_aws/images (up)")
    parser.add_argument("--late", action="store_true", help="answer late, stale, in short pages, throttled (up)")
    parser.add_argument(
        "--iam", type=Iam, choices=list(Iam), default=os.environ.get("BERTH_IAM", IAM),
        help="what becomes of a call that IAM denies (up; default: BERTH_IAM, or record)",
    )  # fmt: skip
    parser.add_argument(
        "--security-groups", type=SecurityGroups, choices=list(SecurityGroups),
        default=os.environ.get("BERTH_SECURITY_GROUPS", SECURITY_GROUPS),
        help="what becomes of packets that no group lets through (up; default: BERTH_SECURITY_GROUPS, or record)",
    )  # fmt: skip
    parser.add_argument(
        "--ecs-agent", metavar="PATH", default=os.environ.get("BERTH_ECS_AGENT"),
        help="binary or image of the real ECS agent, in the stand-in's place (up; default: BERTH_ECS_AGENT)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, help="what --late draws from (default: another one each time)")
    parsed = parser.parse_args(arguments)
    try:
        chosen = config(parsed.name)
    except KeyError as error:
        parser.error(error.args[0])
    if parsed.seed is not None and not parsed.late:
        parser.error("--seed is for --late")
    seed = secrets.randbelow(10**6) if parsed.late and parsed.seed is None else parsed.seed
    agent = binary.named(parsed.ecs_agent) if parsed.ecs_agent else None
    options = Options(parsed.only, parsed.host_image, seed, parsed.iam, parsed.security_groups, agent)
    try:
        if parsed.verb in ("up", "serve"):
            return {"up": up, "serve": _serve}[parsed.verb](chosen, options)
        return {"status": status, "down": down, "log": log}[parsed.verb](chosen)
    except Refused as refused:
        print(f"local_aws: {refused}\n{see(str(refused))}", file=sys.stderr)
        return 1


@dataclass(frozen=True)
class Options:
    """What a start may be told.

    Attributes:
        only: names of the parts to run besides the network; all if None.
        host_image: the image of the hosts.
        seed: of what late mode draws; None for an AWS that answers at once.
        iam: what becomes of a call that IAM denies.
        security_groups: what becomes of a packet that no security group lets through.
        ecs_agent: what runs in the place of the hosts' stand-in agent, if anything does.
    """

    only: tuple[str, ...] | None = None
    host_image: str = "host"
    seed: int | None = None
    iam: Iam = IAM
    security_groups: SecurityGroups = SECURITY_GROUPS
    ecs_agent: Path | None = None

    @property
    def arguments(self) -> list[str]:
        """The same on a command line."""
        only = [] if self.only is None else ["--only", ",".join(self.only)]
        late = [] if self.seed is None else ["--late", "--seed", str(self.seed)]
        judged = ["--security-groups", self.security_groups, "--iam", self.iam]
        agent = ["--ecs-agent", str(self.ecs_agent)] if self.ecs_agent else []
        return [*only, "--host-image", self.host_image, *judged, *agent, *late]


def up(chosen: Config, options: Options = Options()) -> int:
    """Start it in the background and wait until every part is prepared; a second start says that it runs."""
    if options.ecs_agent:
        try:
            binary.check(options.ecs_agent)
        except binary.NoAgent as error:
            raise Refused(str(error)) from None
    if _process(chosen):
        if options.seed is not None and not _late(chosen):
            raise Refused(
                f"The embedded AWS {chosen.name!r} already runs, and not late. Type: "
                f"python -m local_aws down{_name(chosen)}"
            )
        if options.ecs_agent and options.ecs_agent != _agent(chosen):
            raise Refused(
                f"The embedded AWS {chosen.name!r} already runs, and its hosts with another agent. Type: "
                f"python -m local_aws down{_name(chosen)}"
            )
        print(f"The embedded AWS {chosen.name!r} already runs at {chosen.endpoint}{_late(chosen)}{_on(chosen)}.")
        return 0
    _docker_engine()
    # Before anything is removed: taken, they may be those of another checkout's process, and the containers its.
    _check_ports(chosen.api_port, chosen.agent_port)
    _remove_containers(chosen)
    _check_machine(chosen)
    shutil.rmtree(chosen.state, ignore_errors=True)
    chosen.state.mkdir(parents=True)
    if options.seed is not None:
        (chosen.state / "late").write_text(f"{options.seed}\n")
    if options.ecs_agent:
        (chosen.state / "agent").write_text(f"{options.ecs_agent}\n")
    log_file = chosen.state / "log"
    print(f"Starting the embedded AWS {chosen.name!r} (a first start builds container images; log: {_short(log_file)})")
    with log_file.open("w") as output:
        process = subprocess.Popen(
            _command(chosen, options), cwd=PROJECT, env=_clean_environment(), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    (chosen.state / "pid").write_text(f"{process.pid}\n")
    _follow(chosen, process)
    print(f"The embedded AWS {chosen.name!r} answers at {chosen.endpoint}{_late(chosen)}{_on(chosen)}.")
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
        deadline = time.monotonic() + DOWN_SECONDS
        while _alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
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


def _late(chosen: Config) -> str:
    """The mode and seed of the running one, to follow its address; empty if it answers at once."""
    seed = chosen.state / "late"
    return f", late (seed {seed.read_text().strip()})" if seed.exists() else ""


def _agent(chosen: Config) -> Path | None:
    """The agent of the running one's hosts; None if that is the stand-in."""
    named = chosen.state / "agent"
    return Path(named.read_text().strip()) if named.exists() else None


def _on(chosen: Config) -> str:
    """The same, to follow its address."""
    agent = _agent(chosen)
    return f", its hosts with the agent {agent}" if agent else ""


def _serve(chosen: Config, options: Options) -> int:
    from local_aws.late.chance import Settings
    from local_aws.server import serve

    chosen.state.mkdir(parents=True, exist_ok=True)
    late = None if options.seed is None else Settings(options.seed)
    only = None if options.only is None else set(options.only)
    serve(chosen, only, options.host_image, late, options.iam, options.security_groups, options.ecs_agent)
    logging.shutdown()
    os._exit(0)  # all is closed; the interpreter would take a second or two to free moto's records, and `down` waits


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
    """What else an embedded AWS needs; what a crashed run of ours held must be removed, not to be in its own way."""
    _check_ports(chosen.registry_port, chosen.https_port, chosen.http_port)
    _check_network(chosen)
    available = next(
        int(line.split()[1]) / 2**20
        for line in MEMORY.read_text(encoding="ascii").splitlines()
        if line.startswith("MemAvailable")
    )
    if available < MEMORY_GIB:
        raise Refused(f"Only {available:.1f} GiB of memory are free; {MEMORY_GIB:.0f} are needed. Stop something.")
    free = shutil.disk_usage(PROJECT).free / 2**30
    if free < DISK_GIB:
        raise Refused(
            f"Only {free:.1f} GiB of disk are free; {DISK_GIB:.0f} are needed. What Docker takes: docker system df"
        )


def _check_network(chosen: Config) -> None:
    """Docker's other networks and this machine's routes must leave `chosen.network` free."""
    for network in _docker_engine().networks.list():
        for pool in (network.attrs.get("IPAM") or {}).get("Config") or []:
            taken = ipaddress.ip_network(pool.get("Subnet") or "0.0.0.0/32", strict=False)
            if taken.version == 4 and taken.overlaps(chosen.network):
                raise Refused(
                    f"The Docker network {network.name!r} has {taken}, and the embedded AWS needs {chosen.network}. "
                    f"Remove it: docker network rm {network.name}"
                )
    for interface, destination, gateway in _routes():
        # A wider route (a VPN's 10.0.0.0/8) only loses these addresses while ours is there; its gateway must not.
        if destination.subnet_of(chosen.network) or gateway in chosen.network:
            raise Refused(
                f"This machine reaches {destination} by {interface}, and the embedded AWS needs {chosen.network}. "
                f"Disconnect it (a VPN?): ip route show dev {interface}"
            )


def _check_ports(*ports: int) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise Refused(
                    f"Port {port} of this machine is taken. See who has it: ss -ltnp 'sport = :{port}'"
                ) from None


def _routes() -> Iterator[tuple[str, ipaddress.IPv4Network, ipaddress.IPv4Address]]:
    """This machine's IPv4 routes: interface, destination, gateway.

    https://man7.org/linux/man-pages/man5/proc_pid_net.5.html
    """
    for line in ROUTES.read_text(encoding="ascii").splitlines()[1:]:
        interface, destination, gateway, *_, mask = line.split()[:8]
        address, via, bits = (
            ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(word), sys.byteorder))
            for word in (destination, gateway, mask)
        )
        yield interface, ipaddress.IPv4Network(f"{address}/{bits}", strict=False), via


def _docker_engine() -> docker.DockerClient:
    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except (docker.errors.DockerException, OSError):
        raise Refused("No Docker engine answers. Type: make setup") from None
    return client


def _remove_containers(chosen: Config) -> int:
    """Remove what bears our label, and only that; what goes by itself meanwhile is fine."""
    client = _docker_engine()
    mine = {"label": f"{LABEL}={chosen.name}"}
    removed: set[str] = set()
    deadline = time.monotonic() + DOWN_SECONDS

    def remove(container: Container) -> None:
        removed.add(container.id)
        try:
            container.remove(force=True, v=True)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            # 409: somebody else's removal of it is under way; its volumes are in use until that is through.
            if error.status_code != 409 or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        except requests.Timeout:
            # A busy machine: the engine goes on with it, and says so (409) to who asks again.
            if time.monotonic() > deadline:
                raise Refused(
                    f"The Docker engine does not remove the container {container.name}. Type the same command again; "
                    "if it stays, restart the engine, then type it once more."
                ) from None

    with ThreadPoolExecutor(REMOVALS) as pool:
        while containers := client.containers.list(all=True, filters=mine, ignore_removed=True):
            list(pool.map(remove, containers))
    for volume in client.volumes.list(filters=mine):
        with contextlib.suppress(docker.errors.NotFound):
            volume.remove(force=True)
    for network in client.networks.list(filters=mine):
        with contextlib.suppress(docker.errors.NotFound):
            network.remove()
    return len(removed)


def _command(chosen: Config, options: Options) -> list[str]:
    """What runs in the background."""
    return [sys.executable, "-m", "local_aws", "serve", "--name", chosen.name, *options.arguments]


def _names(value: str) -> tuple[str, ...]:
    return tuple(name for name in value.split(",") if name)


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
    try:
        with DIRECT.open(f"{chosen.endpoint}/_local_aws/status", timeout=30) as answer:
            lines: list[dict[str, Any]] = json.load(answer)
    except OSError:  # URLError is one
        if (chosen.state / "ready").exists():
            what = f"runs, but does not answer at {chosen.endpoint}"
        else:
            what = "is starting and does not answer yet"
        raise Refused(
            f"The embedded AWS {chosen.name!r} {what}. Its log: python -m local_aws log{_name(chosen)}"
        ) from None
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
