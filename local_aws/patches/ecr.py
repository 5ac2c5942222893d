"""Repositories live in a real registry: their addresses and images are what that registry says."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.ecr.models import ECRBackend, Image, Repository, ecr_backends
from moto.ecr.responses import ECRResponse

from local_aws import image_lifecycle
from local_aws.config import ACCOUNT_ID, DIRECT
from local_aws.patches._moto import AwsError, around, instead, missing

if TYPE_CHECKING:
    from local_aws.cloud import Cloud

MANIFESTS = ", ".join((
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
))  # fmt: skip
SECONDS = 10.0
UNSCANNED = "UnsupportedImageError: The operating system and/or package manager are not supported."

_registry = ""


def configure(cloud: Cloud) -> None:
    """Take the registry's address from the configuration; port 0 means that there is no registry."""
    global _registry
    port = cloud.config.registry_port
    _registry = f"127.0.0.1:{port}" if port else ""


def _request(
    path: str, method: str = "GET", body: bytes | None = None, media_type: str = ""
) -> tuple[bytes, dict[str, str]] | None:
    """An answer of the registry; None if it has no such thing.

    Raises:
        AwsError: it does not answer, or refuses.
    """
    headers = {"Accept": MANIFESTS, **({"Content-Type": media_type} if media_type else {})}
    request = urllib.request.Request(f"http://{_registry}/v2/{path}", body, headers, method=method)
    try:
        with DIRECT.open(request, timeout=SECONDS) as answer:
            return answer.read(), {key.lower(): value for key, value in answer.headers.items()}
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise AwsError("ServerException", f"The registry {_registry} refused {method} {path}: {error}") from None
    except OSError as error:
        raise AwsError("ServerException", f"The registry {_registry} does not answer: {error}") from None


class RegistryImage(Image):
    """An image of the registry, in moto's words."""

    size = 0

    @property
    def image_size_in_bytes(self) -> int:
        """Bytes of its layers and configuration."""
        return self.size


def _untagged(repository: Any) -> dict[str, str]:
    """Tag → digest of what was untagged in ECR; the registry, which cannot untag, still has it."""
    found: dict[str, str] = vars(repository).setdefault("untagged", {})
    return found


def refresh(repository: Any) -> None:
    """Make a repository's images those that its tags in the registry point at, in the order in which they came."""
    if not _registry:
        return
    answer = _request(f"{repository.name}/tags/list")
    tags = (json.loads(answer[0]).get("tags") or []) if answer else []
    known = {image.image_digest: image for image in repository.images}
    found: dict[str, Any] = {}
    for tag in sorted(tags):
        answer = _request(f"{repository.name}/manifests/{tag}")
        if answer is None:
            continue
        body, headers = answer
        digest = headers["docker-content-digest"]
        if _untagged(repository).get(tag) == digest:
            continue
        if digest not in found:
            found[digest] = known.get(digest) or _image(repository, tag, body.decode(), headers)
            found[digest].image_tags = []
        found[digest].update_tag(tag)
    before = [image for digest, image in known.items() if digest in found]
    repository.images = before + [image for digest, image in found.items() if digest not in known]


def _image(repository: Any, tag: str, manifest: str, headers: dict[str, str]) -> RegistryImage:
    content = json.loads(manifest)
    image = RegistryImage(
        repository.account_id,
        tag,
        manifest,
        repository.name,
        image_manifest_mediatype=content.get("mediaType", headers.get("content-type")),
        digest=headers["docker-content-digest"],
        registry_id=repository.registry_id,
    )
    image.size = sum(part.get("size", 0) for part in [*content.get("layers", []), content.get("config", {})])
    return image


@around(Repository, "__init__")
def _init(init: Any, self: Any, *arguments: Any, **keywords: Any) -> None:
    init(self, *arguments, **keywords)
    if _registry:
        self.uri = f"{_registry}/{self.name}"


def _refreshed(backend: Any, name: str) -> None:
    if name in backend.repositories:
        refresh(backend.repositories[name])


for _name in ("list_images", "describe_images", "describe_image_scan_findings"):

    @around(ECRBackend, _name)
    def _read(read: Any, self: Any, repository_name: str, *arguments: Any, **keywords: Any) -> Any:
        _refreshed(self, repository_name)
        return read(self, repository_name, *arguments, **keywords)


@around(ECRBackend, "describe_image_scan_findings")
def _scan_findings(read: Any, self: Any, registry_id: Any, repository_name: str, image_id: dict[str, Any]) -> Any:
    """What a test has said that a scan found (moto-api/static/ecr/scan-finding-results). Else, as nobody scans here,
    what AWS says of packages that it does not know, and not moto's made up weakness: of what was pushed into a
    repository that scans on push, and where a scan was asked for.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-troubleshooting.html
    """
    _refreshed(self, repository_name)
    repository = self._get_repository(repository_name, registry_id)
    image = repository._get_image(image_id.get("imageTag"), image_id.get("imageDigest"))
    if repository.image_scanning_configuration.get("scanOnPush"):
        image.last_scan = image.last_scan or datetime.fromtimestamp(image.image_pushed_at)
    answer = read(self, registry_id, repository_name, image_id)
    if json.dumps(image_id) not in image.scan_finding_results:
        del answer["imageScanFindings"]
        answer["imageScanStatus"] = {"status": "UNSUPPORTED_IMAGE", "description": UNSCANNED}
    return answer


@around(ECRBackend, "batch_get_image")
def _batch_get_image(
    read: Any, self: Any, repository_name: str, registry_id: str | None = None, image_ids: Any = None
) -> Any:
    """Also those that no tag leads to: the parts of an image for several platforms."""
    _refreshed(self, repository_name)
    answer = read(self, repository_name, registry_id, image_ids)
    if not _registry:
        return answer
    repository, there = self.repositories[repository_name], {each.image_digest for each in answer["images"]}
    for digest in dict.fromkeys(each["imageDigest"] for each in image_ids if each.get("imageDigest")):
        if digest not in there and (found := _request(f"{repository_name}/manifests/{digest}")):
            image = _image(repository, "", found[0].decode(), found[1])
            image.image_tags = []
            answer["images"].append(image)
            there.add(digest)
    tags = {tag for each in answer["images"] for tag in each.image_tags}
    answer["failures"] = [
        {"imageId": each, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
        for each in image_ids
        if each.get("imageDigest") not in there and each.get("imageTag") not in tags
    ]
    return answer


@around(ECRBackend, "batch_check_layer_availability")
def _batch_check_layer_availability(
    check: Any, self: Any, repository_name: str, layer_digests: list[str], registry_id: str | None = None
) -> Any:
    """The layers that the registry has; https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Layer.html"""
    if not _registry:
        return check(self, repository_name, layer_digests, registry_id=registry_id)
    self._get_repository(repository_name, registry_id)
    layers, failures = [], []
    for digest in layer_digests:
        found = _request(f"{repository_name}/blobs/{digest}", "HEAD")
        if found:
            size = int(found[1].get("content-length", 0))
            layers.append({"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size})
        else:
            why = f"Layer digest '{digest}' could not be found"
            failures.append({"layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": why})
    return {"layers": layers, "failures": failures}


@instead(ECRResponse, "get_download_url_for_layer")
def _get_download_url_for_layer(self: Any) -> Any:
    """The registry's own address of a layer, as AWS's is a presigned one of S3."""
    name, digest = self._get_param("repositoryName"), self._get_param("layerDigest")
    self.ecr_backend._get_repository(name, self._get_param("registryId"))
    if not _registry or not _request(f"{name}/blobs/{digest}", "HEAD"):
        raise AwsError("LayersNotFoundException", f"The layer with digest '{digest}' in '{name}' does not exist")
    return ActionResult({"downloadUrl": f"http://{_registry}/v2/{name}/blobs/{digest}", "layerDigest": digest})


@around(ECRBackend, "batch_delete_image")
def _batch_delete_image(
    delete: Any, self: Any, repository_name: str, registry_id: str | None = None, image_ids: Any = None
) -> Any:
    _refreshed(self, repository_name)
    answer = delete(self, repository_name, registry_id, image_ids)
    if _registry:
        # The registry cannot untag; it deletes a manifest once no tag is left of it in ECR.
        repository = self.repositories[repository_name]
        kept = {image.image_digest for image in repository.images}
        untagged = _untagged(repository)
        for item in answer["imageIds"]:
            if item.image_digest in kept:
                untagged[item.image_tag] = item.image_digest
        for digest in dict.fromkeys(item.image_digest for item in answer["imageIds"] if item.image_digest not in kept):
            _request(f"{repository_name}/manifests/{digest}", "DELETE")
            for tag in [tag for tag, of in untagged.items() if of == digest]:
                del untagged[tag]
    return answer


@around(ECRBackend, "put_image")
def _put_image(
    put: Any,
    self: Any,
    repository_name: str,
    image_manifest: str,
    image_tag: str,
    image_manifest_mediatype: str | None = None,
    digest: str | None = None,
) -> Any:
    _refreshed(self, repository_name)
    image = put(self, repository_name, image_manifest, image_tag, image_manifest_mediatype, digest)
    if _registry:
        path = f"{repository_name}/manifests/{image_tag}"
        _request(path, "PUT", image_manifest.encode(), image.image_manifest_media_type)
        _untagged(self.repositories[repository_name]).pop(image_tag, None)
    return image


# Lifecycle policies


@around(ECRBackend, "put_lifecycle_policy")
def _put_lifecycle_policy(
    put: Any, self: Any, registry_id: str, repository_name: str, lifecycle_policy_text: str
) -> Any:
    answer = put(self, registry_id, repository_name, lifecycle_policy_text)
    try:
        image_lifecycle.rules(lifecycle_policy_text)
    except image_lifecycle.NotEmulated as error:
        raise AwsError("InvalidParameterException", f"The embedded AWS refuses the policy: {error}.") from None
    return answer


def due(repository: Any, policy: str) -> dict[str, int]:
    """Digest → priority of the rule by which a policy lets an image of the repository go now."""
    refresh(repository)
    images = [
        image_lifecycle.Stored(image.image_digest, tuple(image.image_tags), image.image_pushed_at)
        for image in repository.images
    ]
    return image_lifecycle.expired(policy, images, time.time())


def expire() -> dict[str, list[str]]:
    """Let go what the repositories' policies let go, as AWS does within a day; repository → digests."""
    gone: dict[str, list[str]] = {}
    for backend in list(ecr_backends[ACCOUNT_ID].values()):
        for name, repository in list(backend.repositories.items()):
            if repository.lifecycle_policy and (digests := list(due(repository, repository.lifecycle_policy))):
                backend.batch_delete_image(name, image_ids=[{"imageDigest": digest} for digest in digests])
                gone[name] = digests
    return gone


def _previewed(self: Any) -> tuple[Any, str]:
    """The repository that is asked about, and the text of the policy: the request's, else its own."""
    backend, name = self.ecr_backend, self._get_param("repositoryName")
    text = self._get_param("lifecyclePolicyText")
    repository = backend._get_repository(name, self._get_param("registryId"))
    return repository, text or backend.get_lifecycle_policy(None, name)["lifecyclePolicyText"]


@missing(ECRResponse, "start_lifecycle_policy_preview")
def _start_lifecycle_policy_preview(self: Any) -> Any:
    repository, text = _previewed(self)
    repository.preview = (text, due(repository, text))
    named = {"registryId": repository.registry_id, "repositoryName": repository.name}
    return ActionResult({**named, "lifecyclePolicyText": text, "status": "IN_PROGRESS"})


@missing(ECRResponse, "get_lifecycle_policy_preview")
def _get_lifecycle_policy_preview(self: Any) -> Any:
    repository = self.ecr_backend._get_repository(self._get_param("repositoryName"), self._get_param("registryId"))
    preview = vars(repository).get("preview")
    if preview is None:
        text = f"The lifecycle policy preview for repository {repository.name} does not exist."
        raise AwsError("LifecyclePolicyPreviewNotFoundException", text)
    text, marked = preview
    results = [
        {
            "imageTags": image.image_tags,
            "imageDigest": image.image_digest,
            "imagePushedAt": image.image_pushed_at,
            "action": {"type": "EXPIRE"},
            "appliedRulePriority": marked[image.image_digest],
        }
        for image in repository.images
        if image.image_digest in marked
    ]
    return ActionResult(
        {
            "registryId": repository.registry_id,
            "repositoryName": repository.name,
            "lifecyclePolicyText": text,
            "status": "COMPLETE",
            "previewResults": results,
            "summary": {"expiringImageTotalCount": len(results)},
        }
    )


@around(ECRBackend, "delete_repository")
def _delete_repository(
    delete: Any, self: Any, repository_name: str, registry_id: str | None = None, force: bool = False
) -> Any:
    _refreshed(self, repository_name)
    repository = delete(self, repository_name, registry_id, force)
    if _registry:
        for image in repository.images:
            _request(f"{repository_name}/manifests/{image.image_digest}", "DELETE")
    return repository


@around(ECRResponse, "get_authorization_token")
def _get_authorization_token(get: Any, self: Any) -> Any:
    result = get(self)
    if _registry:
        for item in result.result["authorizationData"]:
            item["proxyEndpoint"] = f"http://{_registry}"
    return result
