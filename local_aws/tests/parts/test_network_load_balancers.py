"""Network load balancers are real: each test connects from a host of the VPC, to small servers on two hosts."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local_aws import images
from local_aws.tests.own_server import OwnServer, running
from local_aws.tests.until import until

pytestmark = pytest.mark.docker

ZONE = "shop-prod.internal"
NAME = f"cache.{ZONE}"
PORT = 6379
HOSTS = {"one": 7001, "two": 7002}
FAILED = ("unhealthy", "Target.FailedHealthChecks")
HEALTHY = ("healthy", None)

SERVER = """
import socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line.startswith(b"GET "):
                status = open("/tmp/status").read().strip()
                head = f"HTTP/1.1 {status} X", "Content-Length: 0", "Connection: close"
                self.wfile.write("".join(line + "\\r\\n" for line in (*head, "")).encode())
                return
            self.wfile.write(f"{sys.argv[2]} {self.client_address[0]}\\n".encode())
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
open("/tmp/status", "w").write("200")
Server(("", int(sys.argv[1])), Handler).serve_forever()
"""

CLIENT = """
import socket, sys
for _ in range(int(sys.argv[3])):
    try:
        link = socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
        link.settimeout(2)
        link.sendall(b"hello\\n")
        print(link.recv(100).decode().strip() or "closed")
    except OSError as error:
        print(type(error).__name__)
"""

HOLDER = """
import socket, sys, time
link = socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
link.settimeout(2)
for _ in range(60):
    link.sendall(b"hello\\n")
    print(link.recv(100).decode().split(" ")[0] or "closed", flush=True)
    time.sleep(0.25)
"""


@dataclass
class Inside:
    """A load balancer in front of one port of two hosts.

    Attributes:
        hosts: name → container; each serves on its port of `HOSTS` and says its name and who asks.
        addresses: name → IP address.
    """

    server: OwnServer
    arn: str
    dns_name: str
    zone_id: str
    group: str
    hosts: dict[str, Any]
    addresses: dict[str, str]

    @property
    def elb(self) -> Any:
        return self.server.client("elbv2")

    @property
    def address(self) -> str:
        """The load balancer's own."""
        container = self.server.docker.containers.get(self.server.config.container("elb-inside"))
        return str(container.attrs["NetworkSettings"]["Networks"][self.server.config.network_name]["IPAddress"])

    def target(self, name: str) -> dict[str, Any]:
        return {"Id": self.addresses[name], "Port": HOSTS[name]}

    def states(self, group: str = "") -> dict[str, tuple[str, str | None]]:
        """By the host's name."""
        names = {address: name for name, address in self.addresses.items()}
        found = self.elb.describe_target_health(TargetGroupArn=group or self.group)["TargetHealthDescriptions"]
        return {
            names[item["Target"]["Id"]]: (item["TargetHealth"]["State"], item["TargetHealth"].get("Reason"))
            for item in found
        }

    def only(self, *names: str) -> None:
        """Have the targets of these hosts and no others, healthy."""
        self.elb.register_targets(TargetGroupArn=self.group, Targets=[self.target(name) for name in names])
        gone = [self.target(name) for name, (state, _) in self.states().items() if name not in names]
        if gone:
            self.elb.deregister_targets(TargetGroupArn=self.group, Targets=gone)
        until(lambda: self.states() == dict.fromkeys(names, HEALTHY), f"the healthy targets are {names}", 30)

    def preserve(self, on: bool) -> None:
        attribute = {"Key": "preserve_client_ip.enabled", "Value": str(on).lower()}
        self.elb.modify_target_group_attributes(TargetGroupArn=self.group, Attributes=[attribute])

    def ask(self, host: str, times: int = 1, name: str = NAME, port: int = PORT) -> list[str]:
        """What connections from a host were answered: a target's name, or how they failed."""
        done = self.hosts[host].exec_run(["python3", "-c", CLIENT, name, str(port), str(times)])
        return [line.split(" ")[0] for line in done.output.decode().splitlines()]

    def asked_by(self, host: str) -> str:
        """The client's address as the target sees it."""
        done = self.hosts[host].exec_run(["python3", "-c", CLIENT, NAME, str(PORT), "1"])
        return str(done.output.decode().split()[-1])


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with running(8, {"resolver", "route53", "elb"}) as own:
        yield own


@pytest.fixture(scope="module")
def inside(server: OwnServer) -> Inside:
    ec2, elb, route53 = (server.client(service) for service in ("ec2", "elbv2", "route53"))
    vpc = ec2.create_vpc(CidrBlock=str(next(server.config.vpc_range.subnets(3))))["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=str(block), AvailabilityZone=f"us-east-1{zone}")["Subnet"]["SubnetId"]
        for zone, block in zip("ab", server.config.vpc_range.subnets(8), strict=False)
    ]
    image = images.ensure("host")  # it has Python
    addresses = {name: str(server.config.vpc_range[256 + number]) for number, name in enumerate(HOSTS, start=1)}
    hosts = {
        name: server.start_host(image, name, ["python3", "-c", SERVER, str(port), name], addresses[name])
        for name, port in HOSTS.items()
    }
    guard = ec2.create_security_group(GroupName="inside", Description="x", VpcId=vpc)["GroupId"]
    balancer = elb.create_load_balancer(
        Name="inside", Type="network", Scheme="internal", Subnets=subnets, SecurityGroups=[guard]
    )["LoadBalancers"][0]
    group = elb.create_target_group(
        Name="cache", Protocol="TCP", Port=PORT, VpcId=vpc, TargetType="ip", HealthCheckProtocol="TCP",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "3"}
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="TCP", Port=PORT,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )  # fmt: skip
    zone_id = route53.create_hosted_zone(
        Name=ZONE, CallerReference="1", VPC={"VPCId": vpc, "VPCRegion": "us-east-1"},
        HostedZoneConfig={"PrivateZone": True, "Comment": ""},
    )["HostedZone"]["Id"]  # fmt: skip
    _record(route53, zone_id, "CREATE", balancer)
    return Inside(server, balancer["LoadBalancerArn"], balancer["DNSName"], zone_id, group, hosts, addresses)


def _record(route53: Any, zone_id: str, action: str, balancer: dict[str, Any]) -> None:
    alias = {
        "DNSName": balancer["DNSName"], "HostedZoneId": balancer["CanonicalHostedZoneId"], "EvaluateTargetHealth": False
    }  # fmt: skip
    record = {"Name": NAME, "Type": "A", "AliasTarget": alias}
    route53.change_resource_record_sets(
        HostedZoneId=zone_id, ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    )


def test_a_host_reaches_the_targets_by_the_private_name(inside: Inside) -> None:
    inside.only("one", "two")
    until(lambda: inside.ask("one") != ["gaierror"], "the name is known", 10)
    assert set(inside.ask("one", 6)) == {"one", "two"}
    assert set(inside.ask("two", 6)) == {"one", "two"}
    assert set(inside.ask("one", 6, name=inside.dns_name)) == {"one", "two"}


def test_nothing_of_it_is_on_this_machine(inside: Inside) -> None:
    container = inside.server.docker.containers.get(inside.server.config.container("elb-inside"))
    assert not container.attrs["HostConfig"]["PortBindings"]
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(NAME, PORT)
    ok, detail = inside.server.status()["load balancer inside"]
    assert ok
    assert detail.startswith(f"{inside.address}, TCP {PORT}, within the VPC; ")
    assert inside.server.status()[f"private zone {ZONE}"][0]


def test_without_the_clients_address_a_host_reaches_itself(inside: Inside) -> None:
    inside.preserve(False)
    inside.only("one")
    assert inside.ask("one", 3) == ["one"] * 3
    assert inside.asked_by("one") == inside.address


def test_with_the_clients_address_a_host_does_not_reach_itself(inside: Inside) -> None:
    inside.only("one")
    inside.preserve(True)
    try:
        until(lambda: inside.ask("one") == ["TimeoutError"], "the attribute is in force", 15)
        assert inside.ask("one", 2) == ["TimeoutError"] * 2
        assert inside.ask("two", 2) == ["one"] * 2
        assert inside.states() == {"one": HEALTHY}, "a health check comes from the load balancer, not from the host"
        inside.only("one", "two")
        assert set(inside.ask("one", 6)) == {"two", "TimeoutError"}, "by chance, as the target is chosen"
        assert set(inside.ask("two", 6)) == {"one", "TimeoutError"}
        inside.only("two")
        assert inside.ask("one", 3) == ["two"] * 3
    finally:
        inside.preserve(False)
    until(lambda: inside.ask("two") == ["two"], "the attribute is off", 15)


def test_a_port_where_nobody_listens_is_unhealthy(inside: Inside) -> None:
    inside.only("one", "two")
    wrong = {"Id": inside.addresses["two"], "Port": 9}
    inside.elb.register_targets(TargetGroupArn=inside.group, Targets=[wrong])

    def state() -> tuple[str, str | None]:
        found = inside.elb.describe_target_health(TargetGroupArn=inside.group, Targets=[wrong])
        health = found["TargetHealthDescriptions"][0]["TargetHealth"]
        return health["State"], health.get("Reason")

    assert state()[0] == "initial"
    until(lambda: state() == FAILED, "it is unhealthy", 30)
    assert set(inside.ask("one", 6)) == {"one", "two"}
    inside.elb.deregister_targets(TargetGroupArn=inside.group, Targets=[wrong])
    until(lambda: state()[0] == "unused", "it is gone", 15)


def test_a_tcp_group_can_be_checked_by_http(inside: Inside) -> None:
    vpc = inside.elb.describe_target_groups(TargetGroupArns=[inside.group])["TargetGroups"][0]["VpcId"]
    group = inside.elb.create_target_group(
        Name="cms", Protocol="TCP", Port=HOSTS["one"], VpcId=vpc, TargetType="ip", HealthCheckProtocol="HTTP",
        HealthCheckPath="/up", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, UnhealthyThresholdCount=2,
        HealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    inside.elb.register_targets(TargetGroupArn=group, Targets=[inside.target("one")])
    until(lambda: inside.states(group) == {"one": ("unused", "Target.NotInUse")}, "no listener uses it", 10)
    listener = inside.elb.create_listener(
        LoadBalancerArn=inside.arn, Protocol="TCP", Port=1337,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    until(lambda: inside.states(group) == {"one": HEALTHY}, "it is healthy", 20)
    assert inside.ask("two", port=1337) == ["one"]
    inside.hosts["one"].exec_run(["sh", "-c", "echo 503 > /tmp/status"])
    expected = {"one": ("unhealthy", "Target.ResponseCodeMismatch")}
    until(lambda: inside.states(group) == expected, "it is unhealthy", 30)
    inside.hosts["one"].exec_run(["sh", "-c", "echo 200 > /tmp/status"])
    until(lambda: inside.states(group) == {"one": HEALTHY}, "it is healthy again", 30)
    inside.elb.delete_listener(ListenerArn=listener)
    until(lambda: inside.ask("two", port=1337) == ["ConnectionRefusedError"], "the listener is gone", 15)
    inside.elb.delete_target_group(TargetGroupArn=group)


def test_a_deregistered_target_keeps_its_connections_for_the_delay(inside: Inside) -> None:
    inside.only("one")
    host = inside.hosts["two"]
    held = host.client.api.exec_create(host.id, ["python3", "-c", HOLDER, NAME, str(PORT)])
    answers = host.client.api.exec_start(held["Id"], stream=True)
    assert next(answers).decode().strip() == "one"
    inside.elb.register_targets(TargetGroupArn=inside.group, Targets=[inside.target("two")])
    until(lambda: inside.states().get("two") == HEALTHY, "two is healthy", 20)
    inside.elb.deregister_targets(TargetGroupArn=inside.group, Targets=[inside.target("one")])
    draining = ("draining", "Target.DeregistrationInProgress")
    until(lambda: inside.states()["one"] == draining, "one drains", 5)
    until(lambda: set(inside.ask("two", 4)) == {"two"}, "it gets nothing new", 3)
    until(lambda: "one" not in inside.states(), "one is gone", 15)
    said = Counter(line.strip() for chunk in answers for line in chunk.decode().splitlines())
    assert said["one"] >= 8, "two seconds of its three"
    assert "two" not in said


def test_a_killed_load_balancer_comes_back(inside: Inside) -> None:
    inside.only("one", "two")
    inside.server.docker.containers.get(inside.server.config.container("elb-inside")).kill()
    until(lambda: set(inside.ask("one", 4)) == {"one", "two"}, "it serves again", 30)


def test_the_name_goes_with_its_record_and_its_load_balancer(inside: Inside) -> None:
    balancer = inside.elb.describe_load_balancers(LoadBalancerArns=[inside.arn])["LoadBalancers"][0]
    route53 = inside.server.client("route53")
    _record(route53, inside.zone_id, "DELETE", balancer)
    until(lambda: inside.ask("one") == ["gaierror"], "the name is gone", 15)
    assert inside.ask("one", name=inside.dns_name)[0] in HOSTS
    _record(route53, inside.zone_id, "CREATE", balancer)
    until(lambda: inside.ask("one")[0] in HOSTS, "the name is back", 15)
    inside.elb.delete_load_balancer(LoadBalancerArn=inside.arn)
    until(lambda: inside.ask("one") == ["gaierror"], "an alias of nothing has no address", 15)
    assert "load balancer inside" not in inside.server.status()
