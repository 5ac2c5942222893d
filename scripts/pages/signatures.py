"""The failures that the verb doctor knows, as its table has them."""

from __future__ import annotations

import re
from pathlib import Path

from plugins.plugin_utils.doctor.signature import ON_HOST, VERB, Signature
from plugins.plugin_utils.doctor.signatures import SIGNATURES
from scripts.pages.markdown import code, plain, table


def signatures(_project: Path) -> str:
    """A row for each: its word, where it is looked for, why it is so, and what to type."""
    return table(["failure", "found in", "cause, and what to change", "what to type"], map(_row, SIGNATURES))


def _row(signature: Signature) -> list[str]:
    where = "anything" if len(signature.where) > 8 else ", ".join(signature.where)
    why = plain(f"{signature.cause} {signature.mend}".strip())
    return [code(signature.name), where, _words(why), code(typed(signature))]


def typed(signature: Signature) -> str:
    """The command, with words for what only a run knows."""
    given = signature.types
    if given.startswith(ON_HOST):
        given = f"ansible {{host}} -i prod -b -a '{given.removeprefix(ON_HOST)}'"
    elif found := VERB.match(given):
        given = f"ansible-playbook {found[0]} -i prod{given[found.end() :]}"
    return _words(given, "<{}>")


def _words(text: str, form: str = r"\<{}\>") -> str:
    text = text.replace("{{", "\0").replace("}}", "\1")
    text = re.sub(r"\{(\w+)\}", lambda match: form.format(match[1]), text)
    return text.replace("\0", "{").replace("\1", "}")
