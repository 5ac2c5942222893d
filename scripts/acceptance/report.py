"""What a run on a throw-away site has shown, for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scripts.acceptance.run import Result


def report(results: Sequence[Result], differing: Iterable[str], where: str, compared: str) -> str:
    """Markdown: each step with its time, what was wrong, and how AWS differed.

    Args:
        results: of all steps, the teardown last.
        differing: from the recording that it was compared with, a sentence each.
        where: the site was up.
        compared: with what, or why with nothing.
    """
    wrong = [each for each in results if each.trouble]
    lines = [
        f"# Acceptance {where}",
        "",
        f"{len(results)} steps, {len(wrong)} not as they are to be.",
        "",
        "| step | seconds | |",
        "|---|---|---|",
    ]
    lines += [f"| `{each.step.name}` | {each.seconds:.0f} | {each.trouble or 'as it is to be'} |" for each in results]
    for each in wrong:
        lines += ["", f"## {each.step.name}", "", each.trouble]
        if each.output:
            lines += ["", "```", each.output.strip(), "```"]
    found = list(differing)
    lines += ["", "## What AWS did otherwise", "", compared]
    lines += ["", *(f"- {each}" for each in found)] if found else []
    return "\n".join([*lines, ""])
