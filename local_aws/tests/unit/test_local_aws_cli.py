"""python -m local_aws up, status, down, log: what a person reads. No Docker engine and no embedded AWS takes part."""

from __future__ import annotations

import contextlib
import http.server
import io
import ipaddress
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest
import requests

from local_aws import __main__ as cli
from local_aws import server
from local_aws.config import LABEL, Config, Iam, SecurityGroups
from local_aws.functions.responses import Response
from local_aws.late.chance import Settings
from local_aws.tests.own_server import configuration
from local_aws.tests.until import until

FROM_ENV = docker.from_env
NETWORK = ipaddress.IPv4Network("10.76.0.0/16")
ROUTES = """\
Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0
eth0 000200C0 00000000 0001 0 0 0 00FFFFFF 0 0 0
"""

# Stands in for the process of an embedded AWS: its working directory is the project's, its last argument its state.
READY = """
import json, os, pathlib, sys, time
state = pathlib.Path(sys.argv[-1])
print("12:00:00 local_aws.server INFO preparing network", flush=True)
(state / "environment").write_text(json.dumps(dict(os.environ)))
(state / "ready.new").write_text("ready")
(state / "ready.new").rename(state / "ready")
time.sleep(30)
"""
ENDING = """
for number in range(20): print(f"line {number}")
raise SystemExit("OSError: a port is taken")
"""


@dataclass(frozen=True)
class Elsewhere(Config):
    """A configuration whose state lies in a folder of the test."""

    folder: Path = Path("/nonexistent")

    @property
    def state(self) -> Path:
        return self.folder


@dataclass
class Thing:
    """A container, volume or network of the engine."""

    id: str
    shelf: list[Thing]
    label: str = ""
    subnet: str = ""
    errors: list[Exception] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.id

    @property
    def attrs(self) -> dict[str, Any]:
        return {"IPAM": {"Config": [{"Subnet": self.subnet}] if self.subnet else None}}

    def remove(self, **_options: Any) -> None:
        if self.errors:
            error = self.errors.pop(0)
            if isinstance(error, docker.errors.NotFound):
                self.shelf.remove(self)
            raise error
        self.shelf.remove(self)


@dataclass
class Shelf:
    """All things of a kind, listed as Docker's SDK does."""

    things: list[Thing] = field(default_factory=list)

    def add(self, identifier: str, **more: Any) -> Thing:
        self.things.append(Thing(identifier, self.things, **more))
        return self.things[-1]

    def list(self, filters: dict[str, str] | None = None, **_options: Any) -> list[Thing]:
        wanted = (filters or {}).get("label")
        return [thing for thing in self.things if wanted in (None, thing.label)]


class Containers(Shelf):
    """One of them vanishes between the list and the look at it, which the SDK raises unless told otherwise."""

    vanishing = True

    def list(self, filters: dict[str, str] | None = None, **options: Any) -> list[Thing]:
        if self.vanishing and not options.get("ignore_removed"):
            raise docker.errors.NotFound("No such container: vanished")
        assert options["all"], "a stopped container must go as well"
        return super().list(filters)


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A Docker engine with nothing on it, for every test: on the machine's own the demo may be up."""
    engine = SimpleNamespace(containers=Containers(), volumes=Shelf(), networks=Shelf(), ping=lambda: True)
    monkeypatch.setattr(docker, "from_env", lambda **_options: engine)
    return engine


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    """The embedded AWS `local`, on free ports and a machine with enough of everything; what it started is killed."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(5)]
        ports = [each.getsockname()[1] for each in sockets]
    chosen = Elsewhere("local", ports[0], ports[1], ports[2], ports[3], ports[4], NETWORK, tmp_path / "state")
    monkeypatch.setattr(cli, "config", lambda _name: chosen)
    (tmp_path / "meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    monkeypatch.setattr(cli, "MEMORY", tmp_path / "meminfo")
    (tmp_path / "routes").write_text(ROUTES)
    monkeypatch.setattr(cli, "ROUTES", tmp_path / "routes")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=50 * 2**30))
    runs(monkeypatch, "raise SystemExit('nothing may be started')")
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(
        cli, "subprocess", SimpleNamespace(Popen=start, STDOUT=subprocess.STDOUT, DEVNULL=subprocess.DEVNULL)
    )
    yield chosen
    for process in started:
        process.kill()
        process.wait()


def runs(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let `up` start this Python instead."""
    monkeypatch.setattr(
        cli, "_command", lambda chosen, _options: [sys.executable, "-c", script, "local_aws", str(chosen.state)]
    )


Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Type a command: its exit status, and all that it printed."""

    def say(*arguments: str) -> tuple[int, str]:
        status = cli.main(arguments)
        return status, "".join(capsys.readouterr())

    return say


def refused(say: Say, chosen: Config, *words: str) -> None:
    """`up` says one sentence (or two) with these words on one line, and where it is explained; it starts nothing."""
    status, text = say("up")
    assert status == 1, text
    assert text.startswith("local_aws: ")
    said, explained = text.splitlines()
    assert explained.startswith("See docs/troubleshooting.md#")
    assert not explained.endswith("#another-message")
    for word in words:
        assert word in said
    assert not chosen.state.exists()


# What is refused


@pytest.mark.parametrize("port", ["api_port", "agent_port", "registry_port", "https_port", "http_port"])
def test_a_taken_port_is_named_with_what_to_type(chosen: Config, say: Say, port: str) -> None:
    number = getattr(chosen, port)
    with socket.create_server(("127.0.0.1", number)):
        refused(say, chosen, f"Port {number} of this machine is taken.", f"ss -ltnp 'sport = :{number}'")


def test_a_taken_api_port_removes_nothing(chosen: Config, say: Say, engine: SimpleNamespace) -> None:
    engine.containers.add("of-another-checkout", label=f"{LABEL}=local")
    with socket.create_server(("127.0.0.1", chosen.api_port)):
        refused(say, chosen, "is taken")
    assert engine.containers.things


@pytest.mark.parametrize("verb", ["up", "down"])
def test_without_a_docker_engine(
    chosen: Config, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(docker, "from_env", FROM_ENV)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    address = "docs/troubleshooting.md#no-docker-engine-answers-type-make-setup"
    assert say(verb) == (1, f"local_aws: No Docker engine answers. Type: make setup\nSee {address}\n")
    assert not chosen.state.exists()


def test_too_little_memory(chosen: Config, say: Say) -> None:
    cli.MEMORY.write_text("MemTotal: 9000000 kB\nMemAvailable: 2097152 kB\n")

    refused(say, chosen, "Only 2.0 GiB of memory are free; 3 are needed. Stop something.")


def test_too_little_disk(chosen: Config, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=2**30))

    refused(say, chosen, "Only 1.0 GiB of disk are free; 8 are needed. What Docker takes: docker system df")


@pytest.mark.parametrize("subnet", ["10.76.0.0/16", "10.76.3.0/24", "10.64.0.0/12"])
def test_another_network_of_docker_in_the_way(chosen: Config, say: Say, engine: SimpleNamespace, subnet: str) -> None:
    engine.networks.add("bridge", subnet="172.17.0.0/16")
    engine.networks.add("six", subnet="fd00::/64")
    engine.networks.add("host")
    engine.networks.add("shop_default", subnet=subnet)

    refused(say, chosen, f"'shop_default' has {subnet}", str(NETWORK), "docker network rm shop_default")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tun0 00034C0A 00000000 0001 0 0 0 00FFFFFF 0 0 0", "reaches 10.76.3.0/24 by tun0"),
        ("tun0 0000000A 01004C0A 0003 0 0 0 000000FF 0 0 0", "reaches 10.0.0.0/8 by tun0"),
    ],
    ids=["a route into it", "a gateway in it"],
)
def test_a_route_in_the_way(chosen: Config, say: Say, line: str, words: str) -> None:
    cli.ROUTES.write_text(ROUTES + line + "\n")

    refused(say, chosen, words, f"needs {NETWORK}", "ip route show dev tun0")


# What it starts


def test_up_status_up_again_down(chosen: Config, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, "of-the-shell")
    monkeypatch.setenv("LANG", "C.UTF-8")
    cli.ROUTES.write_text(ROUTES + "tun0 0000000A 0101A8C0 0003 0 0 0 000000FF 0 0 0\n")  # wider, and harmless
    runs(monkeypatch, READY)

    status, text = say("up")

    assert status == 0, text
    assert text.splitlines()[-1] == f"The embedded AWS 'local' answers at http://127.0.0.1:{chosen.api_port}."
    environment = json.loads((chosen.state / "environment").read_text())
    assert [name for name in environment if name.startswith("AWS_")] == []
    assert environment["LANG"] == "C.UTF-8"

    assert say("up") == (0, f"The embedded AWS 'local' already runs at http://127.0.0.1:{chosen.api_port}.\n")
    assert "INFO preparing network" in say("log")[1]
    process = cli._process(chosen)
    assert process
    assert say("down")[0] == 0
    assert not cli._alive(process)
    assert not chosen.state.exists()


def test_up_late_says_its_seed_and_is_not_had_from_one_that_runs_at_once(
    chosen: Config, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, READY)
    assert say("up", "--late", "--seed", "42")[1].endswith(f"answers at {chosen.endpoint}, late (seed 42).\n")
    again = f"The embedded AWS 'local' already runs at {chosen.endpoint}, late (seed 42).\n"
    assert say("up", "--late") == (0, again)
    assert say("up") == (0, again)
    say("down")
    assert re.search(r"late \(seed \d+\)", say("up", "--late")[1])
    say("down")
    assert "late (seed" not in say("up")[1]
    status, text = say("up", "--late")
    assert status == 1
    assert "already runs, and not late. Type: python -m local_aws down" in text


@pytest.mark.usefixtures("chosen")
def test_what_becomes_of_denials_is_said_by_an_option_or_a_variable(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def up(_chosen: Config, options: cli.Options) -> int:
        told.append(options.iam)
        return 0

    monkeypatch.setattr(cli, "up", up)
    say("up")
    say("up", "--iam", "enforce")
    monkeypatch.setenv("BERTH_IAM", "enforce")
    say("up")
    assert told == ["record", "enforce", "enforce"]
    assert cli.Options(iam=Iam.ENFORCE).arguments[-2:] == ["--iam", "enforce"]
    with pytest.raises(SystemExit):
        say("up", "--iam", "perhaps")


@pytest.mark.usefixtures("chosen")
def test_whether_security_groups_are_enforced_is_said_by_an_option_or_a_variable(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def up(_chosen: Config, options: cli.Options) -> int:
        told.append(options.security_groups)
        return 0

    monkeypatch.setattr(cli, "up", up)
    say("up")
    say("up", "--security-groups", "enforce")
    monkeypatch.setenv("BERTH_SECURITY_GROUPS", "enforce")
    say("up")
    assert told == ["record", "enforce", "enforce"]
    assert "--security-groups enforce" in " ".join(cli.Options(security_groups=SecurityGroups.ENFORCE).arguments)
    with pytest.raises(SystemExit):
        say("up", "--security-groups", "perhaps")


@pytest.mark.parametrize(
    ("groups", "only", "there"),
    [
        (SecurityGroups.RECORD, None, False),
        (SecurityGroups.ENFORCE, None, True),
        (SecurityGroups.RECORD, {"rds"}, False),
        (SecurityGroups.ENFORCE, {"rds"}, True),
    ],
)
def test_the_part_of_security_groups_is_there_where_they_are_enforced(
    groups: SecurityGroups, only: set[str] | None, there: bool
) -> None:
    made = server.Server(configuration(9), only=only, security_groups=groups)
    assert ("security_groups" in {part.name for part in made.parts}) is there


@pytest.mark.usefixtures("chosen")
def test_a_seed_is_for_late_only(say: Say) -> None:
    assert cli.Options(seed=7).arguments[-3:] == ["--late", "--seed", "7"]
    assert "--late" not in cli.Options().arguments
    with pytest.raises(SystemExit):
        say("up", "--seed", "1")


def test_a_process_that_ends_early_shows_its_last_lines(
    chosen: Config, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, ENDING)

    status, text = say("up")

    assert status == 1
    assert "local_aws: The embedded AWS 'local' ended while it started:\n" in text
    assert "line 18\nline 19\nOSError: a port is taken\nSee docs/" in text
    assert "line 8\n" not in text
    assert say("log")[1].startswith("line 0\n"), "the log stays for a longer look"
    assert say("status")[0] == 1
    assert cli._process(chosen) is None


# What nothing runs for


@pytest.mark.usefixtures("chosen")
def test_status_and_log_when_nothing_runs(say: Say) -> None:
    assert say("status") == (
        1,
        "local_aws: The embedded AWS 'local' does not run. Type: python -m local_aws up\n"
        "See docs/troubleshooting.md#the-embedded-aws--does-not-run\n",
    )
    assert say("log") == (
        1,
        "local_aws: There is no log yet. Type: python -m local_aws up\n"
        "See docs/troubleshooting.md#the-embedded-aws--does-not-run\n",
    )


@pytest.mark.usefixtures("chosen")
def test_down_with_nothing_running_is_fine(say: Say) -> None:
    assert say("down") == (
        0,
        "The embedded AWS 'local' is gone (0 containers removed). Docker is left running.\n",
    )


def test_the_process_id_of_somebody_else_is_not_ours(chosen: Config, say: Say) -> None:
    chosen.state.mkdir()
    (chosen.state / "pid").write_text("1\n")

    assert "does not run" in say("status")[1]


# Status of what runs


@pytest.fixture
def running(chosen: Config) -> Iterator[Config]:
    """A process that lives and does not answer."""
    chosen.state.mkdir()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)", "local_aws"]) as process:
        (chosen.state / "pid").write_text(f"{process.pid}\n")
        # Right after exec the kernel does not know its arguments yet.
        until(lambda: cli._process(chosen) is not None, "the process has its arguments", 5)
        yield chosen
        process.kill()


@pytest.mark.usefixtures("running")
def test_status_while_it_starts_is_one_sentence(say: Say) -> None:
    assert say("status") == (
        1,
        "local_aws: The embedded AWS 'local' is starting and does not answer yet. Its log: python -m local_aws log\n"
        "See docs/troubleshooting.md#not-ready-after\n",
    )


def test_status_of_one_that_hangs(running: Config, say: Say) -> None:
    (running.state / "ready").touch()

    assert f"'local' runs, but does not answer at {running.endpoint}. Its log: " in say("status")[1]


@pytest.mark.parametrize("well", [True, False])
def test_status_shows_every_part(running: Config, say: Say, well: bool) -> None:
    lines = [{"name": "network", "ok": True, "detail": "10.76.0.0/16"}, {"name": "rds", "ok": well, "detail": "db"}]

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(lines).encode())

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", running.api_port), Answer) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        status, text = say("status")

    assert status == (0 if well else 3)
    assert text.splitlines() == ["  ok   network  10.76.0.0/16", f"  {'ok ' if well else 'BAD'}  rds      db"]


# What is removed


def test_what_vanishes_meanwhile_is_fine_and_the_rest_goes(
    chosen: Config, say: Say, engine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    gone = docker.errors.NotFound("No such thing")
    under_way = docker.errors.APIError("removal is already in progress", response=SimpleNamespace(status_code=409))
    for shelf in (engine.containers, engine.volumes, engine.networks):
        shelf.add("vanished", label=f"{LABEL}={chosen.name}", errors=[gone])
        shelf.add("mine", label=f"{LABEL}={chosen.name}")
        shelf.add("other", label=f"{LABEL}=test")
    engine.containers.add("slow", label=f"{LABEL}={chosen.name}", errors=[under_way, under_way])
    engine.containers.add("busy", label=f"{LABEL}={chosen.name}", errors=[requests.ReadTimeout("60 s"), under_way])

    assert "(4 containers removed)" in say("down")[1]

    for shelf in (engine.containers, engine.volumes, engine.networks):
        assert [thing.id for thing in shelf.things] == ["other"]


def test_an_engine_that_does_not_remove_a_container_is_told_of(
    chosen: Config, say: Say, engine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_aws.__main__.DOWN_SECONDS", -1)
    engine.containers.add("stuck", label=f"{LABEL}={chosen.name}", errors=[requests.ReadTimeout("60 s")])
    code, said = say("down")
    assert code == 1
    assert "The Docker engine does not remove the container stuck. Type the same command again" in said


@pytest.mark.parametrize(
    ("only", "host_image", "says"),
    [
        ({"nonsense"}, "host", "There is no part nonsense. There are: network, resolver,"),
        (None, "nonsense", "There is no image nonsense of a host. There are: host, host_amazon_linux."),
    ],
)
def test_what_there_is_not_is_refused_by_a_sentence(only: set[str] | None, host_image: str, says: str) -> None:
    with pytest.raises(SystemExit, match=re.escape(says)):
        server.serve(Elsewhere("elsewhere", 1, 2, 3, 4, 5, NETWORK), only, host_image)


@pytest.mark.parametrize(("said", "minute"), [("4", 4.0), ("60", 60.0), ("0", None), ("61", None), ("soon", None)])
def test_how_long_a_minute_of_scaling_is(said: str, minute: float | None) -> None:
    made = server.Server(Elsewhere("elsewhere", 1, 2, 3, 4, 5, NETWORK), only=set())
    serve = made._status_middleware(lambda _environ, _start: [b"an API"])
    statuses: list[str] = []

    def call(path: str, method: str = "POST") -> list[bytes]:
        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "CONTENT_LENGTH": len(said)}
        body: list[bytes] = serve(environ | {"wsgi.input": io.BytesIO(said.encode())}, lambda *a: statuses.append(a[0]))
        return body

    (answer,) = call("/_local_aws/minute")
    assert made.cloud.minute == (minute or 60.0)
    assert statuses == ["204 No Content" if minute else "400 Bad Request"]
    assert (b"from 1 to 60" in answer) == (minute is None)
    assert call("/_local_aws/minute", "GET") == [b"an API"]


@pytest.mark.parametrize("said", ["shop-monthly 33 50", "shop-monthly 33", "other 33 50"])
def test_what_a_budget_has_counted_is_said(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = server.Server(Elsewhere("elsewhere", 1, 2, 3, 4, 5, NETWORK), only=set())
    serve = made._status_middleware(lambda _environ, _start: [b"an API"])
    counted: list[tuple[str, ...]] = []

    def spend(*given: str) -> None:
        if given[0] == "other":
            raise LookupError("There is no budget other.")
        counted.append(given)

    monkeypatch.setattr("local_aws.patches.budgets.spend", spend)
    statuses: list[str] = []
    environ = {"PATH_INFO": "/_local_aws/spend", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": len(said)}
    (answer,) = serve(environ | {"wsgi.input": io.BytesIO(said.encode())}, lambda *a: statuses.append(a[0]))
    good = said == "shop-monthly 33 50"
    assert counted == ([("shop-monthly", "33", "50")] if good else [])
    assert statuses == ["204 No Content" if good else "400 Bad Request"]
    assert (b"Say a budget's name" in answer) is not good


@pytest.mark.parametrize("late", [None, Settings(42)])
def test_only_this_machine_is_answered_late(monkeypatch: pytest.MonkeyPatch, late: Settings | None) -> None:
    """The hosts come by the gateway: what their agents repeat is AWS's own."""
    listening: dict[str, Any] = {}
    made = server.Server(Elsewhere("elsewhere", 1, 2, 3, 4, 5, NETWORK), only=set(), late=late)
    made.parts = [made.parts[0]]
    monkeypatch.setattr(made, "_listen", lambda address, application: listening.update({address: application}))
    monkeypatch.setattr(made, "_prepare", lambda _part: None)
    monkeypatch.setattr(made.parts[0], "start", lambda: None)
    for place in ("local_aws.patches.apply", "local_aws.cloudformation.api.install"):
        monkeypatch.setattr(place, lambda _cloud: None)
    monkeypatch.setattr("local_aws.ecs.middleware", lambda _cloud, _application: answer)
    asked: list[dict[str, Any]] = []

    def answer(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        asked.append(environ)
        return [b"at once"]

    monkeypatch.setattr("local_aws.functions.gateway.Gateway.answer", lambda *_: Response(200, [], b"a function"))
    made.start()
    called = {"PATH_INFO": "/", "REQUEST_METHOD": "GET", "HTTP_HOST": "a1b2.execute-api.localhost:4566"}
    for application in listening.values():
        assert application({"PATH_INFO": "/"}, None) == [b"at once"], "what is no AWS operation passes"
        assert application(called, lambda *_: None) == [b"a function"], "an HTTP API is no AWS operation"
    fronts = {address: made._late is not None and address == "127.0.0.1" for address in listening}
    assert fronts == {"127.0.0.1": late is not None, str(NETWORK[1]): False}
    assert [line["detail"] for line in made.status() if line["part"] == "late"] == (
        ["seed 42; of 0 calls 0 failed, 0 lost, 0 stale, 0 paged"] if late else []
    )
