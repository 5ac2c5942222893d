"""What changes of a stack's task definitions and functions, container by container, without a secret's value.

The template that a stack is deployed with, its parameters filled in, is compared with the wanted one: a change set
tells only that `ContainerDefinitions` change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from plugins.plugin_utils.layers import parsed, text
from plugins.plugin_utils.plan.hiding import shown
from plugins.plugin_utils.plan.model import CHANGE, CREATE, DELETE, Container, Value
from plugins.plugin_utils.stack_pointing import FUNCTION, TASK_DEFINITION

MENTIONED = re.compile(r"\$\{([^!}][^}]*)\}")
LATER = "(known during the run)"
UNPUBLISHED = "unpublished/image:unpublished"
"""What stands for an image that the run would publish first (roles/publish/vars)."""
PUBLISHED = "(published by the run)"
STORED, ANOTHER = "(by reference)", "(by another reference)"
NAMED = {"Environment": "Name", "Secrets": "Name", "MountPoints": "ContainerPath", "PortMappings": "ContainerPort"}
"""Lists of a container definition → the key by which their items are known."""
VALUES = {"Environment": "Value", "Secrets": "ValueFrom"}
WORDS = {"MountPoints": "volume", "PortMappings": "port", "Secrets": "secret", "Environment": "environment"}

Flat = dict[str, str]
"""What it is → value."""
Known = Mapping[str, str | None]
"""Parameter → value; None is not known yet."""


def container_changes(before: Any, now: Known, after: Any, then: Known) -> list[Container]:
    """What changes of the containers of a stack.

    Args:
        before: the deployed template, a text or a mapping; None if there is none.
        now: its parameters.
        after: the wanted template.
        then: its parameters.
    """
    old, new = _containers(before, now), _containers(after, then)
    found = []
    for place in dict.fromkeys([*old, *new]):
        values = tuple(_values(old.get(place, {}), new.get(place, {})))
        if place not in old or place not in new:
            found.append(Container(*place, CREATE, values) if place in new else Container(*place, DELETE))
        elif values:
            found.append(Container(*place, CHANGE, values))
    return found


def _values(old: Flat, new: Flat) -> Iterator[Value]:
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name, ""), new.get(name, "")
        if before == after:
            continue
        if name.startswith("secret."):
            yield Value(name, before and STORED, after and (ANOTHER if before else STORED))
        else:
            yield Value(name, shown(name, before), shown(name, after))


def _containers(body: Any, values: Known) -> dict[tuple[str, str], Flat]:
    """Logical id and container (empty for the task) → what it is made of."""
    if body is None:
        return {}
    content = body if isinstance(body, Mapping) else parsed(str(body))
    declared = content.get("Parameters") or {}
    known = {name: (each or {}).get("Default") for name, each in declared.items()} | dict(values)
    found: dict[tuple[str, str], Flat] = {}
    for name, resource in (content.get("Resources") or {}).items():
        properties = (resource or {}).get("Properties") or {}
        if resource.get("Type") == TASK_DEFINITION:
            found |= {(name, place): flat for place, flat in _task(_filled(properties, known))}
        elif resource.get("Type") == FUNCTION:
            found[name, ""] = _function(_filled(properties, known))
    return found


def _task(properties: Mapping[str, Any]) -> Iterator[tuple[str, Flat]]:
    inside = {"ContainerDefinitions", "Volumes"}
    flat = {name: _text(value) for name, value in properties.items() if name not in inside}
    flat |= {f"volume.{each.get('Name')}": _volume(each) for each in properties.get("Volumes") or []}
    yield "", flat
    for container in properties.get("ContainerDefinitions") or []:
        yield str(container.get("Name")), _container(container)


def _container(container: Mapping[str, Any]) -> Flat:
    flat: Flat = {}
    for name, value in container.items():
        if name == "Name":
            continue
        if name in NAMED:
            for each in value or []:
                key = str(each.get(NAMED[name]))
                flat[f"{WORDS[name]}.{key}"] = _text(each.get(VALUES[name])) if name in VALUES else _item(name, each)
        elif name == "DockerLabels":
            flat |= {f"label.{key}": _text(item) for key, item in (value or {}).items()}
        elif name == "Image":
            flat["image"] = PUBLISHED if value == UNPUBLISHED else _text(value)
        else:
            flat[_spelled(name)] = _text(value)
    # The release is made of the images' tags, so it says nothing more of one that is not there yet.
    if flat.get("image") == PUBLISHED:
        flat |= {name: PUBLISHED for name in ("environment.RELEASE", "label.berth.release") if name in flat}
    return flat


def _function(properties: Mapping[str, Any]) -> Flat:
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    flat = {_spelled(name): _text(value) for name, value in properties.items() if name != "Environment"}
    return flat | {f"environment.{name}": _text(value) for name, value in variables.items()}


def _item(name: str, item: Mapping[str, Any]) -> str:
    if name == "MountPoints":
        return f"{item.get('SourceVolume')}{' (read only)' if item.get('ReadOnly') in (True, 'true') else ''}"
    host = str(item.get("HostPort") or 0)
    return f"{item.get('Protocol') or 'tcp'}, host port {'any' if host == '0' else host}"


def _volume(volume: Mapping[str, Any]) -> str:
    efs, docker = (volume.get(f"{kind}VolumeConfiguration") or {} for kind in ("EFS", "Docker"))
    if efs:
        point = (efs.get("AuthorizationConfig") or {}).get("AccessPointId")
        return f"file system {efs.get('FilesystemId')}{f' by {point}' if point else ''}"
    if docker:
        return f"driver {docker.get('Driver')}"
    return _text({name: value for name, value in volume.items() if name != "Name"}) or "a folder of the task"


def _spelled(name: str) -> str:
    """A property's name as a word: `MemoryReservation` → `memory reservation`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _text(value: Any) -> str:
    if value is None or value in ({}, []):
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, (dict, list)) else text(value)


def _filled(value: Any, known: Known) -> Any:
    """A part of a template with its parameters filled in; what only CloudFormation knows stays as it is written."""
    if isinstance(value, list):
        return [_filled(each, known) for each in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"Ref"}:
        return _known(str(value["Ref"]), known)
    if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return MENTIONED.sub(lambda found: _known(found[1], known), value["Fn::Sub"])
    if set(value) == {"Fn::GetAtt"}:
        return f"${{{'.'.join(map(str, value['Fn::GetAtt']))}}}"
    return {str(name): _filled(each, known) for name, each in value.items()}


def _known(name: str, known: Known) -> str:
    if name not in known:
        return f"${{{name}}}"
    value = known[name]
    return LATER if value is None else text(value)
