"""A hosted zone that is there from the start (its id stands in the local inventories), batches as AWS does them, and
private zones whose VPCs exist and see no other zone of that name.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.ec2.models import ec2_backends
from moto.route53.exceptions import DnsNameInvalidForZone, Route53ClientError
from moto.route53.models import HostedZoneIdentifier, RecordSet, Route53Backend
from moto.route53.utils import validate_domain_name

from local_aws.config import ACCOUNT_ID
from local_aws.patches._moto import AwsError, around, instead
from local_aws.patches.elbv2_types import NETWORK_ZONES

ZONE_ID = "Z0BERTHLOCALZONE"
ZONE_NAME = "berth.localhost."
"""`localhost` and all below it is this machine for every browser (RFC 6761, 6.3)."""
changing = threading.Lock()
"""Held from reading a zone's records to writing them: requests come side by side, and one would undo the other."""


@around(Route53Backend, "__init__")
def _init(init: Any, self: Any, region_name: str, account_id: str) -> None:
    init(self, region_name, account_id)
    if account_id == ACCOUNT_ID and region_name == "aws":
        zone = self.create_hosted_zone(ZONE_NAME, private_zone=False, comment="Made by the embedded AWS")
        del self.zones[zone.resource_id]
        zone.resource_id = ZONE_ID
        self.zones[ZONE_ID] = zone


@around(HostedZoneIdentifier, "generate")
def _generate(generate: Any, self: Any, *arguments: Any, **given: Any) -> str:
    """As Route 53 calls zones, https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZone.html"""
    return f"Z{generate(self, *arguments, **given)}"


@around(Route53Backend, "create_hosted_zone")
def _create_hosted_zone(create: Any, self: Any, name: str, private_zone: bool, *arguments: Any, **given: Any) -> Any:
    """A private zone has a VPC from its first day on; moto makes one without."""
    if private_zone:
        if not given.get("vpcid"):
            raise AwsError("InvalidInput", "A private hosted zone needs VPCId and VPCRegion.")  # the sentence is ours
        _check_vpc(self, name, given["vpcid"], given.get("vpcregion") or "")
    return create(self, name, private_zone, *arguments, **given)


@around(Route53Backend, "associate_vpc_with_hosted_zone")
def _associate_vpc(associate: Any, self: Any, zone_id: str, vpcid: str, vpcregion: str) -> Any:
    zone = self.get_hosted_zone(zone_id)
    if zone.private_zone:
        _check_vpc(self, zone.name, vpcid, vpcregion)
    return associate(self, zone_id, vpcid, vpcregion)


def _check_vpc(backend: Any, name: str, vpc: str, region: str) -> None:
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html#API_CreateHostedZone_Errors"""
    if vpc not in ec2_backends[backend.account_id][region].vpcs:
        raise AwsError("InvalidVPCId", f"The VPC: {vpc} you provided in region: {region} does not exist.")
    wanted = f"{name.rstrip('.').lower()}."
    for zone in backend.zones.values():
        if zone.private_zone and zone.name.lower() == wanted and any(item["vpc_id"] == vpc for item in zone.vpcs):
            raise AwsError(
                "ConflictingDomainExists",
                f"The VPC {vpc} in region {region} has already been associated with the hosted zone "
                f"{zone.resource_id} with the same domain name.",
            )


@instead(Route53Backend, "change_resource_record_sets")
def _change_resource_record_sets(self: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    """All changes or none. moto lets CREATE overwrite, CNAMEs stand beside addresses, and DELETE take any value.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
    """
    zone = self.get_hosted_zone(zoneid)
    _refuse_twice(change_list)
    with changing:
        after = {_key(record): record for record in zone.rrsets}
        problems = [problem for change in change_list if (problem := _apply(zone, after, change))]
        if problems:
            raise Route53ClientError("InvalidChangeBatch", f"[{', '.join(problems)}]")
        zone.rrsets = list(after.values())


def _refuse_twice(changes: list[dict[str, Any]]) -> None:
    """Of one record, a batch may delete what there is and make another, but not make it twice.

    The sentence is that of https://github.com/schwamster/serverless-certificate-creator/issues/28.
    """
    made = [change["ResourceRecordSet"] for change in changes if change["Action"] != "DELETE"]
    keys = [(each["Name"].rstrip(".").lower(), each["Type"], each.get("SetIdentifier", "")) for each in made]
    for name, kind, _ in keys:
        if keys.count((name, kind, _)) > 1:
            raise Route53ClientError(
                "InvalidChangeBatch",
                f"[The request contains an invalid set of changes for a resource record set '{kind} {name}.']",
            )


def _apply(zone: Any, records: dict[tuple[str, ...], Any], change: dict[str, Any]) -> str:
    """Do one change to `records`; why it cannot be done, in the words of Route 53."""
    action, given = change["Action"], dict(change["ResourceRecordSet"])
    validate_domain_name(given["Name"], code="InvalidChangeBatch")
    given["Name"] = f"{given['Name'].rstrip('.').lower()}."
    if not f".{given['Name']}".endswith(f".{zone.name}"):
        raise DnsNameInvalidForZone(name=given["Name"], zone_name=zone.name)
    if "ResourceRecords" in given:
        given["ResourceRecords"] = [value["Value"] for value in given["ResourceRecords"]]
    record = RecordSet(given)
    if action != "DELETE" and (problem := _strange_alias(record)):
        return problem
    key, named = _key(record), f"[name='{record.name}', type='{record.type}']"
    if action == "DELETE":
        if key not in records:
            return f"Tried to delete resource record set {named} but it was not found"
        if _content(records[key]) != _content(record):
            return (
                f"Tried to delete resource record set {named} but the values provided do not match the current values"
            )
        del records[key]
        return ""
    if action == "CREATE" and key in records:
        return f"Tried to create resource record set {named} but it already exists"
    beside = {other.type for other in records.values() if other.name == record.name and other.type != record.type}
    if beside and "CNAME" in beside | {record.type}:
        return (
            f"RRSet of type {record.type} with DNS name {record.name} is not permitted because a conflicting RRSet of "
            f"type {' and '.join(sorted(beside))} with the same DNS name already exists in zone {zone.name}"
        )
    records[key] = record
    return ""


def _strange_alias(record: Any) -> str:
    """Why an alias cannot lead to its network load balancer; empty if it can, or leads elsewhere."""
    alias = record.alias_target or {}
    name, zone = str(alias.get("DNSName", "")).rstrip(".").lower(), alias.get("HostedZoneId")
    for region, right in NETWORK_ZONES.items():
        if name.endswith(f".elb.{region}.amazonaws.com") and zone != right:
            return (
                f"Tried to create an alias that targets {name}., type {record.type} in zone {zone}, but the alias "
                "target name does not lie within the target zone"
            )
    return ""


def _key(record: Any) -> tuple[str, ...]:
    return record.name.lower(), str(record.type), str(record.set_identifier or "")


def _content(record: Any) -> tuple[Any, ...]:
    alias = {name: str(value).lower().rstrip(".") for name, value in (record.alias_target or {}).items()}
    return sorted(record.records or []), str(record.ttl or ""), alias
