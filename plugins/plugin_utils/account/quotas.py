"""What an account's quotas leave for a site that is being made."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

CODES = {
    "vpcs": ("vpc", "L-F678F1CE"),
    "elastic_ips": ("ec2", "L-0263D0A3"),
    "vcpus": ("ec2", "L-1216C47A"),
    "file_systems": ("elasticfilesystem", "L-848C634D"),
    "certificate_names": ("acm", "L-FB94F0B0"),
}
"""Service and code of each quota that Service Quotas is asked for.

https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html,
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-quotas.html,
https://docs.aws.amazon.com/efs/latest/ug/limits.html,
https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
"""
CERTIFICATE_NAMES = 10
"""Names that every account may have in a certificate; last of these pages."""
STANDARD = re.compile(r"(?!(inf|trn|dl|hpc|mac)\d)[acdhimrtz]")
"""Families (A, C, D, H, I, M, R, T, Z) that share the quota of standard instances; page of EC2."""

Client = Callable[..., Any]


class CannotTell(Exception):
    """The answer does not have the quota that was asked for."""


def limit(quotas: Any, name: str) -> int:
    """The account's own value of a quota, or AWS's where nobody ever asked for another."""
    service, code = CODES[name]
    asked = {"ServiceCode": service, "QuotaCode": code}
    try:
        return int(quotas.get_service_quota(**asked)["Quota"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchResourceException":
            raise
    return int(quotas.get_aws_default_service_quota(**asked)["Quota"]["Value"])


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


def use_of_vpcs(client: Client, _: str | None) -> dict[str, Any]:
    """The VPCs of the region."""
    pages = client("ec2").get_paginator("describe_vpcs").paginate()
    return {"limit": limit(client("service-quotas"), "vpcs"), "used": sum(len(page["Vpcs"]) for page in pages)}


def use_of_elastic_ips(client: Client, _: str | None) -> dict[str, Any]:
    """The Elastic IPs of the region."""
    used = len(client("ec2").describe_addresses()["Addresses"])
    return {"limit": limit(client("service-quotas"), "elastic_ips"), "used": used}


def use_of_vcpus(client: Client, instance_type: str | None) -> dict[str, Any]:
    """The vCPUs of running standard instances, see `vcpus`."""
    return {"limit": limit(client("service-quotas"), "vcpus"), **vcpus(client("ec2"), instance_type)}


def use_of_databases(client: Client, _: str | None) -> dict[str, Any]:
    """The DB instances of the region; RDS tells limit and use in one answer."""
    quotas = client("rds").describe_account_attributes()["AccountQuotas"]
    found: dict[str, Any] = next((quota for quota in quotas if quota.get("AccountQuotaName") == "DBInstances"), {})
    if not {"Max", "Used"} <= found.keys():
        raise CannotTell("DescribeAccountAttributes: the answer does not tell the quota DBInstances")
    return {"limit": int(found["Max"]), "used": int(found["Used"])}


def use_of_file_systems(client: Client, _: str | None) -> dict[str, Any]:
    """The EFS file systems of the region."""
    pages = client("efs").get_paginator("describe_file_systems").paginate()
    used = sum(len(page["FileSystems"]) for page in pages)
    return {"limit": limit(client("service-quotas"), "file_systems"), "used": used}


def use_of_load_balancers(client: Client, _: str | None) -> dict[str, Any]:
    """The Application Load Balancers of the region."""
    elb = client("elbv2")
    limits = {
        each.get("Name"): each.get("Max")
        for page in elb.get_paginator("describe_account_limits").paginate()
        for each in page["Limits"]
    }
    most = limits.get("application-load-balancers")
    if most is None:
        raise CannotTell("DescribeAccountLimits: the answer does not tell the limit application-load-balancers")
    pages = elb.get_paginator("describe_load_balancers").paginate()
    used = sum(balancer["Type"] == "application" for page in pages for balancer in page["LoadBalancers"])
    return {"limit": int(most), "used": used}


def use_of_certificate_names(client: Client, _: str | None) -> dict[str, Any]:
    """The names of a certificate; none is used by another."""
    return {"limit": limit(client("service-quotas"), "certificate_names"), "used": 0}


USES: dict[str, Callable[[Client, str | None], dict[str, Any]]] = {
    "vpcs": use_of_vpcs,
    "elastic_ips": use_of_elastic_ips,
    "vcpus": use_of_vcpus,
    "databases": use_of_databases,
    "file_systems": use_of_file_systems,
    "load_balancers": use_of_load_balancers,
    "certificate_names": use_of_certificate_names,
}
"""How each quota is asked for. Target groups have one too, of 3,000 a region: nobody meets it before the others."""
