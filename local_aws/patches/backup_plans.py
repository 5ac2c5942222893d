"""AWS Backup's plans: what moto keeps of them is mended, and their selections, which it lacks, are kept beside.

What is due is begun by a part (`local_aws.parts.backup_plans`). Selections name resources by their ARNs; by tags and by
conditions they are refused, and so are rules with continuous backups and cold storage.
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupPlan.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupSelection.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from moto.backup.models import BackupBackend, Plan
from moto.backup.responses import BackupResponse
from moto.core.utils import unix_time

from local_aws.patches._moto import AwsError, around, missing
from local_aws.patches.backup import check_role
from local_aws.schedules import expressions

SELECTED = ("SelectionName", "IamRoleArn", "Resources", "ListOfTags", "NotResources", "Conditions")
REFUSED = ("ListOfTags", "NotResources", "Conditions")
START_LEAST = 60
"""Fewest minutes of a start window; a completion window is longer.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html
"""


def plans(backend: BackupBackend) -> list[Any]:
    """The plans of a region that are there."""
    return [each for each in list(backend.plans.values()) if each.deletion_date is None]


def selections(backend: BackupBackend, plan: str) -> dict[str, dict[str, Any]]:
    """Id → selection, of a plan.

    Args:
        backend: of its region.
        plan: its id.
    """
    return backend.berth_selections.setdefault(plan, {})  # type: ignore[no-any-return] # moto has no types


@around(BackupBackend, "__init__")
def _init(init: Any, self: Any, *arguments: Any, **keywords: Any) -> None:
    init(self, *arguments, **keywords)
    self.berth_selections = {}


@around(Plan, "__init__")
def _plan(init: Any, self: Any, backup_plan: dict[str, Any], *arguments: Any, **keywords: Any) -> None:
    for rule in backup_plan["Rules"]:
        _check(rule)
    init(self, backup_plan, *arguments, **keywords)
    self.berth_since = self.creation_date


@around(BackupBackend, "create_backup_plan")
def _create_backup_plan(create: Any, self: Any, *arguments: Any, **keywords: Any) -> Any:
    """moto counts plans that are deleted; and of their names AWS may see several, of the same document once."""
    there, self.plans = self.plans, {each.backup_plan_id: each for each in plans(self)}
    try:
        return create(self, *arguments, **keywords)
    finally:
        self.plans = {**there, **self.plans}


@around(BackupBackend, "get_backup_plan")
def _get_backup_plan(get: Any, self: Any, backup_plan_id: str, version_id: Any = None) -> Any:
    plan = get(self, backup_plan_id, version_id)
    if plan.deletion_date is not None:
        raise AwsError("ResourceNotFoundException", f"Backup plan {backup_plan_id} is deleted.")
    return plan


@around(BackupBackend, "delete_backup_plan")
def _delete_backup_plan(delete: Any, self: Any, backup_plan_id: str) -> Any:
    if selections(self, backup_plan_id):
        raise AwsError(
            "InvalidRequestException", "Related backup plan selections must be deleted prior to backup plan deletion."
        )
    return delete(self, backup_plan_id)


@missing(BackupResponse, "update_backup_plan")
def _update_backup_plan(self: BackupResponse) -> str:
    plan, given = self.backup_backend.get_backup_plan(_id(self), None), json.loads(self.body)["BackupPlan"]
    fresh = Plan(given, plan.creator_request_id, self.backup_backend)
    plan.backup_plan, plan.version_id, plan.berth_since = fresh.backup_plan, fresh.version_id, unix_time()
    return json.dumps(plan.to_dict())


@missing(BackupResponse, "create_backup_selection")
def _create_backup_selection(self: BackupResponse) -> str:
    plan, given = self.backup_backend.get_backup_plan(_id(self), None), json.loads(self.body)["BackupSelection"]
    if unknown := [name for name in REFUSED if given.get(name)]:
        raise NotImplementedError(f"A selection names resources by their ARNs here, and not by {', '.join(unknown)}.")
    check_role(given["IamRoleArn"])
    name = str(uuid.uuid4())
    selections(self.backup_backend, plan.backup_plan_id)[name] = {
        "SelectionId": name,
        "BackupPlanId": plan.backup_plan_id,
        "CreationDate": unix_time(),
        "BackupSelection": {key: given[key] for key in SELECTED if key in given},
    }
    return json.dumps({"SelectionId": name, "BackupPlanId": plan.backup_plan_id, "CreationDate": unix_time()})


@missing(BackupResponse, "get_backup_selection")
def _get_backup_selection(self: BackupResponse) -> str:
    return json.dumps(_selection(self))


@missing(BackupResponse, "list_backup_selections")
def _list_backup_selections(self: BackupResponse) -> str:
    plan = self.backup_backend.get_backup_plan(_id(self), None)
    found = [
        {key: value for key, value in each.items() if key != "BackupSelection"}
        | {key: each["BackupSelection"][key] for key in ("SelectionName", "IamRoleArn")}
        for each in selections(self.backup_backend, plan.backup_plan_id).values()
    ]
    return json.dumps({"BackupSelectionsList": found})


@missing(BackupResponse, "delete_backup_selection")
def _delete_backup_selection(self: BackupResponse) -> str:
    found = _selection(self)
    del selections(self.backup_backend, found["BackupPlanId"])[found["SelectionId"]]
    return ""


def _check(rule: dict[str, Any]) -> None:
    """Refuse what AWS refuses of a rule, and what is not here."""
    if rule.get("EnableContinuousBackup") or (rule.get("Lifecycle") or {}).get("MoveToColdStorageAfterDays"):
        raise NotImplementedError("There are neither continuous backups nor cold storage here.")
    starts, ends = int(rule.get("StartWindowMinutes") or 480), int(rule.get("CompletionWindowMinutes") or 10_080)
    if starts < START_LEAST:
        raise AwsError("InvalidParameterValueException", f"Start window must be at least {START_LEAST} minutes.")
    if ends <= starts:
        raise AwsError("InvalidParameterValueException", "Completion window must be longer than the start window.")
    try:
        expressions.parse(rule.get("ScheduleExpression") or "cron(0 5 ? * * *)")
    except expressions.ExpressionError as error:
        raise AwsError("InvalidParameterValueException", str(error)) from None


def _id(self: BackupResponse) -> str:
    """The plan's id, out of `/backup/plans/<id>/selections/<id>`."""
    return str(self.path.partition("/plans/")[2].split("/")[0])


def _selection(self: BackupResponse) -> dict[str, Any]:
    plan = self.backup_backend.get_backup_plan(_id(self), None)
    found = selections(self.backup_backend, plan.backup_plan_id).get(self.path.rstrip("/").rpartition("/")[2])
    if found is None:
        raise AwsError("ResourceNotFoundException", "The backup selection does not exist.")
    return found
