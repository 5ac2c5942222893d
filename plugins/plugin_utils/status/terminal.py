"""The status on a terminal: one page of lines, what is wrong first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.status import alarms, backups, maintenance
from plugins.plugin_utils.status.schedule_state import COLORS
from plugins.plugin_utils.status.words import age, ago, many, shown

Line = tuple[str, str | None]
"""Text, and Ansible's name of its color."""
INDENT = "  "
GOOD, BAD, WARN, DIM, HEAD = "green", "red", "yellow", "bright gray", "cyan"


def rendered(model: Mapping[str, Any]) -> list[Line]:
    """The lines of a model of model.py; whoever shows them knows whether there are colors."""
    return list(_all(model))


def _all(model: Mapping[str, Any]) -> Iterator[Line]:
    site = model["site"]
    verdict = "well" if model["well"] else f"NOT WELL: {many(len(model['wrong']), 'thing')}"
    where = " · ".join(filter(None, (f"{site['name']} {site['environment']}", site["region"], site["url"])))
    yield f"{where} · {verdict}", GOOD if model["well"] else BAD
    yield f"asked {shown(site['asked'])}", DIM
    yield from _findings("What is not well", model["wrong"], BAD)
    yield from _findings("Worth knowing", model["notes"], WARN)
    for title, lines in (
        ("Maintenance", _maintenance(model["maintenance"])),
        ("Services", _each(_service, model["services"])),
        ("Hosts", _each(_host, model["hosts"])),
        (
            "Data",
            [*_each(_database, model["databases"]), *_each(_volume, model["volumes"]), *_backups(model["backups"])],
        ),
        ("Schedules", _each(_schedule, model["schedules"])),
        ("Certificate", _certificate(model["certificate"])),
        ("Alarms", _alarms(model["alarms"])),
        ("Stacks", _stacks(model["stacks"])),
        ("Lock and ledger", _ledger(model["ledger"]) if site["up"] else ()),
        ("A month, estimated", _cost(model["cost"])),
        ("Not asked", _unasked(model["unasked"])),
    ):
        found = list(lines)
        if found:
            yield "", None
            yield title, HEAD
            yield from found


def _each(render: Any, items: Iterable[Mapping[str, Any]] | None) -> Iterator[Line]:
    for item in items or ():
        yield from render(item)


def _findings(title: str, found: list[Mapping[str, str]], color: str) -> Iterator[Line]:
    if found:
        yield "", None
        yield title, color
    for each in found:
        yield f"{INDENT}{each['about']}: {each['what']}", color
        if each["type"]:
            yield f"{INDENT}{INDENT}{each['type']}", None


def _maintenance(each: Mapping[str, Any] | None) -> Iterator[Line]:
    if each and each["on"]:
        yield f"{INDENT}{maintenance.said(each)}", WARN


def _service(each: Mapping[str, Any]) -> Iterator[Line]:
    full = each["running"] >= each["desired"]
    release = f" · release {each['release']}" if each["release"] else ""
    pending = f", {each['pending']} starting" if each["pending"] else ""
    counts = f"{each['running']} of {many(each['desired'], 'task')}{pending}"
    yield f"{INDENT}{each['name']}: {counts}{release} · {each['revision']}", GOOD if full else BAD
    for one in each["deployments"]:
        failed = f", {one['failed']} failed" if one["failed"] else ""
        state = f"{one['running']} of {one['desired']} running{failed}"
        why = f": {one['reason']}" if one["reason"] else ""
        color = BAD if one["rollout"] == "FAILED" else None
        yield (
            (
                f"{INDENT * 2}deployment {one['status']} {one['rollout']} · {one['revision']} · {state} · "
                f"{ago(one['age_seconds'])}{why}"
            ),
            color,
        )
    if each["no_place"]:
        yield f"{INDENT * 2}no place: {each['no_place']}", BAD
    for one in each["targets"]:
        why = f": {one['reason']}" if one["reason"] else ""
        color = BAD if one["state"] == "unhealthy" else None
        yield f"{INDENT * 2}target {one['target']} of {one['container']}:{one['port']} {one['state']}{why}", color
    yield from _ends(each["stopped"])


def _ends(stopped: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    for one in stopped:
        when = ago(one["age_seconds"]) if one["age_seconds"] is not None else "being stopped"
        yield f"{INDENT * 2}ended {when} · {one['task'][:8]} · {one['reason']}", WARN if one["failed"] else DIM
        for container in one["containers"]:
            code = "no exit code" if container["exit_code"] is None else f"exit code {container['exit_code']}"
            yield f"{INDENT * 3}{container['name']}: {code}", DIM
            for line in container["log"]:
                yield f"{INDENT * 4}{line}", DIM


def _host(each: Mapping[str, Any]) -> Iterator[Line]:
    facts = [each["type"], each["zone"], each["state"]]
    if each["age_seconds"] is not None:
        facts.append(f"up {age(each['age_seconds'])}")
    facts.append("behind" if each["behind"] else "")
    yield f"{INDENT}{each['instance']}: {' · '.join(filter(None, facts))}", GOOD if each["usable"] else BAD
    days = each["ami"]["age_days"]
    image = f"AMI {each['ami']['id'] or 'unknown'}" + (f", {many(days, 'day')} old" if days is not None else "")
    agent = f"agent {each['agent']['version'] or '?'}, {'' if each['agent']['connected'] else 'NOT '}connected"
    yield f"{INDENT * 2}{image} · {agent} · Docker {each['docker'] or '?'}", None
    memory, cpu = each["memory"], each["cpu"]
    room = f"{memory['left']} of {memory['of']} MiB and {cpu['left']} of {cpu['of']} CPU units left"
    yield f"{INDENT * 2}{many(each['tasks'], 'task')} · {room}", None


def _database(each: Mapping[str, Any]) -> Iterator[Line]:
    zones = " · two zones" if each["multi_az"] else ""
    facts = f"{each['status']} · {each['class']} · {each['engine']} · {storage(each)}{zones}"
    yield f"{INDENT}database {each['name']}: {facts}", GOOD if each["status"] == "available" else BAD
    yield f"{INDENT * 2}restorable to {shown(each['restorable_to']) or 'no time yet'} · {backup(each)}", None
    if told := proven_by(each["certificate"]):
        yield f"{INDENT * 2}{told}", None


def storage(each: Mapping[str, Any]) -> str:
    """How much storage a database has, and to what it may grow by itself."""
    most = each["storage_max_gb"]
    return f"{each['storage_gb']} GB" + (f" of at most {most}" if most else "")


def proven_by(each: Mapping[str, Any]) -> str:
    """What a server proves itself by, and until when; empty where nothing is known of it."""
    if not each["authority"]:
        return ""
    until = f", until {each['authority_ends'][:10]}" if each["authority_ends"] else ""
    own = f"certificate until {each['ends'][:10]} by " if each["ends"] else "certificate by "
    return f"{own}{each['authority']}{until}"


def _volume(each: Mapping[str, Any]) -> Iterator[Line]:
    facts = f"{each['status']} · {each['file_system']} · {each['size_gb']} GB"
    yield f"{INDENT}volume {each['name']}: {facts} · {backup(each)}", GOOD if each["status"] == "available" else BAD


def _backups(each: Mapping[str, Any] | None) -> Iterator[Line]:
    if each:
        yield f"{INDENT}backups: {backups.said(each)}", None
        yield f"{INDENT}last drill of a restore: {backups.drilled(each)}", None


def backup(each: Mapping[str, Any]) -> str:
    """How old the newest backup of a database or volume is, in words."""
    seconds = each["newest_backup_age_seconds"]
    if each["newest_backup"] is None:
        return "backups not asked"
    return "no backup yet" if seconds is None else f"newest backup {ago(seconds)}"


def _schedule(each: Mapping[str, Any]) -> Iterator[Line]:
    wrote = f"last wrote {shown(each['last_wrote'])}" if each["last_wrote"] else "has written nothing yet"
    when = f"{each['schedule']} {each['zone']}"
    color = {"good": GOOD, "bad": BAD}.get(COLORS[each["state"]])
    yield f"{INDENT}{each['name']}: {each['state']} · {when} · {last_run(each)} · {wrote}", color
    yield from _ends(each["stopped"])


def last_run(each: Mapping[str, Any]) -> str:
    """When a job began last and how that ended, in words."""
    code = "" if each["exit_code"] is None else f", exit code {each['exit_code']}"
    lost = f", {many(each['lost'], 'run')} not started" if each["lost"] else ""
    return f"last run {shown(each['began'])}{code}{lost}" if each["began"] else f"no run known{lost}"


def _certificate(each: Mapping[str, Any] | None) -> Iterator[Line]:
    if each:
        left = f" · ends in {many(each['days_left'], 'day')}" if each["days_left"] is not None else ""
        yield f"{INDENT}{each['domain']}: {each['status']}{left}", GOOD if each["status"] == "ISSUED" else BAD


def _alarms(each: Mapping[str, Any] | None) -> Iterator[Line]:
    if not each or not each["topic"]:
        return
    ringing = [one for one in each["alarms"] if one["state"] == "ALARM"]
    yield f"{INDENT}{alarms.summed(each)}", BAD if ringing else GOOD
    for one in ringing:
        yield f"{INDENT * 2}{one['layer']} {one['called']} {ago(one['age_seconds'])}: {one['reason']}", None
    for one in each["subscribers"]:
        yield f"{INDENT * 2}{one['endpoint']}: {one['state']}", GOOD if one["state"] == alarms.CONFIRMED else BAD
    if each["budget"]:
        yield f"{INDENT * 2}budget: {alarms.cost(each['budget'])}", BAD if each["budget"]["rings"] else None


def _stacks(found: list[Mapping[str, Any]] | None) -> Iterator[Line]:
    if found:
        yield f"{INDENT}{summed(found)}", GOOD if all(each["well"] for each in found) else BAD
    for each in found or ():
        if not each["well"] or each["status"].endswith("_IN_PROGRESS"):
            yield f"{INDENT * 2}{each['layer']}: {each['status']} {ago(each['age_seconds'])}", None


def summed(found: list[Mapping[str, Any]]) -> str:
    """All stacks in one sentence."""
    well = sum(each["well"] for each in found)
    drifted = sum(each["drifted"] for each in found)
    newest = min(each["age_seconds"] for each in found)
    drift = f"{drifted} changed by hand" if drifted else "none known to be changed by hand"
    return f"{well} of {many(len(found), 'stack')} well, {drift}; the last change was {ago(newest)}"


def _ledger(each: Mapping[str, Any]) -> Iterator[Line]:
    if not each["there"]:
        yield f"{INDENT}no ledger", DIM
        return
    lock = each["lock"]
    if lock:
        yield (
            f"{INDENT}locked by {lock['who']} ({lock['where']}): {lock['verb']} since {shown(lock['started'] or '')}",
            WARN,
        )
    else:
        yield f"{INDENT}not locked", None
    for one in each["verbs"]:
        color = BAD if one["outcome"] == "failed" else None
        when = ago(one["age_seconds"]) if one["age_seconds"] is not None else ""
        yield f"{INDENT}{when}: {done(one)}", color


def done(one: Mapping[str, Any]) -> str:
    """One run of the ledger in a sentence."""
    release = f" {one['release']}" if one["release"] else ""
    why = f": {one['reason']}" if one["reason"] else ""
    took = f" in {age(one['seconds'])}" if one["seconds"] else ""
    return f"{one['verb']}{release} by {one['who']}, {one['outcome']}{took}{why}"


def _cost(each: Mapping[str, Any] | None) -> Iterator[Line]:
    if each:
        yield f"{INDENT}${each['usd']} · {priced(each)}", None


def priced(each: Mapping[str, Any]) -> str:
    """What an estimate is made of, and what is not in it."""
    parts = [f"list prices of {each['prices_of']}, read on {each['dated']} ({each['file']})"]
    if not each["same_region"]:
        parts.append("the site's region has others")
    if each["without_price"]:
        parts.append(f"no price is known of {', '.join(each['without_price'])}")
    return "; ".join([*parts, f"not in it: {each['not_in']}"])


def _unasked(found: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    for each in found:
        yield f"{INDENT}{each['about']}: {unasked(each)}", WARN


def unasked(each: Mapping[str, str]) -> str:
    """Why something could not be asked."""
    return f"the right {each['action']} is missing" if each["action"] else each["why"]
