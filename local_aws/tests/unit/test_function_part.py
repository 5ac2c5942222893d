"""The part that runs functions, with an engine whose containers are processes of this machine."""

from __future__ import annotations

import dataclasses
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest

from local_aws.ca import Authority
from local_aws.cloud import Cloud
from local_aws.functions.environments import NotRunError, Settings
from local_aws.parts import functions
from local_aws.patches import awslambda
from local_aws.tests.function_support import SETTINGS, Place, zipped

CODE = """
    import os
    def handler(event, context):
        print("key", os.environ["AWS_ACCESS_KEY_ID"][:4])
        return {"n": event.get("n"), "group": os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]}
"""


class Container:
    """A container that is a process."""

    def __init__(self, engine: Engine, given: dict[str, Any]) -> None:
        self.given, self.status = given, "created"
        self.files: dict[str, list[str]] = {}
        self.removed = False
        self._engine = engine
        self._place: Place | None = None
        self.attrs: dict[str, Any] = {}

    def put_archive(self, folder: str, packed: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            self.files[folder] = archive.getnames()
            archive.extractall(self._engine.folder)

    def start(self) -> None:
        if self._engine.broken:
            raise docker.errors.APIError("no such network")
        self._place = Place(self._engine.folder, self.given["command"], self.given["environment"])
        self.status = "running"
        address, port = self._place.url.removeprefix("http://").split(":")
        self._engine.monkeypatch.setattr(functions, "PORT", int(port))
        self.attrs = {"NetworkSettings": {"Networks": {self.given["network"]: {"IPAddress": address}}}}

    def reload(self) -> None:
        """It is always up to date."""

    def logs(self, tail: int) -> bytes:
        return f"the last {tail} lines".encode()

    def remove(self, *, force: bool, v: bool) -> None:
        assert force, v
        if self.removed:
            raise docker.errors.NotFound("gone")
        self.removed = True
        if self._place:
            self._place.remove()


class Engine:
    """Docker, as far as the part asks it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.made: list[Container] = []
        self.broken = False
        self.containers = SimpleNamespace(create=self.create)

    def create(self, image: str, **given: Any) -> Container:
        assert image == "berth/function:0123"
        self.made.append(Container(self, given))
        return self.made[-1]


@pytest.fixture
def engine(aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    made = Engine(tmp_path / "task", monkeypatch)
    made.folder.mkdir()
    monkeypatch.setattr("local_aws.images.ensure", lambda name: f"berth/{name}:0123")
    monkeypatch.setattr(functions, "authority", lambda _cloud: Authority(tmp_path))
    monkeypatch.setattr(aws, "_docker", made)
    yield made
    for container in made.made:
        if not container.removed:
            container.remove(force=True, v=True)


@pytest.fixture
def function(aws: Cloud) -> Settings:
    """A function with its role and log group."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    aws.client("logs").create_log_group(logGroupName="/shop/function")
    aws.client("lambda").create_function(
        FunctionName="shop", Role=role, Runtime="python3.13", Handler="app.handler", Code={"ZipFile": zipped(CODE)},
        MemorySize=256, Timeout=20, LoggingConfig={"LogGroup": "/shop/function"},
    )  # fmt: skip
    return awslambda.functions()["shop"]


@pytest.fixture
def part(aws: Cloud, engine: Engine) -> Iterator[functions.Functions]:
    del engine
    made = functions.Functions(aws)
    made.prepare()
    yield made
    made.close()


def logged(aws: Cloud) -> list[str]:
    """All that is in the function's log group."""
    events = aws.client("logs").filter_log_events(logGroupName="/shop/function")["events"]
    return [event["message"] for event in events]


def test_a_call_starts_a_container_with_what_lambda_gives(
    aws: Cloud, engine: Engine, function: Settings, part: functions.Functions
) -> None:
    assert [(line.ok, line.detail) for line in part.health()] == [(True, "cold")]
    answer = aws.client("lambda").invoke(FunctionName="shop", Payload=b'{"n": 1}')
    assert json.loads(answer["Payload"].read()) == {"n": 1, "group": "/shop/function"}
    assert [(line.name, line.detail) for line in part.health()] == [("function shop", "1 warm, 0 of them in a call")]
    (container,) = engine.made
    given = container.given
    assert given["command"] == ["--timeout", "20", "--arn", function.arn]
    assert given["mem_limit"] == given["memswap_limit"] == f"{256 + functions.SELF_MEMORY}m"
    assert given["dns"] == [aws.config.resolver]
    assert given["network"] == aws.config.network_name
    assert given["labels"] == {**aws.labels, functions.NAME_LABEL: "shop"}
    assert given["environment"]["AWS_SESSION_TOKEN"]
    assert given["environment"]["AWS_ACCESS_KEY_ID"].startswith("ASIA"), "of a role's session"
    assert container.files == {"/var/task": ["app.py"], "/run/local-aws": ["ca.pem"]}
    lines = logged(aws)
    assert lines[0].startswith("INIT_START")
    assert [line.split()[0] for line in lines[1:]] == ["START", "key", "END", "REPORT"]
    stream = given["environment"]["AWS_LAMBDA_LOG_STREAM_NAME"]
    assert aws.client("logs").describe_log_streams(logGroupName="/shop/function")["logStreams"][0][
        "logStreamName"
    ] == stream  # fmt: skip


def test_the_next_call_gets_the_same_container_until_the_function_changes(
    aws: Cloud, engine: Engine, function: Settings, part: functions.Functions
) -> None:
    del function
    for n in (1, 2):
        aws.client("lambda").invoke(FunctionName="shop", Payload=json.dumps({"n": n}).encode())
    assert len(engine.made) == 1
    assert len(logged(aws)) == 9, "five lines of a cold call, four of a warm one"
    part.reconcile()
    assert not engine.made[0].removed
    aws.client("lambda").update_function_code(FunctionName="shop", ZipFile=zipped("def handler(e, c): return 2"))
    part.reconcile()
    assert engine.made[0].removed
    assert aws.client("lambda").invoke(FunctionName="shop")["Payload"].read() == b"2"
    assert len(engine.made) == 2


def test_a_container_that_does_not_come_up_goes_and_is_said(
    aws: Cloud, engine: Engine, function: Settings, part: functions.Functions
) -> None:
    engine.broken = True
    with pytest.raises(NotRunError, match=r"shop does not run: its container did not come up: .*the last 5 lines"):
        part.run(function, b"{}")
    assert engine.made[0].removed
    (line,) = part.health()
    assert not line.ok
    assert "no such network" in line.detail
    engine.broken = False
    part.run(function, b"{}")
    assert part.health()[0].ok
    assert len(logged(aws)) == 5


def test_a_runtime_of_another_language_is_refused(
    engine: Engine, function: Settings, part: functions.Functions
) -> None:
    with pytest.raises(NotRunError, match="none of nodejs22"):
        part.run(dataclasses.replace(function, runtime="nodejs22.x"), b"{}")
    assert engine.made == []


def test_without_its_log_group_a_function_runs_all_the_same(
    aws: Cloud, engine: Engine, function: Settings, part: functions.Functions
) -> None:
    del engine
    aws.client("logs").delete_log_group(logGroupName="/shop/function")
    assert json.loads(part.run(function, b'{"n": 3}').payload)["n"] == 3


def test_status_says_where_a_function_is_reached(
    aws: Cloud, engine: Engine, function: Settings, part: functions.Functions
) -> None:
    del engine
    gateway = aws.client("apigatewayv2")
    api = gateway.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    gateway.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function.arn)
    (line,) = part.health()
    assert line.detail == f"http://{api}.execute-api.localhost:{aws.config.api_port}, cold"


def test_a_function_s_own_variables_give_way_to_lambda_s_but_may_name_authorities() -> None:
    settings = dataclasses.replace(SETTINGS, variables=(("AWS_REGION", "mars"), ("AWS_CA_BUNDLE", "/mine"), ("A", "b")))
    made = functions.environment(settings, "stream", {})
    assert (made["AWS_REGION"], made["AWS_CA_BUNDLE"], made["A"]) == ("us-east-1", "/mine", "b")
