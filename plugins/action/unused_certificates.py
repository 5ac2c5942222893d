"""Delete the certificates that a stack has replaced, once nothing uses them any more."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.unused_certificates import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction

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


class ActionModule(AwsAction):
    """See plugins/modules/unused_certificates.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Delete what nothing uses."""
        cloudformation, acm = self.client("cloudformation"), self.client("acm")
        done = clear(cloudformation, acm, self.arguments["stack"], self.arguments["timeout"], self.check_mode)
        for arn, uses in done["in_use"].items():
            used = ", ".join(uses) or "something"
            self.say("certificate", f"not deleted, as {used} still uses it: {arn}. The next run tries again.", "yellow")
        return {"changed": bool(done["deleted"]), **done}
