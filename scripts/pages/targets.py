"""What `make` can be asked for."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.pages.markdown import code, plain, table

TARGET = re.compile(r"^([a-z0-9-]+):.*?## (.+)$", re.MULTILINE)
"""As the target `help` looks for them."""


def targets(project: Path) -> str:
    """The targets of the Makefile, with what they say of themselves."""
    found = TARGET.findall((project / "Makefile").read_text())
    return table(["command", "does"], ([code(f"make {name}"), plain(words)] for name, words in found))
