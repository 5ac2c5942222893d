"""A plan as Markdown for a comment of a CI: GitHub's tables, no HTML, and never longer than a comment may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from plugins.plugin_utils.plan import costs
from plugins.plugin_utils.plan.model import CREATE, NOTHING, SitePlan, StackChange, Value
from plugins.plugin_utils.plan.saying import (
    ACTIONS,
    LISTS,
    NONE,
    SIGNS,
    container_title,
    loss_line,
    resource_line,
    stack_line,
    title,
)

LIMIT = 65_536
"""Characters of a comment on GitHub: it answers "body is too long (maximum is 65536 characters)" to more.

https://github.com/orgs/community/discussions/41331
"""
TICKS = re.compile(r"`+")
SPECIAL = re.compile(r"([\\`*_\[\]~<>&|@])")
AT_THE_BEGIN = re.compile(r"^(?:([-+#=])|(\d+)([.)]))")
"""What begins a list, a heading or the line below one."""


def text(plan: SitePlan, whole: str, limit: int = LIMIT) -> str:
    """The plan, cut behind a line with a sentence if it is too long.

    Args:
        plan: what to show.
        whole: the command that shows all of it.
        limit: characters.
    """
    said = list(_lines(plan))
    made = "\n".join(said) + "\n"
    if len(made) <= limit:
        return made
    end = f"\n\n**Cut here**, as a comment has no room for more. All of it: {code(whole)}\n"
    room, kept = limit - len(end), 0
    while kept < len(said) and room - len(said[kept]) - 1 >= 0:
        room -= len(said[kept]) + 1
        kept += 1
    return "\n".join(said[:kept]) + end


def _lines(plan: SitePlan) -> Iterator[str]:
    yield f"### {plain(title(plan))}"
    yield ""
    yield f"**{plain(plan.summary)}**"
    if plan.losses:
        yield from _block("The site would lose what holds data, or no longer see it")
        rows = ([code(str(loss["physical_id"])), plain(loss_line(loss))] for loss in plan.losses)
        yield from _table(["with data", "what would become of it"], rows)
    for change in plan.changing:
        yield from _stack(change)
    if plan.changing and (same := [each.layer for each in plan.stacks if each.action == NOTHING]):
        yield ""
        yield f"As they are: {', '.join(code(each) for each in same)}"
    for name, heading in LISTS:
        if said := getattr(plan, name):
            yield from _block(heading)
            yield from (f"- {plain(each)}" for each in said)
    if plan.cost:
        yield from _block(costs.heading(plan.cost))
        yield from (f"- {plain(each)}" for each in costs.lines(plan.cost))


def _block(heading: str) -> Iterator[str]:
    yield ""
    yield f"#### {plain(heading)}"
    yield ""


def _stack(change: StackChange) -> Iterator[str]:
    sign = SIGNS[change.action]
    if change.action == CREATE:
        # A line each: of what is new the number will do.
        yield ""
        yield f"{plain(sign)} {plain(stack_line(change))}"
        return
    yield from _block(f"{sign} {stack_line(change)}")
    blocks = []
    if change.parameters:
        blocks.append(list(_values("parameter", change.parameters)))
    if change.resources:
        rows = (
            [plain(ACTIONS.get(each.action, "?")), code(each.name), plain(resource_line(each))]
            for each in change.resources
        )
        blocks.append(list(_table(["", "resource", "what changes"], rows)))
    for container in change.containers:
        head = f"{plain(SIGNS[container.action])} {code(container_title(container))}"
        blocks.append([head, "", *_values("of the container", container.values)] if container.values else [head])
    for position, block in enumerate(blocks):
        if position:
            yield ""
        yield from block


def _values(heading: str, values: Iterable[Value]) -> Iterator[str]:
    rows = ([code(each.name), code(each.before or NONE), code(each.after or NONE)] for each in values)
    yield from _table([heading, "before", "after"], rows)


def _table(heading: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heading)} |"
    yield f"|{' --- |' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def code(value: str) -> str:
    """A value as a span of code, in which nobody is mentioned; safe in a cell of a table, and elsewhere without a pipe.

    A backslash before a pipe is read in two ways by readers of tables, so such a value is plain text.
    """
    flat = " ".join(value.split())
    if not flat or "|" in flat:
        return plain(flat)
    fence = "`" * (max((len(found) for found in TICKS.findall(flat)), default=0) + 1)
    space = " " if "`" in (flat[0], flat[-1]) else ""
    return f"{fence}{space}{flat}{space}{fence}"


def plain(value: str) -> str:
    """A text as it stands: nothing in it is markup, and a cell of a table holds it.

    A joiner without width stands behind an @, so that nobody is told of the comment.
    """
    flat = " ".join(value.split())
    made = SPECIAL.sub(lambda found: _escaped(found[1]), flat)
    return AT_THE_BEGIN.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", made)


def _escaped(letter: str) -> str:
    return {"|": "&#124;", "\\": "&#92;", "<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "@\u2060"}.get(
        letter, f"\\{letter}"
    )
