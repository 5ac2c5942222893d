"""The lines of what others have read: the status of the site, what `verify` has tried, what a host has said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.doctor.signature import (
    DEPLOYMENT,
    HOST,
    LOG,
    RIGHT,
    SSH,
    STACK,
    TARGET,
    TASK,
    TRIED,
    Evidence,
)
from plugins.plugin_utils.status.stopped import PLANNED

SECTION = re.compile(r"^== (?P<name>[\w-]+)$")
"""How a section of what a host says begins (playbooks/templates/doctor-look.sh.j2)."""
JOINING = ("agent", "init", "cloud-init", "boot-report", "failed")
"""Sections that say why a host has not joined. Of one that takes tasks they tell of what is past."""
UNSERVED = ("unhealthy", "unused")
"""States of targets to which no request goes, for a reason that stays; one in a zone without a balancer is `unused`.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""
TOOLS = ("command not found", "No such file or directory")
"""How a line ends by which a host says that it lacks what was to be looked at."""


def of_status(model: Mapping[str, Any]) -> Iterator[Evidence]:
    """The lines of a status (status/model.py)."""
    for service in model["services"] or ():
        yield from _of_service(service)
    for schedule in model["schedules"] or ():
        last = next(iter(schedule["stopped"]), None)
        if last and last["failed"]:
            yield from _of_task(last, f"job.{schedule['name']}")
    for stack in model["stacks"] or ():
        if not stack["well"]:
            reason = f": {stack['reason']}" if stack["reason"] else ""
            yield Evidence(STACK, stack["layer"], f"{stack['status']}{reason}", stack["name"])
    for each in model["unasked"]:
        missing = f" (the right {each['action']} is missing)" if each["action"] else ""
        yield Evidence(RIGHT, each["about"], f"{each['why']}{missing}")


def is_settled(service: Mapping[str, Any]) -> bool:
    """Whether a service of the status is as it is to be: what ended before that is past."""
    deployments = service["deployments"]
    return (
        service["running"] >= service["desired"]
        and len(deployments) == 1
        and deployments[0]["rollout"] in ("COMPLETED", "")
    )


def _of_service(service: Mapping[str, Any]) -> Iterator[Evidence]:
    about = f"service.{service['name']}"
    for each in service["deployments"]:
        if each["reason"] and (each["rollout"] == "FAILED" or each["failed"]):
            yield Evidence(DEPLOYMENT, about, each["reason"], each["revision"])
    for each in service["targets"] or ():
        if each["state"] in UNSERVED:
            yield Evidence(TARGET, about, each["reason"], each["target"])
    settled = is_settled(service)
    for each in service["stopped"]:
        wanted = each["code"] in PLANNED and not each["reason"].startswith("Task failed")
        if not wanted and (not settled or each["revision"] == service["revision"]):
            yield from _of_task(each, about)


def _of_task(task: Mapping[str, Any], about: str) -> Iterator[Evidence]:
    yield Evidence(TASK, about, task["reason"], task["task"])
    for container in task["containers"]:
        for line in container["log"]:
            yield Evidence(LOG, about, line, container["name"])


def of_findings(findings: Iterable[Mapping[str, Any]]) -> Iterator[Evidence]:
    """The lines of what `verify` has found wrong, or could not ask for want of a right."""
    for each in findings:
        if each["state"] == "WRONG":
            yield Evidence(TRIED, each["subject"], f"{each['what']}: {each['reason']}", each["check"])
        elif "not authorized" in each["reason"]:
            yield Evidence(RIGHT, each["subject"], each["reason"], each["check"])


def of_host(name: str, answer: Mapping[str, Any], takes_tasks: bool) -> Iterator[Evidence]:
    """The lines of what a host has said.

    Args:
        name: instance id.
        answer: the result of the task that asked it by ssh.
        takes_tasks: whether ECS counts it as a host that does.
    """
    about = f"host {name}"
    if answer.get("unreachable"):
        yield Evidence(SSH, about, " ".join(str(answer.get("msg", "")).split()))
        return
    section = ""
    for line in str(answer.get("stdout", "")).splitlines():
        if begins := SECTION.match(line):
            section = begins["name"]
        elif line.strip() and not line.endswith(TOOLS) and not (takes_tasks and section in JOINING):
            yield Evidence(HOST, about, line.rstrip(), section)
