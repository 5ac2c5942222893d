"""What a preview environment may not share with the one whose inventory it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

EXISTING = {
    "site_volumes": "file_system_id", "site_databases": "endpoint", "site_buckets": "name", "site_tables": "name",
}  # fmt: skip
"""Variable with a noun that holds data → the key of an entry that names some that exists."""


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"data_that_exists": data_that_exists}


def data_that_exists(nouns: Mapping[str, Any]) -> list[str]:
    """The places where a site names data that exists, in place of having it made.

    Args:
        nouns: variable → its entries. What is no mapping is passed over: the variable's own check complains.
    """
    return [
        f"{variable}.{name}.{EXISTING[variable]}"
        for variable, entries in nouns.items()
        for name, entry in (entries.items() if isinstance(entries, Mapping) else ())
        if isinstance(entry, Mapping) and entry.get(EXISTING[variable])
    ]
