"""Find the revision of a task definition that belongs to a release, or to what is live."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_task_revision import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.ecs import short, some
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.revisions import has_images, newest_first, release_of


class ActionModule(AwsAction):
    """See plugins/modules/ecs_task_revision.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Look at one revision after the other.

        Raises:
            Failed: the family has none, or none of the release.
        """
        family, release = self.arguments["family"], self.arguments["release"]
        releases: list[str] = []
        newest: dict[str, Any] | None = None
        for definition in newest_first(self.client("ecs"), family):
            newest = newest or definition
            releases.append(release_of(definition))
            if releases[-1] == release if release else has_images(definition, self.arguments["images"]):
                return self._found(definition)
        if newest is None:
            raise Failed(f"There is no task definition {family} yet. Type: {verb('site.yml')}")
        if release:
            raise Failed(_unknown(family, release, list(dict.fromkeys(filter(None, releases)))))
        self.say(
            short(family), f"no revision runs the images that are live: taking the newest, {_name(newest)}", "yellow"
        )
        return self._found(newest)

    @staticmethod
    def _found(definition: dict[str, Any]) -> dict[str, Any]:
        arn = definition["taskDefinitionArn"]
        return {"changed": False, "task_definition": arn, "release": release_of(definition)}


def _unknown(family: str, release: str, releases: list[str]) -> str:
    """That no revision is of the release; of those that there are the nearest comes first."""
    near = difflib.get_close_matches(release, releases, 3)
    there = some(dict.fromkeys([*near, *releases])) or "none of its revisions says one"
    example = f" Type for example: -e release={(near or releases)[0]}" if releases else ""
    return f"No revision of {family} is of the release {release} ({there}).{example}"


def _name(definition: dict[str, Any]) -> str:
    return short(definition["taskDefinitionArn"])
