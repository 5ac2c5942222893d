"""Roles that services of AWS assume: for hosts, tasks and functions, which get the keys, and to act themselves."""

from __future__ import annotations

from typing import Any

from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID

EC2, LAMBDA, TASKS, SCHEDULER = (
    f"{each}.amazonaws.com" for each in ("ec2", "lambda", "ecs-tasks", "scheduler")
)  # fmt: skip


class RoleRefused(Exception):
    """A service may not assume a role; the text says why."""


def assume(cloud: Cloud, role: str, session: str, service: str, source: str = "") -> dict[str, Any]:
    """Credentials of a role, as a service of AWS takes them.

    Args:
        cloud: the embedded AWS.
        role: the role's ARN.
        session: the session's name.
        service: who assumes it, `ec2.amazonaws.com`.
        source: ARN of what it is assumed for, where the service says so.

    Returns:
        `Credentials` of STS.

    Raises:
        RoleRefused: the role's trust policy does not name the service, and IAM is enforced.
    """
    if cloud.guard is not None and (denial := cloud.guard.trust(role, service, source)):
        raise RoleRefused(denial)
    found: dict[str, Any] = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
    return found


def refusal(cloud: Cloud, role: str, session: str, call: tuple[str, str], region: str, **parameters: Any) -> str:
    """Why a service that acts with a role may not make a call; empty if it may, or IAM only records.

    Args:
        cloud: the embedded AWS.
        role: the role's ARN.
        session: the session's name.
        call: boto3's service and the operation.
        region: of the call.
        parameters: of the call.
    """
    return cloud.guard.acting(role, session, call, region, parameters) if cloud.guard is not None else ""


def source_of_tasks(region: str) -> str:
    """What ECS says that it assumes the roles of tasks for.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    return f"arn:aws:ecs:{region}:{ACCOUNT_ID}:*"
