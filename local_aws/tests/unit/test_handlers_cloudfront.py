"""A CDN in our CloudFormation: all that a template says of it reaches CloudFront, which refuses what AWS refuses."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.patches.route53 import ZONE_ID
from local_aws.tests.stack_support import Stacks

NAME = "shop.berth.localhost"
EDGE = """
Parameters: {{Arn: {{Type: String}}, Tag: {{Type: String, Default: one}}, Seconds: {{Type: Number, Default: 60}}}}
Resources:
  Kept:
    Type: AWS::CloudFront::CachePolicy
    Properties:
      CachePolicyConfig:
        Name: kept
        MinTTL: 0
        DefaultTTL: !Ref Seconds
        MaxTTL: !Ref Seconds
        ParametersInCacheKeyAndForwardedToOrigin:
          EnableAcceptEncodingGzip: true
          HeadersConfig: {{HeaderBehavior: whitelist, Headers: [Host]}}
          CookiesConfig: {{CookieBehavior: none}}
          QueryStringsConfig: {{QueryStringBehavior: all}}
  Headers:
    Type: AWS::CloudFront::ResponseHeadersPolicy
    Properties:
      ResponseHeadersPolicyConfig:
        Name: headers
        RemoveHeadersConfig: {{Items: [{{Header: Set-Cookie}}]}}
        SecurityHeadersConfig: {{ContentTypeOptions: {{Override: true}}}}
  Access:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig:
        {{Name: access, OriginAccessControlOriginType: s3, SigningBehavior: always, SigningProtocol: sigv4}}
  Rewrite:
    Type: AWS::CloudFront::Function
    Properties:
      Name: rewrite
      AutoPublish: true
      FunctionConfig: {{Comment: files, Runtime: cloudfront-js-2.0}}
      FunctionCode: "function handler(event) {{ return event.request; }} // {code}"
  Cdn:
    Type: AWS::CloudFront::Distribution
    Properties:
      Tags: [{{Key: Tag, Value: !Ref Tag}}]
      DistributionConfig:
        Enabled: true
        HttpVersion: http2and3
        IPV6Enabled: true
        Aliases: [{name}]
        ViewerCertificate: {{AcmCertificateArn: !Ref Arn, SslSupportMethod: sni-only}}
        Origins:
          - Id: alb
            DomainName: alb.test
            CustomOriginConfig: {{OriginProtocolPolicy: https-only, OriginSSLProtocols: [TLSv1.2]}}
            OriginCustomHeaders: [{{HeaderName: X-Secret, HeaderValue: s3cret}}]
          - Id: files
            DomainName: files.s3.us-east-1.amazonaws.com
            OriginAccessControlId: !Ref Access
            S3OriginConfig: {{OriginAccessIdentity: ""}}
        DefaultCacheBehavior:
          TargetOriginId: alb
          ViewerProtocolPolicy: redirect-to-https
          AllowedMethods: [GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE]
          CachePolicyId: !Ref Kept
          ResponseHeadersPolicyId: !Ref Headers
        CacheBehaviors:
          - PathPattern: /static/*
            TargetOriginId: files
            ViewerProtocolPolicy: https-only
            CachePolicyId: 658327ea-f89d-4fab-a63d-7e88639e58f6
            FunctionAssociations: [{{EventType: viewer-request, FunctionARN: !GetAtt Rewrite.FunctionARN}}]
        CustomErrorResponses: [{{ErrorCode: 502, ResponseCode: 502, ResponsePagePath: /gone.html}}]
        {more}
Outputs:
  Id: {{Value: !Ref Cdn}}
  DomainName: {{Value: !GetAtt Cdn.DomainName}}
  Policy: {{Value: !Ref Kept}}
"""
CERTIFICATE = """
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties:
      DomainName: {name}
      ValidationMethod: DNS
      DomainValidationOptions: [{{DomainName: {name}, HostedZoneId: {zone}}}]
Outputs:
  Arn: {{Value: !Ref Certificate}}
"""


def body(more: str = "", name: str = NAME, code: str = "") -> str:
    return EDGE.format(more=more, name=name, code=code)


@pytest.fixture
def certificate(stacks: Stacks) -> str:
    """ARN of one in us-east-1."""
    stacks.made("certificate", CERTIFICATE.format(name=NAME, zone=ZONE_ID))
    return str(stacks.outputs("certificate")["Arn"])


def config(aws: Cloud, stacks: Stacks) -> dict[str, Any]:
    found = aws.client("cloudfront").get_distribution_config(Id=stacks.outputs("edge")["Id"])
    return dict(found["DistributionConfig"])


def reasons(stacks: Stacks, name: str) -> str:
    return " ".join(reason for _, _, reason in stacks.events(name))


def test_a_distribution_is_made_changed_and_deleted_with_what_it_names(
    aws: Cloud, stacks: Stacks, certificate: str
) -> None:
    cloudfront = aws.client("cloudfront")
    stacks.made("edge", body(), {"Arn": certificate})
    outputs = stacks.outputs("edge")
    assert outputs["DomainName"].endswith(".cloudfront.net")
    made = config(aws, stacks)
    assert made["Aliases"] == {"Quantity": 1, "Items": [NAME]}
    alb, files = made["Origins"]["Items"]
    assert alb["CustomHeaders"]["Items"] == [{"HeaderName": "X-Secret", "HeaderValue": "s3cret"}]
    assert alb["CustomOriginConfig"]["OriginSslProtocols"]["Items"] == ["TLSv1.2"]
    assert cloudfront.get_origin_access_control(Id=files["OriginAccessControlId"])["ETag"]
    (static,) = made["CacheBehaviors"]["Items"]
    assert static["FunctionAssociations"]["Items"][0]["FunctionARN"].endswith(":function/rewrite")
    assert len(made["DefaultCacheBehavior"]["AllowedMethods"]["Items"]) == 7
    assert made["CustomErrorResponses"]["Items"][0]["ResponsePagePath"] == "/gone.html"
    policy = cloudfront.get_cache_policy(Id=outputs["Policy"])["CachePolicy"]["CachePolicyConfig"]
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["HeadersConfig"]["Headers"] == {"Quantity": 1, "Items": ["Host"]}

    more = "PriceClass: PriceClass_100"
    updated = stacks.update("edge", body(more, code="two"), {"Arn": certificate, "Tag": "two", "Seconds": "90"})
    assert updated["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.outputs("edge") == outputs, "changed in place"
    assert config(aws, stacks)["PriceClass"] == "PriceClass_100"
    policy = cloudfront.get_cache_policy(Id=outputs["Policy"])["CachePolicy"]["CachePolicyConfig"]
    assert policy["DefaultTTL"] == 90
    arn = cloudfront.get_distribution(Id=outputs["Id"])["Distribution"]["ARN"]
    tags = {each["Key"]: each["Value"] for each in cloudfront.list_tags_for_resource(Resource=arn)["Tags"]["Items"]}
    assert tags["Tag"] == "two"

    assert stacks.delete("edge")["StackStatus"] == "DELETE_COMPLETE"
    assert "Items" not in cloudfront.list_distributions()["DistributionList"]
    with pytest.raises(ClientError, match="NoSuchCachePolicy"):
        cloudfront.get_cache_policy(Id=outputs["Policy"])


def test_what_aws_refuses_of_a_distribution_fails_its_stack(aws: Cloud, stacks: Stacks, certificate: str) -> None:
    other = aws.client("acm", "eu-west-1").request_certificate(DomainName=NAME, ValidationMethod="DNS")
    refused = {
        "isn't in us-east-1 region": (body(), other["CertificateArn"]),
        "doesn't cover the alternate domain name": (body(name="www.other.test"), certificate),
        "Staging of DistributionConfig is not in the embedded AWS": (body("Staging: true"), certificate),
        "must be a web ACL of the scope CLOUDFRONT": (body("WebACLId: x"), certificate),
        "NoSuchCachePolicy": (body().replace("658327ea", "00000000"), certificate),
        "origins or origin groups do not exist": (body().replace("OriginId: files", "OriginId: x"), certificate),
    }
    for number, (why, (template, arn)) in enumerate(refused.items()):
        assert stacks.create(f"refused-{number}", template, {"Arn": arn})["StackStatus"] == "ROLLBACK_COMPLETE", why
        assert why in reasons(stacks, f"refused-{number}")


def test_what_is_in_use_is_not_deleted(aws: Cloud, stacks: Stacks, certificate: str) -> None:
    cloudfront = aws.client("cloudfront")
    stacks.made("edge", body(), {"Arn": certificate})
    policy = cloudfront.get_cache_policy(Id=stacks.outputs("edge")["Policy"])
    with pytest.raises(ClientError, match="CachePolicyInUse"):
        cloudfront.delete_cache_policy(Id=policy["CachePolicy"]["Id"], IfMatch=policy["ETag"])
    with pytest.raises(ClientError, match="PreconditionFailed"):
        cloudfront.delete_cache_policy(Id=policy["CachePolicy"]["Id"], IfMatch="another")
    with pytest.raises(ClientError, match="FunctionInUse"):
        cloudfront.delete_function(Name="rewrite", IfMatch=cloudfront.describe_function(Name="rewrite")["ETag"])
    found = cloudfront.get_distribution(Id=stacks.outputs("edge")["Id"])
    with pytest.raises(ClientError, match="DistributionNotDisabled"):
        cloudfront.delete_distribution(Id=found["Distribution"]["Id"], IfMatch=found["ETag"])
    with pytest.raises(ClientError, match="ResourceInUseException"):
        aws.client("acm").delete_certificate(CertificateArn=certificate)
    second = body().replace("Name: kept", "Name: more").replace("Name: headers", "Name: others")
    second = second.replace("Name: rewrite", "Name: another").replace("Name: access", "Name: entry")
    refused = stacks.create("second", second, {"Arn": certificate})
    assert refused["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "CNAMEAlreadyExists" in reasons(stacks, "second")


def test_where_something_should_answer_a_distribution_is_refused(
    stacks: Stacks, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never pretended: a site that is led through one would be gone."""
    monkeypatch.setattr("local_aws.patches.cloudfront.recorded", False)
    assert stacks.create("edge", body(), {"Arn": certificate})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "The embedded AWS has no CDN" in reasons(stacks, "edge")
