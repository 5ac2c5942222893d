"""Filters about static files: what is wrong with the folder that an entry names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils import function_code, static_files
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


class FilterModule:
    """See the functions."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name → filter."""
        return {"static_problem": static_problem}
