"""What a schedule starts: the target's shape, the role that is assumed for it, and the request that it becomes.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

CLUSTER = re.compile(r"arn:aws[\w-]*:ecs:[\w-]+:\d{12}:cluster/[\w-]+")
QUEUE = re.compile(r"arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w-]+")
PRINCIPAL = "scheduler.amazonaws.com"
KNOWN = {"Arn", "RoleArn", "EcsParameters", "Input", "RetryPolicy", "DeadLetterConfig"}
PASSED_ON = {
    "TaskDefinitionArn": "taskDefinition",
    "TaskCount": "count",
    "LaunchType": "launchType",
    "CapacityProviderStrategy": "capacityProviderStrategy",
    "EnableECSManagedTags": "enableECSManagedTags",
    "EnableExecuteCommand": "enableExecuteCommand",
    "Group": "group",
    "PlacementConstraints": "placementConstraints",
    "PlacementStrategy": "placementStrategy",
    "PropagateTags": "propagateTags",
    "ReferenceId": "referenceId",
    "Tags": "tags",
}
"""EcsParameters → parameters of RunTask. The rest (NetworkConfiguration, PlatformVersion) are Fargate's."""
DEFAULT_RETRIES = 185
DEFAULT_AGE_SECONDS = 86400
CAN_NOT_ASSUME = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."


class TargetError(ValueError):
    """A target that AWS or the embedded AWS refuses."""


def check(target: Json) -> None:
    """Refuse a target that could not be run.

    Raises:
        TargetError: what is wrong with it.
    """
    arn, ecs = str(target.get("Arn", "")), target.get("EcsParameters")
    if not CLUSTER.fullmatch(arn) or not ecs:
        raise TargetError(
            f"The embedded AWS runs no target {arn}: it must be an ECS cluster's ARN, with EcsParameters."
        )
    if unknown := sorted(set(target) - KNOWN):
        raise TargetError(f"The embedded AWS does not support {unknown[0]} of an ECS target.")
    if unknown := sorted(set(ecs) - set(PASSED_ON)):
        raise TargetError(
            f"The embedded AWS does not support EcsParameters.{unknown[0]}: it has no Fargate and no awsvpc."
        )
    if not ecs.get("TaskDefinitionArn"):
        raise TargetError("EcsParameters.TaskDefinitionArn must not be empty.")
    if ecs.get("LaunchType", "EC2") != "EC2":
        raise TargetError(f"The embedded AWS has no launch type {ecs['LaunchType']}: use EC2.")
    if ecs.get("LaunchType") and ecs.get("CapacityProviderStrategy"):
        raise TargetError("EcsParameters cannot have both LaunchType and CapacityProviderStrategy.")
    _check_range("EcsParameters.TaskCount", ecs.get("TaskCount"), 1, 10)
    policy = target.get("RetryPolicy") or {}
    _check_range("RetryPolicy.MaximumRetryAttempts", policy.get("MaximumRetryAttempts"), 0, DEFAULT_RETRIES)
    _check_range(
        "RetryPolicy.MaximumEventAgeInSeconds", policy.get("MaximumEventAgeInSeconds"), 60, DEFAULT_AGE_SECONDS
    )
    overrides(target, {})
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue and not QUEUE.fullmatch(queue):
        raise TargetError(f"DeadLetterConfig.Arn must be the ARN of a standard SQS queue, not {queue}.")


def _check_range(name: str, value: Any, low: int, high: int) -> None:
    if value is not None and not low <= value <= high:
        raise TargetError(f"{name} must be between {low} and {high}.")


def overrides(target: Json, context: dict[str, str]) -> Json:
    """The overrides of the task: the target's Input.

    Args:
        target: whose.
        context: what stands for `<aws.scheduler.…>` in it, for example `attempt-number`.

    Raises:
        TargetError: it is no JSON object.
    """
    text = target.get("Input") or "{}"
    for key, value in context.items():
        text = text.replace(f"<aws.scheduler.{key}>", value)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise TargetError(f"Input must be the JSON of the task's overrides: {error}") from None
    if not isinstance(found, dict):
        raise TargetError("Input must be the JSON object of the task's overrides.")
    return found


def request(name: str, target: Json, context: dict[str, str]) -> Json:
    """The RunTask that schedule `name` sends; `context` as in `overrides`."""
    ecs = target["EcsParameters"]
    asked = {ours: ecs[theirs] for theirs, ours in PASSED_ON.items() if ecs.get(theirs) is not None}
    if asked.get("tags"):  # the API takes them as they come: {"Key": …} of templates and {"key": …}
        asked["tags"] = [{key.lower(): value for key, value in tag.items()} for tag in asked["tags"]]
    asked |= {"cluster": target["Arn"], "startedBy": f"chronos-schedule/{name}"}
    if given := overrides(target, context):
        asked["overrides"] = given
    return asked


def assumable(trust: Json, account: str, group_arn: str) -> bool:
    """Whether a role with this trust policy lets EventBridge Scheduler assume it for schedules of a group.

    A condition names the account or the schedule's group; one on the schedule itself never holds on AWS.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """
    given = {"aws:sourceaccount": account, "aws:sourcearn": group_arn}
    matching = [each for each in _list(trust.get("Statement")) if _concerns(each) and _holds(each, given)]
    return bool(matching) and all(each.get("Effect") == "Allow" for each in matching)


def _concerns(statement: Json) -> bool:
    principal = statement.get("Principal")
    services = _list(principal.get("Service")) if isinstance(principal, dict) else _list(principal)
    actions = [str(each).lower() for each in _list(statement.get("Action"))]
    return bool({PRINCIPAL, "*"} & set(services)) and any(fnmatch.fnmatchcase("sts:assumerole", a) for a in actions)


def _holds(statement: Json, given: dict[str, str]) -> bool:
    return all(
        key.lower() in given and any(_matches(operator, given[key.lower()], str(value)) for value in _list(values))
        for operator, tests in (statement.get("Condition") or {}).items()
        for key, values in tests.items()
    )


def _matches(operator: str, value: str, wanted: str) -> bool:
    if operator in ("StringLike", "ArnLike", "ArnEquals"):
        return fnmatch.fnmatchcase(value, wanted)
    return operator == "StringEquals" and value == wanted


def _list(value: Any) -> list[Any]:
    return list(_items(value))


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
