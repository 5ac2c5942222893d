"""Everything that the template of a service or job is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.site import definitions, rights, room
from plugins.plugin_utils.site.definitions import Run
from plugins.plugin_utils.site.inputs import Inputs
from plugins.plugin_utils.site.model import Site


@dataclass(frozen=True)
class Rendered:
    """What the template of a service or job is made of.

    Attributes:
        containers: container definitions, in CloudFormation's spelling.
        volumes: of the task definition.
        execution_statements: IAM statements of the execution role.
        task_statements: IAM statements of the task role.
        takes: parameter → key of the entry whose stack has it (`database.main`), and output.
        memory: MiB that ECS sets aside for a task.
    """

    containers: list[dict[str, Any]]
    volumes: list[dict[str, Any]]
    execution_statements: list[dict[str, Any]]
    task_statements: list[dict[str, Any]]
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
        dict(sorted(inputs.takes.items())),
        room.memory(site.task(key).containers.values()),
    )
