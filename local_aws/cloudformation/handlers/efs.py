"""File systems, their mount targets and access points."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call, changed, exists, pick
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]
SECONDS = 600.0


def tag_list(context: Context, properties: Properties, key: str) -> list[dict[str, str]]:
    """EFS names the tags after the resource (`FileSystemTags`, `AccessPointTags`)."""
    return context.tag_list({"Tags": properties.get(key)})


def update_tags(context: Context, identifier: str, old: Properties, new: Properties, key: str) -> None:
    """Bring the tags of an EFS resource up to date."""
    tags = tag_list(context, new, key)
    if gone := context.untagged({"Tags": old.get(key)}, {"Tags": new.get(key)}):
        call(context, "efs", "untag_resource", ResourceId=identifier, TagKeys=gone)
    if tags:
        call(context, "efs", "tag_resource", ResourceId=identifier, Tags=tags)


class FileSystem(Handler):
    TYPE = "AWS::EFS::FileSystem"
    MADE_WITH = ("Encrypted", "KmsKeyId", "PerformanceMode", "AvailabilityZoneName")
    THROUGHPUT = ("ThroughputMode", "ProvisionedThroughputInMibps")

    def create(self, context: Context, properties: Properties) -> str:
        file_system = call(
            context,
            "efs",
            "create_file_system",
            CreationToken=context.name(64),
            Tags=tag_list(context, properties, "FileSystemTags") or None,
            **pick(properties, *self.MADE_WITH, *self.THROUGHPUT),
        )["FileSystemId"]
        context.created(file_system)
        context.wait(lambda: self._state(context, file_system) == "available", SECONDS, f"{file_system}")
        self._set_policies(context, file_system, {}, properties)
        return str(file_system)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, *self.THROUGHPUT):
            settings = {"ThroughputMode": "bursting", **pick(new, *self.THROUGHPUT)}
            call(context, "efs", "update_file_system", FileSystemId=physical_id, **settings)
        self._set_policies(context, physical_id, old, new)
        update_tags(context, physical_id, old, new, "FileSystemTags")

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "efs", "delete_file_system", FileSystemId=physical_id)
        context.wait(lambda: self._state(context, physical_id) == "", SECONDS, f"{physical_id} to be deleted")

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = call(context, "efs", "describe_file_systems", FileSystemId=physical_id)["FileSystems"][0]
        return {"FileSystemId": physical_id, "Arn": found["FileSystemArn"]}

    def _state(self, context: Context, file_system: str) -> str:
        with absent_is_fine():
            found = call(context, "efs", "describe_file_systems", FileSystemId=file_system)["FileSystems"]
            return str(found[0]["LifeCycleState"]) if found else ""
        return ""

    def _set_policies(self, context: Context, file_system: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "LifecyclePolicies"):
            policies = new.get("LifecyclePolicies") or []
            arguments = {"FileSystemId": file_system, "LifecyclePolicies": policies}
            call(context, "efs", "put_lifecycle_configuration", **arguments)
        if changed(old, new, "BackupPolicy"):
            policy = new.get("BackupPolicy") or {"Status": "DISABLED"}
            call(context, "efs", "put_backup_policy", FileSystemId=file_system, BackupPolicy=policy)
        if changed(old, new, "FileSystemPolicy"):
            if "FileSystemPolicy" in new:
                policy = new["FileSystemPolicy"]
                call(context, "efs", "put_file_system_policy", FileSystemId=file_system, Policy=policy)
            else:
                call(context, "efs", "delete_file_system_policy", FileSystemId=file_system)


class MountTarget(Handler):
    TYPE = "AWS::EFS::MountTarget"

    def create(self, context: Context, properties: Properties) -> str:
        target = str(call(context, "efs", "create_mount_target", **properties)["MountTargetId"])
        context.created(target)
        context.wait(lambda: self._find(context, target).get("LifeCycleState") == "available", SECONDS, target)
        return target

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        groups = new["SecurityGroups"]
        call(context, "efs", "modify_mount_target_security_groups", MountTargetId=physical_id, SecurityGroups=groups)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "efs", "delete_mount_target", MountTargetId=physical_id)
        context.wait(lambda: not self._find(context, physical_id), SECONDS, f"{physical_id} to be deleted")

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id, "IpAddress": self._find(context, physical_id)["IpAddress"]}

    def _find(self, context: Context, target: str) -> dict[str, Any]:
        with absent_is_fine():
            found = call(context, "efs", "describe_mount_targets", MountTargetId=target)["MountTargets"]
            return next(iter(found), {})
        return {}


class AccessPoint(Handler):
    TYPE = "AWS::EFS::AccessPoint"

    def create(self, context: Context, properties: Properties) -> str:
        answer = call(
            context,
            "efs",
            "create_access_point",
            ClientToken=properties.get("ClientToken") or context.name(64),
            Tags=tag_list(context, properties, "AccessPointTags") or None,
            **pick(properties, "FileSystemId", "PosixUser", "RootDirectory"),
        )
        return str(answer["AccessPointId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        update_tags(context, physical_id, old, new, "AccessPointTags")

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        if exists(context, "efs", "describe_access_points", AccessPointId=physical_id):
            call(context, "efs", "delete_access_point", AccessPointId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = call(context, "efs", "describe_access_points", AccessPointId=physical_id)["AccessPoints"][0]
        return {"AccessPointId": physical_id, "Arn": found["AccessPointArn"]}
