#!/usr/bin/python
"""Delete the certificates that a stack has replaced, once nothing uses them any more."""

DOCUMENTATION = r"""
module: unused_certificates
short_description: Delete the certificates that a stack has replaced
description:
  - Another domain name replaces the certificate in its stack while the load balancer, in another stack, still uses the
    old one. CloudFormation tries to delete it, gives up, and calls the update a success. This deletes it later.
  - Only what the stack's own events name is looked at, so no certificate that somebody else made is ever deleted.
options:
  stack:
    description: Name of the stack.
    type: str
    required: true
  timeout:
    description: Seconds to wait until ACM, too, knows that a certificate is not in use any more.
    type: int
    default: 180
extends_documentation_fragment: [amazon.aws.common.modules, amazon.aws.region.modules, amazon.aws.boto3]
author: Berth
"""

EXAMPLES = r"""
- name: Delete a certificate that nothing uses any more
  unused_certificates:
    stack: "{{ site_prefix }}-certificate"
"""

RETURN = r"""
deleted:
  description: ARNs of the certificates that were (in check mode, would be) deleted.
  returned: always
  type: list
in_use:
  description: Those that something still uses, ARN to the ARNs of what uses it. The next run tries again.
  returned: always
  type: dict
"""

import time
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

SPECIFICATION: dict[str, Any] = {
    "stack": {"type": "str", "required": True},
    "timeout": {"type": "int", "default": 180},
}
TYPE = "AWS::CertificateManager::Certificate"
PAUSE_SECONDS = 5.0


def replaced(cloudformation: Any, stack: str) -> list[str]:
    """ARNs of the certificates that the stack has replaced; none while it is being made, changed or deleted.

    An event proves it: CloudFormation tried to delete just that one. Without, a list of resources that still shows the
    state of before would make the new certificate look like one that was left.
    """
    try:
        now = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return []
        raise
    if now["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"):
        return []
    present = {
        resource.get("PhysicalResourceId")
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=now["StackId"])
        for resource in page["StackResourceSummaries"]
    }
    events = cloudformation.get_paginator("describe_stack_events").paginate(StackName=now["StackId"])
    given_up = {
        event.get("PhysicalResourceId", "")
        for page in events
        for event in page["StackEvents"]
        if event["ResourceType"] == TYPE and event["ResourceStatus"] == "DELETE_FAILED"
    }
    return sorted(arn for arn in given_up - present if arn.startswith("arn:"))


def users(acm: Any, arn: str) -> list[str] | None:
    """What uses the certificate; None if it is gone."""
    try:
        return list(acm.describe_certificate(CertificateArn=arn)["Certificate"].get("InUseBy", []))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise


def delete(acm: Any, arn: str) -> bool:
    """Delete the certificate; False if something uses it after all."""
    try:
        acm.delete_certificate(CertificateArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
        return False
    return True


def clear(cloudformation: Any, acm: Any, stack: str, timeout: float, check: bool) -> dict[str, Any]:
    """Delete what can be deleted within `timeout`."""
    left, deleted, in_use = replaced(cloudformation, stack), list[str](), dict[str, list[str]]()
    deadline = time.monotonic() + timeout
    while left:
        in_use = {}
        for arn in left:
            uses = users(acm, arn)
            if uses or (uses is not None and not check and not delete(acm, arn)):
                in_use[arn] = uses
            elif uses is not None:
                deleted.append(arn)
        left = list(in_use)
        if check or not left or time.monotonic() >= deadline:
            break
        time.sleep(PAUSE_SECONDS)
    return {"deleted": deleted, "in_use": in_use}


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(argument_spec=SPECIFICATION, supports_check_mode=True)
    wanted = module.params
    try:
        done = clear(
            module.client("cloudformation"), module.client("acm"), wanted["stack"], wanted["timeout"], module.check_mode
        )
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="The replaced certificates cannot be looked at")
    for arn, uses in done["in_use"].items():
        module.warn(f"Not deleted, as {', '.join(uses) or 'something'} still uses it: {arn}. The next run tries again.")
    module.exit_json(changed=bool(done["deleted"]), **done)


if __name__ == "__main__":
    main()
