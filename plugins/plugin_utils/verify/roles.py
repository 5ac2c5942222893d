"""The roles of a task: they are there, and ECS may take them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugins.plugin_utils.ecs import short
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding
from plugins.plugin_utils.verify.subjects import Task

SERVICE = "ecs-tasks.amazonaws.com"
ROLES = {"executionRoleArn": "execution role", "taskRoleArn": "task role"}
ASSUME = {"sts:AssumeRole", "sts:*", "*"}


def check(iam: Any, task: Task) -> Iterator[Finding]:
    """Look at the roles that the task definition names.

    Raises:
        ClientError: one cannot be asked for.
    """
    if not task.up:
        yield Finding("role", task.key, "roles", NOT_ASKED, f"it is not up yet; {verb('site.yml')} makes them")
        return
    for field, what in ROLES.items():
        if arn := task.definition.get(field):
            try:
                found = iam.get_role(RoleName=short(arn))["Role"]["AssumeRolePolicyDocument"]
            except iam.exceptions.NoSuchEntityException:
                yield judge(task.key, what, arn, None)
            else:
                yield judge(task.key, what, arn, found)


def judge(subject: str, what: str, arn: str, trust: dict[str, Any] | None) -> Finding:
    """Whether ECS may take a role.

    Args:
        subject, what: of the finding.
        arn: the role's.
        trust: its trust policy; None if there is no such role.
    """
    name = short(arn)
    if trust is None:
        why = f"there is no role {name}, without which no task starts. Type: {verb('site.yml')}"
        return Finding("role", subject, what, WRONG, why)
    if trusts(trust):
        return Finding("role", subject, what, OK, f"{name} trusts {SERVICE}")
    why = f"{name} does not trust {SERVICE}, so ECS cannot take it. Somebody has changed its trust policy; allow that "
    return Finding("role", subject, what, WRONG, f"{why}service sts:AssumeRole again")


def trusts(policy: dict[str, Any]) -> bool:
    """Whether a trust policy lets ECS take the role, and nothing forbids it. Conditions are not weighed."""
    named = [each for each in _many(policy.get("Statement")) if _names(each)]
    return any(each["Effect"] == "Allow" for each in named) and not any(
        each["Effect"] == "Deny" and not each.get("Condition") for each in named
    )


def _names(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    who = _many(principal.get("Service")) if isinstance(principal, dict) else _many(principal)
    return bool({SERVICE, "*"} & set(who)) and bool(ASSUME & set(_many(statement.get("Action"))))


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
