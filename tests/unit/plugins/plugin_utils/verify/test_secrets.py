"""Places of secrets that are there; no value is read."""

from __future__ import annotations

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.verify import secrets
from plugins.plugin_utils.verify.finding import NOT_ASKED, WRONG, Finding
from plugins.plugin_utils.verify.subjects import Secret
from tests.unit.plugins.plugin_utils.verify.support import SECRET


def found(aws: Cloud, where: str, missing: str = "") -> list[Finding]:
    clients = aws.client("secretsmanager"), aws.client("ssm")
    return list(secrets.check(*clients, "service.web", Secret("KEY", where, missing)))


def test_a_secret_that_is_there_says_nothing_and_one_that_is_not_is_wrong(aws: Cloud) -> None:
    arn = aws.client("secretsmanager").create_secret(Name="shop/app", SecretString="{}")["ARN"]
    assert found(aws, arn) == found(aws, f"{arn}:key::") == []
    (wrong,) = found(aws, f"{SECRET}x:key::")
    assert (wrong.state, wrong.what, f"there is no secret {SECRET}x" in wrong.reason) == (WRONG, "KEY", True)


def test_one_that_is_being_deleted_says_how_to_bring_it_back(aws: Cloud) -> None:
    api = aws.client("secretsmanager")
    arn = api.create_secret(Name="shop/app", SecretString="{}")["ARN"]
    api.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    (wrong,) = found(aws, arn)
    assert wrong.state == WRONG
    assert wrong.reason == f"{arn} is being deleted. Type: aws secretsmanager restore-secret --secret-id {arn}"


@pytest.mark.parametrize("name", ["/shop/token", "token"])
def test_a_parameter_is_found_by_name_and_by_arn(aws: Cloud, name: str) -> None:
    aws.client("ssm").put_parameter(Name=name, Value="v", Type="SecureString")
    path = f"/{name.lstrip('/')}"
    assert found(aws, path) == found(aws, f"arn:aws:ssm:us-east-1:123456789012:parameter{path}") == []
    (wrong,) = found(aws, f"{path}x")
    assert (wrong.state, f"there is no parameter {path}x" in wrong.reason) == (WRONG, True)


def test_one_of_a_stack_that_is_not_there_is_not_asked(aws: Cloud) -> None:
    (unasked,) = found(aws, "", "secret.app.SecretArn")
    assert (unasked.state, "secret.app.SecretArn is not there yet" in unasked.reason) == (NOT_ASKED, True)
