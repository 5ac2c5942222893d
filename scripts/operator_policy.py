"""Write docs/operator-policy.json: the IAM rights of whoever runs the playbooks.

CloudFormation acts with the caller's rights, so they are those that the official schema of each resource type in
`cloudformation/` names for its handlers, and the calls of our own plugins. Reading rights are given as one pattern a
service. Never tried on AWS.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

PROJECT = Path(__file__).resolve().parent.parent
POLICY = PROJECT / "docs" / "operator-policy.json"
READING = re.compile(r"^(?P<service>[\w-]+):(?P<verb>Describe|List|Get|BatchGet|Search|Lookup)")
OWN = {
    # plugins/action/cloudformation_stacks.py and what a stack needs besides its resources
    "cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack",
    "cloudformation:DescribeStacks", "cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet",
    "cloudformation:ContinueUpdateRollback", "cloudformation:RollbackStack",
    "cloudformation:ListStackResources", "cloudformation:GetTemplate", "cloudformation:UpdateTerminationProtection",
    "cloudformation:TagResource", "rds:ModifyDBInstance",
    # publish
    "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage",
    "acm:DeleteCertificate",
    # migrate, waits, teardown
    "ecs:RunTask", "ecs:StopTask", "ecs:UpdateService", "ecs:DeregisterContainerInstance",
    "ecs:DeregisterTaskDefinition", "ecs:DeleteTaskDefinitions", "ecs:DescribeTasks",
    "ecs:UpdateContainerInstancesState", "ec2:GetConsoleOutput",
    "autoscaling:UpdateAutoScalingGroup", "autoscaling:SetInstanceProtection", "autoscaling:CompleteLifecycleAction",
    "autoscaling:TerminateInstanceInAutoScalingGroup", "logs:GetLogEvents", "logs:DeleteLogGroup",
    "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucket", "s3:ListBucketVersions", "s3:DeleteBucket",
    "elasticfilesystem:DeleteFileSystem", "elasticfilesystem:DescribeFileSystems", "rds:DeleteDBSnapshot",
    "ecr:DeleteRepository", "ecr:BatchDeleteImage",
    # preflight
    "sts:GetCallerIdentity", "ssm:GetParameters", "iam:CreateServiceLinkedRole", "iam:GetRole",
    "servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota",
    "ec2:DescribeInstanceTypeOfferings", "rds:DescribeOrderableDBInstanceOptions",
}  # fmt: skip


def types() -> set[str]:
    """Resource types of all templates."""
    text = "".join(path.read_text() for path in (PROJECT / "cloudformation").glob("*.yml"))
    return set(re.findall(r"^    Type: (AWS::\w+::\w+)$", text, re.MULTILINE))


def rights() -> list[str]:
    """All actions, reading ones collapsed to a pattern a service, sorted."""
    named = set(OWN)
    for kind in types():
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema.get("handlers", {})
        for handler in handlers.values():
            named |= set(handler["permissions"])
    patterns = {f"{found['service']}:{found['verb']}*" for action in named if (found := READING.match(action))} - {
        "secretsmanager:Get*"
    }  # only by name: the value of a secret is more than reading the estate
    rest = {action for action in named if not READING.match(action) or action.startswith("secretsmanager:Get")}
    return sorted(patterns | rest, key=str.lower)


def policy() -> str:
    """The policy document, as text."""
    passing = [action for action in rights() if action == "iam:PassRole"]
    statements = [
        {"Sid": "Site", "Effect": "Allow", "Action": [a for a in rights() if a not in passing], "Resource": "*"},
        {
            "Sid": "PassTheRolesOfTheSite",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "*",
            "Condition": {
                "StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]},
            },
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"


if __name__ == "__main__":
    POLICY.write_text(policy())
    print(f"{POLICY.relative_to(PROJECT)}: {len(rights())} actions of {len(types())} resource types", file=sys.stderr)
