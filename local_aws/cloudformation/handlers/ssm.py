"""Systems Manager."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.handlers import Context, Handler


class Parameter(Handler):
    """A parameter of Parameter Store. Its `Tags` are a map, unlike everywhere else."""

    TYPE = "AWS::SSM::Parameter"

    def create(self, context: Context, properties: dict[str, Any]) -> str:
        name = str(properties.get("Name") or context.name(128))
        self._put(context, name, properties, Overwrite=False)
        self._tag(context, name, properties)
        return name

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._put(context, physical_id, new, Overwrite=True)
        if gone := context.untagged(old, new):
            context.client("ssm").remove_tags_from_resource(
                ResourceType="Parameter", ResourceId=physical_id, TagKeys=gone
            )
        self._tag(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("ssm").delete_parameters(Names=[physical_id])

    def attributes(self, context: Context, physical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"Type": properties["Type"], "Value": str(properties["Value"])}

    def _put(self, context: Context, name: str, properties: dict[str, Any], **options: Any) -> None:
        for key in ("Description", "AllowedPattern", "Tier"):
            if key in properties:
                options[key] = properties[key]
        context.client("ssm").put_parameter(
            Name=name, Type=properties["Type"], Value=str(properties["Value"]), **options
        )

    def _tag(self, context: Context, name: str, properties: dict[str, Any]) -> None:
        if tags := context.tag_list(properties):
            context.client("ssm").add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags)
