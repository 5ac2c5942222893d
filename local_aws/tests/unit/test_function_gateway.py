"""HTTP APIs of stacks: their functions are called by the APIs' addresses, and answered for."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.functions.environments import NotRunError, Outcome, Settings, ThrottledError
from local_aws.patches import awslambda
from local_aws.tests.function_support import Asked, http_api, runner, zipped
from local_aws.tests.stack_support import Stacks

TEMPLATE = """
Parameters: {{Code: {{Type: String, Default: one.zip}}}}
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Code: {{S3Bucket: code, S3Key: !Ref Code}}
      Handler: app.handler
      Runtime: python3.13
      Timeout: 20
      Role: arn:aws:iam::123456789012:role/function
      LoggingConfig: {{LogGroup: /shop/function}}
{http_api}Outputs:
  Name: {{Value: !Ref Function}}
  Url: {{Value: !GetAtt Api.ApiEndpoint}}
"""
CODE = {
    "one": """
        import json
        def handler(event, context):
            print("asked for", event["pathParameters"]["id"])
            return {"statusCode": 201, "headers": {"x-route": event["routeKey"]}, "body": event["rawPath"]}
    """,
    "two": "def handler(event, context): raise ValueError('two')",
}


@pytest.fixture
def site(aws: Cloud, stacks: Stacks) -> Iterator[Stacks]:
    """A bucket with two zips, a role, and a stack as a site's function has it."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    aws.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=policy)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="code")
    for name, text in CODE.items():
        s3.put_object(Bucket="code", Key=f"{name}.zip", Body=zipped(text))
    yield stacks
    for name in CODE:
        s3.delete_object(Bucket="code", Key=f"{name}.zip")
    s3.delete_bucket(Bucket="code")  # moto remembers whose a name is beyond the test


def template(**more: str) -> str:
    return TEMPLATE.format(http_api=http_api(route_key='"GET /items/{id}"', **more))


@pytest.fixture
def asked(aws: Cloud, apis: Any) -> Iterator[Asked]:
    made = Asked(aws, apis)
    yield made
    made.stop()


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What functions answer, in the order of their calls: payloads, outcomes, and exceptions that are raised."""
    given: list[Any] = []

    def run(_settings: Settings, _event: bytes) -> Outcome:
        outcome = given.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, Outcome) else Outcome(json.dumps(outcome).encode())

    monkeypatch.setattr(awslambda, "runner", run)
    return given


def name(stacks: Stacks) -> str:
    """The API's name in AWS's domain."""
    return stacks.outputs("shop")["Url"].removeprefix("https://")


def test_a_function_of_a_stack_runs_when_its_api_is_asked(
    aws: Cloud, site: Stacks, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the zip in its bucket to the answer; the runtime is a process of this machine."""
    ran = runner(tmp_path, monkeypatch)
    site.made("shop", template())
    answer = asked.ask(name(site), "/items/7?a=1")
    assert (answer.status, answer.headers["x-route"], answer.read()) == (201, "GET /items/{id}", b"/items/7")
    assert "asked for 7" in [line for _, line in ran[-1].log]
    site.changed("shop", template(), {"Code": "two.zip"})
    answer = asked.ask(name(site), "/items/7")
    assert (answer.status, answer.read()) == (500, b'{"message":"Internal Server Error"}')
    invoked = aws.client("lambda").invoke(FunctionName=site.outputs("shop")["Name"], Payload=b"{}", LogType="Tail")
    assert invoked["FunctionError"] == "Unhandled"
    assert json.loads(invoked["Payload"].read())["errorMessage"] == "two"
    assert b"[ERROR] ValueError: two" in base64.b64decode(invoked["LogResult"])


@pytest.mark.parametrize("host", ["{api}.execute-api.localhost:4566", "{api}.execute-api.us-east-1.amazonaws.com"])
def test_an_api_is_known_by_its_names(site: Stacks, asked: Asked, outcomes: list[Any], host: str) -> None:
    site.made("shop", template())
    api = name(site).partition(".")[0]
    outcomes.append("there")
    answer = asked.ask(host.format(api=api), "/items/1")
    assert (answer.status, answer.read()) == (200, b"there")
    assert re.fullmatch(r"\w+", answer.headers["apigw-requestid"])
    outcomes.append("there")
    head = asked.ask(host.format(api=api), "/items/1", "HEAD")
    assert head.status == 404, "a route of GET does not take HEAD"


def test_what_no_api_or_route_takes_is_not_found(site: Stacks, asked: Asked, outcomes: list[Any]) -> None:
    site.made("shop", template())
    for host, path, method in (
        ("nobody.execute-api.localhost", "/items/1", "GET"),
        (name(site), "/items", "GET"),
        (name(site), "/items/1", "POST"),
    ):
        answer = asked.ask(host, path, method)
        assert (answer.status, answer.read()) == (404, b'{"message":"Not Found"}')
    assert outcomes == [], "nothing ran"


@pytest.mark.parametrize(
    ("outcome", "status", "message"),
    [
        (Outcome(b'{"errorType": "ValueError"}', "ValueError"), 500, "Internal Server Error"),
        (Outcome(b'{"errorType": "Sandbox.Timedout"}', "Sandbox.Timedout"), 503, "Service Unavailable"),
        ({"statusCode": "fine"}, 500, "Internal Server Error"),
        (NotRunError("no container"), 500, "Internal Server Error"),
        (ThrottledError("too many"), 500, "Internal Server Error"),
    ],
    ids=["raised", "timed-out", "malformed", "not-run", "throttled"],
)
def test_a_function_that_fails_is_answered_for(
    site: Stacks, asked: Asked, outcomes: list[Any], outcome: Any, status: int, message: str
) -> None:
    site.made("shop", template())
    outcomes.append(outcome)
    answer = asked.ask(name(site), "/items/1")
    assert (answer.status, json.loads(answer.read())) == (status, {"message": message})


def test_an_api_waits_for_its_integration_s_time(site: Stacks, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def run(_settings: Settings, _event: bytes) -> Outcome:
        done.wait(30)
        return Outcome(b"1")

    monkeypatch.setattr(awslambda, "runner", run)
    site.made("shop", template(integration="TimeoutInMillis: 100"))
    answer = asked.ask(name(site), "/items/1")
    done.set()
    assert (answer.status, answer.read()) == (503, b'{"message":"Service Unavailable"}')


@pytest.mark.parametrize(("source", "status"), [("*", 200), ("$default/GET/items/{id}", 200), ("*/POST/*", 500)])
def test_a_function_is_called_with_its_permission_only(
    site: Stacks, asked: Asked, outcomes: list[Any], source: str, status: int
) -> None:
    site.made("shop", template(source=source))
    outcomes.append("there")
    assert asked.ask(name(site), "/items/1").status == status


def test_an_api_of_another_function_may_not_call_it(site: Stacks, asked: Asked, outcomes: list[Any]) -> None:
    site.made("shop", template().replace("${Api}/*", "other/*"))
    outcomes.append("there")
    assert asked.ask(name(site), "/items/1").status == 500


def test_the_apis_are_asked_by_all_other_names(aws: Cloud, asked: Asked) -> None:
    endpoint = dataclasses.replace(aws.config, api_port=asked.port)
    assert Cloud(endpoint).client("sts").get_caller_identity()["Account"] == "123456789012"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [(NotRunError("no container"), "no container"), (ThrottledError("10 calls"), "TooManyRequestsException.*10 calls")],
)
def test_an_invoke_that_runs_nothing_says_why(
    aws: Cloud, site: Stacks, outcomes: list[Any], outcome: Exception, said: str
) -> None:
    site.made("shop", template())
    outcomes += [outcome] * 5  # an SDK tries again
    with pytest.raises(ClientError, match=said):
        aws.client("lambda").invoke(FunctionName=site.outputs("shop")["Name"])


def test_an_invoke_is_answered_and_an_asynchronous_one_refused(aws: Cloud, site: Stacks, outcomes: list[Any]) -> None:
    site.made("shop", template())
    function = site.outputs("shop")["Name"]
    outcomes.append({"a": 1})
    answer = aws.client("lambda").invoke(FunctionName=function, Payload=b'{"x": 1}')
    assert json.loads(answer["Payload"].read()) == {"a": 1}
    assert "FunctionError" not in answer
    assert aws.client("lambda").invoke(FunctionName=function, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(ClientError, match="no calls of InvocationType Event"):
        aws.client("lambda").invoke(FunctionName=function, InvocationType="Event")
