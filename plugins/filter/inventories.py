"""What sentences need to know about the inventory of this run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils.identity import Fact, differences, plugin_files, searches
from plugins.plugin_utils.places import verb


def host_searches(sources: Iterable[str]) -> list[str]:
    """How `ansible_inventory_sources` look for hosts, a sentence a file."""
    return searches(plugin_files(map(Path, sources), _load))


def identity_differences(sources: Iterable[str], site: str, environment: str, region: str) -> list[str]:
    """Where the files of `ansible_inventory_sources` tell another site than the variables, a sentence each."""
    facts = Fact("site_name", site), Fact("environment_name", environment), Fact("aws_region", region)
    return [str(difference) for difference in differences(plugin_files(map(Path, sources), _load), *facts)]


def _load(path: Path) -> Any:
    try:
        return DataLoader().load_from_file(str(path))
    except AnsibleError:
        return None  # preflight complains about it


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"verb": verb, "host_searches": host_searches, "identity_differences": identity_differences}
