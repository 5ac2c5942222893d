"""Which images a lifecycle policy of ECR lets go, by AWS's rules of evaluation.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html ("How lifecycle policies work"):
rules are applied by their priority, the lowest number first; an image whose tags fit a rule cannot be expired by a
later one, whether the first has expired it or not; but a later rule still counts it. Whatever is counted is counted
from the youngest, by the time of the push.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DAY = 86400.0


class NotEmulated(ValueError):
    """A rule has a word that AWS knows and this does not."""


@dataclass(frozen=True)
class Stored:
    """An image as a policy sees it.

    Attributes:
        digest: of its manifest.
        tags: all of them.
        pushed: seconds of the epoch.
    """

    digest: str
    tags: tuple[str, ...]
    pushed: float


def rules(policy: str) -> list[dict[str, Any]]:
    """The rules of a policy's text, in the order in which they are applied.

    Raises:
        NotEmulated: see there.
    """
    found: list[dict[str, Any]] = sorted(json.loads(policy)["rules"], key=lambda rule: int(rule["rulePriority"]))
    for rule in found:
        selection, action = rule["selection"], rule["action"]
        if selection["countType"] not in ("imageCountMoreThan", "sinceImagePushed"):
            raise NotEmulated(f"countType {selection['countType']} is not emulated")
        if action["type"] != "expire" or "storageClass" in selection:
            raise NotEmulated("archived images are not emulated")
    return found


def expired(policy: str, images: Sequence[Stored], now: float) -> dict[str, int]:
    """Digest → priority of the rule that lets it go.

    Args:
        policy: its text.
        images: of the repository; of two that were pushed in the same moment the later in this order is the younger.
        now: seconds of the epoch.

    Raises:
        NotEmulated: see there.
    """
    youngest = [
        image for _, image in sorted(enumerate(images), key=lambda pair: (pair[1].pushed, pair[0]), reverse=True)
    ]
    found: dict[str, int] = {}
    settled: set[str] = set()
    for rule in rules(policy):
        selection = rule["selection"]
        fitting = [image for image in youngest if _fits(selection, image.tags)]
        number = int(selection["countNumber"])
        if selection["countType"] == "imageCountMoreThan":
            due = fitting[number:]
        else:
            due = [image for image in fitting if now - image.pushed > number * DAY]
        found |= {image.digest: int(rule["rulePriority"]) for image in due if image.digest not in settled}
        settled |= {image.digest for image in fitting}
    return found


def _fits(selection: Mapping[str, Any], tags: Iterable[str]) -> bool:
    tags = list(tags)
    match selection["tagStatus"]:
        case "any":
            return True
        case "untagged":
            return not tags
    patterns = [*(f"{each}*" for each in selection.get("tagPrefixList", ())), *selection.get("tagPatternList", ())]
    return all(any(fnmatch.fnmatchcase(tag, pattern) for tag in tags) for pattern in patterns)
