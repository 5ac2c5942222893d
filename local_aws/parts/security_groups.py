"""Security groups' real half: a packet filter in the network of every container that stands for something in a VPC."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import docker

from local_aws import images
from local_aws.cloud import Cloud
from local_aws.part import Health, Part
from local_aws.parts.databases import RESOURCE_LABEL
from local_aws.parts.edge import ID_LABEL
from local_aws.parts.file_systems import FILE_SYSTEM_LABEL
from local_aws.parts.instances import INSTANCE_LABEL
from local_aws.parts.load_balancers import ARN_LABEL
from local_aws.security_groups.nftables import render
from local_aws.security_groups.world import Kind, Thing, World

LABELS = {
    INSTANCE_LABEL: Kind.INSTANCE,
    ARN_LABEL: Kind.LOAD_BALANCER,
    RESOURCE_LABEL: Kind.DATABASE,
    FILE_SYSTEM_LABEL: Kind.FILE_SYSTEM,
    ID_LABEL: Kind.DISTRIBUTION,
}
STARTS_AND_ENDS = ["start", "die"]


@dataclass(frozen=True)
class Home:
    """A running container of something.

    Attributes:
        thing: what it stands for.
        name: the container's.
        process: its first process, seen from the engine; with another one it has another network.
        address: what the engine gave it on the embedded network.
    """

    thing: Thing
    name: str
    process: int
    address: IPv4Address


class SecurityGroups(Part):
    """Keeps nftables' rules in each container at what the security groups of its thing let through.

    They are set from one container, which sees the engine's processes and goes into their networks. A container
    that starts has no rules until it was seen, which takes the engine's word of it and a moment.
    """

    name = "security_groups"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._homes: list[Home] = []
        self._set: dict[Home, str] = {}
        self._troubles: dict[str, str] = {}
        self._stale = threading.Event()
        self._stale.set()

    def prepare(self) -> None:
        images.ensure("firewall")
        threading.Thread(target=self._listen, name="containers", daemon=True).start()

    def reconcile(self) -> None:
        """Set the rules of every container whose rules are others now, or which has been started."""
        if self._stale.is_set():
            self._stale.clear()
            self._homes = self._find()
        world = World(self.cloud, {home.thing: home.address for home in self._homes})
        config = self.cloud.config
        machine = IPv4Address(config.gateway)
        wanted = {
            home: render([world.rules.guard(each) for each in world.interfaces[home.thing]], machine, config.network)
            for home in self._homes
            if home.thing in world.interfaces
        }
        troubles = {}
        for home, text in wanted.items():
            if self._set.get(home) != text:
                try:
                    self._apply(home, text)
                except (docker.errors.APIError, RuntimeError) as error:  # others are not to wait for it
                    self._stale.set()
                    self._set.pop(home, None)
                    troubles[home.name] = str(error)
        self._set = {home: text for home, text in self._set.items() if home in wanted}
        if troubles and troubles != self._troubles:
            self.log.error("rules could not be set: %s", troubles)
        self._troubles = troubles

    def health(self) -> list[Health]:
        """How many containers have rules, and those whose rules could not be set."""
        lines = [Health(f"security groups of {name}", False, said) for name, said in sorted(self._troubles.items())]
        return [Health("security groups", True, f"enforced in {len(self._set)} containers"), *lines]

    # The engine

    def _listen(self) -> None:
        """Look anew whenever a container of ours starts or ends."""
        filters = {"type": "container", "event": STARTS_AND_ENDS, "label": self._label}
        while not self._stop.is_set():
            try:
                events = self.cloud.docker.events(decode=True, filters=filters)
                self._look_anew()  # nobody told of what happened before
                for _ in events:
                    self._look_anew()
            except Exception as error:  # the stream ends when nothing was said for a while, or the engine does
                self.log.debug("listening anew: %s", error)
            self._stop.wait(1)

    def _look_anew(self) -> None:
        self._stale.set()
        self.wake()

    @property
    def _label(self) -> list[str]:
        return [f"{name}={value}" for name, value in self.cloud.labels.items()]

    def _find(self) -> list[Home]:
        found = self.cloud.docker.api.containers(filters={"label": self._label})
        return [home for each in found if (home := self._home(each))]

    def _home(self, container: dict[str, Any]) -> Home | None:
        """None if nothing of a VPC is in it, or it has just ended."""
        known = [
            Thing(kind, container["Labels"][label]) for label, kind in LABELS.items() if label in container["Labels"]
        ]
        if not known:
            return None
        try:
            state = self.cloud.docker.api.inspect_container(container["Id"])
        except docker.errors.NotFound:
            return None
        address = state["NetworkSettings"]["Networks"][self.cloud.config.network_name]["IPAddress"]
        process = int(state["State"]["Pid"])
        return Home(known[0], state["Name"].lstrip("/"), process, IPv4Address(address)) if address and process else None

    def _apply(self, home: Home, text: str) -> None:
        """Set the rules in the network of a container.

        Raises:
            RuntimeError: they could not be; with what was said.
        """
        command = ["nsenter", f"--net=/proc/{home.process}/ns/net", "nft", text]
        code, output = self._firewall().exec_run(command)
        if code:
            raise RuntimeError(output.decode(errors="replace").strip()[-500:])
        self._set[home] = text
        self.log.info("rules of %s: %d lines", home.name, text.count("\n"))

    def _firewall(self) -> Any:
        """The container that sets rules, started if it does not run."""
        name = self.cloud.config.container("firewall")
        try:
            container = self.cloud.docker.containers.get(name)
            if container.status == "running":
                return container
            container.remove(force=True)
        except docker.errors.NotFound:
            self.log.info("starting %s", name)
        return self.cloud.docker.containers.run(
            images.ensure("firewall"),
            name=name,
            labels=self.cloud.labels,
            detach=True,
            network_mode="none",
            pid_mode="host",
            # To see other containers' processes, to go into their networks, and to set rules there.
            cap_add=["SYS_PTRACE", "SYS_ADMIN", "NET_ADMIN"],
            security_opt=["apparmor=unconfined"],
        )
