"""Schedules of EventBridge Scheduler and their groups."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Schedule(Handler):
    TYPE = "AWS::Scheduler::Schedule"

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("Name") or context.name(64)
        call(context, "scheduler", "create_schedule", **properties | {"Name": name})
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        call(context, "scheduler", "update_schedule", **new | {"Name": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            group = properties.get("GroupName")
            call(context, "scheduler", "delete_schedule", Name=physical_id, GroupName=group)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        place = f"{context.partition}:scheduler:{context.region}:{context.account_id}"
        return {"Arn": f"arn:{place}:schedule/{properties.get('GroupName') or 'default'}/{physical_id}"}


class ScheduleGroup(Handler):
    TYPE = "AWS::Scheduler::ScheduleGroup"

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("Name") or context.name(64)
        call(context, "scheduler", "create_schedule_group", Name=name, Tags=context.tag_list(properties) or None)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        arn, tags = self._find(context, physical_id)["Arn"], context.tag_list(new)
        if gone := context.untagged(old, new):
            call(context, "scheduler", "untag_resource", ResourceArn=arn, TagKeys=gone)
        if tags:
            call(context, "scheduler", "tag_resource", ResourceArn=arn, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "scheduler", "delete_schedule_group", Name=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = self._find(context, physical_id)
        dates = {key: found[key].isoformat() for key in ("CreationDate", "LastModificationDate")}
        return {"Arn": found["Arn"], "State": found["State"], **dates}

    def _find(self, context: Context, name: str) -> dict[str, Any]:
        found: dict[str, Any] = call(context, "scheduler", "get_schedule_group", Name=name)
        return found
