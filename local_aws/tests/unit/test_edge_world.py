"""What is known of a distribution by the APIs, as CloudFormation has made it."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from local_aws.cloud import Cloud
from local_aws.edge.world import NOWHERE, distributions
from local_aws.parts.load_balancers import LoadBalancers
from local_aws.tests.stack_support import Stacks
from local_aws.tests.unit.test_handlers_cloudfront import NAME, body, certificate

__all__ = ["certificate"]


def test_all_that_a_configuration_needs_is_read(aws: Cloud, stacks: Stacks, certificate: str) -> None:
    stacks.made("edge", body(), {"Arn": certificate})
    outputs, cloudfront, s3 = stacks.outputs("edge"), aws.client("cloudfront"), aws.client("s3")
    for number, path in enumerate(("/a/*", "/b")):
        batch = {"Paths": {"Quantity": 1, "Items": [path]}, "CallerReference": str(number)}
        cloudfront.create_invalidation(DistributionId=outputs["Id"], InvalidationBatch=batch)
    (known,) = distributions(aws)
    assert (known.name, known.certificate) == (outputs["DomainName"], certificate)
    assert known.distribution.names == (outputs["DomainName"], NAME)
    static, rest = known.distribution.behaviours
    assert (static.pattern, static.viewers, rest.times) == ("/static/*", "https-only", (0, 60, 60))
    assert known.functions[static.function].startswith("function handler(event)")
    assert known.invalidations == (("/a/*",), ("/b",))
    assert rest.removed == ("Set-Cookie",)
    assert known.addresses == {"alb": NOWHERE, "files": ""}

    aws.publish("alb.test", ["10.79.0.9"])
    s3.create_bucket(Bucket="files")
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
                 "Resource": "arn:aws:s3:::files/*"}  # fmt: skip
    s3.put_bucket_policy(Bucket="files", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    (known,) = distributions(aws)
    gateway = f"http://{aws.config.gateway}:{aws.config.api_port}"
    assert known.addresses == {"alb": "https://10.79.0.9:443", "files": gateway}
    aws.publish("alb.test", [])


@pytest.mark.parametrize("principal", ["ec2.amazonaws.com", "s3.amazonaws.com"])
def test_a_bucket_that_lets_in_somebody_else_is_none_for_it(
    aws: Cloud, stacks: Stacks, certificate: str, principal: str
) -> None:
    bucket = principal.partition(".")[0] + "-files"  # moto keeps the names of buckets for longer than buckets
    stacks.made("edge", body().replace("files.s3", f"{bucket}.s3"), {"Arn": certificate})
    aws.client("s3").create_bucket(Bucket=bucket)
    statement = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "s3:GetObject", "Resource": "*"}
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [statement]}))
    assert distributions(aws)[0].addresses["files"] == ""


def test_without_a_distribution_there_is_nothing(aws: Cloud) -> None:
    assert distributions(aws) == []


def test_the_load_balancer_is_published_unless_a_distribution_stands_before_it(
    aws: Cloud, stacks: Stacks, certificate: str
) -> None:
    class OneBalancer:
        balancers: ClassVar = {"arn": {"Type": "application"}}

    part, ports = LoadBalancers(aws), ((443, aws.config.https_port), (80, aws.config.http_port))
    world: Any = OneBalancer()
    assert part._published("arn", world) == ports
    stacks.made("edge", body(), {"Arn": certificate})
    assert part._published("arn", world) == ()
    stacks.delete("edge")
    assert part._published("arn", world) == ports
