"""The images of a host: their manifests, their pulls, and the clean-up.

Source: amazon-ecs-agent, agent/engine/docker_task_engine.go (pullContainerManifest, pullAndUpdateContainerReference)
and docker_image_manager.go.
"""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import docker
from docker.utils import parse_repository_tag

from .aws import Api, ApiError, Credentials, Json
from .configuration import Configuration
from .store import Store

log = logging.getLogger("ecs-agent")


class ImageError(Exception):
    """An image could not be had; the message is the reason that the agent reports for the container."""


class Images:
    """The images of a host's Docker engine.

    Args:
        client: the Docker SDK's client.
        configuration: the agent's.
        store: remembers which images were pulled and when they were used.
        credentials: the instance role's, for images that are not pulled with a task's execution role.
    """

    def __init__(
        self, client: Any, configuration: Configuration, store: Store, credentials: Callable[[], Credentials]
    ) -> None:
        self._client = client
        self._configuration = configuration
        self._store = store
        self._credentials = credentials
        self._lock = threading.Lock()

    @property
    def run_anyway(self) -> bool:
        """Whether a container whose image cannot be pulled may start from what is on the host."""
        return self._configuration.pull_behavior not in ("always", "once")

    def digest(self, container: Json, execution: Credentials | None) -> str:
        """Digest of the container's image: in the registry, or on the host where it would not be pulled.

        Empty for an image that no registry knows.

        Raises:
            ImageError: the registry has no such image, refuses, or does not answer.
        """
        image = container["image"]
        if "@" in image:
            return str(image.rpartition("@")[2])
        if not self._needed(image):
            found = self._client.images.get(image).attrs.get("RepoDigests") or []
            name = parse_repository_tag(image)[0]
            return next((each.partition("@")[2] for each in found if each.partition("@")[0].endswith(name)), "")
        authorization = self._authorization(container, execution)
        try:
            manifest = self._client.api.inspect_distribution(image, auth_config=authorization)
        except docker.errors.APIError as error:
            raise ImageError(f"CannotPullImageManifestError: {response(error)}") from error
        return str(manifest["Descriptor"]["digest"])

    def pull(self, container: Json, digest: str, execution: Credentials | None) -> None:
        """Pull the container's image, of this digest if there is one, unless the pull behaviour has it stay.

        Raises:
            ImageError: see `digest`.
        """
        image = container["image"]
        if self._needed(image):
            name, tag = parse_repository_tag(image)
            by_digest = bool(digest) and "@" not in image
            reference = f"{name}@{digest}" if by_digest else image if tag else f"{image}:latest"
            authorization = self._authorization(container, execution)
            try:
                for line in self._client.api.pull(reference, stream=True, decode=True, auth_config=authorization):
                    if "error" in line:
                        raise ImageError(f"CannotPullContainerError: {line['error']}")
                if by_digest:
                    self._client.api.tag(reference, name, tag or "latest")
            except docker.errors.APIError as error:
                raise ImageError(f"CannotPullContainerError: {response(error)}") from error
            self._remember(image, pulled=time.time())
        self._remember(image)

    def _needed(self, image: str) -> bool:
        """Whether the pull behaviour asks for a pull."""
        behavior = self._configuration.pull_behavior
        if behavior == "once":
            return "pulled" not in self._store.images.get(image, {})
        if behavior == "prefer-cached":
            try:
                self._client.images.get(image)
            except docker.errors.ImageNotFound:
                return True
            return False
        return True

    def _authorization(self, container: Json, execution: Credentials | None) -> dict[str, str] | None:
        """User and token for the registry of the container's image, where the payload says that it wants one."""
        data = (container.get("registryAuthentication") or {}).get("ecrAuthData")
        if not data:
            return None
        if data.get("useExecutionRole") and execution is None:
            raise ImageError("CannotPullECRContainerError: engine ecr credentials: not found")
        keys = execution if data.get("useExecutionRole") and execution else self._credentials()
        api = Api("ecr", "AmazonEC2ContainerRegistry_V20150921", data["region"])
        try:
            answer = api.call("GetAuthorizationToken", {"registryIds": [data["registryId"]]}, keys)
            token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
        except (ApiError, OSError, ValueError, LookupError) as error:
            raise ImageError(f"CannotPullECRContainerError: {error}") from error
        user, _, password = token.partition(":")
        return {"username": user, "password": password}

    def _remember(self, image: str, pulled: float = 0.0) -> None:
        with self._lock:
            known = self._store.images.setdefault(image, {})
            known["used"] = time.time()
            if pulled:
                known["pulled"] = pulled
            self._store.save()

    def clean(self, in_use: set[str]) -> None:
        """Remove images that the agent pulled, long enough ago, for tasks of which none is left; a few a cycle."""
        now, configuration = time.time(), self._configuration
        with self._lock:
            idle = sorted(
                (known["used"], image)
                for image, known in self._store.images.items()
                if image not in in_use
                and now - (known.get("pulled") or known["used"]) > configuration.image_minimum_age
            )
        for _, image in idle[: configuration.images_per_cycle]:
            try:
                self._client.images.remove(image)
                log.info("removed image %s", image)
            except docker.errors.APIError as error:
                log.info("image %s stays: %s", image, error)
            with self._lock:
                del self._store.images[image]
                self._store.save()


def response(error: docker.errors.APIError) -> str:
    """Docker's error, in the words of its own client."""
    return f"Error response from daemon: {error.explanation or error}"
