"""The other services that ECS works with: load balancing, EC2, Auto Scaling, STS."""

from __future__ import annotations

import contextlib
import os
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import ClientError

from local_aws.access import roles
from local_aws.cloud import Cloud
from local_aws.ecs.errors import invalid
from local_aws.ecs.state import Json

GONE = ("shutting-down", "terminated")
LINKED = "ecs.amazonaws.com"
"""What ECS's own role is linked to."""
first_day = os.environ.get("LOCAL_AWS_FIRST_DAY", "") == "true"
"""Behave as an account that has never had a cluster: ECS makes its role with the first, and cannot assume it yet.

https://github.com/1Password/scim-examples/issues/356 has how it comes to that.
"""


class TargetHealth(NamedTuple):
    """A target as its load balancer sees it: `initial`, `healthy`, `unhealthy`, `draining`…, and why in ELB's words."""

    state: str
    description: str = ""


class Outside(Protocol):
    """What the scheduler asks of other services. Calls are made without the state's lock."""

    def target_health(self, target_group: str) -> dict[tuple[str, int], TargetHealth]:
        """Health of each registered target, by (instance id, port)."""

    def check_target_group(self, target_group: str) -> None:
        """Raise EcsError unless the target group is there and some listener uses it."""

    def register(self, target_group: str, targets: list[tuple[str, int]]) -> None:
        """Register targets."""

    def deregister(self, target_group: str, targets: list[tuple[str, int]]) -> None:
        """Deregister targets."""

    def deregistration_delay(self, target_group: str) -> float:
        """Seconds that a target stays draining."""

    def instances_gone(self, ids: set[str]) -> set[str]:
        """Which of these EC2 instances are terminated."""

    def auto_scaling_group(self, instance_id: str) -> str:
        """Name of the instance's Auto Scaling group, empty if it has none."""

    def availability_zone(self, instance_id: str) -> str:
        """The instance's zone, empty if EC2 does not know the instance."""

    def has_linked_role(self) -> bool:
        """Whether ECS can act in the account, by its service-linked role."""

    def assume_role(self, role: str, session: str) -> Json:
        """Credentials of a role: AccessKeyId, SecretAccessKey, SessionToken.

        Raises:
            local_aws.access.roles.RoleRefused: ECS may not assume it.
        """


class Services:
    """`Outside` by the APIs of the embedded AWS."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloud = cloud
        self._region = region
        self._seen: set[str] = set()

    def _client(self, service: str) -> Any:
        return self._cloud.client(service, self._region)

    def target_health(self, target_group: str) -> dict[tuple[str, int], TargetHealth]:
        """See `Outside`; a group that is gone has no targets."""
        try:
            found = self._cloud.look("elbv2", "describe_target_health", self._region, TargetGroupArn=target_group)
        except ClientError as error:
            if "TargetGroupNotFound" in str(error):
                return {}
            raise
        return {
            (each["Target"]["Id"], each["Target"]["Port"]): TargetHealth(
                each["TargetHealth"]["State"], each["TargetHealth"].get("Description") or ""
            )
            for each in found["TargetHealthDescriptions"]
        }

    def check_target_group(self, target_group: str) -> None:
        """See `Outside`. Services must depend on their listener, in CloudFormation by DependsOn."""
        try:
            found = self._client("elbv2").describe_target_groups(TargetGroupArns=[target_group])["TargetGroups"]
        except ClientError:
            raise invalid(f"The target group {target_group} does not exist.") from None
        if not found or not found[0].get("LoadBalancerArns"):
            raise invalid(
                f"The target group with targetGroupArn {target_group} does not have an associated load balancer."
            )

    def register(self, target_group: str, targets: list[tuple[str, int]]) -> None:
        """See `Outside`."""
        self._client("elbv2").register_targets(
            TargetGroupArn=target_group, Targets=[{"Id": name, "Port": port} for name, port in targets]
        )

    def deregister(self, target_group: str, targets: list[tuple[str, int]]) -> None:
        """See `Outside`; a group or target that is gone is fine."""
        with contextlib.suppress(
            self._client("elbv2").exceptions.TargetGroupNotFoundException,
            self._client("elbv2").exceptions.InvalidTargetException,
        ):
            self._client("elbv2").deregister_targets(
                TargetGroupArn=target_group, Targets=[{"Id": name, "Port": port} for name, port in targets]
            )

    def deregistration_delay(self, target_group: str) -> float:
        """See `Outside`; AWS's default is 300 seconds."""
        try:
            found = self._cloud.look(
                "elbv2", "describe_target_group_attributes", self._region, TargetGroupArn=target_group
            )
        except ClientError as error:
            if "TargetGroupNotFound" in str(error):
                return 0.0
            raise
        values = {each["Key"]: each["Value"] for each in found["Attributes"]}
        return float(values.get("deregistration_delay.timeout_seconds", 300))

    def instances_gone(self, ids: set[str]) -> set[str]:
        """See `Outside`. An instance that EC2 never knew (an external one) is never gone."""
        if not ids:
            return set()
        filters = [{"Name": "instance-id", "Values": sorted(ids)}]
        found = self._cloud.look("ec2", "describe_instances", self._region, Filters=filters)
        states = {
            instance["InstanceId"]: instance["State"]["Name"]
            for reservation in found["Reservations"]
            for instance in reservation["Instances"]
        }
        self._seen |= set(states)
        return {each for each in ids if states.get(each, "terminated" if each in self._seen else "") in GONE}

    def auto_scaling_group(self, instance_id: str) -> str:
        """See `Outside`."""
        found = self._client("autoscaling").describe_auto_scaling_instances(InstanceIds=[instance_id])
        return str(next((each["AutoScalingGroupName"] for each in found["AutoScalingInstances"]), ""))

    def availability_zone(self, instance_id: str) -> str:
        """See `Outside`."""
        found = self._client("ec2").describe_instances(Filters=[{"Name": "instance-id", "Values": [instance_id]}])
        for reservation in found["Reservations"]:
            for instance in reservation["Instances"]:
                return str(instance["Placement"]["AvailabilityZone"])
        return ""

    def has_linked_role(self) -> bool:
        """See `Outside`. A first cluster makes the role, and comes too early for it, as far as `first_day` goes."""
        if not first_day:
            return True
        iam = self._client("iam")
        if iam.list_roles(PathPrefix=f"/aws-service-role/{LINKED}/")["Roles"]:
            return True
        iam.create_service_linked_role(AWSServiceName=LINKED)
        return False

    def assume_role(self, role: str, session: str) -> Json:
        """See `Outside`."""
        return roles.assume(self._cloud, role, session, roles.TASKS, roles.source_of_tasks(self._region))
