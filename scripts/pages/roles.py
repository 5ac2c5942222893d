"""The roles, by what they are for."""

from __future__ import annotations

import re
from pathlib import Path

import yaml


def grouped(project: Path) -> dict[str, list[str]]:
    """What roles are for → their names: layers as they are made, host roles as they are applied, then the others."""
    stages = yaml.safe_load((project / "group_vars/all/site.yml").read_text())["site_stages"]
    layers = [layer for stage in stages.values() for layer in stage]
    order = str(yaml.safe_load((project / "roles/cluster/defaults/main.yml").read_text())["host_roles"])
    there = sorted(path.name for path in (project / "roles").iterdir() if (path / "README.md").is_file())
    hosts = [name for name in re.findall(r"'(\w+)'", order) if name in there]
    others = [name for name in there if name not in (*layers, *hosts)]
    return {"Layers": layers, "Host roles": hosts, "Procedures": others}
