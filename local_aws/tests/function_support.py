"""Execution environments without containers: the files of the image, run as processes of this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import io
import os
import socket
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from local_aws import images
from local_aws.cloud import Cloud
from local_aws.functions.environments import Environment, Outcome, Settings, call, wait
from local_aws.functions.gateway import Gateway, middleware
from local_aws.parts.functions import environment
from local_aws.patches import awslambda

FOLDER = images.FOLDER / "function"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:shop"
SETTINGS = Settings("shop", ARN, "app.handler", "python3.13", "arn:aws:iam::123456789012:role/shop", 128, 3, (),
                    "/shop/function", "digest")  # fmt: skip
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "ASIA-OF-THE-ROLE"}
HTTP_API = """\
  Api: {{Type: AWS::ApiGatewayV2::Api, Properties: {{Name: shop, ProtocolType: HTTP{api}}}}}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt Function.Arn
      PayloadFormatVersion: "2.0"
      {integration}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {{ApiId: !Ref Api, RouteKey: {route_key}, Target: !Sub "integrations/${{Integration}}"{route}}}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {{ApiId: !Ref Api, StageName: $default, AutoDeploy: true{stage}}}
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !GetAtt Function.Arn
      Action: lambda:InvokeFunction
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub "arn:aws:execute-api:us-east-1:123456789012:${{Api}}/{source}"
      {permission}
"""
"""Resources that put an HTTP API before the resource Function, with places for more."""
REQUEST_ID = "11111111-2222-3333-4444-555555555555"


class Place:
    """An environment in a process of this machine."""

    log_stream = "2026/11/26/[$LATEST]0123"

    def __init__(self, folder: Path, arguments: list[str], variables: dict[str, str]) -> None:
        listen, api = (f"127.0.0.1:{port}" for port in ports(2))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "environment", *arguments, "--listen", listen, "--runtime-api", api],
            cwd=FOLDER,
            env={"PATH": os.environ["PATH"], "HOME": "/", **variables, "LAMBDA_TASK_ROOT": str(folder)},
        )
        self.url = f"http://{listen}"
        wait(self.url, 60, lambda: self._process.poll() is None)

    def remove(self) -> None:
        """End it, and its runtime with it."""
        self._process.terminate()
        self._process.wait(60)


def place(folder: Path, settings: Settings) -> Place:
    """An environment of a function whose code is in `folder`."""
    arguments = ["--timeout", str(settings.timeout), "--arn", settings.arn]
    return Place(folder, arguments, environment(settings, Place.log_stream, CREDENTIALS))


def ports(count: int) -> list[int]:
    """TCP ports of this machine that are free."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


class Function:
    """A running function; `invoke` calls it.

    Attributes:
        log: all lines that it has logged.
    """

    def __init__(self, place: Place, settings: Settings) -> None:
        self._environment = Environment(settings, place)
        self.log: list[str] = []

    def invoke(self, event: str = "{}") -> Outcome:
        """Call it once."""
        outcome = call(self._environment, event.encode(), REQUEST_ID, "Root=1-0-0")
        self.log += [line for _, line in outcome.log]
        return outcome

    def answer(self, event: str = "{}") -> str:
        """Its answer, which must be no error."""
        outcome = self.invoke(event)
        assert not outcome.error, outcome
        return outcome.payload.decode()


@contextlib.contextmanager
def running(folder: Path, code: str, **changes: object) -> Iterator[Function]:
    """A function with this code in app.py; `changes` are settings of it."""
    (folder / "app.py").write_text(textwrap.dedent(code), encoding="utf-8")
    settings = dataclasses.replace(SETTINGS, **changes)  # type: ignore[arg-type] # the fields' own types
    made = place(folder, settings)
    try:
        yield Function(made, settings)
    finally:
        made.remove()


def runner(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """Have functions run, each call in a new process of this machine; what comes of the calls."""
    ran: list[Outcome] = []

    def run(settings: Settings, event: bytes) -> Outcome:
        mine = folder / f"call{len(ran)}"
        with zipfile.ZipFile(io.BytesIO(awslambda.code(settings.name))) as packed:
            packed.extractall(mine)
        made = place(mine, settings)
        try:
            ran.append(call(Environment(settings, made), event, REQUEST_ID, "Root=1-0-0"))
        finally:
            made.remove()
        return ran[-1]

    monkeypatch.setattr(awslambda, "runner", run)
    return ran


class Asked:
    """An embedded AWS with the gateway before its APIs."""

    def __init__(self, aws: Cloud, apis: Any) -> None:
        self._server = make_server("127.0.0.1", 0, apis, threaded=True)
        port = self._server.server_port
        self._server.app = middleware(Gateway(aws), apis)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.port = port

    def ask(self, host: str, path: str, method: str = "GET") -> http.client.HTTPResponse:
        """The answer to a request with this Host."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, headers={"Host": host})
        return connection.getresponse()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()


def zipped(code: str) -> bytes:
    """A zip with this code in app.py."""
    made, entry = io.BytesIO(), zipfile.ZipInfo("app.py")
    entry.external_attr = 0o644 << 16  # Lambda's user reads it as one of the others
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(entry, textwrap.dedent(code))
    return made.getvalue()


def http_api(**more: str) -> str:
    """`HTTP_API` with what a test has at its places; a key or a source of its own."""
    places = dict.fromkeys(("api", "integration", "route", "stage", "permission"), "")
    return HTTP_API.format(**places | {"source": "*"} | more)
