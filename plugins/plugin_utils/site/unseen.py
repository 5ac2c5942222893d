"""Characters that no template can carry: it is YAML, which refuses them, or reads line breaks of its own as blanks.

https://yaml.org/spec/1.1/#c-printable
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.site.kinds import is_list
from plugins.plugin_utils.site.place import Place

UNSEEN = re.compile("[\0\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
BREAKS = "\x85\u2028\u2029"
DEEPEST = 20
"""Steps into a value: a variable that holds itself has no end."""


def check_unseen(value: Any, at: Place, depth: int = 0) -> None:
    """Complain about each text in a variable that has such a character; the text itself is not shown.

    Args:
        value: of the variable, or what stands in it.
        at: its place.
        depth: how many steps into the variable that is.
    """
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            check_unseen(key, at / key, DEEPEST)
            check_unseen(item, at / key, depth + 1)
    elif is_list(value):
        for place, item in enumerate(value):
            check_unseen(item, at / place, depth + 1)
    elif isinstance(value, str) and (found := UNSEEN.search(value)) and not at.is_wrong:
        what = "a line break that would come as a blank" if found[0] in BREAKS else "which no template can hold"
        at.wrong(f"has the character U+{ord(found[0]):04X}, {what}. It is not seen on a screen: type the text anew.")
