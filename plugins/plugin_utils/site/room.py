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
    """Complain if the tasks, with what comes beside them for a while, do not fit.

    A deployment that starts first has a new task beside the old ones, one service at a time, or a job runs beside all.
    What has a schedule comes beside these, whenever it is: a run that finds no room is lost, as RunTask calls that a
    success (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html, `failures`).
    What always runs must fit the hosts that there always are; what autoscaling may come to, those that there may be:
    that are more only where hosts scale.

    Args:
        services, jobs: of the site, each of which fits a host alone.
        hosts: the site's.
        at: the place of `site_hosts`.
    """
    if not hosts.memory:
        return
    extra = _beside(services, jobs)
    what = ", and ".join(f"{each} takes {sum(sizes)}m" for each, sizes in extra.items()) or "nothing comes beside"
    more = [size for sizes in extra.values() for size in sizes]
    greatest = (hosts.max, "max") if hosts.scale else (hosts.min, "min")
    for most, (count, key) in ((False, (hosts.min, "min")), (True, greatest)):
        tasks = _tasks(services, most)
        needed = hosts_for([*tasks, *more], hosts.memory)
        if needed > count:
            come = f", or {{max: {needed}, scale: true}} to have them come" if most and not hosts.scale else ""
            at.wrong(
                f"allows {count} host{'s' if count > 1 else ''} of type {hosts.instance_type} with about "
                f"{hosts.memory}m for tasks each; {len(tasks)} task{'s' if len(tasks) > 1 else ''}"
                f"{' at the most' if most else ''} take{'' if len(tasks) > 1 else 's'} {sum(tasks)}m, and {what}: "
                f"that needs {needed} hosts. Write site_hosts: {{{key}: {needed}}}{come}, lower mem_limit, or "
                f"{LARGER}."
            )
            return


def at_once(services: Mapping[str, Service], jobs: Mapping[str, Job]) -> list[int]:
    """MiB of each task that may stand at the same time, the largest first: all, and what comes beside them.

    Of a service with autoscaling those that always run.
    """
    more = (size for sizes in _beside(services, jobs).values() for size in sizes)
    return sorted([*_tasks(services), *more], reverse=True)


def _tasks(services: Mapping[str, Service], most: bool = False) -> list[int]:
    """MiB of each task, at the least or at the most that autoscaling may come to."""
    return [
        memory(service.containers.values())
        for service in services.values()
        for _ in range(service.most if most else service.replicas)
    ]


def _beside(services: Mapping[str, Service], jobs: Mapping[str, Job]) -> dict[str, list[int]]:
    """What comes beside the tasks for a while, with MiB: the largest replaced or run, and what is due at once."""
    one = {
        f"a new task of {name} beside the old": [memory(service.containers.values())]
        for name, service in services.items()
        if not service.stop_first
    }
    due: dict[tuple[str, str], dict[str, int]] = {}
    for name, job in jobs.items():
        size = memory(job.containers.values())
        if job.schedule:
            due.setdefault((job.schedule, job.zone), {})[name] = size
        else:
            one[f"the job {name}"] = [size]
    at_once = {f"what is due at {when[0]} ({', '.join(each)})": [*each.values()] for when, each in due.items()}
    return dict(max(found.items(), key=lambda each: sum(each[1])) for found in (one, at_once) if found)


def hosts_for(tasks: Iterable[int], memory_of_host: int) -> int:
    """How many hosts of one size hold these tasks."""
    free: list[int] = []
    for task in sorted(tasks, reverse=True):
        if without_place([task], free):
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
