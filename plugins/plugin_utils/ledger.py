"""The ledger of an environment: what was done to it, by whom, and how it ended. It lies in the account itself.

A bucket with an object for each run of a verb that changes something, and the lock (`lock.py`). A run writes its entry
when it takes the lock, adds to it what it has done, and ends it. Each write but the first is made on the condition that
the object is as it was read, so nothing that was written meanwhile is lost.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.lock import ATTEMPTS, CHANGED, GONE, Held, Lock, code

LAYER, OUTPUT = "ledger", "BucketName"
"""The layer that has the bucket, and its output."""
FOLDER = "entries/"
PREVIEW_KEY = "preview.json"
"""Object that says of which environment's inventory a preview environment is; there is none for other environments."""
READERS = 8
"""Entries that are read at once."""
RUN_VARIABLE = "BERTH_RUN"
"""Environment variable with the id of this run of a verb, set by plugins/callback/ledger.py. What the run starts
inherits it, an ansible-playbook of a hook as well: that is part of the same run, and need not wait for its lock."""
ENTRY_VARIABLE = "BERTH_LEDGER"
"""Environment variable with where this run's entry is, `<prefix> <bucket> <key>`; set once the lock is held."""
RUNNING, GOOD, FAILED, INTERRUPTED = "running", "good", "failed", "interrupted"
"""Outcomes of an entry. The last is never written: it is what is read of a run that goes on no more and has not said
how it ended, as it was killed."""

Entry = dict[str, Any]
"""`run`, `verb`, `arguments`, `who`, `where`, `arn`, `started`, `ended` (None while it runs), `seconds`, `outcome`,
`reason` (one line); `key` of its object, which is not in it; what the verb adds: `release`, `services`, `jobs`, …"""


@dataclass(frozen=True)
class Place:
    """Where an entry is.

    Attributes:
        prefix: of the environment's stacks.
        bucket: of its ledger.
        key: of the object.
    """

    prefix: str
    bucket: str
    key: str

    @classmethod
    def of_this_run(cls, prefix: str) -> Place | None:
        """Where this run writes about the environment; None where it holds no lock of it."""
        given = os.environ.get(ENTRY_VARIABLE, "").split()
        return cls(*given) if len(given) == 3 and given[0] == prefix else None

    def __str__(self) -> str:
        return f"{self.prefix} {self.bucket} {self.key}"


class Ledger:
    """The ledger in a bucket.

    Args:
        s3: boto3 client.
        bucket: its name.
    """

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self.bucket = s3, bucket
        self.lock = Lock(s3, bucket)

    @classmethod
    def find(cls, client: Callable[[str], Any], prefix: str, bucket: str = "") -> Ledger | None:
        """The ledger of an environment; None if it has none yet.

        Where this run holds its lock, it knows the bucket: a list of stacks may not show yet one that was just made.

        Args:
            client: makes boto3 clients (`AwsAction.client`).
            prefix: of the environment's stacks.
            bucket: the ledger's, where it is not the one of the layer.
        """
        place = Place.of_this_run(prefix)
        bucket = bucket or (place.bucket if place else "")
        if not bucket:
            try:
                (stack,) = client("cloudformation").describe_stacks(StackName=f"{prefix}-{LAYER}")["Stacks"]
            except ClientError as error:
                if "does not exist" in str(error):
                    return None
                raise
            outputs = {each["OutputKey"]: str(each["OutputValue"]) for each in stack.get("Outputs", [])}
            bucket = outputs.get(OUTPUT, "")
        return cls(client("s3"), bucket) if bucket else None

    def preview_of(self) -> str | None:
        """The environment whose inventory this one was brought up from, beside it; None where none is written."""
        try:
            answer = self._s3.get_object(Bucket=self.bucket, Key=PREVIEW_KEY)
        except ClientError as error:
            if code(error) in GONE:
                return None
            raise
        return str(json.loads(answer["Body"].read())["preview_of"])

    def write_preview_of(self, name: str) -> None:
        """Write the name of the environment whose inventory this one is brought up from."""
        body = json.dumps({"preview_of": name}).encode()
        self._s3.put_object(Bucket=self.bucket, Key=PREVIEW_KEY, Body=body, ContentType="application/json")

    def begin(self, entry: Entry) -> None:
        """Write a new entry; its `key` says where."""
        self._s3.put_object(Bucket=self.bucket, Key=entry["key"], **_content(entry))

    def read(self, key: str) -> Entry | None:
        """An entry as it stands; None if there is none, or something else."""
        return found[0] if (found := self._read(key)) else None

    def update(self, key: str, facts: Mapping[str, Any]) -> Entry | None:
        """Merge facts into an entry, mappings key by key; the entry, or None if there is none (any more).

        Raises:
            TimeoutError: it was written by others again and again.
        """
        for _ in range(ATTEMPTS):
            if (found := self._read(key)) is None:
                return None
            entry, etag = merged(found[0], facts), found[1]
            try:
                self._s3.put_object(Bucket=self.bucket, Key=key, IfMatch=etag, **_content(entry))
            except ClientError as error:
                if code(error) not in (*GONE, *CHANGED):
                    raise
            else:
                return entry
        raise TimeoutError(f"{key} was written by others {ATTEMPTS} times while it was to be changed")

    def entries(self, limit: int | None = None, wanted: Callable[[Entry], bool] = lambda _: True) -> list[Entry]:
        """The entries, newest first. A run that was killed is `INTERRUPTED`.

        Args:
            limit: how many at most; all by default.
            wanted: which of them count.
        """
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=FOLDER)
        keys = sorted((each["Key"] for page in pages for each in page.get("Contents", [])), reverse=True)
        alive = self.alive()
        found: list[Entry] = []
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            while keys and (limit is None or len(found) < limit):
                part, keys = keys[: limit or len(keys)], keys[limit or len(keys) :]
                read = [entry for entry in pool.map(self.read, part) if entry is not None]
                found += [entry for each in read if wanted(entry := as_it_is(each, alive))]
        return found if limit is None else found[:limit]

    def alive(self) -> str:
        """The run that holds the lock; empty if none does."""
        held = self.lock.read()
        return held.holder.run if held and not held.expired else ""

    def _read(self, key: str) -> tuple[Entry, str] | None:
        try:
            answer = self._s3.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if code(error) in GONE:
                return None
            raise
        try:
            found = json.loads(answer["Body"].read())
        except ValueError:
            return None
        return ({**found, "key": key}, str(answer["ETag"])) if isinstance(found, dict) else None


def new_run() -> str:
    """An id for a run."""
    return secrets.token_hex(6)


def entry_key(started: datetime, run: str) -> str:
    """The key of an entry; in the order of their names they are in the order of time."""
    return f"{FOLDER}{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{run}.json"


def merged(into: Mapping[str, Any], facts: Mapping[str, Any]) -> Entry:
    """Facts over what is there; mappings are merged, all else is replaced."""
    found = dict(into)
    for name, value in facts.items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = merged(found[name], value) if both else value
    return found


def lock_told(held: Held | None) -> dict[str, Any]:
    """A lock as a task's result has it; empty if there is none."""
    if held is None:
        return {}
    return {
        "name": held.holder.name,
        "verb": held.holder.verb,
        "run": held.holder.run,
        "started": held.holder.started,
        "sentence": held.sentence,
        "expired": held.expired,
    }


def as_it_is(entry: Entry, alive: str) -> Entry:
    """An entry, told from one whose run goes on."""
    dead = entry.get("outcome") == RUNNING and entry.get("run") != alive
    return {**entry, "outcome": INTERRUPTED, "reason": "the run was killed"} if dead else entry


def _content(entry: Entry) -> dict[str, Any]:
    written = {name: value for name, value in entry.items() if name != "key"}
    return {"Body": json.dumps(written, indent=1).encode(), "ContentType": "application/json"}
