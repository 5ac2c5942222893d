"""How a task ends: its containers are stopped, and removed with its volumes when the wait is over."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import docker

from . import dependencies
from .task import Task
from .task_host import Host

log = logging.getLogger("ecs-agent")


def stop(host: Host, task: Task, closed: Callable[[], bool], look: Callable[[], None]) -> None:
    """Stop what runs, dependants before what they depend on; a container's own stopTimeout, then SIGKILL.

    Args:
        host, task: which one, and where.
        closed: whether to leave off; the agent is being stopped.
        look: called as containers end, to take that in and report it.
    """
    for container in task.containers.values():
        if container.status in ("NONE", "CREATED"):
            container.status = "STOPPED"
    running = {name for name, container in task.containers.items() if container.status == "RUNNING"}
    while running and not closed():
        needed = {target for name in running for target, _ in dependencies.of(task.definition(name))}
        level = sorted(running - needed) or sorted(running)
        with ThreadPoolExecutor(len(level)) as pool:
            list(pool.map(lambda name: _stop_one(host, task, name), level))
        running -= set(level)
        look()


def _stop_one(host: Host, task: Task, name: str) -> None:
    container, own = task.containers[name], task.definition(name).get("stopTimeout")
    seconds = int(own if own is not None else host.configuration.stop_timeout)
    try:
        # The SDK's own timeout has to outlast the wait that it asks of Docker.
        host.client.api.stop(container.id, timeout=seconds)
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        log.warning("task %s: could not stop %s: %s; killing it", task.id, name, error)
        host.client.api.kill(container.id)


def clean_up(host: Host, task: Task) -> bool:
    """Remove containers and task volumes of a stopped task once the clean-up wait is over. Whether nothing is left."""
    if task.stopped is None or time.time() - task.stopped < host.configuration.cleanup_wait:
        return False
    if task.reported != "STOPPED":
        return False
    for container in task.containers.values():
        if container.id:
            with contextlib.suppress(docker.errors.NotFound):
                host.client.api.remove_container(container.id, v=True, force=True)
    host.volumes.remove(task.volumes)
    host.forget(task.arn)
    return True
