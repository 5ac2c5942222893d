"""Render a Compose file of the site, for work on one machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.compose_from_inventory import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.compose.rendering import render
from plugins.plugin_utils.compose.writing import dumped
from plugins.plugin_utils.places import not_right
from plugins.plugin_utils.site.kept import site_of


class ActionModule(AwsAction):
    """See plugins/modules/compose_from_inventory.py for its results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read the site, and render it.

        Raises:
            Failed: the description is wrong, with all that is.
        """
        site = site_of(self.task_vars, self._templar.template)
        if site.problems:
            raise Failed(not_right(site.problems))
        made = render(site)
        return {
            "changed": False,
            "compose": dumped(made.compose),
            "variables": made.variables,
            "addresses": made.addresses,
        }
