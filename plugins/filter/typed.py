"""What a person typed behind `-e name=`, where Ansible would take the first word only, or gave as a list of words."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping

from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.parsing.splitter import parse_kv

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a variable of an environment may be called."""


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


def variables_typed(value: object, name: str) -> dict[str, str]:
    """Variables of an environment that were typed as JSON, or come from a file.

    Args:
        value: a mapping, or the text of one.
        name: of the extra variable.

    Raises:
        AnsibleFilterError: it is none, or a variable cannot be called so.
    """
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except ValueError:
            found = None
    given = found if isinstance(found, Mapping) else {"": found}
    if not all(NAME.fullmatch(str(key)) and isinstance(each, (str, int, float)) for key, each in given.items()):
        raise AnsibleFilterError(
            f"{name} holds no variables of an environment, names with their texts. Write it as JSON: "
            f"-e '{json.dumps({name: {'LOG_LEVEL': 'debug'}})}'"
        )
    return {str(key): _text(each) for key, each in given.items()}


def _text(value: object) -> str:
    """What stands in a variable; of a truth value as JSON writes it."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"typed": typed, "variables_typed": variables_typed, "words": words}
