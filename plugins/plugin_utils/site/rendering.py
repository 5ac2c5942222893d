"""Everything that the template of a service, job or function is made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from plugins.plugin_utils.site import definitions, leading, rights, room
from plugins.plugin_utils.site.definitions import Run
from plugins.plugin_utils.site.inputs import Inputs
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns.function import Function, route_id
from plugins.plugin_utils.site.nouns.service import Service


@dataclass(frozen=True)
class Rendered:
    """What the template of a service or job is made of.

    Attributes:
        containers: container definitions, in CloudFormation's spelling.
        volumes: of the task definition.
        execution_statements: IAM statements of the execution role.
        task_statements: IAM statements of the task role.
        data: container → variable → the data that it leads to; see leading.py.
        takes: parameter → key of the entry whose stack has it (`database.main`), and output.
        memory: MiB that ECS sets aside for a task.
    """

    containers: list[dict[str, Any]]
    volumes: list[dict[str, Any]]
    execution_statements: list[dict[str, Any]]
    task_statements: list[dict[str, Any]]
    data: dict[str, dict[str, str]]
    takes: dict[str, tuple[str, str]]
    memory: int


def render(site: Site, key: str, run: Run) -> Rendered:
    """The parts of a service's or job's template.

    Args:
        site: without problems.
        key: `service.web`, `job.migrate`.
        run: what it is made for.

    Raises:
        KeyError: there is no such service or job.
        NoImage: a container's image is not in the registry yet.
    """
    inputs = Inputs()
    return Rendered(
        definitions.container_definitions(site, key, run, inputs),
        definitions.volumes(site, key, inputs),
        rights.execution_statements(site, key, inputs),
        rights.task_statements(site, key, inputs),
        leading.data(site, key),
        dict(sorted(inputs.takes.items())),
        room.memory(site.task(key).containers.values()),
    )


def entry(site: Site, key: str, run: Run) -> dict[str, Any]:
    """What a template reads of a service or job: plain mappings and lists, without a key for what is not there.

    Args:
        site: without problems.
        key: `service.web`, `job.migrate`.
        run: what it is made for.

    Raises:
        KeyError: there is no such service or job.
        NoImage: a container's image is not in the registry yet.
    """
    task, parts = site.task(key), render(site, key, run)
    made: dict[str, Any] = {
        "memory": parts.memory,
        "containers": parts.containers,
        "volumes": parts.volumes,
        "takes": {parameter: f"{other}.{output}" for parameter, (other, output) in parts.takes.items()},
        "execution_statements": parts.execution_statements,
        "task_statements": parts.task_statements,
        "data": parts.data,
        "patch": dict(task.patch),
    }
    if not isinstance(task, Service):
        told = ("run", "schedule", "zone", "overlap", "minutes", "maintenance")
        return made | {name: getattr(task, name) for name in told}
    return made | {
        "routes": [plain(route) for route in task.routes],
        "expose": plain(task.expose) if task.expose else {},
        "replicas": task.replicas,
        "stop_first": task.stop_first,
        "scale": {word: value for word, value in plain(task.scale).items() if value is not None} if task.scale else {},
    }


def function(site: Site, entry: Function) -> dict[str, Any]:
    """What the template of a function reads of it.

    Args:
        site: without problems.
        entry: of it.
    """
    inputs = Inputs()
    places = {name: definitions.stored(site, value) for name, value in entry.secrets.items()}
    environment = {name: definitions.plain(site, value, inputs) for name, value in entry.environment.items()}
    environment |= {name: inputs.value(key, stored.where) for name, (key, stored) in places.items()}
    made = {word: getattr(entry, word) for word in ("code", "handler", "runtime", "mem_limit", "timeout")}
    statements = rights.function_statements(site, entry, inputs)
    return made | {
        "environment": dict(sorted(environment.items())),
        "statements": statements,
        "routes": [{"key": key, "id": route_id(key)} for key in sorted(entry.routes)],
        "data": leading.of_variables(site, entry.environment),
        "takes": {name: f"{other}.{output}" for name, (other, output) in sorted(inputs.takes.items())},
        "patch": dict(entry.patch),
    }


def plain(entry: Any) -> dict[str, Any]:
    """An entry as templates read it: a mapping, lists for tuples, a keyword of Python (`class_`) by its own name."""
    return {
        name.rstrip("_"): list(value) if isinstance(value, tuple) else value for name, value in asdict(entry).items()
    }
