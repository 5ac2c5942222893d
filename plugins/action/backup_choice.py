"""Read which parts of a backup are to be restored, or what leads back to a time."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.backup_choice import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.backups import parts, planned
from plugins.plugin_utils.backups.point import RESTORED, Part, Point, Points, is_good, of_other
from plugins.plugin_utils.ledger import GOOD, Ledger
from plugins.plugin_utils.places import nearest, verb
from plugins.plugin_utils.restoring import choice, times
from plugins.plugin_utils.status.words import iso

LISTED = 5
"""How many backups a message names, the newest first."""
OF_A_BACKUP = ("who", "where", "started", "ended", "seconds", "outcome", "services", "parts", "without")
"""What is written down of another environment's backup; what became of restores there is nothing of this one."""
AN_HOUR = timedelta(hours=1)
"""Before now is a time that a message shows as an example."""


class ActionModule(AwsAction):
    """See plugins/modules/backup_choice.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read it, and judge it.

        Raises:
            Failed: there is no such backup, or it has not what is meant.
        """
        given = self.arguments
        self._prefix = str(given["other_prefix"] if given["other"] else given["prefix"])
        self._listed = verb("backups.yml", own=bool(given["other"]))
        ledger = Ledger.find(self.client, str(given["prefix"]), given["bucket"])
        if given["time"]:
            return self._of_time(ledger)
        if given["other"]:
            return self._of_other(ledger)
        if ledger is None:
            raise self._none(given["name"], [])
        points = Points(self.client("s3"), ledger)
        point = self._found(ledger, points)
        chosen = self._chosen(point)
        if points.read(str(point["name"])) is None and not self.check_mode:
            points.begin(point)  # what becomes of its restores is noted there
        return self._told(point, chosen)

    def _of_other(self, ledger: Ledger | None) -> dict[str, Any]:
        """A backup of another environment, of which all that is written is written down here."""
        given = self.arguments
        if ledger is None:
            raise Failed(
                f"{given['prefix']} has no ledger, in which a restore is written down. Type: {verb('site.yml')}"
            )
        theirs = Ledger.find(self.client, self._prefix, given["other_bucket"])
        if theirs is None:
            raise self._none(given["name"], [])
        point = self._found(theirs, Points(self.client("s3"), theirs))
        chosen = self._chosen(point)
        points, name = Points(self.client("s3"), ledger), of_other(given["other"], str(point["name"]))
        kept = {key: point[key] for key in OF_A_BACKUP if key in point}
        before = points.read(name)
        # Another one of the name was made since: what became of a restore of the first is nothing of it.
        if (before is None or before.get("started") != kept.get("started")) and not self.check_mode:
            points.begin({**kept, "name": name})
        told = self._told({**kept, "name": name}, chosen)
        if release := point.get("release"):
            ran = f"the release {release}, which ran in {given['other']} then: release.yml brings up one of here"
            told["without"] = [ran, *told["without"]]
        return told

    def _chosen(self, point: Point) -> dict[str, Part]:
        """Key → part, of those that are meant, once it is seen that they are there still."""
        given, name = self.arguments, str(point["name"])
        if not is_good(point):
            raise Failed(
                f"The backup {name} is not whole ({point.get('reason') or point.get('outcome')}), so nothing is "
                f"restored of it. Which are: {self._listed}"
            )
        try:
            chosen = choice.parts(point, given["typed"], given["entries"])
        except choice.Wrong as error:
            raise Failed(
                f"The backup {name} cannot be restored so: {error}. What is in which backup: {self._listed}"
            ) from None
        lost = set(parts.gone(self.client, [point], datetime.now(UTC))[name]) & chosen.keys()
        if lost:
            raise Failed(
                f"The backup {name} was whole, and {', '.join(sorted(lost))} is gone from it, so that cannot be "
                f"restored. Which are still there: {self._listed}"
            )
        return chosen

    @staticmethod
    def _told(point: Point, chosen: dict[str, Part]) -> dict[str, Any]:
        return {
            "changed": False,
            "name": str(point["name"]),
            "parts": chosen,
            "services": dict(point.get("services") or {}),
            "started": str(point.get("started", "")),
            "without": choice.without(point, chosen),
        }

    def _of_time(self, ledger: Ledger | None) -> dict[str, Any]:
        """What leads back to a time, as the record of a backup has its parts."""
        given, now, typed = self.arguments, datetime.now(UTC), f"{verb(self.arguments['typed_with'])} -e time="
        try:
            at = times.read(given["time"], now)
        except times.Wrong as error:
            raise Failed(f"{error}. Type a time that was, with its zone: {typed}{iso(now - AN_HOUR)}") from None
        if ledger is None:
            raise Failed(
                f"{given['prefix']} has no ledger, in which backups are written down. Type: {verb('site.yml')}"
            )
        points, name = Points(self.client("s3"), ledger), times.name(at)
        before = points.read(name) or {}
        chosen = self._leading(times.Back(self.client, given["prefix"], at, now, given["days"]), at, before, typed)
        (point,) = planned.with_releases(
            [{"name": name, "started": at.isoformat(timespec="seconds"), "outcome": GOOD, "parts": chosen}],
            ledger.entries(planned.LOOKED_BACK),
        )
        if not self.check_mode and before:
            points.update(name, {"parts": chosen})
        elif not self.check_mode:
            points.begin(point)
        told = self._told(point, chosen)
        return told if any(given["typed"].values()) else told | {"without": [*told["without"], *self._beyond()]}

    def _leading(self, back: times.Back, at: datetime, before: Point, typed: str) -> dict[str, Part]:
        """Key → part, of all that is meant.

        Args:
            back: knows what leads to the time.
            at: the time.
            before: what an earlier run has written down of it; what it has restored is gone on with.
            typed: what is typed, up to the time.
        """
        given = self.arguments
        meant = times.wanted(given["typed"], given["own"])
        if not meant:
            raise Failed(
                f"The site has nothing that leads back to a time. Which backups there are: {verb('backups.yml')}"
            )
        chosen: dict[str, Part] = {}
        unfit: dict[str, times.Unfit] = {}
        for key in meant:
            known = (before.get("parts") or {}).get(key)
            try:
                chosen[key] = known if known and not key.startswith("bucket.") else back.part(key)
            except times.Unfit as error:
                unfit[key] = error
        if unfit:
            self._refuse_time(at, unfit, chosen, typed)
        for key, part in chosen.items():
            if apart := back.distance(part):
                self.say(key, f"its newest recovery point before that is {apart} earlier: {part['made']}", "yellow")
        return chosen

    def _refuse_time(
        self, at: datetime, unfit: dict[str, times.Unfit], chosen: dict[str, Part], typed: str
    ) -> NoReturn:
        """Say what does not lead back to a time, and what does."""
        named = "".join(f" -e {noun}={entry}" for noun, entry in self.arguments["typed"].items() if entry)
        ways = [f"{typed}{iso(instead)}{named}"] if (instead := times.nearest(list(unfit.values()), at)) else []
        if chosen:
            key = next((each for each in chosen if each.startswith("database.")), next(iter(chosen)))
            ways.append(f"{typed}{iso(at)} -e {key.replace('.', '=', 1)}")
        ways.append(f"a backup, {verb('backups.yml')}")
        why = "; ".join(f"{key}: {error}" for key, error in unfit.items())
        raise Failed(f"Not all of it leads back to {iso(at)}. {why}. Nothing was changed. Type: {', or '.join(ways)}")

    def _beyond(self) -> list[str]:
        """What of the site does not lead back to a time, as records of backups have it."""
        given = self.arguments
        left = [
            f"{noun}.{entry}, which is not Berth's or keeps nothing of before"
            for noun in RESTORED
            for entry in given["entries"].get(noun, ())
            if entry not in given["own"].get(noun, ())
        ]
        tables = given["entries"].get("table", ())
        return [*left, *(f"table.{entry}, of which DynamoDB keeps points in time itself" for entry in tables)]

    def _found(self, ledger: Ledger, points: Points) -> Point:
        """The backup of the name; without one the newest good, also of those that AWS Backup has begun."""
        name = self.arguments["name"]
        if name and (point := points.read(name)):
            return point
        plan = planned.Plan.find(self.client, self._prefix)
        known = planned.every(self.client, ledger, plan, datetime.now(UTC))
        for each in known:
            if each["name"] == name if name else is_good(each):
                return each
        raise self._none(name, known)

    def _none(self, name: str, known: list[Point]) -> Failed:
        """That there is no such backup, and which there are."""
        other = str(self.arguments["other"])
        of, source = (f" of {other}", f" -e from={other}") if other else ("", "")
        good = [str(each["name"]) for each in known if is_good(each)]
        if not good:
            which = f"There is no backup {name}{of}, nor any other" if name else f"There is no backup{of}"
            return Failed(
                f"{which} yet of which anything could be restored. Make one first: "
                f"{verb('backup.yml', own=bool(other))}; then type: "
                f"{verb(self.arguments['typed_with'])}{source} -e backup=<its name>"
            )
        return Failed(
            f"There is no backup {name}{of} to restore; there are {', '.join(good[:LISTED])}. "
            f"Type: {verb(self.arguments['typed_with'])}{source} -e backup={nearest(name, good)}"
        )
