"""Ask an AWS account what only it knows, before anything is made in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.aws_account_info import DOCUMENTATION
from plugins.plugin_utils.account.gathering import gather
from plugins.plugin_utils.aws_action import AwsAction


class ActionModule(AwsAction):
    """See plugins/modules/aws_account_info.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Ask everything.

        Raises:
            Failed: the region cannot be used.
        """
        return {"changed": False, **gather(self.client, self.arguments)}
