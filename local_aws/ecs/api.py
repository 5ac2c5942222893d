"""The actions of the ECS API. A method an action, named as the action in snake case; request in, answer out."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import botocore.session
import botocore.validate

from local_aws.config import ACCOUNT_ID
from local_aws.ecs import placement, queries, support, task_definitions, views
from local_aws.ecs.errors import EcsError, client, cluster_not_found, invalid
from local_aws.ecs.outside import Outside
from local_aws.ecs.scheduler import check_balancers, end_task, managed_tags, new_task, stop_task
from local_aws.ecs.state import (
    CapacityProvider,
    Cluster,
    Deployment,
    Instance,
    Json,
    Region,
    Service,
    State,
    Task,
    deployment_id,
    new_id,
)

MODEL = botocore.session.get_session().get_service_model("ecs")
AGENT_ACTIONS = {
    "RegisterContainerInstance",
    "DiscoverPollEndpoint",
    "SubmitTaskStateChange",
    "SubmitContainerStateChange",
    "SubmitAttachmentStateChanges",
}
"""Agents newer than botocore's model may send more than it knows: these are not checked for unknown members."""
ACCOUNT_SETTINGS = {
    "serviceLongArnFormat": "enabled",
    "taskLongArnFormat": "enabled",
    "containerInstanceLongArnFormat": "enabled",
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "fargateFIPSMode": "disabled",
    "tagResourceAuthorization": "off",
    "guardDutyActivate": "off",
}
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
CAPABILITY = re.compile(r"(com\.amazonaws\.)?ecs\.capability\.")
PROVIDER_NAME = re.compile(r"(?!aws|ecs|fargate)[A-Za-z0-9_-]{1,255}", re.IGNORECASE)
SERVICE_DEFAULTS = {"minimumHealthyPercent": 100, "maximumPercent": 200}
INACTIVE_SERVICE_SECONDS = 3600.0


class Api:
    """The API of one region.

    Args:
        state, region: what the actions work on.
        outside: the other services (never called with the lock held).
        endpoint: URL of the agents' WebSocket server.
        wake: called after a change that the scheduler should look at now.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        state: State,
        region: Region,
        outside: Outside,
        endpoint: str,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = state
        self.region = region
        self.outside = outside
        self.endpoint = endpoint
        self.wake = wake
        self.clock = clock
        self.unlocked: dict[str, Callable[[Json], Json]] = {
            "RegisterContainerInstance": self.register_container_instance,
            "CreateService": self.create_service,
            "UpdateService": self.update_service,
        }

    def call(self, action: str, request: Json) -> Json:
        """Answer one request.

        Raises:
            EcsError: what AWS would answer.
        """
        method = getattr(self, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower(), None)
        if action not in MODEL.operation_names:
            raise EcsError("UnknownOperationException", f"Amazon ECS has no action {action}.")
        if method is None:
            raise EcsError("UnsupportedFeatureException", f"The embedded AWS does not support ecs:{action}.")
        _validate(action, request)
        support.check(action, MODEL.operation_model(action).input_shape, request)
        for constraint in request.get("placementConstraints") or []:
            queries.parse(constraint.get("expression", ""))
        try:
            if action in self.unlocked:
                answer = self.unlocked[action](request)
            else:
                with self.state.lock:
                    answer = method(request)
        finally:
            if not action.startswith(("Describe", "List", "Discover")):
                self.wake()
        return dict(answer)

    # --- look-ups

    def _cluster(self, request: Json, key: str = "cluster") -> Cluster:
        name = str(request.get(key) or "default").rpartition("/")[2]
        cluster = self.region.clusters.get(name)
        if cluster is None or cluster.status != "ACTIVE":
            raise cluster_not_found()
        return cluster

    def _definition(self, reference: str) -> Json:
        """The definition of an ARN, `family:revision` or `family` (its newest ACTIVE revision)."""
        name = reference.rpartition("/")[2]
        family, _, revision = name.partition(":")
        found = [each for each in self.region.definitions.values() if each["family"] == family]
        if revision:
            found = [each for each in found if str(each["revision"]) == revision]
        else:
            found = [each for each in found if each["status"] == "ACTIVE"]
        if not found:
            raise client("Unable to describe task definition.")
        return max(found, key=lambda each: int(each["revision"]))

    def _active_definition(self, reference: str) -> Json:
        try:
            definition = self._definition(reference)
        except EcsError:
            raise client("TaskDefinition not found.") from None
        if definition["status"] != "ACTIVE":
            raise client("TaskDefinition is inactive")
        return definition

    def _instance(self, cluster: Cluster, reference: str) -> Instance | None:
        name = reference.rpartition("/")[2]
        return next((each for each in self.region.instances_of(cluster.name) if each.id == name), None)

    def _task(self, cluster: Cluster, reference: str) -> Task | None:
        name = reference.rpartition("/")[2]
        return next((each for each in self.region.tasks_of(cluster=cluster.name) if each.id == name), None)

    def _service(self, cluster: Cluster, reference: str) -> Service | None:
        return self.region.services.get(self.region.arn("service", cluster.name, reference.rpartition("/")[2]))

    # --- clusters

    def create_cluster(self, request: Json) -> Json:
        """CreateCluster; the same name again gives the same cluster, as on AWS."""
        name = request.get("clusterName") or "default"
        if not NAME.fullmatch(name):
            raise invalid("Invalid identifier: Identifier is for invalid cluster name.")
        cluster = self.region.clusters.get(name)
        if cluster is None or cluster.status != "ACTIVE":
            settings = {"containerInsights": self._setting("containerInsights")}
            settings |= {each["name"]: each["value"] for each in request.get("settings", [])}
            cluster = Cluster(
                name,
                self.region.arn("cluster", name),
                [{"name": key, "value": value} for key, value in settings.items()],
                request.get("configuration", {}),
                list(request.get("tags", [])),
            )
            self._attach(
                cluster, request.get("capacityProviders", []), request.get("defaultCapacityProviderStrategy", [])
            )
            self.region.clusters[name] = cluster
        return {"cluster": views.cluster(self.region, cluster, ["SETTINGS", "TAGS", "CONFIGURATIONS"])}

    def describe_clusters(self, request: Json) -> Json:
        """DescribeClusters."""
        clusters, failures = [], []
        for reference in request.get("clusters") or ["default"]:
            name = reference.rpartition("/")[2]
            cluster = self.region.clusters.get(name)
            if cluster is None:
                failures.append({"arn": self.region.arn("cluster", name), "reason": "MISSING"})
            else:
                clusters.append(views.cluster(self.region, cluster, request.get("include", [])))
        return {"clusters": clusters, "failures": failures}

    def list_clusters(self, request: Json) -> Json:
        """ListClusters."""
        arns = [each.arn for each in self.region.clusters.values() if each.status == "ACTIVE"]
        return _page("clusterArns", arns, request)

    def update_cluster(self, request: Json) -> Json:
        """UpdateCluster."""
        cluster = self._cluster(request)
        if "configuration" in request:
            cluster.configuration = request["configuration"]
        return self.update_cluster_settings({"cluster": cluster.name, "settings": request.get("settings", [])})

    def update_cluster_settings(self, request: Json) -> Json:
        """UpdateClusterSettings."""
        cluster = self._cluster(request)
        settings = {each["name"]: each["value"] for each in cluster.settings + request["settings"]}
        cluster.settings = [{"name": key, "value": value} for key, value in settings.items()]
        return {"cluster": views.cluster(self.region, cluster, ["SETTINGS", "TAGS", "CONFIGURATIONS"])}

    def delete_cluster(self, request: Json) -> Json:
        """DeleteCluster; refused while the cluster has instances, services or tasks."""
        cluster = self._cluster(request)
        if any(each.cluster == cluster.name and each.status != "INACTIVE" for each in self.region.services.values()):
            raise EcsError(
                "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
            )
        if self.region.instances_of(cluster.name):
            raise EcsError(
                "ClusterContainsContainerInstancesException",
                "The Cluster cannot be deleted while Container Instances are active or draining.",
            )
        if any(task.active for task in self.region.tasks_of(cluster=cluster.name)):
            raise EcsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        cluster.status, cluster.providers, cluster.strategy = "INACTIVE", [], []
        return {"cluster": views.cluster(self.region, cluster, ["SETTINGS", "TAGS", "CONFIGURATIONS"])}

    def put_cluster_capacity_providers(self, request: Json) -> Json:
        """PutClusterCapacityProviders; a provider that tasks use cannot be taken away."""
        cluster = self._cluster(request)
        self._attach(cluster, request["capacityProviders"], request["defaultCapacityProviderStrategy"])
        return {"cluster": views.cluster(self.region, cluster, ["SETTINGS", "TAGS", "CONFIGURATIONS"])}

    def _attach(self, cluster: Cluster, providers: list[str], strategy: list[Json]) -> None:
        names = [each.rpartition("/")[2] for each in providers]
        for name in names:
            if name not in self.region.providers and name not in ("FARGATE", "FARGATE_SPOT"):
                raise invalid(f"The specified capacity provider {name} was not found.")
        for name in set(cluster.providers) - set(names):
            if any(task.provider == name and task.active for task in self.region.tasks_of(cluster=cluster.name)) or any(
                name in _providers(each.request) and each.cluster == cluster.name and each.status == "ACTIVE"
                for each in self.region.services.values()
            ):
                raise EcsError(
                    "ResourceInUseException", "The specified capacity provider is in use and cannot be removed."
                )
        for item in strategy:
            if item["capacityProvider"] not in names:
                raise invalid(f"The specified capacity provider {item['capacityProvider']} is not in the cluster.")
        cluster.providers = names
        cluster.strategy = [{"weight": 0, "base": 0, **item} for item in strategy]

    # --- capacity providers

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
            return _page("capacityProviders", every, request)
        found, failures = [], []
        for reference in wanted:
            provider = self.region.providers.get(reference.rpartition("/")[2])
            if provider:
                found.append(views.capacity_provider(provider, include))
            else:
                arn = self.region.arn("capacity-provider", reference.rpartition("/")[2])
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"capacityProviders": found, "failures": failures}

    def _provider(self, reference: str) -> CapacityProvider:
        provider = self.region.providers.get(reference.rpartition("/")[2])
        if provider is None:
            raise client("The specified capacity provider does not exist. Specify a valid name or ARN and try again.")
        return provider

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

    # --- task definitions

    def register_task_definition(self, request: Json) -> Json:
        """RegisterTaskDefinition: the next revision of its family."""
        task_definitions.validate(request)
        family = request["family"]
        revision = self.region.revisions.get(family, 0) + 1
        self.region.revisions[family] = revision
        arn = self.region.arn("task-definition", f"{family}:{revision}")
        definition = {
            "taskDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "registeredAt": self.clock(),
            "registeredBy": f"arn:aws:iam::{ACCOUNT_ID}:root",
            **task_definitions.complete(request),
        }
        self.region.definitions[arn] = definition
        self.region.definition_tags[arn] = list(request.get("tags", []))
        answer: Json = {"taskDefinition": definition}
        if request.get("tags"):
            answer["tags"] = request["tags"]
        return answer

    def describe_task_definition(self, request: Json) -> Json:
        """DescribeTaskDefinition."""
        definition = self._definition(request["taskDefinition"])
        answer: Json = {"taskDefinition": definition}
        if "TAGS" in request.get("include", []):
            answer["tags"] = self.region.definition_tags.get(definition["taskDefinitionArn"], [])
        return answer

    def deregister_task_definition(self, request: Json) -> Json:
        """DeregisterTaskDefinition."""
        if ":" not in request["taskDefinition"].rpartition("/")[2]:
            raise invalid("Specified task definition must include revision, for example family:revision.")
        definition = self._definition(request["taskDefinition"])
        definition["status"] = "INACTIVE"
        definition["deregisteredAt"] = self.clock()
        return {"taskDefinition": definition}

    def delete_task_definitions(self, request: Json) -> Json:
        """DeleteTaskDefinitions; only INACTIVE ones, and none that is in use."""
        deleted, failures = [], []
        for reference in request["taskDefinitions"]:
            try:
                definition = self._definition(reference)
            except EcsError:
                failures.append({"arn": reference, "reason": "The specified task definition was not found."})
                continue
            arn = definition["taskDefinitionArn"]
            if definition["status"] != "INACTIVE":
                reason = "The specified task definition is still in ACTIVE status. Please deregister and try again."
                failures.append({"arn": arn, "reason": reason})
                continue
            definition["status"], definition["deleteRequestedAt"] = "DELETE_IN_PROGRESS", self.clock()
            deleted.append(dict(definition))
            if not self._in_use(arn):
                del self.region.definitions[arn]
                self.region.definition_tags.pop(arn, None)
        return {"taskDefinitions": deleted, "failures": failures}

    def _in_use(self, arn: str) -> bool:
        return any(
            task.active and task.definition["taskDefinitionArn"] == arn for task in self.region.tasks.values()
        ) or any(
            deployment.task_definition == arn
            for service in self.region.services.values()
            for deployment in service.deployments
        )

    def list_task_definitions(self, request: Json) -> Json:
        """ListTaskDefinitions, oldest first unless `sort` is DESC."""
        status = request.get("status", "ACTIVE")
        found = [
            each
            for each in self.region.definitions.values()
            if each["status"] == status and each["family"] == (request.get("familyPrefix") or each["family"])
        ]
        found.sort(key=lambda each: (each["family"], each["revision"]), reverse=request.get("sort") == "DESC")
        return _page("taskDefinitionArns", [each["taskDefinitionArn"] for each in found], request)

    def list_task_definition_families(self, request: Json) -> Json:
        """ListTaskDefinitionFamilies."""
        status, prefix = request.get("status", "ALL"), request.get("familyPrefix", "")
        active = {each["family"] for each in self.region.definitions.values() if each["status"] == "ACTIVE"}
        names = {"ACTIVE": active, "INACTIVE": set(self.region.revisions) - active}.get(
            status, set(self.region.revisions)
        )
        return _page("families", sorted(name for name in names if name.startswith(prefix)), request)

    # --- container instances

    def register_container_instance(self, request: Json) -> Json:
        """RegisterContainerInstance, from an agent. Its capacity provider is found now or never.

        An instance belongs to a provider only if its Auto Scaling group was one when the instance registered
        (ECS developer guide, "Amazon ECS capacity providers for the EC2 launch type", considerations).
        """
        document = json.loads(request.get("instanceIdentityDocument") or "{}")
        token = request.get("clientToken", "")
        ec2_id = document.get("instanceId", "")
        group = self.outside.auto_scaling_group(ec2_id) if ec2_id else ""
        zone = document.get("availabilityZone") or (self.outside.availability_zone(ec2_id) if ec2_id else "")
        with self.state.lock:
            try:
                cluster = self._cluster(request)
            except EcsError as error:
                # For this action alone it is no ClusterNotFoundException, and the agent ends for good
                # (https://github.com/aws/amazon-ecs-agent/issues/4689, log of 2025-06-19).
                raise client(error.message) from error
            attributes = list(request.get("attributes", []))
            total = {each["name"]: _amount(each) for each in request.get("totalResources", [])}
            known = request.get("containerInstanceArn")
            if known:
                instance = self._instance(cluster, known)
                if instance is None:  # in AWS's words: https://github.com/aws/amazon-ecs-agent/issues/583
                    raise client(f"Container instance {known.rpartition('/')[2]} is inactive.")
                instance.total = total
                instance.version_info = request.get("versionInfo") or instance.version_info
                instance.version += 1
                # Attributes that were put by PutAttributes stay; a capability that is not sent again is gone.
                sent = {each["name"] for each in attributes}
                instance.attributes = attributes + [
                    each
                    for each in instance.attributes
                    if each["name"] not in sent and not CAPABILITY.match(each["name"])
                ]
            elif not (instance := self._registered_by(token)):
                self._forget_former(ec2_id)
                instance = Instance(
                    self.region.arn("container-instance", cluster.name, new_id()),
                    cluster.name,
                    ec2_id,
                    attributes,
                    total,
                    request.get("versionInfo", {}),
                    list(request.get("tags", [])),
                    self.clock(),
                    self._provider_of(cluster, group),
                    zone=zone,
                    client_token=token,
                )
                placed = {"ecs.availability-zone": zone, "ecs.instance-type": document.get("instanceType", ""),
                          "ecs.ami-id": document.get("imageId", ""), "ecs.os-type": "linux",
                          "ecs.cpu-architecture": document.get("architecture", "")}  # fmt: skip
                sent = {each["name"] for each in attributes}
                instance.attributes += [
                    {"name": name, "value": value} for name, value in placed.items() if value and name not in sent
                ]
                self.region.instances[instance.arn] = instance
            return {"containerInstance": views.instance(self.region, instance, ["TAGS"])}

    def _registered_by(self, token: str) -> Instance | None:
        """The instance of an earlier request with this client token: its answer may have been lost on the way."""
        return next((each for each in self.region.instances.values() if token and each.client_token == token), None)

    def _forget_former(self, ec2_id: str) -> None:
        """A host that lost its agent's data registers anew: what ran under its former registration is gone."""
        for former in [each for each in self.region.instances.values() if each.ec2_id == ec2_id and ec2_id]:
            for task in self.region.tasks_of(instance=former.arn):
                if task.active:
                    reason = f"Container instance {former.id} registered anew."
                    end_task(task, reason, "TerminationNotice", self.clock())
            self._drop(former)

    def _drop(self, instance: Instance) -> None:
        """Forget a container instance. Its agent is cut off, and refused when it connects anew."""
        channel, instance.channel = instance.channel, None
        if channel:
            channel.close()
        del self.region.instances[instance.arn]

    def _provider_of(self, cluster: Cluster, group: str) -> str:
        for name in cluster.providers:
            provider = self.region.providers.get(name)
            if group and provider and provider.group_name == group:
                return name
        return ""

    def deregister_container_instance(self, request: Json) -> Json:
        """DeregisterContainerInstance; with tasks on it only by `force`."""
        cluster = self._cluster(request)
        instance = self._instance(cluster, request["containerInstance"])
        if instance is None:
            raise invalid("The specified container instance was not found in the cluster.")
        tasks = [task for task in self.region.tasks_of(instance=instance.arn) if task.active]
        if tasks and not request.get("force"):
            raise invalid("Found running tasks on the instance.")
        for task in tasks:
            end_task(task, "Container instance was deregistered.", "ServiceSchedulerInitiated", self.clock())
        instance.status = "INACTIVE"
        self._drop(instance)
        return {"containerInstance": views.instance(self.region, instance, ["TAGS"])}

    def describe_container_instances(self, request: Json) -> Json:
        """DescribeContainerInstances."""
        cluster = self._cluster(request)
        found, failures = [], []
        for reference in request["containerInstances"]:
            instance = self._instance(cluster, reference)
            if instance:
                found.append(views.instance(self.region, instance, request.get("include", [])))
            else:
                arn = self.region.arn("container-instance", cluster.name, reference.rpartition("/")[2])
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"containerInstances": found, "failures": failures}

    def list_container_instances(self, request: Json) -> Json:
        """ListContainerInstances, by status and by a cluster query expression (see `queries`)."""
        cluster = self._cluster(request)
        status, matches = request.get("status"), queries.parse(request.get("filter", ""))
        arns = [
            each.arn
            for each in self.region.instances_of(cluster.name)
            if (each.status == status if status else each.status in ("ACTIVE", "DRAINING"))
            and matches(each, self.region)
        ]
        return _page("containerInstanceArns", arns, request)

    def update_container_instances_state(self, request: Json) -> Json:
        """UpdateContainerInstancesState: ACTIVE or DRAINING."""
        cluster = self._cluster(request)
        if request["status"] not in ("ACTIVE", "DRAINING"):
            raise invalid("Container instance status should be one of [ACTIVE,DRAINING]")
        found, failures = [], []
        for reference in request["containerInstances"]:
            instance = self._instance(cluster, reference)
            if instance is None:
                failures.append({"arn": reference, "reason": "MISSING"})
                continue
            instance.status = request["status"]
            instance.version += 1
            found.append(views.instance(self.region, instance, []))
        return {"containerInstances": found, "failures": failures}

    def update_container_agent(self, request: Json) -> Json:
        """UpdateContainerAgent: there is never a newer stand-in agent."""
        self._cluster(request)
        raise EcsError("NoUpdateAvailableException", "There is no update available for your container agent.")

    # --- tasks

    def run_task(self, request: Json) -> Json:
        """RunTask: places up to `count` tasks now; what has no place is a failure, not an error.

        A request that started tasks and comes again with its client token starts no others.
        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ECS_Idempotency.html
        """
        cluster = self._cluster(request)
        key = cluster.name, request.get("clientToken", "")
        asked, arns = self.region.run_tokens.get(key, ({}, []))
        if not arns:
            answer = self._run_task(cluster, request)
            if key[1] and answer["tasks"]:
                self.region.run_tokens[key] = request, [task["taskArn"] for task in answer["tasks"]]
            return answer
        if request != asked:
            raise EcsError("ConflictException", "The clientToken is already in use with a different RunTask request.")
        known = [self.region.tasks[arn] for arn in arns if arn in self.region.tasks]
        return {"tasks": [views.task(self.region, task, ["TAGS"]) for task in known], "failures": []}

    def _run_task(self, cluster: Cluster, request: Json) -> Json:
        definition = self._active_definition(request["taskDefinition"])
        count = request.get("count", 1)
        if not 1 <= count <= 10:
            raise invalid("Task count must be between 1 and 10.")
        strategy, launch_type = self._capacity(request, cluster)
        merged = task_definitions.merge_overrides(definition, request.get("overrides", {}))
        group = request.get("group") or f"family:{definition['family']}"
        tasks: list[Task] = []
        failures: list[Json] = []
        for _ in range(count):
            instance, provider, refusals = placement.place(
                self.region,
                cluster.name,
                merged,
                launch_type=launch_type,
                strategy=strategy,
                constraints=request.get("placementConstraints", []),
                placement=request.get("placementStrategy", []),
                group=group,
            )
            if instance is None:
                if not [each for each in refusals if each.code != "DRAINING"]:
                    if strategy and not launch_type:
                        raise invalid("No Container Instances were found in your capacity provider.")
                    raise invalid("No Container Instances were found in your cluster.")
                failures += [{"arn": each.instance.arn, "reason": each.code} for each in refusals]
                break
            task = new_task(
                self.region, cluster.name, merged, instance, group=group, now=self.clock(), provider=provider
            )
            self._fill(task, request)
            tasks.append(task)
        return {"tasks": [views.task(self.region, task, ["TAGS"]) for task in tasks], "failures": failures}

    def start_task(self, request: Json) -> Json:
        """StartTask on named container instances."""
        cluster = self._cluster(request)
        definition = self._active_definition(request["taskDefinition"])
        merged = task_definitions.merge_overrides(definition, request.get("overrides", {}))
        group = request.get("group") or f"family:{definition['family']}"
        tasks, failures = [], []
        for reference in request["containerInstances"]:
            instance = self._instance(cluster, reference)
            if instance is None:
                failures.append({"arn": reference, "reason": "MISSING"})
                continue
            on_it = list(self.region.tasks_of(instance=instance.arn))
            code = placement.refusal(instance, on_it, placement.needs(merged))
            if code:
                failures.append({"arn": instance.arn, "reason": code})
                continue
            task = new_task(self.region, cluster.name, merged, instance, group=group, now=self.clock())
            self._fill(task, request)
            tasks.append(task)
        return {"tasks": [views.task(self.region, task, ["TAGS"]) for task in tasks], "failures": failures}

    def _fill(self, task: Task, request: Json) -> None:
        task.started_by = request.get("startedBy", "")
        task.overrides = request.get("overrides", {})
        task.exec_enabled = request.get("enableExecuteCommand", False)
        task.tags = list(request.get("tags", []))
        if request.get("propagateTags") == "TASK_DEFINITION":
            own = {tag["key"] for tag in task.tags}
            inherited = self.region.definition_tags.get(task.definition["taskDefinitionArn"], [])
            task.tags += [dict(tag) for tag in inherited if tag["key"] not in own]
        if request.get("enableECSManagedTags"):
            task.tags += managed_tags(task.cluster)

    def _capacity(self, request: Json, cluster: Cluster) -> tuple[list[Json], str]:
        """Capacity provider strategy and launch type of a request; the cluster's default if it has neither."""
        strategy, launch_type = request.get("capacityProviderStrategy"), request.get("launchType")
        if strategy and launch_type:
            raise invalid(
                "Specifying both a launch type and capacity provider strategy is not supported. "
                "Remove one and try again."
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

    def stop_task(self, request: Json) -> Json:
        """StopTask."""
        cluster = self._cluster(request)
        task = self._task(cluster, request["task"])
        if task is None:
            raise invalid("The referenced task was not found.")
        stop_task(task, request.get("reason") or "Task stopped by user", "UserInitiated", self.clock())
        return {"task": views.task(self.region, task, ["TAGS"])}

    def describe_tasks(self, request: Json) -> Json:
        """DescribeTasks."""
        cluster = self._cluster(request)
        found, failures = [], []
        for reference in request["tasks"]:
            task = self._task(cluster, reference)
            if task:
                found.append(views.task(self.region, task, request.get("include", [])))
            else:
                arn = self.region.arn("task", cluster.name, reference.rpartition("/")[2])
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"tasks": found, "failures": failures}

    def list_tasks(self, request: Json) -> Json:
        """ListTasks; running ones unless `desiredStatus` is STOPPED."""
        cluster = self._cluster(request)
        desired = request.get("desiredStatus", "RUNNING")
        tasks: Iterable[Task] = (task for task in self.region.tasks_of(cluster=cluster.name) if task.desired == desired)
        if reference := request.get("containerInstance"):
            instance = self._instance(cluster, reference)
            if instance is None:
                raise invalid("The referenced container instance was not found.")
            tasks = [task for task in tasks if task.instance == instance.arn]
        if reference := request.get("serviceName"):
            service = self._service(cluster, reference)
            if service is None:
                raise EcsError("ServiceNotFoundException", "Service not found.")
            tasks = [task for task in tasks if task.service == service.arn]
        if family := request.get("family"):
            tasks = [task for task in tasks if task.definition["family"] == family]
        if started_by := request.get("startedBy"):
            tasks = [task for task in tasks if task.started_by == started_by]
        return _page("taskArns", [task.arn for task in tasks], request)

    def execute_command(self, request: Json) -> Json:
        """ExecuteCommand: refused as AWS does where the task has no working exec agent."""
        cluster = self._cluster(request)
        if self._task(cluster, request["task"]) is None:
            raise invalid("The referenced task was not found.")
        raise invalid(
            "The execute command failed because execute command was not enabled when the task was run or the execute "
            "command agent isn't running. Wait and try again or run a new task with execute command enabled and try "
            "again. (The embedded AWS has no Session Manager: use docker exec on the host.)"
        )

    # --- services

    def create_service(self, request: Json) -> Json:
        """CreateService."""
        groups = [each["targetGroupArn"] for each in request.get("loadBalancers", []) if each.get("targetGroupArn")]
        for group in groups:
            self.outside.check_target_group(group)
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
            strategy, launch_type = self._capacity(request, cluster)
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

    def update_service(self, request: Json) -> Json:
        """UpdateService; a new task definition, capacity or `forceNewDeployment` begins a deployment."""
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
                strategy, launch_type = self._capacity(request, cluster)
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
        cluster = self._cluster(request)
        found, failures = [], []
        for reference in request["services"]:
            service = self._service(cluster, reference)
            if service:
                found.append(views.service(self.region, service, request.get("include", [])))
            else:
                arn = self.region.arn("service", cluster.name, reference.rpartition("/")[2])
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"services": found, "failures": failures}

    def list_services(self, request: Json) -> Json:
        """ListServices."""
        cluster = self._cluster(request)
        arns = [
            each.arn
            for each in self.region.services.values()
            if each.cluster == cluster.name and each.status != "INACTIVE" and request.get("launchType", "EC2") == "EC2"
        ]
        return _page("serviceArns", arns, request)

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
        return _page("serviceDeployments", briefs, request)

    def describe_service_deployments(self, request: Json) -> Json:
        """DescribeServiceDeployments."""
        found: list[Json] = []
        failures: list[Json] = []
        for arn in request["serviceDeploymentArns"]:
            found += [
                views.service_deployment(self.region, service, deployment)
                for service in self.region.services.values()
                for deployment in service.deployments + service.history
                if deployment.arn == arn
            ]
            if not any(each["serviceDeploymentArn"] == arn for each in found):
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"serviceDeployments": found, "failures": failures}

    # --- tags, attributes, settings

    def _tags(self, arn: str) -> list[dict[str, str]]:
        tags = views.tags_of(self.region, arn)
        if tags is None:
            raise invalid("The specified resource was not found. Specify a valid ARN and try again.")
        return tags

    def list_tags_for_resource(self, request: Json) -> Json:
        """ListTagsForResource."""
        return {"tags": self._tags(request["resourceArn"])}

    def tag_resource(self, request: Json) -> Json:
        """TagResource."""
        tags = self._tags(request["resourceArn"])
        new = {each["key"] for each in request["tags"]}
        tags[:] = [each for each in tags if each["key"] not in new] + request["tags"]
        return {}

    def untag_resource(self, request: Json) -> Json:
        """UntagResource."""
        tags = self._tags(request["resourceArn"])
        tags[:] = [each for each in tags if each["key"] not in request["tagKeys"]]
        return {}

    def put_attributes(self, request: Json) -> Json:
        """PutAttributes on container instances."""
        cluster = self._cluster(request)
        for attribute in request["attributes"]:
            instance = self._instance(cluster, attribute.get("targetId", ""))
            if instance is None:
                raise EcsError("TargetNotFoundException", "The specified target wasn't found.")
            plain = {key: attribute[key] for key in ("name", "value") if key in attribute}
            instance.attributes = [each for each in instance.attributes if each["name"] != plain["name"]] + [plain]
        return {"attributes": request["attributes"]}

    def delete_attributes(self, request: Json) -> Json:
        """DeleteAttributes of container instances."""
        cluster = self._cluster(request)
        for attribute in request["attributes"]:
            instance = self._instance(cluster, attribute.get("targetId", ""))
            if instance is None:
                raise EcsError("TargetNotFoundException", "The specified target wasn't found.")
            instance.attributes = [each for each in instance.attributes if each["name"] != attribute["name"]]
        return {"attributes": request["attributes"]}

    def list_attributes(self, request: Json) -> Json:
        """ListAttributes of container instances."""
        cluster = self._cluster(request)
        found = [
            {**attribute, "targetId": instance.arn}
            for instance in self.region.instances_of(cluster.name)
            for attribute in instance.attributes
            if attribute["name"] == request.get("attributeName", attribute["name"])
            and attribute.get("value") == request.get("attributeValue", attribute.get("value"))
        ]
        return _page("attributes", found, request)

    def _setting(self, name: str) -> str:
        return self.region.account_settings.get(name, ACCOUNT_SETTINGS.get(name, ""))

    def list_account_settings(self, request: Json) -> Json:
        """ListAccountSettings."""
        names = [request["name"]] if request.get("name") else sorted(ACCOUNT_SETTINGS)
        principal = f"arn:aws:iam::{ACCOUNT_ID}:root"
        shown = (
            names
            if request.get("effectiveSettings")
            else [name for name in names if name in self.region.account_settings]
        )
        settings = [
            {"name": name, "value": self._setting(name), "principalArn": principal, "type": "user"} for name in shown
        ]
        return _page("settings", settings, request)

    def put_account_setting(self, request: Json) -> Json:
        """PutAccountSetting; one principal, so the same as the default."""
        if request["name"] not in ACCOUNT_SETTINGS:
            raise invalid(f"The setting name {request['name']} is not supported by the embedded AWS.")
        self.region.account_settings[request["name"]] = request["value"]
        principal = f"arn:aws:iam::{ACCOUNT_ID}:root"
        setting = {"name": request["name"], "value": request["value"], "principalArn": principal, "type": "user"}
        return {"setting": setting}

    def put_account_setting_default(self, request: Json) -> Json:
        """PutAccountSettingDefault."""
        return self.put_account_setting(request)

    def delete_account_setting(self, request: Json) -> Json:
        """DeleteAccountSetting."""
        self.region.account_settings.pop(request["name"], None)
        principal = f"arn:aws:iam::{ACCOUNT_ID}:root"
        value = self._setting(request["name"])
        return {"setting": {"name": request["name"], "value": value, "principalArn": principal, "type": "user"}}

    # --- the agent

    def discover_poll_endpoint(self, request: Json) -> Json:
        """DiscoverPollEndpoint: where the agent's sockets are. The agent appends /ws to each."""
        del request
        return {"endpoint": self.endpoint, "telemetryEndpoint": f"{self.endpoint}/telemetry"}

    def submit_task_state_change(self, request: Json) -> Json:
        """SubmitTaskStateChange."""
        task = self.region.tasks.get(request.get("task", ""))
        if task is not None and task.status != "STOPPED":
            now = self.clock()
            for each in request.get("containers", []):
                self._container_change(task, each)
            for key, name in (
                ("pullStartedAt", "pull_started_at"),
                ("pullStoppedAt", "pull_stopped_at"),
                ("executionStoppedAt", "execution_stopped_at"),
            ):
                if request.get(key) is not None:
                    setattr(task, name, request[key])
            status = request.get("status", "")
            if status == "RUNNING" and task.status == "PENDING":
                task.status, task.started_at = "RUNNING", now
            elif status == "STOPPED":
                self._stopped(task, request.get("reason", ""), now)
            task.version += 1
        return {"acknowledgment": new_id()}

    def _stopped(self, task: Task, reason: str, now: float) -> None:
        if task.desired == "RUNNING":  # nobody asked for it
            # A container that could never start is reported with an exit code too, 143. One that runs although its
            # image could not be pulled has such a reason as well.
            failed = task.started_at is None and (
                all(each.exit_code is None for each in task.containers)
                or any(each.reason.startswith("Cannot") and each.exit_code in (None, 143) for each in task.containers)
            )
            task.stop_code = "TaskFailedToStart" if failed else "EssentialContainerExited"
            task.stopped_reason = reason or ("Task failed to start" if failed else "Essential container in task exited")
            task.stopping_at = now
        task.desired = task.status = "STOPPED"
        task.stopped_at = now
        task.execution_stopped_at = task.execution_stopped_at or now
        for container in task.containers:
            container.status = "STOPPED"

    @staticmethod
    def _container_change(task: Task, change: Json) -> None:
        container = task.container(change["containerName"])
        if container is None:
            return
        container.status = change.get("status", container.status)
        container.runtime_id = change.get("runtimeId", container.runtime_id)
        container.image_digest = change.get("imageDigest", container.image_digest)
        container.exit_code = change.get("exitCode", container.exit_code)
        container.reason = change.get("reason", container.reason)
        if "networkBindings" in change:
            container.bindings = change["networkBindings"]

    def submit_container_state_change(self, request: Json) -> Json:
        """SubmitContainerStateChange."""
        task = self.region.tasks.get(request.get("task", ""))
        if task is not None and request.get("containerName"):
            self._container_change(task, request)
        return {"acknowledgment": new_id()}

    def submit_attachment_state_changes(self, request: Json) -> Json:
        """SubmitAttachmentStateChanges: bridge tasks have no attachments."""
        del request
        return {"acknowledgment": new_id()}


def _validate(action: str, request: Json) -> None:
    """Check `request` against the service model; unknown members too, unless an agent sent it."""
    shape = MODEL.operation_model(action).input_shape
    if action in AGENT_ACTIONS:
        request = {key: value for key, value in request.items() if key in shape.members}
        if action == "RegisterContainerInstance" or action == "SubmitTaskStateChange":
            return
    report = botocore.validate.ParamValidator().validate(request, shape)
    if report.has_errors():
        raise invalid(report.generate_report())


def _page(key: str, items: list[Any], request: Json) -> Json:
    start = int(request.get("nextToken") or 0)
    size = int(request.get("maxResults") or 100)
    answer: Json = {key: items[start : start + size]}
    if start + size < len(items):
        answer["nextToken"] = str(start + size)
    return answer


def _amount(resource: Json) -> int | list[str]:
    if resource.get("type") == "STRINGSET":
        return list(resource.get("stringSetValue") or [])
    return int(resource.get("integerValue") or 0)


def _providers(request: Json) -> list[str]:
    return [each["capacityProvider"] for each in request.get("capacityProviderStrategy") or []]


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


def _deployment_configuration(former: Json, given: Json | None) -> Json:
    merged = {**SERVICE_DEFAULTS, "deploymentCircuitBreaker": {"enable": False, "rollback": False}, **former}
    merged |= {key: value for key, value in (given or {}).items() if value is not None}
    merged.setdefault("strategy", "ROLLING")
    if merged["strategy"] != "ROLLING":
        raise invalid("The embedded AWS has only the ROLLING deployment strategy.")
    if merged["maximumPercent"] <= 0 or merged["maximumPercent"] < merged["minimumHealthyPercent"]:
        raise invalid("maximumPercent must be greater than 0 and at least minimumHealthyPercent.")
    return merged
