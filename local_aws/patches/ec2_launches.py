"""Launches that EC2 refuses: moto launches whatever type is asked for, wherever, and as many as one likes.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from moto.ec2.models import EC2Backend

from local_aws.patches._moto import AwsError, around

sold_out: set[tuple[str, str]] = set()
"""Instance type and zone of which AWS has none left for now."""
vcpu_quota = math.inf
"""Of all standard instances in a region; only what is set here is enforced, not what Service Quotas tells."""


@around(EC2Backend, "run_instances")
def _run_instances(
    run: Any, self: Any, image_id: str, count: int, user_data: Any, security_group_names: Any, **keywords: Any
) -> Any:
    # What moto takes for a launch template's type is not known yet, and its own default is nobody's choice.
    kind = "" if keywords.get("is_instance_type_default") else str(keywords.get("instance_type") or "")
    _check_tokens(self, keywords.get("metadata_options") or {})
    if kind:
        _check_zone(self, kind, _zone(self, keywords))
        _check_quota(self, kind, count)
    return run(self, image_id, count, user_data, security_group_names, **keywords)


def _zone(backend: Any, keywords: Mapping[str, Any]) -> str:
    """Where it is to be launched; empty where AWS may choose."""
    if subnet := keywords.get("subnet_id"):
        return str(backend.get_subnet(subnet).availability_zone)
    placement = keywords.get("placement")
    return placement if isinstance(placement, str) else ""


def _check_tokens(backend: Any, options: Mapping[str, Any]) -> None:
    """The sentence: https://github.com/aws-games/cloud-game-development-toolkit/issues/918."""
    level = backend.__dict__.get("metadata_defaults", {})
    if level.get("HttpTokensEnforced") == "enabled" and options.get("HttpTokens") == "optional":
        raise AwsError(
            "UnsupportedOperation",
            "You can't launch instances with IMDSv1 because httpTokensEnforced is enabled for this account. Either "
            "launch the instance with httpTokens=required or contact your account owner to disable "
            "httpTokensEnforced using the ModifyInstanceMetadataDefaults API or the account settings in the EC2 "
            "console.",
        )


def _check_zone(backend: Any, kind: str, zone: str) -> None:
    """The sentences: hashicorp/terraform-provider-aws, issues 26377 and 1496."""
    found = backend.describe_instance_type_offerings("availability-zone", {"instance-type": [kind]})
    zones = sorted(each["Location"] for each in found)
    if not zone or not zones:
        return
    if zone not in zones:
        raise AwsError(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone ({zone}). "
            f"Please retry your request by not specifying an Availability Zone or choosing {', '.join(zones)}.",
        )
    if (kind, zone) in sold_out:
        others = ", ".join(each for each in zones if (kind, each) not in sold_out)
        raise AwsError(
            "InsufficientInstanceCapacity",
            f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone}). Our "
            f"system will be working on provisioning additional capacity. You can currently get {kind} capacity by "
            f"not specifying an Availability Zone in your request or choosing {others}.",
        )


def _check_quota(backend: Any, kind: str, count: int) -> None:
    if math.isinf(vcpu_quota):
        return
    kinds = [each.instance_type for each in backend.all_running_instances()]
    if sum(_vcpus(backend, each) for each in [*kinds, *[kind] * count]) > vcpu_quota:
        raise AwsError(
            "VcpuLimitExceeded",
            f"You have requested more vCPU capacity than your current vCPU limit of {vcpu_quota:g} allows for the "
            "instance bucket that the specified instance type belongs to. Please visit "
            "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        )


def _vcpus(backend: Any, kind: str) -> int:
    return int(backend.describe_instance_types([kind])[0]["VCpuInfo"]["DefaultVCpus"])
