"""Filters about static files: what is wrong with the folder that an entry names, what the ledger says of releases."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils import function_code, static_files
from plugins.plugin_utils.ledger import GOOD
from plugins.plugin_utils.places import shown

INSTEAD = "Build the files, or write the name of their folder."


def static_problem(entry: Any, beside: str = "") -> str:
    """What is wrong with the folder that an entry of site_static names; empty where nothing is, or the model tells.

    Args:
        entry: as written.
        beside: folder in which that of the inventory lies; empty if there is none.
    """
    folder = entry.get("folder") if isinstance(entry, dict) else None
    if not isinstance(folder, str) or not folder:
        return ""
    top = function_code.folder(folder, beside)
    if not top.is_dir():
        where = " or ".join(shown(Path(place)) for place in (beside, str(PROJECT)) if place)
        return f"is {folder}, and there is no such folder in {where}. {INSTEAD}"
    try:
        found = static_files.read(top, {})
    except (ValueError, OSError) as error:
        return f"is {folder}, which cannot be uploaded: {error}. Put the file itself there, or take it out."
    if not found:
        return f"is {folder}, in which there is no file. {INSTEAD}"
    return ""


def static_facts(shown: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What the ledger says of static files: entry → its bucket, and the release that is shown.

    Args:
        shown: entry → release.
        outputs: of the layers, `static.<entry>.BucketName`.
    """
    buckets = {entry: outputs.get(f"static.{entry}.BucketName", "") for entry in shown}
    return {entry: {"bucket": buckets[entry], "release": release} for entry, release in shown.items()}


def static_back(entry: Mapping[str, Any], static: Mapping[str, Any]) -> dict[str, str]:
    """What a rollback shows again: entry → release, of those that the site still has.

    Args:
        entry: of the ledger, to which it goes.
        static: `site_static`.
    """
    found = entry.get("static") or {}
    return {name: str(each["release"]) for name, each in found.items() if name in static and each.get("release")}


def kept_static(entries: Iterable[Mapping[str, Any]], name: str, releases: int) -> list[str]:
    """The static files that no lifecycle rule may take: those of the last good releases, each once.

    Args:
        entries: good ones of the ledger, newest first.
        name: of the entry of `site_static`.
        releases: how many of them; of several releases with the same files only one counts.
    """
    good = (each for each in entries if each.get("outcome") == GOOD and not each.get("left_by"))
    found = (((each.get("static") or {}).get(name) or {}).get("release") for each in good)
    return list(dict.fromkeys(str(each) for each in found if each))[: int(releases)]


class FilterModule:
    """See the functions."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name → filter."""
        return {
            "static_problem": static_problem,
            "static_facts": static_facts,
            "static_back": static_back,
            "kept_static": kept_static,
        }
