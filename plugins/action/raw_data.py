"""Know which data of a preview environment are not anonymised yet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.raw_data import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction
from plugins.plugin_utils.backups.point import in_words
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.restoring import raw


class ActionModule(AwsAction):
    """See plugins/modules/raw_data.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read it, and write what is to be written."""
        given = self.arguments
        ledger = Ledger.find(self.client, str(given["prefix"]), given["bucket"])
        found = before = raw.read(ledger) if ledger else raw.Raw("", "", {})
        if ledger and not self.check_mode:
            match given["state"]:
                case "added":
                    found = raw.add(ledger, given["point"], given["typed"].strip(), given["parts"])
                case "removed":
                    found = raw.take(ledger, given["parts"], given["with_paths"])
        return {
            "changed": found != before,
            "point": found.point,
            "said": in_words(found.point) if found.point else "",
            "typed": found.typed,
            "parts": sorted(found.parts),
        }
