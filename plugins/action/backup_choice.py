"""Read which parts of a backup are to be restored."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.backup_choice import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.backups import parts, planned
from plugins.plugin_utils.backups.point import Point, Points, is_good
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.places import nearest, verb
from plugins.plugin_utils.restoring import choice

LISTED = 5
"""How many backups a message names, the newest first."""


class ActionModule(AwsAction):
    """See plugins/modules/backup_choice.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read it, and judge it.

        Raises:
            Failed: there is no such backup, or it has not what is meant.
        """
        given = self.arguments
        ledger = Ledger.find(self.client, str(given["prefix"]), given["bucket"])
        if ledger is None:
            raise self._none(given["name"], [])
        points = Points(self.client("s3"), ledger)
        point = self._found(ledger, points)
        name = str(point["name"])
        if not is_good(point):
            raise Failed(
                f"The backup {name} is not whole ({point.get('reason') or point.get('outcome')}), so nothing is "
                f"restored of it. Which are: {verb('backups.yml')}"
            )
        try:
            chosen = choice.parts(point, given["typed"], given["entries"])
        except choice.Wrong as error:
            raise Failed(
                f"The backup {name} cannot be restored so: {error}. What is in which backup: {verb('backups.yml')}"
            ) from None
        lost = set(parts.gone(self.client, [point], datetime.now(UTC))[name]) & chosen.keys()
        if lost:
            raise Failed(
                f"The backup {name} was whole, and {', '.join(sorted(lost))} is gone from it, so that cannot be "
                f"restored. Which are still there: {verb('backups.yml')}"
            )
        if points.read(name) is None and not self.check_mode:
            points.begin(point)  # what becomes of its restores is noted there
        return {
            "changed": False,
            "name": name,
            "parts": chosen,
            "services": dict(point.get("services") or {}),
            "started": str(point.get("started", "")),
            "without": choice.without(point, chosen),
        }

    def _found(self, ledger: Ledger, points: Points) -> Point:
        """The backup of the name; without one the newest good, also of those that AWS Backup has begun."""
        name = self.arguments["name"]
        if name and (point := points.read(name)):
            return point
        plan = planned.Plan.find(self.client, str(self.arguments["prefix"]))
        known = planned.every(self.client, ledger, plan, datetime.now(UTC))
        for each in known:
            if each["name"] == name if name else is_good(each):
                return each
        raise self._none(name, known)

    def _none(self, name: str, known: list[Point]) -> Failed:
        """That there is no such backup, and which there are."""
        good = [str(each["name"]) for each in known if is_good(each)]
        if not good:
            which = f"There is no backup {name}, nor any other" if name else "There is no backup"
            return Failed(
                f"{which} yet of which anything could be restored. Make one first: {verb('backup.yml')}; then type: "
                f"{verb(self.arguments['typed_with'])} -e backup=<its name>"
            )
        return Failed(
            f"There is no backup {name} to restore; there are {', '.join(good[:LISTED])}. "
            f"Type: {verb(self.arguments['typed_with'])} -e backup={nearest(name, good)}"
        )
