"""ECR's real half: a Docker registry that this machine pushes to and the hosts pull from."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
import urllib.parse
import urllib.request
from typing import Any

import docker
from docker.models.containers import Container
from docker.types import Mount

from local_aws import images
from local_aws.config import DIRECT
from local_aws.part import Health, Part
from local_aws.patches import ecr

PLUGIN = "rexray/efs"
PLUGIN_TAGS = ("0.11.4", "latest")
"""Tags under which the volume plugin's stand-in is published; 0.11.4 is the last release of the real one."""
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.plugin.v1+json"
LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
START_SECONDS = 30
EXPIRE_SECONDS = 60.0
"""Between two rounds of the lifecycle policies; AWS takes up to a day."""


class Registry(Part):
    """Runs the registry at a fixed address of the network and publishes the volume plugin's stand-in in it.

    Hosts and this machine reach it under one name, `127.0.0.1:<registry_port>`, which every Docker engine takes for
    an insecure registry without being told (https://docs.docker.com/reference/cli/dockerd/#insecure-registries).
    """

    name = "registry"
    interval = 10.0
    _expired = 0.0

    def prepare(self) -> None:
        self._start()
        self._publish_plugin()

    def reconcile(self) -> None:
        """Start the registry again if it was killed; its images are on a volume."""
        container = self._container()
        if container is None or container.status != "running":
            self.log.warning("the registry does not run; starting it again")
            if container:
                container.remove(force=True)
            self._start()
        if time.monotonic() - self._expired >= EXPIRE_SECONDS:
            self._expired = time.monotonic()
            for repository, digests in ecr.expire().items():
                self.log.info("the lifecycle policy of %s has let %d images go", repository, len(digests))

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
        with DIRECT.open(f"http://{self.address}/v2/_catalog?n=1000", timeout=5) as answer:
            repositories: list[str] = json.load(answer)["repositories"]
        return repositories

    def _publish_plugin(self) -> None:
        """Put the stand-in of rexray/efs into the registry, under each of its tags.

        As `docker plugin push` does, but without this machine's engine: there the plugin would have to be made first,
        which takes longer, and two pushes of the same files at once have ended dockerd 20.10 ("panic: send on closed
        channel").
        https://distribution.github.io/distribution/spec/manifest-v2-2/#image-manifest-field-descriptions

        Raises:
            local_aws.images.BuildError: its image could not be built.
            urllib.error.HTTPError: the registry refused it.
        """
        container = self.cloud.docker.containers.create(
            images.ensure("rexray_efs"), command="-", labels=self.cloud.labels
        )
        try:
            files = b"".join(container.export())
        finally:
            container.remove()
        config = json.loads((images.FOLDER / "rexray_efs" / "config.json").read_text(encoding="utf-8"))
        config["rootfs"] = {"type": "layers", "diff_ids": [_digest(files)]}
        repository = f"http://{self.address}/v2/{PLUGIN}"
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _upload(repository, CONFIG_TYPE, json.dumps(config).encode()),
            "layers": [_upload(repository, LAYER_TYPE, gzip.compress(files, compresslevel=1, mtime=0))],
        }
        for tag in PLUGIN_TAGS:
            _send("PUT", f"{repository}/manifests/{tag}", json.dumps(manifest).encode(), MANIFEST_TYPE)


def _upload(repository: str, media_type: str, blob: bytes) -> dict[str, Any]:
    """Upload a blob; return how a manifest refers to it."""
    place = urllib.parse.urlsplit(urllib.parse.urljoin(repository, _send("POST", f"{repository}/blobs/uploads/")))
    query = urllib.parse.urlencode([*urllib.parse.parse_qsl(place.query), ("digest", _digest(blob))])
    _send("PUT", place._replace(query=query).geturl(), blob, "application/octet-stream")
    return {"mediaType": media_type, "size": len(blob), "digest": _digest(blob)}


def _send(method: str, url: str, body: bytes = b"", media_type: str = "application/octet-stream") -> str:
    """Send a request; return the answer's Location."""
    request = urllib.request.Request(url, body, {"Content-Type": media_type}, method=method)
    with DIRECT.open(request, timeout=60) as answer:
        return str(answer.headers.get("Location", ""))


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
