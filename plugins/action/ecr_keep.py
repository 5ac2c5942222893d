"""Keep images from the lifecycle rules of their repositories, and let others go."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecr_keep import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.site.images import digest_of, name_of, tag_of

PREFIX = "keep-"
"""The first lifecycle rule of cloudformation/image.yml spares tags that begin so."""
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
"""All that Docker pushes; ECR is to give a manifest back as it is."""


class ActionModule(AwsAction):
    """See plugins/modules/ecr_keep.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Give tags, then take others.

        Raises:
            Failed: ECR did not take a tag away.
        """
        self.ecr = self.client("ecr")
        given: list[tuple[str, str, str]] = []
        taken: list[tuple[str, str]] = []
        lost: list[str] = []
        for repository in dict.fromkeys(self.arguments["repositories"]):
            there = self._there(repository)
            if there is None:
                continue
            wanted = self._wanted(repository, there, lost)
            given += [
                (repository, digest, _tag(digest, there[digest]))
                for digest in sorted(wanted)
                if not any(tag.startswith(PREFIX) for tag in there[digest])
            ]
            if wanted:
                taken += [
                    (repository, tag)
                    for digest, tags in there.items()
                    for tag in tags
                    if tag.startswith(PREFIX) and digest not in wanted
                ]
        if not self.check_mode:
            for repository, digest, tag in given:
                self._give(repository, digest, tag)
            for repository, tag in taken:
                self._take(repository, tag)
        for image in lost:
            self.say("keep", f"the registry has {image} no longer: its release cannot be gone back to", "yellow")
        return {
            "changed": bool(given or taken),
            "kept": [f"{repository}:{tag}" for repository, _, tag in given],
            "let_go": [f"{repository}:{tag}" for repository, tag in taken],
            "lost": lost,
        }

    def _there(self, repository: str) -> dict[str, list[str]] | None:
        """Digest → tags of a repository's images; None if there is no such repository."""
        try:
            pages = self.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
            return {
                image["imageDigest"]: image.get("imageTags", []) for page in pages for image in page["imageDetails"]
            }
        except ClientError as error:
            if error.response["Error"]["Code"] != "RepositoryNotFoundException":
                raise
            return None

    def _wanted(self, repository: str, there: Mapping[str, list[str]], lost: list[str]) -> set[str]:
        """Digests of the repository's images that are to stay."""
        found = set()
        for image in dict.fromkeys(self.arguments["images"]):
            if name_of(image).partition("/")[2] != repository:
                continue
            digest = digest_of(image)
            if not digest:
                tag = tag_of(image)
                digest = next((each for each, tags in there.items() if tag and tag in tags), "")
            if digest in there:
                found.add(digest)
            else:
                lost.append(image)
        return found

    def _give(self, repository: str, digest: str, tag: str) -> None:
        answer = self.ecr.batch_get_image(
            repositoryName=repository, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=list(MANIFESTS)
        )
        if not answer["images"]:
            raise Failed(
                f"The repository {repository} has no image {digest}. It was there a moment ago, and is to be kept: who "
                "deletes images?"
            )
        (image,) = answer["images"]
        kind = {name: image[name] for name in ("imageManifestMediaType",) if image.get(name)}
        try:
            self.ecr.put_image(
                repositoryName=repository,
                imageManifest=image["imageManifest"],
                imageDigest=digest,
                imageTag=tag,
                **kind,
            )
        except ClientError as error:
            # AWS may not have shown yet what the run before has done.
            if error.response["Error"]["Code"] != "ImageAlreadyExistsException":
                raise

    def _take(self, repository: str, tag: str) -> None:
        # By its tag alone: an image goes with its last tag, and has another.
        answer = self.ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
        for failure in answer.get("failures", []):
            if failure["failureCode"] != "ImageNotFound":
                raise Failed(f"The tag {tag} cannot be taken from {repository}: {failure['failureReason']}")


def _tag(digest: str, tags: list[str]) -> str:
    """The tag that keeps an image: of its own one, so that people see which it is."""
    own = next(iter(sorted(tags)), digest.partition(":")[2][:12])
    return f"{PREFIX}{own}"
