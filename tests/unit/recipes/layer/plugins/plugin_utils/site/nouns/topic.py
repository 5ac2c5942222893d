"""Topics: SNS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.site.kinds import Text
from plugins.plugin_utils.site.noun import STACK, Grant, Identity, Noun
from plugins.plugin_utils.site.patch import patch
from plugins.plugin_utils.site.reference import Attribute, Output
from plugins.plugin_utils.site.schema import Key, Schema

SCHEMA = Schema(
    "a topic",
    {
        "display_name": Key(Text("a name of at most 100 characters", "Orders", r".{0,100}"), ""),
        "patch": Key(patch, {}),
    },
    {},
)


@dataclass(frozen=True)
class Topic:
    """A topic.

    Attributes:
        entry: its name in the site.
        display_name: that a person reads in a message.
    """

    entry: str
    display_name: str
    patch: dict[str, Any] = field(default_factory=dict)


def attributes(entry: Topic, identity: Identity) -> dict[str, Attribute]:
    """What a topic can be asked for."""
    del entry, identity
    return {"arn": Attribute(Output("TopicArn"))}


NOUN = Noun(
    "topic",
    "site_topics",
    SCHEMA,
    Topic,
    attributes=attributes,
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
    grants={"publish": (Grant(("sns:Publish",)),)},
    arn=lambda _: Output("TopicArn"),
    names=(STACK,),
)
