"""Launch configurations and Auto Scaling groups."""

from __future__ import annotations

import base64
from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, boolean, call, changed, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class LaunchConfiguration(Handler):
    TYPE = "AWS::AutoScaling::LaunchConfiguration"

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("LaunchConfigurationName") or context.name(255)
        settings = without(properties, "LaunchConfigurationName", "InstanceMonitoring")
        if "InstanceMonitoring" in properties:
            settings["InstanceMonitoring"] = {"Enabled": properties["InstanceMonitoring"]}
        if "UserData" in settings:
            # The template's is Base64 already, and botocore encodes this call's by itself: encoded twice no host boots.
            settings["UserData"] = base64.b64decode(settings["UserData"])
        call(context, "autoscaling", "create_launch_configuration", LaunchConfigurationName=name, **settings)
        return name

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "autoscaling", "delete_launch_configuration", LaunchConfigurationName=physical_id)


class AutoScalingGroup(Handler):
    TYPE = "AWS::AutoScaling::AutoScalingGroup"
    EMPTY_SECONDS = 900.0
    # These have calls of their own or are written otherwise in the API.
    APART = (
        "AutoScalingGroupName", "VPCZoneIdentifier", "Tags", "Cooldown", "MetricsCollection", "TargetGroupARNs",
        "LifecycleHookSpecificationList", "LoadBalancerNames", "NotificationConfigurations",
    )  # fmt: skip

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("AutoScalingGroupName") or context.name(255)
        call(
            context,
            "autoscaling",
            "create_auto_scaling_group",
            AutoScalingGroupName=name,
            Tags=self._tags(context, name, properties),
            TargetGroupARNs=properties.get("TargetGroupARNs"),
            LoadBalancerNames=properties.get("LoadBalancerNames"),
            LifecycleHookSpecificationList=properties.get("LifecycleHookSpecificationList"),
            **self._settings(properties),
        )
        context.created(name)
        self._collect_metrics(context, name, properties)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        # A DesiredCapacity that the template does not give is left out, so the live value stays; so are the running
        # instances when the launch source changes: only an UpdatePolicy or a refresh replaces them.
        settings = self._settings(new)
        call(context, "autoscaling", "update_auto_scaling_group", AutoScalingGroupName=physical_id, **settings)
        tags = self._tags(context, physical_id, new)
        kept = {tag["Key"] for tag in tags}
        if gone := [tag for tag in self._tags(context, physical_id, old) if tag["Key"] not in kept]:
            call(context, "autoscaling", "delete_tags", Tags=gone)
        if tags:
            call(context, "autoscaling", "create_or_update_tags", Tags=tags)
        before, after = old.get("TargetGroupARNs") or [], new.get("TargetGroupARNs") or []
        for arns, operation in (
            ([arn for arn in after if arn not in before], "attach_load_balancer_target_groups"),
            ([arn for arn in before if arn not in after], "detach_load_balancer_target_groups"),
        ):
            if arns:
                call(context, "autoscaling", operation, AutoScalingGroupName=physical_id, TargetGroupARNs=arns)
        if changed(old, new, "LifecycleHookSpecificationList"):
            self._update_hooks(context, physical_id, old, new)
        if changed(old, new, "MetricsCollection"):
            call(context, "autoscaling", "disable_metrics_collection", AutoScalingGroupName=physical_id)
            self._collect_metrics(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            nothing = {"MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}
            call(context, "autoscaling", "update_auto_scaling_group", AutoScalingGroupName=physical_id, **nothing)
            context.wait(
                lambda: not self._describe(context, physical_id).get("Instances"),
                self.EMPTY_SECONDS,
                f"the instances of {physical_id} to terminate",
            )
            call(context, "autoscaling", "delete_auto_scaling_group", AutoScalingGroupName=physical_id)
        context.wait(
            lambda: not self._describe(context, physical_id), self.EMPTY_SECONDS, f"{physical_id} to be deleted"
        )

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"AutoScalingGroupARN": self._describe(context, physical_id)["AutoScalingGroupARN"]}

    def _describe(self, context: Context, name: str) -> dict[str, Any]:
        answer = call(context, "autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[name])
        return next(iter(answer["AutoScalingGroups"]), {})

    def _settings(self, properties: Properties) -> dict[str, Any]:
        settings = without(properties, *self.APART)
        if subnets := properties.get("VPCZoneIdentifier"):
            settings["VPCZoneIdentifier"] = ",".join(subnets if isinstance(subnets, list) else [subnets])
        if "Cooldown" in properties:
            settings["DefaultCooldown"] = properties["Cooldown"]
        if properties.get("NotificationConfigurations"):
            raise NotImplementedError(f"{self.TYPE}: NotificationConfigurations is not in the embedded AWS.")
        return settings

    def _tags(self, context: Context, group: str, properties: Properties) -> list[dict[str, Any]]:
        # The stack's tags reach the instances as well.
        spread = {tag["Key"]: boolean(tag.get("PropagateAtLaunch")) for tag in properties.get("Tags") or []}
        return [
            {
                **tag,
                "PropagateAtLaunch": spread.get(tag["Key"], True),
                "ResourceId": group,
                "ResourceType": "auto-scaling-group",
            }
            for tag in context.tag_list(properties)
        ]

    def _collect_metrics(self, context: Context, group: str, properties: Properties) -> None:
        for collection in properties.get("MetricsCollection") or []:
            call(context, "autoscaling", "enable_metrics_collection", AutoScalingGroupName=group, **collection)

    def _update_hooks(self, context: Context, group: str, old: Properties, new: Properties) -> None:
        before = {hook["LifecycleHookName"] for hook in old.get("LifecycleHookSpecificationList") or []}
        after = {hook["LifecycleHookName"]: hook for hook in new.get("LifecycleHookSpecificationList") or []}
        for name in before - set(after):
            hook = {"LifecycleHookName": name, "AutoScalingGroupName": group}
            call(context, "autoscaling", "delete_lifecycle_hook", **hook)
        for hook in after.values():
            call(context, "autoscaling", "put_lifecycle_hook", AutoScalingGroupName=group, **hook)
