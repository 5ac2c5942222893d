"""What containers write: the streams of the log driver awslogs, named as ECS names them.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Say

PAGES = 5
"""How many pages `last` may read: a page can be empty before the stream's beginning (GetLogEvents)."""


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
        stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{task.rsplit('/', 1)[-1]}"
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
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        return page
