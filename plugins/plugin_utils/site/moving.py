"""Volumes that a run moves from rexray to the native driver, whatever the inventory says of their driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.site.kinds import is_list

MOVED = "move_volume_to_efs"
"""The variable that names them; the verb `move_volume` sets it for its own run."""


def moved(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of an inventory, as the run sees them: volumes that it moves have `driver: efs`.

    A volume that is not there, and one that cannot be read, is left to whoever reads the description.

    Args:
        variables: of the inventory, templates resolved; `MOVED` may be missing, or of any shape.
    """
    names, volumes = variables.get(MOVED), variables.get("site_volumes")
    if names is None or not is_list(names) or not isinstance(volumes, Mapping):
        return dict(variables)
    own = {name: volumes[name] or {} for name in map(str, names) if name in volumes}
    changed = {name: {**given, "driver": "efs"} for name, given in own.items() if isinstance(given, Mapping)}
    return {**variables, "site_volumes": {**volumes, **changed}}
