"""Capacity providers on Auto Scaling groups, and which of them a request asks for."""

from __future__ import annotations

import re

from local_aws.ecs import views
from local_aws.ecs.actions.base import Actions, page
from local_aws.ecs.errors import EcsError, client, invalid
from local_aws.ecs.state import CapacityProvider, Cluster, Json

PROVIDER_NAME = re.compile(r"(?!aws|ecs|fargate)[A-Za-z0-9_-]{1,255}", re.IGNORECASE)


class CapacityProviders(Actions):
    """CreateCapacityProvider, DescribeCapacityProviders and the like."""

    def create_capacity_provider(self, request: Json) -> Json:
        """CreateCapacityProvider, on an Auto Scaling group."""
        name = request["name"]
        if not PROVIDER_NAME.fullmatch(name):
            raise invalid(
                "The specified capacity provider name is invalid. Up to 255 letters, numbers, underscores, and hyphens "
                'are allowed. The name cannot be prefixed with "aws", "ecs", or "fargate".'
            )
        if "autoScalingGroupProvider" not in request:
            raise invalid("autoScalingGroupProvider must be specified.")
        if name in self.region.providers:
            raise EcsError("ResourceInUseException", "The specified capacity provider already exists.")
        group = _group_provider(request["autoScalingGroupProvider"])
        if any(
            each.group["autoScalingGroupArn"] == group["autoScalingGroupArn"] for each in self.region.providers.values()
        ):
            raise client("The specified Auto Scaling group ARN is already being used by another capacity provider.")
        provider = CapacityProvider(
            name, self.region.arn("capacity-provider", name), group, list(request.get("tags", []))
        )
        self.region.providers[name] = provider
        return {"capacityProvider": views.capacity_provider(provider, ["TAGS"])}

    def describe_capacity_providers(self, request: Json) -> Json:
        """DescribeCapacityProviders."""
        include = request.get("include", [])
        wanted = request.get("capacityProviders")
        if not wanted:
            every = [views.capacity_provider(each, include) for each in self.region.providers.values()]
            return page("capacityProviders", every, request)
        found, failures = [], []
        for reference in wanted:
            provider = self.region.providers.get(reference.rpartition("/")[2])
            if provider:
                found.append(views.capacity_provider(provider, include))
            else:
                arn = self.region.arn("capacity-provider", reference.rpartition("/")[2])
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"capacityProviders": found, "failures": failures}

    def update_capacity_provider(self, request: Json) -> Json:
        """UpdateCapacityProvider."""
        provider = self._provider(request["name"])
        change = request.get("autoScalingGroupProvider", {})
        scaling = {**provider.group["managedScaling"], **change.get("managedScaling", {})}
        provider.group = _group_provider({**provider.group, **change, "managedScaling": scaling})
        provider.update_status = "UPDATE_COMPLETE"
        return {"capacityProvider": views.capacity_provider(provider, ["TAGS"])}

    def delete_capacity_provider(self, request: Json) -> Json:
        """DeleteCapacityProvider; refused while a cluster has it attached."""
        provider = self._provider(request["capacityProvider"])
        if any(provider.name in cluster.providers for cluster in self.region.clusters.values()):
            raise EcsError(
                "ResourceInUseException",
                "The specified capacity provider is in use and cannot be removed. "
                "Detach it from its clusters with PutClusterCapacityProviders first.",
            )
        del self.region.providers[provider.name]
        provider.status, provider.update_status = "INACTIVE", "DELETE_COMPLETE"
        return {"capacityProvider": views.capacity_provider(provider, ["TAGS"])}

    def _provider(self, reference: str) -> CapacityProvider:
        provider = self.region.providers.get(reference.rpartition("/")[2])
        if provider is None:
            raise client("The specified capacity provider does not exist. Specify a valid name or ARN and try again.")
        return provider


def _group_provider(given: Json) -> Json:
    """An AutoScalingGroupProvider with AWS's defaults."""
    scaling = {
        "status": "DISABLED",
        "targetCapacity": 100,
        "minimumScalingStepSize": 1,
        "maximumScalingStepSize": 10000,
        "instanceWarmupPeriod": 300,
        **given.get("managedScaling", {}),
    }
    protection = given.get("managedTerminationProtection", "DISABLED")
    if protection == "ENABLED" and scaling["status"] != "ENABLED":
        raise invalid(
            "The managed termination protection setting for the capacity provider is invalid. To enable "
            "managed termination protection, managed scaling must be enabled."
        )
    return {
        "autoScalingGroupArn": given["autoScalingGroupArn"],
        "managedScaling": scaling,
        "managedTerminationProtection": protection,
        "managedDraining": given.get("managedDraining", "ENABLED"),
    }


def capacity(request: Json, cluster: Cluster) -> tuple[list[Json], str]:
    """Capacity provider strategy and launch type of a request; the cluster's default if it has neither."""
    strategy, launch_type = request.get("capacityProviderStrategy"), request.get("launchType")
    if strategy and launch_type:
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if launch_type and launch_type != "EC2":
        raise invalid(f"The embedded AWS has no launch type {launch_type}: use EC2.")
    if not strategy and not launch_type:
        return [dict(each) for each in cluster.strategy], "" if cluster.strategy else "EC2"
    for item in strategy or []:
        if item["capacityProvider"] not in cluster.providers:
            raise invalid(
                f"The specified capacity provider '{item['capacityProvider']}' was not found. "
                "Specify a valid name or ARN and try again."
            )
    filled = [{"weight": 0, "base": 0, **item} for item in strategy or []]
    if len(filled) == 1 and not filled[0]["weight"]:
        filled[0]["weight"] = 1
    return filled, launch_type or ""
