"""Undoing: a failed create is deleted, a failed update taken back."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

from local_aws.cloudformation import graph
from local_aws.cloudformation.handlers import HANDLERS
from local_aws.cloudformation.operation import ClientFactory, Operation, failed_resources, reason_of
from local_aws.cloudformation.schema import plain
from local_aws.cloudformation.stacks import Region, Resource, Stack
from local_aws.cloudformation.template import Template


@dataclass
class Undo:
    """What a stack was before an update, and what the update did to its resources.

    Attributes:
        created: resources that the update made, those made as replacements included.
        replaced: what was there in place of some of them.
        updated: resources changed in place, as they were before.
        abandoned_tags: the stack's tags that the update had set.
    """

    template: Template
    parameters: dict[str, str]
    resolved: dict[str, Any]
    tags: dict[str, str]
    abandoned_tags: dict[str, str] = field(default_factory=dict)
    created: dict[str, Resource] = field(default_factory=dict)
    replaced: dict[str, Resource] = field(default_factory=dict)
    updated: dict[str, Resource] = field(default_factory=dict)

    @classmethod
    def of(cls, stack: Stack) -> Undo:
        """The starting point: the stack as it is, nothing done yet."""
        return cls(stack.template, stack.parameters, stack.resolved, stack.tags)

    def add_created(self, resource: Resource, old: Resource | None) -> None:
        """Note a new resource and what it replaces."""
        name = resource.logical_id
        if old is not None:
            # It may have been changed in place by a failed update before this one: put back what was first.
            self.replaced.setdefault(name, self.updated.pop(name) if name in self.updated else replace(old))
        self.created[name] = resource

    def add_updated(self, old: Resource) -> None:
        """Note how a resource was before it is changed in place."""
        if old.logical_id not in self.created:
            self.updated.setdefault(old.logical_id, replace(old))


class CreateRollback(Operation):
    """Delete what a failed create has made. The stack stays, in ROLLBACK_COMPLETE, unless `delete`.

    The caller has set the stack's status.
    """

    def __init__(self, stack: Stack, clients: ClientFactory, region: Region, delete: bool = False) -> None:
        super().__init__(stack, clients)
        self.region, self.delete = region, delete

    def run(self) -> None:
        stack, prefix = self.stack, "DELETE" if self.delete else "ROLLBACK"
        failed = self.remove(dict(stack.resources), creating=True, removed=lambda name: drop(stack, name))
        if failed:
            stack.set(f"{prefix}_FAILED", failed_resources(dict.fromkeys(failed, "delete")))
            return
        stack.outputs, stack.imports = [], set()
        if self.delete:
            self.region.forget(stack)
        else:
            stack.set("ROLLBACK_COMPLETE")


class UpdateRollback(Operation):
    """Take an update back: changes first, then delete what it made. The caller has set the stack's status."""

    def __init__(self, stack: Stack, clients: ClientFactory, undo: Undo, region: Region) -> None:
        super().__init__(stack, clients)
        self.undo, self.region = undo, region

    def run(self) -> None:
        stack, undo = self.stack, self.undo
        stack.undo = undo
        stack.template, stack.parameters = undo.template, undo.parameters
        undo.abandoned_tags = undo.abandoned_tags or stack.tags
        stack.resolved, stack.tags = undo.resolved, undo.tags
        before = {**undo.updated, **undo.replaced}
        needs = {name: resource.depends_on for name, resource in before.items()}
        failed = graph.run(needs, self._restore, keep_going=True)
        if failed:
            stack.set("UPDATE_ROLLBACK_FAILED", failed_resources(dict.fromkeys(failed, "update")))
            return
        stack.set("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for name, resource in undo.created.items():
            if stack.resources.get(name) is resource:
                drop(stack, name)
        left = self.remove(undo.created, creating=True)
        stack.undo = None
        stack.set("UPDATE_ROLLBACK_COMPLETE", "One or more resources could not be deleted." if left else None)

    def skip(self, names: list[str]) -> None:
        """Take `names` as rolled back without touching them (ContinueUpdateRollback's ResourcesToSkip)."""
        for name in names:
            if (old := self.undo.updated.pop(name, None)) is not None:
                self.stack.resources[name] = old
                self.stack.mark(old, "UPDATE_COMPLETE", "Resource was skipped in the rollback.")

    def _restore(self, name: str) -> None:
        stack, undo = self.stack, self.undo
        if name in undo.replaced:
            old = undo.replaced[name]
            stack.resources[name] = old
            stack.mark(old, "UPDATE_COMPLETE")
            del undo.replaced[name]
            return
        old, current = undo.updated[name], stack.resources[name]
        stack.mark(current, "UPDATE_IN_PROGRESS")
        handler, context = HANDLERS[old.type], self.context(current, previous_tags=undo.abandoned_tags)
        try:
            if plain(current.properties) != plain(old.properties) or undo.abandoned_tags != undo.tags:
                before, after = self.ready(current.properties), self.ready(old.properties)
                changed_id = handler.update(context, current.physical_id, before, copy.deepcopy(after))
                old.physical_id = changed_id or current.physical_id
                old.attributes = handler.attributes(context, old.physical_id, after)
        except Exception as error:
            stack.mark(current, "UPDATE_FAILED", reason_of(error))
            raise
        stack.resources[name] = old
        stack.mark(old, "UPDATE_COMPLETE")
        del undo.updated[name]


def drop(stack: Stack, name: str) -> None:
    """Take a resource out of its stack."""
    with stack.lock:
        stack.resources.pop(name, None)
