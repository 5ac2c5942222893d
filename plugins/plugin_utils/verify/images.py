"""The images: the registry has each, for the hosts' platform, with all its layers."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.ecs import chunks
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.site.images import ECR, name_of
from plugins.plugin_utils.verify import scans
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding, attempt

WHAT = "in the registry"
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
SECONDS = 10.0


@dataclass(frozen=True)
class Found:
    """What a registry has of an image.

    Attributes:
        digest: of what the name leads to; empty if there is no such image.
        platforms: `linux/amd64`, …; empty if they could not be read.
        lost: digests of parts that the registry has no longer.
        own: digest of what the hosts run of it, where it is for several platforms; empty if it is `digest`.
    """

    digest: str
    platforms: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    own: str = ""


def repositories(ecr: Any) -> dict[str, str]:
    """URI → name of the account's repositories.

    Raises:
        ClientError: they cannot be listed.
    """
    pages = ecr.get_paginator("describe_repositories").paginate()
    return {each["repositoryUri"]: each["repositoryName"] for page in pages for each in page["repositories"]}


def check(
    ecr: Any, known: Mapping[str, str], subject: str, image: str, called: str, platform: str, threshold: str = ""
) -> Iterator[Finding]:
    """Look for an image.

    Args:
        ecr: client.
        known: of `repositories`.
        subject: of the finding.
        image: to run; empty where nobody knows of one.
        called: as the inventory calls it.
        platform: of the hosts, `linux/amd64`.
        threshold: of `scans.check`; empty if its scan is not to be asked for.

    Raises:
        ClientError: a right is missing.
    """
    if not image:
        why = f"{called} is not published yet; {verb('site.yml')} does that"
        yield Finding("image", subject, WHAT, NOT_ASKED, why)
    elif name_of(image) in known:
        repository = known[name_of(image)]
        there = look(ecr, repository, image, platform)
        yield judge(subject, image, there, platform)
        if threshold and there.digest:
            given = ecr, repository, subject, there.own or there.digest, threshold
            yield from attempt("image", subject, scans.WHAT, lambda: scans.check(*given))
    elif ECR.match(image):
        why = f"{image} lies in a repository that this account has not, or in another region; a host's pull says it"
        yield Finding("image", subject, WHAT, NOT_ASKED, why)
    else:
        yield Finding("image", subject, WHAT, NOT_ASKED, f"{image} is of another registry; a host's pull says it")


def judge(subject: str, image: str, found: Found, platform: str) -> Finding:
    """The finding about an image of the account's own registry."""
    again = f"Publish it again: {verb('site.yml')} -e publish_select=local"
    if not found.digest:
        return Finding("image", subject, WHAT, WRONG, f"the registry has no image {image}. {again}")
    if found.platforms and platform not in found.platforms:
        there = ", ".join(found.platforms)
        why = (
            f"{image} is built for {there}, and the hosts are {platform}. Build it with --platform {platform}. {again}"
        )
        return Finding("image", subject, WHAT, WRONG, why)
    if found.lost:
        number = f"{len(found.lost)} of its parts" if len(found.lost) > 1 else "a part of it"
        why = f"the registry has lost {number} ({found.lost[0][:19]}…), so {image} cannot be pulled. {again}"
        return Finding("image", subject, WHAT, WRONG, why)
    seen = f"{image.rpartition('/')[2].partition('@')[0]} {found.digest[:19]}"
    if not found.platforms:
        return Finding("image", subject, WHAT, OK, f"{seen}; its platform could not be read")
    return Finding("image", subject, WHAT, OK, f"{seen} for {platform}")


def look(ecr: Any, repository: str, image: str, platform: str) -> Found:
    """What the registry has of an image.

    Args:
        ecr: client.
        repository: name of the repository.
        image: with tag or digest.
        platform: whose parts are looked for, of an image for several.
    """
    _, _, digest = image.partition("@")
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2] or "latest"
    found = _manifest(ecr, repository, {"imageDigest": digest} if digest else {"imageTag": tag})
    if not found:
        return Found("")
    digest, manifest = found
    if "manifests" not in manifest:
        return Found(digest, _platform(ecr, repository, manifest), _lost(ecr, repository, manifest))
    by_platform = {_name(each.get("platform", {})): each["digest"] for each in manifest["manifests"]}
    own = by_platform.get(platform)
    inner = _manifest(ecr, repository, {"imageDigest": own}) if own else None
    lost = _lost(ecr, repository, inner[1]) if inner else (own,) if own else ()
    return Found(digest, tuple(sorted(each for each in by_platform if "unknown" not in each)), lost, own or "")


def _manifest(ecr: Any, repository: str, which: dict[str, str]) -> tuple[str, dict[str, Any]] | None:
    try:
        answer = ecr.batch_get_image(
            repositoryName=repository, imageIds=[which], acceptedMediaTypes=[*MANIFESTS, *INDEXES]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "RepositoryNotFoundException":
            return None
        raise
    images = answer["images"]
    return (images[0]["imageId"]["imageDigest"], json.loads(images[0]["imageManifest"])) if images else None


def _lost(ecr: Any, repository: str, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = [each["digest"] for each in (manifest["config"], *manifest["layers"])]
    there = set()
    for part in chunks(list(dict.fromkeys(wanted)), 100):
        answer = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=part)
        there |= {each["layerDigest"] for each in answer["layers"] if each["layerAvailability"] == "AVAILABLE"}
    return tuple(each for each in dict.fromkeys(wanted) if each not in there)


def _platform(ecr: Any, repository: str, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The platform that the configuration of an image names; nothing where it cannot be read."""
    try:
        digest = manifest["config"]["digest"]
        answer = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest)
        with urllib.request.urlopen(answer["downloadUrl"], timeout=SECONDS) as blob:
            name = _name(json.load(blob))
    except (ClientError, OSError, ValueError):
        return ()
    return (name,) if name else ()


def _name(platform: Mapping[str, Any]) -> str:
    return f"{platform['os']}/{platform['architecture']}" if {"os", "architecture"} <= set(platform) else ""
