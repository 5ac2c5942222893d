"""A provider of tokens through CloudFormation."""

from __future__ import annotations

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks

OIDC_PROVIDER = """
Resources:
  OIDCProvider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://token.example.com
      ClientIdList: [sts.amazonaws.com, old]
      ThumbprintList: ["0123456789012345678901234567890123456789"]
      Tags: [{Key: Team, Value: old}]
Outputs:
  Arn: {Value: !GetAtt OIDCProvider.Arn}
"""
ARN = "arn:aws:iam::123456789012:oidc-provider/token.example.com"


def test_oidc_provider_is_made_changed_and_let_go(aws: Cloud, stacks: Stacks) -> None:
    iam = aws.client("iam")
    assert stacks.made("one", OIDC_PROVIDER)["OIDCProvider"] == ARN
    made = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=ARN)
    assert (made["Url"], made["ClientIDList"]) == ("token.example.com", ["sts.amazonaws.com", "old"])
    assert made["ThumbprintList"] == ["0123456789012345678901234567890123456789"]

    other = OIDC_PROVIDER.replace("old", "new").replace("0123456789012345678901234567890123456789", "a" * 40)
    assert stacks.changed("one", other)["OIDCProvider"] == ARN
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=ARN)
    assert (found["ClientIDList"], found["ThumbprintList"]) == (["sts.amazonaws.com", "new"], ["a" * 40])
    assert {each["Key"]: each["Value"] for each in found["Tags"]}["Team"] == "new"

    assert stacks.delete("one")["StackStatus"] == "DELETE_COMPLETE"
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_a_provider_without_what_may_be_left_out(aws: Cloud, stacks: Stacks) -> None:
    bare = OIDC_PROVIDER.split("      ClientIdList", maxsplit=1)[0]
    assert stacks.made("one", bare)["OIDCProvider"] == ARN
    found = aws.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=ARN)
    assert found.get("ClientIDList", []) == []
