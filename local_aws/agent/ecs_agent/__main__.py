"""python3 -m ecs_agent: the agent of this host, in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import docker

from .aws import ApiError, Metadata
from .configuration import FILES, ConfigurationError, read
from .engine import Engine
from .registration import Registration, Terminal
from .servers import Containers, Introspection
from .session import Sessions
from .store import Store

log = logging.getLogger("ecs-agent")
EXIT_ERROR = 1
EXIT_TERMINAL = 5
"""systemd does not start the agent again after this one."""
TELEMETRY_SECONDS = 20.0
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "crit": logging.CRITICAL,
}


def main() -> int:
    """Run the agent. Returns 1 for what may get better by itself, 5 for what does not."""
    parser = argparse.ArgumentParser(prog="ecs_agent", description=__doc__)
    parser.add_argument("--config", action="append", help=f"ecs.config; default: {' and '.join(FILES)}")
    parser.add_argument("--introspection-port", type=int, default=51678)
    parser.add_argument("--containers-port", type=int, default=51679)
    parser.add_argument(
        "--telemetry-seconds",
        type=float,
        default=float(os.environ.get("TELEMETRY_SECONDS") or TELEMETRY_SECONDS),
        help="how often health and statistics are sent; default: TELEMETRY_SECONDS, or the real agent's 20",
    )
    options = parser.parse_args()
    logging.basicConfig(format="level=%(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    signal.signal(signal.SIGTERM, _end)
    try:
        configuration = read(options.config or FILES)
        logging.getLogger().setLevel(LEVELS.get(configuration.log_level, logging.INFO))
        return _run(configuration, options)
    except ConfigurationError as error:
        log.critical("Error loading config: %s", error)  # systemd tries for ever, as with the real agent
        return EXIT_ERROR
    except Terminal as error:
        log.critical("%s", error)
        return EXIT_TERMINAL
    except (ApiError, OSError, KeyError, ValueError, docker.errors.DockerException) as error:
        log.critical("%s: %s", type(error).__name__, error)  # systemd starts it again, after 10 seconds
        return EXIT_ERROR


def _run(configuration: Any, options: argparse.Namespace) -> int:
    store = Store(configuration.data_directory)
    client = docker.from_env(timeout=300)
    metadata = Metadata()
    _check_cloud_init(metadata)
    registration = Registration(configuration, store, metadata, client)
    registration.register()
    engine = Engine(client, configuration, registration.region, store, registration.submit, metadata.credentials)
    engine.adopt()
    Introspection("", options.introspection_port, engine, store)
    place = {"AvailabilityZone": registration.zone, "VPCID": _network(metadata)}
    Containers("127.0.0.1", options.containers_port, engine, store, place)
    try:
        asyncio.run(Sessions(registration, engine, options.telemetry_seconds).run())
    finally:
        engine.close()
    return 0


def _network(metadata: Metadata) -> str:
    """Id of the host's VPC."""
    return metadata.find(f"network/interfaces/macs/{metadata.find('mac')}/vpc-id")


def _check_cloud_init(metadata: Metadata) -> None:
    """Refuse to run where cloud-init found no data source although there is user data (agent 1.105.0, #4988)."""
    result = Path("/var/lib/cloud/data/result.json")
    if not result.exists():
        return
    source = json.loads(result.read_text()).get("v1", {}).get("datasource") or ""
    if "DataSourceNone" not in source:
        return
    try:
        metadata.get("user-data")
    except OSError:
        return
    raise Terminal("cloud-init used DataSourceNone although the instance has user data: the host is not set up.")


def _end(_number: int, _frame: FrameType | None) -> None:
    """End at once, as the real agent does: what must be kept is kept at each change.

    A thread that waits for Docker would hold the end up, and systemd starts a killed Docker only after the agent's end.
    """
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
