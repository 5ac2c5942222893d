"""What is pushed where, who is asked on which port, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any


def image_pushes(
    entries: Mapping[str, Mapping[str, Any]], wanted: Collection[str], contents: Mapping[str, str], prefix: str
) -> list[dict[str, str]]:
    """What the task ecr_push is given: images of this machine, each with a tag made of its content.

    The same content is never pushed twice, and another never under the same tag.

    Args:
        entries: the site's images (`lookup('site', 'image')`).
        wanted: images as containers call them; others are left out.
        contents: image → id of its content.
        prefix: of the repositories' names.
    """
    return [
        {"image": image, "repository": f"{prefix}/{name}", "tag": contents[image].removeprefix("sha256:")[:12]}
        for name, entry in entries.items()
        for image in entry["written"]
        if image in wanted and image in contents
    ]


def image_ports(services: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Who is asked on which port, by the load balancer or by other services.

    Args:
        services: `lookup('site', 'service')`, images as containers call them.

    Returns:
        A mapping each: `image`, `container` (`web.app`), `port`.
    """
    found = []
    for name, service in services.items():
        images = {each["Name"]: each["Image"] for each in service["containers"]}
        asked = [(route["to"], route["port"]) for route in service["routes"]]
        if expose := service["expose"]:
            asked.append((expose["container"], expose["container_port"]))
        found += [
            {"image": images[container], "container": f"{name}.{container}", "port": port}
            for container, port in dict.fromkeys(asked)
        ]
    return found


def kept_images(live: Mapping[str, Any], entries: Collection[Mapping[str, Any]], releases: int) -> list[str]:
    """The images that no lifecycle rule may take: what is live, and what the last good releases ran.

    A release counts once, however often it was released; one that a rollback has left is not gone back to.

    Args:
        live: what the task ecs_live_release says, with the jobs.
        entries: of the ledger, newest first.
        releases: how many good releases.
    """
    good: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if entry.get("outcome") == "good" and entry.get("release") and not entry.get("left_by"):
            good.setdefault(str(entry["release"]), []).append(entry)
    newest = [entry for release in list(good)[: int(releases)] for entry in good[release]]
    ran = [each for run in (live, *newest) for noun in ("services", "jobs") for each in (run.get(noun) or {}).values()]
    return sorted({str(image) for each in ran for image in (each.get("images") or {}).values()})


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filter name → function."""
        return {"image_pushes": image_pushes, "image_ports": image_ports, "kept_images": kept_images}
