"""What the actions of every kind have in common: what they work on, how they find what a request names, pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from local_aws.ecs.errors import EcsError, client, cluster_not_found
from local_aws.ecs.outside import Outside
from local_aws.ecs.state import Cluster, Instance, Json, Region, Service, State, Task

Found = TypeVar("Found", Instance, Service, Task)
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
"""How a cluster or a service may be called."""


class Actions:
    """The actions of one kind of resource: a public method an action, named as the action in snake case.

    They are called with the state's lock held, but for those in `unlocked`, which ask other services first and take the
    lock themselves.

    Args:
        state, region: what they work on.
        outside: the other services (never called with the lock held).
        clock: seconds since the epoch.
    """

    unlocked: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, state: State, region: Region, outside: Outside, clock: Callable[[], float]) -> None:
        self.state = state
        self.region = region
        self.outside = outside
        self.clock = clock

    def _cluster(self, request: Json, key: str = "cluster") -> Cluster:
        name = str(request.get(key) or "default").rpartition("/")[2]
        cluster = self.region.clusters.get(name)
        if cluster is None or cluster.status != "ACTIVE":
            raise cluster_not_found()
        return cluster

    def _definition(self, reference: str) -> Json:
        """The definition of an ARN, `family:revision` or `family` (its newest ACTIVE revision)."""
        name = reference.rpartition("/")[2]
        family, _, revision = name.partition(":")
        found = [each for each in self.region.definitions.values() if each["family"] == family]
        if revision:
            found = [each for each in found if str(each["revision"]) == revision]
        else:
            found = [each for each in found if each["status"] == "ACTIVE"]
        if not found:
            raise client("Unable to describe task definition.")
        return max(found, key=lambda each: int(each["revision"]))

    def _active_definition(self, reference: str) -> Json:
        try:
            definition = self._definition(reference)
        except EcsError:
            raise client("TaskDefinition not found.") from None
        if definition["status"] != "ACTIVE":
            raise client("TaskDefinition is inactive")
        return definition

    def _instance(self, cluster: Cluster, reference: str) -> Instance | None:
        name = reference.rpartition("/")[2]
        return next((each for each in self.region.instances_of(cluster.name) if each.id == name), None)

    def _task(self, cluster: Cluster, reference: str) -> Task | None:
        name = reference.rpartition("/")[2]
        return next((each for each in self.region.tasks_of(cluster=cluster.name) if each.id == name), None)

    def _service(self, cluster: Cluster, reference: str) -> Service | None:
        return self.region.services.get(self.region.arn("service", cluster.name, reference.rpartition("/")[2]))

    def _described(
        self,
        request: Json,
        names: str,
        kind: str,
        find: Callable[[Cluster, str], Found | None],
        view: Callable[[Region, Found, list[str]], Json],
    ) -> Json:
        """What a request names of one cluster; a failure for each that is not there.

        Args:
            request: of a Describe action.
            names: its key with the names or ARNs, in the answer that of what was found.
            kind: what stands for it in an ARN.
            find, view: how one is found, and shown.
        """
        cluster = self._cluster(request)
        found: list[Json] = []
        failures: list[Json] = []
        for reference in request[names]:
            one = find(cluster, reference)
            if one is not None:
                found.append(view(self.region, one, request.get("include", [])))
            else:
                arn = self.region.arn(kind, cluster.name, reference.rpartition("/")[2])
                failures.append({"arn": arn, "reason": "MISSING"})
        return {names: found, "failures": failures}


def page(key: str, items: list[Any], request: Json) -> Json:
    """The page of `items` that a request asks for, as `key`, and where the next one begins (`nextToken`)."""
    start = int(request.get("nextToken") or 0)
    size = int(request.get("maxResults") or 100)
    answer: Json = {key: items[start : start + size]}
    if start + size < len(items):
        answer["nextToken"] = str(start + size)
    return answer
