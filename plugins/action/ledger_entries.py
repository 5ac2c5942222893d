"""Read the ledger of an environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ledger_entries import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction
from plugins.plugin_utils.ledger import Entry, Ledger, lock_told


class ActionModule(AwsAction):
    """See plugins/modules/ledger_entries.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read the entries that are wanted, and the lock."""
        ledger = Ledger.find(self.client, str(self.arguments["prefix"]), self.arguments["bucket"])
        if ledger is None:
            return {"changed": False, "there": False, "entries": [], "lock": {}}
        entries = ledger.entries(self.arguments["limit"] or None, self._wanted)
        return {"changed": False, "there": True, "entries": entries, "lock": lock_told(ledger.lock.read())}

    def _wanted(self, entry: Entry) -> bool:
        verbs, outcomes = self.arguments["verbs"], self.arguments["outcomes"]
        return (
            (bool(entry.get("release")) or not self.arguments["with_release"])
            and (entry.get("verb") in verbs or not verbs)
            and (entry.get("outcome") in outcomes or not outcomes)
        )
