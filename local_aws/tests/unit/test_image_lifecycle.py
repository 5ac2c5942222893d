"""Lifecycle policies let go what AWS's rules of evaluation let go: as a function, and through ECR's API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.image_lifecycle import DAY, NotEmulated, Stored, expired
from local_aws.patches import ecr
from local_aws.tests.stack_support import refused

NOW = 100 * DAY


def rule(
    priority: int, count: int, status: str = "any", kind: str = "imageCountMoreThan", **more: Any
) -> dict[str, Any]:
    unit = {"countUnit": "days"} if kind == "sinceImagePushed" else {}
    selection = {"tagStatus": status, "countType": kind, "countNumber": count, **unit, **more}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


def policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": rules})


SPARED = rule(1, 1000, "tagged", tagPrefixList=["keep-"])


def images(*tags: str) -> list[Stored]:
    """One a day, the newest last; `1` has the digest `1`, `1,keep-1` two tags, `-` none."""
    found = []
    for day, each in enumerate(tags):
        named = tuple(tag for tag in each.split(",") if tag != "-")
        found.append(
            Stored(each.partition(",")[0] if named else f"untagged-{day}", named, NOW - (len(tags) - day) * DAY)
        )
    return found


@pytest.mark.parametrize(
    ("rules", "tags", "gone"),
    [
        ([rule(1, 2)], ["1", "2", "3"], {"1": 1}),
        ([rule(1, 3)], ["1", "2", "3"], {}),
        ([SPARED, rule(2, 2)], ["1,keep-1", "2", "3", "4"], {"2": 2}),
        ([rule(2, 2), SPARED], ["1,keep-1", "2", "3", "4"], {"2": 2}),
        ([SPARED, rule(2, 2)], ["1,keeper", "2", "3"], {"1": 2}),
        ([SPARED, rule(2, 2)], ["1", "2", "3,keep-3", "4"], {"1": 2, "2": 2}),
        ([rule(1, 1, "tagged", tagPrefixList=["keep-"]), rule(2, 1)], ["1,keep-1", "2,keep-2", "3"], {"1": 1}),
        ([rule(1, 1, "tagged", tagPrefixList=["a", "b"]), rule(2, 9)], ["1,a1", "2,a2,b2", "3,a3,b3"], {"2": 1}),
        ([rule(1, 1, "tagged", tagPatternList=["v*-rc"])], ["1,v1-rc", "2,v2-rc", "3,v3"], {"1": 1}),
        ([rule(1, 1, "untagged"), rule(2, 2)], ["-", "2", "-"], {"untagged-0": 1}),
        ([rule(1, 2, kind="sinceImagePushed")], ["1", "2", "3"], {"1": 1}),
    ],
    ids=[
        "the oldest goes", "none is too many", "spared by an earlier rule", "which is told by its number",
        "another prefix is none", "what is spared is counted all the same", "an earlier rule may let it go itself",
        "all prefixes have to fit", "patterns", "without a tag", "by age",
    ],
)  # fmt: skip
def test_what_a_policy_lets_go(rules: list[dict[str, Any]], tags: list[str], gone: dict[str, int]) -> None:
    assert expired(policy(*rules), images(*tags), NOW) == gone


def test_of_two_of_the_same_moment_the_later_is_the_younger() -> None:
    both = [Stored("a", ("a",), NOW), Stored("b", ("b",), NOW)]
    assert expired(policy(rule(1, 1)), both, NOW) == {"a": 1}
    assert expired(policy(rule(1, 1)), both[::-1], NOW) == {"b": 1}


def test_what_is_not_emulated_is_said() -> None:
    with pytest.raises(NotEmulated, match="sinceImagePulled"):
        expired(policy(rule(1, 1, kind="sinceImagePulled")), [], NOW)
    archive = rule(1, 1) | {"action": {"type": "transition", "targetStorageClass": "archive"}}
    with pytest.raises(NotEmulated, match="archived"):
        expired(policy(archive), [], NOW)


def push(aws: Cloud, tag: str, *more: str) -> str:
    """Put an image of one layer; returns its digest."""
    number = f"{int(tag):064x}"
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"size": 1, "digest": f"sha256:{number}"},
        "layers": [{"size": 1, "digest": f"sha256:{number}"}],
    }
    for name in (tag, *more):
        found = aws.client("ecr").put_image(repositoryName="shop", imageManifest=json.dumps(manifest), imageTag=name)
    return str(found["image"]["imageId"]["imageDigest"])


def test_a_preview_says_what_would_go_and_a_round_lets_it_go(aws: Cloud) -> None:
    api = aws.client("ecr")
    api.create_repository(repositoryName="shop", imageTagMutability="IMMUTABLE")
    with refused("", "LifecyclePolicyNotFoundException"):
        api.start_lifecycle_policy_preview(repositoryName="shop")
    with refused("", "LifecyclePolicyPreviewNotFoundException"):
        api.get_lifecycle_policy_preview(repositoryName="shop")
    kept = push(aws, "1", "keep-1")
    gone = push(aws, "2")
    new = push(aws, "3")
    assert ecr.expire() == {}, "there is no policy yet"
    api.put_lifecycle_policy(repositoryName="shop", lifecyclePolicyText=policy(SPARED, rule(2, 1)))

    api.start_lifecycle_policy_preview(repositoryName="shop")
    preview = api.get_lifecycle_policy_preview(repositoryName="shop")
    assert (preview["status"], preview["summary"]["expiringImageTotalCount"]) == ("COMPLETE", 1)
    (result,) = preview["previewResults"]
    assert (result["imageDigest"], result["imageTags"], result["appliedRulePriority"]) == (gone, ["2"], 2)
    assert len(api.describe_images(repositoryName="shop")["imageDetails"]) == 3

    assert ecr.expire() == {"shop": [gone]}
    assert {each["imageDigest"] for each in api.describe_images(repositoryName="shop")["imageDetails"]} == {kept, new}
    assert ecr.expire() == {}


def test_a_policy_that_is_not_emulated_is_refused(aws: Cloud) -> None:
    aws.client("ecr").create_repository(repositoryName="shop")
    text = policy(rule(1, 1) | {"action": {"type": "transition", "targetStorageClass": "archive"}})
    with pytest.raises(aws.client("ecr").exceptions.ClientError):
        aws.client("ecr").put_lifecycle_policy(repositoryName="shop", lifecyclePolicyText=text)
