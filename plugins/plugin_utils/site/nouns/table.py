"""Tables: DynamoDB, or one that exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from plugins.plugin_utils.site.kinds import Choice, Listed, Pairs, Text, is_list
from plugins.plugin_utils.site.noun import STACK, Grant, Identity, Noun, nothing_else
from plugins.plugin_utils.site.patch import patch
from plugins.plugin_utils.site.place import Place, shown
from plugins.plugin_utils.site.reference import Attribute, Output, Sub
from plugins.plugin_utils.site.schema import Key, Schema

MOST_INDEXES = 20
"""Global secondary indexes of a table at most, if AWS was not asked for more.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""
NAME = r"[a-zA-Z0-9_.-]{3,255}"
"""Of a table and of an index.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""
ARN = "arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{}"
KEYS = ("partition_key", "sort_key")
TYPES = ("string", "number", "binary")
DEFAULT = "string"
ATTRIBUTE = Text("the name of an attribute, without spaces, quotes and braces", "id", r"[^\s\"'\\{}]{1,255}")


@dataclass(frozen=True)
class KeyAttribute:
    """An attribute that is a key.

    Attributes:
        name: its name.
        type: `string`, `number` or `binary`; empty while that is not known, see `make`.
    """

    name: str
    type: str = ""


@dataclass(frozen=True)
class Index:
    """A global secondary index.

    Attributes:
        name: its name.
        partition_key, sort_key: its keys; the second is None if it has none.
        projection: what an item has in it: `all`, `keys_only`, or the attributes besides the keys.
    """

    name: str
    partition_key: KeyAttribute | None
    sort_key: KeyAttribute | None
    projection: str | tuple[str, ...]


def key(value: Any, at: Place) -> KeyAttribute | None:
    """The kind of a key: the name of an attribute, or name and type."""
    if isinstance(value, Mapping):
        found = KEY.read(value, at)
        return KeyAttribute(found["name"], found["type"]) if found["name"] else None
    name = ATTRIBUTE(value, at)
    return KeyAttribute(name) if name else None


def projection(value: Any, at: Place) -> str | tuple[str, ...] | None:
    """The kind of a projection: a word, or a list of attributes."""
    if is_list(value):
        found = Listed(ATTRIBUTE, "title", least=1)(value, at)
        return None if found is None else tuple(sorted(set(found)))  # another order would be another index
    if isinstance(value, str) and value in ("all", "keys_only"):
        return str(value)
    at.wrong(f"is {shown(value)}, must be all, keys_only or a list of attributes, for example [title].")
    return None


KEY = Schema(
    "a key",
    {
        "name": Key(ATTRIBUTE, "", "Write for example {name: id, type: string}."),
        "type": Key(Choice(TYPES, {word[0].upper(): f"write {word}." for word in TYPES}), ""),
    },
)
INDEX = Schema(
    "an index",
    {
        "partition_key": Key(key, None, "Write partition_key: the attribute by which its items are found."),
        "sort_key": Key(key),
        "projection": Key(projection, "all"),
    },
    {
        "hash_key": "write partition_key.",
        "range_key": "write sort_key.",
        "name": "an index's name is its key here; take the line out.",
    },
)
ON_DEMAND = "a table of Berth's is billed by request, which has no capacity to set. Take the line out."
SCHEMA = Schema(
    "a table",
    {
        "partition_key": Key(key),
        "sort_key": Key(key),
        "global_secondary_indexes": Key(Pairs(INDEX, "by_owner: {partition_key: owner}", NAME), {}),
        "ttl": Key(ATTRIBUTE, ""),
        "name": Key(Text("the name of a table that exists", "acme-items", NAME), ""),
        "patch": Key(patch, {}),
    },
    {
        "key": "write partition_key: id.",
        "hash_key": "write partition_key: id.",
        "range_key": "write sort_key: created.",
        "indexes": "write global_secondary_indexes: {by_owner: {partition_key: owner}}.",
        "local_secondary_indexes": "write global_secondary_indexes, which can come and go while the table is up.",
        "time_to_live": "write ttl: the attribute that holds when an item expires.",
        "billing_mode": ON_DEMAND,
        "read_capacity": ON_DEMAND,
        "write_capacity": ON_DEMAND,
        "point_in_time_recovery": "it is always on. Take the line out.",
        "deletion_protection": "it is always on. Take the line out.",
        "encryption": "it is always on. Take the line out.",
        "streams": "write patch: {Table.StreamSpecification: {StreamViewType: NEW_IMAGE}}.",
        "table_name": "write name: the name of a table that exists.",
    },
)


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        entry: its name in the site.
        name: of a table that exists, which then has no stack; empty for one that Berth makes and AWS names.
        partition_key, sort_key: its keys; the first is None for a table that exists, the second if it has none.
        global_secondary_indexes: by name.
        ttl: the attribute that holds when an item expires, in seconds since 1970; empty for never.
    """

    entry: str
    name: str
    partition_key: KeyAttribute | None
    sort_key: KeyAttribute | None
    global_secondary_indexes: tuple[Index, ...]
    ttl: str
    patch: dict[str, Any] = field(default_factory=dict)


def make(entry: str, global_secondary_indexes: Mapping[str, Mapping[str, Any]], **values: Any) -> Table:
    """The table, its indexes in one order: another one would be another template.

    A key without a type has the one that another key says of the same attribute, or is a string.
    """
    keyed = [values, *global_secondary_indexes.values()]
    keys: list[KeyAttribute] = [each[word] for each in keyed for word in KEYS if each[word]]
    types = {each.name: each.type for each in reversed(keys) if each.type}

    def typed(given: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, KeyAttribute] = {word: given[word] for word in KEYS if given[word]}
        return {
            **given,
            **{word: replace(each, type=each.type or types.get(each.name, DEFAULT)) for word, each in found.items()},
        }

    indexes = tuple(Index(name, **typed(given)) for name, given in sorted(global_secondary_indexes.items()))
    return Table(entry, global_secondary_indexes=indexes, **typed(values))


def check(entry: Table, given: Mapping[Any, Any], at: Place) -> None:
    """What DynamoDB refuses; and a table that exists is left as it is."""
    if entry.name:
        nothing_else(SCHEMA, given, at)
        return
    if not entry.partition_key and "partition_key" not in given and "name" not in given:
        at.wrong(
            "has no partition_key. Write partition_key: id, the attribute by which its items are found, or name: the "
            "name of a table that exists."
        )
    if len(entry.global_secondary_indexes) > MOST_INDEXES:
        (at / "global_secondary_indexes").wrong(
            f"has {len(entry.global_secondary_indexes)}; a table may have {MOST_INDEXES}."
        )
    typed: dict[str, str] = {}
    for place, each, other in _keys(entry, at):
        if other and each.name == other.name:
            place.wrong(f"is {each.name}, as its partition_key is. Name another attribute, or take the line out.")
        elif (before := typed.setdefault(each.name, each.type)) != each.type:
            place.wrong(f"makes a {each.type} of {each.name}, and another key a {before}. An attribute has one type.")
    if typed.get(entry.ttl, "number") != "number":
        (at / "ttl").wrong(
            f"is {entry.ttl}, a {typed[entry.ttl]} by its key. Items expire by a number, in seconds since 1970."
        )


def _keys(entry: Table, at: Place) -> Iterator[tuple[Place, KeyAttribute, KeyAttribute | None]]:
    """Every key with its place, a sort key with its partition key."""
    places = [(at, entry.partition_key, entry.sort_key)]
    below = at / "global_secondary_indexes"
    places += [(below / each.name, each.partition_key, each.sort_key) for each in entry.global_secondary_indexes]
    for place, partition_key, sort_key in places:
        if partition_key:
            yield place / "partition_key", partition_key, None
        if sort_key:
            yield place / "sort_key", sort_key, partition_key


def attributes(entry: Table, identity: Identity) -> dict[str, Attribute]:
    """What a table can be asked for."""
    del identity
    if entry.name:
        return {"name": Attribute(entry.name, data=""), "arn": Attribute(Sub(ARN.format(entry.name)), data="")}
    return {"name": Attribute(Output("TableName"), data=""), "arn": Attribute(Output("TableArn"), data="")}


NOUN = Noun(
    "table",
    "site_tables",
    SCHEMA,
    make,
    check,
    attributes,
    # As the CDK grants them (grantReadData, grantWriteData), less streams, and with PartiQL's names for the same.
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    grants={
        "read": (
            Grant(
                (
                    "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:BatchGetItem",
                    "dynamodb:ConditionCheckItem",
                )
            ),
            Grant(("dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect")),
            Grant(("dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect"), "/index/*"),
        ),
        "write": (
            Grant(
                (
                    "dynamodb:DescribeTable", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
                    "dynamodb:BatchWriteItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate",
                    "dynamodb:PartiQLDelete",
                )
            ),
        ),
    },
    arn=lambda entry: ARN.format(entry.name) if entry.name else Output("TableArn"),
    names=(STACK,),
)  # fmt: skip
