"""ELB's real half: a HAProxy for each application or network load balancer that has a listener."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.models.containers import Container
from docker.types import Mount

from local_aws import haproxy, images, network_balancer
from local_aws.ca import authority, write_private
from local_aws.cloud import Cloud
from local_aws.haproxy import Balancer, HealthCheck, Listener, Rule, Target, TargetGroup
from local_aws.part import Health, Part
from local_aws.patches import elbv2

START_SECONDS = 20
DROP_SECONDS = 5
PROBE = ".probe"
ARN_LABEL = "berth.local-aws.load-balancer"
PUBLISHED_LABEL = "berth.local-aws.published"
Key = tuple[str, str, int]
"""Target group ARN, target id, port."""

INITIAL = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = ("healthy", None, None)
DRAINING = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_IN_USE = (
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
NO_ADDRESS = ("unused", "Target.InvalidState", "Target is in the stopped state")
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html"""


@dataclass
class TargetState:
    """A target as its load balancer sees it; `since` and `until` in monotonic seconds, `until` only while it drains."""

    target: Target
    group: TargetGroup
    since: float
    state: tuple[str, str | None, str | None] = INITIAL
    until: float | None = None


@dataclass
class Running:
    """The HAProxy of a load balancer.

    Attributes:
        balancer: what it is configured for now.
        structure: the part of what was wanted that only a reload changes; None to have one.
        targets: the servers that it has, draining ones included.
        trouble: why its configuration is behind the API; empty if it is not.
    """

    arn: str
    dns_name: str
    balancer: Balancer
    structure: Balancer | None = None
    targets: dict[Key, TargetState] = field(default_factory=dict)
    address: str = ""
    trouble: str = ""


class LoadBalancers(Part):
    """Keeps a HAProxy container per load balancer, and DescribeTargetHealth at what it measured.

    Targets come and go through HAProxy's runtime API; anything else that changes makes a new configuration, checked
    before a reload in which the listening sockets and the targets' health are handed on. The first application load
    balancer is published on this machine (`config.https_port` → 443, `config.http_port` → 80); a network load balancer
    never is.
    """

    name = "elb"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._running: dict[str, Running] = {}
        self._troubles: dict[str, str] = {}
        self._order: list[str] = []

    def prepare(self) -> None:
        images.ensure("load_balancer")
        elbv2.measured = True

    def reconcile(self) -> None:
        world = _World(self.cloud)
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
                healthy = sum(state.state == HEALTHY for state in running.targets.values())
                where = "not published on this machine, the first one is"
                if running.balancer.type == "network":
                    ports = ", ".join(str(port) for port in sorted(item.port for item in running.balancer.listeners))
                    where = f"{running.address}, TCP {ports}, within the VPC"
                elif running.balancer.published:
                    where = f"https://127.0.0.1:{self.cloud.config.https_port}"
                lines.append(Health(name, True, f"{where}; {healthy} of {len(running.targets)} targets healthy"))
        return lines

    # One load balancer.

    def _keep(self, arn: str, world: _World) -> None:
        running = self._running.get(arn)
        wanted = self._wanted(arn, world)
        if not wanted.listeners:
            if running:
                self._remove(running)
            return
        files = _render(wanted)
        container = self._container(arn)
        if running is None or container is None or container.labels.get(PUBLISHED_LABEL) != _published_label(wanted):
            self._create(arn, world.balancers[arn]["DNSName"], wanted, files)
            return
        if container.status != "running":
            self.log.warning("load balancer %s does not run; starting it again", wanted.name)
            self._write(running, wanted, files)
            container.start()
            self._started(running, container, list(running.targets.values()))
        elif _structure(wanted) != running.structure:
            self._reload(running, container, wanted)
        else:
            self._apply_targets(running, wanted, world)
        self._measure(running)

    def _wanted(self, arn: str, world: _World) -> Balancer:
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

    def _published(self, arn: str, world: _World) -> tuple[tuple[int, int], ...]:
        if world.balancers[arn]["Type"] != "application":
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
        running = self._running.get(arn) or Running(arn, dns_name, wanted)
        running.targets = {}
        self._write(running, wanted, files)
        client = self.cloud.docker
        container = client.containers.create(
            images.ensure("load_balancer"),
            name=self.cloud.config.container(f"elb-{wanted.name}"),
            labels={**self.cloud.labels, ARN_LABEL: arn, PUBLISHED_LABEL: _published_label(wanted)},
            mounts=[Mount(haproxy.FOLDER, str(self._folder(wanted.name)), type="bind")],
            ports={f"{inside}/tcp": ("127.0.0.1", outside) for inside, outside in wanted.published},
            network=self.cloud.config.network_name,
        )
        container.start()
        self._running[arn] = running
        running.structure = _structure(wanted)
        now = time.monotonic()
        states = [TargetState(target, group, now) for group in wanted.groups for target in group.targets]
        running.targets = {_key(state.group, state.target): state for state in states}
        self._started(running, container, states)
        self.log.info("load balancer %s runs at %s", wanted.name, running.address)

    def _started(self, running: Running, container: Container, states: list[TargetState]) -> None:
        """Wait for its socket; HAProxy takes every server for healthy at first, which only the healthy ones may be."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            container.reload()
            try:
                self._command(running, "show info")
                break
            except OSError as error:
                if container.status == "exited" or time.monotonic() > deadline:
                    log = container.logs(tail=5).decode(errors="replace")
                    raise RuntimeError(f"HAProxy of {running.balancer.name} does not answer: {error}\n{log}") from error
                time.sleep(0.05)
        for state in states:
            if state.state != HEALTHY:
                self._command(running, f"set server {_server(state)} health down")
            if state.state == INITIAL:
                self._probe(running, state)
            if state.until is not None:
                self._command(running, f"set server {_server(state)} state drain")
        networks = container.attrs["NetworkSettings"]["Networks"]
        running.address = networks[self.cloud.config.network_name]["IPAddress"]
        self.cloud.publish(running.dns_name, [running.address])

    def _reload(self, running: Running, container: Container, wanted: Balancer) -> None:
        """A new configuration, without a dropped connection: the master process passes the sockets to a new worker,
        and the old one ends when its last connection has.
        """
        kept = {key: state for key, state in running.targets.items() if key[0] in {item.arn for item in wanted.groups}}
        with_kept = _with_targets(wanted, kept)
        self._write(running, with_kept, _render(with_kept), validate=container)
        worker = self._info(running)["Pid"]
        (self._folder(wanted.name) / "servers").write_text(self._command(running, "show servers state"))
        container.kill(signal="USR2")
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if self._info(running)["Pid"] != worker:
                    break
            except OSError:
                pass  # between two workers
            if time.monotonic() > deadline:
                log = container.logs(tail=5).decode(errors="replace")
                raise RuntimeError(f"HAProxy of {wanted.name} did not take its new configuration:\n{log}")
            time.sleep(0.05)
        now = time.monotonic()
        groups = {group.arn: group for group in wanted.groups}
        running.targets = {key: dataclasses.replace(state, group=groups[key[0]]) for key, state in kept.items()}
        running.balancer, running.structure = with_kept, _structure(wanted)
        # Of groups that were not there before, HAProxy knows nothing: their targets begin as initial. So do new targets
        # that only a reload adds.
        for group in wanted.groups:
            for target in group.targets:
                if _key(group, target) not in running.targets and _configured(with_kept, group, target):
                    state = TargetState(target, group, now)
                    running.targets[_key(group, target)] = state
                    self._command(running, f"set server {_server(state)} health down")
                    self._probe(running, state)
        self.log.info("load balancer %s: new configuration", wanted.name)

    def _apply_targets(self, running: Running, wanted: Balancer, world: _World) -> None:
        now = time.monotonic()
        changed = False
        registered = {_key(group, target): (group, target) for group in wanted.groups for target in group.targets}
        for key, (group, target) in registered.items():
            state = running.targets.get(key)
            if state is None:
                running.targets[key] = self._add(running, group, target)
                changed = True
            elif state.until is not None:  # registered again while it drained
                self._command(running, f"set server {_server(state)} health down")
                self._command(running, f"set server {_server(state)} state ready")
                running.targets[key] = TargetState(target, group, now)
        for key, state in list(running.targets.items()):
            if key in registered:
                continue
            if state.until is None:
                self._command(running, f"set server {_server(state)} state drain")
                state.state, state.until = DRAINING, now + world.deregistration_delay(key[0])
            elif now >= state.until:
                if state.group.preserve_client_ip:  # other servers track it: only a reload takes it away
                    self._command(running, f"shutdown sessions server {_server(state)}")
                    running.structure = None
                else:
                    self._drop(running, _server(state))
                del running.targets[key]
                changed = True
        if changed:  # so that a start after a crash has them
            running.balancer = _with_targets(wanted, running.targets)
            self._write(running, running.balancer, _render(running.balancer))

    def _add(self, running: Running, group: TargetGroup, target: Target) -> TargetState:
        state = TargetState(target, group, time.monotonic())
        where = f"{target.address}:{target.port} {haproxy.server_options(group)}"
        self._command(running, f"add server {_server(state)} {where} weight 0")
        self._command(running, f"enable health {_server(state)}")
        # Enabled, a server counts as healthy until its first check; with weight 0 it gets nothing meanwhile.
        self._command(running, f"enable server {_server(state)}")
        self._command(running, f"set server {_server(state)} health down")
        self._command(running, f"set server {_server(state)} weight 1")
        self._probe(running, state)
        return state

    def _probe(self, running: Running, state: TargetState) -> None:
        """Check a new target right away: HAProxy's own first check comes after an interval.

        The check is that of a second server of weight 0, which `_measure` removes once it has a result.
        """
        server = _server(state) + PROBE
        check = dataclasses.replace(state.group.check, interval=1, healthy=1, unhealthy=1)
        options = haproxy.server_options(dataclasses.replace(state.group, check=check))
        where = f"{state.target.address}:{state.target.port}"
        self._command(running, f"add server {server} {where} {options} weight 0")
        self._command(running, f"enable health {server}")
        self._command(running, f"enable server {server}")

    def _drop(self, running: Running, server: str) -> None:
        """Remove a server. What still holds a connection to it loses it, as on AWS when the delay is over."""
        self._command(running, f"set server {server} state maint")
        self._command(running, f"shutdown sessions server {server}")
        deadline = time.monotonic() + DROP_SECONDS
        while True:
            answer = self._command(running, f"del server {server}")
            if "deleted" in answer.lower():
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"HAProxy does not let go of {server}: {answer.strip()}")
            time.sleep(0.05)

    def _measure(self, running: Running) -> None:
        """Read HAProxy's view of the servers into the targets' states."""
        now = time.monotonic()
        rows = csv.DictReader(io.StringIO(self._command(running, "show stat -1 4 -1").lstrip("# ")))
        measured = {(row["pxname"], row["svname"]): row for row in rows}
        for state in running.targets.values():
            row = measured.get((state.group.name, state.target.server))
            if row is None or state.until is not None:
                continue
            result = row["check_status"].removeprefix("* ")
            probe = measured.get((state.group.name, state.target.server + PROBE))
            probed = probe["check_status"] if probe else ""
            if probed not in ("", "INI") and not probed.startswith("*"):
                self._drop(running, _server(state) + PROBE)
            if row["status"].startswith("UP"):
                state.state = HEALTHY
            elif state.state == INITIAL and _passed(state.group.check) in (result, probed):
                # The first passed check makes a new target healthy; the threshold counts only after a failure.
                self._command(running, f"set server {_server(state)} health up")
                state.state = HEALTHY
            elif state.state == INITIAL:
                check = state.group.check
                if now - state.since > check.interval * (check.unhealthy - 1) + check.timeout and result not in (
                    "",
                    "INI",
                ):
                    state.state = unhealthy(result, row["check_code"])
            else:
                state.state = unhealthy(result, row["check_code"])

    def _remove(self, running: Running) -> None:
        self.cloud.publish(running.dns_name, [])
        container = self._container(running.arn)
        if container:
            container.remove(force=True)
        shutil.rmtree(self._folder(running.balancer.name), ignore_errors=True)
        del self._running[running.arn]

    def _tell_health(self, world: _World) -> None:
        told: dict[str, dict[elbv2.Target, tuple[str, str | None, str | None]]] = {arn: {} for arn in world.groups}
        for arn, targets in world.targets.items():
            for identifier, port in targets:
                known = world.address(identifier)
                told[arn][identifier, port] = (
                    INITIAL if known and arn in world.used else NOT_IN_USE if known else NO_ADDRESS
                )
        for running in self._running.values():
            for (arn, identifier, port), state in running.targets.items():
                if arn in told:
                    told[arn][identifier, port] = state.state
        if told != elbv2.target_health:
            with self.cloud.changes.happening():
                elbv2.target_health.clear()
                elbv2.target_health.update(told)

    # Files and HAProxy's socket.

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

    def _write(
        self, running: Running, balancer: Balancer, files: dict[str, str], validate: Container | None = None
    ) -> None:
        """Write the configuration; with `validate`, only if HAProxy finds it good.

        Raises:
            RuntimeError: it does not; with its words. The former configuration stays.
        """
        folder = self._folder(balancer.name)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        (folder / "servers").write_text("")
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            if name != haproxy.FILE:
                path.write_text(text)
        candidate = folder / "candidate.cfg"
        candidate.write_text(files[haproxy.FILE])
        if validate:
            done = validate.exec_run(["haproxy", "-c", "-q", "-f", f"{haproxy.FOLDER}/candidate.cfg"])
            if done.exit_code:
                running.trouble = f"HAProxy refuses the configuration: {done.output.decode(errors='replace').strip()}"
                raise RuntimeError(running.trouble)
        candidate.replace(folder / haproxy.FILE)
        running.balancer, running.trouble = balancer, ""

    def _info(self, running: Running) -> dict[str, str]:
        lines = self._command(running, "show info").splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    def _command(self, running: Running, command: str) -> str:
        """Send one command to HAProxy and return its answer.

        Raises:
            OSError: it does not listen.
            RuntimeError: it refused.
        """
        with _connection(self._folder(running.balancer.name) / "admin.sock") as connection:
            connection.sendall(f"{command}\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        quiet = not command.startswith(("show", "add server", "del server"))
        said = answer.strip()
        if (quiet and said) or (command.startswith("add server") and "registered" not in said):
            raise RuntimeError(f"HAProxy of {running.balancer.name} refused {command!r}: {said}")
        return answer

    def _container(self, arn: str) -> Container | None:
        label = f"{ARN_LABEL}={arn}"
        found = self.cloud.docker.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        return found[0] if found else None


class _World:
    """What the APIs say at one moment about load balancers, target groups and targets."""

    def __init__(self, cloud: Cloud) -> None:
        self._look = cloud.look
        self._addresses: dict[str, str] | None = None
        self._delays: dict[str, float] = {}
        records = self._elb("describe_load_balancers")["LoadBalancers"]
        self.balancers: dict[str, dict[str, Any]] = {item["LoadBalancerArn"]: item for item in records}
        groups = self._elb("describe_target_groups")["TargetGroups"]
        self.groups: dict[str, dict[str, Any]] = {item["TargetGroupArn"]: item for item in groups}
        self.targets = {arn: self._registered(arn) for arn in self.groups}
        self.used: set[str] = set()

    def _elb(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self._look("elbv2", operation, **arguments)

    def _registered(self, arn: str) -> list[tuple[str, int]]:
        found = self._elb("describe_target_health", TargetGroupArn=arn)["TargetHealthDescriptions"]
        draining = "draining"
        return [
            (item["Target"]["Id"], int(item["Target"]["Port"]))
            for item in found
            if item["TargetHealth"]["State"] != draining
        ]

    def balancer(self, arn: str, published: tuple[tuple[int, int], ...]) -> Balancer:
        """The load balancer `arn`; its listeners' certificates are ARNs still."""
        record = self.balancers[arn]
        if record["Type"] not in ("application", "network"):
            raise haproxy.Unsupported(
                f"A load balancer of type {record['Type']} is not emulated; use application or network."
            )
        listeners = tuple(
            self._listener(item) for item in self._elb("describe_listeners", LoadBalancerArn=arn)["Listeners"]
        )
        used = {
            item["TargetGroupArn"]
            for listener in listeners
            for rule in listener.rules
            for action in rule.actions
            if action["Type"] == "forward"
            for item in (action.get("ForwardConfig") or {}).get("TargetGroups") or [action]
        }
        self.used |= used
        attributes = self._elb("describe_load_balancer_attributes", LoadBalancerArn=arn)["Attributes"]
        idle = {item["Key"]: item["Value"] for item in attributes}.get("idle_timeout.timeout_seconds", "60")
        groups = tuple(self._group(item) for item in sorted(used))
        return Balancer(record["LoadBalancerName"], listeners, groups, published, int(idle), record["Type"])

    def _listener(self, record: dict[str, Any]) -> Listener:
        rules = self._elb("describe_rules", ListenerArn=record["ListenerArn"])["Rules"]
        certificates: list[str] = []
        if record["Protocol"] == "HTTPS":
            default = [item["CertificateArn"] for item in record.get("Certificates", [])]
            answer = self._elb("describe_listener_certificates", ListenerArn=record["ListenerArn"])
            certificates = list(dict.fromkeys([*default, *(item["CertificateArn"] for item in answer["Certificates"])]))
        attributes: dict[str, str] = {}
        if record["Protocol"] == "TCP":
            answer = self._elb("describe_listener_attributes", ListenerArn=record["ListenerArn"])
            attributes = {item["Key"]: item["Value"] for item in answer["Attributes"]}
        return Listener(
            port=int(record["Port"]),
            protocol=record["Protocol"],
            rules=tuple(
                Rule(str(item["Priority"]), tuple(item["Conditions"]), tuple(item["Actions"])) for item in rules
            ),
            certificates=tuple(certificates),
            policy=record.get("SslPolicy") or "",
            idle=int(attributes.get("tcp.idle_timeout.seconds", 350)),
        )

    def _group(self, arn: str) -> TargetGroup:
        record = self.groups[arn]
        attributes = self._attributes(arn)
        algorithm = attributes.get("load_balancing.algorithm.type", "round_robin")
        check = HealthCheck(
            protocol=record.get("HealthCheckProtocol") or record["Protocol"],
            port=str(record.get("HealthCheckPort") or "traffic-port"),
            path=record.get("HealthCheckPath") or "/",
            interval=int(record.get("HealthCheckIntervalSeconds") or 30),
            timeout=int(record.get("HealthCheckTimeoutSeconds") or 5),
            healthy=int(record.get("HealthyThresholdCount") or 5),
            unhealthy=int(record.get("UnhealthyThresholdCount") or 2),
            matcher=str((record.get("Matcher") or {}).get("HttpCode") or "200"),
        )
        targets = tuple(
            Target(identifier, port, address)
            for identifier, port in sorted(self.targets[arn])
            if (address := self.address(identifier))
        )
        preserve = attributes.get("preserve_client_ip.enabled") == "true"
        return TargetGroup(arn, record["TargetGroupName"], record["Protocol"], algorithm, check, targets, preserve)

    def deregistration_delay(self, arn: str) -> float:
        """Seconds that a deregistered target of the group drains."""
        return float(self._attributes(arn).get("deregistration_delay.timeout_seconds", 300))

    def _attributes(self, arn: str) -> dict[str, str]:
        answer = self._elb("describe_target_group_attributes", TargetGroupArn=arn)
        return {item["Key"]: item["Value"] for item in answer["Attributes"]}

    def address(self, identifier: str) -> str:
        """Where a target is: an IP address is that itself, of an instance it is the private one; empty if none."""
        if not identifier.startswith("i-"):
            return identifier
        if self._addresses is None:
            reservations = self._look("ec2", "describe_instances")["Reservations"]
            instances = [instance for reservation in reservations for instance in reservation["Instances"]]
            self._addresses = {
                item["InstanceId"]: item.get("PrivateIpAddress", "")
                for item in instances
                if item["State"]["Name"] in ("pending", "running", "shutting-down")
            }
        return self._addresses.get(identifier, "")


def unhealthy(result: str, code: str) -> tuple[str, str, str]:
    """State, reason and description of a target whose last check ended in HAProxy's `result` (with HTTP status `code`).

    https://docs.haproxy.org/2.6/management.html#9.1, check_status
    """
    if result == "L7STS":
        return "unhealthy", "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{code}]"
    if result in ("L4TOUT", "L6TOUT", "L7TOUT"):
        return "unhealthy", "Target.Timeout", "Request timed out"
    return "unhealthy", "Target.FailedHealthChecks", "Health checks failed"


def _key(group: TargetGroup, target: Target) -> Key:
    return group.arn, target.id, target.port


def _server(state: TargetState) -> str:
    return f"{state.group.name}/{state.target.server}"


def _render(balancer: Balancer) -> dict[str, str]:
    return network_balancer.render(balancer) if balancer.type == "network" else haproxy.render(balancer)


def _passed(check: HealthCheck) -> str:
    """HAProxy's word for a check that passed."""
    return "L4OK" if check.protocol == "TCP" else "L7OK"


def _structure(balancer: Balancer) -> Balancer:
    """What a reload is needed for: all but the targets, and these too where HAProxy has other servers track them,
    which it does not let a server that came at run time do.
    """
    groups = tuple(
        group if group.preserve_client_ip else dataclasses.replace(group, targets=()) for group in balancer.groups
    )
    return dataclasses.replace(balancer, groups=groups)


def _with_targets(balancer: Balancer, states: dict[Key, TargetState]) -> Balancer:
    """The balancer with the servers that HAProxy has, and those of groups of which it has none yet or which only a
    reload gives new ones.
    """
    groups = []
    for group in balancer.groups:
        present = [state.target for key, state in states.items() if key[0] == group.arn]
        if group.preserve_client_ip:
            present += [target for target in group.targets if target not in present]
        groups.append(dataclasses.replace(group, targets=tuple(present) or group.targets))
    return dataclasses.replace(balancer, groups=tuple(groups))


def _configured(balancer: Balancer, group: TargetGroup, target: Target) -> bool:
    return any(item.arn == group.arn and target in item.targets for item in balancer.groups)


def _published_label(balancer: Balancer) -> str:
    return ",".join(f"{outside}:{inside}" for inside, outside in balancer.published)


@contextmanager
def _connection(path: Path) -> Iterator[socket.socket]:
    """A connection to a Unix socket, by its folder's descriptor: its path may be longer than a socket's may (107)."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
            yield connection
    finally:
        os.close(folder)
