"""Render what makes a machine a host: the files and units of its roles, and its user data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.filter.user_data import gzip_base64
from plugins.modules.host_description import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.roles import Roles, cannot_work

USER_DATA_BYTES = 16_384
"""16 KB before Base64: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html. A launch
configuration takes 21,847 characters of Base64, which is one byte less."""
TEMPLATE = PROJECT / "roles/cluster/templates/user-data.yml.j2"


class ActionModule(AwsAction):
    """See plugins/modules/host_description.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Judge, then render.

        Raises:
            Failed: a rule of a host role does not hold, or the user data is too long.
        """
        self.roles = Roles(self._loader, self._templar, self.task_vars)
        files: dict[str, dict[str, Any]] = {}
        units: list[str] = []
        wrong: list[str] = []
        self.host_roles = self.arguments["roles"] or self._host_roles()
        for role in self.host_roles:
            variables = self.roles.variables(role)
            doubtful = self.roles.doubtful(self.roles.rules(role), variables)
            refused = [text for rule in doubtful for _, text in self.roles.refusals(rule, variables)]
            if refused:
                wrong.append(cannot_work(role, refused))
            else:
                files |= self._files(role, variables)
                units += [unit for unit in self.roles.value(variables[f"{role}_units"], variables) if unit not in units]
        if wrong:
            raise Failed("\n".join(wrong))
        user_data = self._user_data(files, units)
        return {"changed": False, "files": files, "units": units, "user_data": user_data}

    def _host_roles(self) -> list[str]:
        known = self.roles.variables("cluster")
        return list(self.roles.value(known["host_roles"], known))

    def _files(self, role: str, variables: dict[str, Any]) -> dict[str, dict[str, Any]]:
        folder = self.roles.directory / role / "templates"
        return {
            file["path"]: {
                "permissions": file["mode"],
                "content": self.roles.text(folder / file["template"], variables),
                "role": role,
                "early": file.get("early", False),
                "drain": file.get("drain", True),
            }
            for file in self.roles.value(variables[f"{role}_files"], variables)
        }

    def _user_data(self, files: dict[str, dict[str, Any]], units: list[str]) -> str:
        known = {**self.task_vars, "host_files": files, "host_units": units}
        text = self.roles.text(Path(self.arguments["template"] or TEMPLATE), known)
        if len(gzip_base64(text)) > USER_DATA_BYTES * 4 // 3:
            raise Failed(
                f"The hosts' user data is too long: compressed, it is more than the {USER_DATA_BYTES} bytes that EC2 "
                f"takes. Shorten what the host roles write ({', '.join(self.host_roles)}); long lists in their "
                "variables are the usual cause, such as docker_engine_registry_mirrors or ecs_agent_attributes."
            )
        return text
