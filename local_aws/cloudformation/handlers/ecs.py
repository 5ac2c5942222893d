"""Clusters, capacity providers, task definitions and services."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloudformation.calls import absent_is_fine, boolean, call, changed, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


def update_tags(context: Context, arn: str, old: Properties, new: Properties) -> None:
    """Bring the tags of an ECS resource up to date."""
    if gone := context.untagged(old, new):
        call(context, "ecs", "untag_resource", resourceArn=arn, tagKeys=gone)
    if tags := context.tag_list(new):
        call(context, "ecs", "tag_resource", resourceArn=arn, tags=tags)


class Cluster(Handler):
    TYPE = "AWS::ECS::Cluster"

    def create(self, context: Context, properties: Properties) -> str:
        name = properties.get("ClusterName") or context.name(255)
        answer = call(
            context,
            "ecs",
            "create_cluster",
            clusterName=name,
            settings=properties.get("ClusterSettings"),
            tags=context.tag_list(properties) or None,
            **without(properties, "ClusterName", "ClusterSettings", "Tags"),
        )
        return str(answer["cluster"]["clusterName"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "ClusterSettings", "Configuration"):
            settings = new.get("ClusterSettings") or [{"Name": "containerInsights", "Value": "disabled"}]
            configuration = new.get("Configuration")
            call(context, "ecs", "update_cluster", cluster=physical_id, settings=settings, configuration=configuration)
        if changed(old, new, "CapacityProviders", "DefaultCapacityProviderStrategy"):
            call(
                context,
                "ecs",
                "put_cluster_capacity_providers",
                cluster=physical_id,
                capacityProviders=new.get("CapacityProviders") or [],
                defaultCapacityProviderStrategy=new.get("DefaultCapacityProviderStrategy") or [],
            )
        update_tags(context, self._arn(context, physical_id), old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ecs", "delete_cluster", cluster=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Arn": self._arn(context, physical_id)}

    def _arn(self, context: Context, name: str) -> str:
        return f"arn:{context.partition}:ecs:{context.region}:{context.account_id}:cluster/{name}"


class CapacityProvider(Handler):
    TYPE = "AWS::ECS::CapacityProvider"
    SECONDS = 300.0

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("Name") or context.name(255)
        call(
            context,
            "ecs",
            "create_capacity_provider",
            name=name,
            tags=context.tag_list(properties) or None,
            **without(properties, "Name", "Tags"),
        )
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "AutoScalingGroupProvider"):
            provider = without(new["AutoScalingGroupProvider"], "AutoScalingGroupArn")
            call(context, "ecs", "update_capacity_provider", name=physical_id, autoScalingGroupProvider=provider)
        found = self._find(context, physical_id)
        update_tags(context, found["capacityProviderArn"], old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "ecs", "delete_capacity_provider", capacityProvider=physical_id)
        context.wait(
            lambda: self._find(context, physical_id).get("status", "INACTIVE") == "INACTIVE",
            self.SECONDS,
            f"the capacity provider {physical_id} to be deleted",
        )

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Arn": self._find(context, physical_id).get("capacityProviderArn", "")}

    def _find(self, context: Context, name: str) -> dict[str, Any]:
        with absent_is_fine():
            answer = call(context, "ecs", "describe_capacity_providers", capacityProviders=[name])
            return next(iter(answer["capacityProviders"]), {})
        return {}


class ClusterCapacityProviderAssociations(Handler):
    TYPE = "AWS::ECS::ClusterCapacityProviderAssociations"

    def create(self, context: Context, properties: Properties) -> str:
        call(context, "ecs", "put_cluster_capacity_providers", **properties)
        return str(properties["Cluster"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        call(context, "ecs", "put_cluster_capacity_providers", **new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            nothing: dict[str, Any] = {"capacityProviders": [], "defaultCapacityProviderStrategy": []}
            call(context, "ecs", "put_cluster_capacity_providers", cluster=physical_id, **nothing)


class TaskDefinition(Handler):
    TYPE = "AWS::ECS::TaskDefinition"

    def create(self, context: Context, properties: Properties) -> str:
        answer = call(
            context,
            "ecs",
            "register_task_definition",
            family=properties.get("Family") or context.name(255),
            tags=context.tag_list(properties) or None,
            **without(properties, "Family", "Tags"),
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        # Tags are the only property that does not make a new revision.
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        try:
            with absent_is_fine():
                call(context, "ecs", "deregister_task_definition", taskDefinition=physical_id)
        except ClientError as error:
            if "inactive" not in str(error).lower():  # deregistered by hand already
                raise

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"TaskDefinitionArn": physical_id}


class ServiceFailed(Exception):
    """A deployment did not complete; the text is the service's own."""


class Service(Handler):
    TYPE = "AWS::ECS::Service"
    SECONDS = 3 * 3600.0
    """How long CloudFormation waits for a service to settle.

    https://repost.aws/knowledge-center/cloudformation-ecs-service-stabilize
    """
    # Written otherwise in the API, or only for one of create and update.
    APART = ("ServiceName", "Cluster", "PlacementStrategies", "Tags", "ForceNewDeployment")
    CREATE_ONLY = ("LaunchType", "Role", "SchedulingStrategy", "DeploymentController")
    LISTS = (
        "capacityProviderStrategy", "loadBalancers", "placementConstraints", "placementStrategy", "serviceRegistries",
    )  # fmt: skip

    def create(self, context: Context, properties: Properties) -> str:
        service = call(
            context,
            "ecs",
            "create_service",
            serviceName=properties.get("ServiceName") or context.name(255),
            cluster=properties.get("Cluster"),
            placementStrategy=properties.get("PlacementStrategies"),
            tags=context.tag_list(properties) or None,
            **without(properties, *self.APART),
        )["service"]
        context.created(service["serviceArn"])
        self._wait_for_deployment(context, service, properties)
        return str(service["serviceArn"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        # What the template no longer says goes back to its default. A desired count that it does not give stays.
        before, after = self._update_settings(old), self._update_settings(new)
        settings = dict(after)
        for name in self.LISTS:
            if name in before and name not in after:
                settings[name] = []
        if "healthCheckGracePeriodSeconds" in before and "healthCheckGracePeriodSeconds" not in after:
            settings["healthCheckGracePeriodSeconds"] = 0
        if settings != before:
            force = changed(old, new, "CapacityProviderStrategy", "ForceNewDeployment")
            service = call(
                context,
                "ecs",
                "update_service",
                service=physical_id,
                cluster=new.get("Cluster"),
                forceNewDeployment=force or None,
                **settings,
            )["service"]
            self._wait_for_deployment(context, service, new)
        update_tags(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        cluster = properties.get("Cluster")
        service = self._find(context, physical_id, properties)
        if service.get("status") == "ACTIVE":
            if service.get("schedulingStrategy") != "DAEMON":
                call(context, "ecs", "update_service", service=physical_id, cluster=cluster, desiredCount=0)
            call(context, "ecs", "delete_service", service=physical_id, cluster=cluster, force=True)
        context.wait(
            lambda: self._find(context, physical_id, properties).get("status", "INACTIVE") == "INACTIVE",
            self.SECONDS,
            f"the tasks of {physical_id} to stop",
        )

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Name": physical_id.split("/")[-1], "ServiceArn": physical_id}

    def _update_settings(self, properties: Properties) -> dict[str, Any]:
        settings = without(properties, *self.APART, *self.CREATE_ONLY)
        if "PlacementStrategies" in properties:
            settings["placementStrategy"] = properties["PlacementStrategies"]
        return {name[0].lower() + name[1:]: value for name, value in settings.items()}

    def _find(self, context: Context, service: str, properties: Properties) -> dict[str, Any]:
        with absent_is_fine():
            answer = call(context, "ecs", "describe_services", services=[service], cluster=properties.get("Cluster"))
            return next(iter(answer["services"]), {})
        return {}

    def _wait_for_deployment(self, context: Context, service: dict[str, Any], properties: Properties) -> None:
        """Wait until the deployment that a call began is through.

        Raises:
            ServiceFailed: it failed, was rolled back, or the service is gone.
        """
        arn: str = service["serviceArn"]
        ours = next((item["id"] for item in service["deployments"] if item["status"] == "PRIMARY"), "")
        seen = {event.get("id") for event in service.get("events", [])}

        def done() -> bool:
            found = self._find(context, arn, properties)
            if found.get("status") != "ACTIVE":
                raise ServiceFailed(f"Service {arn} is {found.get('status', 'gone')}.")
            deployment = next((item for item in found["deployments"] if item["id"] == ours), None)
            if deployment is None or deployment["status"] != "PRIMARY" or deployment.get("rolloutState") == "FAILED":
                raise ServiceFailed(self._reason(found, deployment, seen))
            return bool(deployment.get("rolloutState", "COMPLETED") == "COMPLETED")

        context.wait(done, self.SECONDS, f"the deployment of {arn.split('/')[-1]}")

    def _reason(self, service: dict[str, Any], deployment: dict[str, Any] | None, seen: set[str | None]) -> str:
        breaker = service.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {})
        if boolean(breaker.get("enable")):
            # CloudFormation's wording; what ECS itself says follows, since this alone helps nobody.
            lines = ["Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."]
        else:
            lines = ["The deployment did not complete."]
        if deployment and deployment.get("rolloutStateReason"):
            lines.append(deployment["rolloutStateReason"])
        events = [event["message"] for event in service.get("events", []) if event.get("id") not in seen]
        lines += list(dict.fromkeys(events))[:4]
        return " ".join(lines)
