"""Whether the hosts have room: the arithmetic of ECS's scheduler, with what a type of hosts has beforehand.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/memory-management.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from plugins.plugin_utils.site.container import Container
from plugins.plugin_utils.site.hosts import Hosts
from plugins.plugin_utils.site.nouns.job import Job
from plugins.plugin_utils.site.nouns.service import Service
from plugins.plugin_utils.site.place import Place

LARGER = "take a larger host_instance_type"


def memory(containers: Iterable[Container]) -> int:
    """MiB that ECS sets aside for a task: of each container its soft limit, where it has one."""
    return sum(each.memory for each in containers)


def check_container(container: Container, hosts: Hosts, at: Place) -> bool:
    """Complain about a limit that no host fits.

    Args:
        container: to judge.
        hosts: the site's.
        at: the container's place.
    """
    if not hosts.memory or container.memory <= hosts.memory:
        return True
    key = "mem_reservation" if container.mem_reservation else "mem_limit"
    (at / key).wrong(
        f"is {container.memory}m, and a host of type {hosts.instance_type} has about {hosts.memory}m for tasks. Lower "
        f"it, or {LARGER}."
    )
    return False


def check_task(containers: Mapping[str, Container], hosts: Hosts, at: Place) -> bool:
    """Complain about a task that no host fits, though each of its containers would."""
    needed = memory(containers.values())
    if not hosts.memory or needed <= hosts.memory:
        return True
    parts = " + ".join(f"{name} {each.memory}m" for name, each in containers.items())
    at.wrong(
        f"take {needed}m together ({parts}), and a host of type {hosts.instance_type} has about {hosts.memory}m for "
        f"tasks. Lower mem_limit or mem_reservation, or {LARGER}."
    )
    return False


def check_all(services: Mapping[str, Service], jobs: Mapping[str, Job], hosts: Hosts, at: Place) -> None:
    """Complain if all tasks at their most, with one more of the largest that is replaced or run, do not fit.

    A deployment that starts first has a new task beside the old ones, one service at a time; a job runs beside all.

    Args:
        services, jobs: of the site, each of which fits a host alone.
        hosts: the site's.
        at: the place of `site_hosts`.
    """
    if not hosts.memory:
        return
    tasks, what, more = _most(services, jobs)
    needed = hosts_for([*tasks, more], hosts.memory)
    if needed > hosts.max:
        at.wrong(
            f"allows {hosts.max} hosts of type {hosts.instance_type} with about {hosts.memory}m for tasks each; "
            f"{len(tasks)} tasks at the most take {sum(tasks)}m, and {what} takes {more}m: that needs {needed} hosts. "
            f"Write site_hosts: {{max: {needed}}}, lower mem_limit, or {LARGER}."
        )


def at_once(services: Mapping[str, Service], jobs: Mapping[str, Job]) -> list[int]:
    """MiB of each task that may stand at the same time, the largest first: all, and one that is replaced or run."""
    tasks, _, more = _most(services, jobs)
    return sorted([*tasks, more], reverse=True)


def _most(services: Mapping[str, Service], jobs: Mapping[str, Job]) -> tuple[list[int], str, int]:
    """MiB of all tasks at their most; and what comes beside them for a while, with its MiB."""
    running = {name: memory(service.containers.values()) for name, service in services.items()}
    tasks = [running[name] for name, service in services.items() for _ in range(service.most)]
    extra = {
        f"a new task of {name} beside the old": running[name] for name, one in services.items() if not one.stop_first
    }
    extra |= {f"the job {name}": memory(job.containers.values()) for name, job in jobs.items()}
    what, more = max(extra.items(), key=lambda each: each[1], default=("nothing else", 0))
    return tasks, what, more


def hosts_for(tasks: Iterable[int], memory_of_host: int) -> int:
    """How many hosts of one size hold these tasks."""
    free: list[int] = []
    for task in sorted(tasks, reverse=True):
        if task and without_place([task], free):
            free.append(memory_of_host - task)
    return len(free)


def without_place(tasks: Iterable[int], free: list[int]) -> list[int]:
    """The tasks that find no place, the largest placed first, each where it leaves least room.

    Args:
        tasks: MiB of each.
        free: MiB of each host; what is placed is taken off.
    """
    left = []
    for task in sorted(tasks, reverse=True):
        fitting = [place for place, room in enumerate(free) if room >= task]
        if fitting:
            free[min(fitting, key=lambda place: free[place])] -= task
        elif task:
            left.append(task)
    return left
