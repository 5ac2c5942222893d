"""AWS's words for what an inventory can mend, and the lines that mend it."""

from __future__ import annotations

import re

from plugins.plugin_utils.doctor.signatures import SIGNATURES

KNOWN: tuple[tuple[re.Pattern[str], str], ...] = tuple((each.compiled, each.mend) for each in SIGNATURES if each.told)
"""What is found in a reason, and what to type, with the pattern's groups as `{group}`.

Preflight asks for most of it; what it could not ask ends up here.
"""


def explained(reason: str) -> str:
    """A reason of AWS, with what to type behind it where that is known."""
    found = [(pattern.search(reason), sentence) for pattern, sentence in KNOWN]
    words = [(match.groupdict(), sentence) for match, sentence in found if match]
    told = [sentence.format_map(groups) for groups, sentence in words if None not in groups.values()]
    return " ".join([reason.rstrip(), *(each for each in told if each not in reason)])
