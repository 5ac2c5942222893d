"""`site_hosts`: how many hosts there may be, and what one of them has for tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.filter.sizes import host_memory
from plugins.plugin_utils.site.kinds import Flag, Whole, whole
from plugins.plugin_utils.site.place import Place
from plugins.plugin_utils.site.schema import Key, Schema

RESERVED = 256
"""MiB that the agent keeps back where the inventory does not say (ecs_agent_reserved_memory)."""

SCHEMA = Schema(
    "site_hosts",
    {"min": Key(Whole(1, 1000, "hosts"), 1), "max": Key(Whole(1, 1000, "hosts")), "scale": Key(Flag(), False)},
    {
        "count": "write min: 2, and max for the most there may be.",
        "type": "write host_instance_type: t3.small.",
        "instance_type": "write host_instance_type: t3.small.",
        "desired": "write min: 2, and max for the most there may be.",
    },
)


@dataclass(frozen=True)
class Hosts:
    """The hosts of a site.

    Attributes:
        min: hosts at least.
        max: at most; one more than `min` by default, so that one can be replaced without a gap.
        scale: whether there are as many between the two as the tasks need; else there are `min`.
        instance_type: their type, or empty where the inventory does not say.
        memory: MiB that one has for tasks; 0 where that is not known beforehand.
    """

    min: int
    max: int
    scale: bool
    instance_type: str
    memory: int


def read(variables: Mapping[str, Any], problems_at: Place) -> Hosts:
    """The hosts that an inventory describes.

    Args:
        variables: of the inventory.
        problems_at: the place of `site_hosts`.
    """
    value = variables.get("site_hosts")
    given = SCHEMA.defaults() if value is None else SCHEMA.read(value, problems_at)
    if given["max"] is not None and given["max"] < given["min"]:
        problems_at.wrong(f"has max {given['max']}, below min, {given['min']}. Write max: {given['min'] + 1}.")
        given["max"] = given["min"]
    instance_type = variables.get("host_instance_type")
    name = str(instance_type) if isinstance(instance_type, str) else ""
    reserved = whole(variables.get("ecs_agent_reserved_memory"))
    memory = host_memory(name)
    memory = max(0, memory - (RESERVED if reserved is None else reserved)) if memory else 0
    return Hosts(given["min"], given["max"] or given["min"] + 1, bool(given["scale"]), name, memory)
