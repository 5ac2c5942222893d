"""Ask an AWS account what only it knows, before anything is made in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.aws_account_info import DOCUMENTATION
from plugins.plugin_utils.account.gathering import gather
from plugins.plugin_utils.account.rooms import Rooms
from plugins.plugin_utils.aws_action import AwsAction
from plugins.plugin_utils.roles import Roles


class ActionModule(AwsAction):
    """See plugins/modules/aws_account_info.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def given(self) -> dict[str, Any]:
        """What the task asks itself, and what the roles of `questions_of` ask.

        Raises:
            AnsibleActionFail: two roles ask the same question otherwise.
        """
        arguments = super().given()
        rooms = Rooms(Roles(self._loader, self._templar, self.task_vars), arguments.get("questions_of") or [])
        try:
            return rooms.questions() | arguments
        except ValueError as error:
            raise AnsibleActionFail(f"questions_of: {error}.", obj=self._task.args) from None

    def perform(self) -> dict[str, Any]:
        """Ask everything.

        Raises:
            Failed: the region cannot be used.
        """
        return {"changed": False, **gather(self.client, self.arguments)}
