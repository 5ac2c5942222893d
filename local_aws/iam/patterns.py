"""Wildcards and policy variables."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from local_aws.iam.errors import Unevaluable

VARIABLE = re.compile(r"\$\{([^}]*)\}")
WITH_DEFAULT = re.compile(r"(?P<key>[^,']+?)\s*(?:,\s*'(?P<default>[^']*)')?")
LITERAL = {"*", "?", "$"}
"""`${*}` is an asterisk that is no wildcard."""

Value = Callable[[str], str | None]
"""Key of the request's context → its one value; None where the request has none."""


def filled(text: str, value: Value) -> tuple[tuple[str, bool], ...] | None:
    """A text of a policy, its variables replaced: pieces, each with whether wildcards in it are wildcards.

    None where the request has no value for a variable that has no default: such a text matches nothing.

    Raises:
        Unevaluable: for a variable that is not written as IAM writes them.
    """
    pieces: list[tuple[str, bool]] = []
    end = 0
    for found in VARIABLE.finditer(text):
        pieces.append((text[end : found.start()], True))
        end = found.end()
        inside = found[1].strip()
        if inside in LITERAL:
            pieces.append((inside, False))
            continue
        parts = WITH_DEFAULT.fullmatch(inside)
        if parts is None:
            raise Unevaluable(f"{found[0]} is no policy variable that is understood")
        filling = value(parts["key"])
        if filling is None:
            filling = parts["default"]
        if filling is None:
            return None
        pieces.append((filling, False))
    rest = text[end:]
    if "${" in rest:
        raise Unevaluable(f"{text} begins a policy variable and does not end it")
    pieces.append((rest, True))
    return tuple((piece, wild) for piece, wild in pieces if piece)


def plain(text: str) -> tuple[tuple[str, bool], ...]:
    """A text in which nothing is a variable, as in a policy of 2008."""
    return ((text, True),)


def joined(pieces: tuple[tuple[str, bool], ...]) -> str:
    """The pieces as one text, for comparisons without wildcards."""
    return "".join(piece for piece, _ in pieces)


def like(pieces: tuple[tuple[str, bool], ...], text: str) -> bool:
    """Whether a text is of a pattern: `*` any characters, `?` any one."""
    return _glob(pieces).fullmatch(text) is not None


def action_like(pattern: str, action: str) -> bool:
    """Whether an action is of a pattern; IAM does not look at the case of either."""
    return _glob(plain(pattern.lower())).fullmatch(action.lower()) is not None


@functools.lru_cache(maxsize=4096)
def any_action_like(written: tuple[str, ...], action: str) -> bool:
    """Whether an action is of one of these patterns; remembered, as each of a caller's calls asks all its policies."""
    return any(action_like(pattern, action) for pattern in written)


@functools.lru_cache(maxsize=4096)
def _glob(pieces: tuple[tuple[str, bool], ...]) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    signs = ((sign, is_wild) for piece, is_wild in pieces for sign in piece)
    return re.compile("".join(wild.get(sign, "") if w and sign in wild else re.escape(sign) for sign, w in signs), re.S)


def arn_like(pieces: tuple[tuple[str, bool], ...], arn: str) -> bool:
    """Whether an ARN is of a pattern, each of its six parts compared by itself."""
    pattern = split(pieces, 6)
    parts = arn.split(":", 5)
    return len(pattern) == len(parts) == 6 and all(map(like, pattern, parts))


def split(pieces: tuple[tuple[str, bool], ...], parts: int) -> list[tuple[tuple[str, bool], ...]]:
    """The pieces between colons, at most so many; what is left is in the last."""
    found: list[list[tuple[str, bool]]] = [[]]
    for piece, wild in pieces:
        first, *others = piece.split(":", parts - len(found))
        found[-1].append((first, wild))
        found += [[(other, wild)] for other in others]
    return [tuple((piece, wild) for piece, wild in part if piece) for part in found]
