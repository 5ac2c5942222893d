"""Which IAM actions an API's operation needs: one table for the policies in docs/ and for whoever judges a call."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import botocore.session

DIFFERENT: Mapping[tuple[str, str], tuple[str, ...]] = {
    # One call, other rights: docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html, "Permissions" of each.
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "CopyObject"): ("s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"),  # with tags of its own
    ("s3", "ListBuckets"): ("s3:ListAllMyBuckets",),
    ("s3", "ListObjects"): ("s3:ListBucket",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
    ("s3", "ListMultipartUploads"): ("s3:ListBucketMultipartUploads",),
    ("s3", "ListParts"): ("s3:ListMultipartUploadParts",),
    ("s3", "DeleteObjects"): ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    ("s3", "PostObject"): ("s3:PutObject",),  # a form's upload: no operation of boto3
    ("s3", "CreateMultipartUpload"): ("s3:PutObject",),
    ("s3", "UploadPart"): ("s3:PutObject",),
    ("s3", "UploadPartCopy"): ("s3:GetObject", "s3:PutObject"),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "PutPublicAccessBlock"): ("s3:PutBucketPublicAccessBlock",),
    ("s3", "DeletePublicAccessBlock"): ("s3:PutBucketPublicAccessBlock",),
    ("s3", "GetBucketEncryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "PutBucketEncryption"): ("s3:PutEncryptionConfiguration",),
    ("s3", "DeleteBucketEncryption"): ("s3:PutEncryptionConfiguration",),
    ("s3", "GetBucketLifecycle"): ("s3:GetLifecycleConfiguration",),
    ("s3", "GetBucketLifecycleConfiguration"): ("s3:GetLifecycleConfiguration",),
    ("s3", "PutBucketLifecycle"): ("s3:PutLifecycleConfiguration",),
    ("s3", "PutBucketLifecycleConfiguration"): ("s3:PutLifecycleConfiguration",),
    ("s3", "DeleteBucketLifecycle"): ("s3:PutLifecycleConfiguration",),
    ("s3", "GetBucketCors"): ("s3:GetBucketCORS",),
    ("s3", "PutBucketCors"): ("s3:PutBucketCORS",),
    ("s3", "DeleteBucketCors"): ("s3:PutBucketCORS",),
    ("s3", "DeleteBucketOwnershipControls"): ("s3:PutBucketOwnershipControls",),
    ("s3", "DeleteBucketTagging"): ("s3:PutBucketTagging",),
    ("s3", "GetBucketReplication"): ("s3:GetReplicationConfiguration",),
    ("s3", "GetBucketNotificationConfiguration"): ("s3:GetBucketNotification",),
    ("s3", "PutBucketNotificationConfiguration"): ("s3:PutBucketNotification",),
    ("s3", "PutBucketReplication"): ("s3:PutReplicationConfiguration",),
    ("s3", "DeleteBucketReplication"): ("s3:PutReplicationConfiguration",),
    ("s3", "PutObjectLockConfiguration"): ("s3:PutBucketObjectLockConfiguration",),
    ("s3", "GetObjectLockConfiguration"): ("s3:GetBucketObjectLockConfiguration",),
    ("s3", "GetBucketAccelerateConfiguration"): ("s3:GetAccelerateConfiguration",),
    ("s3", "GetBucketInventoryConfiguration"): ("s3:GetInventoryConfiguration",),
    # API Gateway's actions are HTTP's:
    # docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html
    ("apigatewayv2", "GetApis"): ("apigateway:GET",),
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    # A batch needs what each of it needs:
    # docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
    ("sqs", "SendMessageBatch"): ("sqs:SendMessage",),
    ("sqs", "DeleteMessageBatch"): ("sqs:DeleteMessage",),
    ("sqs", "ChangeMessageVisibilityBatch"): ("sqs:ChangeMessageVisibility",),
    ("sns", "PublishBatch"): ("sns:Publish",),
    ("dynamodb", "TransactGetItems"): ("dynamodb:GetItem",),
    ("dynamodb", "TransactWriteItems"): (
        "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem",
    ),
    # docs.aws.amazon.com/service-authorization/latest/reference/list_awsbudgetservice.html
    **{
        ("budgets", f"{verb}{thing}"): ("budgets:ModifyBudget",)
        for verb in ("Create", "Update", "Delete")
        for thing in ("Budget", "Notification", "Subscriber")
    },
    **{
        ("budgets", f"Describe{thing}"): ("budgets:ViewBudget",)
        for thing in ("Budget", "Budgets", "NotificationsForBudget", "SubscribersForNotification")
    },
    ("cloudfront", "CreateDistributionWithTags"): ("cloudfront:CreateDistribution", "cloudfront:TagResource"),
    # Stacks carry tags: docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
    ("cloudformation", "CreateStack"): ("cloudformation:CreateStack", "cloudformation:TagResource"),
    ("cloudformation", "UpdateStack"): (
        "cloudformation:UpdateStack", "cloudformation:TagResource", "cloudformation:UntagResource",
    ),
    # The task's roles are passed: docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    ("ecs", "RegisterTaskDefinition"): ("ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole"),
    ("ecs", "RunTask"): ("ecs:RunTask", "ecs:TagResource", "iam:PassRole"),
}  # fmt: skip
"""(boto3's service, operation) → actions, where these are not one of the operation's name."""

HTTP_ACTIONS = ("apigatewayv2", "apigateway")
"""Services of boto3 whose actions are HTTP's methods."""


DIFFERENT_NAMES = {"cloudwatch": "cloudwatch", "resourcegroupstaggingapi": "tag"}
"""boto3's name → IAM's, where it is not the one that requests are signed for."""


@functools.cache
def prefix(service: str) -> str:
    """IAM's name of a service of boto3.

    Raises:
        botocore.exceptions.UnknownServiceError: there is none of that name.
    """
    if service in DIFFERENT_NAMES:
        return DIFFERENT_NAMES[service]
    return str(botocore.session.get_session().get_service_model(service).signing_name)


def actions(service: str, operation: str) -> tuple[str, ...]:
    """The IAM actions that a call may need; those beyond the first only where what they are for is asked.

    Args:
        service: boto3's name, `efs`.
        operation: the API's, `DescribeFileSystems`.

    Raises:
        botocore.exceptions.UnknownServiceError: there is no such service.
    """
    return DIFFERENT.get((service, operation), (f"{prefix(service)}:{operation}",))
