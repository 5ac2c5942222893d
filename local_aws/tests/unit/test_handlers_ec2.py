"""Networks, security groups and launch templates through CloudFormation: create, change in place, leave nothing."""

from __future__ import annotations

import base64

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks

NETWORK = """
Parameters:
  Nat: {Type: String, Default: "no"}
  Public: {Type: String, Default: "true"}
Conditions: {HasNat: !Equals [!Ref Nat, "yes"]}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17, EnableDnsHostnames: true}}
  SubnetA:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: 10.79.0.0/24
      AvailabilityZone: us-east-1a
      MapPublicIpOnLaunch: !Ref Public
      Tags: [{Key: Name, Value: a}]
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Route:
    Type: AWS::EC2::Route
    DependsOn: Attachment
    Properties:
      RouteTableId: !Ref Table
      DestinationCidrBlock: 0.0.0.0/0
      GatewayId: !If [HasNat, !Ref AWS::NoValue, !Ref Gateway]
      NatGatewayId: !If [HasNat, !Ref Nats, !Ref AWS::NoValue]
  OfA: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref SubnetA, RouteTableId: !Ref Table}}
  Address: {Type: AWS::EC2::EIP, Condition: HasNat, DependsOn: Attachment, Properties: {Domain: vpc}}
  Nats:
    Type: AWS::EC2::NatGateway
    Condition: HasNat
    Properties: {AllocationId: !GetAtt Address.AllocationId, SubnetId: !Ref SubnetA}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      ServiceName: !Sub com.amazonaws.${AWS::Region}.s3
      VpcEndpointType: Gateway
      RouteTableIds: [!Ref Table]
Outputs:
  Zone: {Value: !GetAtt SubnetA.AvailabilityZone}
  DefaultGroup: {Value: !GetAtt Vpc.DefaultSecurityGroup}
"""


def test_a_network_is_what_its_template_says(aws: Cloud, stacks: Stacks) -> None:
    ec2 = aws.client("ec2")
    stacks.made("net", NETWORK, Tags=[{"Key": "Site", "Value": "shop"}])

    ids = stacks.physical("net")
    names = ec2.describe_vpc_attribute(VpcId=ids["Vpc"], Attribute="enableDnsHostnames")
    assert names["EnableDnsHostnames"]["Value"] is True
    subnet = ec2.describe_subnets(SubnetIds=[ids["SubnetA"]])["Subnets"][0]
    assert subnet["MapPublicIpOnLaunch"] is True
    assert {"Key": "Name", "Value": "a"} in subnet["Tags"]
    assert {"Key": "Site", "Value": "shop"} in subnet["Tags"]
    routes = ec2.describe_route_tables(RouteTableIds=[ids["Table"]])["RouteTables"][0]["Routes"]
    assert ids["Gateway"] in [route.get("GatewayId") for route in routes]
    assert ids["Route"] == f"{ids['Table']}|0.0.0.0/0"
    endpoint = ec2.describe_vpc_endpoints(VpcEndpointIds=[ids["Endpoint"]])["VpcEndpoints"][0]
    assert endpoint["RouteTableIds"] == [ids["Table"]]
    assert stacks.outputs("net")["Zone"] == "us-east-1a"
    assert stacks.outputs("net")["DefaultGroup"].startswith("sg-")


def test_a_nat_gateway_comes_and_goes_without_new_subnets(aws: Cloud, stacks: Stacks) -> None:
    ec2 = aws.client("ec2")
    stacks.made("net", NETWORK)
    before = stacks.physical("net")

    stacks.changed("net", parameters={"Nat": "yes", "Public": "false"})

    ids = stacks.physical("net")
    assert (ids["SubnetA"], ids["Table"]) == (before["SubnetA"], before["Table"])
    assert ec2.describe_subnets(SubnetIds=[ids["SubnetA"]])["Subnets"][0]["MapPublicIpOnLaunch"] is False
    routes = ec2.describe_route_tables(RouteTableIds=[ids["Table"]])["RouteTables"][0]["Routes"]
    assert ids["Nats"] in [route.get("NatGatewayId") for route in routes]
    assert ec2.describe_addresses(PublicIps=[ids["Address"]])["Addresses"]

    stacks.changed("net", parameters={"Nat": "no"})

    assert ec2.describe_nat_gateways(NatGatewayIds=[ids["Nats"]])["NatGateways"][0]["State"] == "deleted"
    assert ec2.describe_addresses()["Addresses"] == []


def test_deleting_a_network_leaves_nothing(aws: Cloud, stacks: Stacks) -> None:
    ec2 = aws.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"]), len(ec2.describe_subnets()["Subnets"])
    stacks.made("net", NETWORK, {"Nat": "yes"})

    assert stacks.delete("net")["StackStatus"] == "DELETE_COMPLETE"

    assert (len(ec2.describe_vpcs()["Vpcs"]), len(ec2.describe_subnets()["Subnets"])) == before
    assert ec2.describe_internet_gateways()["InternetGateways"] == []
    assert ec2.describe_addresses()["Addresses"] == []
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert [one for one in ec2.describe_vpc_endpoints()["VpcEndpoints"] if one["State"] != "deleted"] == []


def test_a_deleted_tag_goes_from_the_resource(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("net", NETWORK)

    stacks.changed("net", NETWORK.replace("Tags: [{Key: Name, Value: a}]", "Tags: [{Key: Role, Value: web}]"))

    subnet = aws.client("ec2").describe_subnets(SubnetIds=[stacks.physical("net")["SubnetA"]])["Subnets"][0]
    assert subnet["Tags"] == [{"Key": "Role", "Value": "web"}]


GROUPS = """
Parameters: {PrefixList: {Type: String}, Port: {Type: Number, Default: 443}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  Alb:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: load balancer
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: !Ref Port, ToPort: !Ref Port, CidrIp: 0.0.0.0/0}]
      SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 1, ToPort: 2, CidrIpv6: "::/0"}]
  AlbInCdn:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      {GroupId: !Ref Alb, IpProtocol: tcp, FromPort: 443, ToPort: 443, SourcePrefixListId: !Ref PrefixList}
  Host: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: hosts, VpcId: !Ref Vpc}}
  HostInAlb:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      {GroupId: !Ref Host, IpProtocol: tcp, FromPort: "32768", ToPort: "60999", SourceSecurityGroupId: !Ref Alb}
  AlbOutHost:
    Type: AWS::EC2::SecurityGroupEgress
    Properties:
      {GroupId: !Ref Alb, IpProtocol: tcp, FromPort: 32768, ToPort: 60999, DestinationSecurityGroupId: !Ref Host}
"""


@pytest.fixture
def prefix_list(aws: Cloud) -> str:
    """The addresses of CloudFront's edge."""
    name = {"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}
    found = aws.client("ec2").describe_managed_prefix_lists(Filters=[name])["PrefixLists"]
    return str(found[0]["PrefixListId"])


def test_rules_of_every_kind_stand_in_their_groups(aws: Cloud, stacks: Stacks, prefix_list: str) -> None:
    stacks.made("groups", GROUPS, {"PrefixList": prefix_list})

    ids = stacks.physical("groups")
    groups = aws.client("ec2").describe_security_groups(GroupIds=[ids["Alb"], ids["Host"]])["SecurityGroups"]
    alb, host = sorted(groups, key=lambda group: str(group["Description"]), reverse=True)
    inward = alb["IpPermissions"][0]
    assert [item["CidrIp"] for item in inward["IpRanges"]] == ["0.0.0.0/0"]
    assert [item["PrefixListId"] for item in inward["PrefixListIds"]] == [prefix_list]
    outward = {rule["FromPort"]: rule for rule in alb["IpPermissionsEgress"]}
    assert set(outward) == {1, 32768}, "rules of the template take the place of the one that lets everything out"
    assert outward[1]["Ipv6Ranges"] == [{"CidrIpv6": "::/0"}]
    assert outward[32768]["UserIdGroupPairs"][0]["GroupId"] == ids["Host"]
    assert host["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == ids["Alb"]
    assert host["IpPermissionsEgress"][0]["IpProtocol"] == "-1"


def test_a_changed_inline_rule_keeps_its_group(aws: Cloud, stacks: Stacks, prefix_list: str) -> None:
    stacks.made("groups", GROUPS, {"PrefixList": prefix_list})
    before = stacks.physical("groups")["Alb"]

    stacks.changed("groups", parameters={"PrefixList": None, "Port": 8443})

    group = aws.client("ec2").describe_security_groups(GroupIds=[before])["SecurityGroups"][0]
    assert {rule["FromPort"] for rule in group["IpPermissions"] if rule["IpRanges"]} == {8443}
    assert stacks.delete("groups")["StackStatus"] == "DELETE_COMPLETE", "two groups that name each other"


TEMPLATE = """
Parameters: {Text: {Type: String}}
Resources:
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      TagSpecifications: [{ResourceType: launch-template, Tags: [{Key: Name, Value: hosts}]}]
      LaunchTemplateData:
        ImageId: ami-0123456789abcdef0
        InstanceType: t3.micro
        MetadataOptions: {HttpTokens: required, HttpPutResponseHopLimit: "1"}
        TagSpecifications: [{ResourceType: instance, Tags: [{Key: Role, Value: web}]}]
        UserData: {Fn::Base64: !Ref Text}
Outputs:
  Latest: {Value: !GetAtt Template.LatestVersionNumber}
  Default: {Value: !GetAtt Template.DefaultVersionNumber}
"""


def test_a_changed_launch_template_gets_a_version(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("template", TEMPLATE, {"Text": "#cloud-config"})
    identifier = stacks.physical("template")["Template"]

    stacks.changed("template", parameters={"Text": "#cloud-config\n# again"})

    assert stacks.physical("template")["Template"] == identifier
    assert stacks.outputs("template") == {"Latest": "2", "Default": "1"}
    versions = aws.client("ec2").describe_launch_template_versions(LaunchTemplateId=identifier)
    data = {item["VersionNumber"]: item["LaunchTemplateData"] for item in versions["LaunchTemplateVersions"]}
    assert base64.b64decode(data[2]["UserData"]) == b"#cloud-config\n# again"
    assert data[2]["MetadataOptions"]["HttpTokens"] == "required"
    assert [item["ResourceType"] for item in data[1]["TagSpecifications"]] == ["instance"]


def test_a_failed_resource_tells_the_service_s_own_reason(stacks: Stacks) -> None:
    body = "Resources: {Subnet: {Type: AWS::EC2::Subnet, Properties: {CidrBlock: 10.79.0.0/24, VpcId: vpc-gone}}}"

    assert stacks.create("failing", body)["StackStatus"] == "ROLLBACK_COMPLETE"

    reasons = [reason for logical, status, reason in stacks.events("failing") if status == "CREATE_FAILED"]
    assert "vpc-gone" in reasons[0]


def test_a_flow_log_is_made_tagged_anew_and_deleted(aws: Cloud, stacks: Stacks) -> None:
    body = """
Parameters: {Tag: {Type: String, Default: one}}
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  Log:
    Type: AWS::EC2::FlowLog
    Properties:
      ResourceType: VPC
      ResourceId: !Ref Vpc
      TrafficType: ALL
      LogDestinationType: s3
      LogDestination: !Sub "${Bucket.Arn}/network"
      Tags: [{Key: Name, Value: !Ref Tag}]
"""
    made = stacks.made("logs", body)
    ec2 = aws.client("ec2")
    (log,) = ec2.describe_flow_logs()["FlowLogs"]
    assert (log["FlowLogId"], log["ResourceId"], log["LogDestinationType"]) == (made["Log"], made["Vpc"], "s3")
    assert log["LogDestination"] == f"arn:aws:s3:::{made['Bucket']}/network"
    assert stacks.changed("logs", body, {"Tag": "two"})["Log"] == made["Log"]
    (log,) = ec2.describe_flow_logs()["FlowLogs"]
    assert {"Key": "Name", "Value": "two"} in log["Tags"]
    stacks.delete("logs")
    assert ec2.describe_flow_logs()["FlowLogs"] == []


def test_a_flow_log_into_a_bucket_that_is_not_there_is_refused(stacks: Stacks) -> None:
    body = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  Log:
    Type: AWS::EC2::FlowLog
    Properties:
      ResourceType: VPC
      ResourceId: !Ref Vpc
      TrafficType: ALL
      LogDestinationType: s3
      LogDestination: arn:aws:s3:::nobody/network
"""
    stacks.create("logs", body)
    reasons = [reason for name, status, reason in stacks.events("logs") if (name, status[-6:]) == ("Log", "FAILED")]
    assert "nobody does not exist" in reasons[0]
