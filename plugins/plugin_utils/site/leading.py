"""Which variables of a service, job or function lead to data.

It stands in the template of each, as the template of the next run is compared with it: of a text alone (the host of a
database outside of Berth, the name of a bucket) nobody can tell. See plugins/plugin_utils/stack_pointing.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.reference import Reference


def data(site: Site, key: str) -> dict[str, dict[str, str]]:
    """Container → variable → name of the data, empty where that is the variable's own value.

    Args:
        site: without problems.
        key: `service.web`, `job.migrate`.

    Raises:
        KeyError: there is no such service or job.
    """
    containers = site.task(key).containers.values()
    found = {container.name: of_variables(site, container.environment) for container in containers}
    return {name: variables for name, variables in found.items() if variables}


def of_variables(site: Site, environment: Mapping[str, str | Reference]) -> dict[str, str]:
    """Variable → name of the data, as `data` has it for each container."""
    found: dict[str, str] = {}
    for name, value in sorted(environment.items()):
        if isinstance(value, Reference):
            named = site.attributes(value.noun, value.entry)[value.attribute].data
            if named is not None:
                found[name] = named
    return found
