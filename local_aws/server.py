"""The one process of an embedded AWS: moto's server with our CloudFormation and ECS in front, and the parts' loops."""

from __future__ import annotations

import json
import logging
import re
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, make_server

from local_aws import images
from local_aws.cloud import Cloud
from local_aws.config import IAM, SECURITY_GROUPS, Config, Iam, SecurityGroups
from local_aws.late.chance import Settings
from local_aws.part import Part
from local_aws.real_agent import binary

if TYPE_CHECKING:
    from local_aws.late.front import Late

POLL_SECONDS = 0.05
"""How long `shutdown` may have to wait for a server's loop, which looks twice a second otherwise."""
MINUTE_MOST = 60
"""Seconds."""


class Server:
    """An embedded AWS that runs until `stop`.

    Args:
        config: which one.
        only: names of the parts to run besides the network, all if None. APIs are always there.
        host_image: the image of EC2 instances, a folder of `local_aws/images`.
        late: how late its APIs answer to this machine; at once if None.
        iam: what becomes of a call that IAM denies.
        security_groups: what becomes of a packet that no security group lets through.
        ecs_agent: what runs in the place of the hosts' stand-in agent, if anything does.

    Raises:
        ValueError: `only` names a part, or `host_image` an image, that there is not.
        binary.NoAgent: `ecs_agent` cannot be the hosts' agent.
    """

    def __init__(
        self,
        config: Config,
        only: set[str] | None = None,
        host_image: str = "host",
        late: Settings | None = None,
        iam: Iam = IAM,
        security_groups: SecurityGroups = SECURITY_GROUPS,
        ecs_agent: Path | None = None,
    ) -> None:
        from local_aws.parts import parts

        if ecs_agent:
            binary.check(ecs_agent)
        self.cloud = Cloud(config, host_image, ecs_agent)
        known = parts(self.cloud)
        if unknown := (only or set()) - {part.name for part in known}:
            there = ", ".join(part.name for part in known)
            raise ValueError(f"There is no part {', '.join(sorted(unknown))}. There are: {there}.")
        if not (images.FOLDER / host_image / "Dockerfile").is_file():
            there = ", ".join(sorted(path.parent.name for path in images.FOLDER.glob("host*/Dockerfile")))
            raise ValueError(f"There is no image {host_image} of a host. There are: {there}.")
        # Rules need not be asked for as a part: they come with the parts that there are, if they are to be enforced.
        always = {"network", "security_groups"}
        if security_groups is SecurityGroups.RECORD:
            known = [part for part in known if part.name != "security_groups"]
        self.parts: list[Part] = [part for part in known if only is None or part.name in only | always]
        self._late_settings = late
        self._iam = iam
        self._late: Late | None = None
        self._servers: list[BaseWSGIServer] = []
        self.log = self.cloud.log("server")

    def start(self) -> None:
        """Serve the APIs, prepare the network, then all other parts side by side, and start them in order.

        Raises:
            OSError: a port is taken.
            local_aws.images.BuildError: an image could not be built.
        """
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        from local_aws import ecs, patches
        from local_aws.access.denials import Denials
        from local_aws.access.front import Guard
        from local_aws.cloudformation import api as cloudformation
        from local_aws.functions.gateway import Gateway, middleware

        patches.apply(self.cloud)
        cloudformation.install(self.cloud)
        application = self.cloud.changes.watch(DomainDispatcherApplication(create_backend_app))
        application = ecs.middleware(self.cloud, application)
        gateway = Gateway(self.cloud)
        guard = self.cloud.guard = Guard(self.cloud, self._iam, Denials(self.cloud.config.state / "iam.jsonl"))
        # Hosts come by the gateway: their agents' retries are AWS's work, not that of this project's plugins.
        if self._late_settings:
            from local_aws.late.front import Late

            self._late = Late(application, self._late_settings)
        self._listen("127.0.0.1", self._status_middleware(middleware(gateway, guard.before(self._late or application))))
        network, *others = self.parts
        self._prepare(network)
        self._listen(self.cloud.config.gateway, middleware(gateway, guard.before(application)))
        with ThreadPoolExecutor(len(others) or 1, thread_name_prefix="prepare") as pool:
            list(pool.map(self._prepare, others))  # the first error is raised here
        for part in self.parts:
            part.start()
        self.log.info("ready")

    def stop(self) -> None:
        """End the loops, then the APIs."""
        for part in reversed(self.parts):
            part.stop()
        for server in self._servers:
            server.shutdown()
        self._servers.clear()

    def status(self) -> list[dict[str, Any]]:
        """The health of every part, as `local_aws status` shows it."""
        late = [{"part": "late", "name": "late", "ok": True, "detail": self._late.describe()}] if self._late else []
        guard = self.cloud.guard
        judged = [{"part": "iam", "name": "iam", "ok": True, "detail": guard.describe()}] if guard else []
        agent = f"{self.cloud.ecs_agent} in the place of the stand-in"
        agents = [{"part": "ecs", "name": "agent of the hosts", "ok": True, "detail": agent}]
        return (
            late
            + judged
            + (agents if self.cloud.ecs_agent else [])
            + [
                {"part": part.name, "name": line.name, "ok": line.ok, "detail": line.detail}
                for part in self.parts
                for line in part.report()
            ]
        )

    def _prepare(self, part: Part) -> None:
        self.log.info("preparing %s", part.name)
        part.prepare()

    def _listen(self, address: str, application: Any) -> None:
        server = make_server(address, self.cloud.config.api_port, application, threaded=True)
        threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), name=f"api-{address}", daemon=True).start()
        self._servers.append(server)

    def _status_middleware(self, application: Any) -> Any:
        def serve(environ: dict[str, Any], start_response: Any) -> Any:
            if environ["PATH_INFO"] == "/_local_aws/status":
                body = json.dumps(self.status()).encode()
                start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
                return [body]
            if environ["PATH_INFO"] == "/_local_aws/ecs_agent":
                body = str(self.cloud.ecs_agent or "").encode()
                start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
                return [body]
            if (environ["PATH_INFO"], environ.get("REQUEST_METHOD")) == ("/_local_aws/minute", "POST"):
                return self._set_minute(environ, start_response)
            if (environ["PATH_INFO"], environ.get("REQUEST_METHOD")) == ("/_local_aws/spend", "POST"):
                return self._spend(environ, start_response)
            return application(environ, start_response)

        return serve

    def _set_minute(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Let a minute of what scales by load, and of databases' logs, last as many seconds as the body says."""
        text = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode(errors="replace")
        good = re.fullmatch(r"[1-9]\d?", text) is not None and int(text) <= MINUTE_MOST
        if good:
            self.cloud.minute = float(text)
        body = b"" if good else f"Say how many seconds a minute lasts, from 1 to {MINUTE_MOST}.\n".encode()
        start_response("204 No Content" if good else "400 Bad Request", [("Content-Length", str(len(body)))])
        return [body]

    def _spend(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Let a budget have counted what the body says: its name, what was spent, what is foreseen."""
        from local_aws.patches.budgets import spend

        text = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode(errors="replace")
        try:
            name, actual, foreseen = text.split()
            spend(name, actual, foreseen)
            said = ""
        except (LookupError, ValueError) as error:
            said = f"{error} Say a budget's name, what was spent and what is foreseen: shop-live-monthly 33.50 48\n"
        body = said.encode()
        start_response("400 Bad Request" if said else "204 No Content", [("Content-Length", str(len(body)))])
        return [body]


def serve(
    config: Config,
    only: set[str] | None = None,
    host_image: str = "host",
    late: Settings | None = None,
    iam: Iam = IAM,
    security_groups: SecurityGroups = SECURITY_GROUPS,
    ecs_agent: Path | None = None,
) -> None:
    """Run an embedded AWS in the foreground until SIGTERM or SIGINT; what `up` starts in the background.

    Raises:
        SystemExit: a part or an image was asked for that there is not, or an agent that cannot be one; the message says
            which there are, or why.
    """
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    try:
        server = Server(config, only, host_image, late, iam, security_groups, ecs_agent)
    except (ValueError, binary.NoAgent) as error:
        sys.exit(str(error))
    done = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        done.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server.start()
    (config.state / "ready").write_text("ready\n")
    done.wait()
    server.stop()
