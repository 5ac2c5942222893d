"""What is live and the last good releases keep their images, however many come after them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import ecr as lifecycle
from local_aws.tests.stack_support import Stacks
from plugins.action import ecr_keep
from tests.unit.noun_support import Deployed, made
from tests.unit.plugin_support import run_action, talk_to

REPOSITORY = "shop-unit/shop-web"
URI = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}"
ENTRIES = {
    "site_services": {"web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}}},
    "image_keep": 10,
}


class Kept:
    """The repository of an image, as the layer image makes it."""

    def __init__(self, aws: Cloud) -> None:
        self.api = aws.client("ecr")
        self.shown: list[str] = []

    def push(self, number: int) -> str:
        """Put an image; returns what the site runs of it."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "layers": [{"digest": f"sha256:{number:064x}", "size": 1}],
        }
        tag = f"{number:012x}"
        answer = self.api.put_image(repositoryName=REPOSITORY, imageManifest=json.dumps(manifest), imageTag=tag)
        return f"{URI}:{tag}@{answer['image']['imageId']['imageDigest']}"

    def tags(self) -> dict[str, list[str]]:
        """Digest → tags."""
        found = self.api.describe_images(repositoryName=REPOSITORY)["imageDetails"]
        return {each["imageDigest"]: sorted(each["imageTags"]) for each in found}

    def keep(self, *images: str, check: bool = False, **more: Any) -> dict[str, Any]:
        arguments = {"repositories": [REPOSITORY], "images": list(images), **more}
        return run_action(
            ecr_keep,
            arguments,
            check,
            client=lambda _service, _region=None: self.api,
            say=lambda _name, text, _color=None: self.shown.append(text),
        )


@pytest.fixture
def kept(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> Kept:
    talk_to(aws, monkeypatch)
    layers = made(ENTRIES)
    site = Deployed(aws, stacks)
    assert not site.run("image.shop-web", layers["image.shop-web"]).get("failed")
    return Kept(aws)


def test_sixty_pushes_leave_what_is_live_what_is_kept_and_the_newest(kept: Kept) -> None:
    live, good = kept.push(1), kept.push(2)
    pushed = [live, good, *(kept.push(number) for number in range(3, 31))]
    assert not kept.keep(live, good).get("failed")
    pushed += [kept.push(number) for number in range(31, 61)]
    lifecycle.expire()
    assert set(kept.tags()) == {image.partition("@")[2] for image in (live, good, *pushed[-10:])}
    kept.keep(live)
    lifecycle.expire()
    assert good.partition("@")[2] not in kept.tags(), "what is needed no longer goes"
    assert live.partition("@")[2] in kept.tags()


def test_a_second_time_changes_nothing_and_a_check_run_nothing_at_all(kept: Kept) -> None:
    one, two = kept.push(1), kept.push(2)
    before = kept.tags()
    looked = kept.keep(one, check=True)
    assert (looked["changed"], looked["kept"]) == (True, [f"{REPOSITORY}:keep-{1:012x}"])
    assert kept.tags() == before

    assert kept.keep(one)["kept"] == looked["kept"]
    assert sorted(kept.tags().values()) == [[f"{1:012x}", f"keep-{1:012x}"], [f"{2:012x}"]]
    assert not kept.keep(one)["changed"]

    moved = kept.keep(two)
    assert (moved["kept"], moved["let_go"]) == ([f"{REPOSITORY}:keep-{2:012x}"], [f"{REPOSITORY}:keep-{1:012x}"])
    assert sorted(kept.tags().values()) == [[f"{1:012x}"], [f"{2:012x}", f"keep-{2:012x}"]]
    assert kept.keep(one, two)["kept"] == [f"{REPOSITORY}:keep-{1:012x}"], "a tag may come back"


def test_an_image_is_also_known_by_its_tag_and_those_of_others_are_left(kept: Kept) -> None:
    one = kept.push(1).partition("@")[0]
    found = kept.keep(one, "public.ecr.aws/docker/library/redis:7", "ghcr.io/shop-unit/other@sha256:1")
    assert (found["kept"], found["lost"]) == ([f"{REPOSITORY}:keep-{1:012x}"], [])


def test_what_the_registry_has_lost_is_said_and_the_rest_is_kept(kept: Kept) -> None:
    one, gone = kept.push(1), f"{URI}:00000000000f@sha256:{'f' * 64}"
    found = kept.keep(one, gone, f"{URI}:v9")
    assert found["lost"] == [gone, f"{URI}:v9"]
    assert found["kept"] == [f"{REPOSITORY}:keep-{1:012x}"]
    assert f"the registry has {gone} no longer" in kept.shown[0]


def test_a_repository_of_which_nothing_is_to_be_kept_stays_as_it_is(kept: Kept) -> None:
    one = kept.push(1)
    kept.keep(one)
    assert not kept.keep()["changed"]
    assert not kept.keep(f"{URI}:v9")["changed"], "nor by what is lost"
    assert [f"{1:012x}", f"keep-{1:012x}"] in kept.tags().values()


def test_a_repository_that_is_not_there_is_passed_over(kept: Kept) -> None:
    found = kept.keep(kept.push(1), repositories=["shop-unit/none", REPOSITORY])
    assert found["kept"] == [f"{REPOSITORY}:keep-{1:012x}"]


def test_a_tag_that_aws_did_not_show_yet_is_no_failure(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    one = kept.push(1)
    kept.keep(one)
    monkeypatch.setattr(ecr_keep.ActionModule, "_there", lambda _self, _name: {one.partition("@")[2]: [f"{1:012x}"]})
    assert not kept.keep(one).get("failed")


def test_an_image_that_goes_meanwhile_and_a_tag_that_stays_end_the_run(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = f"sha256:{'f' * 64}"
    monkeypatch.setattr(ecr_keep.ActionModule, "_there", lambda _self, _name: {gone: ["a"]})
    assert "It was there a moment ago, and is to be kept" in kept.keep(f"{URI}@{gone}")["msg"]
    monkeypatch.undo()
    one, two = kept.push(1), kept.push(2)
    kept.keep(one)
    failure = {"failureCode": "KmsError", "failureReason": "no key"}
    monkeypatch.setattr(kept.api, "batch_delete_image", lambda **_: {"failures": [failure]})
    assert kept.keep(two)["msg"] == f"The tag keep-{1:012x} cannot be taken from {REPOSITORY}: no key"
