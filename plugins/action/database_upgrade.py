"""Give a database of the site another version of its engine, on a copy first."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.database_upgrade import DOCUMENTATION
from plugins.plugin_utils.aws_action import Failed, Wait, reason
from plugins.plugin_utils.backups.databases import Snapshots
from plugins.plugin_utils.backups.point import Part
from plugins.plugin_utils.clock import about
from plugins.plugin_utils.database_action import DatabaseAction
from plugins.plugin_utils.database_way import check_programs
from plugins.plugin_utils.importing.amounts import some
from plugins.plugin_utils.importing.contents import listed, rows, unlike
from plugins.plugin_utils.importing.postgres import Login, Server
from plugins.plugin_utils.importing.remote import Broken
from plugins.plugin_utils.ledger import FAILED, GOOD
from plugins.plugin_utils.lock import code
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.restoring.instance import DEAD, DELETING, Instance
from plugins.plugin_utils.upgrading.absence import Absence
from plugins.plugin_utils.upgrading.engine import Engine, group_of
from plugins.plugin_utils.upgrading.versions import chosen, is_of

NOTES = "berth_upgrade"
"""A database of the copy whose comment has what the copy had in it before."""
TAG = "Berth::Rehearsed"
"""Of the snapshot that a rehearsal came to a good end with: when."""
REHEARSED_TIME = timedelta(days=7)
"""For how long a rehearsal says something about the database."""
LATEST = timedelta(days=1)
"""For how long the copy of a run that was killed is gone on with."""
PACKAGE = "the package postgresql-client"


class ActionModule(DatabaseAction):
    """See plugins/modules/database_upgrade.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Rehearse it, and where that is said, do it.

        Raises:
            Failed: there is no way to the version, the copy is not the same afterwards, or RDS cannot.
        """
        given = self.arguments
        if shutil.which("psql") is None:
            raise Failed(f"This machine has no psql, by which a database is asked. Install {PACKAGE}.")
        check_programs(given["session_manager"])
        self._own = Engine(self.client("rds"), given["instance"])
        found = self._own.described()
        if found is None:
            raise Failed(
                f"The database {self._name} is not up ({given['instance']} is not there), so there is nothing to "
                f"upgrade. Type: {verb('site.yml')}"
            )
        now = str(found["EngineVersion"])
        self._typed = f"{verb('upgrade_database.yml')} -e database={self._name}"
        self._way = chosen(self._name, now, self._own.offered(now), given["version"], self._typed)
        self._instance = Instance(
            self.client("rds"), given["prefix"], self._name, f"upgrade to {self._way.target}", given["tags"]
        )
        self._snapshots = Snapshots(self.client("rds"), given["prefix"], given["tags"])
        try:
            return self._upgraded(found)
        except Broken as error:
            said = str(error).rstrip(".")
            raise Failed(
                f"The database {self._name} or its copy could not be asked: {said}. Type the same command again."
            ) from None

    def _upgraded(self, found: dict[str, Any]) -> dict[str, Any]:
        way, done = self._way, self._result(found)
        if way.is_needless:
            return done | self._finished()
        group = group_of(self._own, found, way, self.arguments["parameter_group"], self._name)
        self._check_written()
        rehearsed = self._rehearsed()
        if self.check_mode:
            self._would(rehearsed)
            return done | {"changed": True}
        if rehearsed and self._is_meant:
            self._say(f"was rehearsed to {way.target} on a copy on {rehearsed:%Y-%m-%d %H:%M} UTC", "green")
        else:
            done |= self._rehearse(found, group)
        if self._is_meant:
            done |= self._real(group)
        return done | {"changed": True}

    @property
    def _is_meant(self) -> bool:
        """Whether the site's own is upgraded."""
        return bool(self.arguments["confirm"]) and self.arguments["confirm"] == self.arguments["wanted"]

    def _result(self, found: dict[str, Any]) -> dict[str, Any]:
        return {
            "changed": False, "before": self._way.now, "after": self._way.target, "major": self._way.is_major,
            "upgraded": False, "allocated": int(found["AllocatedStorage"]), "snapshot": "",
            "instance": found["DBInstanceIdentifier"],
        }  # fmt: skip

    def _check_written(self) -> None:
        """The next run of site would have the version that is written."""
        way, written = self._way, self.arguments["written"]
        if not self._is_meant or written == way.target:
            return
        if not way.is_major and is_of(way.target, written):
            return
        if way.is_major and written == self.arguments["version"]:
            return
        raise Failed(
            f'site_databases.{self._name} says version: "{written}", and the next run of site would want that back. '
            f'Nothing was changed. Write version: "{self.arguments["version"]}", and type the same command again.'
        )

    def _would(self, rehearsed: datetime | None) -> None:
        way = self._way
        if rehearsed is None or not self._is_meant:
            self._say(f"a copy of it would be upgraded from {way.now} to {way.target}, compared, and deleted", "yellow")
        if self._is_meant:
            self._say(f"it would be upgraded from {way.now} to {way.target}; meanwhile nobody is answered", "yellow")

    def _wait(self) -> Wait:
        return Wait(self.arguments["timeout"], self.say, self._name)

    # Snapshots

    def _part(self, kind: str) -> Part:
        """The snapshot that is called so, as it is."""
        own = self.arguments["instance"]
        name = f"{self.arguments['prefix']}-{self._name}-{kind}-{self._way.called}"
        return {"kind": "snapshot", "of": own, "id": name, "state": "", "why": ""}

    def _described(self, name: str) -> dict[str, Any] | None:
        try:
            # one page: it is asked for one
            return dict(self.client("rds").describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0])
        except ClientError as error:
            if code(error) not in ("DBSnapshotNotFound", "DBSnapshotNotFoundFault"):
                raise
            return None

    def _rehearsed(self) -> datetime | None:
        """When it was rehearsed last, if that still says something."""
        found = self._described(self._part("rehearsal")["id"])
        told = [each["Value"] for each in (found or {}).get("TagList", []) if each["Key"] == TAG]
        if not told:
            return None
        when = datetime.fromisoformat(told[0])
        return when if datetime.now(UTC) - when < REHEARSED_TIME else None

    def _snapshot(self, kind: str) -> str:
        """A snapshot of the site's own, made as a whole; its identifier.

        Raises:
            Failed: RDS could not make it, or not in time.
        """
        wait, part = self._wait(), self._part(kind)
        while True:
            part = self._snapshots.begin(self._name, part["of"], f"{kind}-{self._way.called}", part)
            if part["state"] == GOOD:
                return str(part["id"])
            if part["state"] == FAILED:
                raise Failed(
                    f"RDS could not make the snapshot {part['id']}: {part['why']}. Nothing of the site was changed."
                )
            if not wait.pause(f"the snapshot {part['id']} to be whole"):
                raise Failed(
                    f"The snapshot {part['id']} is not whole after {wait.seconds / 60:.0f} minutes. Nothing of the "
                    "site was changed. The same command goes on with it; backup_wait_minutes says how long it waits."
                )

    # On a copy

    def _rehearse(self, own: dict[str, Any], group: str) -> dict[str, Any]:
        """Upgrade a copy, and see that all of it is still the same. The copy goes, also where that fails."""
        part = self._part("rehearsal")
        self._forget_old(part)
        try:
            done = self._on_a_copy(own, group)
        except (Failed, Broken, ClientError) as error:
            self._clear(part)
            if isinstance(error, ClientError):
                raise Failed(
                    f"The rehearsal could not be ended: {reason(error)}. Type the same command again."
                ) from None
            raise
        self._let_go()
        arn = (self._described(part["id"]) or {})["DBSnapshotArn"]
        tag = {"Key": TAG, "Value": datetime.now(UTC).isoformat(timespec="seconds")}
        self.client("rds").add_tags_to_resource(ResourceName=arn, Tags=[tag])
        return done

    def _forget_old(self, part: Part) -> None:
        """A snapshot of an earlier rehearsal is not of now; one of a run that was killed today is."""
        found = self._described(part["id"])
        if found is None:
            return
        made = found.get("SnapshotCreateTime")
        used = any(each["Key"] == TAG for each in found.get("TagList", []))
        if used or (made and datetime.now(UTC) - made > LATEST):
            self._instance.let_go()
            self._snapshots.let_go(part)

    def _clear(self, part: Part) -> None:
        """Delete what a rehearsal has made that failed."""
        try:
            self._let_go()
            self._snapshots.let_go(part)
        except ClientError as error:
            self._say(
                f"the copy {self._instance.name} and the snapshot {part['id']} are still there ({reason(error)}); the "
                "next run lets them go",
                "red",
            )

    def _let_go(self) -> None:
        names = [self._instance.name] if self._instance.let_go() else []
        for name in [*names, *self._instance.let_go_others()]:
            self._say(f"the copy is being deleted: {name}")

    def _on_a_copy(self, own: dict[str, Any], group: str) -> dict[str, Any]:
        way, away = self._way, None
        snapshot = self._snapshot("rehearsal")
        copy = self._there(own, snapshot)
        if copy["EngineVersion"] == way.target and self._notes(copy) is None:
            self._instance.let_go()  # upgraded by a run that was killed before it had looked at it
            copy = self._there(own, snapshot)
        started = time.monotonic()
        if copy["EngineVersion"] != way.target:
            away = self._raise_copy(copy, group)
        took = time.monotonic() - started
        self._doing = "its tables are being compared"
        with self._into(copy) as login:
            server = Server(login, self._idle, NOTES)
            before, after = self._notes_of(server), server.contents(self.arguments["dbname"])
        self._compare(before or {}, after)
        what = f"{some(len(after), 'table')} with {some(rows(after), 'row')}"
        span = f"; it took {about(took)}, and nobody was answered for {about(away)}" if away is not None else ""
        self._say(f"the copy runs {way.target}: {what}, each with the same content as before{span}", "green")
        measured = {} if away is None else {"away_seconds": round(away), "took_seconds": round(took)}
        return {"tables": len(after), "rows": rows(after), **measured}

    def _raise_copy(self, copy: dict[str, Any], group: str) -> float:
        """Write down what is in it, then have RDS upgrade it; for how many seconds it answered nobody."""
        way = self._way
        self._doing = "what is in the copy is being summed up"
        with self._into(copy) as login:
            server = Server(login, self._idle, NOTES)
            contents = server.contents(self.arguments["dbname"])
            if not contents:
                raise Failed(
                    f"The copy has no table in the database {self.arguments['dbname']}, so nothing could be compared. "
                    f"Nothing of the site was changed. Its name is `name` in site_databases.{self._name}."
                )
            server.make(NOTES, "")
            server.note(NOTES, json.dumps(contents))
            self._say(f"the copy is being upgraded from {way.now} to {way.target}", "yellow")
            absence = Absence(login.port)
            Engine(self.client("rds"), self._instance.name).upgrade(way, group, self._wait(), absence)
        return absence.seconds

    def _compare(self, before: dict[str, str], after: dict[str, str]) -> None:
        if wrong := unlike(after, before, "and had"):
            raise Failed(
                f"The copy is not the same with PostgreSQL {self._way.target}: {listed(wrong)}. Nothing of the site "
                "was changed, and the copy is deleted. Another version may write floating point numbers and types of "
                "extensions otherwise: look at these tables."
            )

    def _notes(self, copy: dict[str, Any]) -> dict[str, str] | None:
        with self._into(copy) as login:
            return self._notes_of(Server(login, self._idle, NOTES))

    @staticmethod
    def _notes_of(server: Server) -> dict[str, str] | None:
        """What the copy had in it before; None where nobody has written it down."""
        known = server.known(NOTES)
        if known is None or not known.comment.startswith("{"):
            return None
        return {str(table): str(told) for table, told in json.loads(known.comment).items()}

    def _there(self, own: dict[str, Any], snapshot: str) -> dict[str, Any]:
        """The copy, once it is up.

        Raises:
            Failed: it does not come up.
        """
        wait = self._wait()
        while True:
            found = self._instance.found()
            state = found["DBInstanceStatus"] if found else "not there"
            if found is None:
                self._say(f"{snapshot} is being restored to an instance beside, {self._instance.name}", "yellow")
                self._instance.begin(snapshot, own)
            elif state == "available" and "EngineVersion" not in (found.get("PendingModifiedValues") or {}):
                return found
            elif state in DEAD:
                raise Failed(
                    f"RDS could not restore the snapshot {snapshot}: the copy {self._instance.name} is {state}, and is "
                    "deleted. Nothing of the site was changed. Type the same command again, which makes another."
                )
            what = "to be gone" if state == DELETING else f"to be up (it is {state})"
            if not wait.pause(f"the copy {self._instance.name} {what}"):
                raise Failed(
                    f"The copy {self._instance.name} is not ready after {wait.seconds / 60:.0f} minutes: it has "
                    f"{what}; it is deleted. Nothing of the site was changed. Type the same command again; "
                    "backup_wait_minutes says how long it waits."
                )

    @contextmanager
    def _into(self, copy: dict[str, Any]) -> Iterator[Login]:
        """A way to the copy, as its user with a password that nobody else has."""
        wait = self._wait()

        def pause(what: str) -> None:
            if not wait.pause(f"the copy {self._instance.name} {what}"):
                raise Failed(
                    f"The copy {self._instance.name} has {what} after {wait.seconds / 60:.0f} minutes, in vain."
                )

        with self._login_beside(self._instance, copy, pause) as login:
            yield login

    # The site's own

    def _real(self, group: str) -> dict[str, Any]:
        """Upgrade the site's own, after a snapshot of it."""
        way = self._way
        snapshot = self._snapshot("before")
        self._say(f"{snapshot} has all of it as it is now", "green")
        with self._site_login() as login:
            self._say(f"is being upgraded from {way.now} to {way.target}; meanwhile nobody is answered", "yellow")
            absence = Absence(login.port)
            self._own.upgrade(way, group, self._wait(), absence)
        self._conclude()
        self._say(f"runs {way.target}; nobody was answered for {about(absence.seconds)}", "green")
        return {"upgraded": True, "snapshot": snapshot, "away_seconds": round(absence.seconds)}

    def _conclude(self) -> None:
        """Let the planner know what is there, as a major upgrade leaves it nothing, and the rehearsal go."""
        self._doing = "its tables are being looked at for the planner"
        with self._site_login() as login:
            Server(login, self._idle).analyze(self.arguments["dbname"])
        self._snapshots.let_go(self._part("rehearsal"))

    def _finished(self) -> dict[str, Any]:
        """What is to be said of a database that runs the version; a run that was killed is brought to its end."""
        open_ = self._described(self._part("rehearsal")["id"]) is not None
        self._say(f"runs {self._way.now} already, the newest that {self.arguments['version']} means", "green")
        if not self.check_mode:
            self._let_go()
            if open_:
                self._conclude()
        return {"changed": open_}
