"""Keep the newest good backups of a site, and let go of older ones."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.backup_keep import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, reason
from plugins.plugin_utils.backups import volumes
from plugins.plugin_utils.backups.parts import gone, makers
from plugins.plugin_utils.backups.planned import is_planned
from plugins.plugin_utils.backups.point import Point, Points, due
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.places import verb


class ActionModule(AwsAction):
    """See plugins/modules/backup_keep.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Delete what is due, the oldest first.

        Raises:
            Failed: a part cannot be deleted.
        """
        prefix, keep = str(self.arguments["prefix"]), self.arguments["keep"]
        ledger = Ledger.find(self.client, prefix, self.arguments["bucket"])
        points = Points(self.client("s3"), ledger) if ledger else None
        known = points.all() if points else []
        goes = [*reversed(due([each for each in known if not is_planned(each)], keep))]
        made = makers(self.client, prefix, {}, {})
        for point in goes if points else []:
            would = "would go" if self.check_mode else "goes"
            self.say(str(point["name"]), f"{would}, as {keep} good ones that are newer stay", "yellow")
            if self.check_mode:
                continue
            for key, part in (point.get("parts") or {}).items():
                try:
                    if part.get("kind") in made:
                        made[part["kind"]].let_go(part)
                except ClientError as error:
                    raise Failed(
                        f"{key} of the backup {point['name']} could not be let go: {reason(error)}. The new backup is "
                        f"whole. Once nothing holds {part.get('id')}, the next {verb('backup.yml')} deletes it"
                    ) from None
            assert points
            points.remove(str(point["name"]))
        if points and not self.check_mode:
            self._forget(points, [each for each in known if is_planned(each)])
        return {"changed": bool(goes), "removed": [str(each["name"]) for each in goes]}

    def _forget(self, points: Points, planned: list[Point]) -> None:
        """Take records away whose parts AWS Backup has deleted, as it does by its plan."""
        lost = gone(self.client, planned, datetime.now(UTC)) if planned else {}
        for each in planned:
            copied = {key for key, part in each["parts"].items() if part.get("kind") == volumes.KIND}
            if copied <= set(lost[each["name"]]):  # that a bucket still leads back to that time is no backup by itself
                points.remove(str(each["name"]))
