"""A port of this machine that leads through a host to an address that only hosts reach, and what holds it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugins.plugin_utils.container_log import readable

LOOPBACK = "127.0.0.1"
CONNECT_SECONDS = 10
SSH_OPTIONS = (
    "BatchMode=yes",  # nobody could answer a question: the program has no terminal
    "ExitOnForwardFailure=yes",
    f"ConnectTimeout={CONNECT_SECONDS}",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "ControlMaster=no",  # with a master of the person's own ssh would hand the port over to it and end
    "ControlPath=none",
)
DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
"""Session Manager's document.

https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html
"""
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""A client's first words to PostgreSQL, answered by one letter: S with TLS, N without.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""


@dataclass(frozen=True)
class Host:
    """A host of the site, as ssh reaches it.

    Attributes:
        name: its instance id.
        address: of its sshd.
        user: who logs in.
        key_file: the private key; empty for ssh's own choice.
        options: more of ssh's arguments, as a shell would split them.
    """

    name: str
    address: str
    user: str
    key_file: str = ""
    options: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Host:
        """A host as the action is given it."""
        return cls(**{key: str(value) for key, value in given.items()})


@dataclass(frozen=True)
class Way:
    """From where to where a port leads.

    Attributes:
        port: of this machine.
        address, to: host name and port behind the site's host.
    """

    port: int
    address: str
    to: int


def by_ssh(way: Way, host: Host) -> list[str]:
    """The program that holds a port by ssh."""
    return ["ssh", "-N", "-T", *_options(), "-L", _leads(way), *_to(host)]


def by_ssh_tied(way: Way, host: Host) -> list[str]:
    """The program that holds a port by ssh until its input ends, as it does when this process is killed."""
    return ["ssh", "-T", *_options(), "-L", _leads(way), *_to(host), "cat"]


def run_by_ssh(host: Host, words: Sequence[str]) -> list[str]:
    """The program that runs a command on a host by ssh.

    Args:
        host: the host.
        words: the command with its arguments, as they are.
    """
    return ["ssh", "-T", *_options(), *_to(host), shlex.join(words)]


def _leads(way: Way) -> str:
    return f"{LOOPBACK}:{way.port}:{way.address}:{way.to}"


def _options() -> list[str]:
    return [word for option in SSH_OPTIONS for word in ("-o", option)]


def _to(host: Host) -> list[str]:
    key = ["-i", str(Path(host.key_file).expanduser())] if host.key_file else []
    return [*key, *shlex.split(host.options), f"{host.user}@{host.address}"]


def by_session_manager(way: Way, host: Host, region: str) -> list[str]:
    """The program that holds a port by Session Manager, which needs no key and no open port."""
    wanted = {"host": [way.address], "portNumber": [str(way.to)], "localPortNumber": [str(way.port)]}
    return [
        "aws", "ssm", "start-session", "--region", region, "--target", host.name, "--document-name", DOCUMENT,
        "--parameters", json.dumps(wanted),
    ]  # fmt: skip


def is_free(port: int) -> bool:
    """Whether nobody listens at a port of this machine's loopback."""
    with socket.socket() as tried:
        # As servers do: connections that have just ended do not keep a port.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_from(port: int) -> int:
    """The next free port; the same one if there is none."""
    return next((each for each in range(port + 1, min(port + 100, 65536)) if is_free(each)), port)


def answer(port: int) -> str:
    """What PostgreSQL says behind a port of this machine: `S`, `N`, or nothing; `-` while nobody listens."""
    try:
        with socket.create_connection((LOOPBACK, port), CONNECT_SECONDS) as connection:
            connection.sendall(SSL_REQUEST)
            return connection.recv(1).decode(errors="replace")
    except ConnectionRefusedError:
        return "-"
    except OSError:
        return ""


@dataclass
class Held:
    """A running program that holds a port.

    Attributes:
        process: the program.
        said: what it has written.
    """

    process: subprocess.Popen[bytes]
    said: Any = field(repr=False)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    @property
    def reason(self) -> str:
        """Its last words, in one line."""
        self.said.seek(0)
        lines = [readable(line).strip() for line in self.said.read().decode(errors="replace").splitlines()]
        return "; ".join([line for line in lines if line][-3:]) or f"exit code {self.process.poll()}"


@contextmanager
def held(command: Sequence[str], tied: bool = False) -> Iterator[Held]:
    """Run a program while the block does; it ends with the block, and with this process if a signal ends that.

    Ansible ends its workers by a signal when a person types Ctrl-C; a program of another group would live on.

    Args:
        command: the program with its arguments.
        tied: whether its input ends with this process, even if that is killed; else it has none.
    """
    with tempfile.TemporaryFile() as said:
        started: list[subprocess.Popen[bytes]] = []
        with _ended_by_signals(started):  # before it starts: a signal may come at once
            process = subprocess.Popen(  # in a group of its own: it may start programs itself
                command,
                stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            started.append(process)
            try:
                yield Held(process, said)
            finally:
                _end(process)
                if process.stdin:
                    process.stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(5)
        except ProcessLookupError:
            process.wait(5)
            return
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def _ended_by_signals(started: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # which alone may say what signals do
        yield
        return
    before: dict[int, Any] = {}

    def end(number: int, frame: Any) -> None:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        signal.signal(number, before[number])
        if callable(before[number]):
            before[number](number, frame)
        else:
            os.kill(os.getpid(), number)

    for ending in (signal.SIGINT, signal.SIGTERM):
        before[ending] = signal.signal(ending, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
