"""Vaults and plans of AWS Backup."""

from __future__ import annotations

from typing import Any, ClassVar

from local_aws.cloudformation.calls import absent_is_fine, call, pick
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class BackupVault(Handler):
    TYPE = "AWS::Backup::BackupVault"
    SUPPORTED: ClassVar[tuple[str, ...] | None] = ("BackupVaultName", "BackupVaultTags", "EncryptionKeyArn")

    def create(self, context: Context, properties: Properties) -> str:
        name = str(properties["BackupVaultName"])
        call(
            context,
            "backup",
            "create_backup_vault",
            BackupVaultName=name,
            BackupVaultTags=self._tags(context, properties) or None,
            **pick(properties, "EncryptionKeyArn"),
        )
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        arn = self.attributes(context, physical_id, new)["BackupVaultArn"]
        if gone := context.untagged(self._tagged(old), self._tagged(new)):
            call(context, "backup", "untag_resource", ResourceArn=arn, TagKeyList=gone)
        if tags := self._tags(context, new):
            call(context, "backup", "tag_resource", ResourceArn=arn, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "backup", "delete_backup_vault", BackupVaultName=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        arn = f"arn:{context.partition}:backup:{context.region}:{context.account_id}:backup-vault:{physical_id}"
        return {"BackupVaultArn": arn, "BackupVaultName": physical_id}

    def _tags(self, context: Context, properties: Properties) -> dict[str, str]:
        return context.tag_map(self._tagged(properties))

    @staticmethod
    def _tagged(properties: Properties) -> Properties:
        """Its tags under the name that most types have for them."""
        return {"Tags": properties.get("BackupVaultTags")}


class BackupPlan(Handler):
    TYPE = "AWS::Backup::BackupPlan"

    def create(self, context: Context, properties: Properties) -> str:
        made = call(
            context,
            "backup",
            "create_backup_plan",
            BackupPlan=self._plan(properties),
            BackupPlanTags=context.tag_map({"Tags": properties.get("BackupPlanTags")}) or None,
        )
        return str(made["BackupPlanId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        call(context, "backup", "update_backup_plan", BackupPlanId=physical_id, BackupPlan=self._plan(new))
        was, now = ({"Tags": each.get("BackupPlanTags")} for each in (old, new))
        arn = self.attributes(context, physical_id, new)["BackupPlanArn"]
        if gone := context.untagged(was, now):
            call(context, "backup", "untag_resource", ResourceArn=arn, TagKeyList=gone)
        if tags := context.tag_map(now):
            call(context, "backup", "tag_resource", ResourceArn=arn, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "backup", "delete_backup_plan", BackupPlanId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = call(context, "backup", "get_backup_plan", BackupPlanId=physical_id)
        return {name: found[name] for name in ("BackupPlanArn", "BackupPlanId", "VersionId")}

    @staticmethod
    def _plan(properties: Properties) -> Properties:
        """A plan in the API's words, which differ from the template's."""
        plan = dict(properties["BackupPlan"])
        rules = [dict(rule) for rule in plan.pop("BackupPlanRule")]
        for rule in rules:
            rule["TargetBackupVaultName"] = rule.pop("TargetBackupVault")
        return plan | {"Rules": rules}


class BackupSelection(Handler):
    TYPE = "AWS::Backup::BackupSelection"

    def create(self, context: Context, properties: Properties) -> str:
        made = call(context, "backup", "create_backup_selection", **properties)
        return f"{made['SelectionId']}_{made['BackupPlanId']}"

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        selection, _, plan = physical_id.partition("_")
        with absent_is_fine():
            call(context, "backup", "delete_backup_selection", BackupPlanId=plan, SelectionId=selection)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        selection, _, plan = physical_id.partition("_")
        return {"Id": physical_id, "SelectionId": selection, "BackupPlanId": plan}
