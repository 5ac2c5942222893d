"""Which images of an older release are gone is asked of the site's own repositories alone."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from plugins.action import registry_images
from tests.unit.plugin_support import run_action

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = f"sha256:{'a' * 64}"


class Registry:
    """A client of ECR with these images; `asked` are the questions."""

    def __init__(self, *there: str, code: str = "ImageNotFoundException") -> None:
        self.there, self.code, self.asked = there, code, list[str]()

    def __call__(self, service: str, region: str | None = None) -> Registry:
        del region
        assert service == "ecr"
        return self

    def describe_images(self, repositoryName: str, imageIds: list[dict[str, str]]) -> dict[str, Any]:
        ((wanted,),) = [each.values() for each in imageIds]
        self.asked.append(f"{repositoryName} {wanted}")
        if wanted not in self.there:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "DescribeImages")
        return {"imageDetails": [{"imageDigest": wanted}]}


def look(registry: Registry, *images: str) -> dict[str, Any]:
    return run_action(registry_images, {"prefix": "shop-prod", "images": list(images)}, client=registry)


def test_images_are_asked_for_by_what_names_them_best() -> None:
    registry = Registry("1a", DIGEST)
    there = [f"{REGISTRY}/shop-prod/web:1a", f"127.0.0.1:5000/shop-prod/web@{DIGEST}", f"{REGISTRY}/shop-prod/web:2b@{DIGEST}"]
    gone = f"{REGISTRY}/shop-prod/shop-web:3c"
    assert look(registry, *there, gone) == {"changed": False, "missing": [gone], "unasked": []}
    assert registry.asked == ["shop-prod/web 1a", f"shop-prod/web {DIGEST}", f"shop-prod/web {DIGEST}", "shop-prod/shop-web 3c"]


def test_what_lies_elsewhere_is_not_asked_for() -> None:
    registry = Registry()
    elsewhere = ["public.ecr.aws/docker/library/redis:7", f"{REGISTRY}/shop-prod2/web:1a", f"{REGISTRY}/other/shop-prod:1a"]
    assert look(registry, *elsewhere)["unasked"] == elsewhere
    assert registry.asked == []


def test_a_repository_that_is_gone_has_no_image() -> None:
    image = f"{REGISTRY}/shop-prod/web:1a"
    assert look(Registry(code="RepositoryNotFoundException"), image)["missing"] == [image]


def test_a_right_that_is_wanting_is_no_missing_image() -> None:
    found = look(Registry(code="AccessDeniedException"), f"{REGISTRY}/shop-prod/web:1a")
    assert found["failed"]
    with pytest.raises(KeyError):
        found["missing"]
