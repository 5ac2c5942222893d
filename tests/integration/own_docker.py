"""A Docker engine of a test's own, and an agent that works with it: the machine's engine has no part in it."""

from __future__ import annotations

import contextlib
import ctypes
import http.server
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from local_aws.agent.ecs_agent import configuration
from local_aws.agent.ecs_agent.aws import Credentials
from local_aws.agent.ecs_agent.images import Images
from local_aws.agent.ecs_agent.managed_task import ManagedTask
from local_aws.agent.ecs_agent.store import Store
from local_aws.agent.ecs_agent.task import Task
from local_aws.agent.ecs_agent.task_host import Host
from local_aws.ecs.state import Json
from local_aws.tests.ecs_support import Agent, World

START_SECONDS = 30
PROGRAMS = ("/bin/sh", "/usr/bin/tail", "/usr/bin/sleep")
"""What the image has, with their libraries."""
IMAGE = "small:1"
BRIDGE = "berth0"
ALONE = f"""
ip link set lo up
ip link add {BRIDGE} type bridge
ip address add 192.168.251.1/24 dev {BRIDGE}
ip link set {BRIDGE} up
exec dockerd "$@"
"""
"""Makes the engine's bridge in its own network, and then is the engine."""
OKAY: tuple[int, dict[str, str], Any] = (200, {}, {})
NETWORK = 0x40000000
"""CLONE_NEWNET of setns(2)."""


@dataclass
class Engine:
    """A Docker engine in a network of its own, in which nothing else is.

    Attributes:
        client: of the Docker SDK.
        place: where it listens, as DOCKER_HOST has it.
        pid: of its program.
    """

    client: Any
    place: str
    pid: int

    def listener(self) -> socket.socket:
        """A socket that listens in the engine's network: there it is 127.0.0.1, and nobody else reaches it."""
        with ThreadPoolExecutor(1) as threads:  # a thread that has gone over to another network is never used again
            return threads.submit(self._listener).result()

    def _listener(self) -> socket.socket:
        with Path(f"/proc/{self.pid}/ns/net").open() as network:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(network.fileno(), NETWORK):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return socket.create_server(("127.0.0.1", 0))

    @contextlib.contextmanager
    def leads_to(self, port: int) -> Iterator[int]:
        """A port of the engine's network that leads to this one of this machine's."""
        listener = self.listener()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    there = listener.accept()[0]
                    here = socket.create_connection(("127.0.0.1", port))
                    for pair in ((there, here), (here, there)):
                        threading.Thread(target=_pass_on, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def engine(folder: Path, **environment: str) -> Iterator[Engine]:
    """An engine that ends with the block.

    It has to have a network of its own: an engine without a bridge removes docker0, which is another one's.

    Args:
        folder: where it keeps everything.
        environment: what it is started with; its logging drivers take credentials from there.
    """
    if os.getuid():
        pytest.skip("only root starts a Docker engine")
    place = f"unix://{folder}/docker.sock"
    options = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--storage-driver=vfs", f"--host={place}"]
    options += [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    command = ["unshare", "--net", "sh", "-ec", ALONE, "sh", f"--bridge={BRIDGE}", *options]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | environment)
    try:
        client = _answering(place, folder / "log")
        yield Engine(client, place, running.pid)
    finally:
        running.terminate()
        running.wait(START_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _answering(place: str, log: Path) -> Any:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client = docker.DockerClient(place, timeout=60)
            client.ping()
        except (docker.errors.DockerException, OSError):
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.1)
        else:
            return client


def load(client: Any) -> None:
    """Make the image of this machine's own programs."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path in sorted({*PROGRAMS, *(each for program in PROGRAMS for each in _libraries(program))}):
            tar.add(os.path.realpath(path), path)
    client.api.import_image_from_data(archive.getvalue(), *IMAGE.split(":"))


def _libraries(program: str) -> list[str]:
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.split()
    return [word for word in listed if word.startswith("/")]


class RealAgent(Agent):
    """The embedded AWS's agent, on a real engine; only how the control plane's words reach it is a test's.

    Args:
        world: its ECS.
        client: the engine.
        folder: where it keeps what it knows.
    """

    def __init__(self, world: World, client: Any, folder: Path) -> None:
        configured, store = configuration.from_values({"ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached"}), Store(str(folder))
        self._host = Host(
            client, configured, Images(client, configured, store, Credentials), "us-east-1", "demo", self._told,
            lambda _task: None, lambda _arn: None,
        )  # fmt: skip
        self._tasks: dict[str, ManagedTask] = {}
        super().__init__(world, "i-1", 1000)

    def turn(self, seconds: float = 20) -> None:
        """Drive its tasks until each has ended."""
        deadline = time.monotonic() + seconds
        while any(each.task.status != "STOPPED" for each in self._tasks.values()):
            assert time.monotonic() < deadline, [each.task.record() for each in self._tasks.values()]
            for each in self._tasks.values():
                each.turn()
            time.sleep(0.1)
        for each in self._tasks.values():
            each.turn()  # which tells ECS

    def _told(self, action: str, request: Json) -> None:
        self.world.call(action, **{**request, "cluster": "demo"})

    def _start(self, task: Json) -> None:
        if task["arn"] not in self._tasks:
            self._tasks[task["arn"]] = ManagedTask(self._host, Task.sent(task))

    def _stop(self, task: Json) -> None:
        self._tasks[task["arn"]].update(task)


@contextlib.contextmanager
def registry(own: Engine, answers: Mapping[str, tuple[int, dict[str, str], Any]]) -> Iterator[str]:
    """A registry in an engine's network that answers as it is told; `127.0.0.1:<port>`.

    Args:
        own: the engine.
        answers: a part of a path → status, headers and body. Elsewhere it answers 200 and nothing.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = (answers[part] for part in answers if part in self.path)
            status, headers, body = next(known, OKAY)
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = own.listener()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        server.server_close()
