"""What an account says about hosts that would be started in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

AUTO_SCALING_ROLE = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
AWS_OWN_KEY = "alias/aws/ebs"


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


def newest_ami(ssm: Any, ec2: Any, parameter: str) -> dict[str, Any]:
    """The AMI that a public SSM parameter holds."""
    return ami(ec2, ssm.get_parameter(Name=parameter)["Parameter"]["Value"])


def key_pairs(ec2: Any) -> list[str]:
    """Names of the key pairs of the region."""
    return sorted(pair["KeyName"] for pair in ec2.describe_key_pairs()["KeyPairs"])


def instance_metadata(ec2: Any) -> dict[str, Any]:
    """Whether the account lets instances start that answer IMDSv1, and who decided that.

    An organization's policy (SCP) can forbid it too; that cannot be asked, only met.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html
    """
    level = ec2.get_instance_metadata_defaults().get("AccountLevel") or {}
    return {
        "tokens_enforced": level.get("HttpTokensEnforced") == "enabled",
        "managed_by": level.get("ManagedBy", "account"),
    }


def launch_configurations(autoscaling: Any, account: Callable[[], Any]) -> dict[str, Any]:
    """What tells whether the account can make launch configurations: whether it has some, and since when it is there.

    There is no dry run of CreateLaunchConfiguration. Accounts made on or after 2024-10-01 cannot make any.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-configurations.html

    Args:
        autoscaling: client.
        account: makes the client of Account Management, which is asked only if there are none.
    """
    pages = autoscaling.get_paginator("describe_launch_configurations").paginate()
    if any(page["LaunchConfigurations"] for page in pages):
        return {"some": True, "account_created": ""}
    created = account().get_account_information()["AccountCreatedDate"]
    return {"some": False, "account_created": f"{created:%Y-%m-%d}"}


def volume_key(ec2: Any, kms: Callable[[], Any], account_arn: str) -> dict[str, Any]:
    """The key with which the hosts' volumes are encrypted, and whether Auto Scaling may use it.

    A launch source that encrypts and names no key takes the account's default for EBS. Where that is a customer's own,
    Auto Scaling's service-linked role needs a grant or the key policy's word, or no instance starts.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html

    Args:
        ec2: client.
        kms: makes the client of KMS, which is asked only about a customer's key.
        account_arn: arn:<partition>:iam::<account id>.
    """
    key = str(ec2.get_ebs_default_kms_key_id()["KmsKeyId"])
    role = f"{account_arn}:{AUTO_SCALING_ROLE}"
    facts: dict[str, Any] = {"id": key, "grantee": role, "usable": True}
    if key.endswith(AWS_OWN_KEY):
        return facts
    described = kms().describe_key(KeyId=key)["KeyMetadata"]
    if described.get("KeyManager") == "AWS":
        return facts
    pages = kms().get_paginator("list_grants").paginate(KeyId=described["Arn"])
    granted = any(_uses(grant, role) for page in pages for grant in page["Grants"])
    return facts | {"usable": granted or _policy_allows(kms(), described, role)}


def _uses(grant: dict[str, Any], role: str) -> bool:
    operations = grant.get("Operations", [])
    return grant.get("GranteePrincipal") == role and {"CreateGrant", "Decrypt"} <= set(operations)


def _policy_allows(kms: Any, key: dict[str, Any], role: str) -> bool:
    """Whether the key policy names the role, or everybody; conditions are not weighed, so as not to refuse wrongly."""
    if role.split(":")[4] != key["AWSAccountId"]:
        return False  # the policy of another account's key cannot name this role: it takes a grant
    policy = json.loads(kms.get_key_policy(KeyId=key["Arn"], PolicyName="default")["Policy"])
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    allowed = [statement for statement in statements if statement["Effect"] == "Allow"]
    actions = {action for each in allowed if _names(each, role) for action in _texts(each.get("Action"))}
    return bool(actions & {"kms:*", "*", "kms:CreateGrant"})


def _names(statement: dict[str, Any], role: str) -> bool:
    principal = statement.get("Principal", {})
    named = _texts(principal.get("AWS") if isinstance(principal, dict) else principal)
    return bool({role, "*"} & set(named))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from map(str, value)
