"""The lock of an environment: one object in S3, written only on the condition that it is as it was seen.

Whoever changes the environment holds it. It is taken by a write that fails if the object is there, renewed and taken over
by one that fails if it was written meanwhile, and let go by a deletion on the same condition; so of two who try at once
one succeeds. Whether it has expired is told by the clock of S3, never by that of a machine that runs a verb.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

KEY = "lock.json"
TTL_SECONDS = 300.0
"""After how long a lock that nobody renews is free.

Long enough for a machine that sleeps for a moment, or loses its network, to come back before its work is taken for dead;
short enough to wait for after a run that was killed.
"""
RENEWALS = 5
"""How often it is renewed in that time: each minute, so four attempts in a row may fail."""
TTL_VARIABLE = "BERTH_LOCK_SECONDS"
"""Environment variable with another lifetime, in seconds: an embedded AWS is used by one person."""
ATTEMPTS = 10
"""How often to try again where somebody else was quicker: each time another run has taken it, or let it go."""
GONE = ("NoSuchKey", "404")
CHANGED = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")
"""The condition does not hold, or another write was under way at the same moment.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes:
        run: id of the run of a verb.
        verb: its name.
        who, where: user and machine.
        arn: of the caller, as AWS knows them.
        started: when the lock was taken, ISO 8601 in UTC.
        entry: key of the run's entry in the ledger.
        arguments: what the verb was given, as far as others want to know.
        ttl: seconds for which the lock holds from its last renewal.
        token: of this taking alone.
        renewed: how often it was renewed.
    """

    run: str
    verb: str
    who: str
    where: str
    arn: str = ""
    started: str = ""
    entry: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    ttl: float = TTL_SECONDS
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    renewed: int = 0

    @property
    def name(self) -> str:
        """`anna@laptop`."""
        return f"{self.who}@{self.where}"

    @property
    def renew_seconds(self) -> float:
        """How long to wait for the next renewal."""
        return self.ttl / RENEWALS


@dataclass(frozen=True)
class Held:
    """A lock as S3 has it.

    Attributes:
        holder: whose it is.
        etag: of the object.
        age: seconds since it was taken or renewed, by the clock of S3.
    """

    holder: Holder
    etag: str
    age: float = 0.0

    @property
    def expired(self) -> bool:
        """Whether its holder has not renewed it in time."""
        return self.age > self.holder.ttl

    @property
    def left(self) -> float:
        """Seconds until it expires, if it is not renewed."""
        return max(0.0, self.holder.ttl - self.age)

    @property
    def sentence(self) -> str:
        """Who holds it for what: `release by anna@laptop since 10:02 UTC (renewed 20 s ago)`."""
        given = "".join(f" {name}={value}" for name, value in self.holder.arguments.items())
        since = moment(self.holder.started)
        return f"{self.holder.verb}{given} by {self.holder.name} since {since} (renewed {self.age:.0f} s ago)"


class Locked(Exception):
    """Somebody else holds the lock.

    Args:
        held: the lock.
    """

    def __init__(self, held: Held) -> None:
        super().__init__(held.sentence)
        self.held = held


class Lost(Exception):
    """A lock that was held is not any more.

    Args:
        held: the one of now; None if there is none.
    """

    def __init__(self, held: Held | None) -> None:
        super().__init__(f"it is held now: {held.sentence}" if held else "somebody has unlocked it")
        self.held = held


class Lock:
    """The lock in a bucket.

    Args:
        s3: boto3 client.
        bucket: of the ledger.
    """

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def read(self) -> Held | None:
        """The lock as it is; None where nobody holds it. One that has expired is still there."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=KEY)
        except ClientError as error:
            if code(error) in GONE:
                return None
            raise
        age = (answered(answer) - answer["LastModified"]).total_seconds()
        return Held(_holder(answer["Body"].read()), answer["ETag"], max(0.0, age))

    def take(self, holder: Holder) -> Held:
        """Take the lock, also over from a run that has not renewed it in time.

        Returns:
            The lock; of another token if this run held it before.

        Raises:
            Locked: another run holds it.
        """
        for _ in range(ATTEMPTS):
            if etag := self._write(holder, IfNoneMatch="*"):
                return Held(holder, etag)
            there = self.read()
            if there is None:
                continue
            if there.holder.token == holder.token:
                return there  # the write was answered too late; boto3 has repeated it, and it met its own object
            if not there.expired:
                if there.holder.run == holder.run:
                    return there
                raise Locked(there)
            if etag := self._write(holder, IfMatch=there.etag):
                return Held(holder, etag)
        there = self.read()
        raise Locked(there) if there else TimeoutError(f"{ATTEMPTS} other runs were quicker to take the lock")

    def renew(self, held: Held) -> Held:
        """Say that the holder lives.

        Raises:
            Lost: the lock is another's, or nobody's.
        """
        holder = dataclasses.replace(held.holder, renewed=held.holder.renewed + 1)
        if etag := self._write(holder, IfMatch=held.etag):
            return Held(holder, etag)
        there = self.read()
        if there is None or there.holder.token != holder.token:
            raise Lost(there)
        return there  # as in `take`: repeated by boto3

    def let_go(self, held: Held) -> bool:
        """Delete the lock if it is still the one of this token; whether it was."""
        for _ in range(ATTEMPTS):
            try:
                self._s3.delete_object(Bucket=self._bucket, Key=KEY, IfMatch=held.etag)
                return True
            except ClientError as error:
                if code(error) not in (*GONE, *CHANGED):
                    raise
            there = self.read()
            if there is None or there.holder.token != held.holder.token:
                return False
            held = there
        return False

    def _write(self, holder: Holder, **condition: str) -> str:
        """Write the object; its ETag, or nothing if the condition does not hold."""
        body = json.dumps(dataclasses.asdict(holder), indent=1).encode()
        try:
            answer = self._s3.put_object(
                Bucket=self._bucket, Key=KEY, Body=body, ContentType="application/json", **condition
            )
        except ClientError as error:
            if code(error) in (*GONE, *CHANGED):
                return ""
            raise
        return str(answer["ETag"])


def lifetime() -> float:
    """For how long a lock holds that is taken now, in seconds.

    Raises:
        ValueError: `TTL_VARIABLE` is no number of at least a second.
    """
    given = os.environ.get(TTL_VARIABLE, "")
    with contextlib.suppress(ValueError):
        if (seconds := float(given or TTL_SECONDS)) >= 1:
            return seconds
    raise ValueError(f"{TTL_VARIABLE} is {given!r} in the environment; it is a number of seconds, at least 1.")


def code(error: ClientError) -> str:
    """AWS's word for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def answered(answer: Mapping[str, Any]) -> datetime:
    """When AWS gave an answer, by its own clock; by ours where it does not say."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(date).astimezone(UTC) if date else datetime.now(UTC)


def moment(written: str) -> str:
    """A time as people say it, in UTC: `10:02 UTC`, with the day if it is not today's."""
    try:
        when = datetime.fromisoformat(written).astimezone(UTC)
    except ValueError:
        return "an unknown time"
    today = when.date() == datetime.now(UTC).date()
    return f"{when:%H:%M} UTC" if today else f"{when:%Y-%m-%d %H:%M} UTC"


def _holder(body: bytes) -> Holder:
    """The holder that an object names; what somebody has written by hand may name none."""
    try:
        written = json.loads(body)
        known = {each.name for each in dataclasses.fields(Holder)}
        given = {"run": "", "verb": "?", "who": "?", "where": "?", "token": ""} | {
            name: value for name, value in written.items() if name in known
        }
        return Holder(**given | {"ttl": float(given.get("ttl", TTL_SECONDS))})
    except (ValueError, TypeError, AttributeError):
        return Holder("", "?", "?", "?", token="")
