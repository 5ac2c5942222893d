"""Which rights CloudFormation needs for the resources of our templates: it acts with the caller's.

The official schema of each resource type names the actions of its handlers, for all that the type can do. That is too
much: 39 of them belonged to services that nothing here uses. The rule of thumb, in this order:

1. `create`, `read`, `update` and `delete` count; `list` is for others than CloudFormation.
2. An action counts if IAM knows it, and if its service is one of the templates' own or one that our plugins call.
   Patterns (`ssm:Get*`) do not count.
3. An action that serves one property counts if a template sets that property (`PROPERTIES`).
4. An action that reaches beyond the resource does not count (`BEYOND`).

What is in none of the lists counts: a right too many is better than a deployment that stops half way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from scripts.rights import iam

PROJECT = Path(__file__).resolve().parents[2]
HANDLERS = ("create", "read", "update", "delete")

PROPERTIES: Mapping[str, Mapping[str, Collection[str]]] = {
    "AWS::ApiGatewayV2::Api": {"BodyS3Location": ["s3:getObject"]},
    "AWS::ApplicationAutoScaling::ScalableTarget": {
        "ScheduledActions": [
            "application-autoscaling:PutScheduledAction", "application-autoscaling:DeleteScheduledAction",
        ],
    },
    "AWS::AutoScaling::AutoScalingGroup": {
        "MetricsCollection": ["autoscaling:EnableMetricsCollection", "autoscaling:DisableMetricsCollection"],
        "NotificationConfigurations": [
            "autoscaling:PutNotificationConfiguration", "autoscaling:DeleteNotificationConfiguration",
        ],
        "LoadBalancerNames": ["autoscaling:AttachLoadBalancers", "autoscaling:DetachLoadBalancers"],
        "TargetGroupARNs": [
            "autoscaling:AttachLoadBalancerTargetGroups", "autoscaling:DetachLoadBalancerTargetGroups",
        ],
        "TrafficSources": ["autoscaling:AttachTrafficSources", "autoscaling:DetachTrafficSources"],
    },
    "AWS::Backup::BackupVault": {
        # Without it the key is aws/backup, whose policy lets whoever may use AWS Backup's storage.
        "EncryptionKeyArn": [
            "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant",
        ],
        "AccessPolicy": [
            "backup:GetBackupVaultAccessPolicy", "backup:PutBackupVaultAccessPolicy",
            "backup:DeleteBackupVaultAccessPolicy",
        ],
        "LockConfiguration": [
            "backup:PutBackupVaultLockConfiguration", "backup:DeleteBackupVaultLockConfiguration",
        ],
        "Notifications": [
            "backup:GetBackupVaultNotifications", "backup:PutBackupVaultNotifications",
            "backup:DeleteBackupVaultNotifications",
        ],
    },
    "AWS::CertificateManager::Certificate": {
        "CertificateTransparencyLoggingPreference": ["acm:UpdateCertificateOptions"],
    },
    "AWS::DynamoDB::Table": {
        "ContributorInsightsSpecification": ["dynamodb:UpdateContributorInsights"],
        "ImportSourceSpecification": [
            "dynamodb:ImportTable", "dynamodb:DescribeImport", "s3:ListBucket", "s3:GetObject", "kms:Decrypt",
            "kms:Encrypt", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
            "logs:PutRetentionPolicy",
        ],
        "KinesisStreamSpecification": [
            "dynamodb:EnableKinesisStreamingDestination", "dynamodb:DisableKinesisStreamingDestination",
            "dynamodb:UpdateKinesisStreamingDestination",
        ],
        "ResourcePolicy": ["dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy"],
    },
    "AWS::EC2::EIP": {
        "TransferAddress": ["ec2:AcceptAddressTransfer"],
        "InstanceId": ["ec2:AssociateAddress", "ec2:DisassociateAddress"],
    },
    "AWS::EC2::NatGateway": {
        "SecondaryAllocationIds": ["ec2:AssociateNatGatewayAddress", "ec2:DisassociateNatGatewayAddress"],
        "SecondaryPrivateIpAddresses": [
            "ec2:AssignPrivateNatGatewayAddress", "ec2:UnassignPrivateNatGatewayAddress",
        ],
    },
    "AWS::EC2::SecurityGroup": {
        "SecurityGroupEgress": [
            "ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress",
            "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
        ],
    },
    "AWS::EC2::Subnet": {
        "Ipv6CidrBlock": ["ec2:AssociateSubnetCidrBlock", "ec2:DisassociateSubnetCidrBlock"],
    },
    "AWS::EC2::VPC": {
        "InstanceTenancy": ["ec2:ModifyVpcTenancy"],
        "VpcEncryptionControl": ["ec2:CreateVpcEncryptionControl"],
    },
    "AWS::EC2::VPCGatewayAttachment": {"VpnGatewayId": ["ec2:AttachVpnGateway", "ec2:DetachVpnGateway"]},
    "AWS::ECR::Repository": {"RepositoryPolicyText": ["ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy"]},
    "AWS::EFS::FileSystem": {
        "ReplicationConfiguration": [
            "elasticfilesystem:CreateReplicationConfiguration", "elasticfilesystem:DeleteReplicationConfiguration",
        ],
        "FileSystemPolicy": ["elasticfilesystem:PutFileSystemPolicy", "elasticfilesystem:DeleteFileSystemPolicy"],
        "LifecyclePolicies": ["elasticfilesystem:PutLifecycleConfiguration"],
        "FileSystemProtection": ["elasticfilesystem:UpdateFileSystemProtection"],
    },
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {
        "MinimumLoadBalancerCapacity": ["elasticloadbalancing:ModifyCapacityReservation"],
        "Ipv4IpamPoolId": ["elasticloadbalancing:ModifyIpPools"],
    },
    "AWS::ElasticLoadBalancingV2::TargetGroup": {
        "Targets": ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
    },
    "AWS::IAM::Role": {
        "ManagedPolicyArns": ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        "PermissionsBoundary": ["iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"],
        "Description": ["iam:UpdateRoleDescription"],
    },
    "AWS::Lambda::Function": {
        "CapacityProviderConfig": ["lambda:PassCapacityProvider"],
        "CodeSigningConfigArn": [
            "lambda:GetCodeSigningConfig", "lambda:PutFunctionCodeSigningConfig",
            "lambda:DeleteFunctionCodeSigningConfig",
        ],
        "FileSystemConfigs": ["elasticfilesystem:DescribeMountTargets"],
        "FunctionScalingConfig": ["lambda:PutFunctionScalingConfig"],
        "KmsKeyArn": ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
        "Layers": ["lambda:GetLayerVersion"],
        "PublishToLatestPublished": ["lambda:PublishVersion"],
        "RecursiveLoop": ["lambda:PutFunctionRecursionConfig"],
        "ReservedConcurrentExecutions": ["lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"],
        "RuntimeManagementConfig": ["lambda:PutRuntimeManagementConfig"],
    },
    "AWS::Logs::LogGroup": {
        "KmsKeyId": ["logs:AssociateKmsKey", "logs:DisassociateKmsKey"],
        "DataProtectionPolicy": [
            "logs:GetDataProtectionPolicy", "logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy",
        ],
        "FieldIndexPolicies": ["logs:PutIndexPolicy", "logs:DeleteIndexPolicy"],
        "ResourcePolicyDocument": ["logs:PutResourcePolicy", "logs:DeleteResourcePolicy"],
        "BearerTokenAuthenticationEnabled": ["logs:PutBearerTokenAuthentication"],
        "DeletionProtectionEnabled": ["logs:PutLogGroupDeletionProtection"],
    },
    "AWS::RDS::DBInstance": {
        "AssociatedRoles": ["rds:AddRoleToDBInstance", "rds:RemoveRoleFromDBInstance"],
        "SourceDBInstanceIdentifier": ["rds:CreateDBInstanceReadReplica", "rds:PromoteReadReplica"],
        "DBSnapshotIdentifier": ["rds:RestoreDBInstanceFromDBSnapshot"],
        "RestoreTime": ["rds:RestoreDBInstanceToPointInTime"],
        "AutomaticBackupReplicationRegion": [
            "rds:StartDBInstanceAutomatedBackupsReplication", "rds:StopDBInstanceAutomatedBackupsReplication",
        ],
    },
    "AWS::Route53::HostedZone": {
        "QueryLoggingConfig": ["route53:CreateQueryLoggingConfig", "route53:DeleteQueryLoggingConfig"],
        "HostedZoneFeatures": ["route53:UpdateHostedZoneFeatures"],
        "HostedZoneConfig": ["route53:UpdateHostedZoneComment"],
    },
    "AWS::S3::Bucket": {
        "AbacStatus": ["s3:PutBucketAbac", "s3:GetBucketAbac"],
        "AccelerateConfiguration": ["s3:PutAccelerateConfiguration"],
        "AccessControl": ["s3:PutBucketAcl", "s3:PutObjectAcl"],
        "AnalyticsConfigurations": ["s3:PutAnalyticsConfiguration"],
        "CorsConfiguration": ["s3:PutBucketCORS"],
        "IntelligentTieringConfigurations": ["s3:PutIntelligentTieringConfiguration"],
        "InventoryConfigurations": ["s3:PutInventoryConfiguration"],
        "LoggingConfiguration": ["s3:PutBucketLogging"],
        "MetadataConfiguration": [
            "s3:UpdateBucketMetadataAnnotationTableConfiguration", "s3:UpdateBucketMetadataInventoryTableConfiguration",
            "s3:UpdateBucketMetadataJournalTableConfiguration",
        ],
        "MetadataTableConfiguration": [
            "s3:CreateBucketMetadataTableConfiguration", "s3:DeleteBucketMetadataTableConfiguration",
            "s3:GetBucketMetadataTableConfiguration",
        ],
        "MetricsConfigurations": ["s3:PutMetricsConfiguration"],
        "NotificationConfiguration": ["s3:PutBucketNotification"],
        "ObjectLockConfiguration": ["s3:PutBucketObjectLockConfiguration"],
        "ReplicationConfiguration": ["s3:PutReplicationConfiguration"],
        "WebsiteConfiguration": ["s3:PutBucketWebsite", "s3:DeleteBucketWebsite"],
    },
    "AWS::SNS::Subscription": {"FilterPolicy": ["sns:SetSubscriptionAttributes"]},
    "AWS::SNS::Topic": {
        "DataProtectionPolicy": ["sns:GetDataProtectionPolicy", "sns:PutDataProtectionPolicy"],
        "Subscription": ["sns:ListSubscriptionsByTopic"],
    },
    "AWS::SecretsManager::Secret": {
        "ReplicaRegions": [
            "secretsmanager:ReplicateSecretToRegions", "secretsmanager:RemoveRegionsFromReplication",
        ],
    },
}  # fmt: skip
"""Resource type → property → the actions that only this property needs."""

BEYOND: Mapping[str, str] = {
    "cloudwatch:GetMetricData": "the forecast of predictive scaling; services scale by what is",
    "elasticloadbalancing:SetRulePriorities": "another priority; a rule is named by its own, which never changes",
    "ecs:PutAccountSetting": "a setting of the account; a cluster's own are UpdateClusterSettings",
    "ecs:PutAccountSettingDefault": "the same, for everybody in the account",
    "dynamodb:CreateTableReplica": "a replica in another region; none is made",
    "dynamodb:AssociateTableReplica": "the same",
    **dict.fromkeys(
        (
            "dynamodb:Scan", "dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem",
            "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
        ),
        "the items, which a replica is filled with",
    ),
    "kms:RevokeGrant": "of a key of the account's own; a table's is aws/dynamodb, whose policy lets DynamoDB use it",
    **dict.fromkeys(
        (
            "lambda:GetProvisionedConcurrencyConfig", "lambda:PutProvisionedConcurrencyConfig",
            "lambda:DeleteProvisionedConcurrencyConfig",
        ),
        "functions that are scaled; what is scaled here are services",
    ),
    **dict.fromkeys(
        (
            "ec2:AssociateVerifiedAccessInstanceWebAcl", "ec2:DisassociateVerifiedAccessInstanceWebAcl",
            "ec2:DescribeVerifiedAccessInstanceWebAclAssociations", "ec2:GetVerifiedAccessInstanceWebAcl",
            "apigateway:SetWebACL",
        ),
        "a firewall before something else than a load balancer",
    ),
    "wafv2:PutPermissionPolicy": "a group of rules that another account gives; there are AWS's own",
    "wafv2:GetPermissionPolicy": "the same",
    "autoscaling:StartInstanceRefresh": "of an UpdatePolicy, which the hosts' group has not",
    "autoscaling:CancelInstanceRefresh": "of an UpdatePolicy",
    "autoscaling:SuspendProcesses": "of an UpdatePolicy",
    "autoscaling:ResumeProcesses": "of an UpdatePolicy",
}  # fmt: skip
"""Actions that handlers name and that reach beyond what the templates ask for, and why they are left out."""


BESIDES: Mapping[str, Collection[str]] = {
    # A parameter of such a type is looked up when the stack is made or changed.
    # docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
    "parameter types": [
        "ec2:DescribeVpcs",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
    ],
    # docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html
    "a CDN's log": ["s3:GetBucketAcl", "s3:PutBucketAcl"],
    # Handlers name them, and their services are none of a plugin's or a type's.
    # docs.aws.amazon.com/cost-management/latest/userguide/billing-permissions-ref.html
    "a budget": ["billing:GetBillingViewData"],
    # docs.aws.amazon.com/aws-backup/latest/devguide/access-control.html
    "a vault": ["backup-storage:MountCapsule"],
    # docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
    "dynamic references": ["secretsmanager:GetSecretValue"],
}  # fmt: skip
"""What a template needs besides its resources."""


class _Loader(yaml.CSafeLoader):
    """Reads templates, rendered or not; short tags (`!Ref`) are of no interest here."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: "…")


def resources() -> dict[str, set[str]]:
    """Resource type → all properties that some layer's template sets, whatever the inventory chooses."""
    found: dict[str, set[str]] = {}
    stages = yaml.safe_load((PROJECT / "group_vars/all/site.yml").read_text())["site_stages"]
    for layer in sorted(layer for layers in stages.values() for layer in layers):
        template = yaml.load((PROJECT / f"cloudformation/{layer}.yml").read_text(), _Loader)
        for resource in template["Resources"].values():
            found.setdefault(resource["Type"], set()).update(resource.get("Properties", {}))
    return found


def schema(kind: str) -> dict[str, Any]:
    """The official schema of a resource type."""
    found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return found


def named(kind: str) -> set[str]:
    """Actions that a type's handlers name."""
    handlers = schema(kind).get("handlers", {})
    return {action for name in HANDLERS for action in handlers.get(name, {}).get("permissions", [])}


def needed(also: Collection[str]) -> dict[str, set[str]]:
    """Action → why CloudFormation needs it (resource types).

    Args:
        also: prefixes of services that plugins call, which count besides the templates' own.
    """
    used = resources()
    # What is CloudFormation's own (WaitConditionHandle) has no handlers.
    services = {*also, *(schema_service(kind) for kind in used if named(kind)), "iam"}
    found: dict[str, set[str]] = {}
    for kind, properties in used.items():
        unset = {
            action for name, serving in PROPERTIES.get(kind, {}).items() if name not in properties for action in serving
        }
        for action in named(kind) - unset - BEYOND.keys():
            if action.partition(":")[0] in services and "*" not in action and iam.known(action):
                found.setdefault(action, set()).add(kind)
    for why, besides in BESIDES.items():
        for action in besides:
            found.setdefault(action, set()).add(why)
    return found


def schema_service(kind: str) -> str:
    """IAM's prefix of the service that a resource type belongs to: what most of its `create` actions begin with."""
    names: list[str] = [action.partition(":")[0] for action in schema(kind)["handlers"]["create"]["permissions"]]
    return max(sorted(set(names)), key=names.count)
