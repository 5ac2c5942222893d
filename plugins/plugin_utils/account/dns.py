"""A hosted zone, what it says about a name now, and whether the public DNS asks it at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

ADDRESS_TYPES = ("A", "AAAA", "CNAME")
"""Types of records that say where a name is."""
DNS_SECONDS = 3.0


class CannotAsk(Exception):
    """The public DNS could not be asked."""


def same_name(one: str, other: str) -> bool:
    """Whether two DNS names are one; Route 53 writes small letters and a final dot."""
    return one.rstrip(".").lower() == other.rstrip(".").lower()


def is_alias_of(record: dict[str, Any], balancer: str) -> bool:
    """Whether a record is an alias of a load balancer."""
    return _is_load_balancer(record.get("AliasTarget", {}).get("DNSName", ""), balancer)


def points_at(record: dict[str, Any], *targets: str) -> bool:
    """Whether a record leads to one of some load balancers or CDNs, as an alias, or as the CNAME that a run without a
    zone asks for."""
    values = record.get("ResourceRecords", []) if record["Type"] == "CNAME" else []
    return any(
        is_alias_of(record, target) or any(_is_load_balancer(value["Value"], target) for value in values)
        for target in targets
    )


def _is_load_balancer(target: str, balancer: str) -> bool:
    """Whether a name is a load balancer's; Route 53's console puts `dualstack.` before it."""
    return bool(balancer) and same_name(target.lower().removeprefix("dualstack."), balancer)


def hosted_zone(route53: Any, zone: str) -> dict[str, Any]:
    """Name, kind and name servers of a hosted zone; `found` is False where this account has none of that id."""
    try:
        answer = route53.get_hosted_zone(Id=zone)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchHostedZone":
            raise
        return {"found": False, "name": "", "private": False, "name_servers": []}
    found = answer["HostedZone"]
    return {
        "found": True,
        "name": str(found["Name"]).rstrip("."),
        "private": bool(found.get("Config", {}).get("PrivateZone")),
        "name_servers": sorted(answer.get("DelegationSet", {}).get("NameServers", [])),
    }


def records_at(route53: Any, zone: str, name: str) -> tuple[list[dict[str, Any]], bool]:
    """All record sets of exactly that name; and whether it or one below it is there, so that no wildcard answers."""
    found: list[dict[str, Any]] = []
    pages = route53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone, StartRecordName=name, PaginationConfig={"PageSize": 100}
    )
    for page in pages:
        for record in page["ResourceRecordSets"]:
            here = str(record["Name"]).replace("\\052", "*")
            if same_name(here, name):
                found.append(record)
            else:  # the list is in order, names below the name first
                return found, bool(found) or here.rstrip(".").lower().endswith(f".{name.rstrip('.').lower()}")
    return found, bool(found)


def addresses(route53: Any, zone: str, zone_name: str, name: str, *targets: str) -> dict[str, list[Any]]:
    """The records that say where `name` is: its own, and those of the wildcard that answers in their absence.

    Args:
        route53: client.
        zone: id of the hosted zone.
        zone_name: its name.
        name: to be looked for.
        targets: DNS names of the site's load balancer and its CDN, empty if there is none yet; what points there is
            `ours`.
    """
    own, shadows = records_at(route53, zone, name)
    wildcard: list[dict[str, Any]] = []
    if not shadows:
        for parent in parents(name, zone_name):
            wildcard, _ = records_at(route53, zone, f"*.{parent}")
            if wildcard:
                break
    found = [shown(record, *targets) for record in own if record["Type"] in ADDRESS_TYPES]
    answering = [shown(record, *targets) for record in wildcard if record["Type"] in ADDRESS_TYPES]
    elsewhere = [record["text"] for record in found or answering if not record["ours"]]
    return {"own": found, "wildcard": answering, "elsewhere": elsewhere}


def parents(name: str, zone_name: str) -> Iterator[str]:
    """The names above `name`, nearest first, down to the zone's own."""
    labels = name.rstrip(".").split(".")
    for start in range(1, len(labels)):
        parent = ".".join(labels[start:])
        if same_name(parent, zone_name) or parent.lower().endswith(f".{zone_name.lower()}"):
            yield parent


def shown(record: dict[str, Any], *targets: str) -> dict[str, Any]:
    """A record as a person reads it, and whether it points at one of some load balancers or CDNs."""
    name = str(record["Name"]).replace("\\052", "*").rstrip(".")
    target = record.get("AliasTarget", {}).get("DNSName", "").rstrip(".")
    values = ", ".join(value["Value"] for value in record.get("ResourceRecords", []))
    where = f"alias of {target}" if target else values
    identifier = f" ({record['SetIdentifier']})" if "SetIdentifier" in record else ""
    lifetime = f", for {record['TTL']} s" if "TTL" in record else ""
    return {
        "name": name,
        "type": record["Type"],
        "ours": points_at(record, *targets),
        "text": f"{name} {record['Type']} {where}{identifier}{lifetime}",
    }


def delegated_to(zone_name: str, nameserver: str = "") -> list[str]:
    """The name servers to which the DNS sends who asks for a zone; none if it knows no such zone.

    Args:
        zone_name: of the zone.
        nameserver: `address:port` to ask instead of the machine's own resolvers.

    Raises:
        CannotAsk: no DNS answers, or the library is missing.
    """
    try:
        import dns.exception
        import dns.resolver
    except ImportError:
        raise CannotAsk("the Python library dnspython is missing; type: pip install -r requirements.txt") from None
    try:
        resolver = dns.resolver.Resolver(configure=not nameserver)
        if nameserver:
            address, _, port = nameserver.rpartition(":")
            resolver.nameservers, resolver.port = [address], int(port)
        answer = resolver.resolve(f"{zone_name.rstrip('.')}.", "NS", lifetime=DNS_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise CannotAsk(f"no DNS answered within {DNS_SECONDS:.0f} s ({type(error).__name__})") from None
    return sorted(str(record.target).rstrip(".").lower() for record in answer)
