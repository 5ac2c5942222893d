"""Deleting a stack."""

from __future__ import annotations

from local_aws.cloudformation.operation import ClientFactory, Operation, failed_resources
from local_aws.cloudformation.rollback import drop
from local_aws.cloudformation.stacks import Region, Stack


class Deletion(Operation):
    """DeleteStack; the stack is in DELETE_IN_PROGRESS already. Waits for a create that it interrupts.

    Args:
        leave: logical ids to keep (RetainResources).
        force: what cannot be deleted is left behind (FORCE_DELETE_STACK).
        creating: the stack was never complete, so RetainExceptOnCreate retains nothing.
    """

    def __init__(
        self, stack: Stack, clients: ClientFactory, region: Region, leave: frozenset[str], force: bool, creating: bool
    ) -> None:
        super().__init__(stack, clients)
        self.region, self.leave, self.force, self.creating = region, leave, force, creating
        self.interrupted = stack.operation

    def run(self) -> None:
        stack = self.stack
        if self.interrupted is not None:
            self.interrupted.join()
        stack.undo = None
        failed = self.remove(
            dict(stack.resources),
            creating=self.creating,
            leave=self.leave,
            removed=lambda name: drop(stack, name),
        )
        if failed and not self.force:
            stack.set("DELETE_FAILED", failed_resources(dict.fromkeys(failed, "delete")))
            return
        stack.outputs, stack.imports = [], set()
        self.region.forget(stack)
