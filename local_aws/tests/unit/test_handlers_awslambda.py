"""Functions and their HTTP APIs in our CloudFormation: as templates have them, and changed in place."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.patches._moto import AwsError
from local_aws.tests.function_support import http_api
from local_aws.tests.stack_support import Stacks

FUNCTION = """
Parameters: {{Code: {{Type: String, Default: one.zip}}, Key: {{Type: String, Default: GET /items}}}}
Resources:
  Logs: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: /shop/function}}}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Code: {{S3Bucket: code, S3Key: !Ref Code}}
      Handler: app.handler
      Runtime: python3.13
      Timeout: "5"
      Role: arn:aws:iam::123456789012:role/function
      LoggingConfig: {{LogGroup: !Ref Logs}}
      Environment: {{Variables: {{A: b}}}}
      {function}
{http_api}Outputs:
  Name: {{Value: !Ref Function}}
  Arn: {{Value: !GetAtt Function.Arn}}
  Api: {{Value: !Ref Api}}
  Url: {{Value: !GetAtt Api.ApiEndpoint}}
  Route: {{Value: !Ref Route}}
"""


def body(**more: str) -> str:
    function = more.pop("function", "")
    return FUNCTION.format(function=function, http_api=http_api(route_key="!Ref Key", **more))


@pytest.fixture(autouse=True)
def _code(aws: Cloud) -> Iterator[None]:
    """A bucket with two zips, and a role."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    aws.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=policy)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="code")
    for name in ("one", "two"):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("app.py", f"handler = '{name}'")
        s3.put_object(Bucket="code", Key=f"{name}.zip", Body=made.getvalue())
    yield
    for name in ("one", "two"):
        s3.delete_object(Bucket="code", Key=f"{name}.zip")
    s3.delete_bucket(Bucket="code")  # moto remembers whose a name is beyond the test


def described(aws: Cloud, stacks: Stacks) -> dict[str, Any]:
    return dict(aws.client("lambda").get_function(FunctionName=stacks.outputs("shop")["Name"])["Configuration"])


def test_a_function_is_made_changed_in_place_and_deleted(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("shop", body())
    outputs, lambda_, gateway = stacks.outputs("shop"), aws.client("lambda"), aws.client("apigatewayv2")
    assert outputs["Name"].startswith("shop-Function-")
    before = described(aws, stacks)
    assert (before["FunctionArn"], before["Timeout"]) == (outputs["Arn"], 5)
    assert (before["LoggingConfig"], before["Environment"]) == (
        {"LogGroup": "/shop/function"}, {"Variables": {"A": "b"}},
    )  # fmt: skip
    assert outputs["Url"] == f"https://{outputs['Api']}.execute-api.us-east-1.amazonaws.com"
    (route,) = gateway.get_routes(ApiId=outputs["Api"])["Items"]
    (integration,) = gateway.get_integrations(ApiId=outputs["Api"])["Items"]
    (stage,) = gateway.get_stages(ApiId=outputs["Api"])["Items"]
    assert (route["RouteKey"], route["Target"]) == ("GET /items", f"integrations/{integration['IntegrationId']}")
    assert (integration["IntegrationUri"], integration["PayloadFormatVersion"]) == (outputs["Arn"], "2.0")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    policy = lambda_.get_policy(FunctionName=outputs["Name"])["Policy"]
    assert "apigateway.amazonaws.com" in policy
    assert outputs["Api"] in policy

    changed = body(function="MemorySize: 256", integration="Description: more").replace(
        "Variables: {A: b}", "Variables: {}"
    )
    after = stacks.update("shop", changed, {"Code": "two.zip", "Key": "GET /all"})
    assert after["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.outputs("shop") == outputs, "nothing was replaced"
    found = described(aws, stacks)
    assert (found["MemorySize"], found.get("Environment")) == (256, None)
    assert found["CodeSha256"] != before["CodeSha256"]
    assert found["LoggingConfig"] == {"LogGroup": "/shop/function"}
    assert [each["RouteKey"] for each in gateway.get_routes(ApiId=outputs["Api"])["Items"]] == ["GET /all"]
    assert gateway.get_integrations(ApiId=outputs["Api"])["Items"][0]["Description"] == "more"

    assert stacks.delete("shop")["StackStatus"] == "DELETE_COMPLETE"
    assert lambda_.list_functions()["Functions"] == gateway.get_apis()["Items"] == []


def test_tags_of_the_stack_are_on_function_and_api(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("shop", body(function="Tags: [{Key: One, Value: a}]", api=", Tags: {One: a}"))
    outputs = stacks.outputs("shop")
    assert aws.client("lambda").list_tags(Resource=outputs["Arn"])["Tags"]["One"] == "a"
    assert aws.client("apigatewayv2").get_api(ApiId=outputs["Api"])["Tags"]["One"] == "a"
    again = body(
        function="Tags: [{Key: Two, Value: b}]", api=", Tags: {Two: b}, CorsConfiguration: {AllowOrigins: ['*']}"
    )
    assert stacks.update("shop", again)["StackStatus"] == "UPDATE_COMPLETE"
    tags = aws.client("lambda").list_tags(Resource=outputs["Arn"])["Tags"]
    found = aws.client("apigatewayv2").get_api(ApiId=outputs["Api"])
    assert (tags.get("One"), tags["Two"], found["Tags"].get("One"), found["Tags"]["Two"]) == (None, "b", None, "b")
    assert found["CorsConfiguration"] == {"AllowOrigins": ["*"]}
    assert stacks.update("shop", body())["StackStatus"] == "UPDATE_COMPLETE"
    assert "CorsConfiguration" not in aws.client("apigatewayv2").get_api(ApiId=outputs["Api"])


def test_a_function_is_never_run_by_moto(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.awslambda.models import lambda_backends
    from moto.utilities.docker_utilities import DockerModel

    def engine(_self: object) -> None:
        raise AssertionError("a container would be started")

    monkeypatch.setattr(DockerModel, "docker_client", property(engine))
    stacks.made("shop", body())
    name = stacks.outputs("shop")["Name"]
    with pytest.raises(ClientError, match="runs no functions: it was started without that part"):
        aws.client("lambda").invoke(FunctionName=name)
    function = lambda_backends["123456789012"]["us-east-1"].get_function(name)
    with pytest.raises(AwsError, match="runs functions when they are called only"):
        function._invoke_lambda("{}")  # as moto does for a message or an event


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"function": "ReservedConcurrentExecutions: 1"}, "ReservedConcurrentExecutions is not in the embedded AWS"),
        ({"api": ", BasePath: /x"}, "BasePath is not in the embedded AWS"),
        ({"integration": "ConnectionType: INTERNET"}, "ConnectionType is not in the embedded AWS"),
        ({"route": ", OperationName: x"}, "OperationName is not in the embedded AWS"),
        ({"stage": ", Description: x"}, "Description is not in the embedded AWS"),
        ({"permission": "PrincipalOrgID: o-1234567890"}, "PrincipalOrgID is not in the embedded AWS"),
    ],
    ids=["function", "api", "integration", "route", "stage", "permission"],
)
def test_what_the_embedded_aws_does_not_know_is_refused(stacks: Stacks, more: dict[str, str], said: str) -> None:
    assert stacks.create("shop", body(**more))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert said in str(stacks.events("shop"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "python3.13",
            "nodejs22.x",
            "runs functions of python3.… only, all by Debian's Python, and none of nodejs22.x",
        ),
        ("ProtocolType: HTTP", "ProtocolType: WEBSOCKET", "has ProtocolType HTTP only, not 'WEBSOCKET'"),
        ("AWS_PROXY", "HTTP_PROXY", "has IntegrationType AWS_PROXY only, not 'HTTP_PROXY'"),
        ('PayloadFormatVersion: "2.0"', 'PayloadFormatVersion: "1.0"', "has PayloadFormatVersion 2.0 only, not '1.0'"),
        ('PayloadFormatVersion: "2.0"', "", "has PayloadFormatVersion 2.0 only, not ''"),
        ("RouteKey: !Ref Key,", "RouteKey: !Ref Key, AuthorizationType: AWS_IAM,", "AuthorizationType NONE only"),
        ("StageName: $default", "StageName: live", "has StageName $default only, not 'live'"),
        (", AutoDeploy: true", "", "has AutoDeploy true only, not ''"),
    ],
)
def test_a_value_that_the_embedded_aws_has_not_is_refused(stacks: Stacks, old: str, new: str, said: str) -> None:
    wanted = body().replace(old, new)
    assert wanted != body()
    assert stacks.create("shop", wanted)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(said in reason for _, _, reason in stacks.events("shop"))


def test_a_stage_that_changes_is_refused(stacks: Stacks) -> None:
    stacks.made("shop", body())
    changed = body().replace("AutoDeploy: true", "AutoDeploy: false")
    assert stacks.update("shop", changed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "the embedded AWS has AutoDeploy true only" in str(stacks.events("shop"))


def test_a_route_that_is_there_is_not_made_twice(stacks: Stacks) -> None:
    route = "Properties: {ApiId: !Ref Api, RouteKey: GET /items}"
    other = f"  Other: {{Type: AWS::ApiGatewayV2::Route, DependsOn: Route, {route}}}\n"
    twice = body().replace("Outputs:\n", f"{other}Outputs:\n")
    assert stacks.create("shop", twice)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Route with key GET /items already exists" in str(stacks.events("shop"))
