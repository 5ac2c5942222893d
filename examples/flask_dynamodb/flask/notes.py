"""Short notes in a DynamoDB table: the newest first, none older than it may be."""

from __future__ import annotations

import functools
import os
import secrets
import time
from datetime import UTC, datetime
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key

LONGEST = 140
"""Characters of a note."""
DAYS = 90
"""After which DynamoDB may take a note away: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html"""
BOARD = "front"
"""All notes have one partition key, so that they can be read in their order."""


class NoteError(ValueError):
    """A text that is no note; the message is for the person who wrote it."""


@functools.cache
def table() -> Any:
    """The table that TABLE names. Made at the first request: connections do not outlive gunicorn's fork."""
    return boto3.resource("dynamodb").Table(os.environ["TABLE"])


def write(text: str) -> dict[str, str]:
    """Keep a note.

    Raises:
        NoteError: it is empty, or too long.
    """
    text = " ".join(text.split())
    if not text:
        raise NoteError("A note has to say something.")
    if len(text) > LONGEST:
        raise NoteError(f"A note has at most {LONGEST} characters; this one has {len(text)}.")
    # Two notes of one moment are two notes.
    note = {"at": f"{datetime.now(UTC).isoformat(timespec='milliseconds')}#{secrets.token_hex(4)}", "text": text}
    table().put_item(Item=note | {"board": BOARD, "expires": int(time.time()) + DAYS * 86_400})
    return shown(note)


def newest(count: int = 20) -> list[dict[str, str]]:
    """The newest notes, newest first; one that has just been written is among them."""
    found = table().query(
        KeyConditionExpression=Key("board").eq(BOARD), ScanIndexForward=False, Limit=count, ConsistentRead=True
    )
    return [shown(item) for item in found["Items"]]


def shown(item: dict[str, Any]) -> dict[str, str]:
    """A note as the world sees it."""
    return {"at": str(item["at"]).partition("#")[0], "text": str(item["text"])}
