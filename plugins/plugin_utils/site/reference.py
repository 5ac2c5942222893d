"""The one form in which a site's things name each other, `<noun>.<entry>.<attribute>`, and what it comes to.

Under `environment` it comes to what anybody may read; under `secrets` to a place in Secrets Manager or the Parameter
Store, from which ECS takes the value when a task starts, so that it stands in no template.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.site.place import Place, listed, near, shown

FORM = re.compile(r"([A-Za-z_]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
SECRET_ARN = re.compile(
    r"(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+)(?::([^:]*))?(?::([^:]*):([^:]*))?"
)
"""A name has an exclamation mark where AWS manages the secret: RDS that of a master user, `rds!db-…`.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
"""
PARAMETER_ARN = re.compile(r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+")
PARAMETER_NAME = re.compile(r"/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Output:
    """An output of the stack of the entry that is asked."""

    name: str


@dataclass(frozen=True)
class Sub:
    """A text whose pseudo parameters CloudFormation fills in where the stack is: `${AWS::Partition}`.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    """

    text: str


@dataclass(frozen=True)
class Stored:
    """A place in Secrets Manager or the Parameter Store.

    Attributes:
        where: an ARN, the name of a parameter in the site's region, or the output that tells the ARN.
        json_key: which key of a secret that holds JSON; empty for all of it.
        version: what ECS's form has behind the key, `<stage>:<id>`; empty parts mean the current one.
        kms_key_arn: the key it is encrypted with, if that is one of the account's own: reading then needs a right of
            its own. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
    """

    where: str | Output
    json_key: str = ""
    version: str = ":"
    kms_key_arn: str = ""

    @property
    def is_parameter(self) -> bool:
        """Whether it lies in the Parameter Store."""
        return isinstance(self.where, str) and (self.where.startswith("/") or ":ssm:" in self.where)


@dataclass(frozen=True)
class Attribute:
    """What an entry can be asked for.

    Attributes:
        plain: what stands under `environment`: an output, or the text itself where it is known without the stack, as
            it stands or (`Sub`) as CloudFormation fills it in; None for what only `secrets` may have.
        stored: what stands under `secrets`; None for what is no secret.
        data: name of what holds the data that `plain` leads to, empty where that is `plain` itself; None if it leads
            to none. See leading.py.
    """

    plain: Output | Sub | str | None = None
    stored: Stored | None = None
    data: str | None = None


@dataclass(frozen=True)
class Reference:
    """`<noun>.<entry>.<attribute>`."""

    noun: str
    entry: str
    attribute: str

    @property
    def key(self) -> str:
        """Of the entry: `database.main`."""
        return f"{self.noun}.{self.entry}"

    def __str__(self) -> str:
        return f"{self.key}.{self.attribute}"


def parse(text: object) -> Reference | None:
    """The reference that a text is, if it has the form of one."""
    found = FORM.fullmatch(text) if isinstance(text, str) else None
    return Reference(found[1], found[2], found[3]) if found else None


def plain_value(value: Any, at: Place) -> str | Reference | None:
    """The value of an environment variable: a text as it stands, or `{from: <reference>}`."""
    if isinstance(value, Mapping):
        if set(value) == {"from"}:
            found = parse(value["from"])
            if not found:
                (at / "from").wrong(f"is {shown(value['from'])}, must be a reference, for example database.main.host.")
            return found
        at.wrong("is a mapping. Write a text, or a reference: {from: database.main.host}.")
        return None
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        if abs(value) < 10**300:
            return str(int(value))
        at.wrong("is a number of more than 300 digits. Put it in quotes.")
        return None
    if isinstance(value, str):
        return str(value)
    what = "a number that YAML may have changed" if isinstance(value, float) else f"a {_kind(value)}"
    at.wrong(f"is {shown(value)}, {what}. Put in quotes what the application is to read, for example {_quoted(value)}.")
    return None


def _kind(value: object) -> str:
    return "list" if isinstance(value, (list, tuple)) else "thing that is no text"


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, float) else '"a,b"'


def stored_value(value: Any, at: Place) -> Stored | Reference | None:
    """What `secrets` takes: a reference, an ARN, or the name of a parameter. What is none of these is never shown."""
    text = value if isinstance(value, str) else ""
    if found := parse(text):
        return found
    if found_secret := SECRET_ARN.fullmatch(text):
        arn, key, stage, version = (part or "" for part in found_secret.groups())
        return Stored(arn, key, f"{stage}:{version}")
    if PARAMETER_ARN.fullmatch(text) or PARAMETER_NAME.fullmatch(text):
        return Stored(str(text))
    if isinstance(value, Mapping) and "from" in value:
        at.wrong("is written as under environment. Under secrets the reference stands alone: database.main.password.")
        return None
    at.wrong(
        "must say where the secret lies, not what it is: a reference (secret.django.secret_key), the ARN of a secret "
        "(arn:aws:secretsmanager:…[:key]) or a parameter (/shop/api_key). What stands there is not shown."
    )
    return None


def right(value: Any, at: Place) -> tuple[str, ...] | None:
    """The rights of one line of `uses`: a word or a list of words."""
    words = [value] if isinstance(value, str) else value
    if isinstance(words, (list, tuple)) and words and all(isinstance(word, str) for word in words):
        return tuple(map(str, words))
    at.wrong(f"is {shown(value)}, must be a list of rights, for example [read, write].")
    return None


BY_NAME = (
    " ECS would take a name for a parameter's. Type: aws secretsmanager describe-secret --secret-id <name> --query ARN"
)
"""Why a secret of Secrets Manager is not named by its name.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html
"""


def existing_arn(pattern: re.Pattern[str], example: str, found: str = "") -> Any:
    """The kind of an ARN that matches `pattern`; `found` says why its name will not do, and how it is found."""

    def kind(value: Any, at: Place) -> str | None:
        if isinstance(value, str) and pattern.fullmatch(value):
            return str(value)
        at.wrong(f"is {shown(value)}, must be an ARN: {example}.{found}")
        return None

    return kind


def no_attribute(reference: Reference, attributes: Mapping[str, Attribute]) -> str:
    """The sentence about an attribute that an entry has not."""
    close = near(reference.attribute, attributes)
    return f"asks {reference.key} for {reference.attribute}, which it has not.{close} It has {listed(attributes)}."
