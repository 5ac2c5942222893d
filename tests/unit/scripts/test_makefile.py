"""What `make` hands to the commands it runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


def test_the_plugins_bytecode_is_kept_whatever_the_shell_says() -> None:
    told = subprocess.run(
        ["make", "--eval", "probe: ; @env", "probe"],
        cwd=PROJECT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, text=True, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert "VIRTUAL_ENV=" in told
    assert "PYTHONDONTWRITEBYTECODE" not in told
