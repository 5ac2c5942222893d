"""What gets lost around a site while a block runs, and is put back after it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local_aws.cloud import Cloud


@contextmanager
def key_lost(cloud: Cloud, secret: str) -> Iterator[None]:
    """A secret (its ARN) has none of its keys."""
    secrets = cloud.client("secretsmanager")
    kept = secrets.get_secret_value(SecretId=secret)["SecretString"]
    secrets.put_secret_value(SecretId=secret, SecretString=json.dumps({"other": "x"}))
    try:
        yield
    finally:
        secrets.put_secret_value(SecretId=secret, SecretString=kept)


@contextmanager
def deleted(cloud: Cloud, secret: str) -> Iterator[None]:
    """Somebody has deleted a secret (its ARN), which AWS does for good some days later."""
    secrets = cloud.client("secretsmanager")
    secrets.delete_secret(SecretId=secret)
    try:
        yield
    finally:
        secrets.restore_secret(SecretId=secret)


@contextmanager
def trust_lost(cloud: Cloud, role: str) -> Iterator[None]:
    """ECS may not take a role (its name)."""
    iam = cloud.client("iam")
    trust = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust.replace("ecs-tasks", "ec2"))
    try:
        yield
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)


@contextmanager
def image_lost(cloud: Cloud, image: str) -> Iterator[None]:
    """The registry has not an image (as a task definition names it, by its digest)."""
    ecr: Any = cloud.client("ecr")
    registry, _, name = image.partition("/")
    repository, _, digest = name.partition("@")
    repository = repository.partition(":")[0]
    (there,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])["imageDetails"]
    address = f"http://{registry}/v2/{repository}/manifests"
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    with ask(urllib.request.Request(f"{address}/{digest}", headers={"Accept": kind})) as answer:
        manifest, kind = answer.read(), answer.headers["Content-Type"]
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    try:
        yield
    finally:
        # As a push does, whose layers the registry has already.
        for tag in there["imageTags"]:
            ask(urllib.request.Request(f"{address}/{tag}", manifest, {"Content-Type": kind}, method="PUT")).close()
