"""Wait until an ECS service runs a task definition, and tell a rollback from a success."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_service_wait import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.ecs import (
    container_instances,
    counts,
    listed,
    primary_of,
    same_task_definition,
    service_of,
    short,
    tasks,
)
from plugins.plugin_utils.ecs_placement import usable
from plugins.plugin_utils.ecs_service_watch import LOOK_SECONDS, ServiceReport
from plugins.plugin_utils.expected import Duration
from plugins.plugin_utils.places import verb

STALE_SECONDS = 60.0
"""For how long ECS may still show the state before the deployment: another revision, or no service at all."""
SURE_SECONDS = 10.0
"""For how long a failure must be shown; it may be the one of an earlier attempt."""


class ActionModule(AwsAction):
    """See plugins/modules/ecs_service_wait.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Wait for the primary deployment.

        Raises:
            Failed: it was rolled back, failed, finds no place, or is not complete in time.
        """
        service = self._find()
        if self.check_mode:
            return self._result(service) if service else {"changed": False}
        name = service["serviceName"] if service else short(self.arguments["service"])
        wait = Wait(self.arguments["timeout"], self.say, name)
        duration = self._duration(service)
        wait.expects(duration.expected)
        self._given_up: str | None = None
        report: ServiceReport | None = None
        looked, doubt, since = -LOOK_SECONDS, "", 0.0
        while True:
            complaint, patience = self._complaint(service)
            lacking = self._lacking(service) if service and not complaint and _complete(service) else ""
            if service and not complaint and _complete(service) and not lacking:
                self.say(name, f"{short(_primary(service)['taskDefinition'])}: {_counts(service)}", "green")
                duration.took(wait.elapsed)
                return self._spread(service, self._result(service))
            if service and wait.elapsed - looked >= LOOK_SECONDS:
                looked = wait.elapsed
                report = report or ServiceReport(
                    self.client, self.say, name, self.arguments["cluster"], self.arguments["task_definition"] or "",
                    clock=lambda: wait.elapsed,
                )  # fmt: skip
                report.look(service)
            # What is shown right after a change may be the state of before; only what lasts is believed.
            if complaint != doubt:
                doubt, since = complaint, wait.elapsed
            if doubt and wait.elapsed - since >= patience:
                raise Failed(doubt + _lines(report))
            if hopeless := report.placement.hopeless() if report else "":
                raise Failed(f"{name} cannot be deployed: {hopeless}{_lines(report)}")
            state = lacking or (_counts(service) if service else "ECS shows no such service yet")
            wait.tell(state)
            if not wait.pause(f"its deployment ({state})"):
                late = doubt or f"{name} is not deployed after {wait.seconds:.0f} s: {state}."
                raise Failed(late + _lines(report))
            service = self._find()

    def _duration(self, service: Mapping[str, Any] | None) -> Duration:
        """How long that takes: of a restart, of what is proven behind CloudFormation, or of a deployment."""
        given = self.arguments
        kind = "restart" if given["deployment"] else "proof" if given["proven"] else "service"
        primary = primary_of(service) if service else None
        definition = str(given["task_definition"] or (primary or {}).get("taskDefinition", ""))
        family = short(definition).partition(":")[0]
        return Duration(self.client, short(given["cluster"]), f"{kind}.{family}" if family else "")

    def _complaint(self, service: Mapping[str, Any] | None) -> tuple[str, float]:
        """What is wrong as the service is shown now, and after how many seconds that is to be believed."""
        if service is None:
            cluster, name = self.arguments["cluster"], self.arguments["service"]
            return f"There is no service {name} in the cluster {cluster}. Type: {verb('site.yml')}", STALE_SECONDS
        name, primary = service["serviceName"], _primary(service)
        if not self._is_wanted(primary):
            mine = [each for each in service["deployments"] if self._is_wanted(each)]
            reasons = [each["rolloutStateReason"] for each in mine if each.get("rolloutStateReason")]
            because = f" ({'; '.join(reasons)})" if reasons else ""
            if any(each.get("rolloutState") == "FAILED" for each in mine):
                self._given_up = because  # ECS may soon show it no longer
            elif self._given_up is not None:
                because = self._given_up
            wanted = self.arguments["task_definition"] or primary["taskDefinition"]
            runs, not_this = short(primary["taskDefinition"]), short(wanted)
            if runs == not_this:
                runs, not_this = f"{runs} by {primary['id']}", self.arguments["deployment"]
            sentence = f"it runs {runs}, not {not_this}{because}."
            return f"{name} was rolled back: {sentence}", STALE_SECONDS if self._given_up is None else SURE_SECONDS
        self._given_up = None  # that was an earlier attempt
        if primary.get("rolloutState") == "FAILED":
            reason = primary.get("rolloutStateReason") or "no reason given"
            return f"The deployment of {name} failed: {reason}", SURE_SECONDS
        return "", 0.0

    def _is_wanted(self, deployment: Mapping[str, Any]) -> bool:
        """Whether it is the deployment that is waited for, as far as the arguments say."""
        which, revision = self.arguments["deployment"], self.arguments["task_definition"]
        if which and deployment["id"] != which:
            return False
        return not revision or same_task_definition(deployment["taskDefinition"], revision)

    def _lacking(self, service: Mapping[str, Any]) -> str:
        """What a deployment that is through still lacks to be proven; empty if nothing, or if nobody asks for it."""
        if not self.arguments["proven"]:
            return ""
        others = [short(each["taskDefinition"]) for each in service["deployments"] if each["status"] == "ACTIVE"]
        if others:
            return f"{_counts(service)}, and {', '.join(others)} still runs beside it"
        running, desired = service.get("runningCount", 0), service.get("desiredCount", 0)
        if running != desired:
            return f"{running} tasks run, {desired} are desired"
        if not desired:
            return ""  # nothing is to run, and nothing does
        states = [state for arn in _groups(service) for state in self._targets(arn)]
        healthy = states.count("healthy")
        if any(state not in ("healthy", "draining") for state in states) or (_groups(service) and not healthy):
            return f"{_counts(service)}, {healthy} of {len(states)} targets healthy"
        return ""

    def _targets(self, group: str) -> list[str]:
        answer = self.client("elbv2").describe_target_health(TargetGroupArn=group)
        return [each["TargetHealth"]["State"] for each in answer["TargetHealthDescriptions"]]

    def _find(self) -> dict[str, Any] | None:
        """The service, or None if there is none."""
        return service_of(self.client("ecs"), self.arguments["cluster"], self.arguments["service"])

    def _spread(self, service: Mapping[str, Any], result: dict[str, Any]) -> dict[str, Any]:
        """`result`, with a warning where several tasks stand on fewer hosts than there are.

        While a deployment starts its tasks, those of before still count on their hosts; when they are gone, the new
        ones may stand together, and nothing moves them.
        """
        ecs, cluster, name = self.client("ecs"), self.arguments["cluster"], service["serviceName"]
        if service["desiredCount"] < 2:
            return result
        arns = listed(ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=name)
        running = tasks(ecs, cluster, arns)
        hosts = {
            each["containerInstanceArn"]: str(each.get("ec2InstanceId"))
            for each in container_instances(ecs, cluster)
            if usable(each)
        }
        used = [each["containerInstanceArn"] for each in running if each.get("containerInstanceArn") in hosts]
        if len(set(used)) >= min(len(used), len(hosts)):
            return result
        crowded = max(used, key=used.count)
        surplus = next(each["taskArn"] for each in running if each.get("containerInstanceArn") == crowded)
        many = "both" if used.count(crowded) == 2 else str(used.count(crowded))
        idle = ", ".join(sorted(hosts[arn] for arn in hosts if arn not in used))
        warning = (
            f"{many} tasks of {name} are on host {hosts[crowded]}, none on {idle}: without {hosts[crowded]} the site "
            "is away. Stop one of them, and ECS starts its replacement on an empty host: "
            f"aws ecs stop-task --cluster {short(cluster)} --task {short(surplus)}"
        )
        return result | {"warnings": [warning]}

    def _result(self, service: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "changed": False,
            "task_definition": _primary(service)["taskDefinition"],
            "running": service.get("runningCount", 0),
            "desired": service.get("desiredCount", 0),
        }


def _groups(service: Mapping[str, Any]) -> list[str]:
    """ARNs of its target groups."""
    return [each["targetGroupArn"] for each in service.get("loadBalancers", []) if each.get("targetGroupArn")]


def _primary(service: Mapping[str, Any]) -> dict[str, Any]:
    if found := primary_of(service):
        return found
    raise Failed(f"{service['serviceName']} has no deployment; it is {service['status']}.")


def _complete(service: Mapping[str, Any]) -> bool:
    """Whether the primary deployment is through, and its tasks are there: the two are not always told together."""
    primary = _primary(service)
    all_running = primary.get("runningCount", 0) >= primary.get("desiredCount", 0)
    if state := primary.get("rolloutState"):
        return bool(state == "COMPLETED") and all_running
    # Services without a deployment controller of type ECS tell no state: then steady means one deployment, all running.
    return len(service["deployments"]) == 1 and all_running


def _counts(service: Mapping[str, Any]) -> str:
    return counts(_primary(service))


def _lines(report: ServiceReport | None) -> str:
    """Why, as far as the service knows; each line indented, for the message."""
    return "".join(f"\n  {line}" for line in report.why()) if report else ""
