"""The keys of the nouns: shown as the roles' READMEs show them, and told by the model that reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from plugins.plugin_utils.site import backups, hosts, waf
from plugins.plugin_utils.site.container import CONTAINER
from plugins.plugin_utils.site.kinds import Choice, Flag, Kind, Listed, Pairs, Seconds, Size, Text, Whole, Words
from plugins.plugin_utils.site.noun import Noun
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.schema import Key, Schema
from scripts.pages.markdown import code, plain, section, table

BLOCK = re.compile(r"^```yaml\n.*?^```\n", re.MULTILINE | re.DOTALL)


def nouns(project: Path) -> str:
    """A section for each noun, for a container, for the hosts, for backups and for the firewall."""
    made = [_noun(noun, project) for noun in NOUNS.values()]
    container = f"## A container\n\n{_shown(project, 'service', 'containers')}\n{_keys(CONTAINER)}"
    others = {"site_hosts": hosts.SCHEMA, "site_backups": backups.SCHEMA, "site_waf": waf.SCHEMA}
    return "\n".join([*made, container, *(f"## {name}\n\n{_keys(schema)}" for name, schema in others.items())])


def _noun(noun: Noun, project: Path) -> str:
    schema = noun.schema
    own = {name: key for name, key in schema.keys.items() if key is not CONTAINER.keys.get(name)}
    lines = [f"## {noun.variable}\n", f"An entry is [{schema.what}](../roles/{noun.word}/README.md).\n"]
    lines.append(_shown(project, noun.word, ""))
    if len(own) < len(schema.keys):
        lines.append("It also takes the keys of [a container](#a-container), but for those of the second table.\n")
    words = {word: said for word, said in schema.elsewhere.items() if CONTAINER.elsewhere.get(word) != said}
    lines.append(_keys(Schema(schema.what, own, words)))
    if noun.grants:
        lines.append(f"Rights to it, under `uses`: {', '.join(map(code, noun.grants))}.\n")
    return "\n".join(lines)


def _shown(project: Path, role: str, anchor: str) -> str:
    """The first block of YAML under a heading of a role's README, which has every key."""
    found = BLOCK.search(section((project / "roles" / role / "README.md").read_text(), anchor)[1])
    return found[0] if found else ""


def _keys(schema: Schema) -> str:
    made = table(["key", "takes", "default"], _rows(schema))
    if schema.elsewhere:
        instead = ([code(word), plain(sentence)] for word, sentence in sorted(schema.elsewhere.items()))
        made += f"\nWhat people write and is no key of {schema.what}:\n\n{table(['written', 'instead'], instead)}"
    return made


def _rows(schema: Schema, of: str = "") -> Iterator[list[str]]:
    for name, key in schema.keys.items():
        within = key.kind if isinstance(key.kind, Schema) else None
        yield [code(f"{of}{name}"), takes(key.kind), "" if within else _default(key)]
        if within:
            yield from _rows(within, f"{of}{name}.")


def _default(key: Key) -> str:
    if key.missing:
        return "must be given"
    value = key.default
    if isinstance(value, bool) or (value and not isinstance(value, str)):
        return code(json.dumps(value))
    return code(value) if value else ""  # what is left out says nothing


def _whole(kind: Whole) -> str:
    return f"a whole number{f' of {plain(kind.unit)}' if kind.unit else ''}, {kind.low} to {kind.high}"


def _text(kind: Text) -> str:
    return f"{plain(kind.what)}{f', {code(kind.example)}' if kind.example else ''}"


WORDS: dict[type, Callable[[Any], str]] = {
    Choice: lambda kind: " or ".join(map(code, kind.words)),
    Flag: lambda _: "`true` or `false`",
    Listed: lambda kind: f"a list, {code(f'[{kind.example}]')}{', or one alone' if kind.single else ''}",
    Pairs: lambda kind: f"pairs, {code(f'{{{kind.example}}}')}",
    Schema: lambda _: "a mapping",
    Seconds: lambda kind: f"a duration, `{kind.low}s` to `{kind.high}s`",
    Size: lambda _: "an amount of memory, `256m`",
    Text: _text,
    Whole: _whole,
    Words: lambda kind: f"a command, {code(kind.example)}",
}
"""Kind of a value → how it is told."""


def takes(kind: Kind) -> str:
    """What a key takes, in words; one with a reader of its own takes what is shown."""
    return WORDS[type(kind)](kind) if type(kind) in WORDS else "as shown"
