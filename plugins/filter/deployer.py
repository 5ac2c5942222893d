"""The rights of a pipeline, as the template of the layer deployer takes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils import deployer


class FilterModule:
    """See the functions of plugins/plugin_utils/deployer.py."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filter name → function."""
        return {
            "deployer_looking": deployer.looking,
            "deployer_releasing": deployer.releasing,
        }
