"""Functions in containers: what unit/test_function_*.py cannot show without a Docker engine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws import images
from local_aws.config import DIRECT
from local_aws.parts.functions import NAME_LABEL
from local_aws.tests.function_support import zipped
from local_aws.tests.own_server import OwnServer, running
from local_aws.tests.until import until

pytestmark = pytest.mark.docker

GROUP = "/shop/function"
CODE = """
    import json, os, sys, time
    def handler(event, context):
        what = event["pathParameters"]["what"]
        if what == "wait":
            time.sleep(60)
        if what == "memory":
            held = b"x" * (512 * 1024 * 1024)
        if what == "role":
            import boto3
            return {"arn": boto3.client("sts").get_caller_identity()["Arn"]}
        if what == "files":
            open("/tmp/mine", "w").close()
            refused = []
            for path in ("/var/task/mine", "/var/runtime/mine", "/usr/mine", "/var/tmp/mine"):
                try:
                    open(path, "w").close()
                except OSError:
                    refused.append(path)
            return refused
        return {"pid": os.getpid(), "user": os.getuid(), "python": list(sys.version_info[:2]),
                "source": event["requestContext"]["http"]["sourceIp"], "headers": event["headers"]}
"""


class Site:
    """A function behind an HTTP API.

    Attributes:
        server: the embedded AWS.
        api: the API's id.
    """

    def __init__(self, server: OwnServer) -> None:
        self.server = server
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = server.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
        server.client("logs").create_log_group(logGroupName=GROUP)
        self.functions, gateway = server.client("lambda"), server.client("apigatewayv2")
        arn = self.functions.create_function(
            FunctionName="shop", Role=role, Runtime="python3.13", Handler="app.handler", Code={"ZipFile": zipped(CODE)},
            MemorySize=256, Timeout=10, LoggingConfig={"LogGroup": GROUP},
        )["FunctionArn"]  # fmt: skip
        self.api = gateway.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
        integration = gateway.create_integration(
            ApiId=self.api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
        )["IntegrationId"]
        gateway.create_route(ApiId=self.api, RouteKey="GET /{what}", Target=f"integrations/{integration}")
        gateway.create_stage(ApiId=self.api, StageName="$default", AutoDeploy=True)
        self.functions.add_permission(
            FunctionName="shop", StatementId="api", Principal="apigateway.amazonaws.com",
            Action="lambda:InvokeFunction", SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{self.api}/*",
        )  # fmt: skip

    def ask(self, path: str) -> tuple[int, Any]:
        """Status and body of an answer to this machine."""
        host = {"Host": f"{self.api}.execute-api.localhost"}
        request = urllib.request.Request(f"{self.server.config.endpoint}{path}", headers=host)
        try:
            with DIRECT.open(request, timeout=90) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def containers(self) -> list[Any]:
        """Those in which the function runs."""
        wanted = {"label": [f"{NAME_LABEL}=shop", f"berth.local-aws={self.server.config.name}"]}
        return list(self.server.docker.containers.list(all=True, filters=wanted))

    def log(self) -> list[str]:
        """All messages in its log group."""
        events = self.server.client("logs").filter_log_events(logGroupName=GROUP)["events"]
        return [event["message"] for event in events]

    def change(self, code: str) -> None:
        """Give it other code."""
        self.functions.update_function_code(FunctionName="shop", ZipFile=zipped(code))


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with running(9, {"resolver", "functions"}) as own:
        yield own


@pytest.fixture(scope="module")
def site(server: OwnServer) -> Site:
    return Site(server)


def test_a_function_runs_in_a_container_cold_and_then_warm(site: Site) -> None:
    assert site.containers() == []
    status, first = site.ask("/x")
    assert (status, first["python"], first["user"]) == (200, [3, 11], 993)
    assert (first["source"], first["headers"]["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert site.ask("/x")[1]["pid"] == first["pid"]
    assert len(site.containers()) == 1
    reports = [line for line in site.log() if line.startswith("REPORT")]
    assert ["Init Duration" in line for line in reports] == [True, False]
    ok, detail = site.server.status()["function shop"]
    assert ok
    assert (
        detail == f"http://{site.api}.execute-api.localhost:{site.server.config.api_port}, 1 warm, 0 of them in a call"
    )


def test_it_is_reached_from_a_container_by_its_real_name_with_tls(site: Site) -> None:
    client = site.server.start_host(images.ensure("host"), "client", ["sleep", "infinity"])
    url = f"https://{site.api}.execute-api.us-east-1.amazonaws.com/x"
    answer = json.loads(client.exec_run(["curl", "-sS", "--cacert", "/ca/ca.pem", url]).output)
    client.reload()
    address = client.attrs["NetworkSettings"]["Networks"][site.server.config.network_name]["IPAddress"]
    assert answer["source"] == address
    assert (answer["headers"]["x-forwarded-proto"], answer["headers"]["x-forwarded-port"]) == ("https", "443")


def test_it_acts_as_its_role_and_trusts_the_endpoints(site: Site) -> None:
    status, told = site.ask("/role")
    assert status == 200
    assert ":assumed-role/function/shop" in told["arn"]


def test_it_writes_to_tmp_alone(site: Site) -> None:
    assert site.ask("/files") == (
        200, ["/var/task/mine", "/var/runtime/mine", "/usr/mine", "/var/tmp/mine"],  # noqa: S108 - it is refused
    )  # fmt: skip


def test_more_memory_than_it_has_ends_it_and_the_next_call_goes_on(site: Site) -> None:
    assert site.ask("/memory") == (500, {"message": "Internal Server Error"})
    assert any("Runtime exited with error: signal: killed" in line for line in site.log())
    assert site.ask("/x")[0] == 200
    assert len(site.containers()) == 1, "the container's first process lives on"


def test_more_time_than_it_has_ends_it(site: Site) -> None:
    assert site.ask("/wait") == (503, {"message": "Service Unavailable"})
    assert any("Task timed out after 10.00 seconds" in line for line in site.log())
    assert site.ask("/x")[0] == 200


def test_a_container_that_was_killed_is_made_anew(site: Site) -> None:
    site.containers()[0].kill()
    until(lambda: site.ask("/x")[0] == 200, "a new one answers", 60)


def test_its_containers_go_when_it_changes_and_when_it_is_deleted(site: Site) -> None:
    before = {each.id for each in site.containers()}
    site.change("def handler(event, context): return {'other': True}")
    until(lambda: not before & {each.id for each in site.containers()}, "the former ones are gone", 10)
    assert site.ask("/x") == (200, {"other": True})
    site.functions.delete_function(FunctionName="shop")
    until(lambda: site.containers() == [], "its containers are gone", 10)
