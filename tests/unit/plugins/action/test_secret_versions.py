"""A rollback says which secrets have changed since; no value is read."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.action import secret_versions as asking
from plugins.plugin_utils import secret_versions
from tests.unit.plugin_support import run_action, talk_to


@pytest.fixture
def secret(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Secrets Manager with one secret, and its ARN."""
    talk_to(aws, monkeypatch)
    client = aws.client("secretsmanager")
    return client, client.create_secret(Name="shop-live-secret-key", SecretString="first")["ARN"]


def definition(*secrets: str) -> dict[str, Any]:
    named = [{"name": f"S{number}", "valueFrom": place} for number, place in enumerate(secrets)]
    return {"containerDefinitions": [{"name": "app", "secrets": named}, {"name": "nginx"}]}


def test_places_are_told_without_key_and_version() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf"
    parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/shop/key"
    given = [definition(f"{arn}:password::", arn, parameter), definition("/shop/other", f"{arn}:user::")]
    assert secret_versions.places(given) == [arn, parameter, "/shop/other"]
    assert secret_versions.places([]) == []


def test_a_secret_that_has_changed_is_told_with_what_brings_it_back(secret: Any, aws: Cloud) -> None:
    client, arn = secret
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/shop/key", Value="a", Type="SecureString")
    then = secret_versions.current(aws.client, [arn, "/shop/key"])
    assert then.keys() == {arn, "/shop/key"}
    assert then["/shop/key"] == "1"
    assert run_action(asking, {"versions": then})["differing"] == []

    now = client.put_secret_value(SecretId=arn, SecretString="second")["VersionId"]
    ssm.put_parameter(Name="/shop/key", Value="b", Type="SecureString", Overwrite=True)
    by_name, by_arn = run_action(asking, {"versions": then})["differing"]
    assert by_name.startswith("/shop/key had another value then (version 1; now 2). Its history has it: aws ssm ")
    assert f"{arn} had another value then (version {then[arn]}; now {now})." in by_arn
    assert f"--move-to-version-id {then[arn]} --remove-from-version-id {now}, then ansible-playbook " in by_arn
    assert "first" not in by_arn + by_name
    client.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=then[arn], RemoveFromVersionId=now
    )
    assert run_action(asking, {"versions": {arn: then[arn]}})["differing"] == [], "what is typed does it"


def test_a_login_that_was_retired_is_never_to_be_brought_back() -> None:
    """A rollback goes on with the newest one: the revisions of before name the secret, and no version of it."""
    begin = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-prod"
    login = f"{begin}/database/main/login-AbCdEf"
    (said,) = secret_versions.changed({login: "1"}, {login: "2"})
    assert "what it was opens nothing any more: nothing is to be brought back" in said
    assert "update-secret-version-stage" not in said
    for other in (f"{begin}/database/main-AbCdEf", f"{begin}/login-AbCdEf"):
        (said,) = secret_versions.changed({other: "1"}, {other: "2"})
        assert "To bring it back: aws secretsmanager update-secret-version-stage" in said


def test_what_is_not_there_or_may_not_be_asked_for_is_left_out(aws: Cloud) -> None:
    gone = "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-AbCdEf"
    assert secret_versions.current(aws.client, [gone, "/shop/gone"]) == {}

    class Closed:
        def __init__(self, code: str) -> None:
            self.code = code

        def describe_secret(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "DescribeSecret")

    assert secret_versions.current(lambda _: Closed("AccessDeniedException"), [gone]) == {}
    with pytest.raises(ClientError):
        secret_versions.current(lambda _: Closed("InternalServiceError"), [gone])
