"""What the APIs say of load balancers, target groups and targets."""

from __future__ import annotations

from typing import Any

from local_aws import haproxy
from local_aws.cloud import Cloud
from local_aws.haproxy import Balancer, HealthCheck, Listener, Rule, Target, TargetGroup
from local_aws.load_balancers.health import INITIAL, NO_ADDRESS, NOT_IN_USE, OTHER_ZONE, State
from local_aws.waf.firewall import of_balancer


class World:
    """What the APIs say at one moment about load balancers, target groups and targets."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._look = cloud, cloud.look
        self._instances: dict[str, tuple[str, str]] | None = None
        records = self._elb("describe_load_balancers")["LoadBalancers"]
        self.balancers: dict[str, dict[str, Any]] = {item["LoadBalancerArn"]: item for item in records}
        groups = self._elb("describe_target_groups")["TargetGroups"]
        self.groups: dict[str, dict[str, Any]] = {item["TargetGroupArn"]: item for item in groups}
        self.targets = {arn: self._registered(arn) for arn in self.groups}
        self.used: set[str] = set()
        self._zones: dict[str, set[str]] = {}

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
        zones = {str(zone["ZoneName"]) for zone in record["AvailabilityZones"]}
        for group in used:
            self._zones.setdefault(group, set()).update(zones)
        attributes = self._elb("describe_load_balancer_attributes", LoadBalancerArn=arn)["Attributes"]
        idle = {item["Key"]: item["Value"] for item in attributes}.get("idle_timeout.timeout_seconds", "60")
        groups = tuple(self._group(item) for item in sorted(used))
        firewall = of_balancer(self._cloud, arn) if record["Type"] == "application" else None
        return Balancer(record["LoadBalancerName"], listeners, groups, published, int(idle), record["Type"], firewall)

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
            if (address := self.address(identifier)) and not self._is_elsewhere(arn, identifier)
        )
        preserve = attributes.get("preserve_client_ip.enabled") == "true"
        return TargetGroup(arn, record["TargetGroupName"], record["Protocol"], algorithm, check, targets, preserve)

    def deregistration_delay(self, arn: str) -> float:
        """Seconds that a deregistered target of the group drains."""
        return float(self._attributes(arn).get("deregistration_delay.timeout_seconds", 300))

    def _attributes(self, arn: str) -> dict[str, str]:
        answer = self._elb("describe_target_group_attributes", TargetGroupArn=arn)
        return {item["Key"]: item["Value"] for item in answer["Attributes"]}

    def unmeasured(self, arn: str, identifier: str) -> State:
        """The health of a target of a group that no load balancer has measured yet, or none ever will."""
        if not self.address(identifier):
            return NO_ADDRESS
        if arn not in self.used:
            return NOT_IN_USE
        return OTHER_ZONE if self._is_elsewhere(arn, identifier) else INITIAL

    def address(self, identifier: str) -> str:
        """Where a target is: an IP address is that itself, of an instance it is the private one; empty if none."""
        return self._known().get(identifier, ("", ""))[0] if identifier.startswith("i-") else identifier

    def _is_elsewhere(self, arn: str, identifier: str) -> bool:
        """Whether a target stands in a zone that no load balancer of its group serves; of an address nobody asks."""
        zone = self._known().get(identifier, ("", ""))[1]
        return bool(zone) and zone not in self._zones.get(arn, {zone})

    def _known(self) -> dict[str, tuple[str, str]]:
        """Instance → its private address and zone."""
        if self._instances is None:
            reservations = self._look("ec2", "describe_instances")["Reservations"]
            instances = [instance for reservation in reservations for instance in reservation["Instances"]]
            self._instances = {
                item["InstanceId"]: (item.get("PrivateIpAddress", ""), item["Placement"]["AvailabilityZone"])
                for item in instances
                if item["State"]["Name"] in ("pending", "running", "shutting-down")
            }
        return self._instances
