"""Images: those of this machine, which the site's registry gets, and those that hosts pull from where they are.

A name without a registry (`shop/django:3`) is an image of this machine, as it is to Docker; it is published to a
repository of the site's own, so that hosts depend on no registry but that. One with a registry before it
(`public.ecr.aws/docker/library/redis:7`, `docker.io/library/nginx:1.27`) is pulled from there as it stands.

Between the registry and a task definition an image of the site's registry has both names in one, as Docker takes it:
`…/shop-web:0f3c9d1e2a4b@sha256:…`. The tag is what people read, and the release's id; the digest is what hosts pull.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ECR = re.compile(r"([0-9]{12})\.dkr[.-]ecr\.([a-z0-9-]+)\.(?:amazonaws\.(?:com|com\.cn|eu)|on\.aws)/([^:@]+)")
"""In all partitions, and the dual-stack names; https://docs.aws.amazon.com/general/latest/gr/ecr.html"""


@dataclass(frozen=True)
class Image:
    """An image of this machine.

    Attributes:
        entry: of the noun `image`: its repository is `<site_name>-<environment_name>/<entry>`.
        name: without tag and digest.
        written: everything that containers call it, tags included.
    """

    entry: str
    name: str
    written: tuple[str, ...]


def is_local(image: str) -> bool:
    """Whether the image is of this machine. A registry has a dot or a port in its name, or is localhost.

    https://github.com/distribution/reference/blob/main/normalize.go
    """
    first, slash, _ = image.partition("/")
    return not (slash and ("." in first or ":" in first or first == "localhost"))


def name_of(image: str) -> str:
    """An image's name without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def tag_of(image: str) -> str:
    """An image's tag; empty if it is named without one."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def digest_of(image: str) -> str:
    """An image's digest (`sha256:…`); empty if it is named without one."""
    return image.partition("@")[2]


def by_digest(image: str) -> str:
    """The image by its digest alone, as ECS takes it; by its tag if no digest is known.

    ECS takes a tag or a digest, and says nothing of both:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html (image)
    """
    digest = digest_of(image)
    return f"{name_of(image)}@{digest}" if digest else image


def with_tag(image: str, tag: str) -> str:
    """The way back from `by_digest`: the image with both, if it is named by its digest alone and had a tag."""
    digest = digest_of(image)
    return f"{name_of(image)}:{tag}@{digest}" if digest and tag and not tag_of(image) else image


def entry_of(image: str) -> str:
    """The entry of the noun `image` that holds an image of this machine: `legacy/django` → `legacy-django`."""
    entry = re.sub(r"[^a-z0-9]+", "-", name_of(image)).strip("-")
    return entry if entry[:1].isalpha() else f"image-{entry}"


def release(images: Iterable[str]) -> str:
    """The id of a release: tags of the images that a task runs, of a digest its first digits.

    Made of the task's own images, so that a service whose images stay keeps its tasks when another's change.
    """
    found = [tag_of(image) or digest_of(image).partition(":")[2][:12] or "latest" for image in images]
    return "-".join(dict.fromkeys(found))


def ecr_repository(image: str) -> str:
    """The ARN of the repository of an image that lies in some account's ECR, else empty."""
    found = ECR.match(image)
    return f"arn:${{AWS::Partition}}:ecr:{found[2]}:{found[1]}:repository/{found[3]}" if found else ""
