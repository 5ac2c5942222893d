"""What an operation would change, without doing it: for no-op detection and change sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from local_aws.cloudformation import dynamic
from local_aws.cloudformation.errors import ValidationError
from local_aws.cloudformation.handlers import HANDLERS
from local_aws.cloudformation.intrinsics import UNKNOWN, Environment, NotKnownYet, Resolver
from local_aws.cloudformation.schema import plain, schema
from local_aws.cloudformation.stacks import Resource, Stack
from local_aws.cloudformation.template import Template

Replacement = Literal["True", "False", "Conditional"]
DEFINITION = ("DeletionPolicy", "UpdateReplacePolicy", "Metadata")


@dataclass
class Change:
    """What happens to one resource.

    Attributes:
        action: Add, Modify or Remove.
        before, after: properties; `UNKNOWN` stands for what only the deployment will tell.
        names: changed properties.
        recreate: changed properties that mean a new resource, or may do so (see `maybe`).
        maybe: changed properties of which it is not certain that they mean a new resource.
        scope: what changes besides properties: Tags (the stack's), DeletionPolicy, UpdateReplacePolicy, Metadata.
        replacement: as DescribeChangeSet says it; None unless the action is Modify.
        resource: as it is now.
    """

    action: Literal["Add", "Modify", "Remove"]
    logical_id: str
    type: str
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    recreate: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    scope: set[str] = field(default_factory=set)
    replacement: Replacement | None = None
    resource: Resource | None = None


@dataclass
class Plan:
    """The changes in the order of their dependencies, and whether outputs or exports change."""

    changes: list[Change]
    outputs_change: bool

    @property
    def empty(self) -> bool:
        """Nothing would be done: "No updates are to be performed."."""
        return not self.changes and not self.outputs_change


def compare(
    resource: Resource, properties: dict[str, Any], definition: dict[str, Any], tags_change: bool
) -> Change | None:
    """What makes `resource` into what the template says now; None if it is that already."""
    before, after = plain(resource.properties), plain(properties)
    names = {name for name in {**before, **after} if _differ(before, after, name)}
    scope = {part for part in DEFINITION if plain(resource.definition.get(part)) != plain(definition.get(part))}
    rules = schema(resource.type)
    if tags_change and rules.taggable:
        scope.add("Tags")
    if not names and not scope:
        return None
    recreate = rules.create_only(before, after)
    maybe = {name for name in recreate if has_unknown(after.get(name))}
    conditional = rules.conditionally_create_only(before, after) - recreate
    if conditional and HANDLERS[resource.type].replaces(before, after):
        recreate |= conditional
        conditional = set()
    replacement: Replacement = "False"
    if recreate - maybe:
        replacement = "True"
    elif recreate or conditional:
        replacement = "Conditional"
    return Change(
        "Modify", resource.logical_id, resource.type, resource.properties, properties, names, recreate,
        maybe | conditional, scope, replacement, resource,
    )  # fmt: skip


def make_plan(
    stack: Stack, template: Template, environment: Environment, tags: dict[str, str], clients: dynamic.Clients
) -> Plan:
    """Plan an operation on `stack`.

    Raises:
        ValidationError: something in the template cannot be evaluated, or a resource would change its type.
    """
    known = _Planned(stack, template)
    resolver = Resolver(template, environment, known)
    known.wanted = set(resolver.wanted())
    changes: list[Change] = []
    retyped = []
    for name in order(graph(template, known.wanted)):
        definition = template.resources[name]
        properties = dynamic.resolve_plain(resolver.value(definition.get("Properties") or {}), clients)
        old = stack.resources.get(name)
        if old is None or not old.physical_id:
            known.unknown.add(name)
            changes.append(Change("Add", name, definition["Type"], after=properties))
        elif old.type != definition["Type"]:
            retyped.append(name)
        elif change := compare(old, properties, definition, tags != stack.tags):
            changes.append(change)
            known.modified[name] = change.names
            if change.recreate:
                known.unknown.add(name)
    if retyped:
        raise ValidationError(
            "Update of resource type is not permitted. The new template modifies resource type of the following"
            f" resources: [{', '.join(retyped)}]"
        )
    changes += [
        Change("Remove", name, resource.type, before=resource.properties, resource=resource)
        for name, resource in stack.resources.items()
        if name not in known.wanted
    ]
    return Plan(changes, evaluate_outputs(resolver) != stack.outputs)


def evaluate_outputs(resolver: Resolver) -> list[dict[str, Any]]:
    """The outputs whose condition holds, as DescribeStacks shows them."""
    outputs = []
    for name, output in resolver.template.outputs.items():
        if not resolver.enabled(output):
            continue
        value = plain(resolver.value(output["Value"]))
        if not isinstance(value, str) and value is not UNKNOWN:
            raise ValidationError(
                f"Template format error: The Value field of every Outputs member must evaluate to a String. [{name}]"
            )
        shown = {"OutputKey": name, "OutputValue": value}
        if "Description" in output:
            shown["Description"] = output["Description"]
        if "Export" in output:
            shown["ExportName"] = resolver.value(output["Export"]["Name"])
        outputs.append(shown)
    return outputs


def graph(template: Template, wanted: set[str]) -> dict[str, set[str]]:
    """Logical id → logical ids that it needs, in the template's order."""
    return {name: template.dependencies(name) & wanted for name in template.resources if name in wanted}


def order(needs: dict[str, set[str]]) -> list[str]:
    """The nodes of a graph, each after those that it needs.

    Raises:
        ValidationError: it has a circle.
    """
    waiting, ordered = dict(needs), dict[str, None]()
    while waiting:
        ready = [name for name, needed in waiting.items() if needed <= ordered.keys()]
        if not ready:
            raise ValidationError(f"Circular dependency between resources: [{', '.join(sorted(waiting))}]")
        for name in ready:
            ordered[name] = None
            del waiting[name]
    return list(ordered)


def has_unknown(value: Any) -> bool:
    """Whether `UNKNOWN` occurs anywhere in it."""
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return value is UNKNOWN


def _differ(before: dict[str, Any], after: dict[str, Any], name: str) -> bool:
    if name not in before or name not in after:
        return True
    return bool(before[name] != after[name])


class _Planned:
    """Resources as they will be, as far as that is known."""

    def __init__(self, stack: Stack, template: Template) -> None:
        self.stack = stack
        self.template = template
        self.wanted: set[str] = set()
        self.unknown: set[str] = set()
        self.modified: dict[str, set[str]] = {}

    def reference(self, logical_id: str) -> str:
        if logical_id not in self.wanted:
            raise KeyError(logical_id)
        if logical_id in self.unknown or logical_id not in self.stack.resources:
            raise NotKnownYet
        return self.stack.resources[logical_id].physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        if logical_id not in self.wanted:
            raise KeyError(logical_id)
        allowed = schema(self.template.resources[logical_id]["Type"]).attributes
        if allowed is not None and name not in allowed:
            raise KeyError(name)
        resource = self.stack.resources.get(logical_id)
        if resource is None or logical_id in self.unknown:
            raise NotKnownYet
        changed = self.modified.get(logical_id)
        if changed and (name not in resource.properties or name in changed):
            raise NotKnownYet
        return resource.attributes[name]
