"""Secrets, and the link between a secret and its database."""

from __future__ import annotations

import json
from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call, changed, pick, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Secret(Handler):
    TYPE = "AWS::SecretsManager::Secret"

    def create(self, context: Context, properties: Properties) -> str:
        answer = call(
            context,
            "secretsmanager",
            "create_secret",
            Name=properties.get("Name") or context.name(64),
            SecretString=self._value(context, properties),  # without one the secret has no version, and no value
            Tags=context.tag_list(properties) or None,
            **pick(properties, "Description", "KmsKeyId"),
        )
        return str(answer["ARN"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "Description", "KmsKeyId"):
            settings = {"Description": new.get("Description", ""), **pick(new, "KmsKeyId")}
            call(context, "secretsmanager", "update_secret", SecretId=physical_id, **settings)
        # Any change of GenerateSecretString is a new secret, as on AWS: the template's part must stay as it is. Where
        # neither property is left the value stays, as no call takes it away.
        value = self._value(context, new) if changed(old, new, "SecretString", "GenerateSecretString") else None
        if value is not None:
            call(context, "secretsmanager", "put_secret_value", SecretId=physical_id, SecretString=value)
        if gone := context.untagged(old, new):
            call(context, "secretsmanager", "untag_resource", SecretId=physical_id, TagKeys=gone)
        if tags := context.tag_list(new):
            call(context, "secretsmanager", "tag_resource", SecretId=physical_id, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        # CloudFormation leaves no recovery window, so the same name can be made again.
        with absent_is_fine():
            call(context, "secretsmanager", "delete_secret", SecretId=physical_id, ForceDeleteWithoutRecovery=True)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}

    def _value(self, context: Context, properties: Properties) -> str | None:
        if "SecretString" in properties:
            return str(properties["SecretString"])
        recipe = properties.get("GenerateSecretString")
        if recipe is None:
            return None
        settings = without(recipe, "SecretStringTemplate", "GenerateStringKey")
        password = call(context, "secretsmanager", "get_random_password", **settings)["RandomPassword"]
        if "SecretStringTemplate" not in recipe:
            return str(password)
        return json.dumps({**json.loads(recipe["SecretStringTemplate"]), recipe["GenerateStringKey"]: password})


class SecretTargetAttachment(Handler):
    """Writes where the database is into the secret; host and port are known only once it stands.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
    """

    TYPE = "AWS::SecretsManager::SecretTargetAttachment"
    TARGETS = ("AWS::RDS::DBInstance",)
    KEYS = ("engine", "host", "port", "dbname", "dbInstanceIdentifier")

    def create(self, context: Context, properties: Properties) -> str:
        if properties["TargetType"] not in self.TARGETS:
            raise NotImplementedError(f"TargetType must be one of {self.TARGETS}, not {properties['TargetType']!r}.")
        secret = call(context, "secretsmanager", "describe_secret", SecretId=properties["SecretId"])["ARN"]
        found = call(context, "rds", "describe_db_instances", DBInstanceIdentifier=properties["TargetId"])
        database = found["DBInstances"][0]
        facts = {
            "engine": database["Engine"],
            "host": database["Endpoint"]["Address"],
            "port": database["Endpoint"]["Port"],
            "dbInstanceIdentifier": database["DBInstanceIdentifier"],
        }
        if database.get("DBName"):
            facts["dbname"] = database["DBName"]
        self._merge(context, secret, facts)
        return str(secret)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> str:
        return self.create(context, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            self._merge(context, physical_id, {})

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}

    def _merge(self, context: Context, secret: str, facts: dict[str, Any]) -> None:
        text = call(context, "secretsmanager", "get_secret_value", SecretId=secret)["SecretString"]
        value = json.loads(text)
        merged = {**without(value, *self.KEYS), **facts}
        if merged != value:
            call(context, "secretsmanager", "put_secret_value", SecretId=secret, SecretString=json.dumps(merged))
