"""Show the backups of an environment."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.backup_show import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.backups import parts, planned, table
from plugins.plugin_utils.backups.drills import Drill, Drills, said
from plugins.plugin_utils.backups.point import Point
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.ledger_table import COLOURS
from plugins.plugin_utils.places import nearest, verb

FORMATS = ("table", "json")
MOST_LINES = 10_000


class ActionModule(AwsAction):
    """See plugins/modules/backup_show.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read the records, ask for their parts, and show them.

        Raises:
            Failed: what was typed is wrong.
        """
        most = self._lines()
        if (form := self.arguments["format"]) not in FORMATS:
            meant = nearest(form, FORMATS)
            raise Failed(f"format is {form!r}; write {' or '.join(FORMATS)}: {verb('backups.yml')} -e format={meant}")
        prefix = str(self.arguments["prefix"])
        ledger = Ledger.find(self.client, prefix, self.arguments["bucket"])
        now = datetime.now(UTC)
        points = (
            planned.every(self.client, ledger, planned.Plan.find(self.client, prefix), now)[:most] if ledger else []
        )
        drill = Drills(ledger).last() if ledger else None
        gone = parts.gone(self.client, points, now) if points else {}
        backups = [{**each, "gone": gone.get(str(each["name"]), []), "drill": _of(each, drill)} for each in points]
        if form == "json":
            Display().display(json.dumps(backups, indent=1))
        elif backups:
            for line, colour in table.lines(backups):
                Display().display(line, color=colour)
            told = said(drill) if drill else f"none yet. Type: {verb('drill.yml')}"
            Display().display(f"last drill of a restore: {told}", color=COLOURS.get((drill or {}).get("outcome", "")))
        else:
            Display().display(f"{prefix}: there is no backup yet. Type: {verb('backup.yml')}", color="yellow")
        return {"changed": False, "backups": backups}

    def _lines(self) -> int:
        typed = self.arguments["lines"]
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= MOST_LINES:
            return int(typed)
        raise Failed(f"lines is {typed!r}; write a number from 1 to {MOST_LINES}: {verb('backups.yml')} -e lines=100")


def _of(point: Point, drill: Drill | None) -> Drill | None:
    """The last drill, where it was of that backup."""
    return drill if drill and drill["backup"] == point["name"] else None
