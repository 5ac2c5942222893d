"""Vaults of AWS Backup."""

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
