"""DB instances with their subnet and parameter groups."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloudformation.calls import absent_is_fine, call, changed, pick, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


def update_tags(context: Context, arn: str, old: Properties, new: Properties) -> None:
    """Bring the tags of an RDS resource up to date."""
    if gone := context.untagged(old, new):
        call(context, "rds", "remove_tags_from_resource", ResourceName=arn, TagKeys=gone)
    if tags := context.tag_list(new):
        call(context, "rds", "add_tags_to_resource", ResourceName=arn, Tags=tags)


def arn(context: Context, kind: str, name: str) -> str:
    """ARN of an RDS resource."""
    return f"arn:{context.partition}:rds:{context.region}:{context.account_id}:{kind}:{name}"


class SubnetGroup(Handler):
    TYPE = "AWS::RDS::DBSubnetGroup"

    def create(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("DBSubnetGroupName") or context.name(255)).lower()
        call(
            context,
            "rds",
            "create_db_subnet_group",
            DBSubnetGroupName=name,
            Tags=context.tag_list(properties) or None,
            **without(properties, "DBSubnetGroupName", "Tags"),
        )
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "DBSubnetGroupDescription", "SubnetIds"):
            settings = pick(new, "DBSubnetGroupDescription", "SubnetIds")
            call(context, "rds", "modify_db_subnet_group", DBSubnetGroupName=physical_id, **settings)
        update_tags(context, arn(context, "subgrp", physical_id), old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "rds", "delete_db_subnet_group", DBSubnetGroupName=physical_id)


class ParameterGroup(Handler):
    TYPE = "AWS::RDS::DBParameterGroup"

    def create(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("DBParameterGroupName") or context.name(255)).lower()
        call(
            context,
            "rds",
            "create_db_parameter_group",
            DBParameterGroupName=name,
            DBParameterGroupFamily=properties["Family"],
            Description=properties["Description"],
            Tags=context.tag_list(properties) or None,
        )
        context.created(name)
        self._set(context, name, properties)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "Parameters"):
            gone = [name for name in old.get("Parameters") or {} if name not in (new.get("Parameters") or {})]
            if gone:
                parameters = [{"ParameterName": name, "ApplyMethod": "pending-reboot"} for name in gone]
                call(
                    context,
                    "rds",
                    "reset_db_parameter_group",
                    DBParameterGroupName=physical_id,
                    Parameters=parameters,
                )
            self._set(context, physical_id, new)
        update_tags(context, arn(context, "pg", physical_id), old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "rds", "delete_db_parameter_group", DBParameterGroupName=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"DBParameterGroupName": physical_id}

    def _set(self, context: Context, group: str, properties: Properties) -> None:
        # Static parameters wait for a reboot; CloudFormation lets every parameter wait.
        parameters = [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in (properties.get("Parameters") or {}).items()
        ]
        if parameters:
            call(context, "rds", "modify_db_parameter_group", DBParameterGroupName=group, Parameters=parameters)


class Instance(Handler):
    TYPE = "AWS::RDS::DBInstance"
    SECONDS = 1800.0
    # Not in CreateDBInstance: they steer an update or a delete.
    STEERING = (
        "AllowMajorVersionUpgrade", "ApplyImmediately", "DeleteAutomatedBackups", "DBSnapshotIdentifier",
        "CertificateRotationRestart",
    )  # fmt: skip
    # What DBSnapshotIdentifier brings along by itself.
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-rds-dbinstance.html
    FROM_SNAPSHOT = ("MasterUsername", "DBName", "StorageEncrypted", "KmsKeyId", "CharacterSetName", "EngineVersion")
    # ModifyDBInstance has not got these; those that matter are create-only in the schema.
    NOT_MODIFIED = (
        "DBInstanceIdentifier", "DBName", "Engine", "MasterUsername", "StorageEncrypted", "KmsKeyId", "Tags", "Port",
        "AvailabilityZone", "DBSubnetGroupName", "CharacterSetName", "Timezone", "DeleteAutomatedBackups",
        "DBSnapshotIdentifier", "AllowMajorVersionUpgrade", "ApplyImmediately",
    )  # fmt: skip

    def create(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("DBInstanceIdentifier") or context.name(63)).lower()
        tags = context.tag_list(properties) or None
        settings = self._names(without(properties, "DBInstanceIdentifier", "Tags", *self.STEERING))
        if snapshot := properties.get("DBSnapshotIdentifier"):
            self._restore(context, name, snapshot, tags, settings)
        else:
            call(context, "rds", "create_db_instance", DBInstanceIdentifier=name, Tags=tags, **settings)
        context.created(name)
        self._wait(context, name)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        before = self._names(without(old, *self.NOT_MODIFIED))
        after = self._names(without(new, *self.NOT_MODIFIED))
        changes = {name: value for name, value in after.items() if before.get(name) != value}
        for name in ("DeletionProtection", "MultiAZ", "PubliclyAccessible", "CopyTagsToSnapshot"):
            if name in before and name not in after:
                changes[name] = False
        if "EnableCloudwatchLogsExports" in before or "EnableCloudwatchLogsExports" in after:
            changes.pop("EnableCloudwatchLogsExports", None)  # ModifyDBInstance has other words for it
            had, has = (side.get("EnableCloudwatchLogsExports") or [] for side in (before, after))
            if had != has:
                changes["CloudwatchLogsExportConfiguration"] = {
                    "EnableLogTypes": [name for name in has if name not in had],
                    "DisableLogTypes": [name for name in had if name not in has],
                }
        if "Port" in new and old.get("Port") != new["Port"]:
            changes["DBPortNumber"] = new["Port"]
        if changes:
            call(
                context,
                "rds",
                "modify_db_instance",
                DBInstanceIdentifier=physical_id,
                ApplyImmediately=True,
                AllowMajorVersionUpgrade=new.get("AllowMajorVersionUpgrade"),
                **changes,
            )
            self._wait(context, physical_id)
        update_tags(context, arn(context, "db", physical_id), old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "rds", "delete_db_instance", DBInstanceIdentifier=physical_id, SkipFinalSnapshot=True)
        context.wait(lambda: not self._find(context, physical_id), self.SECONDS, f"{physical_id} to be deleted")

    def snapshot(self, context: Context, physical_id: str, properties: Properties) -> None:
        found = self._find(context, physical_id)
        if not found:
            return
        if found.get("DeletionProtection"):
            message = "Cannot delete protected DB Instance, please disable deletion protection and try again."
            error = {"Error": {"Code": "InvalidParameterCombination", "Message": message}}
            raise ClientError(error, "DeleteDBInstance")
        name = f"{context.stack_name}-snapshot-{context.name(40, lower=True)}".lower()[:255]
        call(
            context,
            "rds",
            "create_db_snapshot",
            DBInstanceIdentifier=physical_id,
            DBSnapshotIdentifier=name,
            Tags=context.tag_list(properties) or None,
        )
        context.wait(lambda: self._snapshot_state(context, name) == "available", self.SECONDS, f"the snapshot {name}")

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = self._find(context, physical_id)
        endpoint = found.get("Endpoint", {})
        return {
            "Endpoint.Address": endpoint.get("Address", ""),
            "Endpoint.Port": str(endpoint.get("Port", "")),
            "Endpoint.HostedZoneId": endpoint.get("HostedZoneId", ""),
            "DbiResourceId": found.get("DbiResourceId", ""),
            "DBInstanceArn": found.get("DBInstanceArn", ""),
            "DBInstanceStatus": found.get("DBInstanceStatus", ""),
            "MasterUserSecret.SecretArn": found.get("MasterUserSecret", {}).get("SecretArn", ""),
        }

    def _names(self, properties: Properties) -> dict[str, Any]:
        settings = without(properties, "VPCSecurityGroups")
        if "VPCSecurityGroups" in properties:
            settings["VpcSecurityGroupIds"] = properties["VPCSecurityGroups"]
        if "EnableCloudwatchLogsExports" in settings and not settings["EnableCloudwatchLogsExports"]:
            del settings["EnableCloudwatchLogsExports"]
        return settings

    def _restore(
        self, context: Context, name: str, snapshot: str, tags: list[dict[str, str]] | None, settings: dict[str, Any]
    ) -> None:
        # Two steps, since a restore takes neither password nor backup settings.
        later = ("MasterUserPassword", "BackupRetentionPeriod", "AllocatedStorage", "MaxAllocatedStorage",
                 "PreferredBackupWindow", "PreferredMaintenanceWindow", "CACertificateIdentifier")  # fmt: skip
        call(
            context,
            "rds",
            "restore_db_instance_from_db_snapshot",
            DBInstanceIdentifier=name,
            DBSnapshotIdentifier=snapshot,
            Tags=tags,
            **without(settings, *later, *self.FROM_SNAPSHOT),
        )
        context.created(name)
        self._wait(context, name)
        if changes := pick(settings, *later):
            call(context, "rds", "modify_db_instance", DBInstanceIdentifier=name, ApplyImmediately=True, **changes)

    def _find(self, context: Context, name: str) -> dict[str, Any]:
        with absent_is_fine():
            answer = call(context, "rds", "describe_db_instances", DBInstanceIdentifier=name)
            return next(iter(answer["DBInstances"]), {})
        return {}

    def _snapshot_state(self, context: Context, name: str) -> str:
        found = call(context, "rds", "describe_db_snapshots", DBSnapshotIdentifier=name)["DBSnapshots"]
        return str(found[0]["Status"]) if found else ""

    def _wait(self, context: Context, name: str) -> None:
        def available() -> bool:
            status = self._find(context, name).get("DBInstanceStatus", "gone")
            if status in ("failed", "gone", "incompatible-parameters", "incompatible-restore", "storage-full"):
                raise RuntimeError(f"DB instance {name} is {status}.")
            return bool(status == "available")

        context.wait(available, self.SECONDS, f"the DB instance {name} to be available")
