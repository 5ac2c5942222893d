#!/usr/bin/python
"""Ask an AWS account what only it knows, before anything is made in it."""

DOCUMENTATION = r"""
module: aws_account_info
short_description: Everything about the account that has to be known before anything is made in it
description:
  - One call instead of a dozen, and it changes nothing. Each question is asked only where its option is given.
options:
  instance_type:
    description: EC2 instance type; which Availability Zones offer it is returned.
    type: str
  database_class:
    description: RDS instance class; which Availability Zones offer it is returned.
    type: str
  database_engine:
    description: Engine for O(database_class).
    type: str
    default: postgres
  database_engine_version:
    description: Version for O(database_class); a major version will do. Any by default.
    type: str
  ami_parameter:
    description: Name of a public SSM parameter that holds an AMI id.
    type: str
  ami_id:
    description: Id of an AMI to describe (a pinned one) besides the one of O(ami_parameter).
    type: str
  ami_stack:
    description: Name of one of O(stacks), whose parameter C(HostAmiId) is the AMI that hosts start from now.
    type: str
  database_stack:
    description: Name of one of O(stacks), whose output C(DatabaseInstanceId) is the database there is now.
    type: str
  quotas:
    description: Whether to ask what the account's quotas leave; a missing right to ask is no failure.
    type: bool
    default: false
  file_system_name:
    description: Value of the Name tag of EFS file systems to find.
    type: str
  buckets:
    description: Names of S3 buckets to look for.
    type: list
    elements: str
    default: []
  repositories:
    description: Names of ECR repositories to look for.
    type: list
    elements: str
    default: []
  secrets:
    description: Names of secrets to look for.
    type: list
    elements: str
    default: []
  stacks:
    description: Names of stacks whose parameters (pins, for example) and outputs are wanted.
    type: list
    elements: str
    default: []
extends_documentation_fragment: [amazon.aws.common.modules, amazon.aws.region.modules, amazon.aws.boto3]
author: Berth
"""

EXAMPLES = r"""
- name: Ask the account
  aws_account_info:
    instance_type: "{{ host_instance_type }}"
    database_class: "{{ database_class }}"
    ami_parameter: /aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id
    quotas: true
    file_system_name: "{{ site_name }}-{{ environment_name }}/{{ media_volume_name }}"
    stacks: ["{{ site_name }}-{{ environment_name }}-cluster"]
  register: preflight_account_info
"""

RETURN = r"""
account: {description: Id of the account., returned: always, type: str}
arn: {description: Who asks., returned: always, type: str}
region: {description: The region that was asked., returned: always, type: str}
partition: {description: "V(aws), V(aws-cn) or V(aws-us-gov).", returned: always, type: str}
availability_zones:
  description: Names of Availability Zones, sorted.
  returned: always
  type: dict
  contains:
    available: {description: Those that the account may use., type: list}
    instance_type: {description: Those of them that offer O(instance_type)., type: list}
    database_class: {description: Those of them that offer O(database_class)., type: list}
    suitable: {description: Those that offer all that was asked for., type: list}
database_versions:
  description: The versions of O(database_engine) with which O(database_class) is offered, oldest first.
  returned: always
  type: list
ami:
  description: The AMI that O(ami_parameter) holds now, C(id), C(name), C(creation_date), C(deprecation_time), C(found).
  returned: when asked
  type: dict
ami_pinned:
  description: The AMI O(ami_id), in the same form.
  returned: when asked
  type: dict
ami_live:
  description: The AMI that the hosts of O(ami_stack) start from, in the same form.
  returned: when asked and there
  type: dict
database:
  description: The database of O(database_stack), C(id) and C(allocated_storage) in GiB (with a growth under way).
  returned: always, empty if there is none
  type: dict
quotas:
  description:
    - Each quota's C(limit) and what is C(used) of it, by V(vpcs), V(elastic_ips) and V(vcpus) (running on-demand
      standard instances; also C(each), those of O(instance_type), and C(groups), by Auto Scaling Group).
    - A quota that could not be asked is missing here.
  returned: when asked
  type: dict
quotas_unasked:
  description: Why quotas could not be asked; empty if they could.
  returned: when asked
  type: str
file_systems:
  description: The EFS file systems of the name, C(id), C(arn), C(name), C(state), C(tags).
  returned: always
  type: list
buckets:
  description: Name to V(mine), V(taken) (by another account) or V(absent).
  returned: always
  type: dict
repositories:
  description: The names of those ECR repositories that exist.
  returned: always
  type: list
secrets:
  description: The names of those secrets that exist, also those about to be deleted.
  returned: always
  type: list
stacks:
  description: Stack name to its C(status), C(parameters) and C(outputs), for those that exist.
  returned: always
  type: dict
"""

import re
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

SPECIFICATION: dict[str, Any] = {
    "instance_type": {"type": "str"},
    "database_class": {"type": "str"},
    "database_engine": {"type": "str", "default": "postgres"},
    "database_engine_version": {"type": "str"},
    "ami_parameter": {"type": "str"},
    "ami_id": {"type": "str"},
    "ami_stack": {"type": "str"},
    "database_stack": {"type": "str"},
    "quotas": {"type": "bool", "default": False},
    "file_system_name": {"type": "str"},
    "buckets": {"type": "list", "elements": "str", "default": []},
    "repositories": {"type": "list", "elements": "str", "default": []},
    "secrets": {"type": "list", "elements": "str", "default": []},
    "stacks": {"type": "list", "elements": "str", "default": []},
}


QUOTAS = {"vpcs": ("vpc", "L-F678F1CE"), "elastic_ips": ("ec2", "L-0263D0A3"), "vcpus": ("ec2", "L-1216C47A")}
"""Service and code of each quota.

https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html,
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-quotas.html
"""
STANDARD = re.compile(r"(?!(inf|trn|dl|hpc|mac)\d)[acdhimrtz]")
"""Families (A, C, D, H, I, M, R, T, Z) that share the quota of standard instances; same page."""
HOME_REGIONS = {"cn-": "cn-north-1", "us-gov-": "us-gov-west-1", "eusc-": "eusc-de-east-1"}
"""A region of each partition that is always on."""


def region_problem(module: Any, region: str) -> str:
    """Why `region` cannot be used, as a sentence; empty if it can, or if nobody may ask.

    In a region that is not enabled each call fails with a credential error that says nothing of the region.
    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
    """
    home = next((to for prefix, to in HOME_REGIONS.items() if region.startswith(prefix)), "us-east-1")
    try:
        regions = module.client("ec2", region=home).describe_regions(AllRegions=True)["Regions"]
    except (BotoCoreError, ClientError):
        return ""  # whatever is wrong is said where it matters
    found = {each["RegionName"]: each.get("OptInStatus") for each in regions}
    if region not in found:
        return f"aws_region: {region} is no region of this account. Set one of {', '.join(sorted(found))}."
    if found[region] == "not-opted-in":
        return (
            f"aws_region: {region} is not enabled for this account. Enable it (it takes some minutes): "
            f"aws account enable-region --region-name {region}, or set another aws_region."
        )
    return ""


def availability_zones(
    ec2: Any, rds: Any, instance_type: str | None, database_class: str | None, engine: str, version: str | None
) -> tuple[dict[str, list[str]], list[str]]:
    """The zones that the account may use, and which of them offer what; the database versions that are offered."""
    found = ec2.describe_availability_zones(
        Filters=[{"Name": "state", "Values": ["available"]}, {"Name": "zone-type", "Values": ["availability-zone"]}]
    )
    available = sorted(zone["ZoneName"] for zone in found["AvailabilityZones"])
    zones, versions = {"available": available}, set[str]()
    if instance_type:
        pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
            LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [instance_type]}]
        )
        offered = {offer["Location"] for page in pages for offer in page["InstanceTypeOfferings"]}
        zones["instance_type"] = [zone for zone in available if zone in offered]
    if database_class:
        pages = rds.get_paginator("describe_orderable_db_instance_options").paginate(
            Engine=engine, DBInstanceClass=database_class, Vpc=True
        )
        options = [option for page in pages for option in page["OrderableDBInstanceOptions"]]
        versions = {option["EngineVersion"] for option in options}
        offered = {
            zone["Name"]
            for option in options
            if not version or f"{option['EngineVersion']}.".startswith(f"{version}.")
            for zone in option["AvailabilityZones"]
        }
        zones["database_class"] = [zone for zone in available if zone in offered]
    lists = list(zones.values())
    zones["suitable"] = [zone for zone in available if all(zone in each for each in lists)]
    return zones, sorted(versions, key=lambda text: [int(number) for number in re.findall(r"\d+", text)])


def database(rds: Any, identifier: str) -> dict[str, Any]:
    """A database's size, which may have grown by itself; empty if it is gone."""
    try:
        found = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
            return {}
        raise
    pending = found.get("PendingModifiedValues", {}).get("AllocatedStorage", 0)
    return {"id": identifier, "allocated_storage": max(found["AllocatedStorage"], pending)}


def quota(quotas: Any, service: str, code: str) -> float:
    """The account's own value of a quota, or AWS's where nobody ever asked for another."""
    asked = {"ServiceCode": service, "QuotaCode": code}
    try:
        return float(quotas.get_service_quota(**asked)["Quota"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchResourceException":
            raise
    return float(quotas.get_aws_default_service_quota(**asked)["Quota"]["Value"])


def vcpus(ec2: Any, instance_type: str | None) -> dict[str, Any]:
    """The vCPUs of the account's running standard on-demand instances, of each Auto Scaling Group, and of a type."""
    running: list[tuple[str, str]] = []
    wanted = {"Name": "instance-state-name", "Values": ["pending", "running"]}
    for page in ec2.get_paginator("describe_instances").paginate(Filters=[wanted]):
        for instance in (each for reservation in page["Reservations"] for each in reservation["Instances"]):
            if not instance.get("InstanceLifecycle"):  # else it is a spot instance, which has a quota of its own
                tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
                running.append((instance["InstanceType"], tags.get("aws:autoscaling:groupName", "")))
    types = sorted({kind for kind in (*(kind for kind, _ in running), instance_type) if kind and STANDARD.match(kind)})
    sizes = {
        each["InstanceType"]: each["VCpuInfo"]["DefaultVCpus"]
        for start in range(0, len(types), 100)
        for each in ec2.describe_instance_types(InstanceTypes=types[start : start + 100])["InstanceTypes"]
    }
    groups = dict[str, int]()
    for kind, group in running:
        if group:
            groups[group] = groups.get(group, 0) + sizes.get(kind, 0)
    used = sum(sizes.get(kind, 0) for kind, _ in running)
    return {"used": used, "groups": groups, "each": sizes.get(instance_type or "", 0)}


def quota_use(client: Any, instance_type: str | None) -> tuple[dict[str, dict[str, Any]], str]:
    """Limit and use of each quota that could be asked, and why others could not."""
    found: dict[str, dict[str, Any]] = {}
    try:
        quotas, ec2 = client("service-quotas"), client("ec2")
        for name, (service, code) in QUOTAS.items():
            found[name] = {"limit": int(quota(quotas, service, code))}
        vpcs = ec2.get_paginator("describe_vpcs").paginate()
        found["vpcs"]["used"] = sum(len(page["Vpcs"]) for page in vpcs)
        found["elastic_ips"]["used"] = len(ec2.describe_addresses()["Addresses"])
        found["vcpus"] |= vcpus(ec2, instance_type)
    except (BotoCoreError, ClientError) as error:
        return {name: facts for name, facts in found.items() if "used" in facts}, str(error)
    return found, ""


def ami(ec2: Any, image: str) -> dict[str, Any]:
    """Name and age of an AMI; `found` is False where it does not exist (any more)."""
    try:
        images = ec2.describe_images(ImageIds=[image], IncludeDeprecated=True)["Images"]
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("InvalidAMIID"):
            raise
        images = []
    described = images[0] if images else {}
    return {
        "id": image,
        "found": bool(images),
        "name": described.get("Name", ""),
        "creation_date": described.get("CreationDate", ""),
        "deprecation_time": described.get("DeprecationTime", ""),
    }


def file_systems(efs: Any, name: str) -> list[dict[str, Any]]:
    """The file systems whose Name tag is `name`: what rexray would choose from."""
    pages = efs.get_paginator("describe_file_systems").paginate()
    return [
        {
            "id": system["FileSystemId"],
            "arn": system.get("FileSystemArn", ""),
            "name": name,
            "state": system["LifeCycleState"],
            "tags": {tag["Key"]: tag["Value"] for tag in system.get("Tags", [])},
        }
        for page in pages
        for system in page["FileSystems"]
        if {"Key": "Name", "Value": name} in system.get("Tags", [])
    ]


def bucket(s3: Any, name: str) -> str:
    """`mine`, `taken` or `absent`: bucket names are shared by all accounts."""
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        status = str(error.response["Error"]["Code"])
        if status in ("404", "NoSuchBucket", "NotFound"):
            return "absent"
        if status in ("403", "AccessDenied", "Forbidden"):
            return "taken"
        raise
    return "mine"


def repository_exists(ecr: Any, name: str) -> bool:
    """Whether there is an ECR repository of that name."""
    try:
        ecr.describe_repositories(repositoryNames=[name])
    except ClientError as error:
        if error.response["Error"]["Code"] == "RepositoryNotFoundException":
            return False
        raise
    return True


def secret_exists(secrets: Any, name: str) -> bool:
    """Whether there is a secret of that name, also one that is scheduled for deletion: its name is taken."""
    try:
        secrets.describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True


def stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """Status, parameters and outputs of a stack, or None."""
    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return {
        "status": found["StackStatus"],
        "parameters": {
            each["ParameterKey"]: each.get("ResolvedValue") or each.get("ParameterValue", "")
            for each in found.get("Parameters", [])
        },
        "outputs": {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
    }


def gather(module: Any) -> dict[str, Any]:
    """All that was asked for.

    Raises:
        ValueError: the region cannot be used; the message says why.
    """
    wanted, client = module.params, module.client
    ec2 = client("ec2")
    if problem := region_problem(module, ec2.meta.region_name):
        raise ValueError(problem)
    caller = client("sts").get_caller_identity()
    zones, versions = availability_zones(
        ec2,
        client("rds"),
        wanted["instance_type"],
        wanted["database_class"],
        wanted["database_engine"],
        wanted["database_engine_version"],
    )
    facts: dict[str, Any] = {
        "account": caller["Account"],
        "arn": caller["Arn"],
        "partition": caller["Arn"].split(":")[1],
        "region": ec2.meta.region_name,
        "availability_zones": zones,
        "database_versions": versions,
        "file_systems": file_systems(client("efs"), wanted["file_system_name"]) if wanted["file_system_name"] else [],
        "buckets": {name: bucket(client("s3"), name) for name in wanted["buckets"]},
        "repositories": [name for name in wanted["repositories"] if repository_exists(client("ecr"), name)],
        "secrets": [name for name in wanted["secrets"] if secret_exists(client("secretsmanager"), name)],
    }
    if wanted["ami_parameter"]:
        parameter = client("ssm").get_parameter(Name=wanted["ami_parameter"])["Parameter"]
        facts["ami"] = ami(ec2, parameter["Value"])
    if wanted["ami_id"]:
        facts["ami_pinned"] = ami(ec2, wanted["ami_id"])
    found = {name: stack(client("cloudformation"), name) for name in wanted["stacks"]}
    stacks = {name: facts_of for name, facts_of in found.items() if facts_of}
    identifier = stacks.get(wanted["database_stack"], {}).get("outputs", {}).get("DatabaseInstanceId")
    image = stacks.get(wanted["ami_stack"], {}).get("parameters", {}).get("HostAmiId")
    facts |= {"stacks": stacks, "database": database(client("rds"), identifier) if identifier else {}}
    if image:
        facts["ami_live"] = ami(ec2, image)
    if wanted["quotas"]:
        facts["quotas"], facts["quotas_unasked"] = quota_use(client, wanted["instance_type"])
    return facts


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(argument_spec=SPECIFICATION, supports_check_mode=True)
    try:
        facts = gather(module)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The account cannot be asked")
    except ValueError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **facts)


if __name__ == "__main__":
    main()
