"""A port of this machine leads to the database, or the reason why not is said; stand-ins for ssh hold the port."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.tests.until import until
from plugins.action import database_tunnel
from plugins.plugin_utils import spans
from plugins.plugin_utils.tunnel import (
    DOCUMENT,
    Host,
    Way,
    answer,
    by_session_manager,
    by_ssh,
    free_from,
    held,
    is_free,
)
from tests.unit.fake_cloudformation import error
from tests.unit.plugin_support import PROJECT, run_action

HOST = {"name": "i-0a", "address": "10.0.0.5", "user": "ec2-user"}
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-prod/database/main-AbCdEf"  # noqa: S105 # a name
OUTPUTS = {"Endpoint": "main.rds.test", "Port": "5432", "SecretArn": SECRET}
GIVEN: dict[str, Any] = {
    "database": "main", "stack": "shop-prod-database-main", "dbname": "site", "username": "shop", "hosts": [HOST],
    "region": "us-east-1",
}  # fmt: skip


def a_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def stack(**outputs: str) -> Any:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return SimpleNamespace(describe_stacks=lambda StackName: {"Stacks": [{"Outputs": listed}]})  # noqa: ARG005 # as boto3 calls it


SERVER = """
    import socket, sys, time
    listener = socket.create_server(("127.0.0.1", {port}))
    print("pid", flush=True)
    end = time.monotonic() + {seconds}
    while time.monotonic() < end:
        listener.settimeout(max(0.01, end - time.monotonic()))
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            break
        connection.recv(8)
        connection.sendall({says!r})
        connection.close()
    print("connection reset by peer", file=sys.stderr)
    sys.exit(255)
"""


def a_program(port: int, says: bytes = b"S", seconds: float = 60) -> list[str]:
    """A program that holds a port for a while, with a database behind it that says this."""
    return [sys.executable, "-c", textwrap.dedent(SERVER.format(port=port, says=says, seconds=seconds))]


@pytest.fixture
def tunnel(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[dict[str, Any], str]]:
    """The result of the action and what was shown, with these programs in place of ssh, one a host."""

    def go(*programs: list[str], check: bool = False, client: Any = None, **given: Any) -> tuple[dict[str, Any], str]:
        left, shown = list(programs), list[str]()
        monkeypatch.setattr(database_tunnel, "by_ssh", lambda _way, _host: left.pop(0))
        monkeypatch.setenv("BERTH_POLL_SECONDS", "0.05")
        result = run_action(
            database_tunnel, GIVEN | given, check, client=lambda _service: client or stack(**OUTPUTS),
            say=lambda name, text, _color=None: shown.append(f"{name}: {text}"),
        )  # fmt: skip
        return result, "\n".join(shown)

    return go


Tunnel = Callable[..., tuple[dict[str, Any], str]]


# It leads there


def test_the_port_leads_there_for_as_long_as_is_wanted(tunnel: Tunnel) -> None:
    port = a_port()
    begun = time.monotonic()
    result, shown = tunnel(a_program(port), port=str(port), open_for="1s")
    assert result == {"changed": False, "host": "i-0a"}
    assert 0.9 < time.monotonic() - begun < 20
    assert shown.splitlines() == [
        f"main: 127.0.0.1:{port} leads through i-0a to main.rds.test:5432, and it answers",
        f"main: psql 'host=127.0.0.1 port={port} dbname=site user=shop sslmode=require'",
        f"main: postgresql://shop@127.0.0.1:{port}/site?sslmode=require",
        "main: the password: in the secret shop-prod/database/main; to see it: aws secretsmanager get-secret-value "
        "--region us-east-1 --secret-id shop-prod/database/main --query SecretString --output text",
        "main: open for 1s, or until Ctrl-C",
        "main: closed after 1s",
    ]
    assert is_free(port), "the program ends with it"


def test_a_database_outside_of_berth_and_without_tls(tunnel: Tunnel) -> None:
    port = a_port()
    result, shown = tunnel(
        a_program(port, b"N"), port=str(port), open_for="1s", stack="", address="db.example.net", to_port=6432,
        username="", secret="reports",  # noqa: S106 # a name
    )  # fmt: skip
    assert not result.get("failed"), result
    assert "leads through i-0a to db.example.net:6432" in shown
    assert f"postgresql://127.0.0.1:{port}/site?sslmode=prefer" in shown
    assert "user and password: in the secret reports;" in shown


def test_a_host_that_cannot_be_reached_is_passed_over(tunnel: Tunnel) -> None:
    port = a_port()
    refused = [
        sys.executable,
        "-c",
        "import sys; sys.exit('ssh: connect to host 10.0.0.5 port 22: Connection refused')",
    ]
    two = [HOST, HOST | {"name": "i-0b"}]
    result, shown = tunnel(refused, a_program(port), port=str(port), open_for="1s", hosts=two)
    assert result["host"] == "i-0b"
    assert "main: i-0a: ssh: connect to host 10.0.0.5 port 22: Connection refused" in shown


# It does not


def test_without_a_host_that_leads_there_each_reason_is_said(tunnel: Tunnel) -> None:
    words = [[sys.executable, "-c", f"import sys; sys.exit('\x1b[31mno way {n}')"] for n in range(9)]
    result, _ = tunnel(*words, port=str(a_port()), hosts=[HOST | {"name": f"i-{n}"} for n in range(9)])
    assert result["msg"].startswith(
        "No host leads to the database main at main.rds.test:5432. i-0: no way 0. i-1: no way 1. i-2: no way 2. i-3:"
    )
    assert "i-5" not in result["msg"], "five are tried"


def test_a_port_behind_which_nothing_answers_is_said(tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_tunnel, "READY_SECONDS", 0.6)
    port = a_port()
    result, _ = tunnel(a_program(port, b""), port=str(port))
    assert "i-0a: nothing answers behind it after 1 s" in result["msg"]
    result, _ = tunnel([sys.executable, "-c", "import time; time.sleep(60)"], port=str(port))
    assert "i-0a: the port is not open after 1 s" in result["msg"]


def test_a_tunnel_that_ends_by_itself_is_said(tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_tunnel, "LOOK_SECONDS", 0.05)
    port = a_port()
    result, _ = tunnel(a_program(port, seconds=1.5), port=str(port))
    assert result["msg"] == (
        "The tunnel has ended by itself: pid; connection reset by peer. Type the same command again."
    )


def test_when_ansible_is_gone_the_tunnel_is(tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([7, 7, 1])
    monkeypatch.setattr(database_tunnel, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr("plugins.action.database_tunnel.os.getppid", lambda: next(parents))
    port = a_port()
    result, _ = tunnel(a_program(port), port=str(port))
    assert not result.get("failed"), result
    assert is_free(port)


def test_a_port_that_is_taken_is_said_with_one_that_is_not(tunnel: Tunnel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result, _ = tunnel(port=str(port))
        other = free_from(port)
    assert result["msg"].startswith(f"Port {port} of this machine is taken")
    assert result["msg"].endswith(f"-e local_port={other}")
    assert other > port


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"port": "80"}, "local_port is '80'; write a port of this machine from 1024 to 65535:"),
        ({"port": "65536"}, "local_port is '65536';"),
        ({"port": "x"}, "local_port is 'x';"),
        ({"open_for": "1"}, "for is '1'; write a time as 30s, 15m, 2h or 3d:"),
        ({"open_for": "0h"}, "for is '0h';"),
    ],
)
def test_what_is_typed_wrong_is_refused(tunnel: Tunnel, given: dict[str, str], said: str) -> None:
    assert tunnel(**given)[0]["msg"].startswith(said)


def test_a_database_that_is_not_up_is_said(tunnel: Tunnel) -> None:
    for message, said in (
        (
            "Stack with id x does not exist",
            "The database main is not up (stack shop-prod-database-main). Type: ansible-",
        ),
        ("Rate exceeded", "DescribeStacks: Rate exceeded"),
    ):
        client = stack()

        def refused(message: str = message, **_asked: Any) -> Any:
            raise error(message, "DescribeStacks", "ValidationError")

        client.describe_stacks = refused
        assert tunnel(client=client, port=str(a_port()))[0]["msg"].startswith(said)
    assert "is not up" in tunnel(client=stack(), port=str(a_port()))[0]["msg"], "it is being made"


def test_a_check_run_says_what_it_would_do(tunnel: Tunnel) -> None:
    result, shown = tunnel(check=True)
    assert result == {"changed": False, "host": "i-0a"}
    assert shown == "main: would lead 127.0.0.1:15432 through i-0a to main.rds.test:5432"


@pytest.mark.parametrize(
    ("session_manager", "there", "missing"),
    [(False, [], "ssh"), (True, ["ssh"], "aws"), (True, ["aws"], "session-manager-plugin")],
)
def test_a_program_that_is_missing_here_is_said(
    tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch, session_manager: bool, there: list[str], missing: str
) -> None:
    monkeypatch.setattr("plugins.plugin_utils.database_way.shutil.which", lambda name: name if name in there else None)
    result, _ = tunnel(session_manager=session_manager)
    assert result["msg"].startswith(f"This machine has no {missing}, by which hosts are reached. Install")
    there += ["ssh", "aws", "session-manager-plugin"]
    assert not tunnel(check=True, session_manager=session_manager)[0].get("failed")


# The programs

WAY = Way(15432, "main.rds.test", 5432)


def test_ssh_knows_a_host_as_ansible_does() -> None:
    host = Host.of(HOST | {"key_file": "~/.ssh/shop.pem", "options": '-o "ProxyCommand=aws x --target %s" -o A=b'})
    command = by_ssh(WAY, host)
    assert command[:3] == ["ssh", "-N", "-T"]
    assert "ExitOnForwardFailure=yes" in command
    assert "BatchMode=yes" in command
    assert command[command.index("-L") + 1] == "127.0.0.1:15432:main.rds.test:5432"
    assert command[-7:] == [
        "-i", str(Path("~/.ssh/shop.pem").expanduser()), "-o", "ProxyCommand=aws x --target %s", "-o", "A=b",
        "ec2-user@10.0.0.5",
    ]  # fmt: skip
    assert "-i" not in by_ssh(WAY, Host.of(HOST))


def test_ssh_takes_the_command() -> None:
    """`ssh -G` reads options and shows what would hold; it connects to nobody."""
    command = by_ssh(WAY, Host.of(HOST | {"options": "-F none"}))
    shown = subprocess.run(["ssh", "-G", *command[1:]], capture_output=True, text=True, check=True).stdout.lower()
    assert "exitonforwardfailure yes" in shown
    assert "localforward [127.0.0.1]:15432 [main.rds.test]:5432" in shown
    assert "hostname 10.0.0.5" in shown


def test_session_manager_leads_past_the_host(tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch) -> None:
    command = by_session_manager(WAY, Host.of(HOST), "eu-west-1")
    assert command[:3] == ["aws", "ssm", "start-session"]
    assert command[command.index("--target") + 1] == "i-0a"
    assert command[command.index("--document-name") + 1] == DOCUMENT
    assert command[-1] == '{"host": ["main.rds.test"], "portNumber": ["5432"], "localPortNumber": ["15432"]}'
    port = a_port()
    monkeypatch.setattr("plugins.plugin_utils.database_way.shutil.which", lambda name: name)
    monkeypatch.setattr(database_tunnel, "by_session_manager", lambda _way, _host, _region: a_program(port))
    result, _ = tunnel(port=str(port), open_for="1s", session_manager=True)
    assert not result.get("failed"), result


def test_what_answers_is_told_from_what_does_not() -> None:
    port = a_port()
    assert answer(port) == "-"
    with socket.create_server(("127.0.0.1", port)) as listener:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("plugins.plugin_utils.tunnel.CONNECT_SECONDS", 0.2)
            assert answer(port) == "", "it takes the connection and says nothing"
        assert not is_free(port)
        listener.close()
    assert is_free(port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_ends_ansible_s_worker_ends_the_program_and_what_it_started(
    tmp_path: Path, number: signal.Signals
) -> None:
    child = tmp_path / "child"
    starts = f"sleep 60 & echo $! > {child}; wait"
    code = (
        "import time\nfrom plugins.plugin_utils.tunnel import held\n"
        f"with held(['sh', '-c', {starts!r}]):\n    time.sleep(60)\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stderr=subprocess.DEVNULL)
    try:
        until(lambda: child.exists() and child.read_text().strip(), "the program's own child", 20, lambda: "")
        worker.send_signal(number)
        assert worker.wait(20) != 0
        until(lambda: not _is_there(int(child.read_text())), "the child's end", 10, lambda: "")
    finally:
        worker.kill()
        worker.wait()


def _is_there(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_program_that_does_not_want_to_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = subprocess.Popen.wait
    monkeypatch.setattr(subprocess.Popen, "wait", lambda self, timeout=None: waits(self, timeout and 0.3))
    with held(["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]) as holder:
        time.sleep(0.3)
        assert not holder.is_over
    assert holder.is_over


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("30s", 30), ("15m", 900), ("2h", 7200), ("3d", 259200), ("0s", None), ("1", None), ("1w", None), ("", None)],
)
def test_spans_of_time(typed: str, wanted: int | None) -> None:
    assert spans.seconds(typed) == wanted
