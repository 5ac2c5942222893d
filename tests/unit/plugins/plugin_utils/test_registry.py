"""Whether all of an image is still in the registry."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.plugin_utils.registry import MANIFESTS, NotThere, manifest, pullable

URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-unit/web"


class Images:
    """A repository `shop-unit/web` of the embedded AWS."""

    def __init__(self, aws: Cloud) -> None:
        self.api = aws.client("ecr")
        self.api.create_repository(repositoryName="shop-unit/web")

    def layer(self, content: bytes) -> str:
        upload = self.api.initiate_layer_upload(repositoryName="shop-unit/web")["uploadId"]
        asked = {"repositoryName": "shop-unit/web", "uploadId": upload}
        self.api.upload_layer_part(**asked, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return str(self.api.complete_layer_upload(**asked, layerDigests=[digest])["layerDigest"])

    def put(self, tag: str, content: dict[str, Any], kind: str = MANIFESTS[0]) -> str:
        text = json.dumps({"schemaVersion": 2, "mediaType": kind, **content})
        made = self.api.put_image(repositoryName="shop-unit/web", imageManifest=text, imageTag=tag)
        return str(made["image"]["imageId"]["imageDigest"])


@pytest.fixture
def images(aws: Cloud) -> Images:
    return Images(aws)


def test_an_image_with_all_its_layers_can_be_pulled_and_one_without_cannot(images: Images) -> None:
    config, layer, lost = images.layer(b"config"), images.layer(b"layer"), f"sha256:{'c' * 64}"
    whole = images.put("1", {"config": {"digest": config}, "layers": [{"digest": layer}, {"digest": layer}]})
    torn = images.put("2", {"config": {"digest": config}, "layers": [{"digest": layer}, {"digest": lost}]})
    assert pullable(images.api, f"{URI}:1@{whole}") == ""
    assert pullable(images.api, f"{URI}@{whole}") == ""
    assert pullable(images.api, f"{URI}:1") == ""
    assert pullable(images.api, f"{URI}@{torn}") == f"The registry has lost 1 of 3 layers of {URI}@{torn}."


def test_of_an_index_all_platforms_count(images: Images) -> None:
    layer = images.layer(b"layer")
    one = images.put("arm", {"layers": [{"digest": layer}]})
    lost = f"sha256:{'d' * 64}"
    whole = images.put("3", {"manifests": [{"digest": one}]}, MANIFESTS[3])
    assert pullable(images.api, f"{URI}:3@{whole}") == ""
    torn = images.put("4", {"manifests": [{"digest": one}, {"digest": lost}], "x": 1}, MANIFESTS[3])
    assert pullable(images.api, f"{URI}:4@{torn}") == f"The repository shop-unit/web has no image {lost}."


def test_an_image_and_a_repository_that_are_gone_are_told(images: Images) -> None:
    gone = f"{URI}@sha256:{'e' * 64}"
    assert pullable(images.api, gone) == f"The registry has no image {gone}."
    assert pullable(images.api, "r/shop-unit/none:1") == "The registry has no image r/shop-unit/none:1."
    with pytest.raises(NotThere, match="The repository shop-unit/web has no image"):
        manifest(images.api, "shop-unit/web", f"sha256:{'e' * 64}")


def test_a_refusal_is_no_answer(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeImages")

    monkeypatch.setattr(images.api, "describe_images", refuse)
    with pytest.raises(ClientError):
        pullable(images.api, f"{URI}:1")
