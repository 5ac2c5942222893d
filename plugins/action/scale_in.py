"""Keep autoscaling from taking tasks away for a while."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.scale_in import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, reason
from plugins.plugin_utils.ledger import RUN_VARIABLE
from plugins.plugin_utils.scaling import Scaling
from plugins.plugin_utils.status.part import REFUSED

NAME = "autoscaling"


class ActionModule(AwsAction):
    """See plugins/modules/scale_in.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Hold it, or let go of it.

        A role of a pipeline may be of before there was this right. ECS takes no task away while it deploys in any case:
        that it is lacking is to be said, and no reason not to release.
        """
        try:
            return self._perform(self.arguments["state"] == "held")
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSED:
                raise
            self.say(NAME, f"is left alone, as who types this has no right to hold it ({reason(error)})", "yellow")
            return {"changed": False, "services": []}

    def _perform(self, holding: bool) -> dict[str, Any]:
        scaling, run = Scaling(self.client, self.arguments["cluster"]), os.environ.get(RUN_VARIABLE, "")
        found = [each for each in scaling.targets() if (each.scales_in if holding else each.held is not None)]
        if not self.check_mode:
            for each in found:
                if holding:
                    scaling.hold(each, run)
                else:
                    scaling.let_go(each)
        if found:
            would = "would take" if self.check_mode else "takes"
            what = f"{would} no task away until this is through" if holding else f"{would} tasks away again"
            self.say(NAME, f"{what}: {', '.join(each.service for each in found)}")
        # What is held and let go of within one run is no change of the site.
        return {"changed": False, "services": [each.service for each in found]}
