"""Replace the tasks of an ECS service by new ones of the same task definition."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_service_restart import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.ecs import counts, primary_of, service_of, short
from plugins.plugin_utils.ecs_deployment import still_deployed
from plugins.plugin_utils.places import verb


class ActionModule(AwsAction):
    """See plugins/modules/ecs_service_restart.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Begin a new deployment.

        Raises:
            Failed: there is no such service, or it is still being deployed.
        """
        cluster, service = self.arguments["cluster"], self.arguments["service"]
        if self.check_mode:
            primary = self._primary()
            self.say(short(service), f"{short(primary['taskDefinition'])} would be restarted, {counts(primary)}")
            return {"changed": True, "task_definition": primary["taskDefinition"]}
        name = short(service)
        wait = Wait(self.arguments["timeout"], self.say, name)
        if state := still_deployed(self._primary, wait):
            raise Failed(f"{name} was not restarted: it is still being deployed after {wait.seconds:.0f} s ({state}).")
        updated = self.client("ecs").update_service(cluster=cluster, service=service, forceNewDeployment=True)
        begun = primary_of(updated["service"])
        if begun is None:
            raise self._none()
        self.say(name, f"{short(begun['taskDefinition'])}: all its tasks are replaced", "yellow")
        return {"changed": True, "deployment": begun["id"], "task_definition": begun["taskDefinition"]}

    def _primary(self) -> dict[str, Any]:
        found = service_of(self.client("ecs"), self.arguments["cluster"], self.arguments["service"])
        primary = primary_of(found) if found else None
        if primary is None:
            raise self._none()
        return primary

    def _none(self) -> Failed:
        cluster, service = self.arguments["cluster"], short(self.arguments["service"])
        return Failed(f"There is no service {service} in the cluster {cluster}. Type: {verb('site.yml')}")
