"""Container instances: how hosts come, drain and go."""

from __future__ import annotations

import json
import re

from local_aws.ecs import queries, views
from local_aws.ecs.actions.base import Actions, page
from local_aws.ecs.errors import EcsError, client, invalid
from local_aws.ecs.scheduler import end_task
from local_aws.ecs.state import Cluster, Instance, Json, new_id

CAPABILITY = re.compile(r"(com\.amazonaws\.)?ecs\.capability\.")


class ContainerInstances(Actions):
    """RegisterContainerInstance, DescribeContainerInstances and the like."""

    unlocked = frozenset({"RegisterContainerInstance"})

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
        return self._described(request, "containerInstances", "container-instance", self._instance, views.instance)

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
        return page("containerInstanceArns", arns, request)

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


def _amount(resource: Json) -> int | list[str]:
    if resource.get("type") == "STRINGSET":
        return list(resource.get("stringSetValue") or [])
    return int(resource.get("integerValue") or 0)
