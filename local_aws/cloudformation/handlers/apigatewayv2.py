"""HTTP APIs of API Gateway; `local_aws/functions/gateway.py` answers at their addresses."""

from __future__ import annotations

from typing import Any, ClassVar

from local_aws.cloudformation.calls import PropertyError, absent_is_fine, call, pick, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]
SERVICE = "apigatewayv2"


class _Part(Handler):
    """What the handlers here share: properties of which there is one value."""

    ONLY: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Properties of which the embedded AWS has one value; an empty word stands for one that is left out."""

    def check(self, properties: Properties) -> None:
        super().check(properties)
        for name, only in self.ONLY.items():
            given = str(properties.get(name, ""))
            if given.lower() not in [each.lower() for each in only]:
                raise PropertyError(f"{self.TYPE}: the embedded AWS has {name} {only[0]} only, not '{given}'.")


class Api(_Part):
    TYPE = "AWS::ApiGatewayV2::Api"
    SUPPORTED = ("Name", "ProtocolType", "Description", "CorsConfiguration", "Tags")
    ONLY: ClassVar = {"ProtocolType": ("HTTP",)}

    def create(self, context: Context, properties: Properties) -> str:
        given = without(properties, "Tags")
        return str(call(context, SERVICE, "create_api", **given, Tags=context.tag_map(properties))["ApiId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if "CorsConfiguration" in old and "CorsConfiguration" not in new:
            call(context, SERVICE, "delete_cors_configuration", ApiId=physical_id)
        given = pick(new, "Name", "CorsConfiguration")
        call(context, SERVICE, "update_api", ApiId=physical_id, Description=new.get("Description", ""), **given)
        arn = f"arn:{context.partition}:apigateway:{context.region}::/apis/{physical_id}"
        if gone := context.untagged(old, new):
            call(context, SERVICE, "untag_resource", ResourceArn=arn, TagKeys=gone)
        if tags := context.tag_map(new):
            call(context, SERVICE, "tag_resource", ResourceArn=arn, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, SERVICE, "delete_api", ApiId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {
            "ApiId": physical_id,
            "ApiEndpoint": call(context, SERVICE, "get_api", ApiId=physical_id)["ApiEndpoint"],
        }


class Integration(_Part):
    TYPE = "AWS::ApiGatewayV2::Integration"
    SUPPORTED = ("ApiId", "IntegrationType", "IntegrationUri", "PayloadFormatVersion", "TimeoutInMillis", "Description")
    ONLY: ClassVar = {"IntegrationType": ("AWS_PROXY",), "PayloadFormatVersion": ("2.0",)}

    def create(self, context: Context, properties: Properties) -> str:
        return str(call(context, SERVICE, "create_integration", **properties)["IntegrationId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        call(context, SERVICE, "update_integration", IntegrationId=physical_id, **new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, SERVICE, "delete_integration", ApiId=properties["ApiId"], IntegrationId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"IntegrationId": physical_id}


class Route(_Part):
    TYPE = "AWS::ApiGatewayV2::Route"
    SUPPORTED = ("ApiId", "RouteKey", "AuthorizationType", "Target")
    ONLY: ClassVar = {"AuthorizationType": ("NONE", "")}

    def create(self, context: Context, properties: Properties) -> str:
        there = call(context, SERVICE, "get_routes", ApiId=properties["ApiId"])["Items"]
        if properties["RouteKey"] in [each["RouteKey"] for each in there]:  # moto would take it twice
            raise PropertyError(f"Route with key {properties['RouteKey']} already exists for this API")
        return str(call(context, SERVICE, "create_route", **properties)["RouteId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        call(context, SERVICE, "update_route", RouteId=physical_id, **new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, SERVICE, "delete_route", ApiId=properties["ApiId"], RouteId=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"RouteId": physical_id}


class Stage(_Part):
    TYPE = "AWS::ApiGatewayV2::Stage"
    SUPPORTED = ("ApiId", "StageName", "AutoDeploy", "Tags")
    ONLY: ClassVar = {"StageName": ("$default",), "AutoDeploy": ("true",)}

    def create(self, context: Context, properties: Properties) -> str:
        call(context, SERVICE, "create_stage", **without(properties, "Tags"), Tags=context.tag_map(properties))
        return str(properties["StageName"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        """Of what may differ there are only its tags left, and moto changes none."""

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, SERVICE, "delete_stage", ApiId=properties["ApiId"], StageName=physical_id)
