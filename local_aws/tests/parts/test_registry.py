"""The registry that stands behind ECR: pushes, pulls, the plugin in it, and a registry that was killed."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest

from local_aws import images
from local_aws.tests.own_server import OwnServer, running
from local_aws.tests.until import until

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def own() -> Iterator[OwnServer]:
    with running(6, {"registry"}) as own:
        yield own


def push(own: OwnServer, repository: str, tag: str) -> list[str]:
    """Push the Debian base under another name; returns the errors."""
    name = f"127.0.0.1:{own.config.registry_port}/{repository}"
    own.docker.images.get(images.ensure("base-bookworm")).tag(name, tag)
    try:
        lines = list(own.docker.api.push(name, tag, stream=True, decode=True))
    finally:
        own.docker.images.remove(f"{name}:{tag}")
    return [line["error"] for line in lines if "error" in line]


def tags(own: OwnServer, repository: str) -> list[str]:
    url = f"http://127.0.0.1:{own.config.registry_port}/v2/{repository}/tags/list"
    with urllib.request.urlopen(url, timeout=5) as answer:
        found: list[str] = json.load(answer)["tags"]
    return sorted(found)


def test_the_volume_plugin_is_there_under_its_real_name(own: OwnServer) -> None:
    assert tags(own, "rexray/efs") == ["0.11.4", "latest"]
    assert own.docker.plugins.list() == [
        plugin for plugin in own.docker.plugins.list() if f":{own.config.registry_port}/" not in plugin.name
    ], "the plugin that was pushed is left in this machine's engine"


def test_a_push_comes_back_as_a_pull(own: OwnServer) -> None:
    repository = own.client("ecr").create_repository(repositoryName="legacy-test/django")["repository"]
    assert repository["repositoryUri"] == f"127.0.0.1:{own.config.registry_port}/legacy-test/django"
    assert push(own, "legacy-test/django", "1") == []
    assert tags(own, "legacy-test/django") == ["1"]
    found = own.client("ecr").describe_images(repositoryName="legacy-test/django")["imageDetails"]
    pulled = own.docker.images.pull(repository["repositoryUri"], "1")
    try:
        digests = {digest.partition("@")[2] for digest in pulled.attrs["RepoDigests"] if "legacy-test" in digest}
        assert digests == {image["imageDigest"] for image in found}
    finally:
        own.docker.images.remove(f"{repository['repositoryUri']}:1")


def test_a_killed_registry_comes_back_with_its_images(own: OwnServer) -> None:
    own.docker.containers.get(own.config.container("registry")).kill()
    assert not own.status()["registry"][0]
    until(lambda: own.status()["registry"][0], "the registry answers again", 30)
    assert tags(own, "rexray/efs") == ["0.11.4", "latest"]
