"""Say which secrets have another version than they had."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.secret_versions import DOCUMENTATION
from plugins.plugin_utils import secret_versions
from plugins.plugin_utils.aws_action import AwsAction


class ActionModule(AwsAction):
    """See plugins/modules/secret_versions.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Ask for each."""
        then = self.arguments["versions"]
        now = secret_versions.current(self.client, then)
        return {"changed": False, "differing": list(secret_versions.changed(then, now))}
