"""Functions of Lambda and who may call them; `local_aws/parts/functions.py` runs them."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import PropertyError, absent_is_fine, call, pick
from local_aws.cloudformation.handlers import Context, Handler
from local_aws.functions.environments import refusal

Properties = dict[str, Any]
STABLE_SECONDS = 60


class Function(Handler):
    TYPE = "AWS::Lambda::Function"
    CONFIGURATION = (
        "Handler",
        "Runtime",
        "MemorySize",
        "Timeout",
        "Role",
        "Environment",
        "LoggingConfig",
        "Description",
    )
    SUPPORTED = ("FunctionName", "Code", "Tags", "Architectures", *CONFIGURATION)

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("FunctionName") or context.name(64)
        tags = context.tag_map(properties)
        given = pick(properties, "Code", "Architectures", *self.CONFIGURATION)
        call(context, "lambda", "create_function", FunctionName=name, Tags=tags or None, **given)
        context.created(name)
        self._ready(context, name)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if old.get("Code") != new.get("Code") or old.get("Architectures") != new.get("Architectures"):
            code = {**new["Code"], **pick(new, "Architectures")}
            call(context, "lambda", "update_function_code", FunctionName=physical_id, **code)
            self._ready(context, physical_id)
        if configuration := {word: new.get(word) for word in self.CONFIGURATION if old.get(word) != new.get(word)}:
            if configuration.get("Environment", new) is None:
                configuration["Environment"] = {"Variables": {}}  # to leave it out would leave the variables
            call(context, "lambda", "update_function_configuration", FunctionName=physical_id, **configuration)
            self._ready(context, physical_id)
        arn = self._describe(context, physical_id)["FunctionArn"]
        if gone := context.untagged(old, new):
            call(context, "lambda", "untag_resource", Resource=arn, TagKeys=gone)
        if tags := context.tag_map(new):
            call(context, "lambda", "tag_resource", Resource=arn, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "lambda", "delete_function", FunctionName=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Arn": self._describe(context, physical_id)["FunctionArn"]}

    def check(self, properties: Properties) -> None:
        super().check(properties)
        if said := refusal(properties["Runtime"]):
            raise PropertyError(f"{self.TYPE}: {said}")

    def _describe(self, context: Context, name: str) -> Properties:
        return dict(call(context, "lambda", "get_function", FunctionName=name)["Configuration"])

    def _ready(self, context: Context, name: str) -> None:
        context.wait(lambda: self._describe(context, name)["State"] == "Active", STABLE_SECONDS, "the function")


class Permission(Handler):
    TYPE = "AWS::Lambda::Permission"
    SUPPORTED = ("FunctionName", "Action", "Principal", "SourceArn", "SourceAccount", "EventSourceToken")

    def create(self, context: Context, properties: Properties) -> str:
        statement = context.name(100)
        call(context, "lambda", "add_permission", StatementId=statement, **properties)
        return statement

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            function = properties["FunctionName"]
            call(context, "lambda", "remove_permission", FunctionName=function, StatementId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}
