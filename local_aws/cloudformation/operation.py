"""One operation on one stack: a thread, what it may use, and the steps that all operations share."""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloudformation import dynamic, graph
from local_aws.cloudformation.errors import ValidationError
from local_aws.cloudformation.handlers import HANDLERS, Cancelled, Context, NotStabilized
from local_aws.cloudformation.stacks import PARTITION, Resource, Stack
from local_aws.config import ACCOUNT_ID

LOG = logging.getLogger("local_aws.cloudformation")
EXPECTED = (ClientError, ValidationError, NotStabilized, Cancelled)
"""Errors that say what a template or a service did wrong; any other is a fault of ours and goes to the log."""

ClientFactory = Callable[[str, str], Any]
"""Service and region → boto3 client."""


class OperationFailed(Exception):
    """An operation cannot go on; the text is the stack's status reason."""


class Operation:
    """Runs `run` in a thread of its own. One stack has at most one at a time."""

    def __init__(self, stack: Stack, clients: ClientFactory) -> None:
        self.stack = stack
        self.clients = clients
        self.stop_reason: str | None = None
        self.rollback_wanted = True
        self.deadline: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name=f"stack-{stack.name}", daemon=True)

    def start(self) -> None:
        """Begin. The caller has set the stack's status already."""
        self.stack.operation = self
        self._thread.start()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    def cancel(self, reason: str, rollback: bool = True) -> None:
        """Start nothing more and let what waits give up."""
        self.stop_reason, self.rollback_wanted = reason, rollback
        self._stopping.set()

    def stopping(self) -> bool:
        """Whether it was cancelled, has failed or is out of time."""
        if self.deadline is not None and time.monotonic() > self.deadline and not self._stopping.is_set():
            self.cancel("Stack creation time exceeded the specified timeout.")
        return self._stopping.is_set()

    def run(self) -> None:
        """What the operation does; overridden."""
        raise NotImplementedError

    def _guarded(self) -> None:
        try:
            self.run()
        except Exception as error:  # a fault in the engine: the stack must not stay IN_PROGRESS for ever
            LOG.exception("%s: the engine failed", self.stack.name)
            status = self.stack.status.replace("_COMPLETE_CLEANUP", "").removesuffix("_IN_PROGRESS") + "_FAILED"
            self.stack.set(status, f"Internal failure of the embedded AWS: {error!r}")

    def client(self, service: str) -> Any:
        """A client in the stack's region."""
        return self.clients(service, self.stack.region)

    def context(
        self, resource: Resource, cancellable: bool = False, previous_tags: dict[str, str] | None = None
    ) -> Context:
        """What the resource's handler is given."""

        def report(reason: str | None) -> None:
            resource.physical_id = context.physical_id or resource.physical_id
            in_progress = f"{resource.status.split('_')[0]}_IN_PROGRESS"
            self.stack.mark(resource, in_progress, reason or "Resource creation Initiated")

        own = {
            "aws:cloudformation:stack-name": self.stack.name,
            "aws:cloudformation:stack-id": self.stack.id,
            "aws:cloudformation:logical-id": resource.logical_id,
        }
        context = Context(
            stack_name=self.stack.name, stack_id=self.stack.id, logical_id=resource.logical_id,
            region=self.stack.region, account_id=ACCOUNT_ID, partition=PARTITION, tags={**self.stack.tags, **own},
            previous_tags={**(self.stack.tags if previous_tags is None else previous_tags), **own},
            clients=self.clients, report=report, cancelled=self.stopping if cancellable else lambda: False,
        )  # fmt: skip
        return context

    def ready(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Properties as a handler gets them: a copy, secrets resolved."""
        resolved: dict[str, Any] = dynamic.resolve_secrets(copy.deepcopy(properties), self.client)
        return resolved

    def remove(
        self, resources: dict[str, Resource], *, creating: bool = False, replaced: frozenset[str] = frozenset(),
        leave: frozenset[str] = frozenset(), removed: Callable[[str], None] = lambda _name: None,
    ) -> dict[str, Exception]:  # fmt: skip
        """Delete resources in the reverse order of their dependencies, as their policies say.

        Args:
            resources: by logical id.
            creating: the operation that created them is being rolled back.
            replaced: those for which UpdateReplacePolicy counts.
            leave: those to keep whatever their policy says (RetainResources).
            removed: called after each that is gone or left.

        Returns:
            What could not be deleted. Resources that it needs were not tried.
        """
        needs = {name: resource.depends_on for name, resource in resources.items()}

        def one(name: str) -> None:
            resource = resources[name]
            policy = resource.update_replace_policy if name in replaced else resource.deletion_policy
            keep = policy == "Retain" or (policy == "RetainExceptOnCreate" and not creating)
            if name in leave or keep:
                self.stack.mark(resource, "DELETE_SKIPPED")
            else:
                self._delete(resource, snapshot=policy == "Snapshot" and not creating)
            removed(name)

        return graph.run(graph.reverse(needs), one, keep_going=True)

    def _delete(self, resource: Resource, snapshot: bool) -> None:
        self.stack.mark(resource, "DELETE_IN_PROGRESS")
        try:
            if resource.physical_id:
                handler, context = HANDLERS[resource.type], self.context(resource)
                if snapshot:
                    handler.snapshot(context, resource.physical_id, copy.deepcopy(resource.properties))
                handler.delete(context, resource.physical_id, copy.deepcopy(resource.properties))
        except Exception as error:
            self.stack.mark(resource, "DELETE_FAILED", reason_of(error))
            raise
        self.stack.mark(resource, "DELETE_COMPLETE")


def reason_of(error: Exception) -> str:
    """The text of an event for a resource that failed with `error`; faults of ours go to the log as well."""
    if isinstance(error, ValidationError):
        return str(error.message)
    if isinstance(error, EXPECTED):
        return str(error)
    LOG.error("a handler failed", exc_info=error)
    return f"{type(error).__name__}: {error}"


def failed_resources(failed: dict[str, str]) -> str:
    """ "The following resource(s) failed to create: [A, B]. " and so on, for name → create, update or delete."""
    return "".join(
        f"The following resource(s) failed to {verb}: [{', '.join(sorted(names))}]. "
        for verb in ("create", "update", "delete")
        if (names := [name for name, done in failed.items() if done == verb])
    )
