"""Refuse settings of a role that cannot work, by the rules beside it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.check_rules import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.roles import Roles, cannot_work


class ActionModule(AwsAction):
    """See plugins/modules/check_rules.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Judge the rules.

        Raises:
            Failed: some do not hold.
        """
        roles, role = Roles(self._loader, self._templar, self.task_vars), self.arguments["role"]
        variables = roles.variables(role)
        doubtful = roles.doubtful(roles.rules(role), variables)
        found = [(rule["name"], sentence) for rule in doubtful for _, sentence in roles.refusals(rule, variables)]
        refused_by = [name for name, _ in found]
        if found:
            raise Failed(cannot_work(role, [sentence for _, sentence in found]), refused_by=refused_by)
        return {"changed": False, "refused_by": refused_by}
