"""Roles, their policies and instance profiles."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call, changed, exists, pick
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Role(Handler):
    TYPE = "AWS::IAM::Role"

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("RoleName") or context.name(64)
        call(
            context,
            "iam",
            "create_role",
            RoleName=name,
            Tags=context.tag_list(properties) or None,
            **pick(
                properties,
                "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path", "PermissionsBoundary",
            ),
        )  # fmt: skip
        context.created(name)
        self._set_policies(context, name, {}, properties)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "AssumeRolePolicyDocument"):
            document = new["AssumeRolePolicyDocument"]
            call(context, "iam", "update_assume_role_policy", RoleName=physical_id, PolicyDocument=document)
        if changed(old, new, "Description", "MaxSessionDuration"):
            settings = {"Description": new.get("Description", ""), **pick(new, "MaxSessionDuration")}
            call(context, "iam", "update_role", RoleName=physical_id, **settings)
        if changed(old, new, "PermissionsBoundary"):
            if "PermissionsBoundary" in new:
                boundary = new["PermissionsBoundary"]
                call(
                    context, "iam", "put_role_permissions_boundary", RoleName=physical_id, PermissionsBoundary=boundary
                )
            else:
                call(context, "iam", "delete_role_permissions_boundary", RoleName=physical_id)
        self._set_policies(context, physical_id, old, new)
        if gone := context.untagged(old, new):
            call(context, "iam", "untag_role", RoleName=physical_id, TagKeys=gone)
        if tags := context.tag_list(new):
            call(context, "iam", "tag_role", RoleName=physical_id, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            self._set_policies(context, physical_id, properties, {})
            call(context, "iam", "delete_role", RoleName=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        role = call(context, "iam", "get_role", RoleName=physical_id)["Role"]
        return {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def _set_policies(self, context: Context, role: str, old: Properties, new: Properties) -> None:
        before, after = old.get("ManagedPolicyArns") or [], new.get("ManagedPolicyArns") or []
        for arn in after:
            if arn not in before:
                call(context, "iam", "attach_role_policy", RoleName=role, PolicyArn=arn)
        for arn in before:
            if arn not in after:
                with absent_is_fine():
                    call(context, "iam", "detach_role_policy", RoleName=role, PolicyArn=arn)
        inline = {policy["PolicyName"]: policy["PolicyDocument"] for policy in new.get("Policies") or []}
        for name, document in inline.items():
            call(context, "iam", "put_role_policy", RoleName=role, PolicyName=name, PolicyDocument=document)
        for policy in old.get("Policies") or []:
            if policy["PolicyName"] not in inline:
                with absent_is_fine():
                    call(context, "iam", "delete_role_policy", RoleName=role, PolicyName=policy["PolicyName"])


class InstanceProfile(Handler):
    TYPE = "AWS::IAM::InstanceProfile"

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("InstanceProfileName") or context.name(128)
        call(context, "iam", "create_instance_profile", InstanceProfileName=name, **pick(properties, "Path"))
        context.created(name)
        self._set_roles(context, name, [], properties["Roles"])
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._set_roles(context, physical_id, old["Roles"], new["Roles"])

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            self._set_roles(context, physical_id, properties["Roles"], [])
            call(context, "iam", "delete_instance_profile", InstanceProfileName=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        answer = call(context, "iam", "get_instance_profile", InstanceProfileName=physical_id)
        return {"Arn": answer["InstanceProfile"]["Arn"]}

    def _set_roles(self, context: Context, profile: str, before: list[str], after: list[str]) -> None:
        for role in before:
            if role not in after:
                with absent_is_fine():
                    arguments = {"InstanceProfileName": profile, "RoleName": role}
                    call(context, "iam", "remove_role_from_instance_profile", **arguments)
        for role in after:
            if role not in before:
                arguments = {"InstanceProfileName": profile, "RoleName": role}
                call(context, "iam", "add_role_to_instance_profile", **arguments)


class Policy(Handler):
    """An inline policy of one or more roles, users or groups."""

    TYPE = "AWS::IAM::Policy"
    HOLDERS = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"), ("Groups", "group", "GroupName"))

    def create(self, context: Context, properties: Properties) -> str:
        self._put(context, properties)
        return str(properties["PolicyName"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> str | None:
        self._put(context, new)
        renamed = changed(old, new, "PolicyName")
        for kind, holder, key in self.HOLDERS:
            for name in old.get(kind) or []:
                if renamed or name not in (new.get(kind) or []):
                    self._remove(context, holder, key, name, old["PolicyName"])
        return str(new["PolicyName"])

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        for kind, holder, key in self.HOLDERS:
            for name in properties.get(kind) or []:
                self._remove(context, holder, key, name, properties["PolicyName"])

    def _put(self, context: Context, properties: Properties) -> None:
        for kind, holder, key in self.HOLDERS:
            for name in properties.get(kind) or []:
                policy = pick(properties, "PolicyName", "PolicyDocument")
                call(context, "iam", f"put_{holder}_policy", **{key: name}, **policy)

    def _remove(self, context: Context, holder: str, key: str, name: str, policy: str) -> None:
        with absent_is_fine():
            call(context, "iam", f"delete_{holder}_policy", **{key: name}, PolicyName=policy)


class ManagedPolicy(Handler):
    TYPE = "AWS::IAM::ManagedPolicy"
    VERSIONS = 5  # that a managed policy can have at a time
    HOLDERS = Policy.HOLDERS

    def create(self, context: Context, properties: Properties) -> str:
        name = properties.get("ManagedPolicyName") or context.name(128)
        settings = pick(properties, "PolicyDocument", "Description", "Path")
        tags = context.tag_list(properties) or None
        arn = str(call(context, "iam", "create_policy", PolicyName=name, Tags=tags, **settings)["Policy"]["Arn"])
        context.created(arn)
        self._attach(context, arn, {}, properties)
        return arn

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "PolicyDocument"):
            versions = call(context, "iam", "list_policy_versions", PolicyArn=physical_id)["Versions"]
            if len(versions) >= self.VERSIONS:
                oldest = min(
                    (one for one in versions if not one["IsDefaultVersion"]), key=lambda one: one["CreateDate"]
                )
                call(context, "iam", "delete_policy_version", PolicyArn=physical_id, VersionId=oldest["VersionId"])
            document = {"PolicyDocument": new["PolicyDocument"], "SetAsDefault": True}
            call(context, "iam", "create_policy_version", PolicyArn=physical_id, **document)
        self._attach(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        if not exists(context, "iam", "get_policy", PolicyArn=physical_id):
            return
        self._attach(context, physical_id, properties, {})
        for version in call(context, "iam", "list_policy_versions", PolicyArn=physical_id)["Versions"]:
            if not version["IsDefaultVersion"]:
                call(context, "iam", "delete_policy_version", PolicyArn=physical_id, VersionId=version["VersionId"])
        call(context, "iam", "delete_policy", PolicyArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        policy = call(context, "iam", "get_policy", PolicyArn=physical_id)["Policy"]
        return {
            "PolicyArn": physical_id,
            "PolicyId": policy["PolicyId"],
            "DefaultVersionId": policy["DefaultVersionId"],
            "AttachmentCount": policy.get("AttachmentCount", 0),
            "IsAttachable": policy.get("IsAttachable", True),
            "PermissionsBoundaryUsageCount": policy.get("PermissionsBoundaryUsageCount", 0),
            "CreateDate": str(policy["CreateDate"]),
            "UpdateDate": str(policy["UpdateDate"]),
        }

    def _attach(self, context: Context, arn: str, old: Properties, new: Properties) -> None:
        for kind, holder, key in self.HOLDERS:
            before, after = old.get(kind) or [], new.get(kind) or []
            for name in after:
                if name not in before:
                    call(context, "iam", f"attach_{holder}_policy", **{key: name}, PolicyArn=arn)
            for name in before:
                if name not in after:
                    with absent_is_fine():
                        call(context, "iam", f"detach_{holder}_policy", **{key: name}, PolicyArn=arn)


class OIDCProvider(Handler):
    """An issuer of tokens that the account trusts; its ARN is made of its URL, which an account has once."""

    TYPE = "AWS::IAM::OIDCProvider"

    def create(self, context: Context, properties: Properties) -> str:
        answer = call(
            context,
            "iam",
            "create_open_id_connect_provider",
            ThumbprintList=properties.get("ThumbprintList") or [],
            ClientIDList=properties.get("ClientIdList") or [],
            Tags=context.tag_list(properties) or None,
            **pick(properties, "Url"),
        )
        arn = str(answer["OpenIDConnectProviderArn"])
        context.created(arn)
        return arn

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        named = {"OpenIDConnectProviderArn": physical_id}
        if changed(old, new, "ThumbprintList"):
            thumbprints = new.get("ThumbprintList") or []
            call(context, "iam", "update_open_id_connect_provider_thumbprint", **named, ThumbprintList=thumbprints)
        before, after = old.get("ClientIdList") or [], new.get("ClientIdList") or []
        for client in after:
            if client not in before:
                call(context, "iam", "add_client_id_to_open_id_connect_provider", **named, ClientID=client)
        for client in before:
            if client not in after:
                call(context, "iam", "remove_client_id_from_open_id_connect_provider", **named, ClientID=client)
        if gone := context.untagged(old, new):
            call(context, "iam", "untag_open_id_connect_provider", **named, TagKeys=gone)
        if tags := context.tag_list(new):
            call(context, "iam", "tag_open_id_connect_provider", **named, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "iam", "delete_open_id_connect_provider", OpenIDConnectProviderArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Arn": physical_id}
