"""The events of a CloudFormation stack: shown while one waits, and read for why an operation failed."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed, Say, Wait
from plugins.plugin_utils.layers import Layer

DNS_RECORD = re.compile(
    r"Content of DNS Record is: ?\{Name: ?(?P<name>[^,]+), ?Type: ?(?P<type>[^,]+), ?Value: ?(?P<value>[^}]+)\}"
)
"""How AWS::CertificateManager::Certificate says in an event what it waits for.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-certificatemanager-certificate.html
"""

ROUTINE_REASONS = ("Resource creation Initiated", "Eventual consistency check initiated", "User Initiated")
CANCELLED = re.compile(r"Resource (creation|update) cancelled")


class Records:
    """DNS records that were asked for, shown once for all layers: a certificate's is the same in every region."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: set[tuple[str, str, str]] = set()

    def is_new(self, record: Mapping[str, str]) -> bool:
        """Whether `record` was not asked about before."""
        key = record["name"], record["type"], record["value"]
        with self._lock:
            new = key not in self._seen
            self._seen.add(key)
            return new


def describe(client: Any, stack: str) -> dict[str, Any] | None:
    """DescribeStacks of the stack of that name or id, or None if there is none."""
    try:
        found: dict[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return found


class Watch:
    """Waits for a stack and shows what happens to it.

    Args:
        layer: the stack's.
        client: boto3's `cloudformation` client of its region.
        say: shows a line of progress.
        records: shared between the stacks of a run.
        wait: makes a `Wait`; replaced by tests.

    Attributes:
        asked: DNS records that somebody had to create.
    """

    def __init__(
        self, layer: Layer, client: Any, say: Say, records: Records, wait: Callable[[float, Say, str], Wait]
    ) -> None:
        self._layer, self._client, self._say, self._records, self._wait = layer, client, say, records, wait
        self.asked: list[dict[str, str]] = []
        self._awaited: dict[str, list[dict[str, str]]] = {}  # certificate → the DNS records that it waits for

    def newest(self, now: Mapping[str, Any]) -> str | None:
        """Id of the newest event: what comes after it belongs to the next operation."""
        events = self._client.describe_stack_events(StackName=now["StackId"])["StackEvents"]
        return events[0]["EventId"] if events else None

    def until_over(self, now: dict[str, Any], events: Events, past: bool = False, gone: bool = False) -> dict[str, Any]:
        """Show the stack's events until nothing is in progress; its description then.

        Args:
            now: the stack; `StackId` is used, as a deleted stack has no name any more.
            events: those of the operation.
            past: whether to look for DNS records also in events of before.
            gone: whether the stack is being deleted.
        """
        wait = self._wait(self._layer.timeout, self._say, self._layer.name)
        if past:
            for event in events.before():
                self._show_record(event)
        while True:
            found = describe(self._client, now["StackId"]) or {
                "StackId": now["StackId"],
                "StackStatus": "DELETE_COMPLETE",
            }
            for event in events.new():
                self._show(event)
                wait.heard()
            status = found["StackStatus"]
            if gone:
                # Right after the call the state of before may still be shown; only an event proves a new failure.
                failed = any(event["ResourceStatus"] == "DELETE_FAILED" for event in events.all)
                over = status == "DELETE_COMPLETE" or (status == "DELETE_FAILED" and failed)
            else:
                over = not status.endswith("IN_PROGRESS")
            if over:
                return found
            if not wait.pause(events.pending() or f"the stack ({found['StackStatus']})"):
                what = events.pending() or "the stack"
                raise Failed(
                    f"is still {status} after {wait.seconds:.0f} s, waiting for {what}. {self._missing()}It goes on by "
                    "itself; to wait for it again, type the same command."
                )

    def _missing(self) -> str:
        """A sentence about the DNS records that certificates still wait for; empty if there are none."""
        records = [
            f"{record['name']} {record['type']} {record['value']}"
            for awaited in self._awaited.values()
            for record in awaited
        ]
        many = len(records) > 1
        return f"The DNS record{'s' * many} {', '.join(records)} {'are' if many else 'is'} missing. " if records else ""

    def _show(self, event: Mapping[str, Any]) -> None:
        if not event["ResourceStatus"].endswith("_IN_PROGRESS"):
            self._awaited.pop(event["LogicalResourceId"], None)
        reason = event.get("ResourceStatusReason") or ""
        if self._show_record(event) or reason in ROUTINE_REASONS:
            return
        status = event["ResourceStatus"]
        color = (
            "red" if "FAILED" in status or "ROLLBACK" in status else "green" if status.endswith("COMPLETE") else None
        )
        self._say(self._layer.name, f"{status:<20} {event['LogicalResourceId']} {reason}".rstrip(), color)

    def _show_record(self, event: Mapping[str, Any]) -> bool:
        """Show the DNS record that a certificate waits for, once a run; whether the event was about one."""
        match = DNS_RECORD.search(event.get("ResourceStatusReason") or "")
        if not match:
            return False
        record = {key: value.strip() for key, value in match.groupdict().items()}
        if record not in self.asked:
            self.asked.append(record)
        awaited = self._awaited.setdefault(event["LogicalResourceId"], [])
        if record not in awaited:
            awaited.append(record)
        if any(name.endswith("HostedZoneId") and value for name, value in self._layer.parameters.items()):
            self._say(self._layer.name, f"validated by {record['name']} in the hosted zone")
        elif self._records.is_new(record):
            self._say(
                self._layer.name,
                "CREATE THIS DNS RECORD; the certificate waits for it and keeps needing it to be renewed:\n"
                f"    {record['name']}  {record['type']}  {record['value']}",
                "bright yellow",
            )
        return True


class Events:
    """The events of one operation on a stack, oldest first.

    Args:
        after: id of the newest event before the operation.
    """

    def __init__(self, client: Any, stack: str, after: str | None) -> None:
        self._client, self._stack, self._after = client, stack, after
        self.all: list[dict[str, Any]] = []

    def new(self) -> list[dict[str, Any]]:
        """Those since the last call."""
        last = self.all[-1]["EventId"] if self.all else self._after
        fresh: list[dict[str, Any]] = []
        for event in self._newest_first():
            if event["EventId"] == last:
                break
            fresh.append(event)
        fresh.reverse()
        self.all += fresh
        return fresh

    def before(self) -> list[dict[str, Any]]:
        """Those up to the beginning."""
        return list(self._newest_first())[::-1]

    def pending(self) -> str:
        """The resources that are being worked on."""
        last: dict[str, dict[str, Any]] = {event["LogicalResourceId"]: event for event in self.all}
        return ", ".join(
            f"{name} ({event['ResourceType']})"
            for name, event in last.items()
            if event["ResourceStatus"].endswith("IN_PROGRESS") and event["ResourceType"] != "AWS::CloudFormation::Stack"
        )

    def _newest_first(self) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=self._stack)
        for page in pages:
            yield from page["StackEvents"]


def reasons(events: list[dict[str, Any]]) -> str:
    """Why an operation failed: the resources' own words, without those that were only cancelled because of them."""
    failed = [
        event
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
        and event["ResourceType"] != "AWS::CloudFormation::Stack"
        and not CANCELLED.search(event.get("ResourceStatusReason") or "")
    ]
    rows = (
        f"{event['LogicalResourceId']} ({event['ResourceType']}): "
        f"{event.get('ResourceStatusReason') or 'no reason given'}"
        for event in failed
    )
    return "; ".join(dict.fromkeys(rows))
