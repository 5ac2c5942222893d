#!/usr/bin/python
"""Find everything that belongs to a site's environment in an account: the plan of a teardown, and its proof."""

DOCUMENTATION = r"""
module: leftovers
short_description: List everything in the account that belongs to an environment of a site
description:
  - Asks each service, as the tagging API does not know all of them, and forgets or keeps resources for a while.
  - A thing belongs to the environment if it bears all of O(tags). One that bears another value of one of them is
    somebody else's whatever its name. Of what bears none the name tells; it is O(prefix), or goes on with a slash, or
    with a hyphen and one of O(nouns). So C(legacy-prod) finds neither C(legacy-production) nor, as site names have
    hyphens, anything of the site C(legacy-prod) in its environment C(live).
options:
  prefix:
    description: Begin of the names, C(<site_name>-<environment_name>).
    type: str
    required: true
  tags:
    description: Tags that a thing of the environment bears.
    type: dict
    required: true
  nouns:
    description: What stacks are of, C(<prefix>-<noun>) or C(<prefix>-<noun>-<entry>); an underscore counts as a hyphen.
    type: list
    elements: str
    required: true
  vpc_id:
    description: VPC in which the environment stands and that is somebody else's, with its subnets, routes and gateways.
    type: str
extends_documentation_fragment: [amazon.aws.common.modules, amazon.aws.region.modules, amazon.aws.boto3]
author: Berth
"""

EXAMPLES = r"""
- name: Look for what is left
  leftovers:
    prefix: "{{ site_name }}-{{ environment_name }}"
    tags: {Site: "{{ site_name }}", Environment: "{{ environment_name }}"}
    nouns: [network, volume, service]
  register: teardown_left
"""

RETURN = r"""
found:
  description: What there is, sorted by type and id. C(deleting) is true where it is on its way out.
  returned: always
  type: list
  sample: [{type: "AWS::EFS::FileSystem", id: fs-0a1b, name: legacy-prod/media, state: available, deleting: false}]
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

SPECIFICATION: dict[str, Any] = {
    "prefix": {"type": "str", "required": True},
    "tags": {"type": "dict", "required": True},
    "nouns": {"type": "list", "elements": "str", "required": True},
    "vpc_id": {"type": "str"},
}

DELETING = frozenset({"deleting", "shutting-down", "draining", "delete in progress", "inactive"})


class Owner:
    """Tells what belongs to the environment.

    Args:
        prefix: begin of names.
        tags: tags that are borne.
        nouns: what stacks are of.
        vpc: id of a VPC that it uses and does not own; empty if there is none.
    """

    def __init__(self, prefix: str, tags: dict[str, str], nouns: Iterable[str], vpc: str = "") -> None:
        self.prefix, self.given_vpc, self._tags = prefix, vpc, {str(key): str(value) for key, value in tags.items()}
        words = "|".join(re.escape(noun.replace("_", "-")) for noun in nouns)
        self._name = re.compile(rf"{re.escape(prefix)}(?:/.*|-(?:{words})(?:[-/].*)?)?", re.DOTALL)

    def owns(self, name: str = "", tags: Any = None) -> bool:
        """Whether a thing of that name, with these tags (in any of AWS's three notations), belongs to it."""
        borne = plain(tags)
        found = [borne[key] == value for key, value in self._tags.items() if key in borne]
        if not all(found):
            return False
        return (bool(found) and len(found) == len(self._tags)) or bool(self._name.fullmatch(name))

    def owns_group(self, name: str) -> bool:
        """Whether a log group belongs to it: they are called `/<site>/<environment>/…`, the values of the tags."""
        return self.owns(name) or (bool(self._tags) and name.startswith("/".join(("", *self._tags.values(), ""))))


def plain(tags: Any) -> dict[str, str]:
    """Tags as a dict, whether AWS gave a dict, `Key`/`Value` or `key`/`value`."""
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    return {tag.get("Key", tag.get("key", "")): tag.get("Value", tag.get("value", "")) for tag in tags or []}


Row = tuple[str, str, str, str]
"""Type, id, name, state."""


def pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    """All items of a call that answers in pages, also of those for which botocore has no paginator."""
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**arguments):
            yield from page.get(key) or []
        return
    page = getattr(client, operation)(**arguments)
    yield from page[key]
    while page.get("nextToken"):
        page = getattr(client, operation)(**arguments, nextToken=page["nextToken"])
        yield from page[key]


def cloudformation(client: Callable[[str], Any], owner: Owner) -> Iterator[Row]:
    """Stacks."""
    for stack in pages(client("cloudformation"), "describe_stacks", "Stacks"):
        if stack["StackStatus"] != "DELETE_COMPLETE" and owner.owns(stack["StackName"], stack.get("Tags")):
            state = "deleting" if stack["StackStatus"] == "DELETE_IN_PROGRESS" else stack["StackStatus"]
            yield "AWS::CloudFormation::Stack", stack["StackName"], stack["StackName"], state


EC2 = (
    ("AWS::EC2::VPC", "describe_vpcs", "Vpcs", "VpcId"),
    ("AWS::EC2::Subnet", "describe_subnets", "Subnets", "SubnetId"),
    ("AWS::EC2::InternetGateway", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("AWS::EC2::NatGateway", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("AWS::EC2::RouteTable", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("AWS::EC2::VPCEndpoint", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("AWS::EC2::SecurityGroup", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("AWS::EC2::NetworkInterface", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("AWS::EC2::Volume", "describe_volumes", "Volumes", "VolumeId"),
    ("AWS::EC2::LaunchTemplate", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
)


OF_A_VPC = {kind for kind, *_ in EC2[:6]}
"""What comes with a VPC that is given: Berth makes none of it there, whatever tags its owner has put on it."""


def ec2(client: Callable[[str], Any], owner: Owner) -> Iterator[Row]:
    """Instances, networks and volumes; what lies in a VPC of the environment belongs to it too."""
    api = client("ec2")
    for reservation in pages(api, "describe_instances", "Reservations"):
        for instance in reservation["Instances"]:
            state = instance["State"]["Name"]
            if state != "terminated" and owner.owns("", instance.get("Tags")):
                yield "AWS::EC2::Instance", instance["InstanceId"], plain(instance.get("Tags")).get("Name", ""), state
    vpcs = {vpc["VpcId"] for vpc in pages(api, "describe_vpcs", "Vpcs") if owner.owns("", vpc.get("Tags"))}
    vpcs.discard(owner.given_vpc)
    for kind, operation, key, identifier in EC2:
        for item in pages(api, operation, key):
            state = str(item.get("State") or item.get("Status") or "available")
            name = item.get("LaunchTemplateName") or plain(item.get("Tags")).get("Name", "")
            if state.lower() in ("deleted", "terminated") or (kind in OF_A_VPC and owner.given_vpc in _vpcs_of(item)):
                continue
            own = owner.owns(str(item.get("LaunchTemplateName", "")), item.get("Tags"))
            if own or (item.get("VpcId") in vpcs and not _comes_with_vpc(kind, item)):
                yield kind, item[identifier], name, state
    for address in api.describe_addresses()["Addresses"]:
        if owner.owns("", address.get("Tags")):
            yield "AWS::EC2::EIP", address.get("AllocationId", address.get("PublicIp", "")), "", "available"


def _vpcs_of(item: dict[str, Any]) -> list[str]:
    """The VPC that a part of a network lies in; an internet gateway is attached to one."""
    return [str(each["VpcId"]) for each in (item, *item.get("Attachments", [])) if each.get("VpcId")]


def _comes_with_vpc(kind: str, item: dict[str, Any]) -> bool:
    """Whether AWS made it with the VPC and deletes it with it."""
    if kind == "AWS::EC2::SecurityGroup":
        return bool(item.get("GroupName") == "default")
    if kind == "AWS::EC2::RouteTable":
        return any(association.get("Main") for association in item.get("Associations", []))
    return False


def compute(client: Callable[[str], Any], owner: Owner) -> Iterator[Row]:
    """Auto Scaling groups, launch configurations, ECS."""
    autoscaling, ecs = client("autoscaling"), client("ecs")
    for group in pages(autoscaling, "describe_auto_scaling_groups", "AutoScalingGroups"):
        name = group["AutoScalingGroupName"]
        if owner.owns(name, group.get("Tags")):
            yield "AWS::AutoScaling::AutoScalingGroup", name, name, str(group.get("Status") or "available")
    for launch in pages(autoscaling, "describe_launch_configurations", "LaunchConfigurations"):
        name = launch["LaunchConfigurationName"]
        if owner.owns(name):
            yield "AWS::AutoScaling::LaunchConfiguration", name, name, "available"
    for arn in pages(ecs, "list_clusters", "clusterArns"):
        name = arn.rsplit("/", 1)[-1]
        if not owner.owns(name):
            continue
        for cluster in ecs.describe_clusters(clusters=[arn])["clusters"]:
            if cluster["status"] != "INACTIVE":
                yield "AWS::ECS::Cluster", name, name, cluster["status"]
        for service in pages(ecs, "list_services", "serviceArns", cluster=arn):
            yield "AWS::ECS::Service", service, service.rsplit("/", 1)[-1], "ACTIVE"
        for task in pages(ecs, "list_tasks", "taskArns", cluster=arn):
            yield "AWS::ECS::Task", task, "", "RUNNING"
    for family in pages(ecs, "list_task_definition_families", "families", status="ACTIVE"):
        if owner.owns(family):
            revisions = pages(ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family, status="ACTIVE")
            for revision in revisions:
                name = revision.rsplit("/", 1)[-1]
                if name.rsplit(":", 1)[0] == family:
                    yield "AWS::ECS::TaskDefinition", revision, name, "ACTIVE"
    for provider in pages(ecs, "describe_capacity_providers", "capacityProviders"):
        name = provider["name"]
        if provider.get("status") != "INACTIVE" and owner.owns(name, provider.get("tags")):
            yield "AWS::ECS::CapacityProvider", name, name, str(provider.get("status"))


def balancing(client: Callable[[str], Any], owner: Owner) -> Iterator[Row]:
    """Load balancers and target groups."""
    api = client("elbv2")
    for kind, operation, key, word in (
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "describe_load_balancers", "LoadBalancers", "LoadBalancer"),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "describe_target_groups", "TargetGroups", "TargetGroup"),
    ):
        items = list(pages(api, operation, key))
        for start in range(0, len(items), 20):  # DescribeTags takes at most 20
            arns = [item[f"{word}Arn"] for item in items[start : start + 20]]
            tags = {
                each["ResourceArn"]: each["Tags"] for each in api.describe_tags(ResourceArns=arns)["TagDescriptions"]
            }
            for item in items[start : start + 20]:
                arn, name = item[f"{word}Arn"], item[f"{word}Name"]
                if owner.owns(name, tags.get(arn)):
                    yield kind, arn, name, item.get("State", {}).get("Code", "active")


def data(client: Callable[[str], Any], owner: Owner) -> Iterator[Row]:
    """Databases with snapshots, file systems, vaults with copies of them, buckets, tables, repositories, secrets."""
    rds = client("rds")
    for instance in pages(rds, "describe_db_instances", "DBInstances"):
        name = instance["DBInstanceIdentifier"]
        if owner.owns(name, instance.get("TagList")):
            yield "AWS::RDS::DBInstance", name, name, instance["DBInstanceStatus"]
    for snapshot in pages(rds, "describe_db_snapshots", "DBSnapshots"):
        name = snapshot["DBSnapshotIdentifier"]
        of = owner.owns(snapshot["DBInstanceIdentifier"])
        # AWS Backup's go with the vault that has them, and RDS deletes none.
        if snapshot.get("SnapshotType") not in ("automated", "awsbackup") and (
            of or owner.owns(name, snapshot.get("TagList"))
        ):
            yield "AWS::RDS::DBSnapshot", name, name, str(snapshot.get("Status"))
    for group in pages(rds, "describe_db_subnet_groups", "DBSubnetGroups"):
        if owner.owns(group["DBSubnetGroupName"]):
            yield "AWS::RDS::DBSubnetGroup", group["DBSubnetGroupName"], group["DBSubnetGroupName"], "available"
    for system in pages(client("efs"), "describe_file_systems", "FileSystems"):
        name = system.get("Name") or plain(system.get("Tags")).get("Name", "")
        if owner.owns(name, system.get("Tags")):
            yield "AWS::EFS::FileSystem", system["FileSystemId"], name, system["LifeCycleState"]
    for vault in pages(client("backup"), "list_backup_vaults", "BackupVaultList"):
        if owner.owns(vault["BackupVaultName"]):
            yield "AWS::Backup::BackupVault", vault["BackupVaultName"], vault["BackupVaultName"], "available"
    s3 = client("s3")
    for bucket in pages(s3, "list_buckets", "Buckets"):
        if owner.owns(bucket["Name"], bucket_tags(s3, bucket["Name"])):
            yield "AWS::S3::Bucket", bucket["Name"], bucket["Name"], "available"
    yield from tables(client("dynamodb"), owner)
    for repository in pages(client("ecr"), "describe_repositories", "repositories"):
        name = repository["repositoryName"]
        if owner.owns(name):
            yield "AWS::ECR::Repository", name, name, "available"
    for secret in pages(client("secretsmanager"), "list_secrets", "SecretList", IncludePlannedDeletion=True):
        if owner.owns(secret["Name"], secret.get("Tags")):
            state = "deleting" if secret.get("DeletedDate") else "available"
            yield "AWS::SecretsManager::Secret", secret["ARN"], secret["Name"], state


def tables(dynamodb: Any, owner: Owner) -> Iterator[Row]:
    """Tables of DynamoDB, whose list has nothing but names."""
    for name in pages(dynamodb, "list_tables", "TableNames"):
        try:
            found = dynamodb.describe_table(TableName=name)["Table"]
            tags = list(pages(dynamodb, "list_tags_of_resource", "Tags", ResourceArn=found["TableArn"]))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":  # it has just gone
                raise
            continue
        if owner.owns(name, tags):
            yield "AWS::DynamoDB::Table", name, name, found["TableStatus"]


def bucket_tags(s3: Any, name: str) -> list[dict[str, str]]:
    """Tags of a bucket; none where there are none, it is somebody else's, or it has just gone."""
    try:
        return list(s3.get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchTagSet", "AccessDenied", "NoSuchBucket", "PermanentRedirect"):
            return []
        raise


def jobs(client: Callable[[str], Any], owner: Owner) -> Iterator[Row]:
    """Schedules and the queues of runs that could not be started, which are named after their stacks."""
    for schedule in pages(client("scheduler"), "list_schedules", "Schedules"):
        if owner.owns(schedule["Name"]):
            yield "AWS::Scheduler::Schedule", schedule["Name"], schedule["Name"], "available"
    for url in pages(client("sqs"), "list_queues", "QueueUrls"):
        name = url.rsplit("/", 1)[-1]
        if owner.owns(name):
            yield "AWS::SQS::Queue", url, name, "available"


def functions(client: Callable[[str], Any], owner: Owner) -> Iterator[Row]:
    """Functions of Lambda, named after their stacks, and the HTTP APIs before them."""
    for function in pages(client("lambda"), "list_functions", "Functions"):
        if owner.owns(function["FunctionName"]):
            yield "AWS::Lambda::Function", function["FunctionName"], function["FunctionName"], "available"
    for api in pages(client("apigatewayv2"), "get_apis", "Items"):
        if owner.owns(api["Name"], api.get("Tags")):
            yield "AWS::ApiGatewayV2::Api", api["ApiId"], api["Name"], "available"


def other(client: Callable[[str], Any], owner: Owner) -> Iterator[Row]:
    """Log groups, the private zone, roles, certificates."""
    for zone in pages(client("route53"), "list_hosted_zones", "HostedZones"):
        if zone["Name"] == f"{owner.prefix}.internal.":
            yield "AWS::Route53::HostedZone", zone["Id"].rsplit("/", 1)[-1], zone["Name"], "available"
    for group in pages(client("logs"), "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        if owner.owns_group(name):
            yield "AWS::Logs::LogGroup", name, name, "available"
    iam = client("iam")
    for role in pages(iam, "list_roles", "Roles"):
        if owner.owns(role["RoleName"]):
            yield "AWS::IAM::Role", role["RoleName"], role["RoleName"], "available"
    for profile in pages(iam, "list_instance_profiles", "InstanceProfiles"):
        name = profile["InstanceProfileName"]
        if owner.owns(name):
            yield "AWS::IAM::InstanceProfile", name, name, "available"
    acm = client("acm")
    for certificate in pages(acm, "list_certificates", "CertificateSummaryList"):
        arn = certificate["CertificateArn"]
        if owner.owns("", acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]):
            yield "AWS::CertificateManager::Certificate", arn, certificate["DomainName"], "available"


SOURCES: tuple[Callable[[Callable[[str], Any], Owner], Iterator[Row]], ...] = (
    cloudformation,
    ec2,
    compute,
    balancing,
    data,
    jobs,
    functions,
    other,
)


def find(client: Callable[[str], Any], owner: Owner) -> list[dict[str, Any]]:
    """Everything that belongs to `owner`, sorted."""
    rows = sorted({row for source in SOURCES for row in source(client, owner)})
    return [
        {"type": kind, "id": identifier, "name": name, "state": state, "deleting": state.lower() in DELETING}
        for kind, identifier, name, state in rows
    ]


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(argument_spec=SPECIFICATION, supports_check_mode=True)
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = module.client(service)
        return clients[service]

    try:
        given = module.params
        found = find(client, Owner(given["prefix"], given["tags"], given["nouns"], given["vpc_id"] or ""))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The account cannot be searched")
    module.exit_json(changed=False, found=found)


if __name__ == "__main__":
    main()
