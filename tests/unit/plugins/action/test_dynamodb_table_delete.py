"""A table goes with what is in it, protected or not; and only then is it said to be changed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local_aws.cloud import Cloud
from plugins.action import dynamodb_table_delete
from tests.unit.plugin_support import run_action, talk_to
from tests.unit.plugins.modules.test_modules_account import a_table


@pytest.fixture
def dynamodb(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    talk_to(aws, monkeypatch)
    return aws.client("dynamodb")


@pytest.mark.parametrize("protected", [True, False])
def test_a_table_goes_with_its_items(aws: Cloud, dynamodb: Any, protected: bool) -> None:
    a_table(aws, "items", DeletionProtectionEnabled=protected)
    dynamodb.put_item(TableName="items", Item={"id": {"S": "1"}})
    assert run_action(dynamodb_table_delete, {"name": "items"}, check=True)["changed"]
    assert dynamodb.describe_table(TableName="items")["Table"]["DeletionProtectionEnabled"] is protected
    assert run_action(dynamodb_table_delete, {"name": "items"})["changed"]
    assert dynamodb.list_tables()["TableNames"] == []
    assert run_action(dynamodb_table_delete, {"name": "items"}) == {"changed": False}


IN_USE = "ResourceInUseException"
PROTECTED = (
    "ValidationException",
    "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
)


class Busy:
    """DynamoDB with one table, which it does not delete for some calls more, for the reason `error`."""

    def __init__(self, calls: int, status: str = "ACTIVE", error: tuple[str, str] = (IN_USE, "?")) -> None:
        self.calls, self.status, self.error, self.asked = calls, status, error, list[str]()

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": {"TableStatus": self.status, "DeletionProtectionEnabled": True}}

    def update_table(self, **_: Any) -> None:
        self.asked.append("update")

    def delete_table(self, **_: Any) -> None:
        self.asked.append("delete")
        self.calls -= 1
        if self.calls >= 0:
            raise ClientError({"Error": {"Code": self.error[0], "Message": self.error[1]}}, "DeleteTable")


def test_a_table_that_is_being_changed_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_POLL_SECONDS", "0.01")
    busy = Busy(2)
    assert run_action(dynamodb_table_delete, {"name": "items"}, client=lambda _: busy)["changed"]
    assert busy.asked == ["update", "delete", "delete", "delete"]
    failed = run_action(dynamodb_table_delete, {"name": "items", "timeout": 0}, client=lambda _: Busy(2))
    assert "items is still being changed after 0 s" in failed["msg"]


def test_a_protection_that_is_off_and_shows_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_POLL_SECONDS", "0.01")
    late = Busy(2, error=PROTECTED)
    assert run_action(dynamodb_table_delete, {"name": "items"}, client=lambda _: late)["changed"]
    assert late.asked == ["update", "delete"] * 3
    other = Busy(1, error=("ValidationException", "?"))
    assert run_action(dynamodb_table_delete, {"name": "items"}, client=lambda _: other)["failed"]
    assert other.asked == ["update", "delete"]


def test_a_table_that_is_on_its_way_out_is_left_alone() -> None:
    leaving = Busy(0, "DELETING")
    assert run_action(dynamodb_table_delete, {"name": "items"}, client=lambda _: leaving) == {"changed": False}
    assert leaving.asked == []


def test_an_aws_that_cannot_be_reached_is_told_with_what_to_look_at() -> None:
    def nowhere(_: str) -> Any:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.nowhere-1.amazonaws.com/")

    said = run_action(dynamodb_table_delete, {"name": "items"}, client=nowhere)["msg"]
    assert 'URL: "https://dynamodb.nowhere-1.amazonaws.com/". Is this machine' in said
    assert "HTTPS_PROXY" in said
