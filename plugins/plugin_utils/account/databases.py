"""What an account says about databases, and about versions of their engines."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

STANDARD_SUPPORT = "open-source-rds-standard-support"
NONE: dict[str, Any] = {"id": "", "class": "", "engine_version": "", "allocated": 0, "authority": ""}
"""What is told of a database that is not there; sizes in GiB."""


@dataclass(frozen=True)
class Wanted:
    """What a database is to be.

    Attributes:
        class_: RDS's instance class.
        engine: RDS's name of it.
        version: of the engine; its major number will do, empty for any.
        stack: name of the stack that has it, or will.
    """

    class_: str
    engine: str
    version: str
    stack: str


def wanted(given: Mapping[str, Any]) -> dict[str, Wanted]:
    """The argument `databases` of `aws_account_info`.

    Raises:
        ValueError: an entry is not what the documentation says.
    """
    found: dict[str, Wanted] = {}
    keys = ("class", "engine", "version", "stack")
    for name, entry in given.items():
        if not isinstance(entry, Mapping) or set(entry) - set(keys) or not entry.get("class"):
            raise ValueError(f"databases: {name} must have class, and may have engine, version and stack.")
        class_, engine, version, stack = (str(entry.get(key) or "") for key in keys)
        found[name] = Wanted(class_, engine or "postgres", version, stack)
    return found


def database(rds: Any, identifier: str) -> dict[str, Any]:
    """A database's size, which may have grown by itself, its version and its class; see `NONE` if it is gone."""
    try:
        found = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
            return NONE
        raise
    pending = found.get("PendingModifiedValues", {}).get("AllocatedStorage", 0)
    return {
        "id": identifier,
        "class": found["DBInstanceClass"],
        "engine_version": found["EngineVersion"],
        "allocated": max(found["AllocatedStorage"], pending),
        "authority": found.get("CACertificateIdentifier", ""),
    }


def authorities(rds: Any, today: datetime.date) -> dict[str, dict[str, Any]]:
    """The authorities that sign the certificates of RDS's servers, by RDS's identifier of them.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeCertificates.html

    Args:
        rds: client.
        today: the day from which on days are counted.

    Returns:
        `end`, the last day as a date; `days`, how many are left; and whether new databases get it by `default`.
    """
    found: dict[str, dict[str, Any]] = {}
    for page in rds.get_paginator("describe_certificates").paginate():
        usual = page.get("DefaultCertificateForNewLaunches", "")
        for each in page["Certificates"]:
            name, end = str(each["CertificateIdentifier"]), each["ValidTill"].date()
            found[name] = {"end": end.isoformat(), "days": (end - today).days, "default": name == usual}
    return found


def login_due(rds: Any, vault: Any, identifier: str, secret: str) -> bool:
    """Whether nobody has written what the site logs in with since a database was made: it is new, or was replaced.

    Args:
        rds, vault: clients, of RDS and Secrets Manager.
        identifier: of the instance.
        secret: ARN of the login's.
    """
    told = vault.describe_secret(SecretId=secret)
    if not told.get("VersionIdsToStages"):
        return True
    found = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    made: datetime.datetime | None = found.get("InstanceCreateTime")  # an instance that is being made has none
    return made is None or bool(told["LastChangedDate"] < made)


def log_days(logs: Any, identifier: str) -> int:
    """For how many days the log of a database is kept; 0 means for ever, -1 that there is none.

    RDS makes the group with the instance's first line and never lets anything in it expire.
    """
    name = log_group(identifier)
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    groups = (group for page in pages for group in page["logGroups"] if group["logGroupName"] == name)
    return next((int(group.get("retentionInDays", 0)) for group in groups), -1)


def log_group(identifier: str) -> str:
    """Name of the log group to which RDS for PostgreSQL exports an instance's log."""
    return f"/aws/rds/instance/{identifier}/postgresql"


def major_versions(rds: Any, engine: str, today: datetime.date) -> list[dict[str, Any]]:
    """The major versions of an engine, oldest first, with the first and last day of standard support.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBMajorEngineVersions.html

    Args:
        rds: client.
        engine: RDS's name of it.
        today: the day on which support is asked for.
    """
    found: list[dict[str, Any]] = []
    for page in rds.get_paginator("describe_db_major_engine_versions").paginate(Engine=engine):
        for major in page["DBMajorEngineVersions"]:
            for life in major.get("SupportedEngineLifecycles", []):
                if life["LifecycleSupportName"] == STANDARD_SUPPORT:
                    start, end = life["LifecycleSupportStartDate"].date(), life["LifecycleSupportEndDate"].date()
                    found.append(
                        {
                            "version": str(major["MajorEngineVersion"]),
                            "start": start.isoformat(),
                            "end": end.isoformat(),
                            "supported": start <= today <= end,
                        }
                    )
    return sorted(found, key=lambda major: [int(part) for part in major["version"].split(".")])
