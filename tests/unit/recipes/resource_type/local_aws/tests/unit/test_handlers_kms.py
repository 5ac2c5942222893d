"""Keys through CloudFormation."""

from __future__ import annotations

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks

KEY = (
    "Resources: {Key: {Type: AWS::KMS::Key, Properties: {Description: one}}}\nOutputs: {Arn: {Value: !GetAtt Key.Arn}}"
)


def test_a_key_is_made_changed_and_let_go(aws: Cloud, stacks: Stacks) -> None:
    key = stacks.made("keys", KEY)["Key"]
    assert stacks.outputs("keys")["Arn"].endswith(f":key/{key}")
    kms = aws.client("kms")
    assert stacks.changed("keys", KEY.replace("one", "two"))["Key"] == key
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "two"
    assert stacks.delete("keys")["StackStatus"] == "DELETE_COMPLETE"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
