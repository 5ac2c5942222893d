"""Where an embedded AWS lives: its name, its addresses, its ports, its state.

Several may run side by side: one for a person (`local`), one for the test suite (`test`), and one for each molecule
scenario (`molecule1` to `molecule40`). They share nothing but the Docker engine. `inventories/<name>` and
`molecule/<scenario>/molecule.yml` point at the same numbers.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.request
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
LABEL = "berth.local-aws"
"""Every container, volume and network carries this label with the name of the embedded AWS it belongs to."""

PROJECT = Path(__file__).resolve().parent.parent


class Iam(StrEnum):
    """What becomes of a call that IAM denies: `up --iam`, or BERTH_IAM."""

    RECORD = "record"
    """It is written down, and done."""
    ENFORCE = "enforce"
    """It is written down, and refused."""


class SecurityGroups(StrEnum):
    """What becomes of a packet that no group lets through: `up --security-groups`, or BERTH_SECURITY_GROUPS."""

    RECORD = "record"
    """It passes: the groups are recorded only."""
    ENFORCE = "enforce"
    """It is dropped."""


IAM = Iam.RECORD
SECURITY_GROUPS = SecurityGroups.RECORD
"""Unless something else is said."""
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""For requests to this machine: a proxy of the shell does not know its loopback."""


@dataclass(frozen=True)
class Config:
    """The fixed facts of one embedded AWS.

    Attributes:
        name: which one this is, and the value of `LABEL` on all that it makes.
        api_port: TCP port of all AWS APIs, on 127.0.0.1 and on the network's gateway.
        agent_port: TCP port of the ECS agents' WebSocket (ACS and TCS), on the gateway.
        registry_port: TCP port on 127.0.0.1 at which `docker push` and the hosts reach ECR.
        https_port, http_port: TCP ports on 127.0.0.1 of the load balancer's listeners 443 and 80.
        network: the Docker network that stands in for all VPCs. Instances keep their EC2 private address in it,
            so a VPC's range must lie in the first half; Docker and our own parts take addresses of the second half.
    """

    name: str
    api_port: int
    agent_port: int
    registry_port: int
    https_port: int
    http_port: int
    network: ipaddress.IPv4Network

    @property
    def endpoint(self) -> str:
        """URL of the AWS APIs from this machine."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def gateway(self) -> str:
        """This machine, seen from the containers."""
        return str(self.network[1])

    @property
    def telemetry_seconds(self) -> float:
        """How often the hosts' agents report health: as the real one where a person looks on, at once in tests."""
        return 20.0 if self.name == "local" else 1.0

    @property
    def resolver(self) -> str:
        """The VPC resolver, at base + 2 as on AWS; it also answers for the AWS endpoints (`*.amazonaws.com`)."""
        return str(self.network[2])

    @property
    def vpc_range(self) -> ipaddress.IPv4Network:
        """Where VPCs may lie: the first half of the network."""
        return next(self.network.subnets(1))

    @property
    def dynamic_range(self) -> ipaddress.IPv4Network:
        """Addresses that Docker gives out by itself: the last quarter."""
        return list(self.network.subnets(2))[3]

    def address(self, number: int) -> str:
        """A fixed address for a part of our own, in the third quarter."""
        return str(list(self.network.subnets(2))[2][number])

    @property
    def registry_address(self) -> str:
        """The registry's address as the hosts see it (port 5000)."""
        return self.address(10)

    @property
    def network_name(self) -> str:
        """Name of the Docker network."""
        return f"berth-{self.name}"

    @property
    def state(self) -> Path:
        """Process id, log, certificate authority and keys; removed by `down`."""
        return PROJECT / ".local_aws" / self.name

    def container(self, part: str) -> str:
        """Name of a container of ours: `berth-<name>-<part>`."""
        return f"berth-{self.name}-{part}"


CONFIGS = {
    config.name: config
    for config in (
        Config("local", 4566, 4567, 4568, 8443, 8080, ipaddress.IPv4Network("10.77.0.0/16")),
        Config("test", 4576, 4577, 4578, 9443, 9080, ipaddress.IPv4Network("10.78.0.0/16")),
    )
}


MOLECULE = re.compile(r"molecule([1-9]|[1-3][0-9]|40)")


def config(name: str) -> Config:
    """The configuration called `name`: one of `CONFIGS`, or `molecule<1 to 40>`.

    Raises:
        KeyError: there is none of that name.
    """
    if name in CONFIGS:
        return CONFIGS[name]
    if numbered := MOLECULE.fullmatch(name):
        number = int(numbered.group(1))
        base = 4200 + 5 * number
        network = ipaddress.IPv4Network(f"10.{120 + number}.0.0/16")
        return Config(name, base, base + 1, base + 2, base + 3, base + 4, network)
    there = ", ".join([*CONFIGS, "molecule1 to molecule40"])
    raise KeyError(f"There is no embedded AWS called {name!r}. Use one of: {there}.")
