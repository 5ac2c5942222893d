"""What the containers of one task have to do with each other, as ECS judges it when a task definition is registered.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from plugins.plugin_utils.site.container import Container, Draft, finished
from plugins.plugin_utils.site.kinds import clean
from plugins.plugin_utils.site.like import Likes
from plugins.plugin_utils.site.place import Place, unknown

OTHER = "other container of the task"
IMAGE = "Name the image to run: image: shop/django."
LIMIT = "Say how much memory it may have, beyond which it is stopped: mem_limit: 256m."


def finish(draft: Draft, likes: Likes) -> Container | None:
    """The container of what was written, or None where it cannot be told; complains."""
    keys = likes.keys(draft)
    for key, sentence in (("image", IMAGE), ("mem_limit", LIMIT)):
        # What another gives cannot be told where something is wrong; what is written here can.
        if (key not in keys) if keys is not None else (key in draft.absent):
            draft.place.wrong(f"has no {key}. {sentence}")
    if keys is None or "image" not in keys or "mem_limit" not in keys:
        return None
    made = finished(draft.name, keys)
    _check_alone(made, draft.place)
    return made


def _check_alone(made: Container, at: Place) -> None:
    if made.mem_reservation and made.mem_reservation > made.mem_limit:
        (at / "mem_reservation").wrong(
            f"is {made.mem_reservation}m, above mem_limit, {made.mem_limit}m. Write {made.mem_limit}m or less."
        )
    if made.memswap_limit and made.memswap_limit < made.mem_limit:
        (at / "memswap_limit").wrong(
            f"is {made.memswap_limit}m; it counts memory and swap together, so it is {made.mem_limit}m or more."
        )
    paths = [clean(mount.path) for mount in made.volumes] + [clean(each.path) for each in made.tmpfs]
    for path in sorted({path for path in paths if paths.count(path) > 1}):
        (at / "volumes").wrong(f"has two things at {path}. Give each a path of its own.")
    ports = [(port.container, port.protocol) for port in made.ports]
    for port in sorted({port for port in ports if ports.count(port) > 1}):
        (at / "ports").wrong(f"has port {port[0]} twice. Leave it once.")
    if len(made.environment) + len(made.secrets) > 1000:
        (at / "environment").wrong("has more than 1000 variables, more than a task definition holds.")


def relate(containers: Mapping[str, Container], names: Collection[str], at: Place) -> dict[str, Container]:
    """The containers of a task, with what each is to the others; complains.

    Args:
        containers: those that could be read.
        names: of all.
        at: the place of `containers`.
    """
    waited: set[str] = set()
    for name, made in containers.items():
        others = [other for other in names if other != name]
        for other, _ in made.links:
            if other not in others:
                (at / name / "links").wrong(f"leads to {other}, which {unknown(other, others, OTHER)}")
        for other, condition in made.depends_on.items():
            place = at / name / "depends_on" / other
            if other not in others:
                place.wrong(f"waits for {other}, which {unknown(other, others, OTHER)}")
            elif condition == "service_completed_successfully":
                waited.add(other)
            elif condition == "service_healthy" and other in containers and not containers[other].healthcheck:
                place.wrong(
                    f"waits for {other} to be healthy, but that has no healthcheck; ECS does not use the image's own. "
                    f"Write {other}: {{healthcheck: {{test: […]}}}}, or wait for service_started."
                )
    _no_circle(containers, at)
    return {name: replace(made, essential=name not in waited) for name, made in containers.items()}


def _no_circle(containers: Mapping[str, Container], at: Place) -> None:
    waits: dict[Any, set[str]] = {
        name: ({*made.depends_on} | {other for other, _ in made.links}) & set(containers) - {name}
        for name, made in containers.items()
    }
    try:
        graphlib.TopologicalSorter(waits).prepare()
    except graphlib.CycleError as error:
        around = error.args[1]
        at.wrong(
            f"wait for each other in a circle (depends_on and links): {' → '.join(reversed(around))}. Take one out."
        )
