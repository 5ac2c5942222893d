"""`up --ecs-agent`: what a person is told, and what each host gets. No Docker engine and no host takes part."""

from __future__ import annotations

import contextlib
import io
import platform
import tarfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws import __main__ as cli
from local_aws import images, server
from local_aws.cloud import Cloud
from local_aws.config import Config
from local_aws.parts.instances import Instances
from local_aws.real_agent import binary, placing
from local_aws.tests.elf_support import program
from local_aws.tests.own_server import configuration


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the shell nor the machine of whoever runs the tests is asked."""
    monkeypatch.delenv("BERTH_ECS_AGENT", raising=False)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    path = tmp_path / "agent"
    path.write_bytes(program(["/bin/true"]))
    path.chmod(0o755)
    return path


def say(*words: str) -> tuple[int, str]:
    """Status and output of the command."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        return cli.main(words), out.getvalue()


def test_it_is_said_by_an_option_or_a_variable(agent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Path | None] = []

    def up(_chosen: Config, options: cli.Options) -> int:
        told.append(options.ecs_agent)
        return 0

    monkeypatch.setattr(cli, "up", up)
    say("up")
    say("up", "--ecs-agent", str(agent))
    monkeypatch.setenv("BERTH_ECS_AGENT", str(agent))
    say("up")
    monkeypatch.setenv("BERTH_ECS_AGENT", "")
    say("up")
    assert told == [None, agent, agent, None]
    assert cli.Options(ecs_agent=agent).arguments[-2:] == ["--ecs-agent", str(agent)]
    assert "--ecs-agent" not in cli.Options().arguments


def test_one_that_cannot_be_is_refused_before_anything_is_touched(
    agent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched: list[str] = []

    def engine() -> None:
        touched.append("engine")
        raise cli.Refused("No Docker engine answers. Type: make setup")

    monkeypatch.setattr(cli, "_docker_engine", engine)
    monkeypatch.setattr(cli, "_process", lambda _chosen: None)
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    status, text = say("up", "--ecs-agent", str(script))
    assert status == 1
    assert f"{script} is neither a program of Linux (ELF) nor an image." in text
    assert "#there-is-no-file--to-be-the-hosts-agent" in text, "where it is explained"
    assert touched == []
    assert "No Docker engine answers" in say("up", "--ecs-agent", str(agent))[1]
    assert touched == ["engine"]


def test_another_agent_is_not_had_from_one_that_runs(
    agent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.write_bytes(agent.read_bytes())
    other.chmod(0o755)
    chosen = SimpleNamespace(name="local", endpoint="http://here", state=tmp_path / "none")
    monkeypatch.setattr(cli, "config", lambda _name: chosen)
    monkeypatch.setattr(cli, "_process", lambda _chosen: 1)
    status, text = say("up", "--ecs-agent", str(agent))
    assert status == 1
    assert "already runs, and its hosts with another agent. Type: python -m local_aws down\n" in text
    chosen.state = tmp_path / "state"
    chosen.state.mkdir()
    (chosen.state / "agent").write_text(f"{agent}\n")
    expected = f"The embedded AWS 'local' already runs at http://here, its hosts with the agent {agent}.\n"
    assert say("up", "--ecs-agent", str(agent)) == (0, expected)
    assert say("up") == (0, expected)
    assert "with another agent" in say("up", "--ecs-agent", str(other))[1]


def test_the_server_tells_which_agent_its_hosts_run(agent: Path, tmp_path: Path) -> None:
    with pytest.raises(binary.NoAgent, match="There is no file"):
        server.Server(configuration(9), only=set(), ecs_agent=tmp_path / "none")
    with pytest.raises(SystemExit, match="There is no file"):
        server.serve(configuration(9), ecs_agent=tmp_path / "none")
    for named, address, lines in (
        (agent, str(agent), [f"{agent} in the place of the stand-in"]),
        (None, "", []),
    ):
        made = server.Server(configuration(9), only=set(), ecs_agent=named)
        made.parts = []
        assert [each["detail"] for each in made.status()] == lines
        begun: list[tuple[str, Any]] = []
        serve = made._status_middleware(lambda *_: [b"the APIs"])
        answer = serve({"PATH_INFO": "/_local_aws/ecs_agent"}, lambda *told, begun=begun: begun.append(told))
        assert (begun[0][0], b"".join(answer).decode()) == ("200 OK", address)
        assert serve({"PATH_INFO": "/"}, None) == [b"the APIs"]


class Engine:
    """Takes down how a host is made."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.put: dict[str, list[str]] = {}
        self.started_with: list[str] = []
        self.containers = SimpleNamespace(create=self.create)
        self.api = SimpleNamespace(create_endpoint_config=lambda **_: {})

    def create(self, _image: str, **options: Any) -> Any:
        self.made = options
        return SimpleNamespace(put_archive=self.archive, start=lambda: self.started_with.extend(self.put))

    def archive(self, place: str, data: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            self.put[place] = tar.getnames()


@pytest.mark.parametrize("real", [True, False])
def test_a_host_gets_the_agent_before_it_starts_or_nothing_of_it(
    real: bool, agent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    config: Config = replace(configuration(9))
    monkeypatch.setattr(Config, "state", tmp_path / "state")
    monkeypatch.setattr(images, "ensure", lambda name: name)
    cloud = Cloud(config, ecs_agent=agent if real else None, _docker=engine)
    part = Instances(cloud)
    monkeypatch.setattr(part, "_key_pair", lambda: "")
    monkeypatch.setattr(
        "local_aws.parts.instances.ca.authority", lambda _cloud: SimpleNamespace(certificate_path=agent)
    )
    monkeypatch.setattr(part, "_memory_bytes", lambda _type: 2**30)
    part.prepare()
    metadata = {"instance_type": "t3.micro", "hostname": "a.b", "private_ip": "10.0.0.1", "mac": "02:42:0a:00:00:01"}
    part._start({"InstanceId": "i-1"}, metadata)
    folder = tmp_path / "state" / "ecs-agent"
    assert (folder / "agent").exists() == real
    assert engine.made.get("volumes") == (placing.mounts(folder)["volumes"] if real else None)
    assert engine.put.get(placing.UNITS) == (["ecs.service.d", placing.DROP_IN] if real else None)
    assert engine.started_with == list(engine.put), "all of it is there when the host starts"
