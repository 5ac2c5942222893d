"""What a preview environment may not share with the one whose inventory it is of, and what keeps their data apart."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils.places import nearest

EXISTING = {
    "site_volumes": "file_system_id", "site_databases": "endpoint", "site_buckets": "name", "site_tables": "name",
}  # fmt: skip
"""Variable with a noun that holds data → the key of an entry that names some that exists."""


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"anonymise_problems": anonymise_problems, "data_that_exists": data_that_exists}


def anonymise_problems(name: object, jobs: Any) -> list[str]:
    """What is wrong with the job that is to anonymise the data of previews, a sentence each.

    Args:
        name: of the job, as it is written; empty for none.
        jobs: `site_jobs`. What is no mapping is passed over: the variable's own check complains.
    """
    if not name or not isinstance(jobs, Mapping):
        return []
    name = str(name)
    if name not in jobs:
        known = f"; did you mean {nearest(name, map(str, jobs))}?" if jobs else "."
        return [f"is {name}, and site_jobs has no such job{known} Write it there, or take the line out."]
    job = jobs[name]
    if isinstance(job, Mapping) and (job.get("schedule") or job.get("run") != "by_hand"):
        return [
            f"is {name}, which is not of those that run by hand: it would also run by itself in the environment that "
            f"previews are of, and overwrite its data. Write run: by_hand into site_jobs.{name}."
        ]
    return []


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
