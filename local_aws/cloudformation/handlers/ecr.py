"""Image repositories."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, boolean, call, changed, pick
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Repository(Handler):
    TYPE = "AWS::ECR::Repository"

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("RepositoryName") or context.name(256, lower=True)
        call(
            context,
            "ecr",
            "create_repository",
            repositoryName=name,
            tags=context.tag_list(properties) or None,
            **pick(properties, "ImageTagMutability", "ImageScanningConfiguration", "EncryptionConfiguration"),
        )
        context.created(name)
        self._set_policies(context, name, {}, properties)
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "ImageTagMutability"):
            mutability = new.get("ImageTagMutability", "MUTABLE")
            call(context, "ecr", "put_image_tag_mutability", repositoryName=physical_id, imageTagMutability=mutability)
        if changed(old, new, "ImageScanningConfiguration"):
            scanning = new.get("ImageScanningConfiguration") or {"ScanOnPush": False}
            arguments = {"repositoryName": physical_id, "imageScanningConfiguration": scanning}
            call(context, "ecr", "put_image_scanning_configuration", **arguments)
        self._set_policies(context, physical_id, old, new)
        arn = self.attributes(context, physical_id, new)["Arn"]
        if gone := context.untagged(old, new):
            call(context, "ecr", "untag_resource", resourceArn=arn, tagKeys=gone)
        if tags := context.tag_list(new):
            call(context, "ecr", "tag_resource", resourceArn=arn, tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        # With images in it this fails unless the template says EmptyOnDelete.
        with absent_is_fine():
            force = boolean(properties.get("EmptyOnDelete"))
            call(context, "ecr", "delete_repository", repositoryName=physical_id, force=force)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        answer = call(context, "ecr", "describe_repositories", repositoryNames=[physical_id])
        repository = answer["repositories"][0]
        return {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]}

    def _set_policies(self, context: Context, name: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "LifecyclePolicy"):
            if text := (new.get("LifecyclePolicy") or {}).get("LifecyclePolicyText"):
                call(context, "ecr", "put_lifecycle_policy", repositoryName=name, lifecyclePolicyText=text)
            else:
                call(context, "ecr", "delete_lifecycle_policy", repositoryName=name)
        if changed(old, new, "RepositoryPolicyText"):
            if text := new.get("RepositoryPolicyText"):
                call(context, "ecr", "set_repository_policy", repositoryName=name, policyText=text)
            else:
                call(context, "ecr", "delete_repository_policy", repositoryName=name)
