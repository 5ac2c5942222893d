"""What a task needs of its host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .aws import Json
from .configuration import Configuration
from .images import Images
from .ports import Ports
from .task import Task
from .volumes import Volumes


class Host:
    """What a task needs of its host.

    Args:
        client: the Docker SDK's client.
        configuration: the agent's.
        images: the host's images.
        region: AWS region, for secrets and as the containers are told it.
        cluster: name of the cluster.
        submit: sends a state change, (action, request); raises OSError or ApiError if it could not be delivered.
        save: stores a task; `forget` drops the one with this ARN.
    """

    def __init__(
        self,
        client: Any,
        configuration: Configuration,
        images: Images,
        region: str,
        cluster: str,
        submit: Callable[[str, Json], None],
        save: Callable[[Task], None],
        forget: Callable[[str], None],
    ) -> None:
        self.client = client
        self.configuration = configuration
        self.region = region
        self.cluster = cluster
        self.submit = submit
        self.save = save
        self.forget = forget
        self.images = images
        self.ports = Ports(*configuration.dynamic_ports)
        self.volumes = Volumes(client, configuration.shared_volume_match)
