"""What containers write: the streams of the log driver awslogs, named as ECS names them.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Say

PAGES = 5
"""How many pages `last` may read: a page can be empty before the stream's beginning (GetLogEvents)."""
OVERLAP = 30_000
"""For how many milliseconds what was read is read again: log drivers send in parts, which need not come in order."""
SHORT = 8
"""Characters of a task's id by which it is told from the others."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
"""What a terminal may take for a command; all but the tab."""


class ContainerLog:
    """The log of one container of one task.

    Args:
        client: boto3's `logs` client.
        group, stream: of CloudWatch Logs.
        container: the container's name.
        keep: how many lines `tail` holds.
    """

    def __init__(self, client: Any, group: str, stream: str, container: str, keep: int = 30) -> None:
        self._client, self._group, self._stream, self._container, self._keep = client, group, stream, container, keep
        self._token: str | None = None
        self.tail: list[str] = []

    @classmethod
    def of(
        cls, client: Callable[[str | None], Any], container: Mapping[str, Any], task: str, keep: int = 30
    ) -> ContainerLog | None:
        """The log of a container; None if it goes elsewhere than to CloudWatch Logs.

        Args:
            client: gives the `logs` client of a region (None: the run's).
            container: its container definition.
            task: ARN of the task.
            keep: see the class.
        """
        configuration = container.get("logConfiguration") or {}
        options = configuration.get("options") or {}
        if configuration.get("logDriver") != "awslogs" or "awslogs-stream-prefix" not in options:
            return None
        stream = stream_name(options["awslogs-stream-prefix"], container["name"], task)
        return cls(client(options.get("awslogs-region")), options["awslogs-group"], stream, container["name"], keep)

    def read(self, say: Say) -> bool:
        """Show what is new; whether anything was."""
        anything = False
        while True:
            position = {"nextToken": self._token} if self._token else {"startFromHead": True}
            page = self._page(**position)
            if page is None:
                return anything  # the container has not written anything yet
            for event in page["events"]:
                say(self._container, event["message"])
                self.tail = [*self.tail, event["message"]][-self._keep :]
                anything = True
            # The end is told by a token that stays the same; a page may be empty before it (GetLogEvents).
            if page["nextForwardToken"] == self._token:
                return anything
            self._token = page["nextForwardToken"]

    def last(self) -> list[str]:
        """The last `keep` lines as they are now."""
        lines: list[str] = []
        position: dict[str, Any] = {"startFromHead": False}
        for _ in range(PAGES):
            page = self._page(limit=self._keep, **position)
            if page is None:
                break
            lines = [event["message"] for event in page["events"]] + lines
            token = page.get("nextBackwardToken")
            if len(lines) >= self._keep or not token or token == position.get("nextToken"):
                break
            position = {"nextToken": token}
        return lines[-self._keep :]

    def _page(self, **position: Any) -> dict[str, Any] | None:
        try:
            page: dict[str, Any] = self._client.get_log_events(
                logGroupName=self._group, logStreamName=self._stream, **position
            )
        except ClientError as error:
            if _is_missing(error):
                return None
            raise
        return page


@dataclass(frozen=True)
class Line:
    """One line, as it is shown.

    Attributes:
        at: milliseconds since 1970.
        source: `<entry>/<container>/<task>`, the task's id cut; of a function `<entry>/<id>`.
        container: its name; empty for a function.
        text: what was written, nothing in it that a terminal would obey.
    """

    at: int
    source: str
    container: str
    text: str


class GroupLog:
    """What all containers of one entry write, those that have ended too: its log group.

    Args:
        client: boto3's `logs` client.
        group: of CloudWatch Logs.
        entry: what the inventory calls it.
    """

    def __init__(self, client: Any, group: str, entry: str) -> None:
        self._client, self._group, self._entry = client, group, entry
        self._read: dict[str, int] = {}
        self._newest = 0
        self.is_missing = False

    def between(self, start: int, end: int | None = None) -> Iterator[Line]:
        """The lines of a time, the oldest first in each stream; none where there is no such log group.

        Args:
            start, end: milliseconds since 1970, both within; without `end` all that is there.
        """
        for event, _ in self._events(start, end):
            yield from self._lines(event)

    def fresh(self, begin: int) -> Iterator[Line]:
        """What was not read before, the oldest first in each stream.

        Args:
            begin: milliseconds since 1970, where to begin with a log in which nothing newer was found yet.
        """
        for event, is_new in self._events(max(self._newest, begin) - OVERLAP, None):
            if is_new:
                yield from self._lines(event)

    def _events(self, start: int, end: int | None) -> Iterator[tuple[dict[str, Any], bool]]:
        """Events, and whether each is read for the first time, as far as that is remembered."""
        until = {} if end is None else {"endTime": end}
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, startTime=max(0, start), **until
        )
        self.is_missing = False
        try:
            for page in pages:  # one may be empty, and others behind it
                for event in page["events"]:
                    yield event, event["eventId"] not in self._read
                    self._read[event["eventId"]] = event["timestamp"]
                    self._newest = max(self._newest, event["timestamp"])
        except ClientError as error:
            if not _is_missing(error):
                raise
            self.is_missing = True
        self._read = {name: at for name, at in self._read.items() if at >= self._newest - OVERLAP}

    def _lines(self, event: Mapping[str, Any]) -> Iterator[Line]:
        container, task = of_stream(event["logStreamName"])
        source = "/".join(filter(None, (self._entry, container, task)))
        for text in event["message"].splitlines() or [""]:
            yield Line(event["timestamp"], source, container, readable(text))


def stream_name(prefix: str, container: str, task: str) -> str:
    """The stream of a container.

    Args:
        prefix: its `awslogs-stream-prefix`.
        container: its name.
        task: ARN of the task.
    """
    return f"{prefix}/{container}/{task.rsplit('/', 1)[-1]}"


def of_stream(stream: str) -> tuple[str, str]:
    """Container and short task id of a stream; of a function's (`2026/11/26/[$LATEST]0a1b…`) no container."""
    if "]" in stream:
        return "", stream.rpartition("]")[2][:SHORT]
    *_, container, task = ["", *stream.split("/")]
    return container, task[:SHORT]


def readable(text: str) -> str:
    """A line without colours, and with what else a terminal would obey written out: what visitors send is logged."""
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", COLOUR.sub("", text))


def _is_missing(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == "ResourceNotFoundException")
