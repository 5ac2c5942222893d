"""The events of a CloudFormation stack: they prove that an operation is over, say what it waits for and why it failed.

CloudFormation is eventually consistent: right after a request DescribeStacks may still show the state and the outputs
of before, or no stack at all, and the list of events may lack the newest ones
(https://github.com/aws/aws-cdk-cli/issues/1802). So an operation is over when an event of the stack itself says so that
belongs to its own request, and DescribeStacks is believed from when it agrees with that event.
"""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed, Say, Wait, reason
from plugins.plugin_utils.layers import Layer

DNS_RECORD = re.compile(
    r"Content of DNS Record is: ?\{Name: ?(?P<name>[^,]+), ?Type: ?(?P<type>[^,]+), ?Value: ?(?P<value>[^}]+)\}"
)
"""How AWS::CertificateManager::Certificate says in an event what it waits for.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-certificatemanager-certificate.html
"""

ROUTINE_REASONS = ("Resource creation Initiated", "Eventual consistency check initiated", "User Initiated")
CANCELLED = re.compile(r"Resource (creation|update) cancelled")

STACK_TYPE = "AWS::CloudFormation::Stack"
CERTIFICATE_TYPE = "AWS::CertificateManager::Certificate"
FORWARD = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"})
"""States of a stack that an operation is still bringing to where it is to go."""
RECORD_SECONDS = 30
"""How long a certificate may be in progress without an event about its DNS record before ACM is asked for it."""
CLOCKS = datetime.timedelta(minutes=1)
"""How much later than an update's LastUpdatedTime its first event may be stamped; they are about the same."""


class Watcher(Protocol):
    """Explains resources of one type of which CloudFormation says nothing while they are in progress."""

    def look(self, resources: Mapping[str, str]) -> None:
        """Look at the resources that are in progress now, and show what is new. Called each round.

        Args:
            resources: logical id → physical id, which may be empty.
        """

    def hopeless(self) -> str:
        """Why the operation cannot end well any more; empty while it may."""

    def why(self) -> str:
        """After a failure, or at the deadline: what the service itself knows. Lines; empty if nothing."""


WatcherFactory = Callable[[Layer, Callable[[str], Any], Say], Watcher]
"""Layer, what gives a client of a service in its region, and what shows a line of progress → the watcher."""


class Stuck(Exception):
    """An operation cannot end well any more, or has not in its time, and the service it waits for can be explained.

    Args:
        message: what is wrong, without a full stop.
        why: what the service says; lines.
    """

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


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
        service: gives a client of another service in the same region.
        wait: makes a `Wait`; replaced by tests.
        watchers: resource type → makes what explains it while it is in progress.

    Attributes:
        asked: DNS records that somebody had to create.
        expected: gives the seconds that an operation will take, probably; 0 where nobody knows.
    """

    def __init__(
        self,
        layer: Layer,
        client: Any,
        say: Say,
        records: Records,
        service: Callable[[str], Any] | None,
        wait: Callable[[float, Say, str], Wait],
        watchers: Mapping[str, WatcherFactory],
    ) -> None:
        self._layer, self._client, self._say, self._records, self._wait = layer, client, say, records, wait
        self._service, self._factories = service, watchers
        self.asked: list[dict[str, str]] = []
        self.expected: Callable[[], float] = lambda: 0.0
        self._awaited: dict[str, list[dict[str, str]]] = {}  # certificate → the DNS records that it waits for
        self._watchers: dict[str, Watcher] = {}
        self._explained = ""
        self._told: set[str] = set()  # certificates of which ACM has named all records
        self._next_question = 0.0

    def until_over(self, now: Mapping[str, Any], events: Events, stopping: float | None = None) -> dict[str, Any]:
        """Show the stack's events until the operation is over.

        Args:
            now: the stack; `StackId` is used, as a deleted stack has no name any more.
            events: those of the operation.
            stopping: seconds within which an operation that was stopped is to end; None for one under way.

        Returns:
            DescribeStacks, read when it agreed with the events, with the state in which the operation ended.

        Raises:
            Failed: it is not over in time; it goes on by itself.
            Stuck: as well, or it never will be, and there is a watcher for what it waits for.
        """
        wait = self._wait(self._layer.timeout if stopping is None else stopping, self._say, self._layer.name)
        if stopping is None:
            wait.expects(self.expected, announce=False)  # whoever starts it has said so
            self._watchers, self._explained, self._told, self._next_question = {}, "", set(), RECORD_SECONDS
        # Of an operation that was under way already, what has happened is no news; only what is to be done about it.
        show = self._show_record if events.token is None else self._show
        while True:
            news = events.new()
            # Before the failure is shown: a watcher looks only now and then, and all may be over between two looks.
            if stopping is None and not self._explained and any(self._is_watched_failure(event) for event in news):
                self._explained = self._ask_why()
            for event in news:
                show(event)
                wait.heard()
            show = self._show
            end = events.end()
            if end and (found := self._agreed(now, events, end["ResourceStatus"])):
                return found
            status = events.status or str(now.get("StackStatus", "CREATE_IN_PROGRESS"))
            if stopping is None and status in FORWARD:
                self._ask_for_records(events, wait)
                self._look(events)
            elif not self._explained:
                self._explained = self._ask_why()  # a rollback takes away what could be asked
            what = events.pending() or ("DescribeStacks to show the same" if end else f"the stack ({status})")
            if not wait.pause(what):
                self._next_question = 0.0
                self._ask_for_records(events, wait)
                late = f"is still {status} after {wait.seconds:.0f} s, waiting for {events.pending() or 'the stack'}"
                if self._watchers and stopping is None and status in FORWARD:
                    raise Stuck(late, self.why())
                raise Failed(
                    f"{late}. {self._missing()}It goes on by itself; to wait for it again, type the same command."
                )

    def why(self) -> str:
        """What the watchers of the last operation know about its failure; lines, empty if nothing."""
        return self._explained or self._ask_why()

    def _ask_why(self) -> str:
        return "\n".join(filter(None, (watcher.why() for watcher in self._watchers.values())))

    def _is_watched_failure(self, event: Mapping[str, Any]) -> bool:
        return event["ResourceType"] in self._watchers and event["ResourceStatus"].endswith("_FAILED")

    def _look(self, events: Events) -> None:
        for kind, factory in self._factories.items():
            resources = events.in_progress(kind)
            if not resources or self._service is None:
                continue
            if kind not in self._watchers:
                self._watchers[kind] = factory(self._layer, self._service, self._say)
            self._watchers[kind].look(resources)
            if hopeless := self._watchers[kind].hopeless():
                raise Stuck(hopeless.rstrip("."), self.why())

    def _agreed(self, now: Mapping[str, Any], events: Events, status: str) -> dict[str, Any] | None:
        """DescribeStacks, if it shows the end of the operation or something later."""
        found = describe(self._client, now["StackId"])
        if status == "DELETE_COMPLETE" and found is None:
            return {"StackId": now["StackId"], "StackStatus": status}
        return found | {"StackStatus": status} if found and events.reached(found) else None

    def _ask_for_records(self, events: Events, wait: Wait) -> None:
        """Ask ACM for the DNS records of which no event has told: the events' wording is nowhere promised."""
        if wait.elapsed < self._next_question or self._service is None:
            return
        self._next_question = wait.elapsed + RECORD_SECONDS
        for name, arn in events.in_progress(CERTIFICATE_TYPE).items():
            if name in self._told:
                continue
            try:
                arn = arn or self._physical_id(name)
                if not arn:
                    continue
                found = self._service("acm").describe_certificate(CertificateArn=arn)["Certificate"]
            except ClientError as error:
                self._say(self._layer.name, f"which DNS record {name} waits for cannot be asked: {reason(error)}")
                continue
            options = found.get("DomainValidationOptions", [])
            for record in (option["ResourceRecord"] for option in options if option.get("ResourceRecord")):
                self._ask_for(name, {key.lower(): str(record[key]) for key in ("Name", "Type", "Value")})
            if options and all(option.get("ResourceRecord") for option in options):
                self._told.add(name)

    def _physical_id(self, name: str) -> str:
        found = self._client.describe_stack_resource(StackName=self._layer.stack, LogicalResourceId=name)
        return str(found["StackResourceDetail"].get("PhysicalResourceId") or "")

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
        self._ask_for(event["LogicalResourceId"], {key: value.strip() for key, value in match.groupdict().items()})
        return True

    def _ask_for(self, certificate: str, record: dict[str, str]) -> None:
        if record not in self.asked:
            self.asked.append(record)
        awaited = self._awaited.setdefault(certificate, [])
        if record in awaited:
            return  # a wildcard and the name below which it is have one; and ACM is asked after the events
        awaited.append(record)
        if self._is_in_zone(certificate, record["name"]):
            self._say(self._layer.name, f"validated by {record['name']} in the hosted zone")
        elif self._records.is_new(record):
            self._say(
                self._layer.name,
                "CREATE THIS DNS RECORD; the certificate waits for it and keeps needing it to be renewed:\n"
                f"    {record['name']}  {record['type']}  {record['value']}",
                "bright yellow",
            )

    def _is_in_zone(self, certificate: str, record: str) -> bool:
        """Whether CloudFormation itself makes the record of a certificate, as the template names its hosted zone."""
        properties = self._layer.template.resources.get(certificate, {}).get("Properties", {})
        options = properties.get("DomainValidationOptions", [])
        zoned = {str(option["DomainName"]) for option in options if option.get("HostedZoneId")}
        name = record.partition(".")[2].rstrip(".")
        return bool(zoned & {name, f"*.{name}"})


class Events:
    """The events of one operation on a stack, oldest first.

    An event is the operation's if it carries the token of its request, or comes after one that does: a stack has one
    operation at a time, and whoever cancels it may give another token. Of somebody else's operation the token is not
    known; of that, what came since the stack's last update began is read.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html

    Args:
        client: boto3's `cloudformation` client.
        stack: id of the stack.
        token: ClientRequestToken of the operation; None for somebody else's.
        since: when somebody else's operation began, or earlier.

    Attributes:
        all: those that were read, oldest first.
    """

    def __init__(self, client: Any, stack: str, token: str | None, since: datetime.datetime | None = None) -> None:
        self._client, self._stack, self.token = client, stack, token
        self._begun = since
        self._known: set[str] = set()
        self.all: list[dict[str, Any]] = []

    def new(self) -> list[dict[str, Any]]:
        """Those that no earlier call has given."""
        read: list[dict[str, Any]] = []
        for page in self._pages():
            read += page
            self._begin(page)
            if not all(self._belongs(event) for event in page):
                break  # a page that reaches back behind the operation's beginning
        fresh = [event for event in read if event["EventId"] not in self._known and self._belongs(event)]
        fresh.sort(key=lambda event: event["Timestamp"])
        self._known |= {event["EventId"] for event in fresh}
        self.all = sorted(self.all + fresh, key=lambda event: event["Timestamp"])
        return fresh

    def end(self) -> dict[str, Any] | None:
        """The event of the stack itself that ends the operation, if there is one."""
        own = [event for event in self.all if self._is_own(event)]
        if self.token is None:
            own = own[-1:]
        return next((event for event in own if not event["ResourceStatus"].endswith("_IN_PROGRESS")), None)

    def reached(self, found: Mapping[str, Any]) -> bool:
        """Whether a description of the stack shows the end of the operation, or something later."""
        end = self.end()
        if end is None:
            return False
        later = {event["ResourceStatus"] for event in self.all[self.all.index(end) :] if self._is_own(event)}
        updated = found.get("LastUpdatedTime") or found.get("CreationTime")
        started = any(event["ResourceStatus"] in FORWARD for event in self.all if self._is_own(event))
        old = started and self._begun is not None and updated is not None and updated < self._begun - CLOCKS
        return found["StackStatus"] in later and not old

    @property
    def status(self) -> str:
        """The newest state of the stack; empty if there is no event about it."""
        return next((str(event["ResourceStatus"]) for event in reversed(self.all) if self._is_own(event)), "")

    def in_progress(self, kind: str | None = None) -> dict[str, str]:
        """Logical id → physical id (may be empty) of the resources that are being worked on.

        Args:
            kind: only of this type.
        """
        last = {event["LogicalResourceId"]: event for event in self.all if not self._is_own(event)}
        ids = {
            event["LogicalResourceId"]: event["PhysicalResourceId"]
            for event in self.all
            if event.get("PhysicalResourceId")
        }
        return {
            name: ids.get(name, "")
            for name, event in last.items()
            if event["ResourceStatus"].endswith("IN_PROGRESS") and kind in (None, event["ResourceType"])
        }

    def pending(self) -> str:
        """The resources that are being worked on, for a person."""
        kinds = {event["LogicalResourceId"]: event["ResourceType"] for event in self.all}
        return ", ".join(f"{name} ({kinds[name]})" for name in self.in_progress())

    def _begin(self, page: list[dict[str, Any]]) -> None:
        if self.token is None:
            return
        stamps = [event["Timestamp"] for event in page if event.get("ClientRequestToken") == self.token]
        self._begun = min([*stamps, *([self._begun] if self._begun else [])], default=None)

    def _belongs(self, event: Mapping[str, Any]) -> bool:
        if self._is_own(event) and event["ResourceStatus"] == "DELETE_COMPLETE":
            return True  # whoever deleted it: an id never comes back
        if self.token is None:
            return self._begun is None or bool(event["Timestamp"] >= self._begun)
        mine = event.get("ClientRequestToken") == self.token
        return mine or (self._begun is not None and bool(event["Timestamp"] > self._begun))

    def _is_own(self, event: Mapping[str, Any]) -> bool:
        return event["ResourceType"] == STACK_TYPE and event.get("PhysicalResourceId") == self._stack

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        try:
            for page in self._client.get_paginator("describe_stack_events").paginate(StackName=self._stack):
                yield page["StackEvents"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise  # right after CreateStack there may be no stack yet


def is_settled(client: Any, now: Mapping[str, Any]) -> bool | None:
    """Whether a description of a stack is as new as its events; None if somebody is changing the stack.

    Args:
        client: boto3's `cloudformation` client.
        now: the description.
    """
    own: list[dict[str, Any]] = []
    for page in client.get_paginator("describe_stack_events").paginate(StackName=now["StackId"]):
        own += [
            each
            for each in page["StackEvents"]
            if each["ResourceType"] == STACK_TYPE and each["PhysicalResourceId"] == now["StackId"]
        ]
        if any(each["ResourceStatus"] in FORWARD for each in own):
            break  # what is older belongs to an operation before
    if not own:
        return True  # they are kept for 90 days
    if own[0]["ResourceStatus"].endswith("_IN_PROGRESS"):
        return None
    begun = next((each["Timestamp"] for each in own if each["ResourceStatus"] in FORWARD), None)
    updated = now.get("LastUpdatedTime") or now.get("CreationTime")
    old = begun is not None and updated is not None and updated < begun - CLOCKS
    return own[0]["ResourceStatus"] == now["StackStatus"] and not old


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
