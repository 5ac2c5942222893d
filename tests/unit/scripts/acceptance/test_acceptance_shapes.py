"""A recording says what requests and answers look like, and gives nothing away."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest

from scripts.acceptance.shapes import shape

PLANTED = "correct-horse-battery"
SESSION = botocore.session.get_session()


def model(service: str, operation: str) -> Any:
    return SESSION.get_service_model(service).operation_model(operation)


def test_paths_have_types_and_a_list_is_one_path() -> None:
    answer = {
        "services": [
            {"serviceName": "web", "desiredCount": 2, "deployments": [{"id": "1", "rolloutState": "COMPLETED"}]},
            {"serviceName": "mail", "desiredCount": 1, "deployments": []},
        ],
        "ResponseMetadata": {"RequestId": "1"},
    }
    paths, states = shape(answer, model("ecs", "DescribeServices").output_shape)
    assert paths == [
        "services[].deployments[].id: string",
        "services[].deployments[].rolloutState: string",
        "services[].deployments[]: empty",
        "services[].desiredCount: number",
        "services[].serviceName: string",
    ]
    assert states == {"services[].deployments[].rolloutState": ["COMPLETED"]}


def test_a_value_of_ansible_is_what_it_is_to_aws() -> None:
    class Tagged(str):
        __slots__ = ()

    assert shape({"cluster": Tagged("shop")}, model("ecs", "DescribeServices").input_shape)[0] == ["cluster: string"]
    assert shape({"a": True, "b": 1, "c": 1.5, "d": None}, None)[0] == [
        "a: boolean", "b: number", "c: number", "d: null",
    ]  # fmt: skip


def test_a_state_that_the_model_does_not_list_is_kept_by_its_name_and_only_if_it_is_a_word() -> None:
    known = model("ecs", "DescribeServices").output_shape
    assert shape({"services": [{"status": "ACTIVE"}, {"status": "INACTIVE"}]}, known)[1] == {
        "services[].status": ["ACTIVE", "INACTIVE"]
    }
    assert shape({"services": [{"status": "arn:aws:ecs:us-east-1:1:x"}]}, known)[1] == {}


@pytest.mark.parametrize(
    ("service", "operation", "of", "value"),
    [
        ("secretsmanager", "GetSecretValue", "output", {"SecretString": PLANTED, "Name": PLANTED}),
        ("secretsmanager", "PutSecretValue", "input", {"SecretId": "x", "SecretString": PLANTED}),
        ("ecr", "GetAuthorizationToken", "output", {"authorizationData": [{"authorizationToken": PLANTED}]}),
        ("ec2", "DescribeTags", "output", {"Tags": [{"Key": PLANTED, "Value": PLANTED}]}),
        ("ecs", "RunTask", "input", {"overrides": {"containerOverrides": [{"environment": [{"value": PLANTED}]}]}}),
        ("lambda", "GetFunctionConfiguration", "output", {"Environment": {"Variables": {PLANTED: PLANTED}}}),
        ("s3", "PutObject", "input", {"Bucket": "b", "Key": "k", "Body": PLANTED.encode()}),
    ],
)  # fmt: skip
def test_no_value_is_in_it_and_no_key_that_is_data(service: str, operation: str, of: str, value: Any) -> None:
    known = model(service, operation)
    paths, states = shape(value, known.input_shape if of == "input" else known.output_shape)
    assert paths
    assert PLANTED not in json.dumps([paths, states])


def test_of_what_aws_calls_sensitive_not_even_the_type_is_told() -> None:
    paths, _ = shape({"SecretString": PLANTED}, model("secretsmanager", "GetSecretValue").output_shape)
    assert paths == ["SecretString: withheld"]
