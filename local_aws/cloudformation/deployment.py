"""Creating and updating: bring a stack's resources to what the template says, or back."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field
from typing import Any

from local_aws.cloudformation import dynamic, graph, plan
from local_aws.cloudformation.errors import ValidationError
from local_aws.cloudformation.handlers import HANDLERS, Cancelled
from local_aws.cloudformation.intrinsics import Environment, NotKnownYet, Resolver
from local_aws.cloudformation.operation import (
    ClientFactory,
    Operation,
    OperationFailed,
    failed_resources,
    reason_of,
)
from local_aws.cloudformation.rollback import CreateRollback, Undo, UpdateRollback
from local_aws.cloudformation.stacks import Region, Resource, Stack
from local_aws.cloudformation.template import Template


@dataclass
class Wanted:
    """What a stack is to become.

    Attributes:
        environment: pseudo parameters, resolved parameters and so on for `template`.
        on_failure: ROLLBACK, DO_NOTHING or DELETE.
        timeout: seconds for a create, None for no limit.
    """

    template: Template
    parameters: dict[str, str]
    environment: Environment
    tags: dict[str, str]
    on_failure: str = "ROLLBACK"
    timeout: float | None = None
    options: dict[str, Any] = field(default_factory=dict)


class Deployment(Operation):
    """A create (`kind` CREATE) or update (UPDATE); the stack is in its `<kind>_IN_PROGRESS` already."""

    def __init__(self, stack: Stack, region: Region, clients: ClientFactory, wanted: Wanted, kind: str) -> None:
        super().__init__(stack, clients)
        self.region = region
        self.wanted = wanted
        self.kind = kind
        self.undo = stack.undo or Undo.of(stack)
        self.tags_change = wanted.tags != self.undo.tags
        self.resolver = Resolver(wanted.template, wanted.environment, _Live(stack))
        self.verbs: dict[str, str] = {}

    def start(self) -> None:
        stack, wanted = self.stack, self.wanted
        stack.template, stack.parameters, stack.tags = wanted.template, wanted.parameters, wanted.tags
        stack.resolved = dict(wanted.environment.parameters)
        stack.options.update(wanted.options)
        if wanted.timeout is not None:
            self.deadline = time.monotonic() + wanted.timeout
        super().start()

    def run(self) -> None:
        stack = self.stack
        try:
            self._apply()
        except OperationFailed as error:
            self._give_up(str(error))
            return
        stack.undo = None
        if self.kind == "CREATE":
            stack.set("CREATE_COMPLETE")
            return
        stack.set("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        failed = self._clean_up()
        stack.set("UPDATE_COMPLETE", "One or more resources could not be deleted." if failed else None)

    def _apply(self) -> None:
        needs = plan.graph(self.wanted.template, set(self.resolver.wanted()))
        failed = graph.run(needs, self._resource, stopped=self.stopping, failing=self._stopping.set)
        if self.stop_reason is not None:
            raise OperationFailed(self.stop_reason)
        if failed:
            raise OperationFailed(failed_resources({name: self.verbs.get(name, "create") for name in failed}))
        if self.stopping():  # the time ran out at the very end
            raise OperationFailed(self.stop_reason or "")
        try:
            outputs = plan.evaluate_outputs(self.resolver)
        except (ValidationError, NotKnownYet) as error:
            raise OperationFailed(reason_of(error)) from error
        with self.region.lock:
            self._check_exports(outputs)
            self.stack.outputs, self.stack.imports = outputs, self.wanted.environment.imports

    def _check_exports(self, outputs: list[dict[str, Any]]) -> None:
        ours, others = self.stack.exports, self.region.exports()
        new = {output["ExportName"]: output["OutputValue"] for output in outputs if "ExportName" in output}
        for name in new:
            if name in others and others[name][0] is not self.stack:
                raise OperationFailed(f"Export with name {name} is already exported by stack {others[name][0].name}")
        for name, value in ours.items():
            if new.get(name) != value and (users := self.region.importers(name)):
                verb = "updated" if name in new else "deleted"
                raise OperationFailed(f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}")

    def _resource(self, name: str) -> None:
        definition = self.wanted.template.resources[name]
        old = self.stack.resources.get(name)
        self.verbs[name] = "update" if old else "create"
        new = Resource(
            name, definition["Type"], depends_on=self.wanted.template.dependencies(name),
            definition={key: value for key, value in definition.items() if key != "Properties"},
        )  # fmt: skip
        try:
            value = self.resolver.value(definition.get("Properties") or {})
            new.properties = dynamic.resolve_plain(value, self.client)
        except ValidationError as error:
            self.stack.mark(old or new, f"{self.verbs[name].upper()}_FAILED", error.message)
            raise
        if old is None:
            self._create(new, None)
            return
        change = plan.compare(old, new.properties, new.definition, self.tags_change)
        if old.status == "CREATE_FAILED" or (change and change.replacement == "True") or (change and change.recreate):
            self._create(new, old)
        elif change:
            self._update(old, new, handler_too=bool(change.names or "Tags" in change.scope))
        else:
            old.depends_on = new.depends_on

    def _create(self, resource: Resource, old: Resource | None) -> None:
        stack, handler, name = self.stack, HANDLERS[resource.type], resource.logical_id
        verb = "UPDATE" if old else "CREATE"
        with stack.lock:
            self.undo.add_created(resource, old)
            stack.resources[name] = resource
        reason = "Requested update requires the creation of a new physical resource; hence creating one."
        stack.mark(resource, f"{verb}_IN_PROGRESS", reason if old else None)
        context = self.context(resource, cancellable=True)
        try:
            properties = self.ready(resource.properties)
            handler.check(properties)
            physical_id = handler.create(context, copy.deepcopy(properties))
            if context.physical_id != physical_id:
                context.created(physical_id)
            resource.attributes = handler.attributes(context, physical_id, properties)
            if self.stopping():
                raise Cancelled
        except Exception as error:
            resource.physical_id = context.physical_id or ""
            stack.mark(resource, f"{verb}_FAILED", reason_of(error))
            raise
        stack.mark(resource, f"{verb}_COMPLETE")

    def _update(self, old: Resource, new: Resource, handler_too: bool) -> None:
        stack, handler = self.stack, HANDLERS[old.type]
        new.physical_id, new.attributes = old.physical_id, old.attributes
        with stack.lock:
            self.undo.add_updated(old)
            stack.resources[new.logical_id] = new
        stack.mark(new, "UPDATE_IN_PROGRESS")
        context = self.context(new, cancellable=True, previous_tags=self.undo.tags)
        try:
            if handler_too:
                before, after = self.ready(old.properties), self.ready(new.properties)
                handler.check(after)
                changed_id = handler.update(context, old.physical_id, before, copy.deepcopy(after))
                new.physical_id = changed_id or old.physical_id
                new.attributes = handler.attributes(context, new.physical_id, after)
            if self.stopping():
                raise Cancelled("update")
        except Exception as error:
            stack.mark(new, "UPDATE_FAILED", reason_of(error))
            raise
        stack.mark(new, "UPDATE_COMPLETE")

    def _clean_up(self) -> dict[str, Exception]:
        """Delete what was replaced and what the template no longer has."""
        wanted = set(self.resolver.wanted())
        gone = {name: resource for name, resource in self.stack.resources.items() if name not in wanted}
        for name in gone:
            del self.stack.resources[name]
        return self.remove({**gone, **self.undo.replaced}, replaced=frozenset(self.undo.replaced))

    def _give_up(self, reason: str) -> None:
        stack = self.stack
        if not self.rollback_wanted:  # a DeleteStack waits to take over
            stack.reason = reason
            return
        if self.wanted.on_failure == "DO_NOTHING":
            stack.undo = self.undo if self.kind == "UPDATE" else None
            stack.set(f"{self.kind}_FAILED", reason)
        elif self.kind == "UPDATE":
            stack.set("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            UpdateRollback(stack, self.clients, self.undo, self.region).run()
        else:
            delete = self.wanted.on_failure == "DELETE"
            asked = f"{reason.rstrip()} {'Delete' if delete else 'Rollback'} requested by user."
            stack.set(f"{'DELETE' if delete else 'ROLLBACK'}_IN_PROGRESS", asked)
            CreateRollback(stack, self.clients, self.region, delete).run()


class _Live:
    """Resources as they are; a resource is asked only after those that it needs are done."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def reference(self, logical_id: str) -> str:
        return self.stack.resources[logical_id].physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        return self.stack.resources[logical_id].attributes[name]
