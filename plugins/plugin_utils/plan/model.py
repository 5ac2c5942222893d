"""What a run would change, as data: what the check mode of `site` finds, and what the verb `plan` shows of it.

It crosses the border between two tasks as plain mappings (`told`, `read`). No secret value is in it: what holds one is
hidden where it is read (hiding.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CREATE, CHANGE, DELETE, NOTHING, UNKNOWN = "create", "change", "delete", "nothing", "unknown"
"""What becomes of a stack; the last one is known only after the layers before it, or after its recovery."""


@dataclass(frozen=True)
class Value:
    """A value that changes.

    Attributes:
        name: of a parameter, or what it is of a container (`environment.DEBUG`, `memory`).
        before: as it is shown; empty if there was none.
        after: likewise.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Resource:
    """What happens to one resource of a stack.

    Attributes:
        name: its logical id.
        type: its resource type.
        action: `Add`, `Modify`, `Remove`, or what else CloudFormation calls it.
        replacement: `True`, `Conditional`, or empty for none.
        properties: names of those that the change is about.
        causes: names of those for which it is replaced, or perhaps is.
        holds_data: whether it holds data or leads to it.
        physical_id: empty if there is none yet.
    """

    name: str
    type: str
    action: str
    replacement: str = ""
    properties: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    holds_data: bool = False
    physical_id: str = ""


@dataclass(frozen=True)
class Container:
    """What changes of a container, of a function, or (without a name) of a task as a whole.

    Attributes:
        resource: logical id of the task definition or function.
        name: of the container; empty for the task.
        action: `create`, `change` or `delete`.
        values: what changes of it.
    """

    resource: str
    name: str
    action: str
    values: tuple[Value, ...] = ()


@dataclass
class StackChange:
    """What becomes of a stack.

    Attributes:
        layer: name of the layer (`network`, `service.web`).
        stack: name of the stack.
        action: see `CREATE` and its neighbours.
        parameters: those whose value changes, as far as CloudFormation tells it.
        resources: those that change; of a new stack all.
        containers: see `Container`.
        notes: what else there is to say, a sentence each.
    """

    layer: str
    stack: str
    action: str = NOTHING
    parameters: list[Value] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def replaced(self) -> list[Resource]:
        """The resources that would be, or perhaps would be, replaced."""
        return [each for each in self.resources if each.replacement]


@dataclass
class SitePlan:
    """What a run would change.

    Attributes:
        site: its name.
        environment: likewise.
        stacks: all of the site, those without a change too.
        losses: what holds data and would be replaced, removed or hidden: `physical_id`, `layer`, `resource`, `type`,
            `how`, and whether `site_remove` names it (`named`).
        images: sentences about those that would be published.
        jobs: those that would run before the services change.
        domain: sentences about names that would lead elsewhere.
        foreign: what Berth is told to use or to write, and does not own; a sentence each.
        gaps: routes that would not answer for a while.
        notes: what is worth to know and no change: hosts that are behind, the age of their AMI.
        cost: what a month costs, as it is and as it would be (costs.py); None where nobody has counted.
    """

    site: str
    environment: str
    stacks: list[StackChange] = field(default_factory=list)
    losses: list[dict[str, Any]] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    domain: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cost: dict[str, Any] | None = None

    @property
    def changing(self) -> list[StackChange]:
        """The stacks that something would become of."""
        return [each for each in self.stacks if each.action != NOTHING]

    @property
    def changes(self) -> bool:
        """Whether a run would change anything."""
        return bool(self.changing or self.images or self.jobs or self.domain or self.losses)

    @property
    def exit_code(self) -> int:
        """3 if the site would lose something that holds data, or no longer see it; else 0."""
        return LOSING if self.losses else 0

    @property
    def summary(self) -> str:
        """The plan in one sentence."""
        if not self.changes:
            return "Nothing to change."
        counted = [(sum(each.action == action for each in self.stacks), word) for action, word in WORDS.items()]
        said = f"Stacks: {', '.join(f'{count} {word}' for count, word in counted if count)}."
        lost = len({each["physical_id"] for each in self.losses})
        return f"{said} With data, and replaced, removed or hidden: {lost}." if lost else said


LOSING = 3
"""The exit code of a plan by which the site would lose something that holds data."""
WORDS = {CREATE: "to create", CHANGE: "to change", DELETE: "to delete", UNKNOWN: "not known yet", NOTHING: "unchanged"}


def told(made: Any) -> dict[str, Any]:
    """A part of the model as a plain mapping."""
    return dataclasses.asdict(made)


def read(given: Mapping[str, Any]) -> StackChange:
    """A stack's change, of what `told` made of it and Ansible carried."""
    resources = [
        Resource(**{**each, "properties": tuple(each["properties"]), "causes": tuple(each["causes"])})
        for each in given["resources"]
    ]
    containers = [
        Container(**{**each, "values": tuple(Value(**value) for value in each["values"])})
        for each in given["containers"]
    ]
    parameters = [Value(**each) for each in given["parameters"]]
    return StackChange(**{**given, "resources": resources, "containers": containers, "parameters": parameters})
