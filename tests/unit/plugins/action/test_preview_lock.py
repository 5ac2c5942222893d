"""Whose a preview environment is stands beside its lock; nobody else's is locked, and so changed."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import environment_lock
from plugins.plugin_utils.ledger import PREVIEW_KEY, RUN_VARIABLE, Ledger
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import run_action


@pytest.fixture
def there(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Ledger]:
    monkeypatch.setenv(RUN_VARIABLE, "one")  # within a run the lock may be taken again
    return a_ledger(aws)


def lock(aws: Cloud, prefix: str, preview_of: str, check: bool = False) -> dict[str, Any]:
    given = {"prefix": prefix, "verb": "site", "preview_of": preview_of}
    return run_action(environment_lock, given, check=check, client=aws.client)


def test_the_first_run_writes_it_and_others_of_that_inventory_pass(aws: Cloud, there: tuple[str, Ledger]) -> None:
    prefix, ledger = there
    assert lock(aws, prefix, "test", check=True)["there"]
    assert ledger.preview_of() is None, "in check mode nothing is written"
    assert lock(aws, prefix, "test")["taken"]
    assert ledger.preview_of() == "test"
    assert ledger.entries(), "it is told from an environment that something was done to"
    assert lock(aws, prefix, "test")["held"]
    said = lock(aws, prefix, "live")
    assert said["failed"]
    assert f"{prefix} is a preview environment of test, and was not brought up from that of live" in said["msg"]


def test_one_with_an_inventory_of_its_own_is_left_alone(aws: Cloud, there: tuple[str, Ledger]) -> None:
    prefix, ledger = there
    assert lock(aws, prefix, "")["taken"]
    assert ledger.preview_of() is None
    for check in (True, False):
        said = lock(aws, prefix, "test", check=check)
        assert said["failed"]
        assert f"{prefix} has an inventory of its own, and was not brought up from that of test" in said["msg"]
    assert ledger.preview_of() is None


def test_one_whose_ledger_no_stack_tells_of_is_left_alone_too(aws: Cloud) -> None:
    assert not lock(aws, "shop-pr9", "test")["there"]
    template = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    aws.client("cloudformation").create_stack(StackName="shop-pr9-network", TemplateBody=template)
    said = lock(aws, "shop-pr9", "test")
    assert said["failed"]
    assert "shop-pr9 has an inventory of its own" in said["msg"]
    assert not lock(aws, "shop-pr9", "")["there"]


def test_it_lies_beside_the_lock_and_the_entries(aws: Cloud, there: tuple[str, Ledger]) -> None:
    prefix, ledger = there
    lock(aws, prefix, "test")
    keys = {each["Key"] for each in aws.client("s3").list_objects_v2(Bucket=ledger.bucket)["Contents"]}
    assert {PREVIEW_KEY, "lock.json"} <= keys
    assert ledger.entries(limit=5)[0]["verb"] == "site"
