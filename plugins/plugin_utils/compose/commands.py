"""Commands of a container: cut into words, with secrets and addresses put in by a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.compose.environment import variable_name
from plugins.plugin_utils.compose.interpolation import Filled, missing_of
from plugins.plugin_utils.compose.parts import Part
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.compose.secrets import IN_CLEAR, Secrets, endings, has_secret, identity

START = 'exec "$0" "$@"'


class Command:
    """The command of a service.

    Args:
        part: the service.
        secrets: of the site; a secret in the command becomes one of them.
        report: to tell.
        addresses: variables that a shell makes of others before it starts what was to be started → the value of each,
            as in double quotes of a shell.

    Attributes:
        entrypoint, command: as the inventory has them; empty where the image's own hold.
        secrets: variables that the command reads.
    """

    def __init__(self, part: Part, secrets: Secrets, report: Report, addresses: Mapping[str, str]) -> None:
        self.secrets: dict[str, str] = {}
        self._part, self._all, self._report = part, secrets, report
        self.entrypoint = self._read("entrypoint")
        self.command = self._read("command")
        if addresses:
            self._export(addresses)

    def _export(self, addresses: Mapping[str, str]) -> None:
        exports = "; ".join(f'export {name}="{value}"' for name, value in addresses.items())
        wrapped = ["sh", "-c", f"{exports}; {START}"]
        if self.entrypoint:
            self.entrypoint = [*wrapped, *self.entrypoint]
        elif self.command:
            self.command = [*wrapped, *self.command]
        else:
            self._report.want(
                f"{self._part.name}.command",
                f"the whole address has a password in it, so a shell puts it together: [sh, -c, '{exports}; exec <what "
                "the image starts>'].",
            )

    def _read(self, key: str) -> list[str]:
        value = self._part.given.get(key)
        for word in value if isinstance(value, list) else [value]:
            for name in missing_of(word):
                self._report.want(f"{self._part.name}.{key}", f"${name} is set nowhere; Compose takes it from an .env.")
        try:
            words = _words(value)
        except ValueError as error:
            self._report.drop(f"{self._part.name}.{key}", f"cannot be cut into words ({error}). Write a list.")
            return []
        secrets = endings(words)
        left = [word if end is None else f"{word.removesuffix(end)}$" for word, end in zip(words, secrets, strict=True)]
        if has_secret(left):
            self._report.drop(f"{self._part.name}.{key}", IN_CLEAR)
            return []
        return [str(word) for word in words] if left == words else self._hidden(key, words, secrets)

    def _hidden(self, key: str, words: list[str], secrets: list[str | None]) -> list[str]:
        """The words for a shell, each secret in them a variable."""
        written = []
        for word, secret in zip(words, secrets, strict=True):
            if secret is None:
                written.append(shlex.quote(word))
                continue
            name = variable_name(self._part.name, key, "secret") + (str(len(self.secrets) or ""))
            self.secrets[name] = self._all.reference(name, identity(secret), self._part.name)
            written.append(f'{word.removesuffix(secret)}"${name}"')
        self._report.choose(f"{self._part.name}.{key}", "a secret in it is a variable now, which a shell puts in.")
        return ["sh", "-c", f"exec {' '.join(written)}"]


def _words(value: Any) -> list[str]:
    """The words of a command, as Compose cuts them; what was filled in is remembered.

    Raises:
        ValueError: a quote is not closed.
    """
    if isinstance(value, list):
        return [each if isinstance(each, Filled) else str(each) for each in value]
    words = shlex.split(str(value)) if value else []
    return [value.piece(word) for word in words] if isinstance(value, Filled) else words
