"""Databases: PostgreSQL on RDS, or one that exists outside of Berth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from plugins.plugin_utils.site.kinds import Choice, Flag, Listed, Text, Whole, network
from plugins.plugin_utils.site.noun import STACK, AwsName, Identity, Noun
from plugins.plugin_utils.site.patch import patch
from plugins.plugin_utils.site.place import Place
from plugins.plugin_utils.site.reference import BY_NAME, KEY_ARN, SECRET_ARN, Attribute, Output, Stored, existing_arn
from plugins.plugin_utils.site.schema import Key, Schema

PORT = 5432
KEPT_NAMES = ("postgres", "rdsadmin", "template0", "template1", "db")
KEPT_USERS = re.compile(
    r"pg_.*|admin|administrator|rdsadmin|rds_superuser|rdsrepladmin|root|user|all|public", re.IGNORECASE
)
"""Names that RDS or PostgreSQL keeps for itself."""
WORDS = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
    collation column concurrently constraint create cross current_catalog current_date current_role current_schema
    current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch
    for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join lateral
    leading left like limit localtime localtimestamp natural not notnull null offset on only or order outer
    overlaps placing primary references returning right select session_user similar some symmetric system_user
    table tablesample then to trailing true union unique user using variadic verbose when where window with
"""
RESERVED = frozenset(WORDS.split())
"""Words that PostgreSQL reserves, which RDS takes for no name of a database or of its master user.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
https://www.postgresql.org/docs/current/sql-keywords-appendix.html
"""
OLD_CLASSES = re.compile(r"db[.](t1|t2|m1|m2|m3|m4|r3|r4)[.].*")
IDENTIFIER = r"[a-zA-Z][a-zA-Z0-9_]{0,62}"
OURS = (
    "version", "class", "name", "username", "storage_gb", "storage_max_gb", "backup_days", "multi_az",
    "deletion_protection", "admin_cidrs", "ca_certificate",
)  # fmt: skip
"""Keys that only a database which Berth makes can have. Of one that exists, `name` is told to the containers."""

SCHEMA = Schema(
    "a database",
    {
        "engine": Key(
            Choice(
                ("postgres",),
                {
                    word: f"Berth makes PostgreSQL. A {word} that exists is named by endpoint, port and secret_arn."
                    for word in ("mysql", "mariadb", "aurora", "aurora-postgresql", "aurora-mysql")
                }
                | {"postgresql": "write postgres."},
            ),
            "postgres",
        ),
        "version": Key(Text("a version of PostgreSQL as RDS counts them", '"15"', r"[1-9][0-9]([.][0-9]+)?"), "15"),
        "class": Key(Text("an instance class of RDS", "db.t3.micro", r"db[.][a-z0-9-]+[.][a-z0-9]+"), "db.t3.micro"),
        "name": Key(Text("a letter, then letters, digits and underscores", "site", IDENTIFIER), "site"),
        "username": Key(Text("a letter, then letters, digits and underscores", "site", IDENTIFIER), "site"),
        "storage_gb": Key(Whole(20, 65536, "GiB"), 20),
        "storage_max_gb": Key(Whole(22, 65536, "GiB")),
        "backup_days": Key(Whole(1, 35, "days"), 7),
        "multi_az": Key(Flag(), False),
        "deletion_protection": Key(Flag(), True),
        "admin_cidrs": Key(Listed(network, "203.0.113.7/32"), ()),
        "ca_certificate": Key(Text("an authority of RDS", "rds-ca-rsa2048-g1", r"rds-ca-[a-z0-9-]+"), ""),
        "endpoint": Key(Text("the host name of a database that exists", "db.example.net", r"[A-Za-z0-9.-]+"), ""),
        "port": Key(Whole(1, 65535)),
        "secret_arn": Key(existing_arn(SECRET_ARN, "arn:aws:secretsmanager:…", BY_NAME), ""),
        "kms_key_arn": Key(existing_arn(KEY_ARN, "arn:aws:kms:…:key/…"), ""),
        "patch": Key(patch, {}),
    },
    {
        "instance_class": "write class: db.t3.micro.",
        "instance_type": "write class: db.t3.micro.",
        "engine_version": 'write version: "15".',
        "storage": "write storage_gb: 20.",
        "size": "write storage_gb: 20.",
        "user": "write username: site.",
        "dbname": "write name: site.",
        "password": "it never stands in an inventory. RDS's is generated; of an existing one write secret_arn: arn:….",
        "host": "write endpoint: the host name of a database that exists.",
    },
)


@dataclass(frozen=True)
class Database:
    """A database; sizes in GiB. One with an `endpoint` exists outside of Berth: it has no stack.

    Attributes:
        secret_arn: of an existing one's secret in Secrets Manager, whose JSON has `username` and `password`.
        ca_certificate: RDS's identifier of the authority that signs what the server proves itself by; RDS's choice if
            empty.
        kms_key_arn: the key that this secret is encrypted with, or storage and secret of one that Berth makes, if it
            is not AWS's own.
        port: of an existing one.
    """

    entry: str
    engine: str
    version: str
    class_: str
    name: str
    username: str
    storage_gb: int
    storage_max_gb: int
    backup_days: int
    multi_az: bool
    deletion_protection: bool
    admin_cidrs: tuple[str, ...]
    ca_certificate: str
    endpoint: str
    port: int
    secret_arn: str
    kms_key_arn: str
    patch: dict[str, Any] = field(default_factory=dict)


def make(entry: str, storage_gb: int, storage_max_gb: int | None, port: int | None, **values: Any) -> Database:
    """The database; it may grow to two and a half times its size by default."""
    values["class_"] = values.pop("class")
    most = min(storage_gb * 5 // 2, 65536) if storage_max_gb is None else storage_max_gb
    return Database(entry, storage_gb=storage_gb, storage_max_gb=most, port=port or PORT, **values)


def check(entry: Database, given: Mapping[Any, Any], at: Place) -> None:
    """What RDS refuses, and keys that only one of the two kinds has."""
    if entry.endpoint:
        for key in OURS:
            if key in given and key not in ("name", "username"):
                (at / key).wrong("is a setting of a database that Berth makes, and this one has an endpoint already.")
        return
    for key in ("port", "secret_arn"):
        if key in given:
            (at / key).wrong("belongs to a database that exists. Write its endpoint: too, or take the line out.")
    if entry.name.lower() in KEPT_NAMES:
        (at / "name").wrong(f"is {entry.name}, which RDS keeps for itself. Write for example name: site.")
    for key, word in (("name", entry.name), ("username", entry.username)):
        if word.lower() in RESERVED and not (key == "username" and KEPT_USERS.fullmatch(word)):
            (at / key).wrong(f"is {word}, a word of SQL, which RDS takes for no name. Write for example {key}: site.")
    if KEPT_USERS.fullmatch(entry.username):
        (at / "username").wrong(
            f"is {entry.username}, which RDS or PostgreSQL keeps for itself. Write for example username: site."
        )
    if OLD_CLASSES.fullmatch(entry.class_):
        (at / "class").wrong(f"is {entry.class_}, too old for PostgreSQL {entry.version}. Write class: db.t3.micro.")
    if entry.storage_max_gb * 10 < entry.storage_gb * 11:
        (at / ("storage_max_gb" if "storage_max_gb" in given else "storage_gb")).wrong(
            f"lets storage grow to {entry.storage_max_gb} GiB; RDS wants a tenth above storage_gb or more: "
            f"storage_max_gb: {-(-entry.storage_gb * 11 // 10)}."
        )
    for place, cidr in enumerate(entry.admin_cidrs):
        if int(cidr.partition("/")[2]) < 16:
            (at / "admin_cidrs" / place).wrong(f"is {cidr}: much of the world. List your own networks, /16 or smaller.")


def attributes(entry: Database, identity: Identity) -> dict[str, Attribute]:
    """What a database can be asked for.

    The secret of the site's login has everything, so all of it may stand under secrets; its user and password there
    alone, as both are others after rotate_secrets. Of a database that exists, Berth only knows that the secret has a
    user and a password.
    """
    del identity
    if entry.endpoint:
        found = {
            "host": Attribute(entry.endpoint, data=""),
            "port": Attribute(str(entry.port), data=f"{entry.endpoint}:{entry.port}"),
            "dbname": Attribute(entry.name, data=f"{entry.endpoint}/{entry.name}"),
            "engine": Attribute(entry.engine),
        }
        if arn := SECRET_ARN.fullmatch(entry.secret_arn):
            for key in ("username", "password"):
                found[key] = Attribute(stored=Stored(arn[1], key, kms_key_arn=entry.kms_key_arn))
        else:
            found["username"] = Attribute(entry.username)
        return found
    plain: dict[str, Output | str | None] = {
        "host": Output("Endpoint"),
        "port": Output("Port"),
        "dbname": entry.name,
        "username": None,
        "password": None,
        "engine": entry.engine,
    }
    made = {
        key: Attribute(value, Stored(Output("LoginArn"), key, kms_key_arn=entry.kms_key_arn))
        for key, value in plain.items()
    }
    return made | {"host": replace(made["host"], data="")}


NOUN = Noun(
    "database",
    "site_databases",
    SCHEMA,
    make,
    check,
    attributes,
    names=(STACK, AwsName("secret", "{prefix}/{noun}/{entry}/login", 512)),
    instead_of_uses="it is reached by its address: secrets: {{DB_PASSWORD: database.{entry}.password}}.",
)
