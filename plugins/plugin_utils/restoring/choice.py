"""Which parts of a backup are to be restored, and what of it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugins.plugin_utils.backups.point import RESTORED, Part, Point
from plugins.plugin_utils.ledger import GOOD
from plugins.plugin_utils.places import nearest

NOT_OURS = "it is not Berth's bucket: its old versions lead back there, file by file: aws s3api list-object-versions"


class Wrong(Exception):
    """What was typed does not fit the backup, and why."""


def parts(point: Point, typed: Mapping[str, str], site: Mapping[str, Sequence[str]]) -> dict[str, Part]:
    """Key → part, of those that are meant.

    Args:
        point: the backup.
        typed: noun → the entry that was typed; empty for all.
        site: noun → its entries in the site now.

    Raises:
        Wrong: there is none of the kind.
    """
    there: Mapping[str, Any] = point.get("parts") or {}
    whole = {key: part for key, part in there.items() if key.partition(".")[0] in RESTORED and part["state"] == GOOD}
    can = {key: part for key, part in whole.items() if not _is_somebody_elses(key, part)}
    wanted = {f"{noun}.{entry}" for noun, entry in typed.items() if entry}
    for key in sorted(wanted - can.keys()):
        if key in whole:
            raise Wrong(f"{key}: {NOT_OURS}")
        if part := there.get(key):
            raise Wrong(f"{key} is not whole in it: {part.get('why') or part['state']}")
        said = (
            f"{', '.join(can)}; did you mean {nearest(key, list(can))}?" if can else "nothing that can be restored is"
        )
        raise Wrong(f"{key} is not in it ({said})")
    if not can:
        raise Wrong("nothing is in it that can be restored")
    found = {key: part for key, part in can.items() if not wanted or key in wanted}
    for key in found:
        noun, _, entry = key.partition(".")
        if entry not in site.get(noun, ()):
            raise Wrong(f"the site has no {key} any more to restore it to; write it into site_{noun}s first")
    return found


def without(point: Point, chosen: Mapping[str, Part]) -> list[str]:
    """A sentence for each thing of a backup that is not restored."""
    there: Mapping[str, Any] = point.get("parts") or {}
    told = [
        f"{key}: {NOT_OURS}"
        for key, part in there.items()
        if key not in chosen and part["state"] == GOOD and _is_somebody_elses(key, part)
    ]
    if release := point.get("release"):
        told.append(f"the release {release} of then: rollback.yml leads to it")
    if point.get("secrets"):
        told.append("secrets: a backup has the names of their versions, never a value")
    return told + [f"{each}: it is not in the backup" for each in point.get("without") or []]


def _is_somebody_elses(key: str, part: Part) -> bool:
    return key.partition(".")[0] == "bucket" and part.get("days") is None
