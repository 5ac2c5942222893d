"""The words that all ways of showing a plan have in common."""

from __future__ import annotations

from plugins.plugin_utils.plan.model import CHANGE, CREATE, DELETE, UNKNOWN, Container, Resource, SitePlan, StackChange
from plugins.plugin_utils.stack_pointing import TASK_DEFINITION

SIGNS = {CREATE: "+", CHANGE: "~", DELETE: "-", UNKNOWN: "?"}
ACTIONS = {"Add": "+", "Modify": "~", "Remove": "-"}
REPLACED = {"True": "REPLACED", "Conditional": "PERHAPS REPLACED"}
NONE = "(none)"
"""What stands for a value that was not there, or is not any more."""
LISTS = (
    ("images", "Images"),
    ("jobs", "Jobs that would run before the services change"),
    ("domain", "Domain"),
    ("gaps", "Gaps"),
    ("foreign", "Not ours"),
    ("notes", "Good to know"),
)
"""Lists of a plan → their headings."""


def title(plan: SitePlan) -> str:
    """What the plan is of."""
    return f"Plan of {plan.site}-{plan.environment}"


def stack_line(change: StackChange) -> str:
    """A stack in one line, without its sign."""
    said = [change.layer]
    if change.action == CREATE:
        count = len(change.resources)
        said.append(f"{count} resource{'' if count == 1 else 's'}")
        if kept := [each.name for each in change.resources if each.holds_data]:
            said.append(f"with data: {', '.join(kept)}")
    return " · ".join([*said, *change.notes])


def resource_line(resource: Resource) -> str:
    """What becomes of a resource, without its sign and name."""
    said = resource.type
    if others := [name for name in resource.properties if name not in resource.causes]:
        said += f": {', '.join(others)}"
    if resource.replacement:
        because = ", ".join(resource.causes) or "a property that CloudFormation does not name"
        # The old revision of a task definition is kept, and a service goes over to the new one task by task.
        word = "new revision" if resource.type == TASK_DEFINITION else REPLACED.get(resource.replacement, "REPLACED")
        said += f" — {word} because of {because}"
    return f"{said} — HOLDS DATA" if is_bad(resource) else said


def is_bad(resource: Resource) -> bool:
    """Whether it goes, or is replaced, with what is in it."""
    return resource.holds_data and bool(resource.replacement or is_removed(resource))


def is_removed(resource: Resource) -> bool:
    """Whether it goes."""
    return resource.action == "Remove"


def container_title(container: Container) -> str:
    """Which container it is, or the task or function itself."""
    return f"{container.resource}.{container.name}" if container.name else container.resource


def loss_line(loss: dict[str, object]) -> str:
    """What would become of something that holds data, without its id."""
    kind = f" ({loss['type']})" if loss["type"] else ""
    named = " — named in site_remove" if loss.get("named") else ""
    return f"{loss['layer']}.{loss['resource']}{kind} {loss['how']}{named}"
