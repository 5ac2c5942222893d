"""What a person typed behind `-e name=`, where Ansible would take the first word only, or gave as a list of words."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.parsing.splitter import parse_kv


def typed(value: object, name: str, others: list[str]) -> object:
    """The value of an extra variable, with all its words.

    `-e command='python manage.py check'` reaches Ansible without the shell's quotes, and so as `command=python` and two
    words that belong to nothing. Files, JSON and values in quotes of their own are left as Ansible read them. A list,
    which only these can hold, becomes the line that a shell would split into its words.

    Args:
        value: what Ansible made of it.
        name: of the variable.
        others: variables that may be set in the same argument.
    """
    for text in context.CLIARGS.get("extra_vars", ()):
        if text.startswith(f"{name}=") and set(parse_kv(text)) - {name, *others}:
            value = text.partition("=")[2]
    return shlex.join(map(str, value)) if isinstance(value, (list, tuple)) else value


def words(value: str) -> list[str]:
    """The words of a command, as a shell would split it.

    Raises:
        AnsibleFilterError: a quote is not closed.
    """
    try:
        return shlex.split(value)
    except ValueError as error:
        raise AnsibleFilterError(f"{value!r} is no command: {error}. Close the quote.") from error


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"typed": typed, "words": words}
