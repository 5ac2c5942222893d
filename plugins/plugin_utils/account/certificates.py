"""What an account says about certificates that a stack has replaced and could not delete."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

TYPE = "AWS::CertificateManager::Certificate"


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


def left(cloudformation: Any, acm: Any, stack: str) -> list[str]:
    """ARNs of those that the stack has replaced and that are still there."""
    return [arn for arn in replaced(cloudformation, stack) if users(acm, arn) is not None]
