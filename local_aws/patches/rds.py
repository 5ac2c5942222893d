"""DB instances come up in their own time, versions are those of RDS, and a few actions that moto lacks.

What RDS offers is read from the lists that cfn-lint carries (the same that the templates are checked against).
"""

from __future__ import annotations

import datetime
import functools
import json
import random
import string
from importlib import resources
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.rds import rds_backends
from moto.rds.exceptions import DBParameterGroupNotFoundError
from moto.rds.models import DBInstance, DBSnapshot, RDSBackend
from moto.rds.responses import RDSResponse

from local_aws.config import ACCOUNT_ID, REGION
from local_aws.patches._moto import AwsError, around, instead, missing

if TYPE_CHECKING:
    from local_aws.cloud import Cloud

initial_status = "available"
"""Status of a new DB instance; the databases part sets it to `creating` and later calls `set_status`."""

initial_snapshot_status = "available"
"""Status of a new snapshot by hand or by AWS Backup; the databases part may set it to `creating` and later call
`set_snapshot_status`."""

upgrade_status = "available"
"""Status of an instance that gets another version; the databases part sets it to `upgrading` and calls `upgraded`."""

BUSY = ("backing-up", "creating", "deleting", "modifying", "rebooting", "starting", "stopping", "upgrading")
"""States in which RDS makes no snapshot.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html
"""


def set_status(cloud: Cloud, identifier: str, status: str) -> None:
    """Say how a DB instance is (`available`, `failed`, …).

    Raises:
        KeyError: there is none of that identifier.
    """
    with cloud.changes.happening():
        rds_backends[ACCOUNT_ID][REGION].databases[identifier].status = status


def set_snapshot_status(cloud: Cloud, identifier: str, status: str) -> None:
    """Say how a DB snapshot is.

    Raises:
        KeyError: there is none of that identifier.
    """
    with cloud.changes.happening():
        rds_backends[ACCOUNT_ID][REGION].get_db_snapshot(identifier).status = status


def upgrading_to(cloud: Cloud, identifier: str) -> str:
    """The version that an instance is being upgraded to; empty if to none.

    Raises:
        KeyError: there is none of that identifier.
    """
    del cloud  # one embedded AWS a process
    return str(getattr(rds_backends[ACCOUNT_ID][REGION].databases[identifier], "berth_upgrade_to", ""))


def upgraded(cloud: Cloud, identifier: str) -> None:
    """Say that an instance has the version that it was to get.

    Raises:
        KeyError: there is none of that identifier.
    """
    with cloud.changes.happening():
        database = rds_backends[ACCOUNT_ID][REGION].databases[identifier]
        database.engine_version, database.berth_upgrade_to = database.berth_upgrade_to, ""


def master_password(cloud: Cloud, identifier: str) -> str:
    """The master user's password as it was last set; RDS never tells, the real PostgreSQL has to know.

    Raises:
        KeyError: there is none of that identifier.
    """
    del cloud  # one embedded AWS a process
    return str(rds_backends[ACCOUNT_ID][REGION].databases[identifier]._master_user_password)


@functools.cache
def offered(kind: str, engine: str, region: str = REGION) -> list[str]:
    """What RDS offers for an engine: `EngineVersion` or `DBInstanceClass` values, oldest version first."""
    folder = resources.files("cfnlint.data.schemas.extensions.aws_rds_dbinstance")
    file = {"EngineVersion": "engine_version.json", "DBInstanceClass": "dbinstanceclass_enum.json"}[kind]
    rules: dict[str, Any] = json.loads((folder / file).read_text(encoding="utf-8"))
    if kind == "DBInstanceClass":
        rules = rules.get(region, {})
    found: set[str] = set()
    for rule in rules.get("allOf", []):
        condition = rule["if"]["properties"].get("Engine", {})
        if engine == condition.get("const") or engine in condition.get("enum", []):
            found |= set(map(str, rule["then"]["properties"].get(kind, {}).get("enum", [])))
    return sorted(found, key=_version_key)


def _version_key(version: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in version.split(".")]


def resolve_version(engine: str, version: str) -> str:
    """The full version that RDS takes for `version`: of a major version alone, its newest minor.

    Raises:
        AwsError: RDS has no such version.
    """
    matches = [item for item in offered("EngineVersion", engine) if item == version or item.startswith(f"{version}.")]
    if not matches:
        raise AwsError("InvalidParameterCombination", f"Cannot find version {version} for {engine}")
    return version if version in matches and "." in version else matches[-1]


@around(DBInstance, "__init__")
def _init(init: Any, self: Any, backend: Any, **keywords: Any) -> None:
    engine, version = keywords.get("engine"), keywords.get("engine_version")
    if engine == "postgres":
        keywords["engine_version"] = resolve_version(engine, str(version or "17"))
    support = keywords.get("engine_lifecycle_support") or "open-source-rds-extended-support"
    major = str(keywords.get("engine_version") or "").split(".")[0]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    if engine == "postgres" and support.endswith("-disabled") and STANDARD_SUPPORT.get(major, ("", today))[1] < today:
        raise AwsError("InvalidParameterCombination", f"PostgreSQL {major} is past its end of standard support.")
    init(self, backend, **keywords)
    self.engine_lifecycle_support = support
    self.dbi_resource_id = "db-" + "".join(random.choices(string.ascii_uppercase + string.digits, k=26))
    self.status = initial_status
    if self.ca_certificate_identifier == "rds-ca-default":
        self.ca_certificate_identifier = USUAL_AUTHORITY
    _check_authority(self.ca_certificate_identifier)
    self.berth_certified = datetime.datetime.now(datetime.UTC)


@property  # type: ignore[misc]  # of moto's class, which shows what it finds by this name
def _certificate_details(self: Any) -> dict[str, Any]:
    """What the server proves itself by, as DescribeDBInstances tells it; RDS renews it by itself in time."""
    return {"CAIdentifier": self.ca_certificate_identifier, "ValidTill": self.berth_certified + CERTIFICATE_TIME}


DBInstance.certificate_details = _certificate_details


@around(DBSnapshot, "__init__")
def _snapshot_init(init: Any, self: Any, *arguments: Any, **keywords: Any) -> None:
    init(self, *arguments, **keywords)
    if self.snapshot_type in ("manual", "awsbackup"):
        self.status = initial_snapshot_status


@around(RDSResponse, "create_db_snapshot")
def _create_db_snapshot(create: Any, self: Any) -> Any:
    database = self.backend.describe_db_instances(self.params.get("DBInstanceIdentifier"))[0]
    if database.status in BUSY:
        raise AwsError("InvalidDBInstanceState", f"Instance {database.db_instance_identifier} is {database.status}.")
    return create(self)


@around(RDSBackend, "describe_db_snapshots")
def _describe_db_snapshots(describe: Any, self: Any, *arguments: Any, **keywords: Any) -> Any:
    """Of AWS Backup's snapshots one that is named is found whatever the type; moto looks among the others only."""
    given = dict(zip(("db_instance_identifier", "db_snapshot_identifier", "snapshot_type"), arguments, strict=False))
    named = str((given | keywords).get("db_snapshot_identifier") or "").lower()
    if named.startswith("awsbackup:") and not (given | keywords).get("snapshot_type"):
        return describe(self, None, named, "awsbackup")
    return describe(self, *arguments, **keywords)


@around(RDSResponse, "delete_db_snapshot")
def _delete_db_snapshot(delete: Any, self: Any) -> Any:
    name = str(self.params.get("DBSnapshotIdentifier"))
    if name.startswith("awsbackup:") and name in self.backend.database_snapshots:
        raise AwsError("InvalidDBSnapshotState", f"Snapshot {name} is managed by AWS Backup, and is deleted there.")
    return delete(self)


@around(RDSBackend, "describe_db_parameter_groups")
def _describe_db_parameter_groups(describe: Any, self: Any, keywords: dict[str, Any]) -> Any:
    groups = describe(self, keywords)
    name = keywords.get("db_parameter_group_name")
    if name and not groups:
        raise DBParameterGroupNotFoundError(name)
    return groups


@around(RDSBackend, "modify_db_instance")
def _modify_db_instance(modify: Any, self: Any, identifier: str, keywords: dict[str, Any]) -> Any:
    database = self.describe_db_instances(identifier)[0]
    size = keywords.get("allocated_storage")
    if size and int(size) < int(database.allocated_storage):
        raise AwsError(
            "InvalidParameterCombination",
            f"Invalid storage size: {size} GiB is less than the present {database.allocated_storage} GiB",
        )
    if authority := keywords.get("ca_certificate_identifier"):
        _check_authority(authority)
        if authority != database.ca_certificate_identifier:
            database.berth_certified = datetime.datetime.now(datetime.UTC)
    # With it a server of RDS restarts or waits for a restart, where its engine cannot do without; PostgreSQL can.
    keywords.pop("certificate_rotation_restart", None)
    target = ""
    if keywords.get("engine_version") and database.engine == "postgres":
        allowed = str(keywords.get("allow_major_version_upgrade")).lower() == "true"
        target = upgrade_target(database.engine_version, str(keywords.pop("engine_version")), allowed)
        if target and database.status in BUSY:
            raise AwsError("InvalidDBInstanceState", f"Database instance {identifier} is {database.status}.")
    found = modify(self, identifier, keywords)
    if target and upgrade_status == "available":
        database.engine_version = target
    elif target:
        database.status, database.berth_upgrade_to = upgrade_status, target
    return found


def upgrade_target(now: str, wanted: str, major_allowed: bool) -> str:
    """The version that ModifyDBInstance upgrades to, as RDS for PostgreSQL decides it; empty if it changes nothing.

    A major version alone means its default minor version, and nothing where the instance has that or a newer one.
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html

    Raises:
        AwsError: there is no way from the one to the other, or a major one that nobody has allowed.
    """
    target = resolve_version("postgres", wanted)
    if wanted == now or ("." not in wanted and _major(now) == wanted and _version_key(target) <= _version_key(now)):
        return ""
    if target not in upgrades(now):
        raise AwsError("InvalidParameterCombination", f"Cannot upgrade postgres from {now} to {target}")
    if _major(target) != _major(now) and not major_allowed:
        raise AwsError(
            "InvalidParameterCombination",
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
        )
    return target


def upgrades(version: str) -> list[str]:
    """The versions that an instance of PostgreSQL can be upgraded to: here all newer ones.

    RDS offers of a newer major version only those minor ones that are no older than the present one.
    """
    known = (each for each in offered("EngineVersion", "postgres") if "." in each)
    return [each for each in known if _version_key(each) > _version_key(version)]


def _major(version: str) -> str:
    return version.split(".")[0]


USUAL_AUTHORITY = "rds-ca-rsa2048-g1"
AUTHORITIES = {USUAL_AUTHORITY: "2061-05-25", "rds-ca-rsa4096-g1": "2121-05-25", "rds-ca-ecc384-g1": "2121-05-25"}
"""Identifier of an authority of RDS → its last day.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
"""
CERTIFICATE_TIME = datetime.timedelta(days=365)
"""For how long a server's certificate holds."""


def _check_authority(name: str) -> None:
    if name not in AUTHORITIES:
        raise AwsError("CertificateNotFound", f"Certificate not found: {name}")


@missing(RDSResponse, "describe_certificates")
def _describe_certificates(self: Any) -> Any:
    wanted = str(self.params.get("CertificateIdentifier") or "")
    if wanted:
        _check_authority(wanted)
    return ActionResult(
        {
            "DefaultCertificateForNewLaunches": USUAL_AUTHORITY,
            "Certificates": [
                {
                    "CertificateIdentifier": name,
                    "CertificateType": "CA",
                    "ValidFrom": datetime.datetime(2021, 5, 25, tzinfo=datetime.UTC),
                    "ValidTill": datetime.datetime.fromisoformat(f"{end}T00:00:00+00:00"),
                    "CertificateArn": f"arn:aws:rds:{REGION}::cert:{name}",
                    "CustomerOverride": False,
                }
                for name, end in AUTHORITIES.items()
                if wanted in ("", name)
            ],
        }
    )


@missing(RDSResponse, "reset_db_parameter_group")
def _reset_db_parameter_group(self: Any) -> Any:
    name = self.params.get("DBParameterGroupName")
    group = self.backend.describe_db_parameter_groups({"db_parameter_group_name": name})[0]
    if self.params.get("ResetAllParameters"):
        group.parameters.clear()
    for parameter in self.params.get("Parameters") or []:
        group.parameters.pop(parameter["ParameterName"], None)
    return ActionResult({"DBParameterGroupName": name})


@missing(RDSResponse, "describe_db_engine_versions")
def _describe_db_engine_versions(self: Any) -> Any:
    engine = self.params.get("Engine") or "postgres"
    wanted = str(self.params.get("EngineVersion") or "")
    versions: list[dict[str, Any]] = [
        {
            "Engine": engine,
            "EngineVersion": version,
            "DBParameterGroupFamily": f"{engine}{version.split('.')[0]}",
            "DBEngineDescription": "PostgreSQL" if engine == "postgres" else engine,
            "DBEngineVersionDescription": f"{engine} {version}",
            "Status": "available",
            "SupportedCACertificateIdentifiers": list(AUTHORITIES),
            "SupportsCertificateRotationWithoutRestart": True,
            "ValidUpgradeTarget": [
                {
                    "Engine": engine,
                    "EngineVersion": target,
                    "IsMajorVersionUpgrade": _major(target) != _major(version),
                    "AutoUpgrade": False,
                }
                for target in (upgrades(version) if engine == "postgres" and wanted else ())
            ],
        }
        for version in offered("EngineVersion", engine)
        if "." in version and (not wanted or version == wanted or version.startswith(f"{wanted}."))
    ]
    if self.params.get("DefaultOnly"):
        versions = versions[-1:]
    return ActionResult({"DBEngineVersions": versions})


@missing(RDSResponse, "describe_pending_maintenance_actions")
def _describe_pending_maintenance_actions(self: Any) -> Any:
    del self  # nobody maintains what is emulated
    return ActionResult({"PendingMaintenanceActions": []})


STANDARD_SUPPORT = {
    "11": ("2019-03-13", "2024-02-29"),
    "12": ("2020-03-31", "2025-02-28"),
    "13": ("2021-02-24", "2026-02-28"),
    "14": ("2022-02-03", "2027-02-28"),
    "15": ("2023-02-27", "2028-02-29"),
    "16": ("2024-01-31", "2029-02-28"),
    "17": ("2024-11-25", "2030-02-28"),
    "18": ("2025-11-14", "2031-02-28"),
}
"""First and last day of each major version of PostgreSQL in RDS; three years of extended support follow.

https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
"""


@missing(RDSResponse, "describe_db_major_engine_versions")
def _describe_db_major_engine_versions(self: Any) -> Any:
    engine = self.params.get("Engine") or "postgres"
    if engine != "postgres":
        raise NotImplementedError("Only PostgreSQL's versions are known.")
    wanted = str(self.params.get("MajorEngineVersion") or "")
    return ActionResult(
        {
            "DBMajorEngineVersions": [
                {"Engine": engine, "MajorEngineVersion": major, "SupportedEngineLifecycles": _lifecycles(start, end)}
                for major, (start, end) in STANDARD_SUPPORT.items()
                if wanted in ("", major)
            ]
        }
    )


def _lifecycles(start: str, end: str) -> list[dict[str, Any]]:
    first, last = (datetime.datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in (start, end))
    extended = last + datetime.timedelta(days=1)
    days = [("standard", first, last), ("extended", extended, extended + datetime.timedelta(days=3 * 365))]
    return [
        {
            "LifecycleSupportName": f"open-source-rds-{name}-support",
            "LifecycleSupportStartDate": begin,
            "LifecycleSupportEndDate": until,
        }
        for name, begin, until in days
    ]


@missing(RDSResponse, "describe_account_attributes")
def _describe_account_attributes(self: Any) -> Any:
    used = len(self.backend.databases)
    return ActionResult({"AccountQuotas": [{"AccountQuotaName": "DBInstances", "Used": used, "Max": 40}]})


def _refuse(action: str, reason: str) -> None:
    def refuse(_self: Any) -> Any:
        raise NotImplementedError(reason)

    instead(RDSResponse, action)(refuse)


@around(RDSBackend, "restore_db_instance_from_db_snapshot")
def _restore_db_instance_from_db_snapshot(restore: Any, self: Any, snapshot: str, given: dict[str, Any]) -> Any:
    """What is not given is RDS's own or of the snapshot, and not all of the instance that it was made of.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html
    """
    found = self.describe_db_snapshots(db_instance_identifier=None, db_snapshot_identifier=snapshot)[0]
    if found.status != "available":
        raise AwsError("InvalidDBSnapshotState", f"DB snapshot {snapshot} is {found.status}.")
    database = restore(self, snapshot, given)
    database.tags = given.get("tags") or list(found.tags)
    for name in ("deletion_protection", "multi_az", "publicly_accessible"):
        setattr(database, name, bool(given.get(name)))
    database.engine_version = found.engine_version
    database.berth_restored_from = found.db_snapshot_identifier
    return database


def restored_from(cloud: Cloud, identifier: str) -> str:
    """Identifier of the snapshot that an instance was restored from; empty if of none.

    Raises:
        KeyError: there is none of that identifier.
    """
    del cloud  # one embedded AWS a process
    return str(getattr(rds_backends[ACCOUNT_ID][REGION].databases[identifier], "berth_restored_from", ""))


# moto would record it, and a client would find no dump behind the record.
_refuse("copy_db_snapshot", "The copy would have no data.")


def runs(size: str, version: str) -> bool:
    """Whether instance class `size` runs that version of PostgreSQL.

    Only what a person may run into is known here: classes of before 2018 end at PostgreSQL 12, and Graviton 3 begins
    with these minor versions.
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Support.html
    """
    major, minor = int(version.split(".")[0]), int(version.split(".")[1].partition("-")[0])
    family = size.split(".")[1]
    if family in ("t1", "t2", "m1", "m2", "m3", "m4", "r3", "r4"):
        return major < 13
    if family in ("m7g", "r7g"):
        return minor >= {13: 4, 14: 5, 15: 2, 16: 1}.get(major, 0) and major >= 13
    return True


@instead(RDSBackend, "describe_orderable_db_instance_options")
def _describe_orderable_db_instance_options(self: Any, engine: str, engine_version: str) -> list[dict[str, Any]]:
    zones = [{"Name": f"{self.region_name}{letter}"} for letter in "abcdf"]
    # The list also has major versions alone, which are no version of an instance, and what left standard support.
    versions = [
        version
        for version in offered("EngineVersion", engine)
        if "." in version and (version == engine_version if engine_version else _version_key(version) >= [(13, "")])
    ]
    return [
        {
            "Engine": engine,
            "EngineVersion": version,
            "DBInstanceClass": size,
            "LicenseModel": "postgresql-license",
            "AvailabilityZones": zones,
            "MultiAZCapable": True,
            "StorageType": "gp3",
            "SupportsStorageEncryption": True,
            "SupportsStorageAutoscaling": True,
            "MinStorageSize": 20,
            "MaxStorageSize": 65536,
            "Vpc": True,
        }
        for size in offered("DBInstanceClass", engine, self.region_name)
        for version in versions
        if engine != "postgres" or runs(size, version)
    ]


@around(RDSResponse, "describe_orderable_db_instance_options")
def _filter_orderable_db_instance_options(describe: Any, self: Any) -> Any:
    result = describe(self)
    if wanted := self.params.get("DBInstanceClass"):
        options = result.result["OrderableDBInstanceOptions"]
        result.result["OrderableDBInstanceOptions"] = [
            option for option in options if option["DBInstanceClass"] == wanted
        ]
    return result
