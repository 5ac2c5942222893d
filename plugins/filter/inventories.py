"""What sentences need to know about this run: its inventory, where it was typed, and names that are like one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils.places import nearest, shown, verb


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"nearest": nearest, "shown": _shown, "verb": verb}


def _shown(path: str) -> str:
    """A path as it would be typed where this run was."""
    return shown(Path(path))
