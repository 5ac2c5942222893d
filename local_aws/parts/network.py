"""The Docker network that stands in for every VPC."""

from __future__ import annotations

import docker
from docker.types import IPAMConfig, IPAMPool

from local_aws.part import Health, Part


class Network(Part):
    """Makes the network once; instances keep their EC2 private address in it."""

    name = "network"
    interval = 60.0

    def prepare(self) -> None:
        config = self.cloud.config
        pool = IPAMPool(subnet=str(config.network), iprange=str(config.dynamic_range), gateway=config.gateway)
        try:
            self.cloud.docker.networks.get(config.network_name)
        except docker.errors.NotFound:
            self.cloud.docker.networks.create(
                config.network_name,
                driver="bridge",
                ipam=IPAMConfig(pool_configs=[pool]),
                options={"com.docker.network.bridge.name": f"br-{config.name}"},
                labels=self.cloud.labels,
            )

    def health(self) -> list[Health]:
        config = self.cloud.config
        return [Health(f"network {config.network_name}", True, f"{config.network}, this machine is {config.gateway}")]
