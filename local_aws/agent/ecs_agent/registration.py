"""Who this host is to ECS: its registration as a container instance."""

from __future__ import annotations

import json
import logging
import time
import uuid
from typing import Any

from . import aws, host
from .aws import Api, ApiError, Json, Metadata
from .configuration import Configuration
from .store import Store

log = logging.getLogger("ecs-agent")
TRANSIENT = ("ThrottlingException", "ServerException", "LimitExceededException")
"""What ECS is asked again for; anything else ends the agent (amazon-ecs-agent, ecs-agent/api/ecs/client)."""
TERMINAL = ("InvalidParameterException", "ClientException")
"""What does not get better by asking: the agent must not be started again."""
FIRST_PAUSE, LONGEST_PAUSE = 3.0, 192.0


class Terminal(Exception):
    """The agent must not be started again with this state: exit code 5 (RestartPreventExitStatus)."""


class Registration:
    """Who this host is to ECS.

    Args:
        configuration, store, metadata: the agent's.
        client: Docker's, for its version and plugins.
    Raises:
        OSError: the metadata service does not answer.
    """

    def __init__(self, configuration: Configuration, store: Store, metadata: Metadata, client: Any) -> None:
        self.configuration = configuration
        self.store = store
        self.metadata = metadata
        self.client = client
        self.document, self.signature = metadata.identity()
        identity = json.loads(self.document)
        self.region: str = identity["region"]
        self.ec2_instance: str = identity["instanceId"]
        self.zone = str(identity.get("availabilityZone", ""))
        self.api = Api("ecs", "AmazonEC2ContainerServiceV20141113", self.region, configuration.backend_host)

    def call(self, action: str, request: Json) -> Json:
        """Call the ECS API with the instance role's credentials."""
        return self.api.call(action, request, self.metadata.credentials())

    def submit(self, action: str, request: Json) -> None:
        """Send a state change.

        Raises:
            OSError: it could not be delivered; try again.
        """
        try:
            self.call(action, request)
        except ApiError as error:
            raise OSError(str(error)) from error

    def register(self) -> None:
        """Register the container instance, or register it again after a restart.

        Raises:
            Terminal: the saved state belongs to another cluster, or ECS refused for good: there is no such cluster,
                the instance was deregistered, an attribute was not taken.
            OSError, ApiError: ECS or EC2 did not answer, or refused.
        """
        self._check_saved()
        store = self.store
        request: Json = {
            "cluster": self.configuration.cluster,
            "instanceIdentityDocument": self.document,
            "instanceIdentityDocumentSignature": self.signature,
            "totalResources": host.resources(self.configuration),
            "attributes": host.attributes(self.configuration, self._plugins()),
            "tags": [{"key": key, "value": value} for key, value in self._tags().items()],
            "clientToken": str(uuid.uuid4()),
        }
        if store.container_instance:
            request["containerInstanceArn"] = store.container_instance
        else:
            # At the first registration only (amazon-ecs-agent, ecs-agent/api/ecs/client, registerContainerInstance).
            own = self.configuration.attributes
            request["attributes"] += [{"name": name, "value": value} for name, value in own.items()]
        answer = self._ask(request)
        echoed = {(each["name"], each.get("value")) for each in answer.get("attributes", [])}
        missing = [each["name"] for each in request["attributes"] if (each["name"], each.get("value")) not in echoed]
        if missing:
            raise Terminal(f"Attribute validation failed: ECS did not take {', '.join(missing)}")
        store.cluster, store.ec2_instance = self.configuration.cluster, self.ec2_instance
        store.container_instance = answer["containerInstanceArn"]
        store.save()
        log.info("Registered as %s", store.container_instance)

    def _check_saved(self) -> None:
        store = self.store
        if store.ec2_instance and store.ec2_instance != self.ec2_instance:
            log.warning(
                "The saved state is of instance %s, this is %s: starting anew.", store.ec2_instance, self.ec2_instance
            )
            store.cluster, store.container_instance, store.manifest = "", "", 0
            store.tasks.clear()
        if store.cluster and store.cluster != self.configuration.cluster:
            raise Terminal(
                f"Data mismatch; saved cluster '{store.cluster}' does not match configured cluster "
                f"'{self.configuration.cluster}'. Perhaps you want to delete the configured checkpoint file?"
            )

    def _ask(self, request: Json) -> Json:
        """RegisterContainerInstance, again where ECS is only busy."""
        pause = FIRST_PAUSE
        while True:
            try:
                answer: Json = self.call("RegisterContainerInstance", request)["containerInstance"]
                return answer
            except ApiError as error:
                log.error("Unable to register as a container instance with ECS: %s", error)
                if error.kind in TERMINAL:
                    raise Terminal(str(error)) from error
                if error.kind not in TRANSIENT:
                    raise
            time.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def _tags(self) -> dict[str, str]:
        """Tags of the container instance: the configured ones, over the EC2 instance's where that is asked for."""
        if not self.configuration.propagate_tags:
            return dict(self.configuration.tags)
        found = aws.instance_tags(self.ec2_instance, self.region, self.metadata.credentials())
        return {**found, **self.configuration.tags}

    def _plugins(self) -> list[tuple[str, bool]]:
        """Docker's managed volume plugins, (name with tag, enabled)."""
        found = []
        for plugin in self.client.plugins.list():
            # Docker's API gives each type as a text, "docker.volumedriver/1.0".
            types = plugin.attrs["Config"]["Interface"].get("Types") or []
            if any(each.split("/")[0] == "docker.volumedriver" for each in types):
                found.append((plugin.name, bool(plugin.enabled)))
        return found
