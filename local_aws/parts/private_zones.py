"""Route 53's private half: names of private hosted zones, which the VPC's resolver answers and nobody else.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zones-private.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_aws.cloud import Cloud
from local_aws.part import Health, Part

ADDRESSES = ("A", "AAAA")
ASTERISK = "\\052"
"""How Route 53 writes the `*` of a name."""


@dataclass(frozen=True)
class Zone:
    """A private hosted zone: its name without the final dot, the VPCs that see it, its record sets as the API has them.

    Attributes:
        blind: VPCs that it is associated with but in which it is not answered, with the reason.
    """

    name: str
    vpcs: tuple[str, ...] = ()
    records: tuple[dict[str, Any], ...] = ()
    blind: tuple[str, ...] = ()


class PrivateZones(Part):
    """Publishes the records of private zones in the resolver, for as long as a VPC sees the zone.

    One network stands in for all VPCs, so a zone that one of them sees is answered in each.
    """

    name = "route53"
    interval = 2.0

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._published: dict[str, list[str]] = {}
        self._zones: list[Zone] = []
        self._unanswered: dict[str, list[str]] = {}

    def reconcile(self) -> None:
        self._zones = self._look()
        seen = [zone for zone in self._zones if zone.vpcs]
        known = {name: found for name, found in dict(self.cloud.names).items() if name not in self._published}
        names, self._unanswered = answers(seen, known)
        self.cloud.keep_private(sorted(zone.name for zone in seen))
        for name in set(self._published) - set(names):
            self.cloud.publish(name, known.get(name, []))
        for name, addresses in names.items():
            self.cloud.publish(name, addresses)
        self._published = names

    def health(self) -> list[Health]:
        lines = []
        for zone in list(self._zones):
            wrong = self._unanswered.get(zone.name, [])
            detail = "; ".join([f"{len(zone.records)} records", *zone.vpcs, *zone.blind, *wrong])
            lines.append(Health(f"private zone {zone.name}", not wrong, detail))
        return lines

    def _look(self) -> list[Zone]:
        items = self.cloud.look("route53", "list_hosted_zones")["HostedZones"]
        return [self._zone(item) for item in items if item["Config"]["PrivateZone"]]

    def _zone(self, item: dict[str, Any]) -> Zone:
        look = self.cloud.look
        records = look("route53", "list_resource_record_sets", HostedZoneId=item["Id"])["ResourceRecordSets"]
        seen: list[str] = []
        blind: list[str] = []
        for vpc in look("route53", "get_hosted_zone", Id=item["Id"]).get("VPCs", []):
            reason = self._blind(vpc["VPCId"])
            (blind if reason else seen).append(reason or vpc["VPCId"])
        own = tuple(record for record in records if record["Type"] not in ("NS", "SOA"))
        return Zone(item["Name"].rstrip(".").lower(), tuple(seen), own, tuple(blind))

    def _blind(self, vpc: str) -> str:
        """Why a private zone is not answered in the VPC; empty if it is. AWS wants both of its DNS attributes on."""
        look = self.cloud.look
        if not look("ec2", "describe_vpcs", Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Vpcs"]:
            return f"{vpc} is gone"
        for attribute in ("enableDnsSupport", "enableDnsHostnames"):
            found = look("ec2", "describe_vpc_attribute", VpcId=vpc, Attribute=attribute)
            if not found[attribute[0].upper() + attribute[1:]]["Value"]:
                return f"not answered in {vpc}, whose {attribute} is off"
        return ""


def answers(zones: list[Zone], known: dict[str, list[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What the resolver is to say for the names of private zones.

    Args:
        zones: those that some VPC sees.
        known: other names and their addresses: load balancers', databases'.

    Returns:
        Name → addresses; and zone → sentences about records that cannot be answered.
    """
    known = {name.lower(): addresses for name, addresses in known.items()}  # CloudFormation's names have capitals
    records: dict[str, list[dict[str, Any]]] = {}
    unanswered: dict[str, list[str]] = {}
    for zone in zones:
        for record in zone.records:
            name = record["Name"].rstrip(".").lower()
            if _zone_of(name, zones) != zone.name:
                continue  # a zone below this one has its names
            alias = "AliasTarget" in record
            if name.startswith((ASTERISK, "*")) or record["Type"] not in (*ADDRESSES, "CNAME"):
                unanswered.setdefault(zone.name, []).append(
                    f"{record['Type']} {name.replace(ASTERISK, '*')} is not answered: only A, AAAA and CNAME are, "
                    "without a wildcard"
                )
            elif record["Type"] == "CNAME" and not alias and not _leads_somewhere(record, zones, known):
                target = record["ResourceRecords"][0]["Value"]
                unanswered.setdefault(zone.name, []).append(
                    f"CNAME {name} is not answered: {target} is no name of the embedded AWS"
                )
            else:
                records.setdefault(name, []).append(record)
    found = {name: _addresses(name, records, known, set()) for name in records}
    return {name: addresses for name, addresses in found.items() if addresses}, unanswered


def _zone_of(name: str, zones: list[Zone]) -> str:
    """The most specific zone that `name` lies in; empty if none."""
    inside = [zone.name for zone in zones if f".{name}".endswith(f".{zone.name}")]
    return max(inside, key=len, default="")


def _target(record: dict[str, Any]) -> str:
    """The name that an alias or CNAME leads to."""
    value = record["AliasTarget"]["DNSName"] if "AliasTarget" in record else record["ResourceRecords"][0]["Value"]
    return str(value).rstrip(".").lower().removeprefix("dualstack.")


def _leads_somewhere(record: dict[str, Any], zones: list[Zone], known: dict[str, list[str]]) -> bool:
    target = _target(record)
    return target in known or target.endswith(".amazonaws.com") or bool(_zone_of(target, zones))


def _addresses(
    name: str, records: dict[str, list[dict[str, Any]]], known: dict[str, list[str]], on_the_way: set[str]
) -> list[str]:
    """The addresses of a name, aliases and CNAMEs followed; none where they go in a circle."""
    if name not in records:
        return known.get(name, [])
    if name in on_the_way:
        return []
    found: list[str] = []
    for record in records[name]:
        if "AliasTarget" in record or record["Type"] == "CNAME":
            found += _addresses(_target(record), records, known, on_the_way | {name})
        else:
            found += [item["Value"] for item in record["ResourceRecords"]]
    return sorted(set(found))
