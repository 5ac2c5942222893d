"""ECR's real half: a Docker registry that this machine pushes to and the hosts pull from."""

from __future__ import annotations

import base64
import fcntl
import io
import json
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from docker.types import Mount

from local_aws import images
from local_aws.part import Health, Part

PLUGIN = "rexray/efs"
PLUGIN_TAGS = ("0.11.4", "latest")
"""Tags under which the volume plugin's stand-in is published; 0.11.4 is the last release of the real one."""
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
START_SECONDS = 30
LOCK = Path(tempfile.gettempdir()) / "berth-plugin-push.lock"
NO_CREDENTIALS = base64.b64encode(b"{}").decode()


class Registry(Part):
    """Runs the registry at a fixed address of the network and publishes the volume plugin's stand-in in it.

    Hosts and this machine reach it under one name, `127.0.0.1:<registry_port>`, which every Docker engine takes for
    an insecure registry without being told (https://docs.docker.com/reference/cli/dockerd/#insecure-registries).
    """

    name = "registry"
    interval = 10.0

    def prepare(self) -> None:
        self._start()
        publish_plugin(self.cloud.docker, self.address)

    def reconcile(self) -> None:
        """Start the registry again if it was killed; its images are on a volume."""
        container = self._container()
        if container is None or container.status != "running":
            self.log.warning("the registry does not run; starting it again")
            if container:
                container.remove(force=True)
            self._start()

    def health(self) -> list[Health]:
        try:
            repositories = self._catalog()
        except OSError as error:
            return [Health("registry", False, f"{self.address} does not answer: {error}")]
        return [Health("registry", True, f"{self.address}, {len(repositories)} repositories")]

    @property
    def address(self) -> str:
        """Host and port of the registry in image names."""
        return f"127.0.0.1:{self.cloud.config.registry_port}"

    def _container(self) -> Container | None:
        try:
            return self.cloud.docker.containers.get(self.cloud.config.container("registry"))
        except docker.errors.NotFound:
            return None

    def _start(self) -> None:
        config = self.cloud.config
        client = self.cloud.docker
        volume = client.volumes.create(config.container("registry"), labels=self.cloud.labels)
        container = client.containers.create(
            images.ensure("registry"),
            name=config.container("registry"),
            labels=self.cloud.labels,
            mounts=[Mount("/var/lib/docker-registry", volume.name)],
            ports={"5000/tcp": ("127.0.0.1", config.registry_port)},
            network=config.network_name,
            networking_config={
                config.network_name: client.api.create_endpoint_config(ipv4_address=config.registry_address)
            },
        )
        container.start()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._catalog()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    log = container.logs(tail=5).decode(errors="replace")
                    raise RuntimeError(f"The registry does not answer at {self.address}: {error}\n{log}") from error
                time.sleep(0.1)

    def _catalog(self) -> list[str]:
        with urllib.request.urlopen(f"http://{self.address}/v2/_catalog?n=1000", timeout=5) as answer:
            repositories: list[str] = json.load(answer)["repositories"]
        return repositories


def publish_plugin(client: docker.DockerClient, address: str) -> None:
    """Push the stand-in of rexray/efs to the registry at `address`, under each of its tags.

    Raises:
        local_aws.images.BuildError: its image could not be built.
        RuntimeError: the push was refused.
    """
    image = images.ensure("rexray_efs")
    first, *others = PLUGIN_TAGS
    reference = f"{address}/{PLUGIN}:{first}"
    with _alone(), _plugin(client, reference, _plugin_data(client, image)):
        # docker 7.2's push_plugin() asks for …/pull. https://docs.docker.com/reference/api/engine/version/v1.41/
        answer = client.api.post(
            f"{client.api.base_url}/plugins/{reference}/push", headers={"X-Registry-Auth": NO_CREDENTIALS}
        )
        errors = (
            [line for line in answer.text.splitlines() if "error" in json.loads(line)] if answer.ok else [answer.text]
        )
        if errors:
            raise RuntimeError(f"The push of {reference} failed: {errors[0].strip()}")
    for tag in others:
        _tag(f"http://{address}/v2/{PLUGIN}/manifests", first, tag)


def _tag(manifests: str, tag: str, other: str) -> None:
    """Give what has `tag` in the registry another tag too.

    https://distribution.github.io/distribution/spec/api/#manifest
    """
    with urllib.request.urlopen(
        urllib.request.Request(f"{manifests}/{tag}", headers={"Accept": MANIFEST}), timeout=10
    ) as answer:
        manifest = answer.read()
    urllib.request.urlopen(
        urllib.request.Request(f"{manifests}/{other}", manifest, {"Content-Type": MANIFEST}, method="PUT"), timeout=10
    ).close()


@contextmanager
def _alone() -> Iterator[None]:
    """One push on this machine at a time: two of the same files at once have ended dockerd 20.10.

    ("panic: send on closed channel" in containerd's pushWriter.) Embedded AWS may start side by side, as those of
    molecule's scenarios do.
    """
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _plugin(client: docker.DockerClient, reference: str, data: bytes) -> Iterator[None]:
    """A plugin of that name in this machine's engine, never enabled, for as long as it is pushed."""
    _remove_plugin(client, reference)  # left by a run that was killed here
    # The SDK's create_plugin() packs a folder and would give every file to whoever runs this.
    answer = client.api.post(f"{client.api.base_url}/plugins/create", params={"name": reference}, data=data)
    if not answer.ok:
        raise RuntimeError(f"The Docker engine refused to make the plugin {reference}: {answer.text.strip()}")
    try:
        yield
    finally:
        _remove_plugin(client, reference)


def _remove_plugin(client: docker.DockerClient, reference: str) -> None:
    with suppress(docker.errors.NotFound):
        client.api.remove_plugin(reference, force=True)


def _plugin_data(client: docker.DockerClient, image: str) -> bytes:
    """What `docker plugin create` takes: config.json beside the image's files in rootfs/.

    https://docs.docker.com/engine/extend/#developing-a-plugin
    """
    config = (Path(images.FOLDER) / "rexray_efs" / "config.json").read_bytes()
    container = client.containers.create(image, command="-")
    try:
        exported = io.BytesIO(b"".join(container.export()))
    finally:
        container.remove()
    packed = io.BytesIO()
    with tarfile.open(fileobj=exported) as files, tarfile.open(fileobj=packed, mode="w") as out:
        entry = tarfile.TarInfo("config.json")
        entry.size = len(config)
        out.addfile(entry, io.BytesIO(config))
        for member in files:
            content: Any = files.extractfile(member) if member.isreg() else None
            member.name = f"rootfs/{member.name}"
            if member.islnk():
                member.linkname = f"rootfs/{member.linkname}"
            out.addfile(member, content)
    return packed.getvalue()
