"""The part that keeps distributions, with an engine that only remembers what it was told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.parts import edge
from local_aws.tests.stack_support import Stacks
from local_aws.tests.unit.test_handlers_cloudfront import body, certificate

__all__ = ["certificate"]


class Container:
    """A container that does as it is told."""

    def __init__(self, engine: Engine, given: dict[str, Any]) -> None:
        self.given, self.status, self._engine = given, "created", engine
        self.ran: list[list[str]] = []
        self.attrs = {"NetworkSettings": {"Networks": {given["network"]: {"IPAddress": "10.79.0.20"}}}}

    def start(self) -> None:
        self.status = "running"

    def reload(self) -> None:
        """It is always up to date."""

    def exec_run(self, command: list[str]) -> Any:
        self.ran.append(command)
        broken = self._engine.broken and "-t" in command
        return SimpleNamespace(exit_code=int(broken), output=b"nginx: unknown directive" if broken else b"")

    def remove(self, *, force: bool) -> None:
        assert force
        self._engine.there.remove(self)


class Engine:
    """Docker's engine."""

    def __init__(self) -> None:
        self.there: list[Container] = []
        self.broken = False
        self.containers = self

    def create(self, image: str, **given: Any) -> Container:
        assert image == "berth/edge:x"
        self.there.append(Container(self, given))
        return self.there[-1]

    def list(self, *, all: bool, filters: dict[str, str], ignore_removed: bool) -> list[Container]:
        assert all, ignore_removed
        name, _, value = filters["label"].partition("=")
        return [each for each in self.there if each.given["labels"].get(name) == value]


@dataclasses.dataclass
class Running:
    part: edge.Edge
    engine: Engine
    folder: Path

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def running(aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    engine = Engine()
    monkeypatch.setattr(Cloud, "docker", engine)
    monkeypatch.setattr(type(aws.config), "state", tmp_path)
    monkeypatch.setattr("local_aws.images.ensure", lambda name: f"berth/{name}:x")
    part = edge.Edge(aws)
    part.prepare()
    return Running(part, engine, tmp_path / "edge")


def test_a_distribution_has_a_container_that_follows_it(
    running: Running, aws: Cloud, stacks: Stacks, certificate: str
) -> None:
    part, engine = running.part, running.engine
    part.reconcile()
    assert (engine.there, part.health()) == ([], []), "most sites have none, and no image is made for them"

    stacks.made("edge", body(), {"Arn": certificate})
    outputs = stacks.outputs("edge")
    part.reconcile()
    (container,) = engine.there
    assert aws.names[outputs["DomainName"]] == ["10.79.0.20"]
    assert container.given["ports"] == {
        "443/tcp": ("127.0.0.1", aws.config.https_port), "80/tcp": ("127.0.0.1", aws.config.http_port),
    }  # fmt: skip
    (mount,) = container.given["mounts"]
    assert (mount["Target"], mount["Source"]) == (edge.FOLDER, str(running.folder / outputs["Id"]))
    assert {f"{outputs['Id']}/{name}" for name in ("nginx.conf", "js/edge.js", "authority.pem")} <= running.files()
    (line,) = part.health()
    assert (line.ok, line.name) == (True, f"distribution {outputs['Id']}")

    container.ran.clear()
    part.reconcile()
    assert container.ran == [], "nothing has changed"
    stacks.changed("edge", body(), {"Arn": certificate, "Seconds": "90"})
    part.reconcile()
    assert [command[-1] for command in container.ran] == ["-t", "reload"]
    assert '"times": [0, 90, 90]' in (running.folder / outputs["Id"] / "js/site.js").read_text()

    # What was killed comes back, past the sockets that it has left.
    left = running.folder / outputs["Id"] / "0.sock"
    left.write_text("")
    container.status = "exited"
    part.reconcile()
    assert engine.there != [container]
    assert not left.exists()

    stacks.delete("edge")
    part.reconcile()
    assert (engine.there, part.health(), running.files()) == ([], [], set())
    assert outputs["DomainName"] not in aws.names


def test_a_configuration_that_nginx_refuses_is_told_and_not_loaded(
    running: Running, stacks: Stacks, certificate: str
) -> None:
    part, engine = running.part, running.engine
    stacks.made("edge", body(), {"Arn": certificate})
    part.reconcile()
    engine.broken = True
    stacks.changed("edge", body(), {"Arn": certificate, "Seconds": "90"})
    with pytest.raises(RuntimeError, match="unknown directive"):
        part.reconcile()
    assert [command[-1] for command in engine.there[0].ran][-1] == "-t"
    (line,) = part.health()
    assert (line.ok, "unknown directive" in line.detail) == (False, True)
    engine.broken = False
    part.reconcile()
    assert part.health()[0].ok


def test_what_is_not_emulated_is_told(running: Running, stacks: Stacks, certificate: str) -> None:
    stacks.made("edge", body().replace("EventType: viewer-request", "EventType: viewer-response"), {"Arn": certificate})
    running.part.reconcile()
    (line,) = running.part.health()
    assert (line.ok, line.name) == (False, "distribution of CloudFront")
    assert "viewer-response is not emulated" in line.detail
