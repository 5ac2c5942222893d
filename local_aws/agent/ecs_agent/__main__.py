"""python3 -m ecs_agent: the agent of this host, in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import docker

from .aws import ApiError, Metadata
from .configuration import FILES, ConfigurationError, read
from .engine import Engine
from .servers import Introspection, RoleCredentials
from .session import Registration, Sessions, Terminal
from .store import Store

log = logging.getLogger("ecs-agent")
EXIT_ERROR = 1
EXIT_TERMINAL = 5
"""systemd does not start the agent again after this one."""
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
    parser.add_argument("--credentials-port", type=int, default=51679)
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


def _run(configuration: Any, options: argparse.Namespace) -> int:
    store = Store(configuration.data_directory)
    client = docker.from_env(timeout=300)
    metadata = Metadata()
    _check_cloud_init(metadata)
    registration = _identify(configuration, store, metadata, client)
    pause = 1.0
    while True:
        try:
            registration.register()
            break
        except ApiError as error:
            log.error("Unable to register as a container instance with ECS: %s", error)
            if error.kind in ("InvalidParameterException",):
                raise Terminal(str(error)) from error
        except OSError as error:
            log.error("Unable to register as a container instance with ECS: %s", error)
        time.sleep(pause)
        pause = min(15.0, pause * 1.5)
    engine = Engine(client, configuration, registration.region, store, registration.submit)
    engine.adopt()
    Introspection(options.introspection_port, engine, store)
    if configuration.task_role:
        RoleCredentials(options.credentials_port, engine, store)
    try:
        asyncio.run(Sessions(registration, engine).run())
    finally:
        engine.close()
    return 0


def _identify(configuration: Any, store: Store, metadata: Metadata, client: Any) -> Registration:
    """Wait for Docker and the metadata service; both may be on their way up."""
    while True:
        try:
            return Registration(configuration, store, metadata, client)
        except (OSError, KeyError, json.JSONDecodeError) as error:
            log.error("No instance identity document: %s", error)
        time.sleep(2)


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


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number if number != signal.SIGTERM else 0)


if __name__ == "__main__":
    sys.exit(main())
