"""EventBridge Scheduler refuses what AWS refuses: moto takes every expression, zone, target and role.

What is kept here is run by `local_aws.parts.schedules`.
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends
from moto.scheduler.exceptions import ScheduleGroupNotFound, ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend
from moto.scheduler.responses import EventBridgeSchedulerResponse

from local_aws.patches._moto import AwsError, around
from local_aws.schedules import expressions, target

STATES = ("ENABLED", "DISABLED")
AFTER_COMPLETION = ("NONE", "DELETE")


def trusted(role_arn: str, group_arn: str, account: str, partition: str = "aws") -> bool:
    """Whether the role is there and EventBridge Scheduler may assume it for schedules of the group."""
    roles = {role.arn: role for role in iam_backends[account][partition].get_roles()}
    role = roles.get(role_arn)
    return role is not None and target.assumable(json.loads(role.assume_role_policy_document), account, group_arn)


def _check(backend: Any, given: dict[str, Any]) -> None:
    """Fill in AWS's defaults and refuse what it refuses.

    Raises:
        ValidationException, ScheduleGroupNotFound: as AWS.
    """
    given["group_name"] = given.get("group_name") or "default"
    given["state"] = given.get("state") or "ENABLED"
    given["schedule_expression_timezone"] = given.get("schedule_expression_timezone") or "UTC"
    if given["group_name"] not in backend.schedule_groups:
        raise ScheduleGroupNotFound(given["group_name"])
    if given["state"] not in STATES:
        raise _enum("state", given["state"], STATES)
    try:
        expressions.parse(given["schedule_expression"])
        expressions.time_zone(given["schedule_expression_timezone"])
        target.check(given["target"])
    except (expressions.ExpressionError, target.TargetError) as error:
        raise ValidationException(str(error)) from None
    _check_window(given["flexible_time_window"] or {})
    if given.get("start_date") and given.get("end_date") and given["start_date"] >= given["end_date"]:
        raise ValidationException("The StartDate you specify must be earlier than the EndDate.")
    group = backend.schedule_groups[given["group_name"]]
    if not trusted(given["target"]["RoleArn"], group.arn, backend.account_id, backend.partition):
        raise ValidationException(target.CAN_NOT_ASSUME)


def _check_window(window: dict[str, Any]) -> None:
    mode, minutes = window.get("Mode"), window.get("MaximumWindowInMinutes")
    if mode not in ("OFF", "FLEXIBLE"):
        raise _enum("flexibleTimeWindow.mode", mode, ("OFF", "FLEXIBLE"))
    if (mode == "FLEXIBLE") != (minutes is not None):
        raise ValidationException(
            "MaximumWindowInMinutes is for a FlexibleTimeWindow with Mode FLEXIBLE, which needs it."
        )
    if minutes is not None and not 1 <= minutes <= 1440:
        raise ValidationException("MaximumWindowInMinutes must be between 1 and 1440.")


def _enum(where: str, value: Any, allowed: tuple[str, ...]) -> ValidationException:
    return ValidationException(
        f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: Member must satisfy "
        f"enum value set: [{', '.join(allowed)}]"
    )


@around(EventBridgeSchedulerBackend, "create_schedule")
def _create_schedule(create: Any, self: Any, **given: Any) -> Any:
    given["action_after_completion"] = given.get("action_after_completion") or "NONE"
    if given["action_after_completion"] not in AFTER_COMPLETION:
        raise _enum("actionAfterCompletion", given["action_after_completion"], AFTER_COMPLETION)
    _check(self, given)
    return create(self, **given)


@around(EventBridgeSchedulerBackend, "update_schedule")
def _update_schedule(update: Any, self: Any, **given: Any) -> Any:
    _check(self, given)
    return update(self, **given)


@around(EventBridgeSchedulerResponse, "update_schedule")
def _update_schedule_response(update: Any, self: Any) -> Any:
    """An update replaces everything; moto forgets ActionAfterCompletion."""
    action = self._get_param("ActionAfterCompletion") or "NONE"
    if action not in AFTER_COMPLETION:
        raise _enum("actionAfterCompletion", action, AFTER_COMPLETION)
    answer = update(self)
    name = self.uri.split("?")[0].split("/")[-1]
    self.scheduler_backend.get_schedule(self._get_param("GroupName"), name).action_after_completion = action
    return answer


@around(EventBridgeSchedulerBackend, "create_schedule_group")
def _create_schedule_group(create: Any, self: Any, name: str, tags: Any) -> Any:
    if name in self.schedule_groups:
        raise AwsError("ConflictException", f"Schedule group {name} already exists.")
    return create(self, name, tags)


@around(EventBridgeSchedulerBackend, "delete_schedule_group")
def _delete_schedule_group(delete: Any, self: Any, name: str | None) -> None:
    """With the group go its schedules."""
    if (name or "default") == "default":
        raise ValidationException("Deleting the default schedule group is not supported.")
    if name not in self.schedule_groups:
        raise ScheduleGroupNotFound(str(name))
    delete(self, name)
