"""The keys that a thing may have, as data; and how a mapping of an inventory is read by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.site.kinds import Kind
from plugins.plugin_utils.site.place import Place, hidden, listed, near, shown


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
        kind: of its value; says type, unit, range and choices.
        default: what holds where it is not given, as the kind would tell it.
        missing: for a key that must be given, what to type.
    """

    kind: Kind
    default: Any = None
    missing: str = ""


@dataclass(frozen=True)
class Schema:
    """The keys of a thing.

    Attributes:
        what: the thing, `a volume`.
        keys: name to key.
        elsewhere: words that people bring from Compose, ECS or an earlier release, each with why it is none here and
            what to write instead.
        may_be_secret: whether what stands where the mapping should may be a secret, so that it is not shown.
    """

    what: str
    keys: Mapping[str, Key]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    may_be_secret: bool = False

    def given(self, value: Any, at: Place) -> dict[str, Any]:
        """What is given and right, without defaults; the rest is complained about."""
        if not isinstance(value, Mapping):
            at.wrong(f"is {self.told(value)}, must be a mapping of keys to values: {listed(self.keys)}.")
            return {}
        found = {}
        for raw, item in value.items():
            name, place = str(raw), at / raw
            if name not in self.keys:
                place.wrong(self._unknown(name))
            elif item is None:
                place.wrong("is empty. Give it a value, or take the line out.")
            elif (read := self.keys[name].kind(item, place)) is not None:
                found[name] = read
        return found

    def told(self, value: Any) -> str:
        """What is no mapping, as a sentence may show it."""
        return hidden(value) if self.may_be_secret else shown(value)

    def read(self, value: Any, at: Place) -> dict[str, Any]:
        """Every key of the schema with its value or default."""
        found = self.given(value, at)
        if isinstance(value, Mapping):
            self.complete(found, value, at)
        return self.defaults() | found

    def complete(self, found: Mapping[str, Any], value: Mapping[Any, Any], at: Place) -> None:
        """Complain about keys that must be given and are not."""
        for name, key in self.keys.items():
            if key.missing and name not in found and name not in value:
                at.wrong(f"has no {name}. {key.missing}")

    def defaults(self) -> dict[str, Any]:
        """Every key with its default."""
        return {name: key.default for name, key in self.keys.items()}

    def _unknown(self, name: str) -> str:
        if name in self.elsewhere:
            return f"is no key of {self.what}: {self.elsewhere[name]}"
        close = near(name, self.keys)
        return f"is no key of {self.what}.{close or f' It may have {listed(self.keys)}.'}"

    def __call__(self, value: Any, at: Place) -> dict[str, Any] | None:
        """As a kind: the mapping with its defaults, or None where it is none."""
        return self.read(value, at) if isinstance(value, Mapping) else self.given(value, at) or None
