"""`like`: follow containers to those that they copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.site.container import Draft, copied
from plugins.plugin_utils.site.place import unknown


class Likes:
    """The containers of all services, to be copied from.

    Args:
        drafts: service → container → as written.
    """

    def __init__(self, drafts: Mapping[str, Mapping[str, Draft]]) -> None:
        self._drafts = {
            f"{service}.{name}": draft for service, containers in drafts.items() for name, draft in containers.items()
        }

    def check(self, draft: Draft, own: str = "") -> None:
        """Complain where a container is like none, like itself, or in a circle.

        Args:
            draft: the container as written.
            own: what others call it, `web.django`; empty for a job, which nobody can be like.
        """
        at, trail, here = draft.place / "like", [own], draft
        while here.like:
            if here.like not in self._drafts:
                if here is draft:
                    at.wrong(f"is {draft.like}, which {unknown(draft.like, self._drafts, 'container of a service')}")
                return
            if here.like in trail:
                around = trail[trail.index(here.like) :]
                if here.like == own:  # else the circle is others', and told there
                    what = "itself" if len(around) == 1 else f"in a circle: {' → '.join([*around, own])}"
                    at.wrong(f"copies {what}. Write one of them out, with image and mem_limit.")
                return
            trail.append(here.like)
            here = self._drafts[here.like]

    def keys(self, draft: Draft) -> dict[str, Any] | None:
        """Everything that a container is given, its own and what it copies; None where that cannot be told."""
        chain = [draft]
        while chain[-1].like:
            before = self._drafts.get(chain[-1].like)
            if before is None or before in chain:
                return None
            chain.append(before)
        if not all(each.sound for each in chain):
            return None
        made: dict[str, Any] = chain[-1].given
        for each in reversed(chain[:-1]):
            made = copied(made, each.given)
        return made
