"""The HAProxy of a load balancer: the files that it reads, its start, and its reload."""

from __future__ import annotations

import time
from pathlib import Path

from docker.models.containers import Container

from local_aws import haproxy
from local_aws.haproxy import Balancer
from local_aws.load_balancers.admin import Admin
from local_aws.load_balancers.servers import Servers

START_SECONDS = 20


class Proxy:
    """The HAProxy of one load balancer.

    Attributes:
        servers: its servers.
        structure: the part of what was wanted that only a reload changes (`configuration.structure`); None at first.
        address: its container's, empty before it has started.
        trouble: why its configuration is behind the API; empty if it is not.

    Args:
        arn, dns_name: of the load balancer.
        folder: its files, on this machine.
        balancer: what it is configured for now.
    """

    def __init__(self, arn: str, dns_name: str, folder: Path, balancer: Balancer) -> None:
        self.arn = arn
        self.dns_name = dns_name
        self.folder = folder
        self.balancer = balancer
        self.structure: Balancer | None = None
        self.address = ""
        self.trouble = ""
        self._admin = Admin(balancer.name, folder / "admin.sock")
        self.servers = Servers(self._admin)

    def write(self, balancer: Balancer, files: dict[str, str], validate: Container | None = None) -> None:
        """Write the configuration; with `validate`, only if HAProxy finds it good.

        Raises:
            RuntimeError: it does not; with its words. The former configuration stays.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        (self.folder / "servers").write_text("")
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            if name != haproxy.FILE:
                path.write_text(text)
        candidate = self.folder / "candidate.cfg"
        candidate.write_text(files[haproxy.FILE])
        if validate:
            done = validate.exec_run(["haproxy", "-c", "-q", "-f", f"{haproxy.FOLDER}/candidate.cfg"])
            if done.exit_code:
                self.trouble = f"HAProxy refuses the configuration: {done.output.decode(errors='replace').strip()}"
                raise RuntimeError(self.trouble)
        candidate.replace(self.folder / haproxy.FILE)
        self.balancer, self.trouble = balancer, ""

    def wait(self, container: Container) -> None:
        """Wait for its socket after a start.

        Raises:
            RuntimeError: it does not answer in time; with what it said last.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            container.reload()
            try:
                self._admin.info()
                return
            except OSError as error:
                if container.status == "exited" or time.monotonic() > deadline:
                    log = container.logs(tail=5).decode(errors="replace")
                    raise RuntimeError(f"HAProxy of {self.balancer.name} does not answer: {error}\n{log}") from error
                time.sleep(0.05)

    def reload(self, container: Container, balancer: Balancer, files: dict[str, str]) -> None:
        """A new configuration, without a dropped connection: the master process passes the sockets to a new worker,
        and the old one ends when its last connection has.

        Raises:
            RuntimeError: HAProxy did not take it; with its words.
        """
        self.write(balancer, files, validate=container)
        worker = self._admin.info()["Pid"]
        (self.folder / "servers").write_text(self._admin.command("show servers state"))
        container.kill(signal="USR2")
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if self._admin.info()["Pid"] != worker:
                    return
            except OSError:
                pass  # between two workers
            if time.monotonic() > deadline:
                log = container.logs(tail=5).decode(errors="replace")
                raise RuntimeError(f"HAProxy of {balancer.name} did not take its new configuration:\n{log}")
            time.sleep(0.05)
