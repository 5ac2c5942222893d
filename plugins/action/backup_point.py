"""Back up a site: databases, volumes, buckets, the live release and the versions of its secrets, under one name."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.filter.ledger import release_name
from plugins.modules.backup_point import DOCUMENTATION
from plugins.plugin_utils import secret_versions
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait, reason
from plugins.plugin_utils.backups import buckets, parts, table, volumes
from plugins.plugin_utils.backups.planned import is_planned
from plugins.plugin_utils.backups.point import (
    LEFT,
    NAME_MOST,
    OF_TIME,
    WAITING,
    Part,
    Point,
    Points,
    begun,
    is_good,
    is_name,
    is_over,
    of_now,
)
from plugins.plugin_utils.ledger import FAILED, GOOD, RUN_VARIABLE, RUNNING, Ledger, Place
from plugins.plugin_utils.places import verb

LATEST = timedelta(days=1)
"""For how long a backup that was not made whole can be gone on with: its parts are to be of one time."""
TAG = "Berth::Backup"
NAMESPACE, METRIC = "Berth/Backups", "Made"


class ActionModule(AwsAction):
    """See plugins/modules/backup_point.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Make it, or what is missing of it.

        Raises:
            Failed: it cannot be made, or not all of it.
        """
        given, self.now = self.arguments, datetime.now(UTC)
        self.name = given["name"] or of_now(self.now)
        self.typed = f"{verb('backup.yml')} -e backup={self.name}"
        if not is_name(self.name):
            raise Failed(
                f"{self.name!r} cannot be the name of a backup, as it becomes part of names of snapshots: small "
                f"letters, digits and single hyphens, {NAME_MOST} at most. Type: {verb('backup.yml')} "
                "-e backup=before-the-move"
            )
        if is_planned({"name": self.name}):
            raise Failed(
                f"{self.name} is what AWS Backup's own backups are called. Give it another name: {verb('backup.yml')} "
                "-e backup=before-the-move"
            )
        if self.name.startswith(OF_TIME):
            raise Failed(
                f"{self.name} is what a time is called that a site was restored to. Give it another name: "
                f"{verb('backup.yml')} -e backup=before-the-move"
            )
        self.tags = {**given["tags"], TAG: self.name}
        self.makers = parts.makers(self.client, given["prefix"], self.tags, given["outputs"])
        self.wanted = parts.wanted(given["outputs"])
        self._refuse_unheard()
        ledger = Ledger.find(self.client, str(given["prefix"]), given["bucket"])
        if ledger is None:
            raise Failed(
                f"{given['prefix']} has no ledger, in which a backup is written down. Type: {verb('site.yml')}"
            )
        self.points = Points(self.client("s3"), ledger)
        before = self.points.read(self.name)
        if before and is_good(before):
            return self._read_back(before)
        self._refuse_old(before)
        if self.check_mode:
            return self._would(before)
        self._write_down(ledger, before)
        return self._make(before or {})

    def _refuse_unheard(self) -> None:
        """Say what would make AWS Backup copy nothing, before anything is begun."""
        named = [each.key for each in self.wanted if each.kind == volumes.KIND]
        if not named:
            return
        maker = self.makers[volumes.KIND]
        if not self.arguments["outputs"].get("VaultName"):
            raise Failed(
                f"There is nothing to copy {', '.join(named)} into. Write site_backups: {{every: 1d}}, then type: "
                f"{verb('site.yml')}"
            )
        assert isinstance(maker, volumes.RecoveryPoints)
        if not maker.is_opted_in():
            raise Failed(
                "AWS Backup is not let at file systems in this region of the account, so there would be no copy of "
                f"{', '.join(named)}. Type: aws backup update-region-settings "
                f"--resource-type-opt-in-preference {volumes.TYPE}=true"
            )

    def _refuse_old(self, before: Point | None) -> None:
        started = begun(before) if before else None
        if started and self.now - started > LATEST:
            raise Failed(
                f"The backup {self.name} was begun at {started:%Y-%m-%d %H:%M} UTC and never became whole; what is "
                f"made now would be of another time than what is in it. Make a new one: {verb('backup.yml')}"
            )

    def _read_back(self, point: Point) -> dict[str, Any]:
        """One that was made whole: is it still?

        Raises:
            Failed: a part is gone.
        """
        lost = parts.gone(self.client, [point], self.now)[self.name] if point.get("parts") else []
        if lost:
            raise Failed(
                f"The backup {self.name} was whole, and {', '.join(lost)} is gone from it. What is made now would be "
                f"of another time. Make a new one: {verb('backup.yml')}"
            )
        self.say(self.name, f"is there, and whole: {table.contents(point)}", "green")
        return {"changed": False, "name": self.name, "point": point, "parts": []}

    def _would(self, before: Point | None) -> dict[str, Any]:
        """What would be made."""
        there = (before or {}).get("parts") or {}
        made = [each.key for each in self.wanted if there.get(each.key, {}).get("state") != GOOD]
        for key in made:
            self.say(key, "would be copied", "yellow")
        return {"changed": bool(made), "name": self.name, "parts": made}

    def _write_down(self, ledger: Ledger, before: Point | None) -> None:
        """Begin the record, or say in it who goes on with it; and in this run's entry, what it makes."""
        live, held = self.arguments["live"], ledger.lock.read()
        who: dict[str, Any] = {
            "run": os.environ.get(RUN_VARIABLE, ""),
            "who": held.holder.who if held else "?",
            "where": held.holder.where if held else "?",
            "outcome": RUNNING,
            "reason": "",
            "ended": None,
            "without": self.arguments["without"],
        }
        definitions = [str(each.get("task_definition", "")) for each in live.values()]
        site = {
            "release": release_name(live),
            "services": live,
            "secrets": secret_versions.read(self.client, filter(None, definitions)),
        }
        if before:
            self.points.update(self.name, who)
        else:
            started = self.now.isoformat(timespec="seconds")
            self.points.begin({"name": self.name, "started": started, **who, **site, "parts": {}})
        if place := Place.of_this_run(str(self.arguments["prefix"])):
            ledger.update(place.key, {"backup": self.name})

    def _make(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Begin all parts, then wait for them side by side.

        Raises:
            Failed: one cannot be had.
        """
        known: dict[str, Part] = dict(before.get("parts") or {})
        had = {key for key, part in known.items() if part["state"] == GOOD}
        for entry, each in self.arguments["buckets"].items():
            if f"bucket.{entry}" not in had:
                self._keep(known, f"bucket.{entry}", self._bucket(entry, each))
        for each in self.wanted:
            self._keep(known, each.key, self._begun(each, known.get(each.key, {})))
        wait = Wait(self.arguments["timeout"], self.say, self.name)
        while open_parts := [each for each in self.wanted if not is_over(known[each.key])]:
            if not wait.pause(f"{', '.join(each.key for each in open_parts)} to be whole"):
                break
            for each in open_parts:
                self._keep(known, each.key, self._looked(each, known[each.key]))
        return self._conclude(known, had)

    def _begun(self, each: parts.Wanted, before: Mapping[str, Any]) -> Part:
        try:
            return self.makers[each.kind].begin(each.entry, each.of, self.name, before)
        except ClientError as error:  # the other parts are worth having
            return {**before, "kind": each.kind, "of": each.of, "state": FAILED, "why": reason(error)}

    def _looked(self, each: parts.Wanted, part: Mapping[str, Any]) -> Part:
        return self._begun(each, part) if part["state"] == WAITING else self.makers[each.kind].look(part)

    def _bucket(self, entry: str, described: Mapping[str, Any]) -> Part:
        name = described.get("name") or self.arguments["outputs"].get(f"bucket.{entry}.BucketName", "")
        days = None if described.get("name") else described.get("old_versions_days")
        try:
            return buckets.part(self.client("s3"), name, days, self.now)
        except ClientError as error:
            return {"kind": buckets.KIND, "of": name, "id": name, "state": FAILED, "why": reason(error)}

    def _keep(self, known: dict[str, Part], key: str, part: Part) -> None:
        """Show how a part is and write it down, where that is news."""
        was, known[key] = known.get(key, {}), part
        if was.get("state") != part["state"] or was.get("id") != part.get("id"):
            colour = {GOOD: "green", FAILED: "red", LEFT: "yellow", WAITING: "yellow"}.get(part["state"])
            words = {GOOD: f"is whole: {part['kind']} {part.get('id')}", RUNNING: f"{part['kind']} {part.get('id')}"}
            self.say(key, words.get(part["state"], f"{part['state']}: {part['why']}"), colour)
            self.points.update(self.name, {"parts": {key: part}})
        elif was.get("percent") != part.get("percent"):
            self.say(key, f"{part.get('percent')} %")

    def _conclude(self, known: Mapping[str, Part], had: set[str]) -> dict[str, Any]:
        """Write down how it ended.

        Raises:
            Failed: a part could not be had.
        """
        after = f"after {self.arguments['timeout'] / 60:.0f} minutes"
        late = {key: f"still {part['state']} {after}" for key, part in known.items() if not is_over(part)}
        bad = late | {key: str(part["why"]) for key, part in known.items() if part["state"] == FAILED}
        ended = datetime.now(UTC)
        said = "; ".join(f"{key}: {why}" for key, why in bad.items())
        self.points.update(
            self.name,
            {
                "outcome": FAILED if bad else GOOD,
                "reason": said,
                "ended": ended.isoformat(timespec="seconds"),
                "seconds": (ended - self.now).total_seconds(),
            },
        )
        if bad:
            raise Failed(
                f"The backup {self.name} is not whole. {said}. What is there stays; the same name goes on with it, "
                f"within a day: {self.typed}"
            )
        point = self.points.read(self.name) or {}
        self.say(self.name, f"is whole: {table.contents(point) or 'the site has no data that could be in it'}", "green")
        if self.arguments["counted"]:
            self._count()
        made = [key for key, part in known.items() if part["state"] == GOOD and key not in had]
        return {"changed": bool(made), "name": self.name, "point": point, "parts": made}

    def _count(self) -> None:
        """Tell CloudWatch, where an alarm rings for a backup that is missing (cloudformation/alarms.yml)."""
        dimensions = [{"Name": "Environment", "Value": str(self.arguments["prefix"])}]
        datum = {"MetricName": METRIC, "Dimensions": dimensions, "Value": 1}
        self.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[datum])
