"""The images that the ledger names: by digest, with the tag that people read."""

from __future__ import annotations

import pytest

from plugins.filter.ledger import services_released
from plugins.plugin_utils.ledger_table import Image

DIGEST = f"sha256:{'ab' * 32}"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-prod/shop-web"


@pytest.mark.parametrize(
    ("uri", "identifier"),
    [
        (f"{REGISTRY}:0f3c9d1e2a4b@{DIGEST}", {"imageDigest": DIGEST}),
        (f"{REGISTRY}@{DIGEST}", {"imageDigest": DIGEST}),
        (f"{REGISTRY}:0f3c9d1e2a4b", {"imageTag": "0f3c9d1e2a4b"}),
        (REGISTRY, None),
        ("public.ecr.aws/docker/library/redis:7", None),
    ],
)
def test_an_image_is_asked_for_by_its_digest_if_it_is_known(uri: str, identifier: dict[str, str] | None) -> None:
    image = Image.of(uri, "shop-prod")
    assert (image and image.identifier) == identifier


def test_what_was_released_is_written_down_with_tag_and_digest() -> None:
    labels = {"berth.release": "2026.1", "berth.image": "shop/web"}
    new = {"Image": f"{REGISTRY}@{DIGEST}", "DockerLabels": {**labels, "berth.tag": "0f3c9d1e2a4b"}}
    old = {"Image": f"{REGISTRY}:1a", "DockerLabels": labels}
    found = services_released({"web": {"containers": [new]}, "old": {"containers": [old]}}, {})
    assert found["web"]["images"] == {"shop/web": f"{REGISTRY}:0f3c9d1e2a4b@{DIGEST}"}
    assert found["old"]["images"] == {"shop/web": f"{REGISTRY}:1a"}
