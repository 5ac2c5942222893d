"""Security groups filter: each rule is taken away, its effect seen from the other side, and given back."""

from __future__ import annotations

import functools
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local_aws import images
from local_aws.config import DIRECT
from local_aws.tests.own_server import OwnServer, running
from local_aws.tests.until import until

pytestmark = pytest.mark.docker

APPLICATION = 40000
REFUSED_SECONDS = 2
NOT_OPEN = 40001
ENFORCED = "enforced in 4 containers"


@dataclass
class Place:
    """A load balancer before a host with a database and a file system; and a stranger on the network.

    Attributes:
        groups: name → id.
        addresses: name → where it is.
        containers: name → container.
        route: of both subnets to the internet, as EC2 names it, and the gateway that it leads to.
    """

    own: OwnServer
    groups: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    containers: dict[str, Any] = field(default_factory=dict)
    subnets: list[str] = field(default_factory=list)
    route: dict[str, str] = field(default_factory=dict)
    gateway: str = ""

    def reaches(self, who: str, what: str, port: int) -> bool:
        """Whether one of them can connect to another."""
        connect = f"timeout {REFUSED_SECONDS} bash -c '</dev/tcp/{self.addresses[what]}/{port}'"
        return int(self.containers[who].exec_run(["bash", "-c", connect], user="root").exit_code) == 0

    def rule(self, verb: str, group: str, port: int, source: dict[str, Any]) -> None:
        """Give a rule or take it away: `authorize`, `revoke`."""
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
        getattr(self.own.client("ec2"), f"{verb}_security_group_ingress")(
            GroupId=self.groups[group], IpPermissions=[permission]
        )

    def source(self, name: str) -> dict[str, Any]:
        """The other side of a rule: a group, or an address."""
        if name in self.groups:
            return {"UserIdGroupPairs": [{"GroupId": self.groups[name]}]}
        return {"IpRanges": [{"CidrIp": name if "/" in name else f"{self.addresses[name]}/32"}]}


RULES = [
    # group, port, source of the rule; who reaches what by it
    ("database", 5432, "hosts", "host", "database"),
    ("volume", 2049, "hosts", "host", "file system"),
    ("hosts", APPLICATION, "balancer", "balancer", "host"),
    ("balancer", 80, "0.0.0.0/0", "stranger", "balancer"),
    ("hosts", 22, "stranger", "stranger", "host"),
]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with running(10, {"resolver", "rds", "efs", "elb", "instances"}, guarded=True) as own:
        place = Place(own)
        build(place)
        for group, port, source, _, _ in RULES:
            place.rule("authorize", group, port, place.source(source))
        yield place


def build(place: Place) -> None:
    own, config = place.own, place.own.config
    ec2, rds, efs, elb = (own.client(name) for name in ("ec2", "rds", "efs", "elbv2"))
    base = str(config.network.network_address).rsplit(".", 2)[0]
    vpc = ec2.create_vpc(CidrBlock=f"{base}.0.0/20")["Vpc"]["VpcId"]
    place.subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"{base}.{1 + number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(("us-east-1a", "us-east-1b"))
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    place.route = {"RouteTableId": tables[0]["RouteTableId"], "DestinationCidrBlock": "0.0.0.0/0"}
    place.gateway = gateway
    ec2.create_route(**place.route, GatewayId=gateway)
    for name in ("hosts", "database", "volume", "balancer"):
        made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
        place.groups[name] = made["GroupId"]
    rds.create_db_subnet_group(DBSubnetGroupName="both", DBSubnetGroupDescription="both", SubnetIds=place.subnets)
    rds.create_db_instance(
        DBInstanceIdentifier="main", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="master", MasterUserPassword="long-enough", VpcSecurityGroupIds=[place.groups["database"]],
        DBSubnetGroupName="both",
    )  # fmt: skip
    system = efs.create_file_system(CreationToken="media")["FileSystemId"]
    target = efs.create_mount_target(
        FileSystemId=system, SubnetId=place.subnets[0], SecurityGroups=[place.groups["volume"]]
    )
    place.addresses["file system"] = target["IpAddress"]
    host = launch(place)
    place.containers["host"] = until(lambda: container(place, host), "the host runs", 60)
    balancer = elb.create_load_balancer(Name="web", Subnets=place.subnets, SecurityGroups=[place.groups["balancer"]])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "here"}}
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[answer])
    own.start_host(images.ensure("postgres"), "stranger", ["sleep", "infinity"])
    for name, called in (("database", "db-main"), ("balancer", "elb-web"), ("stranger", "stranger")):
        place.containers[name] = until(functools.partial(container, place, called), f"{called} runs", 60)
    place.containers["file system"] = until(lambda: container(place, f"efs-{system}"), "NFS runs", 60)
    for name in ("host", "database", "balancer", "stranger"):
        found = place.containers[name].attrs["NetworkSettings"]["Networks"][config.network_name]["IPAddress"]
        place.addresses[name] = found
    # Something to connect to, which a rule opens or not.
    for port in (APPLICATION, NOT_OPEN):
        place.containers["host"].exec_run(["python3", "-m", "http.server", str(port)], detach=True)
    until(lambda: own.status()["security groups"][1] == ENFORCED, "rules are set", 30)
    until(lambda: available(rds), "the database is available", 90)


def available(rds: Any) -> bool:
    return bool(rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available")


def launch(place: Place) -> str:
    """Another host; its id."""
    made = place.own.client("ec2").run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, InstanceType="t2.micro", SubnetId=place.subnets[0],
        SecurityGroupIds=[place.groups["hosts"]],
    )  # fmt: skip
    return str(made["Instances"][0]["InstanceId"])


def container(place: Place, name: str) -> Any:
    """A container of the embedded AWS that runs."""
    found = place.own.docker.containers.list(filters={"name": f"^{place.own.config.container(name)}$"})
    return found[0] if found else None


def name_of(rule: tuple[Any, ...]) -> str:
    return f"{rule[3]} to {rule[4]}".replace(" ", "-")


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_a_way_is_closed_without_its_rule_and_open_with_it(place: Place, rule: tuple[str, int, str, str, str]) -> None:
    group, port, source, who, what = rule
    others = [each for each in RULES if each != rule]
    until(lambda: place.reaches(who, what, port), "the way is open", 10)
    place.rule("revoke", group, port, place.source(source))
    try:
        until(lambda: not place.reaches(who, what, port), "the way is closed", 10)
        assert [name_of(each) for each in others if not place.reaches(each[3], each[4], each[1])] == []
    finally:
        place.rule("authorize", group, port, place.source(source))
    until(lambda: place.reaches(who, what, port), "the way is open again", 10)


@pytest.mark.parametrize(
    ("who", "what", "port"),
    [
        ("stranger", "database", 5432),
        ("balancer", "database", 5432),
        ("stranger", "file system", 2049),
        ("stranger", "file system", 111),
        ("stranger", "host", APPLICATION),
        ("balancer", "host", NOT_OPEN),
        ("balancer", "host", 22),
        ("database", "host", 22),
    ],
)
def test_who_has_no_rule_gets_nowhere(place: Place, who: str, what: str, port: int) -> None:
    assert not place.reaches(who, what, port)


def test_whoever_may_reach_nfs_may_reach_what_its_stand_in_needs(place: Place) -> None:
    assert [port for port in (111, 2049, 20048) if not place.reaches("host", "file system", port)] == []


def answers(place: Place) -> bool:
    """Whether a browser of this machine sees the site."""
    try:
        with DIRECT.open(f"http://127.0.0.1:{place.own.config.http_port}", timeout=REFUSED_SECONDS) as answer:
            return bool(answer.read() == b"here")
    except OSError:
        return False


def test_this_machine_comes_from_the_internet(place: Place) -> None:
    until(lambda: answers(place), "the site answers", 10)
    anywhere, home, within = (place.source(each) for each in ("0.0.0.0/0", "203.0.113.0/24", "10.0.0.0/8"))
    place.rule("authorize", "balancer", 80, within)
    place.rule("revoke", "balancer", 80, anywhere)
    try:
        until(lambda: not answers(place), "the site is closed", 10)
        assert place.reaches("stranger", "balancer", 80)
        place.rule("authorize", "balancer", 80, home)
        until(lambda: answers(place), "the site answers whom a rule names", 10)
        place.rule("revoke", "balancer", 80, home)
        until(lambda: not answers(place), "the site is closed again", 10)
    finally:
        place.rule("authorize", "balancer", 80, anywhere)
        place.rule("revoke", "balancer", 80, within)
    until(lambda: answers(place), "the site answers again", 10)


def test_without_a_route_nobody_comes_from_the_internet(place: Place) -> None:
    until(lambda: answers(place), "the site answers", 10)
    place.own.client("ec2").delete_route(**place.route)
    try:
        until(lambda: not answers(place), "the site is closed", 10)
        assert place.reaches("stranger", "balancer", 80)
    finally:
        place.own.client("ec2").create_route(**place.route, GatewayId=place.gateway)
    until(lambda: answers(place), "the site answers again", 10)


def from_here(place: Place, port: int) -> bool:
    """Whether this machine can connect to the host."""
    with socket.socket() as tried:
        tried.settimeout(REFUSED_SECONDS)
        return tried.connect_ex((place.addresses["host"], port)) == 0


def test_this_machine_reaches_a_host_by_ssh_and_by_nothing_else(place: Place) -> None:
    assert from_here(place, 22)
    assert not from_here(place, APPLICATION)


def test_what_goes_out_is_filtered_where_the_rules_say_so(place: Place) -> None:
    ec2, group = place.own.client("ec2"), place.groups["hosts"]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    database = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **place.source("database")}]
    place.addresses["resolver"] = place.own.config.resolver
    assert place.reaches("host", "balancer", 80)
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=database)
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    try:
        until(lambda: not place.reaches("host", "balancer", 80), "the host reaches no website", 10)
        assert place.reaches("host", "database", 5432)
        assert not place.reaches("host", "file system", 2049)
        assert place.reaches("host", "resolver", 443)
        assert place.reaches("balancer", "host", APPLICATION), "answers go out"
    finally:
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=everything)
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=database)
    until(lambda: place.reaches("host", "balancer", 80), "the host reaches a website again", 10)


def acl(place: Place) -> tuple[str, str]:
    """The association of the host's subnet, and its ACL."""
    for described in place.own.client("ec2").describe_network_acls()["NetworkAcls"]:
        for each in described["Associations"]:
            if each["SubnetId"] == place.subnets[0]:
                return each["NetworkAclAssociationId"], described["NetworkAclId"]
    raise AssertionError("the subnet has no ACL")


def test_an_acl_stops_what_the_groups_let_through(place: Place) -> None:
    ec2, (association, before) = place.own.client("ec2"), acl(place)
    vpc = ec2.describe_subnets(SubnetIds=[place.subnets[0]])["Subnets"][0]["VpcId"]
    tight = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    everything = {"Protocol": "-1", "CidrBlock": "0.0.0.0/0", "NetworkAclId": tight, "RuleAction": "allow"}
    stopped = {"Protocol": "6", "PortRange": {"From": APPLICATION, "To": APPLICATION}, "RuleAction": "deny"}
    ec2.create_network_acl_entry(**{**everything, **stopped}, RuleNumber=90, Egress=False)
    for egress in (False, True):
        ec2.create_network_acl_entry(**everything, RuleNumber=100, Egress=egress)
    assert place.reaches("balancer", "host", APPLICATION)
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=tight)
    try:
        until(lambda: not place.reaches("balancer", "host", APPLICATION), "the ACL stops it", 10)
        assert place.reaches("host", "database", 5432)
        assert place.reaches("stranger", "host", 22)
    finally:
        ec2.replace_network_acl_association(AssociationId=acl(place)[0], NetworkAclId=before)
    until(lambda: place.reaches("balancer", "host", APPLICATION), "the way is open again", 10)


def test_a_host_is_let_in_when_it_comes_and_no_longer_when_it_is_gone(place: Place) -> None:
    identifier = launch(place)
    another = until(lambda: container(place, identifier), "another host runs", 60)
    place.containers["another"] = another
    until(lambda: place.reaches("another", "database", 5432), "the other host is let in", 10)
    address = another.attrs["NetworkSettings"]["Networks"][place.own.config.network_name]["IPAddress"]
    place.own.client("ec2").terminate_instances(InstanceIds=[identifier])
    until(lambda: container(place, identifier) is None, "the other host is gone", 60)
    # Whoever has its address now is a stranger.
    heir = place.own.start_host(images.ensure("postgres"), "heir", ["sleep", "infinity"], address)
    place.containers["heir"] = heir
    until(lambda: not place.reaches("heir", "database", 5432), "its address counts no longer", 10)


def test_what_is_started_again_is_guarded_again(place: Place) -> None:
    place.containers["database"].kill()
    until(lambda: place.reaches("host", "database", 5432), "the database is back", 60)
    until(lambda: not place.reaches("stranger", "database", 5432), "it is guarded", 10)


def test_what_sets_the_rules_comes_back(place: Place) -> None:
    place.own.docker.containers.get(place.own.config.container("firewall")).kill()
    rule = place.source("stranger")
    place.rule("authorize", "database", 5432, rule)
    until(lambda: place.reaches("stranger", "database", 5432), "a new rule is followed", 20)
    place.rule("revoke", "database", 5432, rule)
    until(lambda: not place.reaches("stranger", "database", 5432), "and that it is gone", 20)
    assert place.own.status()["security groups"] == (True, ENFORCED)
