"""Alarms and dashboards."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Alarm(Handler):
    TYPE = "AWS::CloudWatch::Alarm"

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("AlarmName") or context.name(255)
        self._put(context, name, properties)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._put(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "cloudwatch", "delete_alarms", AlarmNames=[physical_id])

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        place = f"{context.partition}:cloudwatch:{context.region}:{context.account_id}"
        return {"Arn": f"arn:{place}:alarm:{physical_id}"}

    def _put(self, context: Context, name: str, properties: Properties) -> None:
        settings = without(properties, "AlarmName", "Tags")
        tags = context.tag_list(properties) or None
        call(context, "cloudwatch", "put_metric_alarm", AlarmName=name, Tags=tags, **settings)


class Dashboard(Handler):
    TYPE = "AWS::CloudWatch::Dashboard"

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("DashboardName") or context.name(255)
        self._put(context, name, properties)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._put(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "cloudwatch", "delete_dashboards", DashboardNames=[physical_id])

    def _put(self, context: Context, name: str, properties: Properties) -> None:
        body = properties["DashboardBody"]
        call(context, "cloudwatch", "put_dashboard", DashboardName=name, DashboardBody=body)
