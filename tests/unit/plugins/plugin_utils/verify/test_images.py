"""Images that a registry has, for the hosts' platform, with all their layers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.plugin_utils.verify import images
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding
from tests.unit.plugins.plugin_utils.verify.support import only

REPOSITORY = "reg/shop-app"
KNOWN = {REPOSITORY: "shop-app"}
LAYERS = {"config": {"digest": "sha256:c"}, "layers": [{"digest": "sha256:l1"}, {"digest": "sha256:l2"}]}
INDEX = {
    "manifests": [
        {"digest": "sha256:amd", "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": "sha256:arm", "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": "sha256:att", "platform": {"os": "unknown", "architecture": "unknown"}},
    ]
}


class Ecr:
    """A registry with manifests and layers."""

    def __init__(self, folder: Path) -> None:
        self.manifests: dict[str, dict[str, Any]] = {"1": LAYERS, "many": INDEX, "sha256:amd": LAYERS}
        self.layers = {"sha256:c", "sha256:l1", "sha256:l2"}
        self.configuration = folder / "config.json"
        self.configuration.write_text(json.dumps({"os": "linux", "architecture": "amd64"}))
        self.asked: list[str] = []

    def batch_get_image(self, repositoryName: str, imageIds: list[dict[str, str]], **_: Any) -> dict[str, Any]:
        assert repositoryName == "shop-app"
        name = next(iter(imageIds[0].values()))
        self.asked.append(name)
        if name not in self.manifests:
            return {"images": [], "failures": [{}]}
        digest = name if name.startswith("sha256:") else f"sha256:of-{name}"
        return {"images": [{"imageId": {"imageDigest": digest}, "imageManifest": json.dumps(self.manifests[name])}]}

    def batch_check_layer_availability(self, repositoryName: str, layerDigests: list[str]) -> dict[str, Any]:
        assert repositoryName == "shop-app"
        there = [
            {"layerDigest": each, "layerAvailability": "AVAILABLE"} for each in layerDigests if each in self.layers
        ]
        gone = [
            {"layerDigest": each, "layerAvailability": "UNAVAILABLE"} for each in layerDigests if each == "sha256:l2"
        ]
        return {"layers": there or gone}

    def get_download_url_for_layer(self, **_: str) -> dict[str, str]:
        if not self.configuration.exists():
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetDownloadUrlForLayer")
        return {"downloadUrl": self.configuration.as_uri()}


@pytest.fixture
def ecr(tmp_path: Path) -> Ecr:
    return Ecr(tmp_path)


def found(ecr: Ecr, image: str = f"{REPOSITORY}:1", platform: str = "linux/amd64") -> Finding:
    return only(images.check(ecr, KNOWN, "service.web", image, "shop/app", platform))


def test_an_image_with_all_its_layers_is_well(ecr: Ecr) -> None:
    right = found(ecr)
    assert (right.state, right.reason) == (OK, "shop-app:1 sha256:of-1 for linux/amd64")


def test_one_is_looked_for_by_digest_where_it_has_one(ecr: Ecr) -> None:
    assert found(ecr, f"{REPOSITORY}:1@sha256:amd").state == OK
    assert ecr.asked == ["sha256:amd"]
    assert found(ecr, f"{REPOSITORY}@sha256:gone").state == WRONG


def test_one_that_is_gone_says_how_to_publish_it_again(ecr: Ecr) -> None:
    wrong = found(ecr, f"{REPOSITORY}:2")
    assert wrong.state == WRONG
    assert f"the registry has no image {REPOSITORY}:2. Publish it again:" in wrong.reason
    assert wrong.reason.endswith("-e publish_select=local")


def test_one_for_other_hosts_is_wrong(ecr: Ecr) -> None:
    wrong = found(ecr, platform="linux/arm64")
    assert wrong.state == WRONG
    assert (
        "is built for linux/amd64, and the hosts are linux/arm64. Build it with --platform linux/arm64" in wrong.reason
    )


def test_lost_layers_are_counted(ecr: Ecr) -> None:
    ecr.layers -= {"sha256:l2"}
    assert "the registry has lost a part of it (sha256:l2…)" in found(ecr).reason
    ecr.layers -= {"sha256:l1"}
    wrong = found(ecr)
    assert (wrong.state, "the registry has lost 2 of its parts" in wrong.reason) == (WRONG, True)


def test_of_an_image_for_several_platforms_the_hosts_one_counts(ecr: Ecr) -> None:
    assert found(ecr, f"{REPOSITORY}:many").state == OK
    wrong = found(ecr, f"{REPOSITORY}:many", "linux/riscv64")
    assert (wrong.state, "is built for linux/amd64, linux/arm64," in wrong.reason) == (WRONG, True)
    lost = found(ecr, f"{REPOSITORY}:many", "linux/arm64")
    assert (lost.state, "has lost a part of it (sha256:arm…)" in lost.reason) == (WRONG, True)


def test_a_platform_that_cannot_be_read_is_said_and_not_judged(ecr: Ecr) -> None:
    ecr.configuration.unlink()
    right = found(ecr, platform="linux/arm64")
    assert (right.state, right.reason.endswith("its platform could not be read")) == (OK, True)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("", "shop/app is not published yet"),
        ("docker.io/library/redis:7", "is of another registry"),
        ("210987654321.dkr.ecr.us-east-1.amazonaws.com/base:1", "lies in a repository that this account has not"),
    ],
)
def test_what_this_account_has_no_repository_of_is_not_asked(ecr: Ecr, image: str, why: str) -> None:
    wrong = found(ecr, image)
    assert (wrong.state, why in wrong.reason) == (NOT_ASKED, True)


def test_repositories_are_known_by_their_address(aws: Cloud) -> None:
    ecr = aws.client("ecr")
    made = ecr.create_repository(repositoryName="shop-unit/app")["repository"]
    known = images.repositories(ecr)
    assert known == {made["repositoryUri"]: "shop-unit/app"}
    wrong = only(images.check(ecr, known, "x", f"{made['repositoryUri']}:1", "shop/app", "linux/amd64"))
    assert wrong.state == WRONG
    ecr.delete_repository(repositoryName="shop-unit/app")
    gone = only(images.check(ecr, known, "x", f"{made['repositoryUri']}:1", "shop/app", "linux/amd64"))
    assert gone.state == WRONG
