"""An instance of RDS gets another version of its engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed, Wait, reason
from plugins.plugin_utils.lock import code
from plugins.plugin_utils.restoring.instance import ABSENT, BUSY, DEAD
from plugins.plugin_utils.upgrading.absence import Absence
from plugins.plugin_utils.upgrading.versions import Way, major

SINCE_MINUTES = 24 * 60
ANSWER_SECONDS = 60.0
"""How long a server that RDS calls available may be silent: the way there may have gone, and is made anew then."""
LISTED = 3
"""How many of RDS's events a message has."""


class Engine:
    """The engine of an instance.

    Args:
        rds: boto3 client.
        identifier: of the instance.
    """

    def __init__(self, rds: Any, identifier: str) -> None:
        self._rds, self.identifier = rds, identifier

    def described(self) -> dict[str, Any] | None:
        """The instance as RDS describes it; None if it is not there."""
        try:
            # one page: it is asked for one
            return dict(self._rds.describe_db_instances(DBInstanceIdentifier=self.identifier)["DBInstances"][0])
        except ClientError as error:
            if code(error) not in ABSENT:
                raise
            return None

    def offered(self, version: str) -> list[dict[str, Any]]:
        """What RDS upgrades a version of PostgreSQL to, also one that it makes no new instance of any more."""
        # one page: a version in full is one
        found = self._rds.describe_db_engine_versions(Engine="postgres", EngineVersion=version, IncludeAll=True)[
            "DBEngineVersions"
        ]
        return [dict(target) for each in found for target in each.get("ValidUpgradeTarget", [])]

    def family(self, group: str) -> str:
        """For which family of versions a parameter group is (`postgres16`); empty if there is no such group."""
        try:
            # one page: it is asked for one
            found = self._rds.describe_db_parameter_groups(DBParameterGroupName=group)["DBParameterGroups"]
        except ClientError as error:
            if code(error) not in ("DBParameterGroupNotFound", "DBParameterGroupNotFoundFault"):
                raise
            return ""
        return str(found[0]["DBParameterGroupFamily"]) if found else ""

    def upgrade(self, way: Way, group: str, wait: Wait, absence: Absence) -> None:
        """Have another version, and wait until it runs; one that is under way is waited for.

        Args:
            way: from which version to which.
            group: the parameter group that it gets with it; empty for RDS's own of the new version.
            wait: until when.
            absence: told whether the server answers.

        Raises:
            Failed: RDS does not, or it takes too long.
        """
        begun = under_way = False
        settled: float | None = None
        while True:
            absence.look()
            found = self.described()
            state = found["DBInstanceStatus"] if found else "gone"
            if found is None or state in DEAD:
                raise Failed(f"{self.identifier} is {state}, and not at PostgreSQL {way.target}. {self._told()}")
            is_there = found["EngineVersion"] == way.target
            rests = state == "available" and "EngineVersion" not in (found.get("PendingModifiedValues") or {})
            if rests and is_there:
                settled = wait.elapsed if settled is None else settled
                if not absence.is_away or wait.elapsed - settled >= ANSWER_SECONDS:
                    return
            elif rests and under_way:
                raise Failed(
                    f"RDS has not upgraded {self.identifier}: it runs PostgreSQL {found['EngineVersion']} as before. "
                    f"{self._told()}"
                )
            elif rests and not begun:
                begun = self._begin(way, group)
            else:
                under_way = under_way or begun or state == "upgrading"
            if not wait.pause(f"{self.identifier} to run PostgreSQL {way.target} (it is {state})"):
                raise Failed(
                    f"{self.identifier} does not run PostgreSQL {way.target} after {wait.seconds / 60:.0f} minutes: it "
                    f"is {state}. {self._told()}. The same command goes on waiting; backup_wait_minutes says for how "
                    "long."
                )

    def _begin(self, way: Way, group: str) -> bool:
        """Ask RDS for it; whether it was taken, as nothing is while the instance is at something."""
        given: dict[str, Any] = {"DBParameterGroupName": group} if group else {}
        try:
            self._rds.modify_db_instance(
                DBInstanceIdentifier=self.identifier, EngineVersion=way.target, ApplyImmediately=True,
                AllowMajorVersionUpgrade=way.is_major, **given,
            )  # fmt: skip
        except ClientError as error:
            if code(error) in BUSY:
                return False
            raise Failed(f"RDS does not upgrade {self.identifier} to {way.target}: {reason(error)}") from None
        return True

    def _told(self) -> str:
        """The last that RDS says of it, and where the rest is."""
        try:
            found = self._rds.describe_events(  # one page: the last few are wanted
                SourceIdentifier=self.identifier, SourceType="db-instance", Duration=SINCE_MINUTES
            )["Events"]
        except ClientError:
            found = []
        said = "; ".join(str(each["Message"]).rstrip(".") for each in found[-LISTED:])
        log = f"aws rds describe-db-log-files --db-instance-identifier {self.identifier} --filename-contains upgrade"
        return (f"RDS says: {said}. " if said else "") + f"Which log has more: {log}"


def group_of(engine: Engine, found: Mapping[str, Any], way: Way, written: str, name: str) -> str:
    """The parameter group that an instance gets with another major version; empty for RDS's own.

    Args:
        engine: asks for groups.
        found: the instance as RDS describes it.
        way: from which version to which.
        written: the group that the inventory names by a patch; empty if none.
        name: of the database in the inventory.

    Raises:
        Failed: the one that is written, or that it has, is of another version.
    """
    if not way.is_major:
        return ""
    family = f"postgres{major(way.target)}"
    if written:
        of = engine.family(written)
        if of != family:
            raise Failed(
                f"The patch of site_databases.{name} names the parameter group {written}, which is "
                f"{f'of {of}' if of else 'not there'}; PostgreSQL {way.target} takes one of {family}. Nothing was "
                f"changed. Make one (aws rds create-db-parameter-group --db-parameter-group-family {family} …), write "
                "its name there, and type the same command again."
            )
        return written
    has = [each["DBParameterGroupName"] for each in found.get("DBParameterGroups", [])]
    if others := [each for each in has if not each.startswith("default.")]:
        raise Failed(
            f"The database {name} has the parameter group {', '.join(others)}, which the inventory does not name, and "
            f"which PostgreSQL {way.target} does not take. Nothing was changed. Make one of {family} and write it: "
            f"patch: {{Database.DBParameterGroupName: <name>}} into site_databases.{name}."
        )
    return ""
