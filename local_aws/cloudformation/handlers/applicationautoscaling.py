"""Service autoscaling."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import PropertyError, absent_is_fine, call, pick, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]
SERVICE = "application-autoscaling"
TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")


class ScalableTarget(Handler):
    TYPE = "AWS::ApplicationAutoScaling::ScalableTarget"

    def create(self, context: Context, properties: Properties) -> str:
        self._register(context, properties)
        return "|".join(str(properties[name]) for name in ("ResourceId", "ScalableDimension", "ServiceNamespace"))

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._register(context, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, SERVICE, "deregister_scalable_target", **pick(properties, *TARGET))

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}

    def _register(self, context: Context, properties: Properties) -> None:
        if properties.get("ScheduledActions"):
            raise PropertyError(f"{self.TYPE}: ScheduledActions is not in the embedded AWS.")
        call(context, SERVICE, "register_scalable_target", **without(properties, "ScheduledActions"))


class ScalingPolicy(Handler):
    TYPE = "AWS::ApplicationAutoScaling::ScalingPolicy"

    def create(self, context: Context, properties: Properties) -> str:
        return self._put(context, properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._put(context, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            target = self._target(properties)
            call(context, SERVICE, "delete_scaling_policy", PolicyName=properties["PolicyName"], **target)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Arn": physical_id}

    def _target(self, properties: Properties) -> dict[str, str]:
        # A template names the target by its id, `<resource>|<dimension>|<namespace>`, or by the three parts.
        if "ScalingTargetId" in properties:
            resource, dimension, namespace = properties["ScalingTargetId"].split("|")
            return {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
        return pick(properties, *TARGET)

    def _put(self, context: Context, properties: Properties) -> str:
        settings = without(properties, "ScalingTargetId", *TARGET)
        answer = call(
            context,
            SERVICE,
            "put_scaling_policy",
            **self._target(properties),
            **settings,
        )
        return str(answer["PolicyARN"])
