"""Hosted zones and DNS records."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloudformation.calls import PropertyError, absent_is_fine, call, changed, pick, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


def dotted(name: str) -> str:
    """A DNS name with its final dot."""
    return name if name.endswith(".") else f"{name}."


class HostedZone(Handler):
    """Public, or private by the VPCs that it names; Route 53 makes none of one into the other."""

    TYPE = "AWS::Route53::HostedZone"

    def create(self, context: Context, properties: Properties) -> str:
        comment = (properties.get("HostedZoneConfig") or {}).get("Comment", "")
        vpcs = [dict(vpc) for vpc in properties.get("VPCs") or []]
        answer = call(
            context,
            "route53",
            "create_hosted_zone",
            Name=properties["Name"],
            CallerReference=context.name(128),
            HostedZoneConfig={"Comment": comment, "PrivateZone": bool(vpcs)},
            VPC=vpcs[0] if vpcs else None,
        )
        zone = str(answer["HostedZone"]["Id"]).split("/")[-1]
        context.created(zone)
        for vpc in vpcs[1:]:
            call(context, "route53", "associate_vpc_with_hosted_zone", HostedZoneId=zone, VPC=vpc)
        self._tag(context, zone, {}, properties)
        return zone

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "HostedZoneConfig"):
            comment = (new.get("HostedZoneConfig") or {}).get("Comment", "")
            call(context, "route53", "update_hosted_zone_comment", Id=physical_id, Comment=comment)
        before, after = old.get("VPCs") or [], new.get("VPCs") or []
        for vpc in [item for item in after if item not in before]:  # first, since the last one cannot go
            call(context, "route53", "associate_vpc_with_hosted_zone", HostedZoneId=physical_id, VPC=vpc)
        for vpc in [item for item in before if item not in after]:
            call(context, "route53", "disassociate_vpc_from_hosted_zone", HostedZoneId=physical_id, VPC=vpc)
        self._tag(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "route53", "delete_hosted_zone", Id=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        answer = call(context, "route53", "get_hosted_zone", Id=physical_id)
        return {"Id": physical_id, "NameServers": answer.get("DelegationSet", {}).get("NameServers", [])}

    def _tag(self, context: Context, zone: str, old: Properties, new: Properties) -> None:
        tags = context.tag_list({"Tags": new.get("HostedZoneTags")})
        gone = context.untagged({"Tags": old.get("HostedZoneTags")}, {"Tags": new.get("HostedZoneTags")})
        if tags or gone:
            call(
                context,
                "route53",
                "change_tags_for_resource",
                ResourceType="hostedzone",
                ResourceId=zone,
                AddTags=tags or None,
                RemoveTagKeys=gone or None,
            )


def zone_id(context: Context, properties: Properties) -> str:
    """The zone that a record belongs to, by its id or its name.

    Raises:
        PropertyError: no zone, or more than one, has the name.
    """
    if "HostedZoneId" in properties:
        return str(properties["HostedZoneId"])
    name = dotted(properties["HostedZoneName"])
    found = call(context, "route53", "list_hosted_zones_by_name", DNSName=name)["HostedZones"]
    zones = [zone["Id"].split("/")[-1] for zone in found if zone["Name"] == name]
    if len(zones) != 1:
        raise PropertyError(f"HostedZoneName {name}: found {len(zones)} zones of that name, not one.")
    return str(zones[0])


def record_set(properties: Properties) -> dict[str, Any]:
    """A template's record in the API's words."""
    result = without(properties, "HostedZoneId", "HostedZoneName", "Comment", "AliasTarget", "ResourceRecords")
    result["Name"] = dotted(properties["Name"])
    if "AliasTarget" in properties:
        target = properties["AliasTarget"]
        result["AliasTarget"] = {"EvaluateTargetHealth": False, **target}
    if "ResourceRecords" in properties:
        result["ResourceRecords"] = [{"Value": value} for value in properties["ResourceRecords"]]
    return result


def change(context: Context, zone: str, action: str, records: list[Properties]) -> None:
    """Apply `action` (CREATE, UPSERT, DELETE) to records, all or none."""
    changes = [{"Action": action, "ResourceRecordSet": record_set(record)} for record in records]
    call(context, "route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch={"Changes": changes})


def remove(context: Context, zone: str, record: Properties) -> None:
    """Delete a record, if it is there."""
    try:
        with absent_is_fine():
            change(context, zone, "DELETE", [record])
    except ClientError as error:
        # InvalidChangeBatch "it was not found" is how Route 53 says that the record is gone.
        if "not found" not in str(error):
            raise


class RecordSet(Handler):
    TYPE = "AWS::Route53::RecordSet"

    def create(self, context: Context, properties: Properties) -> str:
        change(context, zone_id(context, properties), "CREATE", [properties])
        return str(properties["Name"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        change(context, zone_id(context, new), "UPSERT", [new])
        if changed(old, new, "Type", "SetIdentifier"):
            remove(context, zone_id(context, old), old)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            remove(context, zone_id(context, properties), properties)


class RecordSetGroup(Handler):
    TYPE = "AWS::Route53::RecordSetGroup"

    def create(self, context: Context, properties: Properties) -> str:
        change(context, zone_id(context, properties), "CREATE", properties.get("RecordSets") or [])
        return context.name(128)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        zone = zone_id(context, new)
        kept = {self._key(record) for record in new.get("RecordSets") or []}
        for record in old.get("RecordSets") or []:
            if self._key(record) not in kept:
                remove(context, zone, record)
        if records := new.get("RecordSets"):
            change(context, zone, "UPSERT", records)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            zone = zone_id(context, properties)
            for record in properties.get("RecordSets") or []:
                remove(context, zone, record)

    def _key(self, record: Properties) -> tuple[str, ...]:
        key = pick(record, "Type", "SetIdentifier")
        return (dotted(record["Name"]), *map(str, key.values()))
