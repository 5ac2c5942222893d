"""Where moto does not behave like AWS in a way that matters here, mended from outside (no fork).

One module a service; importing it patches moto's classes, once a process. Each patch is covered by
local_aws/tests/unit/test_patches.py, or by a test of the module's name. They reach into moto's internals, so the
version is pinned.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import moto

if TYPE_CHECKING:
    from local_aws.cloud import Cloud

MOTO_VERSION = "5.2.5"

if moto.__version__ != MOTO_VERSION:
    raise ImportError(
        f"local_aws/patches is written for moto {MOTO_VERSION}, but moto {moto.__version__} is installed. "
        f"Type: pip install 'moto[server]=={MOTO_VERSION}'. To move on to another moto, change MOTO_VERSION in "
        "local_aws/patches/__init__.py and run local_aws/tests/unit/test_patches.py."
    )

# Roles attach AWS-managed policies; moto has them but leaves them out unless asked.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

from local_aws.patches import (  # noqa: E402 (they patch moto, so its version is checked first)
    _dispatch,
    _models,
    _offerings,  # before what imports moto's EC2
    account,
    acm,
    applicationautoscaling,
    autoscaling,
    awslambda,
    backup,
    backup_copies,
    backup_plans,
    budgets,
    cloudfront,
    cloudwatch,
    dynamodb,
    ec2,
    ec2_launches,
    ecr,
    efs,
    elbv2,
    elbv2_rules,
    elbv2_types,
    errors,
    iam,
    rds,
    rds_times,
    route53,
    s3,
    scaling_policies,
    scheduler,
    secretsmanager,
    servicequotas,
    sns,
    ssm,
    sts,
    wafv2,
)

__all__ = [
    "_dispatch",
    "_models",
    "_offerings",
    "account",
    "acm",
    "applicationautoscaling",
    "apply",
    "autoscaling",
    "awslambda",
    "backup",
    "backup_copies",
    "backup_plans",
    "budgets",
    "cloudfront",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "ec2_launches",
    "ecr",
    "efs",
    "elbv2",
    "elbv2_rules",
    "elbv2_types",
    "errors",
    "iam",
    "rds",
    "rds_times",
    "route53",
    "s3",
    "scaling_policies",
    "scheduler",
    "secretsmanager",
    "servicequotas",
    "sns",
    "ssm",
    "sts",
    "wafv2",
]


def apply(cloud: Cloud) -> None:
    """Fit the patches to `cloud`; to be called before the APIs listen. One embedded AWS a process."""
    ecr.configure(cloud)
    applicationautoscaling.configure(cloud)
