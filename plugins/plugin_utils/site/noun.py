"""What a noun of a site is: its variable, its keys, what its entries can be asked for, what others may do with them.

A new noun is one module in `nouns/` that makes one of these, and its word in the list of `nouns/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.site.place import Place
from plugins.plugin_utils.site.reference import Attribute, Output
from plugins.plugin_utils.site.schema import Schema


@dataclass(frozen=True)
class Identity:
    """Whose site it is. Empty where the inventory does not say: then nothing that depends on it is judged."""

    site_name: str = ""
    environment_name: str = ""
    domain_name: str = ""
    domain_aliases: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """Begin of every name."""
        return f"{self.site_name}-{self.environment_name}"

    @property
    def zone(self) -> str:
        """The private zone in which services find each other."""
        return f"{self.prefix}.internal"


@dataclass(frozen=True)
class AwsName:
    """A name that AWS bounds and that is made of the site's and the entry's.

    Attributes:
        what: the thing, for a sentence.
        form: of `{site}`, `{environment}`, `{prefix}` (both, with a hyphen), `{noun}` and `{entry}`.
        most: characters at most.
    """

    what: str
    form: str
    most: int


@dataclass(frozen=True)
class Grant:
    """What a right is on the side of IAM.

    Attributes:
        actions: that it allows.
        on: what follows the entry's ARN: "" for itself, "/*" for what is in it.
    """

    actions: tuple[str, ...]
    on: str = ""


def nothing_wrong(*_: Any) -> None:
    """What an entry's keys have to do with each other, where that is nothing."""


def nothing_else(schema: Schema, given: Mapping[Any, Any], at: Place) -> None:
    """Complain about all that is written of an entry that exists (`name`), which Berth leaves as it is."""
    for key in given:
        if str(key) in schema.keys and str(key) != "name":
            (at / key).wrong(f"would change {schema.what} that exists already (name), which Berth leaves as it is.")


def no_attributes(*_: Any) -> dict[str, Attribute]:
    """What an entry can be asked for, where that is nothing."""
    return {}


@dataclass(frozen=True)
class Noun:
    """A noun of a site.

    Attributes:
        word: in references, and the name of its role, template and stacks: `volume`.
        variable: of the inventory: `site_volumes`.
        schema: the keys of an entry.
        make: the entry, of its name and its keys.
        check: what one entry's keys have to do with each other; complains.
        attributes: what an entry can be asked for.
        grants: right → what it allows; empty where nobody may be given any.
        arn: of an entry, for its grants: an output of its stack, or the ARN itself.
        names: that AWS bounds.
        instead_of_uses: what to write where someone gives rights and there are none.
    """

    word: str
    variable: str
    schema: Schema
    make: Callable[..., Any]
    check: Callable[[Any, Mapping[Any, Any], Place], None] = nothing_wrong
    attributes: Callable[[Any, Identity], dict[str, Attribute]] = no_attributes
    grants: Mapping[str, tuple[Grant, ...]] | None = None
    arn: Callable[[Any], Output | str] = str
    names: tuple[AwsName, ...] = ()
    instead_of_uses: str = ""


STACK = AwsName("stack", "{prefix}-{noun}-{entry}", 128)
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
FAMILY = AwsName("task definition's family", "{prefix}-{noun}-{entry}", 255)
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html"""
LOG_GROUP = AwsName("log group", "/{site}/{environment}/{noun}/{entry}", 512)
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"""
