"""Auto Scaling groups that launch what their launch source says, where it says, and tell what they did."""

from __future__ import annotations

import base64
import os
import threading
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    InstanceState,
    TerminateInstanceActivity,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend
from moto.ec2.utils import convert_tag_spec

from local_aws.patches._moto import AwsError, around, instead, missing
from local_aws.patches.ec2 import USER_DATA_BYTES

refuse_launch_configurations = os.environ.get("LOCAL_AWS_REFUSE_LAUNCH_CONFIGURATIONS", "") == "true"
"""Behave as an account made since 2024-10-01, which cannot create launch configurations.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-configurations.html
"""

launching = threading.RLock()
"""Held while an instance is launched: in between it has no profile yet, and a host made of it would have no role."""

Hold = Callable[[str, str], bool]
holds: list[Hold] = []
"""Asked with region and id of an instance that a group lets go: whether it is to wait (ECS's managed draining)."""
WAITING = "Terminating:Wait"

GROUP_TAG = "aws:autoscaling:groupName"
ACTIVITIES = 100


def record(group: Any, description: str, cause: str, status: str = "Successful", message: str = "") -> None:
    """Add a scaling activity to a group, the newest first.

    Args:
        group: moto's group.
        description: what was done: "Launching a new EC2 instance: i-…".
        cause: why.
        status: `Successful` or `Failed`.
        message: the error, of a failed one.
    """
    activities = group.__dict__.setdefault("scaling_activities", [])
    now = utcnow()
    activity = {
        "ActivityId": str(uuid.uuid4()),
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "Description": description,
        "Cause": f"At {now:%Y-%m-%dT%H:%M:%SZ} {cause}",
        "StartTime": now,
        "EndTime": now,
        "StatusCode": status,
        "Progress": 100,
        "Details": "{}",
    }
    if message:
        activity["StatusMessage"] = message
    activities.insert(0, activity)
    del activities[ACTIVITIES:]


def retry(happening: Callable[[], AbstractContextManager[None]]) -> None:
    """Launch what groups still lack after a launch that failed, as Auto Scaling does every few minutes.

    Args:
        happening: entered while something is launched, as no request does it (`Changes.happening`).
    """
    from moto.autoscaling import autoscaling_backends

    for backends in list(autoscaling_backends.values()):
        for backend in list(backends.values()):
            for group in list(backend.autoscaling_groups.values()):
                if len(group.active_instances()) < (group.desired_capacity or 0):
                    with happening():
                        group.set_desired_capacity(group.desired_capacity)


def waiting() -> list[tuple[str, str]]:
    """Region and id of the instances that wait until they may go."""
    from moto.autoscaling import autoscaling_backends

    return [
        (region, state.instance.id)
        for backends in list(autoscaling_backends.values())
        for region, backend in list(backends.items())
        for group in list(backend.autoscaling_groups.values())
        for state in list(group.instance_states)
        if state.lifecycle_state == WAITING
    ]


def complete(region: str, instance_id: str) -> None:
    """Let an instance go that has waited."""
    from moto.autoscaling import autoscaling_backends

    for backends in list(autoscaling_backends.values()):
        for group in list(backends[region].autoscaling_groups.values()):
            for state in list(group.instance_states):
                if (state.instance.id, state.lifecycle_state) == (instance_id, WAITING):
                    _let_go(group, state)


class Groups:
    """The groups of a region, for ECS's managed scaling.

    Args:
        region: of AWS.
        happening: entered while one is changed, as no request does it (`Changes.happening`).
    """

    def __init__(self, region: str, happening: Callable[[], AbstractContextManager[None]]) -> None:
        self._region, self._happening = region, happening

    def find(self, name: str) -> Any:
        """moto's group; None if there is none."""
        from moto.autoscaling import autoscaling_backends

        for backends in list(autoscaling_backends.values()):
            if found := backends[self._region].autoscaling_groups.get(name):
                return found
        return None

    def want(self, name: str, count: int) -> None:
        """Let a group have so many hosts."""
        group = self.find(name)
        if group is not None:
            with self._happening():
                group.set_desired_capacity(count)


def _let_go(group: Any, state: Any) -> None:
    group.instance_states.remove(state)
    group.ec2_backend.terminate_instances([state.instance.id])


def _is_held(group: Any, instance_id: str) -> bool:
    return any(hold(group.region, instance_id) for hold in holds)


def _surplus(group: Any, wanted: int) -> list[Any]:
    """The instances that a group lets go to have only so many: from the fuller zone, those of an older source first.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
    """
    left, gone = list(group.active_instances()), list[Any]()
    template = group.ec2_launch_template
    now = (
        group.launch_configuration_name,
        str(template.get_version(group.launch_template_version).number) if template else None,
    )

    def source(state: Any) -> tuple[Any, Any]:
        return state.launch_configuration_name, (state.launch_template or {}).get("Version")

    while len(left) > wanted:
        zones = [state.instance.placement.zone for state in left]
        free = [state for state in left if not state.protected_from_scale_in]
        if not free:
            break
        chosen = min(
            free,
            key=lambda state: (-zones.count(state.instance.placement.zone), source(state) == now, left.index(state)),
        )
        left.remove(chosen)
        gone.append(chosen)
    return gone


def _source(group: Any) -> dict[str, Any]:
    """What a group launches now, whichever its launch source: arguments of moto's run_instances."""
    if group.ec2_launch_template:
        version = group.ec2_launch_template.get_version(group.launch_template_version)
        data = version.data
        interface: dict[str, Any] = next(iter(data.get("NetworkInterfaces") or []), {})
        return {
            "image_id": data.get("ImageId"),
            "user_data": version.user_data,
            "security_group_names": data.get("SecurityGroups") or [],
            "security_group_ids": list(data.get("SecurityGroupIds") or interface.get("Groups") or []),
            "instance_type": data.get("InstanceType") or "m1.small",
            "key_name": data.get("KeyName"),
            "associate_public_ip": interface.get("AssociatePublicIpAddress"),
            "metadata_options": data.get("MetadataOptions") or {},
            "profile": data.get("IamInstanceProfile") or {},
            "launch_template": {"LaunchTemplateId": group.ec2_launch_template.id, "Version": str(version.number)},
            "tags": version.instance_tags,
            "volume_tags": convert_tag_spec(data.get("TagSpecifications") or []).get("volume", {}),
        }
    configuration = group.launch_config
    profile = configuration.iam_instance_profile
    return {
        "image_id": configuration.image_id,
        "user_data": configuration.user_data,
        "security_group_names": configuration.security_groups,
        "instance_type": configuration.instance_type,
        "key_name": configuration.key_name,
        "associate_public_ip": configuration.associate_public_ip_address,
        "metadata_options": configuration.metadata_options or {},
        "profile": {} if not profile else {"Arn" if profile.startswith("arn:") else "Name": profile},
        "launch_config": configuration,
        "tags": {},
        "volume_tags": {},
    }


def _subnet(group: Any) -> str | None:
    """The subnet with the fewest of the group's instances: Auto Scaling balances over Availability Zones."""
    subnets = [item.strip() for item in (group.vpc_zone_identifier or "").split(",") if item.strip()]
    taken = [state.instance.subnet_id for state in group.instance_states]
    return min(subnets, key=lambda subnet: (taken.count(subnet), subnets.index(subnet)), default=None)


def _launch(group: Any, tags: dict[str, str]) -> Any:
    arguments = _source(group)
    volume_tags = arguments.pop("volume_tags")
    subnet = _subnet(group)
    profile = arguments.pop("profile")
    if profile:
        _find_profile(group, profile)
    with launching:
        launched = group.ec2_backend.run_instances(
            arguments.pop("image_id"),
            1,
            arguments.pop("user_data"),
            arguments.pop("security_group_names"),
            **{
                **{key: value for key, value in arguments.items() if value is not None},
                "tags": {"instance": {**tags, **arguments["tags"], GROUP_TAG: group.name}, "volume": volume_tags},
                "associate_public_ip": arguments["associate_public_ip"],
                "subnet_id": subnet,
                "placement": None if subnet else group.availability_zones[0],
                "is_instance_type_default": False,
            },
        ).instances[0]
        for interface in launched.nics.values():
            interface.delete_on_termination = True  # as for every interface that a launch makes
        if profile:
            group.ec2_backend.associate_iam_instance_profile(
                instance_id=launched.id,
                iam_instance_profile_name=profile.get("Name"),
                iam_instance_profile_arn=profile.get("Arn"),
            )
    return launched


def _find_profile(group: Any, profile: dict[str, str]) -> None:
    """In EC2's words (hashicorp/terraform-provider-aws, issues 24281 and 29866), where moto has IAM's."""
    from moto.ec2.utils import filter_iam_instance_profiles

    try:
        filter_iam_instance_profiles(
            group.account_id,
            partition=group.ec2_backend.partition,
            iam_instance_profile_arn=profile.get("Arn"),
            iam_instance_profile_name=profile.get("Name"),
        )
    except ServiceException:
        ((key, value),) = profile.items()
        kind = "ARN" if key == "Arn" else "name"
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({value}) for parameter iamInstanceProfile.{key.lower()} is invalid. Invalid IAM Instance Profile "
            f"{kind}",
        ) from None


@instead(FakeAutoScalingGroup, "replace_autoscaling_group_instances")
def _replace_autoscaling_group_instances(self: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
    for _ in range(count_needed):
        cause = "an instance was started in response to a difference between desired and actual capacity."
        try:
            instance = _launch(self, propagated_tags)
        except (ServiceException, LookupError) as error:
            # A launch that fails is an activity of the group, not an error of the call that asked for it.
            why = str(getattr(error, "message", error)).rstrip(".")
            record(self, "Launching a new EC2 instance.", cause, "Failed", f"{why}. Launching EC2 instance failed.")
            return
        instance.autoscaling_group = self
        template = self.launch_template if self.ec2_launch_template else None
        if template:
            template = {
                **template,
                "Version": str(self.ec2_launch_template.get_version(self.launch_template_version).number),
            }
        instance.launch_source = (None if template else self.launch_configuration_name, template)
        protected = self.new_instances_protected_from_scale_in
        self.instance_states.append(InstanceState(instance, protected_from_scale_in=protected))
        record(self, f"Launching a new EC2 instance: {instance.id}", cause)


# An instance keeps the launch source that it came from; moto shows the group's present one.
InstanceState.launch_configuration_name = property(
    lambda self: getattr(self.instance, "launch_source", (None, None))[0]
)
InstanceState.launch_template = property(lambda self: getattr(self.instance, "launch_source", (None, None))[1])


@around(FakeAutoScalingGroup, "_set_launch_configuration")
def _set_launch_configuration(
    set_source: Any, self: Any, launch_config_name: str, launch_template: Any, mixed_instances_policy: Any
) -> None:
    if launch_config_name and launch_config_name not in self.autoscaling_backend.launch_configurations:
        raise ValidationError(
            "Launch configuration name not found - A launch configuration with the name: "
            f"{launch_config_name} does not exist"
        )
    set_source(self, launch_config_name, launch_template, mixed_instances_policy)
    # The two exclude each other; moto keeps both after a change from one to the other.
    if launch_config_name:
        self.ec2_launch_template = None
    elif launch_template:
        self.launch_config, self.launch_configuration_name = None, None


@around(FakeAutoScalingGroup, "set_desired_capacity")
def _set_desired_capacity(set_desired: Any, self: Any, new_capacity: int | None) -> None:
    wanted = self.min_size if new_capacity is None else new_capacity
    if not (self.min_size or 0) <= (wanted or 0) <= (self.max_size or 0):
        raise ValidationError(
            f"Desired capacity:{wanted} must be between the specified min size:{self.min_size} "
            f"and max size:{self.max_size}"
        )
    for state in _surplus(self, wanted or 0):
        if _is_held(self, state.instance.id):
            state.lifecycle_state = WAITING
        else:
            _let_go(self, state)
    set_desired(self, new_capacity)


@around(EC2Backend, "terminate_instances")
def _terminate_instances(terminate: Any, self: Any, instance_ids: list[str]) -> Any:
    result = terminate(self, instance_ids)
    for instance, _previous in result:
        group = getattr(instance, "autoscaling_group", None)
        if group is not None:
            cause = f"instance {instance.id} was taken out of service."
            record(group, f"Terminating EC2 instance: {instance.id}", cause)
    return result


@around(AutoScalingBackend, "terminate_instance")
def _terminate_instance(terminate: Any, self: Any, instance_id: str, should_decrement: bool) -> Any:
    """TerminateInstanceInAutoScalingGroup, with AWS's refusals."""
    group = next(
        (
            group
            for group in self.autoscaling_groups.values()
            if any(state.instance.id == instance_id for state in group.instance_states)
        ),
        None,
    )
    if group is None:
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID {instance_id}")
    if should_decrement and group.desired_capacity <= (group.min_size or 0):
        raise ValidationError(
            f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement will "
            "violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower "
            "group's min size."
        )
    (state,) = (each for each in group.instance_states if each.instance.id == instance_id)
    if state.lifecycle_state == WAITING:
        raise AutoscalingClientError(
            "ScalingActivityInProgress", f"Activities are in progress that involve the instance {instance_id}"
        )
    if not _is_held(group, instance_id):
        return terminate(self, instance_id, should_decrement)
    before, state.lifecycle_state = group.desired_capacity, WAITING
    group.set_desired_capacity(before - 1 if should_decrement else before)
    return TerminateInstanceActivity(state.instance, before)


@instead(AutoScalingResponse, "describe_scaling_activities")
def _describe_scaling_activities(self: Any) -> Any:
    name = self._get_param("AutoScalingGroupName")
    groups = self.autoscaling_backend.describe_auto_scaling_groups([name] if name else [])
    activities = [activity for group in groups for activity in getattr(group, "scaling_activities", [])]
    limit = self._get_int_param("MaxRecords") or ACTIVITIES
    return ActionResult({"Activities": activities[:limit]})


@instead(AutoScalingResponse, "enable_metrics_collection")
def _enable_metrics_collection(self: Any) -> Any:
    metrics = self._get_param("Metrics", [])
    self.autoscaling_backend.enable_metrics_collection(self._get_param("AutoScalingGroupName"), metrics)
    return EmptyResult()


@missing(AutoScalingResponse, "disable_metrics_collection")
def _disable_metrics_collection(self: Any) -> Any:
    group = self.autoscaling_backend.describe_auto_scaling_groups([self._get_param("AutoScalingGroupName")])[0]
    gone = self._get_param("Metrics", []) or group.metrics
    group.metrics = [metric for metric in group.metrics if metric not in gone]
    return EmptyResult()


@around(AutoScalingResponse, "create_launch_configuration")
def _create_launch_configuration(create: Any, self: Any) -> Any:
    if refuse_launch_configurations:
        raise AutoscalingClientError(
            "UnsupportedOperationException",
            "The launch configuration creation operation is not available in your account. "
            "Use launch templates to create configuration templates for your Auto Scaling groups.",
        )
    name = self._get_param("LaunchConfigurationName")
    if name in self.autoscaling_backend.launch_configurations:
        raise AutoscalingClientError(
            "AlreadyExists", f"Launch Configuration by this name already exists - A launch configuration {name} exists"
        )
    user_data = self._get_param("UserData")
    if user_data and len(base64.b64decode(user_data)) > USER_DATA_BYTES:
        raise ValidationError(f"User data is limited to {USER_DATA_BYTES} bytes")
    result = create(self)
    if self._get_param("AssociatePublicIpAddress") is None:
        # Not given: the subnet decides. https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-in-vpc.html
        self.autoscaling_backend.launch_configurations[name].associate_public_ip_address = None
    return result


@around(AutoScalingBackend, "delete_launch_configuration")
def _delete_launch_configuration(delete: Any, self: Any, name: str) -> None:
    if name not in self.launch_configurations:
        raise ValidationError(f"Launch configuration name not found - Launch configuration {name} not found")
    for group in self.autoscaling_groups.values():
        if group.launch_config is self.launch_configurations[name]:
            raise AutoscalingClientError(
                "ResourceInUse",
                f"Cannot delete launch configuration {name} because it is attached to AutoScalingGroup {group.name}",
            )
    delete(self, name)
