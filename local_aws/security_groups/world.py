"""What the APIs say of security groups and of who is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.config import Config
from local_aws.security_groups.acls import OPEN, Acl, acl_of
from local_aws.security_groups.openings import Opening
from local_aws.security_groups.routes import Way, ways
from local_aws.security_groups.rules import Interface, Rules

CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"
SSH = 22
ALIVE = frozenset({"pending", "running", "stopping", "shutting-down"})


class Kind(Enum):
    """What has a container on the embedded network, and what its identifier is."""

    INSTANCE = "InstanceId"
    LOAD_BALANCER = "LoadBalancerArn"
    DATABASE = "DbiResourceId"
    FILE_SYSTEM = "FileSystemId"
    DISTRIBUTION = "Id"


@dataclass(frozen=True)
class Thing:
    """One of them."""

    kind: Kind
    identifier: str


class World:
    """What the APIs say at one moment.

    Args:
        cloud: whose APIs.
        addresses: where Docker put the things that it has a container of.
    """

    def __init__(self, cloud: Cloud, addresses: Mapping[Thing, IPv4Address]) -> None:
        self._look = cloud.look
        self._addresses = addresses
        described = self._look("ec2", "describe_subnets")["Subnets"]
        self._subnets = {subnet["SubnetId"]: IPv4Network(subnet["CidrBlock"]) for subnet in described}
        self._ways = ways(
            described,
            self._look("ec2", "describe_route_tables")["RouteTables"],
            self._look("ec2", "describe_nat_gateways")["NatGateways"],
        )
        found = self._look("ec2", "describe_network_acls")["NetworkAcls"]
        self._acls = {str(each["SubnetId"]): described for described in found for each in described["Associations"]}
        self.interfaces = {
            **self._instances(), **self._load_balancers(), **self._databases(), **self._file_systems(),
        }  # fmt: skip
        """Thing → its interfaces; without those that have no security groups at all."""
        groups = self._look("ec2", "describe_security_groups")["SecurityGroups"]
        members = [each for found in self.interfaces.values() for each in found]
        self.rules = Rules(groups, members, self._prefix_lists(groups), services(cloud.config))

    def _instances(self) -> dict[Thing, tuple[Interface, ...]]:
        found = self._look("ec2", "describe_instances")["Reservations"]
        return {
            Thing(Kind.INSTANCE, instance["InstanceId"]): (self._instance(instance),)
            for reservation in found
            for instance in reservation["Instances"]
            if instance["State"]["Name"] in ALIVE and instance.get("PrivateIpAddress")
        }

    def _instance(self, instance: Mapping[str, Any]) -> Interface:
        way = self._ways.get(instance["SubnetId"], Way.NONE)
        public = way is Way.GATEWAY and bool(instance.get("PublicIpAddress"))
        address, groups = IPv4Address(instance["PrivateIpAddress"]), _ids(instance["SecurityGroups"])
        out, acl = public or way is Way.OUT, self._acl([instance["SubnetId"]])
        return Interface(address, groups, (), (SSH,), from_internet=public, to_internet=out, acl=acl)

    def _load_balancers(self) -> dict[Thing, tuple[Interface, ...]]:
        found = self._look("elbv2", "describe_load_balancers")["LoadBalancers"]
        things = {Thing(Kind.LOAD_BALANCER, balancer["LoadBalancerArn"]): balancer for balancer in found}
        return {
            thing: (
                self._placed(
                    thing,
                    frozenset(balancer["SecurityGroups"]),
                    [zone["SubnetId"] for zone in balancer.get("AvailabilityZones", [])],
                    balancer.get("Scheme") != "internal",
                ),
            )
            for thing, balancer in things.items()
            # A network load balancer may have none, and lets everything through then.
            # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
            if balancer.get("SecurityGroups") and thing in self._addresses
        }

    def _databases(self) -> dict[Thing, tuple[Interface, ...]]:
        found = self._look("rds", "describe_db_instances")["DBInstances"]
        things = {Thing(Kind.DATABASE, record["DbiResourceId"]): record for record in found}
        return {
            thing: (
                self._placed(
                    thing,
                    _ids(record["VpcSecurityGroups"]),
                    [each["SubnetIdentifier"] for each in (record.get("DBSubnetGroup") or {}).get("Subnets", [])],
                    bool(record.get("PubliclyAccessible")),
                ),
            )
            for thing, record in things.items()
            if thing in self._addresses
        }

    def _file_systems(self) -> dict[Thing, tuple[Interface, ...]]:
        found = self._look("efs", "describe_file_systems")["FileSystems"]
        return {
            Thing(Kind.FILE_SYSTEM, identifier): tuple(self._mount_targets(identifier))
            for identifier in (system["FileSystemId"] for system in found)
        }

    def _mount_targets(self, file_system: str) -> Iterable[Interface]:
        for target in self._look("efs", "describe_mount_targets", FileSystemId=file_system)["MountTargets"]:
            groups = self._look("efs", "describe_mount_target_security_groups", MountTargetId=target["MountTargetId"])[
                "SecurityGroups"
            ]
            address, acl = IPv4Address(target["IpAddress"]), self._acl([target["SubnetId"]])
            yield Interface(address, frozenset(groups), from_internet=False, acl=acl)

    def _placed(self, thing: Thing, groups: frozenset[str], subnets: Sequence[str], public: bool) -> Interface:
        """Of something at an address that Docker chose.

        Args:
            thing: what.
            groups: ids of its security groups.
            subnets: in which it would be on AWS.
            public: whether it would have a public address.
        """
        led = all(self._ways.get(each) is Way.GATEWAY for each in subnets)
        networks = tuple(self._subnets[each] for each in subnets if each in self._subnets)
        acl = self._acl(subnets)
        return Interface(self._addresses[thing], groups, networks, from_internet=public and led, acl=acl)

    def _acl(self, subnets: Sequence[str]) -> Acl:
        """Of something in one of these subnets; where they have several, nobody knows of which."""
        described = {found["NetworkAclId"]: found for each in subnets if (found := self._acls.get(each))}
        if len(described) != 1:
            return OPEN
        (only,) = described.values()
        return acl_of(only, self._subnets.get(subnets[0]) if len(subnets) == 1 else None)

    def _prefix_lists(self, groups: Iterable[Mapping[str, Any]]) -> dict[str, list[IPv4Network]]:
        """Those that rules name. CloudFront's is where the distributions are here."""
        wanted = {
            str(item["PrefixListId"])
            for group in groups
            for rule in [*group.get("IpPermissions", []), *group.get("IpPermissionsEgress", [])]
            for item in rule.get("PrefixListIds", [])
        }
        return {identifier: self._prefixes(identifier) for identifier in sorted(wanted)}

    def _prefixes(self, identifier: str) -> list[IPv4Network]:
        try:
            (found,) = self._look("ec2", "describe_managed_prefix_lists", PrefixListIds=[identifier])["PrefixLists"]
        except (ClientError, ValueError):
            return []  # gone: nobody is in it
        if found["PrefixListName"] == CLOUDFRONT:
            return [IPv4Network(at) for thing, at in self._addresses.items() if thing.kind is Kind.DISTRIBUTION]
        entries = self._look("ec2", "get_managed_prefix_list_entries", PrefixListId=identifier)["Entries"]
        return [IPv4Network(entry["Cidr"]) for entry in entries if ":" not in entry["Cidr"]]


def services(config: Config) -> tuple[Opening, ...]:
    """Where everybody gets, whatever the rules say: the APIs, the agents' socket, the resolver, the registry."""

    def at(address: str, protocol: str, port: int) -> Opening:
        return Opening(protocol, port, port, (IPv4Network(address),))

    return (
        at(config.gateway, "tcp", config.api_port),
        at(config.gateway, "tcp", config.agent_port),
        *(at(config.resolver, "tcp", port) for port in (53, 80, 443)),
        at(config.resolver, "udp", 53),
        at(config.registry_address, "tcp", 5000),
    )


def _ids(groups: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Of groups as EC2 and RDS name them."""
    return frozenset(str(each.get("GroupId") or each["VpcSecurityGroupId"]) for each in groups)
