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


def test_a_tag_is_put_and_taken_and_the_image_stays_to_be_pulled(own: OwnServer) -> None:
    api, name = own.client("ecr"), "legacy-test/kept"
    uri = api.create_repository(repositoryName=name)["repository"]["repositoryUri"]
    assert push(own, name, "1") == []
    (image,) = api.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "1"}])["images"]
    digest = image["imageId"]["imageDigest"]
    api.put_image(
        repositoryName=name,
        imageManifest=image["imageManifest"],
        imageManifestMediaType=image["imageManifestMediaType"],
        imageDigest=digest,
        imageTag="keep-1",
    )
    assert tags(own, name) == ["1", "keep-1"]
    (found,) = api.describe_images(repositoryName=name)["imageDetails"]
    assert (found["imageDigest"], sorted(found["imageTags"])) == (digest, ["1", "keep-1"])

    api.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "keep-1"}])
    (found,) = api.describe_images(repositoryName=name)["imageDetails"]
    assert found["imageTags"] == ["1"]
    pulled = own.docker.images.pull(f"{uri}@{digest}")
    assert f"{uri}@{digest}" in pulled.attrs["RepoDigests"]
    own.docker.images.remove(f"{uri}@{digest}")

    api.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "1"}])
    assert api.describe_images(repositoryName=name)["imageDetails"] == []


def test_a_killed_registry_comes_back_with_its_images(own: OwnServer) -> None:
    own.docker.containers.get(own.config.container("registry")).kill()
    assert not own.status()["registry"][0]
    until(lambda: own.status()["registry"][0], "the registry answers again", 30)
    assert tags(own, "rexray/efs") == ["0.11.4", "latest"]
