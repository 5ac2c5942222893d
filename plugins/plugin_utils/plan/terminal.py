"""A plan as lines for a terminal, each with Ansible's name of its color."""

from __future__ import annotations

from collections.abc import Iterator

from plugins.plugin_utils.plan import costs
from plugins.plugin_utils.plan.model import CHANGE, CREATE, DELETE, NOTHING, UNKNOWN, Container, SitePlan, StackChange
from plugins.plugin_utils.plan.saying import (
    ACTIONS,
    LISTS,
    NONE,
    SIGNS,
    container_title,
    is_bad,
    loss_line,
    resource_line,
    stack_line,
    title,
)

COLORS = {CREATE: "green", CHANGE: "yellow", DELETE: "red", UNKNOWN: "yellow"}
Line = tuple[str, str | None]


def lines(plan: SitePlan) -> Iterator[Line]:
    """Text and color of each line."""
    yield f"{title(plan)}: {plan.summary}", ("red" if plan.losses else "yellow" if plan.changes else "green")
    if plan.losses:
        yield "", None
        yield "The site would lose what holds data, or no longer see it:", "red"
        for loss in plan.losses:
            yield f"  ! {loss['physical_id']}: {loss_line(loss)}", "red"
    changing = plan.changing
    if changing:
        yield "", None
    for change in changing:
        yield from _stack(change)
    if changing and (same := [each.layer for each in plan.stacks if each.action == NOTHING]):
        yield f"= {', '.join(same)}", None
    for name, heading in LISTS:
        if said := getattr(plan, name):
            yield "", None
            yield f"{heading}:", None
            yield from ((f"  {each}", "yellow" if name in ("foreign", "gaps") else None) for each in said)
    if plan.cost:
        yield "", None
        yield f"{costs.heading(plan.cost)}:", None
        # As above: a bare estate is to be read on one screen.
        yield from ((f"  {each}", None) for each in costs.lines(plan.cost, bare=False))


def _stack(change: StackChange) -> Iterator[Line]:
    yield f"{SIGNS[change.action]} {stack_line(change)}", COLORS[change.action]
    for value in change.parameters:
        yield f"    {value.name}: {value.before or NONE} → {value.after or NONE}", None
    # Of what is new the number will do: a bare estate is to be read on one screen.
    for resource in change.resources if change.action != CREATE else []:
        color = "red" if is_bad(resource) else "yellow" if resource.replacement else None
        yield f"    {ACTIONS.get(resource.action, '?')} {resource.name} {resource_line(resource)}", color
    for container in change.containers:
        yield from _container(container)


def _container(container: Container) -> Iterator[Line]:
    yield f"    {SIGNS[container.action]} {container_title(container)}", COLORS[container.action]
    for value in container.values:
        yield f"        {value.name}: {value.before or NONE} → {value.after or NONE}", None
