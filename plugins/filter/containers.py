"""Containers of the site, as people call them, and what they mount."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def container_names(services: Mapping[str, Mapping[str, Any]], service: str = "") -> list[str]:
    """All containers of the services, each as `<service>.<container>`, as `like` writes them.

    Args:
        services: `site_services`.
        service: the only one whose containers are meant, if not empty.
    """
    chosen = {name: given for name, given in services.items() if service in ("", name)}
    return [f"{entry}.{name}" for entry, given in chosen.items() for name in given["containers"]]


def container_obvious(
    services: Mapping[str, Mapping[str, Any]], jobs: Mapping[str, Mapping[str, Any]], service: str = ""
) -> str:
    """The container that a person means who names none; empty if there is none that everybody would take for it.

    It is the only one, or the only one that jobs before a release are like, or that jobs are like at all: jobs are
    commands in the surroundings of the container that has the site's code.

    Args:
        services: `site_services`.
        jobs: `site_jobs`.
        service: of whose containers it is one, if not empty.
    """
    names = container_names(services, service)
    before = [each for each in jobs.values() if each.get("run") == "before_release"]
    likes = ({str(job.get("like")) for job in some}.intersection(names) for some in (before, jobs.values()))
    return next((min(found) for found in (set(names), *likes) if len(found) == 1), "")


def containers_called(names: Iterable[str], called: str) -> list[str]:
    """Those that somebody may mean: by the whole name, or by the container's alone.

    Args:
        names: of `container_names`.
        called: what was typed.
    """
    return [name for name in names if called in (name, name.partition(".")[2])]


def containers_each(tasks: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Entry → the names of its containers.

    Args:
        tasks: `lookup('site', 'service')`, or 'job'.
    """
    return {entry: [container["Name"] for container in task["containers"]] for entry, task in tasks.items()}


def volume_writers(tasks: Mapping[str, Mapping[str, Any]], volume: str) -> list[dict[str, str]]:
    """Containers that mount a volume to write to it.

    Args:
        tasks: `lookup('site', 'job')`, or 'service'.
        volume: entry of site_volumes.

    Returns:
        A mapping each: `task` (the entry), `container` (`web.app`), `path` in it.
    """
    return [
        {"task": entry, "container": f"{entry}.{container['Name']}", "path": mount["ContainerPath"]}
        for entry, task in tasks.items()
        for container in task["containers"]
        for mount in container.get("MountPoints", [])
        if mount["SourceVolume"] == volume and not mount["ReadOnly"]
    ]


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filter name → function."""
        return {
            "container_names": container_names,
            "container_obvious": container_obvious,
            "containers_called": containers_called,
            "containers_each": containers_each,
            "volume_writers": volume_writers,
        }
