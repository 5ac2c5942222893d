"""What an account has already under names that a site would use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from botocore.exceptions import ClientError


def file_systems(efs: Any, names: Mapping[str, str]) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """The file systems that bear a name, and the ids of all there are in the region.

    Args:
        efs: client.
        names: entry → value of the Name tag: what rexray would choose from.

    Returns:
        Entry → file systems of that name; and all ids.
    """
    pages = efs.get_paginator("describe_file_systems").paginate()
    systems = [
        {
            "id": system["FileSystemId"],
            "arn": system.get("FileSystemArn", ""),
            "state": system["LifeCycleState"],
            "tags": {tag["Key"]: tag["Value"] for tag in system.get("Tags", [])},
        }
        for page in pages
        for system in page["FileSystems"]
    ]
    named = {
        entry: [system | {"name": name} for system in systems if system["tags"].get("Name") == name]
        for entry, name in names.items()
    }
    return named, [system["id"] for system in systems]


def bucket(s3: Any, name: str) -> str:
    """`mine`, `taken` or `absent`: bucket names are shared by all accounts."""
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        status = str(error.response["Error"]["Code"])
        if status in ("404", "NoSuchBucket", "NotFound"):
            return "absent"
        if status in ("403", "AccessDenied", "Forbidden"):
            return "taken"
        raise
    return "mine"


def repository_exists(ecr: Any, name: str) -> bool:
    """Whether there is an ECR repository of that name."""
    try:
        ecr.describe_repositories(repositoryNames=[name])
    except ClientError as error:
        if error.response["Error"]["Code"] == "RepositoryNotFoundException":
            return False
        raise
    return True


def secret_exists(secrets: Any, name: str) -> bool:
    """Whether there is a secret of that name, also one that is scheduled for deletion: its name is taken."""
    try:
        secrets.describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True


def stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """Status, parameters and outputs of a stack, or None."""
    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return {
        "status": found["StackStatus"],
        "parameters": {
            each["ParameterKey"]: each.get("ResolvedValue") or each.get("ParameterValue", "")
            for each in found.get("Parameters", [])
        },
        "outputs": {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
    }


def backup_types(backup: Any, types: Collection[str]) -> dict[str, bool]:
    """Type of resources (`EFS`) → whether AWS Backup is let at them in this region.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRegionSettings.html
    """
    found = backup.describe_region_settings().get("ResourceTypeOptInPreference") or {}
    return {each: bool(found.get(each)) for each in types}
