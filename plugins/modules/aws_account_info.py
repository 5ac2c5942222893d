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
ami:
  description: The AMI that O(ami_parameter) holds now, C(id), C(name), C(creation_date), C(deprecation_time), C(found).
  returned: when asked
  type: dict
ami_pinned:
  description: The AMI O(ami_id), in the same form.
  returned: when asked
  type: dict
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
    "file_system_name": {"type": "str"},
    "buckets": {"type": "list", "elements": "str", "default": []},
    "repositories": {"type": "list", "elements": "str", "default": []},
    "secrets": {"type": "list", "elements": "str", "default": []},
    "stacks": {"type": "list", "elements": "str", "default": []},
}


def availability_zones(
    ec2: Any, rds: Any, instance_type: str | None, database_class: str | None, engine: str, version: str | None
) -> dict[str, list[str]]:
    """The zones that the account may use, and which of them offer what."""
    found = ec2.describe_availability_zones(
        Filters=[{"Name": "state", "Values": ["available"]}, {"Name": "zone-type", "Values": ["availability-zone"]}]
    )
    available = sorted(zone["ZoneName"] for zone in found["AvailabilityZones"])
    zones = {"available": available}
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
        offered = {
            zone["Name"]
            for page in pages
            for option in page["OrderableDBInstanceOptions"]
            if not version or f"{option['EngineVersion']}.".startswith(f"{version}.")
            for zone in option["AvailabilityZones"]
        }
        zones["database_class"] = [zone for zone in available if zone in offered]
    lists = list(zones.values())
    zones["suitable"] = [zone for zone in available if all(zone in each for each in lists)]
    return zones


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
    """All that was asked for."""
    wanted, client = module.params, module.client
    caller = client("sts").get_caller_identity()
    ec2 = client("ec2")
    facts: dict[str, Any] = {
        "account": caller["Account"],
        "arn": caller["Arn"],
        "partition": caller["Arn"].split(":")[1],
        "region": ec2.meta.region_name,
        "availability_zones": availability_zones(
            ec2,
            client("rds"),
            wanted["instance_type"],
            wanted["database_class"],
            wanted["database_engine"],
            wanted["database_engine_version"],
        ),
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
    facts["stacks"] = {name: facts_of for name, facts_of in found.items() if facts_of}
    return facts


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(argument_spec=SPECIFICATION, supports_check_mode=True)
    try:
        facts = gather(module)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The account cannot be asked")
    module.exit_json(changed=False, **facts)


if __name__ == "__main__":
    main()
