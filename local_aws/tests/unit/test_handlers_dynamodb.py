"""Tables in our CloudFormation: their properties reach DynamoDB, and what DynamoDB refuses fails the stack."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks

TABLE = """
Parameters: {{Tag: {{Type: String, Default: one}}}}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
      KeySchema: [{{AttributeName: id, KeyType: HASH}}]
      Tags: [{{Key: Tag, Value: !Ref Tag}}]
      {more}
Outputs:
  Name: {{Value: !Ref Table}}
  Arn: {{Value: !GetAtt Table.Arn}}
"""


def body(more: str = "") -> str:
    return TABLE.format(more=more)


def described(aws: Cloud, name: str) -> dict[str, Any]:
    return dict(aws.client("dynamodb").describe_table(TableName=name)["Table"])


def test_a_table_is_made_changed_in_place_and_deleted(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("shop", body())
    outputs, dynamodb = stacks.outputs("shop"), aws.client("dynamodb")
    name = outputs["Name"]
    assert name.startswith("shop-Table-")
    assert described(aws, name)["TableArn"] == outputs["Arn"]
    assert described(aws, name)["DeletionProtectionEnabled"] is False

    more = "PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}"
    assert stacks.update("shop", body(more), {"Tag": "two"})["StackStatus"] == "UPDATE_COMPLETE"
    recovery = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    tags = dynamodb.list_tags_of_resource(ResourceArn=outputs["Arn"])["Tags"]
    assert {each["Key"]: each["Value"] for each in tags}["Tag"] == "two"
    assert stacks.outputs("shop") == outputs

    assert stacks.update("shop", body())["StackStatus"] == "UPDATE_COMPLETE"
    recovery = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    assert stacks.delete("shop")["StackStatus"] == "DELETE_COMPLETE"
    assert dynamodb.list_tables()["TableNames"] == []


def test_a_protected_table_is_not_deleted_with_its_stack(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("shop", body("DeletionProtectionEnabled: true"))
    name = stacks.outputs("shop")["Name"]
    assert stacks.delete("shop")["StackStatus"] == "DELETE_FAILED"
    aws.client("dynamodb").update_table(TableName=name, DeletionProtectionEnabled=False)
    assert stacks.delete("shop")["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("StreamSpecification: {StreamViewType: KEYS_ONLY}", "StreamSpecification is not in the embedded AWS"),
        (
            "GlobalSecondaryIndexes: [{IndexName: all, KeySchema: [{AttributeName: id, KeyType: HASH}], Projection: "
            "{ProjectionType: ALL}, OnDemandThroughput: {MaxReadRequestUnits: 1}}]",
            "OnDemandThroughput is not in the embedded AWS",
        ),
    ],
)
def test_what_the_embedded_aws_does_not_know_is_refused(stacks: Stacks, more: str, said: str) -> None:
    assert stacks.create("shop", body(more))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert said in str(stacks.events("shop"))


def test_a_table_of_capacity_is_refused(stacks: Stacks) -> None:
    capacity = "ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}"
    provisioned = body(capacity).replace("BillingMode: PAY_PER_REQUEST", "BillingMode: PROVISIONED")
    assert stacks.create("shop", provisioned)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "is not in the embedded AWS" in str(stacks.events("shop"))
    assert (
        stacks.create("other", body().replace("PAY_PER_REQUEST", "PROVISIONED"))["StackStatus"] == "ROLLBACK_COMPLETE"
    )
    assert "tables of BillingMode PAY_PER_REQUEST only" in str(stacks.events("other"))


def test_what_does_not_change_here_is_refused_and_put_back(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("shop", body())
    encrypted = body("SSESpecification: {SSEEnabled: true}")
    assert stacks.update("shop", encrypted)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "SSESpecification does not change in the embedded AWS" in str(stacks.events("shop"))
    assert "SSEDescription" not in described(aws, stacks.outputs("shop")["Name"])


def test_a_change_set_says_of_an_attribute_that_it_may_replace_and_of_another_type_that_it_does(
    stacks: Stacks,
) -> None:
    """As the property's documentation does, which the schema's list leaves out."""
    stacks.made("shop", body())
    more = "[{AttributeName: id, AttributeType: S}, {AttributeName: at, AttributeType: N}]"
    index = (
        "GlobalSecondaryIndexes: [{IndexName: by_at, KeySchema: [{AttributeName: at, KeyType: HASH}], "
        "Projection: {ProjectionType: KEYS_ONLY}}]"
    )
    one = "[{AttributeName: id, AttributeType: S}]"
    for given, replacement in (
        (body(index).replace(one, more), "Conditional"),
        (body().replace(one, one.replace("S}", "N}")), "True"),
    ):
        asked = {"StackName": "shop", "TemplateBody": given, "ChangeSetName": f"c{replacement}"}
        made = stacks.api.create_change_set(**asked, ChangeSetType="UPDATE")["Id"]
        stacks.api.get_waiter("change_set_create_complete").wait(ChangeSetName=made, WaiterConfig={"Delay": 1})
        (change,) = stacks.api.describe_change_set(ChangeSetName=made)["Changes"]
        assert change["ResourceChange"]["Replacement"] == replacement
