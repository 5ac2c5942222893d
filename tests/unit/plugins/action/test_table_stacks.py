"""Tables deployed by our CloudFormation: their settings, what changes while they are up, and what would lose one."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from tests.unit.noun_support import Deployed, made
from tests.unit.plugin_support import talk_to

NAME = "table.items"
OWNER = {"by_owner": {"partition_key": "owner", "projection": ["title"]}}
STATE = {"by_state": {"partition_key": "state", "sort_key": "at", "projection": "keys_only"}}


def layer(**given: Any) -> dict[str, Any]:
    """The layer of a table with these keys."""
    keys: dict[str, Any] = {"partition_key": "id", "sort_key": {"name": "at", "type": "number"}}
    return made({"site_tables": {"items": keys | given}}, ("table",))[NAME]


@pytest.fixture
def site(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    talk_to(aws, monkeypatch)
    return Deployed(aws, stacks)


def table(site: Deployed, name: str = "") -> dict[str, Any]:
    """The table as DynamoDB describes it."""
    asked = name or site.stacks.outputs("shop-unit-table-items")["TableName"]
    return dict(site.aws.client("dynamodb").describe_table(TableName=asked)["Table"])


def indexes(site: Deployed) -> list[str]:
    return [each["IndexName"] for each in table(site)["GlobalSecondaryIndexes"]]


def goes(site: Deployed, **given: Any) -> dict[str, Any]:
    """A deployment that must succeed."""
    result = site.run(NAME, layer(**given))
    assert not result.get("failed"), result["msg"]
    return result


def test_a_table_is_made_as_its_entry_says_and_protected_once_it_is_there(site: Deployed) -> None:
    site.create(NAME, layer(ttl="gone", global_secondary_indexes=OWNER | STATE))
    found, dynamodb = table(site), site.aws.client("dynamodb")
    assert found["TableName"].startswith("shop-unit-table-items-Table-")
    assert found["TableArn"] == site.outputs[f"{NAME}.TableArn"]
    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert found["SSEDescription"]["Status"] == "ENABLED"
    assert found["DeletionProtectionEnabled"] is True
    assert indexes(site) == ["by_owner", "by_state"]
    name = found["TableName"]
    recovery = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "gone"}
    tables = site.aws.client("cloudformation").describe_stacks(StackName="shop-unit-table-items")["Stacks"]
    assert tables[0]["EnableTerminationProtection"] is True


def test_one_index_comes_or_goes_while_the_table_is_up(site: Deployed) -> None:
    before = site.create(NAME, layer())
    looked = site.run(NAME, layer(global_secondary_indexes=OWNER), check=True)
    assert looked["refusal"] == ""
    (shown,) = looked["diff"]
    assert "REPLACED" not in shown["prepared"]
    goes(site, global_secondary_indexes=OWNER)
    assert indexes(site) == ["by_owner"]
    goes(site, global_secondary_indexes=OWNER | STATE)
    assert not goes(site, global_secondary_indexes=STATE | OWNER)["changed"], "their order says nothing"
    goes(site, global_secondary_indexes=STATE)
    assert indexes(site) == ["by_state"]
    types = {each["AttributeName"]: each["AttributeType"] for each in table(site)["AttributeDefinitions"]}
    assert types == {"id": "S", "at": "N", "state": "S"}
    assert site.stacks.physical("shop-unit-table-items") == before


def test_items_expire_no_more_without_the_line_and_by_another_attribute_after_that(site: Deployed) -> None:
    site.create(NAME, layer(ttl="gone"))
    dynamodb, name = site.aws.client("dynamodb"), table(site)["TableName"]

    def expires() -> dict[str, str]:
        return dict(dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"])

    assert goes(site)["changed"]
    assert expires() == {"TimeToLiveStatus": "DISABLED"}
    assert not goes(site)["changed"]
    goes(site, ttl="expires")
    assert expires() == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    # What preflight refuses beforehand; CloudFormation puts back what was.
    assert "active on a different AttributeName" in site.run(NAME, layer(ttl="gone"))["msg"]
    assert expires() == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"partition_key": "name"}, "KeySchema"),
        ({"sort_key": "title"}, "KeySchema"),
        ({"partition_key": {"name": "id", "type": "number"}}, "AttributeDefinitions"),
        (
            {"global_secondary_indexes": {"by_owner": {"partition_key": {"name": "owner", "type": "number"}}}},
            "AttributeDefinitions",
        ),
    ],
    ids=["another key", "another sort key", "another type of a key", "another type of an index's key"],
)
def test_what_would_make_a_new_empty_table_is_refused_until_it_is_named(
    site: Deployed, given: dict[str, Any], why: str
) -> None:
    site.create(NAME, layer(global_secondary_indexes={"by_owner": {"partition_key": "owner"}}))
    old = table(site)["TableName"]
    given = {"global_secondary_indexes": {"by_owner": {"partition_key": "owner"}}} | given
    for check in (True, False):
        result = site.run(NAME, layer(**given), check=check)
        said = result["msg"]
        assert f"{old}: table.items.Table (AWS::DynamoDB::Table) would be replaced, because of" in said
        assert why in said
        assert said.endswith(f"site_remove: [{old}]")
    assert table(site)["TableName"] == old

    assert not site.run(NAME, layer(**given), remove=[old]).get("failed")
    assert table(site)["TableName"] != old
    assert table(site)["DeletionProtectionEnabled"] is True
    assert table(site, old)["DeletionProtectionEnabled"] is True, "the old one is kept, as it was"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, OWNER | STATE, "more than one GSI"),
        (OWNER | STATE, {}, "more than one GSI"),
        (OWNER, STATE, "more than one GSI"),
        (OWNER, {"by_owner": {"partition_key": "owner"}}, "Cannot update GSI's properties"),
    ],
    ids=["two come", "two go", "one for another", "another projection"],
)
def test_what_dynamodb_does_not_do_to_indexes_leaves_the_table_as_it_was(
    site: Deployed, before: dict[str, Any], after: dict[str, Any], said: str
) -> None:
    """Preflight refuses it before it comes to that."""
    site.create(NAME, layer(global_secondary_indexes=before))
    result = site.run(NAME, layer(global_secondary_indexes=after))
    assert said in result["msg"]
    assert indexes(site) == sorted(before)
    assert not goes(site, global_secondary_indexes=before)["changed"]
