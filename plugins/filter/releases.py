"""What of a release the playbooks ask: which images and which name each service and job gets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils import hooks, releases, rollback


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filter name → function."""
        return {
            "hook_problems": hooks.problems,
            "release_shown_problems": hooks.shown_problems,
            "images_called": releases.called,
            "images_released": releases.images_of,
            "job_owners": releases.owners,
            "release_runs": releases.runs,
            "release_facts": releases.facts,
            "release_conflict": rollback.name_conflict,
            "rollback_choice": rollback.choose,
            "rollback_again": rollback.again,
        }
