"""Say what a site's services run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_live_release import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction
from plugins.plugin_utils.ecs import chunks, listed
from plugins.plugin_utils.revisions import IMAGE, release_of


class ActionModule(AwsAction):
    """See plugins/modules/ecs_live_release.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read the services and their task definitions."""
        self.ecs, self.cluster = self.client("ecs"), str(self.arguments["cluster"])
        services: dict[str, dict[str, Any]] = {}
        images: dict[str, str] = {}
        for entry, service, definition in sorted(self._services(), key=lambda each: each[0]):
            services[entry] = {
                "service": service["serviceArn"],
                "task_definition": definition["taskDefinitionArn"],
                "release": release_of(definition),
            }
            images = _images(definition) | images
        if set(self.arguments["images"]) - images.keys():
            for definition in self._jobs():
                images = _images(definition) | images
        return {"changed": False, "services": services, "images": images}

    def _services(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Entry, service and task definition of each service of the site."""
        try:
            arns = listed(self.ecs, "list_services", "serviceArns", cluster=self.cluster)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ClusterNotFoundException":
                return
            raise
        for part in chunks(arns, 10):
            for service in self.ecs.describe_services(cluster=self.cluster, services=part)["services"]:
                if service["status"] == "ACTIVE":
                    definition = self._definition(service["taskDefinition"])
                    entry = definition["family"].removeprefix(f"{self.cluster}-service-")
                    if entry != definition["family"]:
                        yield entry, service, definition

    def _jobs(self) -> Iterator[dict[str, Any]]:
        """The newest task definition of each job."""
        begin = f"{self.cluster}-job-"
        for family in listed(
            self.ecs, "list_task_definition_families", "families", familyPrefix=begin, status="ACTIVE"
        ):
            yield self._definition(family)

    def _definition(self, name: str) -> dict[str, Any]:
        return dict(self.ecs.describe_task_definition(taskDefinition=name)["taskDefinition"])


def _images(definition: Mapping[str, Any]) -> dict[str, str]:
    """Image as the inventory calls it → image of the registry."""
    return {
        container["dockerLabels"][IMAGE]: container["image"]
        for container in definition["containerDefinitions"]
        if IMAGE in container.get("dockerLabels", {})
    }
