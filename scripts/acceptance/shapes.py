"""What a request to AWS, or its answer, looks like, without what stands in it: no recording can give a secret away.

Of a value is kept where it stands and of which type it is. Its text is kept for a state alone: a value that AWS lists
in its API model, or a word under a name that states have, where the model lists none (ECS).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

STATE_NAMES = frozenset(
    {
        "status",
        "lastStatus",
        "desiredStatus",
        "healthStatus",
        "connectivity",
        "stopCode",
        "launchType",
        "rolloutState",
        "Status",
        "State",
        "StackStatus",
        "ResourceStatus",
        "LifecycleState",
        "LifeCycleState",
        "HealthStatus",
        "DBInstanceStatus",
        "RenewalStatus",
    }
)
"""Members of answers whose value is a state."""
STATE = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
"""How a state may look; what does not is kept as a type only."""
WITHHELD = "withheld"
"""Of what the API model calls sensitive, not even the type is kept."""
TYPES = {bool: "boolean", str: "string", int: "number", float: "number", bytes: "bytes", type(None): "null"}
"""The first that fits: a value of Ansible is a kind of text, and a boolean a kind of number."""


def shape(value: Any, model: Any) -> tuple[list[str], dict[str, list[str]]]:
    """What a value looks like.

    Args:
        value: the parameters or the answer of an operation, as boto3 has them.
        model: botocore's shape of it; None where the operation has none.

    Returns:
        The sorted paths of all that it has, each with its type (`services[].deployments[].id: string`); and the states,
        path → values in the order in which they stood.
    """
    paths, states = set[str](), dict[str, list[str]]()
    for path, kind, state in _leaves(value, model, ""):
        paths.add(f"{path}: {kind}" if path else kind)
        if state:
            states.setdefault(path, []).append(state)
    return sorted(paths), states


def _leaves(value: Any, model: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Path, type and state of each value within; an empty list or structure is one, too."""
    if getattr(model, "metadata", {}).get("sensitive"):
        yield path, WITHHELD, ""
    elif isinstance(value, dict):
        yield from _structure(value, model, path)
    elif isinstance(value, (list, tuple)):
        if not value:
            yield f"{path}[]", "empty", ""
        for each in value:
            yield from _leaves(each, getattr(model, "member", None), f"{path}[]")
    else:
        kind = next((name for known, name in TYPES.items() if isinstance(value, known)), type(value).__name__)
        yield path, kind, _state(value, model, path)


def _structure(value: dict[str, Any], model: Any, path: str) -> Iterator[tuple[str, str, str]]:
    if getattr(model, "type_name", "structure") == "map":
        # Keys are data here, names of tags for example.
        for each in value.values():
            yield from _leaves(each, model.value, f"{path}{{}}")
        return
    members = getattr(model, "members", {})
    for name, each in value.items():
        if name != "ResponseMetadata":
            yield from _leaves(each, members.get(name), f"{path}.{name}" if path else name)


def _state(value: Any, model: Any, path: str) -> str:
    listed = value in (getattr(model, "enum", None) or ())
    named = path.rpartition(".")[2] in STATE_NAMES and isinstance(value, str) and STATE.fullmatch(value)
    return str(value) if listed or named else ""
