"""What ECR has of an image: its manifest, and whether all of it is still there to be pulled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.site.images import digest_of, name_of, tag_of

MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
"""All that Docker takes; without them ECR may answer in an older kind."""
AT_ONCE = 100
"""How many layers a call may ask for.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchCheckLayerAvailability.html
"""
GONE = ("ImageNotFoundException", "RepositoryNotFoundException")


class NotThere(LookupError):
    """The registry has not got an image, or not all of it; the message is a sentence."""


def manifest(ecr: Any, repository: str, digest: str) -> dict[str, str]:
    """The `imageManifest` and `imageManifestMediaType` of an image.

    Args:
        ecr: a client.
        repository: its name.
        digest: `sha256:…`.

    Raises:
        NotThere: it has no such image.
        botocore.exceptions.ClientError: ECR refuses.
    """
    answer = ecr.batch_get_image(
        repositoryName=repository, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=list(MANIFESTS)
    )
    if not answer.get("images"):
        raise NotThere(f"The repository {repository} has no image {digest}.")
    found = answer["images"][0]
    text = str(found["imageManifest"])
    kind = str(found.get("imageManifestMediaType") or json.loads(text).get("mediaType") or MANIFESTS[0])
    return {"imageManifest": text, "imageManifestMediaType": kind}


def pullable(ecr: Any, image: str) -> str:
    """Why a host could not pull an image of this account's registry; empty if it could.

    Asks for the image, its manifest (of an index for those of all platforms), and each layer.

    Args:
        ecr: a client of the registry's region.
        image: with its digest, or with a tag (`…/shop-web:0f3c9d1e2a4b@sha256:…`).

    Raises:
        botocore.exceptions.ClientError: ECR refuses to say.
    """
    repository, digest, tag = name_of(image).partition("/")[2], digest_of(image), tag_of(image)
    asked = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
    try:
        found = ecr.describe_images(repositoryName=repository, imageIds=[asked])["imageDetails"][0]
        layers = list(dict.fromkeys(_blobs(ecr, repository, str(found["imageDigest"]))))
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return f"The registry has no image {image}."
    except NotThere as error:
        return str(error)
    missing = [
        each
        for start in range(0, len(layers), AT_ONCE)
        for each in _missing(ecr, repository, layers[start : start + AT_ONCE])
    ]
    return f"The registry has lost {len(missing)} of {len(layers)} layers of {image}." if missing else ""


def _blobs(ecr: Any, repository: str, digest: str) -> Iterator[str]:
    """Digests of an image's configuration and layers, of an index those of all its images."""
    content: Mapping[str, Any] = json.loads(manifest(ecr, repository, digest)["imageManifest"])
    for image in content.get("manifests", []):
        yield from _blobs(ecr, repository, image["digest"])
    for part in [content.get("config"), *content.get("layers", [])]:
        if part:
            yield part["digest"]


def _missing(ecr: Any, repository: str, layers: list[str]) -> list[str]:
    answer = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=layers)
    there = {each["layerDigest"] for each in answer.get("layers", []) if each["layerAvailability"] == "AVAILABLE"}
    return [each for each in layers if each not in there]
