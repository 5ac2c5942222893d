"""Resource types: one small class each, in one module a service. Importing this package registers them all."""

from __future__ import annotations

import importlib
import pkgutil
import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from local_aws.cloudformation.calls import PropertyError

SUFFIX_LENGTH = 12
POLL_SECONDS = 0.2


class Cancelled(Exception):
    """Another resource of the stack failed, or the operation was cancelled; the text is the event's reason on AWS."""

    def __init__(self, action: str = "creation") -> None:
        super().__init__(f"Resource {action} cancelled")


class NotStabilized(Exception):
    """A resource did not reach the state that it has to be in before its stack goes on."""


@dataclass
class Context:
    """What a handler is given about the resource that it handles.

    Attributes:
        stack_name, stack_id, logical_id: whose resource this is.
        region, account_id, partition: where the stack lives.
        tags: the stack's tags and the three `aws:cloudformation:*` ones.
        previous_tags: what `tags` was before an update; the same unless the stack's tags change.
        physical_id: set by `created`; what a rollback deletes if `create` raises after it.
    """

    stack_name: str
    stack_id: str
    logical_id: str
    region: str
    account_id: str
    partition: str
    tags: dict[str, str]
    clients: Callable[[str, str], Any] = field(repr=False)
    previous_tags: dict[str, str] = field(default_factory=dict)
    report: Callable[[str | None], None] = field(default=lambda _reason: None, repr=False)
    cancelled: Callable[[], bool] = field(default=lambda: False, repr=False)
    physical_id: str | None = None

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of `service`, in the stack's region unless told otherwise. Shared: do not close it."""
        return self.clients(service, region or self.region)

    def name(self, length: int = 64, lower: bool = False) -> str:
        """A name as CloudFormation makes them: `<stack>-<logical id>-<12 random>`, at most `length` characters.

        The stack name and logical id are cut, never the random suffix.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
        """
        suffix = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(SUFFIX_LENGTH))
        room = length - SUFFIX_LENGTH - 2
        half = room // 2
        logical = self.logical_id[: max(half, room - len(self.stack_name))]
        stack = self.stack_name[: room - len(logical)].rstrip("-")
        name = f"{stack}-{logical}-{suffix}"
        return name.lower() if lower else name

    def tag_list(self, properties: dict[str, Any], aws: bool = False) -> list[dict[str, str]]:
        """The resource's tags (list or map) and the stack's, the resource's own first, as `[{Key, Value}]`.

        Args:
            properties: the resource's properties; `Tags` is read.
            aws: also the `aws:cloudformation:*` tags. Most services (and moto) refuse them from outside.
        """
        own = properties.get("Tags") or []
        pairs = own.items() if isinstance(own, dict) else [(tag["Key"], tag.get("Value", "")) for tag in own]
        merged = {key: str(value) for key, value in pairs}
        for key, value in self.tags.items():
            if aws or not key.startswith("aws:"):
                merged.setdefault(key, value)
        return [{"Key": key, "Value": value} for key, value in merged.items()]

    def tag_map(self, properties: dict[str, Any]) -> dict[str, str]:
        """The same tags as a map, as some services want them."""
        return {tag["Key"]: tag["Value"] for tag in self.tag_list(properties)}

    def untagged(self, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
        """Keys of the tags that an update from properties `old` to `new` takes away, the stack's tags considered."""
        before = replace(self, tags=self.previous_tags).tag_list(old)
        return sorted({tag["Key"] for tag in before} - {tag["Key"] for tag in self.tag_list(new)})

    def created(self, physical_id: str) -> None:
        """Say what has been made so far, so that a rollback deletes it should the rest of `create` fail."""
        self.physical_id = physical_id
        self.report(None)

    def event(self, reason: str) -> None:
        """Show `reason` in a further *_IN_PROGRESS event of this resource, as ACM does with its DNS record."""
        self.report(reason)

    def wait(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        """Poll `done` five times a second.

        Args:
            done: true when the resource is there.
            seconds: how long to wait.
            what: what is waited for, for the message: "the certificate to be validated".

        Raises:
            NotStabilized: it was not `done` in time.
            Cancelled: the stack operation gave up meanwhile.
        """
        deadline = time.monotonic() + seconds
        while not done():
            if self.cancelled():
                raise Cancelled
            if time.monotonic() > deadline:
                raise NotStabilized(f"Waited {seconds:g} s for {what}, in vain.")
            time.sleep(POLL_SECONDS)


class Handler:
    """How one resource type is made, changed and deleted. A subclass with a `TYPE` registers itself.

    Properties arrive fully resolved and as the template has them (numbers and booleans may be strings). Handlers may
    change them: each call gets a copy. Any exception fails the resource, with its text as the event's reason.
    """

    TYPE: ClassVar[str] = ""
    SCHEMA: ClassVar[dict[str, Any] | None] = None
    """The type's schema, if it is not one of AWS's or theirs will not do."""
    SUPPORTED: ClassVar[tuple[str, ...] | None] = None
    """The properties that are honoured, where these are not all that the schema has."""
    ALSO_CONDITIONAL: ClassVar[tuple[str, ...]] = ()
    """More `conditionalCreateOnlyProperties` than the schema lists, where a property's documentation says so."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.TYPE:
            HANDLERS[cls.TYPE] = cls()

    def check(self, properties: dict[str, Any]) -> None:
        """Refuse what the embedded AWS does not have of it. Called before `create` and `update`.

        Raises:
            PropertyError: the message names the properties.
        """
        if self.SUPPORTED is not None and (unknown := set(properties) - set(self.SUPPORTED)):
            raise PropertyError(f"{self.TYPE}: {', '.join(sorted(unknown))} is not in the embedded AWS.")

    def create(self, context: Context, properties: dict[str, Any]) -> str:
        """Make it, wait until it is usable, return its physical id (what Ref gives)."""
        raise NotImplementedError(f"{self.TYPE} cannot be created.")

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> str | None:
        """Change it in place. Returns a new physical id only if changing altered it.

        Called when properties, or the stack's tags, changed and no create-only property is among them; also by a
        rollback, with `old` and `new` the other way round.
        """
        raise NotImplementedError(f"{self.TYPE} cannot be updated in place.")

    def replaces(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Whether a change from `old` to `new` needs a new resource although no create-only property changed.

        Asked when one of the schema's `conditionalCreateOnlyProperties` changed; a value that is not known yet when a
        change set is made is `local_aws.cloudformation.intrinsics.UNKNOWN`.
        """
        return False

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        """Delete it and wait until it is gone. One that is gone already is fine."""

    def snapshot(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        """Save its data before it is deleted (`DeletionPolicy: Snapshot`)."""
        raise NotImplementedError(f"{self.TYPE} does not support DeletionPolicy: Snapshot.")

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        """What Fn::GetAtt gives; dotted names are plain keys ("Endpoint.Address"). Read after create and update."""
        return {}


HANDLERS: dict[str, Handler] = {}
"""Resource type → its handler."""

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
