"""Which variables of a service or job lead to data.

It stands in the template of each, as the template of the next run is compared with it: of a text alone (the host of a
database outside of Berth, the name of a bucket) nobody can tell. See plugins/plugin_utils/stack_pointing.py.
"""

from __future__ import annotations

from plugins.plugin_utils.site.inputs import Inputs
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.reference import Output, Reference


def data(site: Site, key: str, inputs: Inputs) -> dict[str, dict[str, str]]:
    """Container → variable → name of the data, `${…}` being the parameter that tells it.

    Args:
        site: without problems.
        key: `service.web`, `job.migrate`.
        inputs: learns which outputs of other stacks are taken.

    Raises:
        KeyError: there is no such service or job.
    """
    found: dict[str, dict[str, str]] = {}
    for container in site.task(key).containers.values():
        for name, value in sorted(container.environment.items()):
            if isinstance(value, Reference):
                named = site.attributes(value.noun, value.entry)[value.attribute].data
                if isinstance(named, Output):
                    named = f"${{{inputs.parameter(value.key, named.name)}}}"
                if named:
                    found.setdefault(container.name, {})[name] = named
    return found
