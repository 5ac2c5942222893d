"""Networks, security groups and launch templates."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, boolean, call, changed, pick
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


def tag_specifications(context: Context, kind: str, properties: Properties) -> list[dict[str, Any]] | None:
    """Tags for a create call of a resource of EC2's `kind`; None if there are none."""
    tags = context.tag_list(properties)
    return [{"ResourceType": kind, "Tags": tags}] if tags else None


def update_tags(context: Context, identifier: str, old: Properties, new: Properties) -> None:
    """Bring the tags of an EC2 resource up to date."""
    if gone := context.untagged(old, new):
        call(context, "ec2", "delete_tags", Resources=[identifier], Tags=[{"Key": key} for key in gone])
    if tags := context.tag_list(new):
        call(context, "ec2", "create_tags", Resources=[identifier], Tags=tags)


class Vpc(Handler):
    TYPE = "AWS::EC2::VPC"

    def create(self, context: Context, properties: Properties) -> str:
        tags = tag_specifications(context, "vpc", properties)
        settings = pick(properties, "CidrBlock", "InstanceTenancy")
        vpc: str = call(context, "ec2", "create_vpc", TagSpecifications=tags, **settings)["Vpc"]["VpcId"]
        self._set_dns(context, vpc, properties)
        return vpc

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._set_dns(context, physical_id, new)
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_vpc", VpcId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        filters = [{"Name": "vpc-id", "Values": [physical_id]}]
        groups = call(context, "ec2", "describe_security_groups", Filters=filters)["SecurityGroups"]
        acls = call(context, "ec2", "describe_network_acls", Filters=filters)["NetworkAcls"]
        vpc = call(context, "ec2", "describe_vpcs", VpcIds=[physical_id])["Vpcs"][0]
        return {
            "VpcId": physical_id,
            "CidrBlock": vpc["CidrBlock"],
            "CidrBlockAssociations": [block["AssociationId"] for block in vpc.get("CidrBlockAssociationSet", [])],
            "DefaultNetworkAcl": next((acl["NetworkAclId"] for acl in acls if acl["IsDefault"]), ""),
            "DefaultSecurityGroup": next(group["GroupId"] for group in groups if group["GroupName"] == "default"),
            "Ipv6CidrBlocks": [block["Ipv6CidrBlock"] for block in vpc.get("Ipv6CidrBlockAssociationSet", [])],
        }

    def _set_dns(self, context: Context, vpc: str, properties: Properties) -> None:
        # One attribute a call; support comes first because host names need it.
        for name, default in (("EnableDnsSupport", True), ("EnableDnsHostnames", False)):
            value = {"Value": boolean(properties.get(name, default))}
            call(context, "ec2", "modify_vpc_attribute", VpcId=vpc, **{name: value})


class Subnet(Handler):
    TYPE = "AWS::EC2::Subnet"

    def create(self, context: Context, properties: Properties) -> str:
        tags = tag_specifications(context, "subnet", properties)
        settings = pick(properties, "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "Ipv6CidrBlock")
        answer = call(context, "ec2", "create_subnet", TagSpecifications=tags, **settings)
        subnet: str = answer["Subnet"]["SubnetId"]
        self._set_public_addresses(context, subnet, properties)
        return subnet

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "MapPublicIpOnLaunch"):
            self._set_public_addresses(context, physical_id, new)
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_subnet", SubnetId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        subnet = call(context, "ec2", "describe_subnets", SubnetIds=[physical_id])["Subnets"][0]
        acls = call(
            context,
            "ec2",
            "describe_network_acls",
            Filters=[{"Name": "association.subnet-id", "Values": [physical_id]}],
        )["NetworkAcls"]
        associations = [item for acl in acls for item in acl["Associations"] if item["SubnetId"] == physical_id]
        return {
            "SubnetId": physical_id,
            "NetworkAclAssociationId": next((item["NetworkAclAssociationId"] for item in associations), ""),
            "Ipv6CidrBlocks": [block["Ipv6CidrBlock"] for block in subnet.get("Ipv6CidrBlockAssociationSet", [])],
            **pick(subnet, "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId"),
        }

    def _set_public_addresses(self, context: Context, subnet: str, properties: Properties) -> None:
        value = {"Value": boolean(properties.get("MapPublicIpOnLaunch"))}
        call(context, "ec2", "modify_subnet_attribute", SubnetId=subnet, MapPublicIpOnLaunch=value)


class InternetGateway(Handler):
    TYPE = "AWS::EC2::InternetGateway"

    def create(self, context: Context, properties: Properties) -> str:
        tags = tag_specifications(context, "internet-gateway", properties)
        answer = call(context, "ec2", "create_internet_gateway", TagSpecifications=tags)
        return str(answer["InternetGateway"]["InternetGatewayId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_internet_gateway", InternetGatewayId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"InternetGatewayId": physical_id}


class VpcGatewayAttachment(Handler):
    TYPE = "AWS::EC2::VPCGatewayAttachment"

    def create(self, context: Context, properties: Properties) -> str:
        call(context, "ec2", "attach_internet_gateway", **pick(properties, "InternetGatewayId", "VpcId"))
        return f"IGW|{properties['VpcId']}"

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "InternetGatewayId"):
            self.delete(context, physical_id, old)
            self.create(context, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            gateways = call(
                context, "ec2", "describe_internet_gateways", InternetGatewayIds=[properties["InternetGatewayId"]]
            )["InternetGateways"]
            if any(item["VpcId"] == properties["VpcId"] for gateway in gateways for item in gateway["Attachments"]):
                call(context, "ec2", "detach_internet_gateway", **pick(properties, "InternetGatewayId", "VpcId"))

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"AttachmentType": "IGW"}


class RouteTable(Handler):
    TYPE = "AWS::EC2::RouteTable"

    def create(self, context: Context, properties: Properties) -> str:
        tags = tag_specifications(context, "route-table", properties)
        answer = call(context, "ec2", "create_route_table", VpcId=properties["VpcId"], TagSpecifications=tags)
        return str(answer["RouteTable"]["RouteTableId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_route_table", RouteTableId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"RouteTableId": physical_id}


class Route(Handler):
    TYPE = "AWS::EC2::Route"
    DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")

    def create(self, context: Context, properties: Properties) -> str:
        call(context, "ec2", "create_route", **properties)
        return f"{properties['RouteTableId']}|{self._destination(properties)}"

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        call(context, "ec2", "replace_route", **new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_route", **pick(properties, "RouteTableId", *self.DESTINATIONS))

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"CidrBlock": self._destination(properties)}

    def _destination(self, properties: Properties) -> str:
        return next((str(properties[name]) for name in self.DESTINATIONS if name in properties), "")


class SubnetRouteTableAssociation(Handler):
    TYPE = "AWS::EC2::SubnetRouteTableAssociation"

    def create(self, context: Context, properties: Properties) -> str:
        answer = call(context, "ec2", "associate_route_table", **pick(properties, "RouteTableId", "SubnetId"))
        return str(answer["AssociationId"])

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "disassociate_route_table", AssociationId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}


class ElasticIp(Handler):
    TYPE = "AWS::EC2::EIP"

    def create(self, context: Context, properties: Properties) -> str:
        tags = tag_specifications(context, "elastic-ip", properties)
        answer = call(
            context, "ec2", "allocate_address", Domain=properties.get("Domain", "vpc"), TagSpecifications=tags
        )
        return str(answer["PublicIp"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        update_tags(context, self._allocation(context, physical_id), old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "release_address", AllocationId=self._allocation(context, physical_id))

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"AllocationId": self._allocation(context, physical_id), "PublicIp": physical_id}

    def _allocation(self, context: Context, address: str) -> str:
        answer = call(context, "ec2", "describe_addresses", PublicIps=[address])
        return str(answer["Addresses"][0]["AllocationId"])


class NatGateway(Handler):
    TYPE = "AWS::EC2::NatGateway"
    SECONDS = 600.0

    def create(self, context: Context, properties: Properties) -> str:
        tags = tag_specifications(context, "natgateway", properties)
        settings = pick(properties, "AllocationId", "SubnetId", "ConnectivityType", "PrivateIpAddress")
        answer = call(context, "ec2", "create_nat_gateway", TagSpecifications=tags, **settings)
        gateway = str(answer["NatGateway"]["NatGatewayId"])
        context.wait(lambda: self._state(context, gateway) == "available", self.SECONDS, f"NAT gateway {gateway}")
        return gateway

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_nat_gateway", NatGatewayId=physical_id)
        context.wait(
            lambda: self._state(context, physical_id) == "deleted",
            self.SECONDS,
            f"NAT gateway {physical_id} to be deleted",
        )

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"NatGatewayId": physical_id}

    def _state(self, context: Context, gateway: str) -> str:
        with absent_is_fine():
            found = call(context, "ec2", "describe_nat_gateways", NatGatewayIds=[gateway])["NatGateways"]
            return str(found[0]["State"]) if found else "deleted"
        return "deleted"


class VpcEndpoint(Handler):
    TYPE = "AWS::EC2::VPCEndpoint"
    SETTINGS = ("PolicyDocument", "PrivateDnsEnabled")
    LISTS = (("RouteTableIds", "RouteTableIds"), ("SubnetIds", "SubnetIds"), ("SecurityGroupIds", "SecurityGroupIds"))

    def create(self, context: Context, properties: Properties) -> str:
        tags = tag_specifications(context, "vpc-endpoint", properties)
        settings = pick(properties, "VpcId", "ServiceName", "VpcEndpointType", *self.SETTINGS)
        lists = {name: properties.get(name) for name, _ in self.LISTS}
        answer = call(context, "ec2", "create_vpc_endpoint", TagSpecifications=tags, **settings, **lists)
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        changes: dict[str, Any] = pick(new, *self.SETTINGS) if changed(old, new, *self.SETTINGS) else {}
        for name, suffix in self.LISTS:
            before, after = old.get(name) or [], new.get(name) or []
            changes[f"Add{suffix}"] = [item for item in after if item not in before] or None
            changes[f"Remove{suffix}"] = [item for item in before if item not in after] or None
        if any(value is not None for value in changes.values()):
            call(context, "ec2", "modify_vpc_endpoint", VpcEndpointId=physical_id, **changes)
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_vpc_endpoints", VpcEndpointIds=[physical_id])

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = call(context, "ec2", "describe_vpc_endpoints", VpcEndpointIds=[physical_id])["VpcEndpoints"][0]
        return {
            "Id": physical_id,
            "CreationTimestamp": str(found.get("CreationTimestamp", "")),
            "DnsEntries": [f"{item['HostedZoneId']}:{item['DnsName']}" for item in found.get("DnsEntries", [])],
            "NetworkInterfaceIds": found.get("NetworkInterfaceIds", []),
        }


def permission(rule: Properties) -> dict[str, Any]:
    """A template's rule as EC2's IpPermission."""
    result: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"]), **pick(rule, "FromPort", "ToPort")}
    note = {"Description": rule["Description"]} if rule.get("Description") else {}
    if "CidrIp" in rule:
        result["IpRanges"] = [{"CidrIp": rule["CidrIp"], **note}]
    if "CidrIpv6" in rule:
        result["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **note}]
    if group := rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId"):
        result["UserIdGroupPairs"] = [{"GroupId": group, **note}]
    if prefixes := rule.get("SourcePrefixListId") or rule.get("DestinationPrefixListId"):
        result["PrefixListIds"] = [{"PrefixListId": prefixes, **note}]
    return result


class SecurityGroup(Handler):
    TYPE = "AWS::EC2::SecurityGroup"

    def create(self, context: Context, properties: Properties) -> str:
        group = str(
            call(
                context,
                "ec2",
                "create_security_group",
                GroupName=properties.get("GroupName") or context.name(255),
                Description=properties["GroupDescription"],
                VpcId=properties.get("VpcId"),
                TagSpecifications=tag_specifications(context, "security-group", properties),
            )["GroupId"]
        )
        if properties.get("SecurityGroupEgress"):
            # Rules in the template take the place of the rule that lets everything out.
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-securitygroup.html
            everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            call(context, "ec2", "revoke_security_group_egress", GroupId=group, IpPermissions=everything)
        self._set_rules(context, group, {}, properties)
        return group

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._set_rules(context, physical_id, old, new)
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_security_group", GroupId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        group = call(context, "ec2", "describe_security_groups", GroupIds=[physical_id])["SecurityGroups"][0]
        return {"GroupId": physical_id, "Id": physical_id, "VpcId": group.get("VpcId", "")}

    def _set_rules(self, context: Context, group: str, old: Properties, new: Properties) -> None:
        for name, direction in (("SecurityGroupIngress", "ingress"), ("SecurityGroupEgress", "egress")):
            before = [permission(rule) for rule in old.get(name) or []]
            after = [permission(rule) for rule in new.get(name) or []]
            for rules, verb in (
                ([rule for rule in before if rule not in after], "revoke"),
                ([rule for rule in after if rule not in before], "authorize"),
            ):
                if rules:
                    operation = f"{verb}_security_group_{direction}"
                    call(context, "ec2", operation, GroupId=group, IpPermissions=rules)


class _SecurityGroupRule(Handler):
    DIRECTION = ""

    def create(self, context: Context, properties: Properties) -> str:
        operation = f"authorize_security_group_{self.DIRECTION}"
        rules = [permission(properties)]
        answer = call(context, "ec2", operation, GroupId=properties["GroupId"], IpPermissions=rules)
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        operation = f"update_security_group_rule_descriptions_{self.DIRECTION}"
        call(context, "ec2", operation, GroupId=new["GroupId"], IpPermissions=[permission(new)])

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            operation = f"revoke_security_group_{self.DIRECTION}"
            call(context, "ec2", operation, GroupId=properties["GroupId"], SecurityGroupRuleIds=[physical_id])

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}


class SecurityGroupIngress(_SecurityGroupRule):
    TYPE = "AWS::EC2::SecurityGroupIngress"
    DIRECTION = "ingress"


class SecurityGroupEgress(_SecurityGroupRule):
    TYPE = "AWS::EC2::SecurityGroupEgress"
    DIRECTION = "egress"


class LaunchTemplate(Handler):
    TYPE = "AWS::EC2::LaunchTemplate"

    def create(self, context: Context, properties: Properties) -> str:
        answer = call(
            context,
            "ec2",
            "create_launch_template",
            LaunchTemplateName=properties.get("LaunchTemplateName") or context.name(128),
            TagSpecifications=properties.get("TagSpecifications"),
            **pick(properties, "LaunchTemplateData", "VersionDescription"),
        )
        return str(answer["LaunchTemplate"]["LaunchTemplateId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        # A new version; the default stays where it is, CloudFormation has no say in it.
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-launchtemplate.html
        if changed(old, new, "LaunchTemplateData", "VersionDescription"):
            call(
                context,
                "ec2",
                "create_launch_template_version",
                LaunchTemplateId=physical_id,
                **pick(new, "LaunchTemplateData", "VersionDescription"),
            )

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_launch_template", LaunchTemplateId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        answer = call(context, "ec2", "describe_launch_templates", LaunchTemplateIds=[physical_id])
        template = answer["LaunchTemplates"][0]
        return {
            "LaunchTemplateId": physical_id,
            "LatestVersionNumber": str(template["LatestVersionNumber"]),
            "DefaultVersionNumber": str(template["DefaultVersionNumber"]),
        }


class FlowLog(Handler):
    TYPE = "AWS::EC2::FlowLog"
    SUPPORTED = ("ResourceType", "ResourceId", "TrafficType", "LogDestinationType", "LogDestination", "Tags")

    def create(self, context: Context, properties: Properties) -> str:
        settings = pick(properties, "ResourceType", "TrafficType", "LogDestinationType", "LogDestination")
        made = call(
            context,
            "ec2",
            "create_flow_logs",
            ResourceIds=[properties["ResourceId"]],
            TagSpecifications=tag_specifications(context, "vpc-flow-log", properties),
            **settings,
        )
        for failed in made.get("Unsuccessful") or []:
            raise ValueError(failed["Error"]["Message"])
        identifier: str = made["FlowLogIds"][0]
        return identifier

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ec2", "delete_flow_logs", FlowLogIds=[physical_id])
