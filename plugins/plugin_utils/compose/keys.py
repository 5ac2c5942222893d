"""Keys of a container that mean the same in both: each judged by the site's model, in whose words it is dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.compose import sizes
from plugins.plugin_utils.compose.environment import variables
from plugins.plugin_utils.compose.interpolation import missing_of
from plugins.plugin_utils.compose.judging import complaints, no_word
from plugins.plugin_utils.compose.parts import Part
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.compose.secrets import IN_CLEAR, has_secret, is_secret
from plugins.plugin_utils.site.container import CONTAINER
from plugins.plugin_utils.site.container_kinds import HEALTH, ULIMITS
from plugins.plugin_utils.site.kinds import Seconds, Size, Whole, whole
from plugins.plugin_utils.site.nouns.job import SCHEMA as JOB

MADE = frozenset(
    {
        "image", "build", "environment", "env_file", "secrets", "depends_on", "links", "ports", "expose", "volumes",
        "healthcheck", "deploy", "scale", "cpus", "command", "entrypoint", "mem_limit", "mem_reservation",
    }
)  # fmt: skip
"""Keys that others make something of: describing.py names who."""
PER_ITEM = ("cap_add", "cap_drop", "security_opt", "devices", "dns", "dns_search", "tmpfs")
PER_NAME = ("ulimits", "sysctls", "extra_hosts", "labels")
OF_PROXIES = ("traefik.", "caddy")


def plain_keys(part: Part, report: Report) -> dict[str, Any]:
    """The keys of a container that are taken as they stand; the others are told."""
    words = JOB if part.kind == "job" else CONTAINER
    found: dict[str, Any] = {}
    for key, value in part.given.items():
        if key in MADE or value is None:
            continue
        subject = f"{part.name}.{key}"
        if key not in words.keys:
            if part.kind == "job" and key in ("profiles", "restart"):
                continue  # which made it a job
            report.drop(subject, no_word(key, words.elsewhere))
        elif missing_of(value):
            report.want(subject, f"${{{missing_of(value)[0]}}} is set nowhere. Write it where it is needed.")
        else:
            made = _judged(part, key, _spelt(key, value), report)
            if made not in (None, [], {}):
                found[key] = made
    return found


def _spelt(key: str, value: Any) -> Any:
    """A value in the model's spelling: amounts with a unit, numbers as numbers, pairs as a mapping."""
    kind = CONTAINER.keys[key].kind
    if isinstance(kind, Size):
        return sizes.size(value, kind) or value
    if isinstance(kind, Seconds):
        return _within(kind, value)[0]
    if isinstance(kind, Whole):
        number = whole(value)
        return value if number is None else number
    if key == "labels" and isinstance(value, list):
        return {name: item for name, item in variables(value).items() if item is not None}
    if key in PER_NAME and isinstance(value, list):
        separator = "=" if key != "extra_hosts" else ":"
        return dict(
            str(each).replace("=", separator, 1).split(separator, 1) for each in value if separator in str(each)
        )
    if key == "tmpfs":
        items = value if isinstance(value, list) else [value]
        return [each if "size=" in str(each) else f"{each}{',' if ':' in str(each) else ':'}size=64m" for each in items]
    if key in PER_ITEM and not isinstance(value, list):
        return [value]
    return value


def _within(kind: Any, value: Any) -> tuple[Any, bool]:
    """A duration or a number, moved into its kind's bounds, and whether that changed it; another value as it stands."""
    number = sizes.seconds(value) if isinstance(kind, Seconds) else whole(value) if isinstance(kind, Whole) else None
    if number is None:
        return value, False
    moved = min(max(number, kind.low), kind.high)
    return f"{moved}s" if isinstance(kind, Seconds) else moved, moved != number


def _judged(part: Part, key: str, value: Any, report: Report) -> Any:
    if key in PER_ITEM:
        return [item for item in value if _right(part.name, key, [item], report)]
    if key == "labels":
        value = {name: item for name, item in value.items() if not _told_of_label(part, str(name), item, report)}
    if key in PER_NAME and isinstance(value, Mapping):
        return {
            name: _numbers(item) if name in ULIMITS else item
            for name, item in value.items()
            if _right(part.name, key, {name: item}, report)
        }
    return value if _right(part.name, key, value, report) else None


def _told_of_label(part: Part, name: str, value: Any, report: Report) -> bool:
    """Whether a label has no place here, which is told."""
    if name.startswith(OF_PROXIES):
        reason = "the site's load balancer is the proxy here: routes say what comes to it."
    elif is_secret(name.rpartition(".")[2], value) or has_secret(value):
        reason = "has a secret in clear, and whoever sees a container sees its labels. Leave it out."
    else:
        return False
    report.drop(f"{part.name}.labels.{name}", reason)
    return True


def _numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: whole(item) for name, item in value.items()}
    return whole(value)


def _right(name: str, key: str, value: Any, report: Report) -> bool:
    problems = complaints(CONTAINER.keys[key].kind, value, name, key)
    for each in problems:
        report.drop(each.subject.removesuffix("[0]"), each.sentence)
    return not problems


def health(part: Part, report: Report) -> dict[str, Any] | None:
    """The health check of a container, within ECS's bounds; None where there is none that ECS can ask."""
    given = part.given.get("healthcheck")
    if not isinstance(given, Mapping) or given.get("disable") is True:
        return None
    subject = f"{part.name}.healthcheck"
    if part.kind == "job":
        report.drop(subject, JOB.elsewhere["healthcheck"])
        return None
    if has_secret(given.get("test")):
        report.drop(f"{subject}.test", IN_CLEAR)
        return None
    made: dict[str, Any] = {}
    for key, value in given.items():
        made[key], was_moved = _within(HEALTH.keys[key].kind if key in HEALTH.keys else None, value)
        if was_moved:
            report.choose(f"{subject}.{key}", f"{made[key]} in place of {value}: ECS takes no other.")
    for each in complaints(CONTAINER.keys["healthcheck"].kind, made, part.name, "healthcheck"):
        report.drop(each.subject, each.sentence)
        made.pop(str(each.path[-1]), None)
    return made if "test" in made else None


def memory(part: Part, default: str, report: Report) -> dict[str, Any]:
    """`mem_limit`, which every container has here, `mem_reservation`, and `cpu_shares`."""
    given, resources = part.given, (part.given.get("deploy") or {}).get("resources") or {}
    limits, reserved = resources.get("limits") or {}, resources.get("reservations") or {}
    kind: Any = CONTAINER.keys["mem_limit"].kind
    limit = sizes.size(given.get("mem_limit") or limits.get("memory"), kind)
    soft = sizes.size(given.get("mem_reservation") or reserved.get("memory"), kind)
    if limit is None:
        limit = soft or default
        report.want(
            f"{part.name}.mem_limit", f"{limit} is a guess: docker stats shows what the container takes, beyond the "
            "limit it is stopped.",
        )  # fmt: skip
    made: dict[str, Any] = {"mem_limit": limit}
    if soft and (sizes.mebibytes(soft) or 0) < (sizes.mebibytes(limit) or 0):
        made["mem_reservation"] = soft
    cpus = given.get("cpus") or reserved.get("cpus") or limits.get("cpus")
    if cpus is not None and "cpu_shares" not in given and (share := sizes.shares(cpus)):
        made["cpu_shares"] = share
        report.choose(f"{part.name}.cpu_shares", f"{share} for {cpus} CPUs, a share, which only counts on a busy host.")
    return made
