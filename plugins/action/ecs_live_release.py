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
from plugins.plugin_utils.revisions import ended_well
from plugins.plugin_utils.site.images import release, with_tag
from plugins.plugin_utils.site.labels import IMAGE, RELEASE, TAG


class ActionModule(AwsAction):
    """See plugins/modules/ecs_live_release.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read the services and their task definitions."""
        self.ecs, self.cluster = self.client("ecs"), str(self.arguments["cluster"])
        services: dict[str, dict[str, Any]] = {}
        jobs: dict[str, dict[str, Any]] = {}
        images: dict[str, str] = {}
        for entry, service, definition in sorted(self._services(), key=lambda each: each[0]):
            running = service.get("runningCount", 0)
            services[entry] = {"service": service["serviceArn"], "running": running, **_described(definition)}
            images = services[entry]["images"] | images
        if set(self.arguments["images"]) - images.keys() or self.arguments["jobs"]:
            for entry, answer in self._jobs():
                jobs[entry] = _described(answer["taskDefinition"]) | {"ran": bool(ended_well(answer))}
                images = jobs[entry]["images"] | images
        return {"changed": False, "services": services, "jobs": jobs, "images": images}

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
                    definition = self._revision(service["taskDefinition"])["taskDefinition"]
                    entry = definition["family"].removeprefix(f"{self.cluster}-service-")
                    if entry != definition["family"]:
                        yield entry, service, definition

    def _jobs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Entry and newest revision of each job, with its tags."""
        begin = f"{self.cluster}-job-"
        for family in listed(
            self.ecs, "list_task_definition_families", "families", familyPrefix=begin, status="ACTIVE"
        ):
            yield family.removeprefix(begin), self._revision(family)

    def _revision(self, name: str) -> dict[str, Any]:
        return dict(self.ecs.describe_task_definition(taskDefinition=name, include=["TAGS"]))


def _described(definition: Mapping[str, Any]) -> dict[str, Any]:
    """What a task definition runs, and the name of its release, if that was given rather than made of its images."""
    labels = [each.get("dockerLabels", {}) for each in definition["containerDefinitions"]]
    runs = [
        with_tag(each["image"], named.get(TAG, ""))
        for each, named in zip(definition["containerDefinitions"], labels, strict=True)
    ]
    label = next((each[RELEASE] for each in labels if RELEASE in each), "")
    return {
        "task_definition": definition["taskDefinitionArn"],
        "release": label,
        "name": "" if label == release(runs) else label,
        "images": {named[IMAGE]: image for named, image in zip(labels, runs, strict=True) if IMAGE in named},
    }
