"""The VPC resolver at network base + 2: names of the embedded AWS, and its API endpoints under their real names."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import docker
from docker.models.containers import Container
from docker.types import Mount

from local_aws import images
from local_aws.ca import authority, write_private
from local_aws.cloud import Cloud
from local_aws.config import REGION, Config
from local_aws.part import Health, Part

START_SECONDS = 20
ENDPOINTS = [
    f"*.{REGION}.amazonaws.com",
    "*.amazonaws.com",
    f"*.ecr.{REGION}.amazonaws.com",  # api.ecr
    f"*.dkr.ecr.{REGION}.amazonaws.com",
    f"*.s3.{REGION}.amazonaws.com",
    "*.s3.amazonaws.com",
    f"*.execute-api.{REGION}.amazonaws.com",
]
"""Names in the endpoints' certificate. A wildcard covers one label, hence those of two labels one by one."""


class Resolver(Part):
    """One container with dnsmasq (names) and HAProxy (`https://<service>.<region>.amazonaws.com` → the API's process).

    It answers what the parts published with `Cloud.publish`, itself for any other name below amazonaws.com, nothing
    else below a private zone, and hands everything else to the resolvers of this machine. Changed names count at once,
    without a restart.
    """

    name = "resolver"
    interval = 2.0

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._write_lock = threading.Lock()

    def prepare(self) -> None:
        config = self.cloud.config
        self._folder.mkdir(parents=True, exist_ok=True)
        chain, key = authority(self.cloud).issue(ENDPOINTS)
        write_private(self._folder / "endpoints.pem", chain + key)
        (self._folder / "dnsmasq.conf").write_text(dnsmasq_configuration(config))
        (self._folder / "haproxy.cfg").write_text(endpoints_configuration(config))
        self._write_names()
        self._start()
        self.cloud.names_changed = self._apply_names

    def reconcile(self) -> None:
        """Start the container again if it was killed."""
        container = self._container()
        if container is None or container.status != "running":
            self.log.warning("the resolver does not run; starting it again")
            if container:
                container.remove(force=True)
            self._start()

    def health(self) -> list[Health]:
        container = self._container()
        if container is None or container.status != "running":
            return [Health("resolver", False, "its container does not run; it is started again within seconds")]
        return [Health("resolver", True, f"{self.cloud.config.resolver}, {len(self.cloud.names)} names")]

    @property
    def _folder(self) -> Path:
        return self.cloud.config.state / "resolver"

    def _container(self) -> Container | None:
        try:
            return self.cloud.docker.containers.get(self.cloud.config.container("resolver"))
        except docker.errors.NotFound:
            return None

    def _start(self) -> None:
        config = self.cloud.config
        client = self.cloud.docker
        container = client.containers.create(
            images.ensure("resolver"),
            name=config.container("resolver"),
            labels=self.cloud.labels,
            mounts=[Mount("/etc/resolver", str(self._folder), type="bind", read_only=True)],
            network=config.network_name,
            networking_config={config.network_name: client.api.create_endpoint_config(ipv4_address=config.resolver)},
        )
        container.start()
        deadline = time.monotonic() + START_SECONDS
        probe = ["bash", "-c", "</dev/tcp/127.0.0.1/53 && </dev/tcp/127.0.0.1/80 && </dev/tcp/127.0.0.1/443"]
        while True:
            container.reload()
            if container.status == "running" and container.exec_run(probe).exit_code == 0:
                return
            if container.status == "exited" or time.monotonic() > deadline:
                log = container.logs(tail=10).decode(errors="replace")
                raise RuntimeError(f"The resolver does not answer at {config.resolver}:\n{log}")
            time.sleep(0.1)

    def _apply_names(self) -> None:
        """Write the names and have dnsmasq read them again; a resolver that is down reads them when it starts."""
        with self._write_lock:
            self._write_names()
            container = self._container()
            if container is not None and container.status == "running":
                container.kill(signal="HUP")

    def _write_names(self) -> None:
        (self._folder / "hosts").write_text(hosts_file(dict(self.cloud.names)))
        (self._folder / "zones").write_text(zones_file(self.cloud.private_zones))


def hosts_file(names: dict[str, list[str]]) -> str:
    """`names` (name → IPv4 addresses) in the format of hosts(5), sorted."""
    return "".join(f"{address} {name}\n" for name in sorted(names) for address in names[name])


def zones_file(zones: list[str]) -> str:
    """Domains that are answered from the hosts file alone, as dnsmasq reads them again at a signal (servers-file)."""
    return "".join(f"server=/{zone}/\n" for zone in sorted(zones))


def dnsmasq_configuration(config: Config) -> str:
    """dnsmasq's configuration; see dnsmasq(8). Names of the hosts file go before `address`."""
    return f"""\
user=root
no-hosts
addn-hosts=/etc/resolver/hosts
# A private zone hides a public one of the same name, also the names that it has not.
servers-file=/etc/resolver/zones
# A file system without a mount target and a load balancer that is gone have no name: NXDOMAIN, as on AWS.
address=/efs.{REGION}.amazonaws.com/
address=/{REGION}.elb.amazonaws.com/
address=/elb.{REGION}.amazonaws.com/
# Everything below amazonaws.com is ours; `local` answers questions for other records (AAAA) with "no data".
address=/amazonaws.com/{config.resolver}
local=/amazonaws.com/
# Upstream is what Docker gives this container, that is the resolvers of the machine.
resolv-file=/etc/resolv.conf
cache-size=1000
no-negcache
"""


def endpoints_configuration(config: Config) -> str:
    """HAProxy's configuration: ports 80 and 443 lead to the API's process, with the Host header as it came."""
    return f"""\
global
    log stdout format raw local0 warning
    maxconn 2000
    ssl-default-bind-options ssl-min-ver TLSv1.2

defaults
    mode http
    log global
    timeout connect 5s
    timeout client 15m
    timeout server 15m

frontend endpoints
    bind :80
    bind :443 ssl crt /etc/resolver/endpoints.pem
    # An HTTP API tells its function who asks.
    acl function hdr(host) -m sub .execute-api.
    http-request add-header X-Forwarded-For %[src] if function
    http-request set-header X-Forwarded-Proto https if function {{ ssl_fc }}
    http-request set-header X-Forwarded-Proto http if function !{{ ssl_fc }}
    default_backend api

backend api
    server api {config.gateway}:{config.api_port}
"""
