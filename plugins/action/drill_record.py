"""Write down that a drill begins, what it has proven, and how it ended."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.drill_record import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.backups.drills import Drills, said, span
from plugins.plugin_utils.ledger import FAILED, GOOD, RUN_VARIABLE, Ledger, Place
from plugins.plugin_utils.places import verb

NAME = "drill"


class ActionModule(AwsAction):
    """See plugins/modules/drill_record.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Write it.

        Raises:
            Failed: there is no ledger, or others write into it.
        """
        given = self.arguments
        ledger = Ledger.find(self.client, str(given["prefix"]), given["bucket"])
        if ledger is None:
            raise Failed(
                f"{given['prefix']} has no ledger, in which backups are written down. Type: {verb('site.yml')}"
            )
        if self.check_mode:
            return {"changed": False, "drill": {}}
        try:
            return {"changed": False, "drill": self._written(ledger)}
        except TimeoutError as error:
            raise Failed(f"The record of the drill cannot be written: {error}. Type the same command again.") from None

    def _written(self, ledger: Ledger) -> dict[str, Any]:
        given, drills, now = self.arguments, Drills(ledger), datetime.now(UTC)
        if given["step"] == "begin":
            held = ledger.lock.read()
            who = {"who": held.holder.who, "where": held.holder.where} if held else {}
            facts = {"backup": given["name"], "run": os.environ.get(RUN_VARIABLE, ""), **who}
            drill = drills.begin(facts, datetime.fromisoformat(given["of"]), now)
            self.say(NAME, f"of the backup {given['name']}, whose data are {span(drill['point_seconds'])} old")
            return drill
        if given["step"] == "proven":
            return drills.proven(given["part"], given["facts"])
        drill = drills.end(FAILED if given["reason"] else GOOD, given["reason"], now)
        if place := Place.of_this_run(str(given["prefix"])):
            kept = ("backup", "outcome", "reason", "point_seconds", "recovery_seconds", "parts")
            ledger.update(place.key, {"drill": {name: drill.get(name) for name in kept}})
        self.say(NAME, said(drill), "red" if given["reason"] else "green")
        return drill
