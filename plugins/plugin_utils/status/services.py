"""The services: what runs, what is wanted, how the deployments stand, and why something has no place.

Asks ListServices, DescribeServices, DescribeTaskDefinition, and what stopped.py and targets.py ask.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.ecs import chunks, listed, primary_of, short
from plugins.plugin_utils.ecs_placement import Needs, arithmetic, obstacle, usable
from plugins.plugin_utils.ecs_service_watch import NO_PLACE, event_text
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.site.labels import RELEASE
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.status import stopped, targets
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import ago, iso, many, seconds_since

SETTLED = "has reached a steady state"
RECENT_SECONDS = 3_600
"""How long an end that nobody wanted is worth a word: as long as ECS remembers it."""


class Services:
    """Asks for the services of a site, and judges them.

    Args:
        client: gives a boto3 client.
        cluster: its name, with which the families of the services begin (`<cluster>-service-<entry>`).
        hosts: the container instances, of hosts.py.
        now: with its time zone.
    """

    def __init__(self, client: Client, cluster: str, hosts: list[dict[str, Any]], now: datetime.datetime) -> None:
        self._client, self._cluster, self._hosts, self._now = client, cluster, hosts, now
        self._definitions: dict[str, dict[str, Any]] = {}

    def look(self, site: Site) -> Part:
        """All of them, in the order of the inventory; those that it has no longer come last."""
        part = Part([])
        found = part.ask("services", "ecs", lambda: dict(self._live()))
        if found is None:
            return part
        for name in [*site.services, *(each for each in found if each not in site.services)]:
            if name not in found:
                part.is_wrong(f"service.{name}", "does not run", verb("site.yml"))
                continue
            self._one(part, name, found[name])
            if name not in site.services:
                part.note(f"service.{name}", "runs, but the inventory has it no longer", verb("site.yml"))
        return part

    def _live(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Entry and service, of DescribeServices."""
        ecs, begin = self._client("ecs"), f"{self._cluster}-service-"
        try:
            arns = listed(ecs, "list_services", "serviceArns", cluster=self._cluster)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClusterNotFoundException":
                return
            raise
        for some in chunks(arns, 10):
            for service in ecs.describe_services(cluster=self._cluster, services=some)["services"]:
                family = short(service["taskDefinition"]).rpartition(":")[0]
                if service["status"] == "ACTIVE" and family.startswith(begin):
                    yield family.removeprefix(begin), service

    def _definition(self, arn: str) -> dict[str, Any]:
        if arn not in self._definitions:
            self._definitions[arn] = self._client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return self._definitions[arn]

    def _one(self, part: Part, name: str, service: Mapping[str, Any]) -> None:
        about = f"service.{name}"
        definition = part.ask(about, "ecs", self._definition, service["taskDefinition"]) or {}
        ends = part.ask(about, "ecs", stopped.of_service, self._client, self._cluster, service["serviceName"])
        past = stopped.look(self._client, self._cluster, ends or [], about, self._definitions, self._now)
        health = targets.look(self._client, service, about)
        facts = {
            "name": name,
            "release": release(definition),
            "revision": short(service["taskDefinition"]),
            "running": service["runningCount"],
            "desired": service["desiredCount"],
            "pending": service["pendingCount"],
            "deployments": [self._deployment(each) for each in service["deployments"]],
            "no_place": unplaced(service, definition, self._hosts),
            "targets": health.facts,
            "stopped": past.facts,
        }
        part.facts.append(facts)
        judge(part, facts)
        for each in (past, health):
            part.wrong += each.wrong
            part.notes += each.notes
            part.unasked += each.unasked

    def _deployment(self, each: Mapping[str, Any]) -> dict[str, Any]:
        at = each["createdAt"]
        return {
            "status": each["status"],
            "rollout": each.get("rolloutState", ""),
            "reason": each.get("rolloutStateReason", ""),
            "revision": short(each["taskDefinition"]),
            "running": each.get("runningCount", 0),
            "desired": each.get("desiredCount", 0),
            "pending": each.get("pendingCount", 0),
            "failed": each.get("failedTasks", 0),
            "created": iso(at),
            "age_seconds": seconds_since(at, self._now),
        }


def release(definition: Mapping[str, Any]) -> str:
    """The name of the release that a task definition belongs to; empty if it has none."""
    labels = (each.get("dockerLabels", {}) for each in definition.get("containerDefinitions", []))
    return next((str(each[RELEASE]) for each in labels if RELEASE in each), "")


def unplaced(service: Mapping[str, Any], definition: Mapping[str, Any], hosts: list[dict[str, Any]]) -> str:
    """Why a task that is wanted has no place, with the arithmetic; empty if none is without one.

    Args:
        service: of DescribeServices.
        definition: what it is to run.
        hosts: the container instances.
    """
    primary = primary_of(service) or {}
    missing = primary.get("desiredCount", 0) - primary.get("runningCount", 0) - primary.get("pendingCount", 0)
    if missing <= 0:
        return ""
    for event in service.get("events", []):  # the newest comes first
        text = event_text(event["message"])
        if SETTLED in text:
            return ""
        if NO_PLACE in text:
            needs = Needs.of(definition) if definition else None
            if needs and hosts and all(not usable(each) or obstacle(each, needs) for each in hosts):
                return arithmetic(needs, hosts)
            return text
    return ""


def judge(part: Part, facts: Mapping[str, Any]) -> None:
    """Judge one service by its facts."""
    about, name = f"service.{facts['name']}", facts["name"]
    running, desired = facts["running"], facts["desired"]
    logs = verb("logs.yml") + f" -e service={name}"
    if facts["no_place"]:
        part.is_wrong(
            about,
            f"a task has no place: {facts['no_place']}. Lower mem_limit, or take more or larger hosts",
            verb("site.yml"),
        )
    elif running < desired:
        part.is_wrong(about, f"{running} of {many(desired, 'task')} running, {facts['pending']} starting", logs)
    for each in facts["deployments"]:
        if each["rollout"] == "FAILED":
            part.is_wrong(about, f"the deployment of {each['revision']} failed: {each['reason']}", logs)
        elif each["rollout"] == "IN_PROGRESS" and each["status"] == "PRIMARY":
            failed = f", {many(each['failed'], 'task')} failed" if each["failed"] else ""
            part.note(about, f"is being deployed: {each['running']} of {many(each['desired'], 'task')} running{failed}")
    ends = [each for each in facts["stopped"] if each["failed"] and (each["age_seconds"] or 0) < RECENT_SECONDS]
    if ends:
        what = (
            f"{many(len(ends), 'task')} ended by itself" if len(ends) == 1 else f"{len(ends)} tasks ended by themselves"
        )
        part.note(about, f"{what}, the last {ago(ends[0]['age_seconds'] or 0)}: {ends[0]['reason']}", logs)
