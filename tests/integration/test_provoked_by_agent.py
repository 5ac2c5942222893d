"""Why an agent does not join: the embedded AWS's, as a program of its own with a real Docker and the embedded ECS."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from local_aws.tests.access_support import Guarded
from plugins.plugin_utils.doctor.evidence import of_host
from plugins.plugin_utils.doctor.judging import told_by
from plugins.plugin_utils.doctor.signature import HOST, Evidence
from tests.integration.own_docker import IMAGE, Engine, engine, load
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked
from tests.unit.variables_support import PROJECT

pytestmark = pytest.mark.docker

provoked = Provoked()
ROLE = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}
LATE = """
import datetime
class Late(datetime.datetime):
    @classmethod
    def now(cls, zone=None):
        return super().now(zone) - datetime.timedelta(hours=1)
datetime.datetime = Late
"""
"""A clock that is an hour slow: only the whole machine's could be turned back."""
JOINED = "Registered as arn:aws:ecs:"
RUN = "import runpy; runpy.run_module('ecs_agent', run_name='__main__')"


@dataclass
class Host:
    """What an agent finds on a host."""

    own: Engine
    guarded: Guarded
    folder: Path

    def said(self, *settings: str, before: str = "") -> list[Evidence]:
        """What an agent with these lines of ecs.config says until it ends or has joined; doctor is told of it."""
        file = self.folder / "ecs.config"
        file.write_text("\n".join([*settings, f"ECS_DATADIR={self.folder}", ""]))
        command = [sys.executable, "-c", before + RUN, "--config", str(file), "--introspection-port", "0"]
        with metadata(self.guarded.assumed("host", ROLE, service="ec2.amazonaws.com")) as place:
            places = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": place, "AWS_ENDPOINT_URL": self.guarded.endpoint}
            agent = subprocess.Popen(
                ["timeout", "60", *command], cwd=PROJECT / "local_aws/agent", stderr=subprocess.PIPE, text=True,
                env=os.environ | places | {"DOCKER_HOST": self.own.place},
            )  # fmt: skip
            with agent:
                lines = []
                for line in agent.stderr or ():
                    lines.append(line)
                    if JOINED in line:
                        agent.terminate()
        return list(of_host("i-1", {"stdout": f"== agent\n{''.join(lines)}"}, takes_tasks=False))


@contextlib.contextmanager
def metadata(keys: dict[str, Any]) -> Iterator[str]:
    """A metadata service that gives these credentials of the host's role; its address."""
    known = {
        "/latest/dynamic/instance-identity/document": {"region": "us-east-1", "instanceId": "i-1"},
        "/latest/meta-data/iam/security-credentials/": "host",
        "/latest/meta-data/iam/security-credentials/host": keys | {"Token": keys["SessionToken"]},
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = known.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write((found if isinstance(found, str) else json.dumps(found, default=str)).encode())

        def do_PUT(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"token")

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@provoked("cluster-gone")
def _cluster(host: Host) -> list[Evidence]:
    return host.said("ECS_CLUSTER=gone")


@provoked("config-quoted")
def _quoted(host: Host) -> list[Evidence]:
    return host.said("ECS_CLUSTER=demo", """ECS_INSTANCE_ATTRIBUTES='{"tier":"web"}'""")


@provoked("clock-wrong")
def _clock(host: Host) -> list[Evidence]:
    return host.said("ECS_CLUSTER=demo", before=LATE)


@provoked("ecs-away")
def _away(host: Host) -> list[Evidence]:
    """By the SDK for Go as Docker has it, in whose words the real agent says so; nobody is at the address."""
    options = {"awslogs-endpoint": "https://127.0.0.1", "awslogs-region": "us-east-1", "awslogs-group": "x"}
    logs = docker.types.LogConfig(type="awslogs", config=options)
    with pytest.raises(docker.errors.APIError) as refused:
        host.own.client.containers.run(IMAGE, ["/bin/sh", "-c", "exit 0"], log_config=logs, network_mode="none")
    return [Evidence(HOST, "host i-1", " ".join(str(refused.value.explanation).split()), "agent")]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
    with engine(tmp_path_factory.mktemp("docker"), **keys) as running:
        load(running.client)
        yield running


@pytest.fixture
def host(own: Engine, guard: Callable[..., Guarded], tmp_path: Path) -> Host:
    return Host(own, guard(), tmp_path)


@pytest.mark.parametrize("name", provoked.by)
def test_why_an_agent_does_not_join_is_recognised(name: str, host: Host) -> None:
    provoked.prove(name, host)


def test_one_with_all_that_it_needs_registers(host: Host) -> None:
    host.guarded.cloud.client("ecs").create_cluster(clusterName="demo")
    lines = host.said("ECS_CLUSTER=demo")
    assert [each.text for each in lines if told_by(each)] == []
    assert any(JOINED in each.text for each in lines)
