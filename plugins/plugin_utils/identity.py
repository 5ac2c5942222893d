"""Which site a run is about stands in one file of its inventory, that of the inventory plugin `environment`.

What is said once more elsewhere is without effect or, by -e, true for the half of a run that has looked for the hosts
already; so it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

IDENTITY = ("site_name", "environment_name", "aws_region")
"""The variables that the file of the inventory plugin `environment` says."""
SITE_GROUP = "site"
"""Group of localhost and all hosts, of which group_vars/site.yml of an inventory is."""
HOST_GROUP = "ecs_hosts"
"""Group of the site's running hosts."""


def environment_files(sources: Iterable[Path], load: Callable[[Path], Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The files of the inventory plugin `environment` among a run's inventory sources, with their content.

    Args:
        sources: folders, or files in them.
        load: reads a YAML file; None where it cannot.
    """
    folders = dict.fromkeys(source if source.is_dir() else source.parent for source in sources if source.exists())
    for folder in folders:
        for path in sorted(folder.glob("*.y*ml")):
            content = load(path)
            if isinstance(content, Mapping) and content.get("plugin") == "environment":
                yield path, content
