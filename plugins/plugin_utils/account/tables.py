"""What an account says about tables of DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

TYPES = {"S": "string", "N": "number", "B": "binary"}
KEYS = {"HASH": "partition_key", "RANGE": "sort_key"}


@dataclass(frozen=True)
class Wanted:
    """Which table is asked for.

    Attributes:
        name: of one that exists; empty for that of `stack`.
        stack: name of the stack that has it, or will.
    """

    name: str
    stack: str


def wanted(given: Mapping[str, Any]) -> dict[str, Wanted]:
    """The argument `tables` of `aws_account_info`.

    Raises:
        ValueError: an entry is not what the documentation says.
    """
    for entry, each in given.items():
        if not isinstance(each, Mapping) or set(each) - {"name", "stack"} or not any(each.values()):
            raise ValueError(f"tables: {entry} must have name or stack, and nothing else.")
    return {entry: Wanted(str(each.get("name") or ""), str(each.get("stack") or "")) for entry, each in given.items()}


def table(dynamodb: Any, name: str) -> dict[str, Any]:
    """A table's name, whether it is there, its indexes in the words of `site_tables`, and which are not ready yet."""
    try:
        found = dynamodb.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return {"name": name, "found": False, "indexes": [], "unready": []}
    types = {each["AttributeName"]: TYPES[each["AttributeType"]] for each in found["AttributeDefinitions"]}
    indexes = sorted(found.get("GlobalSecondaryIndexes") or [], key=lambda index: str(index["IndexName"]))
    return {
        "name": name,
        "found": True,
        "indexes": [_index(each, types) for each in indexes],
        "unready": [each["IndexName"] for each in indexes if each.get("IndexStatus") != "ACTIVE"],
    }


def _index(index: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    keys: dict[str, Any] = dict.fromkeys(KEYS.values())
    for each in index["KeySchema"]:
        keys[KEYS[each["KeyType"]]] = {"name": each["AttributeName"], "type": types[each["AttributeName"]]}
    projection = index["Projection"]
    kind = str(projection["ProjectionType"])
    return {
        "name": index["IndexName"],
        **keys,
        "projection": sorted(projection["NonKeyAttributes"]) if kind == "INCLUDE" else kind.lower(),
    }
