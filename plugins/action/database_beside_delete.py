"""Delete the instances that restores and drills of databases have left beside the site's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.database_beside_delete import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.restoring.instance import DELETING, Beside


class ActionModule(AwsAction):
    """See plugins/modules/database_beside_delete.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Delete them, and wait until they are gone.

        Raises:
            Failed: they are not gone in time.
        """
        beside = Beside(self.client("rds"), str(self.arguments["prefix"]), self.arguments["verbs"])
        there = beside.all()
        if there and not self.check_mode:
            wait = Wait(self.arguments["timeout"], self.say, "rds")
            while left := beside.all():
                for name, state in left.items():
                    if state != DELETING and beside.delete(name):
                        self.say("rds", f"the instance beside is being deleted: {name}")
                if not wait.pause(f"{', '.join(left)} to be gone"):
                    raise Failed(
                        f"RDS still deletes {', '.join(left)}, which a restore or a drill has left, after "
                        f"{wait.seconds:.0f} s. Type the same command again."
                    )
        return {"changed": bool(there), "names": list(there)}
