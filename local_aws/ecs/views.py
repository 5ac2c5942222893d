"""How clusters, instances, tasks and services look to a caller of the API."""

from __future__ import annotations

from typing import Any

from local_aws.ecs.placement import remaining
from local_aws.ecs.state import (
    CapacityProvider,
    Cluster,
    Container,
    Deployment,
    Instance,
    Json,
    Region,
    Service,
    Tags,
    Task,
)

ARCHITECTURE = "ecs.cpu-architecture"
"""The attribute of its host that a task shows."""


def _present(answer: Json) -> Json:
    return {key: value for key, value in answer.items() if value is not None}


def cluster(region: Region, it: Cluster, include: list[str]) -> Json:
    """A Cluster; settings, tags and statistics only when asked for."""
    tasks = [task for task in region.tasks_of(cluster=it.name) if task.active]
    services = [service for service in region.services.values() if service.cluster == it.name]
    running, pending = (sum(task.status == status for task in tasks) for status in ("RUNNING", "PENDING"))
    active = [service for service in services if service.status == "ACTIVE"]
    answer: Json = {
        "clusterArn": it.arn,
        "clusterName": it.name,
        "status": it.status,
        "registeredContainerInstancesCount": len(region.instances_of(it.name)),
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": len(active),
        "statistics": [],
        "tags": it.tags if "TAGS" in include else [],
        "settings": it.settings if "SETTINGS" in include else [],
        "capacityProviders": it.providers,
        "defaultCapacityProviderStrategy": it.strategy,
    }
    if "CONFIGURATIONS" in include and it.configuration:
        answer["configuration"] = it.configuration
    if "STATISTICS" in include:
        counts = {
            "runningEC2TasksCount": running,
            "runningFargateTasksCount": 0,
            "pendingEC2TasksCount": pending,
            "pendingFargateTasksCount": 0,
            "activeEC2ServiceCount": len(active),
            "activeFargateServiceCount": 0,
            "drainingEC2ServiceCount": sum(service.status == "DRAINING" for service in services),
            "drainingFargateServiceCount": 0,
        }
        answer["statistics"] = [{"name": name, "value": str(value)} for name, value in counts.items()]
    return answer


def capacity_provider(it: CapacityProvider, include: list[str]) -> Json:
    """A CapacityProvider."""
    answer: Json = {
        "capacityProviderArn": it.arn,
        "name": it.name,
        "status": it.status,
        "autoScalingGroupProvider": it.group,
        "tags": it.tags if "TAGS" in include else [],
    }
    if it.update_status:
        answer["updateStatus"] = it.update_status
    return answer


def _resources(values: Json) -> list[Json]:
    numbers = [
        {"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": int(values.get(name, 0))}
        for name in ("CPU", "MEMORY")
    ]
    sets = [
        {
            "name": name,
            "type": "STRINGSET",
            "doubleValue": 0.0,
            "longValue": 0,
            "integerValue": 0,
            "stringSetValue": sorted(values.get(name, ()), key=int),
        }
        for name in ("PORTS", "PORTS_UDP")
    ]
    return numbers + sets


def instance(region: Region, it: Instance, include: list[str]) -> Json:
    """A ContainerInstance."""
    tasks = list(region.tasks_of(instance=it.arn))
    answer: Json = {
        "containerInstanceArn": it.arn,
        "ec2InstanceId": it.ec2_id,
        "version": it.version,
        "versionInfo": it.version_info,
        "remainingResources": _resources(remaining(it, tasks)),
        "registeredResources": _resources(it.total),
        "status": it.status,
        "agentConnected": it.channel is not None,
        "runningTasksCount": sum(task.status == "RUNNING" for task in tasks),
        "pendingTasksCount": sum(task.status == "PENDING" for task in tasks),
        "attributes": it.attributes,
        "registeredAt": it.registered_at,
        "attachments": [],
        "tags": it.tags if "TAGS" in include else [],
    }
    if it.provider:
        answer["capacityProviderName"] = it.provider
    if "CONTAINER_INSTANCE_HEALTH" in include:
        answer["healthStatus"] = {"overallStatus": _overall(it.health), "details": it.health}
    return answer


def _overall(health: list[Json]) -> str:
    """The worst of an agent's checks of its host; INSUFFICIENT_DATA until it has reported."""
    states = {each.get("status") for each in health} or {"INSUFFICIENT_DATA"}
    return next((state for state in ("IMPAIRED", "INSUFFICIENT_DATA", "INITIALIZING") if state in states), "OK")


def _container(task: Task, it: Container) -> Json:
    definition: Json = next((each for each in task.definition["containerDefinitions"] if each["name"] == it.name), {})
    return _present(
        {
            "containerArn": it.arn,
            "taskArn": task.arn,
            "name": it.name,
            "image": it.image,
            "imageDigest": it.image_digest or None,
            "runtimeId": it.runtime_id or None,
            "lastStatus": it.status,
            "exitCode": it.exit_code,
            "reason": it.reason or None,
            "networkBindings": it.bindings,
            "networkInterfaces": [],
            "healthStatus": it.health,
            "cpu": str(definition.get("cpu", 0)),
            "memory": _text(definition.get("memory")),
            "memoryReservation": _text(definition.get("memoryReservation")),
        }
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def task(region: Region, it: Task, include: list[str]) -> Json:
    """A Task."""
    host = region.instances.get(it.instance)
    return _present(
        {
            "taskArn": it.arn,
            "clusterArn": region.clusters[it.cluster].arn,
            "taskDefinitionArn": it.definition["taskDefinitionArn"],
            "containerInstanceArn": it.instance or None,
            "availabilityZone": (host.zone or None) if host else None,
            "overrides": {
                "containerOverrides": [],
                "inferenceAcceleratorOverrides": [],
                **it.overrides,
            },
            "lastStatus": it.status,
            "desiredStatus": it.desired,
            "healthStatus": it.health,
            "cpu": str(it.cpu),
            "memory": str(it.memory),
            "containers": [_container(it, each) for each in it.containers],
            "startedBy": it.started_by or None,
            "version": it.version,
            "stoppedReason": it.stopped_reason or None,
            "stopCode": it.stop_code or None,
            "connectivity": "CONNECTED" if host and host.channel else "DISCONNECTED",
            "connectivityAt": max(it.created_at, host.connected_at) if host and host.connected_at else None,
            "createdAt": it.created_at,
            "startedAt": it.started_at,
            "stoppingAt": it.stopping_at,
            "stoppedAt": it.stopped_at,
            "pullStartedAt": it.pull_started_at,
            "pullStoppedAt": it.pull_stopped_at,
            "executionStoppedAt": it.execution_stopped_at,
            "group": it.group,
            "launchType": "EC2",
            "capacityProviderName": it.provider or None,
            "attachments": [],
            "attributes": [each for each in host.attributes if each["name"] == ARCHITECTURE] if host else [],
            "enableExecuteCommand": it.exec_enabled,
            "tags": it.tags if "TAGS" in include else [],
        }
    )


def counts(tasks: list[Task]) -> tuple[int, int]:
    """How many of `tasks` run, and how many are on the way there."""
    running = sum(task.status == "RUNNING" and task.desired == "RUNNING" for task in tasks)
    return running, sum(task.status in ("PROVISIONING", "PENDING") for task in tasks)


def _deployment(it: Deployment, tasks: list[Task]) -> Json:
    running, pending = counts([task for task in tasks if task.deployment == it.id])
    answer: Json = {
        "id": it.id,
        "status": it.status,
        "taskDefinition": it.task_definition,
        "desiredCount": it.desired,
        "pendingCount": pending,
        "runningCount": running,
        "failedTasks": it.failed,
        "createdAt": it.created_at,
        "updatedAt": it.updated_at,
        "rolloutState": it.state,
        "rolloutStateReason": it.reason,
    }
    if it.strategy:
        answer["capacityProviderStrategy"] = it.strategy
    else:
        answer["launchType"] = it.launch_type or "EC2"
    return answer


def service(region: Region, it: Service, include: list[str]) -> Json:
    """A Service."""
    tasks = [task for task in region.tasks_of(service=it.arn) if task.active]
    running, pending = counts(tasks)
    request = it.request
    answer: Json = {
        "serviceArn": it.arn,
        "serviceName": it.name,
        "clusterArn": region.clusters[it.cluster].arn,
        "loadBalancers": it.balancers,
        "serviceRegistries": [],
        "status": it.status,
        "desiredCount": it.desired,
        "runningCount": running,
        "pendingCount": pending,
        "taskDefinition": it.primary.task_definition if it.deployments else request["taskDefinition"],
        "deploymentConfiguration": request["deploymentConfiguration"],
        "deployments": [_deployment(each, tasks) for each in it.deployments],
        "events": list(it.events),
        "createdAt": it.created_at,
        "placementConstraints": request.get("placementConstraints", []),
        "placementStrategy": request.get("placementStrategy", []),
        "schedulingStrategy": request.get("schedulingStrategy", "REPLICA"),
        "deploymentController": request.get("deploymentController", {"type": "ECS"}),
        "enableECSManagedTags": request.get("enableECSManagedTags", False),
        "propagateTags": request.get("propagateTags", "NONE"),
        "enableExecuteCommand": request.get("enableExecuteCommand", False),
        "availabilityZoneRebalancing": request.get("availabilityZoneRebalancing", "ENABLED"),
    }
    if request.get("capacityProviderStrategy"):
        answer["capacityProviderStrategy"] = request["capacityProviderStrategy"]
    else:
        answer["launchType"] = request.get("launchType", "EC2")
    if it.balancers:
        answer["healthCheckGracePeriodSeconds"] = request.get("healthCheckGracePeriodSeconds", 0)
        answer["roleArn"] = request.get("role") or (
            f"arn:aws:iam::{it.arn.split(':')[4]}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
        )
    if it.deployments:
        answer["currentServiceDeployment"] = it.primary.arn
    if "TAGS" in include:
        answer["tags"] = it.tags
    return answer


SERVICE_DEPLOYMENT_STATES = {"IN_PROGRESS": "IN_PROGRESS", "COMPLETED": "SUCCESSFUL", "FAILED": "STOPPED"}


def service_deployment(region: Region, it: Service, deployment: Deployment) -> Json:
    """A ServiceDeployment: the newer view of the same thing."""
    failed_over = next((each for each in it.deployments + it.history if each.rollback_of == deployment.id), None)
    status = SERVICE_DEPLOYMENT_STATES[deployment.state]
    if failed_over:
        status = "ROLLBACK_SUCCESSFUL" if failed_over.state == "COMPLETED" else "ROLLBACK_IN_PROGRESS"
    elif deployment.state == "IN_PROGRESS" and deployment.status != "PRIMARY":
        status = "STOPPED"
    breaker = it.request["deploymentConfiguration"]["deploymentCircuitBreaker"]
    return _present(
        {
            "serviceDeploymentArn": deployment.arn,
            "serviceArn": it.arn,
            "clusterArn": region.clusters[it.cluster].arn,
            "createdAt": deployment.created_at,
            "startedAt": deployment.created_at,
            "updatedAt": deployment.updated_at,
            "finishedAt": deployment.finished_at,
            "status": status,
            "statusReason": deployment.reason or None,
            "deploymentConfiguration": it.request["deploymentConfiguration"],
            "deploymentCircuitBreaker": {
                "status": "TRIGGERED"
                if deployment.state == "FAILED"
                else "MONITORING"
                if breaker.get("enable")
                else "DISABLED",
                "failureCount": deployment.failed_in_a_row,
            },
        }
    )


def tags_of(region: Region, arn: str) -> Tags | None:
    """The tag list of the resource called `arn`, to read and to change; None if there is no such resource."""
    for group in (region.clusters, region.providers, region.instances, region.tasks, region.services):
        for each in group.values():
            if each.arn == arn:
                tags: Tags = each.tags
                return tags
    return region.definition_tags.get(arn)
