"""ELB's real half: a HAProxy for each application or network load balancer that has a listener."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import time
from pathlib import Path

from docker.models.containers import Container
from docker.types import Mount

from local_aws import haproxy, images
from local_aws.ca import authority, write_private
from local_aws.cloud import Cloud
from local_aws.edge.world import any_there
from local_aws.haproxy import Balancer
from local_aws.load_balancers import traffic
from local_aws.load_balancers.configuration import render, structure, with_servers
from local_aws.load_balancers.health import HEALTHY, State
from local_aws.load_balancers.proxy import Proxy
from local_aws.load_balancers.servers import TargetState
from local_aws.load_balancers.world import World
from local_aws.part import Health, Part
from local_aws.patches import elbv2
from local_aws.waf.balancer import hits
from local_aws.waf.telling import Teller

ARN_LABEL = "berth.local-aws.load-balancer"
PUBLISHED_LABEL = "berth.local-aws.published"


class LoadBalancers(Part):
    """Keeps a HAProxy container per load balancer, and DescribeTargetHealth at what it measured.

    Targets come and go through HAProxy's runtime API; anything else that changes makes a new configuration, checked
    before a reload in which the listening sockets and the targets' health are handed on. The first application load
    balancer is published on this machine (`config.https_port` → 443, `config.http_port` → 80), unless a distribution of
    CloudFront is (parts/edge.py); a network load balancer never is.
    """

    name = "elb"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._running: dict[str, Proxy] = {}
        self._troubles: dict[str, str] = {}
        self._order: list[str] = []
        self._traffic = traffic.of(cloud)
        self._told = time.monotonic()
        self._teller = Teller(cloud, "ALB", hits)

    def prepare(self) -> None:
        images.ensure("load_balancer")
        elbv2.measured = True

    def reconcile(self) -> None:
        world = World(self.cloud)
        self._order = [arn for arn in self._order if arn in world.balancers]
        self._order += [arn for arn in world.balancers if arn not in self._order]
        errors: list[Exception] = []
        for arn in [*self._running, *self._order]:
            if arn not in world.balancers and arn in self._running:
                self._remove(self._running[arn])
        for arn in self._order:
            try:
                self._keep(arn, world)
                self._troubles.pop(arn, None)
            except haproxy.Unsupported as refused:
                self._troubles[arn] = str(refused)
            except Exception as error:  # one load balancer in trouble must not keep the others waiting
                self.log.exception("load balancer %s", arn)
                self._troubles[arn] = f"{type(error).__name__}: {error}"
                errors.append(error)
        self._tell_health(world)
        self._tell_traffic()
        if errors:
            raise errors[0]

    def health(self) -> list[Health]:
        lines = []
        for arn in list(self._order):
            running = self._running.get(arn)
            name = f"load balancer {arn.split('/')[-2]}"
            trouble = self._troubles.get(arn) or (running.trouble if running else "")
            if trouble:
                lines.append(Health(name, False, trouble))
            elif running is None:
                lines.append(Health(name, True, "no listener yet"))
            else:
                healthy = sum(state.state == HEALTHY for state in running.servers.states.values())
                where = "not published on this machine, the first one is, or what stands before it"
                if running.balancer.type == "network":
                    ports = ", ".join(str(port) for port in sorted(item.port for item in running.balancer.listeners))
                    where = f"{running.address}, TCP {ports}, within the VPC"
                elif running.balancer.published:
                    where = f"https://127.0.0.1:{self.cloud.config.https_port}"
                lines.append(Health(name, True, f"{where}; {healthy} of {len(running.servers.states)} targets healthy"))
        return lines

    # One load balancer.

    def _keep(self, arn: str, world: World) -> None:
        running = self._running.get(arn)
        wanted = self._wanted(arn, world)
        if not wanted.listeners:
            if running:
                self._remove(running)
            return
        files = render(wanted)
        container = self._container(arn)
        if running is None or container is None or container.labels.get(PUBLISHED_LABEL) != _published_label(wanted):
            self._create(arn, world.balancers[arn]["DNSName"], wanted, files)
            return
        if container.status != "running":
            self.log.warning("load balancer %s does not run; starting it again", wanted.name)
            running.write(wanted, files)
            container.start()
            self._started(running, container)
        elif structure(wanted) != running.structure or running.servers.stale:
            self._reload(running, container, wanted)
        else:
            self._apply(running, wanted, world)
        running.servers.measure()
        if wanted.type == "application":
            self._count(running)
        if wanted.firewall and container.status == "running":
            self._teller.tell(wanted.firewall, container)

    def _count(self, running: Proxy) -> None:
        for arn, counted in running.servers.requests.items():
            states = running.servers.of(group for group in running.balancer.groups if group.arn == arn).values()
            healthy = sum(state.state == HEALTHY for state in states)
            self._traffic.seen(traffic.end(running.arn), traffic.end(arn), counted, healthy)

    def _wanted(self, arn: str, world: World) -> Balancer:
        balancer = world.balancer(arn, self._published(arn, world))
        folder = self._folder(balancer.name)
        dns_name = world.balancers[arn]["DNSName"]
        listeners = tuple(
            dataclasses.replace(
                listener,
                certificates=tuple(self._certificate(folder, item, dns_name) for item in listener.certificates),
            )
            for listener in balancer.listeners
        )
        return dataclasses.replace(balancer, listeners=listeners)

    def _published(self, arn: str, world: World) -> tuple[tuple[int, int], ...]:
        if world.balancers[arn]["Type"] != "application" or any_there(self.cloud):
            return ()
        with_listener = [
            item for item in self._order if item in self._running and self._running[item].balancer.type == "application"
        ]
        first = with_listener[0] if with_listener else arn
        config = self.cloud.config
        return ((443, config.https_port), (80, config.http_port)) if arn == first else ()

    def _create(self, arn: str, dns_name: str, wanted: Balancer, files: dict[str, str]) -> None:
        stale = self._container(arn)
        if stale:
            stale.remove(force=True)
        running = self._running.get(arn) or Proxy(arn, dns_name, self._folder(wanted.name), wanted)
        running.servers.renew()
        running.write(wanted, files)
        client = self.cloud.docker
        container = client.containers.create(
            images.ensure("load_balancer"),
            name=self.cloud.config.container(f"elb-{wanted.name}"),
            labels={**self.cloud.labels, ARN_LABEL: arn, PUBLISHED_LABEL: _published_label(wanted)},
            mounts=[Mount(haproxy.FOLDER, str(running.folder), type="bind")],
            ports={f"{inside}/tcp": ("127.0.0.1", outside) for inside, outside in wanted.published},
            network=self.cloud.config.network_name,
        )
        container.start()
        self._running[arn] = running
        running.structure = structure(wanted)
        now = time.monotonic()
        running.servers.renew(TargetState(target, group, now) for group in wanted.groups for target in group.targets)
        self._started(running, container)
        self.log.info("load balancer %s runs at %s", wanted.name, running.address)

    def _started(self, running: Proxy, container: Container) -> None:
        running.wait(container)
        running.servers.begin()
        networks = container.attrs["NetworkSettings"]["Networks"]
        running.address = networks[self.cloud.config.network_name]["IPAddress"]
        self.cloud.publish(running.dns_name, [running.address])

    def _reload(self, running: Proxy, container: Container, wanted: Balancer) -> None:
        kept = running.servers.of(wanted.groups)
        with_kept = with_servers(wanted, kept.values())
        running.reload(container, with_kept, render(with_kept))
        running.structure = structure(wanted)
        running.servers.reloaded(kept, with_kept)
        self.log.info("load balancer %s: new configuration", wanted.name)

    def _apply(self, running: Proxy, wanted: Balancer, world: World) -> None:
        if running.servers.apply(wanted, world.deregistration_delay):  # so that a start after a crash has them
            balancer = with_servers(wanted, running.servers.states.values())
            running.write(balancer, render(balancer))

    def _remove(self, running: Proxy) -> None:
        self.cloud.publish(running.dns_name, [])
        self._traffic.forget(traffic.end(running.arn))
        container = self._container(running.arn)
        if container:
            container.remove(force=True)
        shutil.rmtree(running.folder, ignore_errors=True)
        del self._running[running.arn]

    def _tell_health(self, world: World) -> None:
        told: dict[str, dict[elbv2.Target, State]] = {arn: {} for arn in world.groups}
        for arn, targets in world.targets.items():
            for identifier, port in targets:
                told[arn][identifier, port] = world.unmeasured(arn, identifier)
        for running in self._running.values():
            for (arn, identifier, port), state in running.servers.states.items():
                if arn in told:
                    told[arn][identifier, port] = state.state
        if told != elbv2.target_health:
            with self.cloud.changes.happening():
                elbv2.target_health.clear()
                elbv2.target_health.update(told)

    def _tell_traffic(self) -> None:
        if time.monotonic() - self._told < traffic.SECONDS:
            return
        self._told = time.monotonic()
        if data := self._traffic.data():
            self.cloud.client("cloudwatch").put_metric_data(Namespace=traffic.NAMESPACE, MetricData=data)

    def _container(self, arn: str) -> Container | None:
        label = f"{ARN_LABEL}={arn}"
        found = self.cloud.docker.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        return found[0] if found else None

    def _folder(self, name: str) -> Path:
        return self.cloud.config.state / "load_balancers" / name

    def _certificate(self, folder: Path, arn: str, dns_name: str) -> str:
        """A certificate of the local authority for the names of an ACM certificate and the load balancer's own."""
        certificate = self.cloud.look("acm", "describe_certificate", CertificateArn=arn)["Certificate"]
        names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", []), dns_name]
        file = f"certificates/{hashlib.sha256(repr((arn, names)).encode()).hexdigest()[:16]}.pem"
        if not (folder / file).exists():
            chain, key = authority(self.cloud).issue(names)
            write_private(folder / file, chain + key)
        return file


def _published_label(balancer: Balancer) -> str:
    return ",".join(f"{outside}:{inside}" for inside, outside in balancer.published)
