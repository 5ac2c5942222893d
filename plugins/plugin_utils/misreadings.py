"""Find the numbers and flags that YAML has misread, by what stands in the file where Ansible has read them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleError

from plugins.plugin_utils.places import position
from plugins.plugin_utils.site.misread import Spelt, as_written

NUMBER = re.compile(r"(?:&\S+\s+)?([-+]?[0-9][0-9A-Fa-fx_:]*)")
"""What YAML 1.1 takes for a whole number, behind its anchor if it has one. Behind a tag (`!!int`) it is meant."""

FLAG = r"""["']?{key}["']?\s*:\s+(?:&\S+\s+)?(yes|no|on|off|true|false)(?![^\s,}}\]])"""
"""A key and what YAML 1.1 takes for its flag, in any letters; behind a tag (`!!bool`) it is meant."""


def with_misread(value: Any, text_of: Callable[[str], str]) -> Any:
    """A value of an inventory: whole numbers written otherwise are `Misread`, mappings with such flags `Spelt`.

    Args:
        value: templates resolved: what they give remembers where it was written, too.
        text_of: what stands in a file, decrypted if need be; it may raise AnsibleError.
    """
    if isinstance(value, Mapping):
        items = {key: with_misread(item, text_of) for key, item in value.items()}
        flags = {key: _flag(key, text_of) for key, item in value.items() if isinstance(item, bool)}
        spelt = {key: word for key, word in flags.items() if word not in ("", "true", "false")}
        return Spelt(items, spelt) if spelt else items
    if isinstance(value, (list, tuple)):
        return [with_misread(item, text_of) for item in value]
    if isinstance(value, int):
        return _number(value, text_of)  # a flag as it is: Ansible remembers nothing of one
    return value


def _number(value: int, text_of: Callable[[str], str]) -> int:
    written = NUMBER.match(_text_from(value, text_of))
    return as_written(value, written[1]) if written else value


def _flag(key: Any, text_of: Callable[[str], str]) -> str:
    """What stands in the file for a key's flag: Ansible remembers where keys were written, and of flags nothing."""
    written = re.match(FLAG.format(key=re.escape(str(key))), _text_from(key, text_of), re.IGNORECASE)
    return written[1] if written else ""  # as for a template, or an alias


def _text_from(value: Any, text_of: Callable[[str], str]) -> str:
    """What stands in a file from where a value was written; empty if that is not known."""
    path, line, column = position(value)
    if not (line and column):
        return ""  # calculated, or given by -e
    try:
        lines = text_of(path).splitlines()[line - 1 :]
    except AnsibleError:  # gone or changed meanwhile
        return ""
    return "\n".join(lines)[column - 1 :]
