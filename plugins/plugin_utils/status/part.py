"""What was found of a part of a site, and how it was judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError

from plugins.plugin_utils.aws_action import reason

Client = Callable[[str], Any]
Say = Callable[[str, str, str], None]
"""Takes what it is about (`service.web`), what is the matter, and what to type; empty where nothing is to be typed."""
Answer = TypeVar("Answer")

REFUSED = (
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized", "403",
)  # fmt: skip
"""Codes with which services refuse a caller who has not the right; the last is S3's to HEAD, which has no words."""
PREFIXES = {"elbv2": "elasticloadbalancing", "efs": "elasticfilesystem"}
"""boto3's name of a service → IAM's, where they differ."""
ACTIONS = {"ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket", "HeadObject": "GetObject"}
"""Operation → IAM's action, where they differ."""


@dataclass
class Part:
    """What was found.

    Attributes:
        facts: plain values, as the page and the JSON have them.
        wrong: why the site is not well: `about`, `what`, `type`.
        notes: the same of what is worth knowing, and no reason to be called in the night.
        unasked: what could not be asked: `about`, `action` (the right that is missing, or empty), `why`.
    """

    facts: Any = None
    wrong: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)
    unasked: list[dict[str, str]] = field(default_factory=list)

    def is_wrong(self, about: str, what: str, typed: str = "") -> None:
        """Say why the site is not well; see `Say`."""
        self.wrong.append({"about": about, "what": what, "type": typed})

    def note(self, about: str, what: str, typed: str = "") -> None:
        """Say what is worth knowing; see `Say`."""
        self.notes.append({"about": about, "what": what, "type": typed})

    def ask(
        self, about: str, service: str, question: Callable[..., Answer], *given: Any, **named: Any
    ) -> Answer | None:
        """The answer to a question; None where it could not be had, which is remembered and no reason to end.

        Args:
            about: what is asked for, `service.web`.
            service: boto3's name of the service.
            question: calls AWS, with what is given.

        Raises:
            ConnectionError: AWS cannot be reached at all.
        """
        try:
            return question(*given, **named)
        except ConnectionError:
            raise
        except (BotoCoreError, ClientError) as error:
            self.unasked.append({"about": about, "action": _action(service, error), "why": reason(error)})
            return None


def _action(service: str, error: BotoCoreError | ClientError) -> str:
    """The right that was missing; empty where the reason is another."""
    if not isinstance(error, ClientError) or error.response.get("Error", {}).get("Code") not in REFUSED:
        return ""
    name = ACTIONS.get(error.operation_name, error.operation_name)
    return f"{PREFIXES.get(service, service)}:{name}"


def merged(parts: Mapping[str, Part]) -> Part:
    """All parts in one; its facts are theirs by name."""
    whole = Part({name: part.facts for name, part in parts.items()})
    for part in parts.values():
        whole.wrong += part.wrong
        whole.notes += part.notes
        whole.unasked += part.unasked
    return whole
