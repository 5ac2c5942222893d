"""Who needs whose stack first.

An edge is an output that a stack takes as a parameter. Services that know each other's addresses have none: an address
is made of the entry's name in the site's private zone (`http://cms.shop-prod.internal:8080`), so it is known before
either stack is there, two services may expose to each other, and each is rolled without the other.
"""

from __future__ import annotations

import graphlib
from collections.abc import Mapping

from plugins.plugin_utils.site.place import Place


def cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """The keys of a circle, the first again at its end; empty if there is none."""
    try:
        graphlib.TopologicalSorter({key: sorted(needs) for key, needs in sorted(graph.items())}).prepare()
    except graphlib.CycleError as error:
        return [str(key) for key in reversed(error.args[1])]
    return []


def refuse_cycles(graph: Mapping[str, set[str]], places: Mapping[str, Place]) -> None:
    """Complain about a circle where it begins."""
    around = cycle(graph)
    if around:
        places[around[0]].wrong(
            f"needs itself before it is there: {' → '.join(around)}. Take one of these references out."
        )
