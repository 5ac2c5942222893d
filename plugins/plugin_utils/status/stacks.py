"""The stacks of a site: whether all are there, and what became of the last change of each.

Asks DescribeStacks.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.status.part import Part
from plugins.plugin_utils.status.words import age, iso, seconds_since

TAKEN_BACK = "UPDATE_ROLLBACK_COMPLETE"
GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", TAKEN_BACK)
"""What was before goes on after a change that was taken back, and the state stays until there is another change."""
ALWAYS = ("network", "certificate", "cluster")
"""Layers that every site has."""
LONG_SECONDS = 3 * 3_600
"""A change that takes longer hangs: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html"""


def described(cloudformation: Any, prefix: str, words: Collection[str]) -> dict[str, dict[str, Any]]:
    """Layer (`network`, `service.web`) → its stack, of DescribeStacks.

    Args:
        cloudformation: client.
        prefix: of the site.
        words: its layers' words; another site's name may begin with this one's.
    """
    found: dict[str, dict[str, Any]] = {}
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            name = str(stack["StackName"])
            word, dash, entry = name.removeprefix(f"{prefix}-").partition("-")
            if name.startswith(f"{prefix}-") and word in words and stack["StackStatus"] != "DELETE_COMPLETE":
                found[f"{word}.{entry}" if dash else word] = stack
    return found


def names(stacks: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Layer → name of its stack, of `described`."""
    return {layer: str(stack["StackName"]) for layer, stack in stacks.items()}


def outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    """What a stack gives on."""
    return {each["OutputKey"]: str(each["OutputValue"]) for each in stack.get("Outputs", [])}


def expected(site: Site) -> Iterator[str]:
    """The layers that a site must have."""
    yield from ALWAYS
    if site.edge:
        yield "edge"
    elif site.waf:
        yield "waf"  # that of a CDN is in us-east-1, where nobody looks
    copied = any(each.driver != "task" for each in site.volumes.values())
    planned = site.backups.at and any(not each.endpoint for each in site.databases.values())
    if (site.backups.wanted and copied) or planned:
        yield "backup"
    for noun in ("service", "job", "function"):
        yield from (f"{noun}.{name}" for name in site.entries[noun])
    yield from (f"static.{name}" for name in site.entries["static"])
    yield from (f"volume.{name}" for name, each in site.volumes.items() if each.driver != "task")
    yield from (f"database.{name}" for name, each in site.databases.items() if not each.endpoint)
    yield from (
        f"{noun}.{name}" for noun in ("bucket", "table") for name, e in site.entries[noun].items() if not e.name
    )
    yield from (f"secret.{name}" for name, each in site.secrets.items() if each.generate)


def look(stacks: Mapping[str, Mapping[str, Any]], wanted: Collection[str], now: datetime.datetime) -> Part:
    """Judge the stacks.

    Args:
        stacks: of `described`.
        wanted: layers that must be there.
        now: with its time zone.
    """
    part = Part([_facts(layer, stack, now) for layer, stack in stacks.items()])
    if missing := [layer for layer in wanted if layer not in stacks]:
        part.is_wrong("site", f"is not all there: {', '.join(missing)} missing", verb("site.yml"))
    for each in part.facts:
        _judge(part, each)
    return part


def _facts(layer: str, stack: Mapping[str, Any], now: datetime.datetime) -> dict[str, Any]:
    at = stack.get("LastUpdatedTime") or stack["CreationTime"]
    return {
        "layer": layer,
        "name": stack["StackName"],
        "status": stack["StackStatus"],
        "reason": stack.get("StackStatusReason", ""),
        "changed": iso(at),
        "age_seconds": seconds_since(at, now),
        "drifted": stack.get("DriftInformation", {}).get("StackDriftStatus") == "DRIFTED",
        "well": stack["StackStatus"] in GOOD or stack["StackStatus"].endswith("_IN_PROGRESS"),
    }


def _judge(part: Part, facts: dict[str, Any]) -> None:
    layer, status = facts["layer"], facts["status"]
    why = f": {facts['reason']}" if facts["reason"] else ""
    if status.endswith("_IN_PROGRESS"):
        if facts["age_seconds"] > LONG_SECONDS:
            facts["well"] = False
            part.is_wrong(layer, f"its stack is {status} for {age(facts['age_seconds'])}{why}", verb("site.yml"))
        else:
            part.note(layer, f"is being changed ({status}), for {age(facts['age_seconds'])}")
    elif not facts["well"]:
        part.is_wrong(layer, f"its stack is {status}{why}", verb("site.yml"))
    elif status == TAKEN_BACK:
        part.note(layer, f"its last change was taken back, what was before goes on{why}", verb("site.yml"))
    if facts["drifted"]:
        part.note(
            layer, "somebody changed it by hand: CloudFormation found drift", verb("site.yml") + " --check --diff"
        )
