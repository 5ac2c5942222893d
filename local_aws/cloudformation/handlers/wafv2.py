"""A firewall for web applications: web ACLs, sets of addresses, what asks a web ACL, and its log."""

from __future__ import annotations

from typing import Any, ClassVar

from local_aws.cloudformation.calls import absent_is_fine, call, without
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]
SERVICE = "wafv2"


class _Kept(Handler):
    """What has a name, an id and a scope, and is changed with the token of the version that was read.

    Attributes:
        METHOD: in the names of boto3's methods.
        MEMBER: in answers.
    """

    METHOD: ClassVar[str] = ""
    MEMBER: ClassVar[str] = ""

    def create(self, context: Context, properties: Properties) -> str:
        given = {"Name": context.name(128)} | without(properties, "Tags")
        tags = context.tag_list(properties) or None
        made = call(context, SERVICE, f"create_{self.METHOD}", **given, Tags=tags)["Summary"]
        return f"{made['Name']}|{made['Id']}|{given['Scope']}"

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        found = self._found(context, physical_id)
        named, arn = _named(physical_id), found[self.MEMBER]["ARN"]
        given = self._changeable(new)
        call(context, SERVICE, f"update_{self.METHOD}", **given, **named, LockToken=found["LockToken"])
        if gone := context.untagged(old, new):
            call(context, SERVICE, "untag_resource", ResourceARN=arn, TagKeys=gone)
        if tags := context.tag_list(new):
            call(context, SERVICE, "tag_resource", ResourceARN=arn, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            token = self._found(context, physical_id)["LockToken"]
            call(context, SERVICE, f"delete_{self.METHOD}", **_named(physical_id), LockToken=token)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = self._found(context, physical_id)[self.MEMBER]
        told = {"Arn": found["ARN"], "Id": found["Id"]}
        return told | {name: found[name] for name in ("Capacity", "LabelNamespace") if name in found}

    def _changeable(self, properties: Properties) -> Properties:
        """What an update is told: all that was not said when it was made."""
        return without(properties, "Tags", "Name", "Scope")

    def _found(self, context: Context, physical_id: str) -> dict[str, Any]:
        found: dict[str, Any] = call(context, SERVICE, f"get_{self.METHOD}", **_named(physical_id))
        return found


def _named(physical_id: str) -> dict[str, str]:
    name, identifier, scope = physical_id.split("|")
    return {"Name": name, "Id": identifier, "Scope": scope}


class WebACL(_Kept):
    TYPE = "AWS::WAFv2::WebACL"
    SUPPORTED = ("Name", "Scope", "Description", "DefaultAction", "Rules", "VisibilityConfig", "Tags")
    METHOD, MEMBER = "web_acl", "WebACL"

    def _changeable(self, properties: Properties) -> Properties:
        return {"Rules": []} | super()._changeable(properties)


class IPSet(_Kept):
    TYPE = "AWS::WAFv2::IPSet"
    METHOD, MEMBER = "ip_set", "IPSet"

    def _changeable(self, properties: Properties) -> Properties:
        return without(super()._changeable(properties), "IPAddressVersion")


class WebACLAssociation(Handler):
    TYPE = "AWS::WAFv2::WebACLAssociation"

    def create(self, context: Context, properties: Properties) -> str:
        call(context, SERVICE, "associate_web_acl", **properties)
        return f"{properties['ResourceArn']}|{properties['WebACLArn']}"

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        """Tags of the stack have changed, of which an association has none; any other change is a new one."""

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        resource, _, firewall = physical_id.partition("|")
        with absent_is_fine():
            found = call(context, SERVICE, "get_web_acl_for_resource", ResourceArn=resource).get("WebACL")
            if found and found["ARN"] == firewall:  # not that of another one, which came in its place
                call(context, SERVICE, "disassociate_web_acl", ResourceArn=resource)


class LoggingConfiguration(Handler):
    TYPE = "AWS::WAFv2::LoggingConfiguration"
    SUPPORTED = ("ResourceArn", "LogDestinationConfigs", "RedactedFields")

    def create(self, context: Context, properties: Properties) -> str:
        call(context, SERVICE, "put_logging_configuration", LoggingConfiguration=properties)
        return str(properties["ResourceArn"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        call(context, SERVICE, "put_logging_configuration", LoggingConfiguration=new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, SERVICE, "delete_logging_configuration", ResourceArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"ManagedByFirewallManager": False}
