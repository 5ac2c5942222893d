"""Say which release a cluster's service runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_live_release import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.ecs import chunks, listed

NOTHING: dict[str, Any] = {"changed": False, "task_definition": "", "service": "", "images": {}, "release": ""}


class ActionModule(AwsAction):
    """See plugins/modules/ecs_live_release.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read the service and its task definition.

        Raises:
            Failed: the cluster has several services, so that none can be told to be the site's.
        """
        ecs, cluster = self.client("ecs"), self.arguments["cluster"]
        try:
            arns = listed(ecs, "list_services", "serviceArns", cluster=cluster)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClusterNotFoundException":
                return NOTHING
            raise
        services = [
            service
            for part in chunks(arns, 10)
            for service in ecs.describe_services(cluster=cluster, services=part)["services"]
        ]
        active = [service for service in services if service["status"] == "ACTIVE"]
        if not active:
            return NOTHING
        if len(active) > 1:
            names = ", ".join(sorted(service["serviceName"] for service in active))
            raise Failed(
                f"The cluster {cluster} has several services ({names}); the site has one, that of its stack. "
                "Move the others into a cluster of their own."
            )
        arn = active[0]["taskDefinition"]
        containers = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"]
        releases = {
            pair["value"]
            for container in containers
            for pair in container.get("environment", [])
            if pair["name"] == "RELEASE"
        }
        return {
            "changed": False,
            "task_definition": arn,
            "service": active[0]["serviceArn"],
            "images": {container["name"]: container["image"] for container in containers},
            "release": min(releases, default=""),
        }
