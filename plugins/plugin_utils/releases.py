"""Which images each service and job of a site runs, and under which name: what is kept, and what is released now."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from plugins.filter.ledger import services_released
from plugins.plugin_utils.site.labels import IMAGE

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
"""A release's name: it stands in RELEASE and a label of each container, and in tags of images."""

Runs = Mapping[str, Mapping[str, Any]]
"""Entry → `images` (as containers call them → to run) and `name`, which is empty where it is made of the images."""


def owners(jobs: Mapping[str, Any], services: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Job → the service with which it is released; empty for one that goes with none.

    That is the service of the container that it is like; else the first by name that runs its image.

    Args:
        jobs: `site_jobs` as it is written.
        services: service → images as its containers call them.
    """
    found = {}
    for name, job in jobs.items():
        given = job if isinstance(job, Mapping) else {}
        like = str(given.get("like") or "").partition(".")[0]
        running = [service for service in sorted(services) if given.get("image") in services[service]]
        found[name] = like if like in services and not given.get("image") else next(iter(running), "")
    return found


def runs(
    services: Runs,
    jobs: Runs,
    job_owners: Mapping[str, str],
    released: Collection[str] = (),
    whole: bool = False,
    name: str = "",
) -> dict[str, dict[str, Any]]:
    """What each service and job is rendered with, by its key (`service.web`), over what is published.

    Args:
        services: what the services run, or are to run again.
        jobs: the same of jobs; looked at for those that go with no service.
        job_owners: see `owners`.
        released: services that take what is published now.
        whole: whether that is all, so that jobs that go with no service do so too.
        name: of the release that they take; empty if it is to be made of their images.

    Returns:
        `images` and `release` each. A key that is missing takes what is published, under a name made of it.
    """
    now = {"images": dict[str, str](), "release": name}
    found: dict[str, dict[str, Any]] = {f"service.{each}": _again(services[each]) for each in services}
    found |= {f"service.{each}": now for each in released}
    for job, owner in job_owners.items():
        if owner in released or (not owner and whole):
            found[f"job.{job}"] = now
        elif owner in services:
            found[f"job.{job}"] = _again(services[owner])
        elif not owner and job in jobs:
            found[f"job.{job}"] = _again(jobs[job])
    return found


def _again(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"images": dict(one.get("images") or {}), "release": str(one.get("name") or "")}


def called(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Entry → images as its containers call them.

    Args:
        entries: `lookup('site', 'service')` or `lookup('site', 'job')`.
    """
    return {
        name: list(dict.fromkeys(each["DockerLabels"][IMAGE] for each in entry["containers"]))
        for name, entry in entries.items()
    }


def images_of(
    services: Mapping[str, Collection[str]],
    jobs: Mapping[str, Collection[str]],
    job_owners: Mapping[str, str],
    released: Iterable[str],
) -> list[str]:
    """The images that services are released with, those of their jobs among them.

    Args:
        services: see `called`.
        jobs: see `called`.
        job_owners: see `owners`.
        released: services.
    """
    chosen = list(released)
    found = [image for name in chosen for image in services.get(name, ())]
    found += [image for name, owner in job_owners.items() if owner in chosen for image in jobs.get(name, ())]
    return list(dict.fromkeys(found))


def facts(
    live: Mapping[str, Mapping[str, Any]],
    entries: Mapping[str, Mapping[str, Any]],
    outputs: Mapping[str, str],
    released: Collection[str],
) -> dict[str, dict[str, Any]]:
    """What the services run at the end of a run, as the ledger keeps it.

    Args:
        live: what they ran before (`ecs_live_release`).
        entries: the site's services, with the images that they are to run (`lookup('site', 'service', images=…)`).
        outputs: of their stacks.
        released: those that were brought to what they are to run; others run what they ran.
    """
    kept = ("task_definition", "release", "images")
    found = {name: {key: live[name].get(key) for key in kept} for name in entries if name in live}
    return found | services_released({name: entries[name] for name in released if name in entries}, outputs)
