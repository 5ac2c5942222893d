"""Services, and the deployments that a change of them begins."""

from __future__ import annotations

from local_aws.ecs import views
from local_aws.ecs.actions.base import NAME, Actions, page
from local_aws.ecs.actions.capacity_providers import capacity
from local_aws.ecs.errors import EcsError, invalid
from local_aws.ecs.scheduler import check_balancers, stop_task
from local_aws.ecs.state import Deployment, Json, Service, deployment_id, new_id

SERVICE_DEFAULTS = {"minimumHealthyPercent": 100, "maximumPercent": 200}


class Services(Actions):
    """CreateService, UpdateService, DescribeServices and the like."""

    unlocked = frozenset({"CreateService", "UpdateService"})

    def create_service(self, request: Json) -> Json:
        """CreateService."""
        self._check_target_groups(request)
        with self.state.lock:
            cluster = self._cluster(request)
            name = request["serviceName"]
            if not NAME.fullmatch(name):
                raise invalid("Invalid service name.")
            if "desiredCount" not in request and request.get("schedulingStrategy", "REPLICA") == "REPLICA":
                request = {**request, "desiredCount": 1}
            if request.get("schedulingStrategy", "REPLICA") != "REPLICA":
                raise invalid("The embedded AWS has only the REPLICA scheduling strategy.")
            if (request.get("deploymentController") or {}).get("type", "ECS") != "ECS":
                raise invalid("The embedded AWS has only the ECS deployment controller.")
            former = self._service(cluster, name)
            if former and former.status != "INACTIVE":
                if former.status == "DRAINING":
                    raise invalid("Unable to Start a service that is still Draining.")
                raise invalid("Creation of service was not idempotent.")
            definition = self._active_definition(request["taskDefinition"])
            check_balancers(request, definition)
            strategy, launch_type = capacity(request, cluster)
            stored = dict(request)
            stored.pop("tags", None)
            stored["taskDefinition"] = definition["taskDefinitionArn"]
            stored["capacityProviderStrategy"], stored["launchType"] = strategy, launch_type
            stored["deploymentConfiguration"] = _deployment_configuration({}, request.get("deploymentConfiguration"))
            now = self.clock()
            service = Service(
                name,
                self.region.arn("service", cluster.name, name),
                cluster.name,
                stored,
                request["desiredCount"],
                now,
                [],
                tags=list(request.get("tags", [])),
            )
            self._deploy(service, now)
            self.region.services[service.arn] = service
            return {"service": views.service(self.region, service, ["TAGS"])}

    def _deploy(self, service: Service, now: float) -> None:
        """Begin a new deployment; the former primary becomes an old one."""
        identity = deployment_id()
        arn = self.region.arn("service-deployment", service.cluster, service.name, new_id()[:21])
        deployment = Deployment(identity, arn, service.request["taskDefinition"], now, now, desired=service.desired)
        deployment.reason = f"ECS deployment {identity} in progress."
        deployment.strategy = service.request.get("capacityProviderStrategy") or []
        deployment.launch_type = service.request.get("launchType", "")
        for former in service.deployments:
            former.status = "ACTIVE"
        service.deployments.insert(0, deployment)
        service.steady = False

    def _check_target_groups(self, request: Json) -> None:
        for balancer in request.get("loadBalancers", []):
            if balancer.get("targetGroupArn"):
                self.outside.check_target_group(balancer["targetGroupArn"])

    def update_service(self, request: Json) -> Json:
        """UpdateService; a new task definition, capacity or `forceNewDeployment` begins a deployment."""
        self._check_target_groups(request)
        with self.state.lock:
            cluster = self._cluster(request)
            service = self._service(cluster, request["service"])
            if service is None:
                raise EcsError("ServiceNotFoundException", "Service not found.")
            if service.status != "ACTIVE":
                raise EcsError("ServiceNotActiveException", "Service was not ACTIVE.")
            stored = dict(service.request)
            if "taskDefinition" in request:
                stored["taskDefinition"] = self._active_definition(request["taskDefinition"])["taskDefinitionArn"]
            for key in ("loadBalancers", "placementConstraints", "placementStrategy", "healthCheckGracePeriodSeconds",
                        "enableExecuteCommand", "enableECSManagedTags", "propagateTags",
                        "availabilityZoneRebalancing"):  # fmt: skip
                if key in request:
                    stored[key] = request[key]
            if request.get("capacityProviderStrategy"):
                strategy, launch_type = capacity(request, cluster)
                stored["capacityProviderStrategy"], stored["launchType"] = strategy, launch_type
            check_balancers(stored, self.region.definitions[stored["taskDefinition"]])
            stored["deploymentConfiguration"] = _deployment_configuration(
                stored["deploymentConfiguration"], request.get("deploymentConfiguration")
            )
            rolls = ("taskDefinition", "loadBalancers", "capacityProviderStrategy", "enableExecuteCommand")
            changed = any(stored.get(key) != service.request.get(key) for key in rolls)
            service.request = stored
            if request.get("desiredCount") is not None and request["desiredCount"] != service.desired:
                service.desired = request["desiredCount"]
                service.steady = False
            if changed or request.get("forceNewDeployment"):
                self._deploy(service, self.clock())
            return {"service": views.service(self.region, service, ["TAGS"])}

    def delete_service(self, request: Json) -> Json:
        """DeleteService; needs no running tasks, or `force`."""
        cluster = self._cluster(request)
        service = self._service(cluster, request["service"])
        if service is None or service.status == "INACTIVE":
            raise EcsError("ServiceNotFoundException", "Service not found.")
        tasks = [task for task in self.region.tasks_of(service=service.arn) if task.active]
        if service.desired and not request.get("force"):
            raise invalid("The service cannot be stopped while it is scaled above 0.")
        for task in tasks:
            reason = f"Scaling activity initiated by (deployment {service.primary.id})"
            stop_task(task, reason, "ServiceSchedulerInitiated", self.clock())
        service.status, service.desired = "DRAINING", 0
        return {"service": views.service(self.region, service, ["TAGS"])}

    def describe_services(self, request: Json) -> Json:
        """DescribeServices."""
        return self._described(request, "services", "service", self._service, views.service)

    def list_services(self, request: Json) -> Json:
        """ListServices."""
        cluster = self._cluster(request)
        arns = [
            each.arn
            for each in self.region.services.values()
            if each.cluster == cluster.name and each.status != "INACTIVE" and request.get("launchType", "EC2") == "EC2"
        ]
        return page("serviceArns", arns, request)

    def list_service_deployments(self, request: Json) -> Json:
        """ListServiceDeployments, newest first."""
        cluster = self._cluster(request)
        service = self._service(cluster, request["service"])
        if service is None:
            raise EcsError("ServiceNotFoundException", "Service not found.")
        wanted = request.get("status")
        briefs = []
        for deployment in service.deployments + service.history[::-1]:
            view = views.service_deployment(self.region, service, deployment)
            if not wanted or view["status"] in wanted:
                keys = ("serviceDeploymentArn", "serviceArn", "clusterArn", "startedAt", "createdAt", "finishedAt",
                        "status", "statusReason")  # fmt: skip
                briefs.append({key: view[key] for key in keys if key in view})
        return page("serviceDeployments", briefs, request)


def _deployment_configuration(former: Json, given: Json | None) -> Json:
    merged = {**SERVICE_DEFAULTS, "deploymentCircuitBreaker": {"enable": False, "rollback": False}, **former}
    merged |= {key: value for key, value in (given or {}).items() if value is not None}
    merged.setdefault("strategy", "ROLLING")
    if merged["strategy"] != "ROLLING":
        raise invalid("The embedded AWS has only the ROLLING deployment strategy.")
    if merged["maximumPercent"] <= 0 or merged["maximumPercent"] < merged["minimumHealthyPercent"]:
        raise invalid("maximumPercent must be greater than 0 and at least minimumHealthyPercent.")
    return merged
