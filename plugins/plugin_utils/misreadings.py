"""Find the numbers that YAML has misread: by what stands in the file where Ansible remembers to have read them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleError

from plugins.plugin_utils.places import position
from plugins.plugin_utils.site.misread import as_written

NUMBER = re.compile(r"(?:&\S+\s+)?([-+]?[0-9][0-9A-Fa-fx_:]*)")
"""What YAML 1.1 takes for a whole number, behind its anchor if it has one. Behind a tag (`!!int`) it is meant."""


def with_misread(value: Any, text_of: Callable[[str], str]) -> Any:
    """A value of an inventory in which each whole number that is written otherwise is a `Misread`.

    Args:
        value: templates resolved: what they give remembers where it was written, too.
        text_of: what stands in a file, decrypted if need be; it may raise AnsibleError.
    """
    if isinstance(value, Mapping):
        return {key: with_misread(item, text_of) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_misread(item, text_of) for item in value]
    if isinstance(value, int):
        return _number(value, text_of)  # a flag as it is: Ansible remembers nothing of one
    return value


def _number(value: int, text_of: Callable[[str], str]) -> int:
    path, line, column = position(value)
    if not (line and column):
        return value  # calculated, or given by -e
    try:
        text = text_of(path).splitlines()[line - 1]
    except (AnsibleError, IndexError):  # gone or changed meanwhile
        return value
    written = NUMBER.match(text, column - 1)
    return as_written(value, written[1]) if written else value
