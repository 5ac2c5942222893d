"""What the host roles say they own, for the suites that look at hosts."""

from __future__ import annotations

from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[1]


def owned_files() -> list[tuple[str, str]]:
    """Path and mode of every file that a host role lists in its vars/main.yml."""
    return [
        (item["path"], item["mode"])
        for path in sorted(PROJECT.glob("roles/*/vars/main.yml"))
        for item in (yaml.safe_load(path.read_text()) or {}).get(f"{path.parts[-3]}_files", [])
    ]
