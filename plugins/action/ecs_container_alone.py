"""Register a task definition that has one container of another, and what that needs."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecs_container_alone import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.ecs import short
from plugins.plugin_utils.ecs_placement import Needs
from plugins.plugin_utils.one_off import NoContainer, alone, at_root, mark_of
from plugins.plugin_utils.places import nearest
from plugins.plugin_utils.revisions import newest_first

LOOKED_AT = 20
"""How many of the newest definitions are looked at for one that is the same; another costs nothing."""
SECRET_NAME = re.compile(r"PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
"""What a variable may be called that holds a secret."""
NAME = "task"


class ActionModule(AwsAction):
    """See plugins/modules/ecs_container_alone.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Find one that is the same, or register it.

        Raises:
            Failed: there is no such container, or a name is one of its secrets.
        """
        ecs = self.client("ecs")
        source, name = self.arguments["task_definition"], self.arguments["container"]
        definition = ecs.describe_task_definition(taskDefinition=source)["taskDefinition"]
        try:
            request = self._request(definition, name)
        except NoContainer:
            names = [each["name"] for each in definition["containerDefinitions"]]
            raise Failed(
                f"{short(source)} has no container {name} ({', '.join(names)}). "
                f"Type: -e container={nearest(name, names)}"
            ) from None
        self._check_names(next(each for each in request["containerDefinitions"] if each["name"] == name))
        result = {
            "containers": [each["name"] for each in request["containerDefinitions"]],
            "memory": Needs.of(request).memory,
        }
        wanted = mark_of(request)
        for known in newest_first(ecs, request["family"], LOOKED_AT):
            if mark_of(known) == wanted:
                return {"changed": False, "task_definition": known["taskDefinitionArn"], **result}
        if self.check_mode:
            return {"changed": True, "task_definition": source, **result}
        tags = [{"key": key, "value": str(value)} for key, value in self.arguments["tags"].items()]
        made = ecs.register_task_definition(**request, **({"tags": tags} if tags else {}))["taskDefinition"]
        return {"changed": True, "task_definition": made["taskDefinitionArn"], **result}

    def _request(self, definition: Mapping[str, Any], name: str) -> dict[str, Any]:
        given = self.arguments
        if not given["file_system"]:
            return alone(definition, name, given["family"])
        return at_root(definition, name, given["family"], given["file_system"], given["entry_point"])

    def _check_names(self, container: Mapping[str, Any]) -> None:
        """Whether the variables that are given besides may be given so."""
        given = self.arguments["environment"]
        taken = sorted({each["name"] for each in container.get("secrets", [])}.intersection(given))
        if taken:
            raise Failed(f"{', '.join(taken)} of {container['name']} is a secret already: leave it out of env.")
        for name in filter(SECRET_NAME.search, given):
            self.say(
                NAME,
                f"{name} looks like a secret: what stands in env is seen by who looks at the task, in CloudTrail and "
                "in this machine's process list. site_secrets has a place for it",
                "yellow",
            )
