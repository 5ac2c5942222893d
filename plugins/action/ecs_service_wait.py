"""Wait until an ECS service runs a task definition, and tell a rollback from a success."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_service_wait import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.ecs import listed, same_task_definition, tasks, why_stopped

EVENTS = 3
"""How many of the service's last events go into a failure's message."""


class ActionModule(AwsAction):
    """See plugins/modules/ecs_service_wait.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Wait for the primary deployment.

        Raises:
            Failed: it was rolled back, failed, or is not complete in time.
        """
        wanted = self.arguments["task_definition"]
        service = self._find()
        if self.check_mode:
            return self._result(service) if service else {"changed": False}
        if service is None:
            raise Failed(self._no_service())
        name = service["serviceName"]
        wait = Wait(self.arguments["timeout"], self.say, name)
        seen = {event["id"] for event in service.get("events", [])}
        while True:
            primary = self._primary(service)
            running = f"{primary.get('runningCount', 0)} of {primary.get('desiredCount', 0)} tasks running"
            if wanted and not same_task_definition(primary["taskDefinition"], wanted):
                raise Failed(self._rolled_back(service, primary, wanted))
            if primary.get("rolloutState") == "FAILED":
                reason = primary.get("rolloutStateReason") or "no reason given"
                raise Failed(f"The deployment of {name} failed: {reason}{self._why(service)}")
            if _complete(service, primary):
                self.say(name, f"{_short(primary['taskDefinition'])}: {running}", "green")
                return self._result(service)
            for event in reversed(service.get("events", [])):
                if event["id"] not in seen:
                    seen.add(event["id"])
                    wait.tell(event["message"])
            wait.tell(running)
            if not wait.pause(f"its deployment ({running})"):
                raise Failed(f"{name} is not deployed after {wait.seconds:.0f} s: {running}.{self._why(service)}")
            service = self._find()
            if service is None:
                raise Failed(self._no_service())

    def _find(self) -> dict[str, Any] | None:
        """The service, or None if there is none."""
        try:
            found = self.client("ecs").describe_services(
                cluster=self.arguments["cluster"], services=[self.arguments["service"]]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClusterNotFoundException":
                return None
            raise
        return next((dict(each) for each in found["services"] if each["status"] != "INACTIVE"), None)

    def _no_service(self) -> str:
        cluster, name = self.arguments["cluster"], self.arguments["service"]
        return f"There is no service {name} in the cluster {cluster}. Run site.yml first."

    @staticmethod
    def _primary(service: Mapping[str, Any]) -> dict[str, Any]:
        for deployment in service["deployments"]:
            if deployment["status"] == "PRIMARY":
                return dict(deployment)
        raise Failed(f"{service['serviceName']} has no deployment; it is {service['status']}.")

    def _rolled_back(self, service: Mapping[str, Any], primary: Mapping[str, Any], wanted: str) -> str:
        reasons = [
            each["rolloutStateReason"]
            for each in service["deployments"]
            if same_task_definition(each["taskDefinition"], wanted) and each.get("rolloutStateReason")
        ]
        because = f" ({'; '.join(reasons)})" if reasons else ""
        return (
            f"{service['serviceName']} was rolled back: it runs {_short(primary['taskDefinition'])}, not "
            f"{_short(wanted)}{because}.{self._why(service)}"
        )

    def _why(self, service: Mapping[str, Any]) -> str:
        """The last events, and why tasks were stopped: the nearest that ECS comes to a reason."""
        ecs, cluster = self.client("ecs"), self.arguments["cluster"]
        name = service["serviceName"]
        arns = listed(ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=name, desiredStatus="STOPPED")
        newest = sorted(tasks(ecs, cluster, arns), key=lambda task: str(task.get("stoppedAt")))[-EVENTS:]
        lines = [event["message"] for event in service.get("events", [])[:EVENTS]] + why_stopped(newest)
        return "".join(f"\n  {line}" for line in lines)

    def _result(self, service: Mapping[str, Any]) -> dict[str, Any]:
        primary = self._primary(service)
        return {
            "changed": False,
            "task_definition": primary["taskDefinition"],
            "running": service.get("runningCount", 0),
            "desired": service.get("desiredCount", 0),
        }


def _complete(service: Mapping[str, Any], primary: Mapping[str, Any]) -> bool:
    state = primary.get("rolloutState")
    if state:
        return bool(state == "COMPLETED")
    # Services without a deployment controller of type ECS tell no state: then steady means one deployment, all running.
    return len(service["deployments"]) == 1 and primary.get("runningCount") == primary.get("desiredCount")


def _short(task_definition: str) -> str:
    return task_definition.rsplit("/", 1)[-1]
