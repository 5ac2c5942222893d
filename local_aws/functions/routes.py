"""Which route of an HTTP API takes a request.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

DEFAULT = "$default"
ANY = "ANY"
STATIC, VARIABLE, GREEDY = range(3)


@dataclass(frozen=True)
class Match:
    """A route that takes a request.

    Attributes:
        key: the RouteKey.
        parameters: its path's variables.
    """

    key: str
    parameters: dict[str, str] = field(default_factory=dict)


def choose(keys: Iterable[str], method: str, path: str) -> Match | None:
    """The route with the most specific match: one that fits wholly, then one with a greedy variable, then `$default`.

    Args:
        keys: RouteKeys, `<method> <path>` or `$default`.
        path: as in the request, decoded.
    """
    best: tuple[tuple[bool, tuple[int, ...], bool], Match] | None = None
    default = None
    for key in keys:
        if key == DEFAULT:
            default = Match(key)
            continue
        of_method, _, of_path = key.partition(" ")
        found = _match(of_path, path) if of_method in (method, ANY) else None
        if found is None:
            continue
        kinds, parameters = found
        rank = (GREEDY in kinds, kinds, of_method == ANY)
        if best is None or rank < best[0]:
            best = (rank, Match(key, parameters))
    return best[1] if best else default


def _match(route: str, path: str) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """How each step of `route` takes its step of `path`, and the variables; None if it does not."""
    steps, rest = _steps(route), _steps(path)
    kinds: list[int] = []
    parameters: dict[str, str] = {}
    for place, step in enumerate(steps):
        if step.startswith("{") and step.endswith("+}"):
            below = "/".join(rest[place:])
            return ((*kinds, GREEDY), {**parameters, step[1:-2]: below}) if below else None
        if place >= len(rest):
            return None
        if step.startswith("{") and step.endswith("}"):
            if not rest[place]:
                return None
            kinds.append(VARIABLE)
            parameters[step[1:-1]] = rest[place]
        elif step == rest[place]:
            kinds.append(STATIC)
        else:
            return None
    return (tuple(kinds), parameters) if len(rest) == len(steps) else None


def _steps(path: str) -> list[str]:
    return path.split("/")[1:]
