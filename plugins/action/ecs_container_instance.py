"""Drain a host of an ECS cluster, or let it take tasks again, and wait until it is so."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_container_instance import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Wait
from plugins.plugin_utils.ecs import container_instances
from plugins.plugin_utils.host_draining import HostDraining
from plugins.plugin_utils.scale_room import coming


class ActionModule(AwsAction):
    """See plugins/modules/ecs_container_instance.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Bring the host into the wanted state.

        Raises:
            Failed: its tasks have no place elsewhere, or it is not so in time.
        """
        name = self.arguments["instance_id"]
        host = HostDraining(
            self.client("ecs"),
            self.arguments["cluster"],
            name,
            self.say,
            lambda: Wait(self.arguments["timeout"], self.say, name),
            self.arguments["stop_tasks"],
            self.check_mode,
            lambda: coming(self.client, container_instances(self.client("ecs"), self.arguments["cluster"])),
        )
        instance = host.find()
        before = instance["status"] if instance else ""
        result = host.activate(instance) if self.arguments["state"] == "ACTIVE" else host.drain(instance)
        arn = instance["containerInstanceArn"] if instance else ""
        return {"changed": host.changed, "arn": arn, "before": before, "stopped": host.stopped} | result
