"""What IAM knows: actions, the types of resources that each takes, and how ours are named.

The data is AWS's Service Authorization Reference as cfn-lint carries it. An action in a statement whose resource is
none of its types is not granted, without a word; so a statement is made of these types and never by hand.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

import fnmatch
import functools
import json
import re
from collections.abc import Collection, Mapping
from importlib.resources import files
from typing import Any

EVERYWHERE = r"(?!s3:|wafv2:)([\w-]+:(?:Describe|List))\w*[*]?"
PATTERNS: Mapping[str, str] = {
    EVERYWHERE: r"\1*",
    r"s3:GetBucket\w+": "s3:GetBucket*",
    r"s3:Get\w+Configuration": "s3:Get*Configuration",
    r"([\w-]+):(Tag|Untag)(OpenIDConnectProvider|Queue|Resource|Role)": r"\1:*ag\3",
    r"sns:(Create|Delete)Topic": "sns:*Topic",
    r"sns:(S|Uns)ubscribe": "sns:*ubscribe",
    r"elasticloadbalancing:(Create|Delete|Modify)(Listener|Rule|TargetGroup)": r"elasticloadbalancing:*\2",
    r"cloudwatch:(Delete|Put)AlarmMuteRule": "cloudwatch:*AlarmMuteRule",
    r"autoscaling:(Create|Delete|Update)(AutoScalingGroup|LaunchConfiguration)": r"autoscaling:*\2",
    r"autoscaling:(Delete|Disable|Enable|Put)(LifecycleHook|MetricsCollection)": r"autoscaling:*\2",
    r"ecr:(Delete|Get|Put)LifecyclePolicy": "ecr:*LifecyclePolicy",
    r"ecs:(Create|Delete|Update)CapacityProvider": "ecs:*CapacityProvider",
    r"(elasticloadbalancing):Modify(Listener|LoadBalancer|TargetGroup)Attributes": r"\1:Modify*Attributes",
    r"ec2:(Authorize|Revoke)SecurityGroupIngress": "ec2:*SecurityGroupIngress",
    r"events:(Put|Remove)Targets": "events:*Targets",
    r"logs:(Delete|Put)RetentionPolicy": "logs:*RetentionPolicy",
    r"logs:(Create|Delete)LogGroup": "logs:*LogGroup",
    r"logs:(Create|Delete)LogStream": "logs:*LogStream",
    r"ecr:(Create|Delete)Repository": "ecr:*Repository",
    r"route53:(Associate|Disassociate)VPC(With|From)HostedZone": "route53:*VPC*HostedZone",
    r"scheduler:(Create|Delete|Update)Schedule": "scheduler:*Schedule",
    r"cloudfront:(Create|Delete|Get|Update)\w+": r"cloudfront:\1*",
    r"wafv2:(Create|Delete|Get|Update|Associate|Disassociate)(WebACL|IPSet)": r"wafv2:*\2",
    r"wafv2:(Put|Delete|Get)LoggingConfiguration": "wafv2:*LoggingConfiguration",
    r"wafv2:(Tag|Untag)Resource": "wafv2:*agResource",
}
"""Actions that are given by a pattern, for brevity: they look at the estate and show no content.

The first on everything, as a list cannot be asked for in part; but not `s3:List*`, which would show the names of
files in other buckets of the account, nor those of WAF, of which a stack needs the tags of its own things only. Those
of CloudFront change something too: AWS makes up the ids of its things, and a distribution needs most of its actions, so
one by one they would bound nothing more. So do the pairs and threes before them, of which all are needed; their
patterns take nothing else that changes something, as a managed policy has little room.
"""
LOOKING = re.compile(r"(?!s3:GetObject|secretsmanager:GetSecretValue)[\w-]+:(Describe|List|Get)")
"""Actions that only read, and no content. Where they cannot be scoped by name they hold everywhere, other regions
included."""

NAMES: Mapping[str, Mapping[str, Collection[str]]] = {
    "autoscaling": {
        "autoscalinggroup": ["autoScalingGroup:*:autoScalingGroupName/{site}-*"],
        "launchconfiguration": ["launchConfiguration:*:launchConfigurationName/{site}-*"],
    },
    "backup": {
        "backupplan": ["backup-plan:*"],
        "backupvault": ["backup-vault:{site}-*"],
        "recoverypoint": ["recovery-point:*"],
    },
    "budgets": {"budget": ["budget/{site}-*"]},
    "cloudformation": {"stack": ["stack/{site}-*/*"]},
    "cloudwatch": {"alarm": ["alarm:{site}-*"], "alarm-mute-rule": ["alarm-mute-rule:{site}-*"]},
    "dynamodb": {"table": ["table/{site}-*"]},
    "ecr": {"repository": ["repository/{site}-*"]},
    "ecs": {
        "capacity-provider": ["capacity-provider/{site}-*"],
        "cluster": ["cluster/{site}-*"],
        "container-instance": ["container-instance/{site}-*/*"],
        "service": ["service/{site}-*/*"],
        "service-deployment": ["service-deployment/{site}-*/*"],
        "task": ["task/{site}-*/*"],
        "task-definition": ["task-definition/{site}-*"],
    },
    "events": {"rule-on-default-event-bus": ["rule/{site}-*"]},
    "lambda": {"function": ["function:{site}-*"]},
    "iam": {"role": ["role/{site}-*"], "instance-profile": ["instance-profile/{site}-*"]},
    "logs": {
        "log-group": ["log-group:/{site}/*", "log-group:/aws/rds/instance/{site}-*"],
        "log-stream": ["log-group:/{site}/*"],
    },
    "rds": {
        "db": ["db:{site}-*"],
        "snapshot": ["snapshot:{site}-*"],
        "subgrp": ["subgrp:{site}-*"],
        "pg": ["pg:default.*"],
        "og": ["og:default:*"],
    },
    "scheduler": {"schedule": ["schedule/default/{site}-*"]},
    "sns": {"topic": ["{site}-*"]},
    "sqs": {"queue": ["{site}-*"]},
    "route53": {"hostedzone": ["hostedzone/{hosted_zone}"], "change": ["change/*"]},
    "s3": {"bucket": ["{site}-*"], "object": ["{site}-*"]},
    "secretsmanager": {"secret": ["secret:{site}-*"]},
    "ssm": {"parameter": ["parameter/aws/service/*"]},
    "wafv2": {
        "ipset": ["*/ipset/{site}-*"],
        "managedruleset": ["*/managedruleset/*"],
        "webacl": ["*/webacl/{site}-*"],
    },
}  # fmt: skip
"""Service → type of resource → how ours are called, behind the ARN's account.

Stacks, and with them what CloudFormation names, begin with `<site_name>-<environment_name>-`; what has a name of its
own in a template begins in the same way (the log group: `/<site_name>/`). A service stands here with every type of
resource that a site has of it, or not at all. Not at all: those whose ids AWS makes up (EC2, EFS, ACM), and load
balancers, whose names CloudFormation cuts to 32 characters, the site's name before all else.
"""

EDGE_REGION = "us-east-1"
EDGE_SERVICES = ("acm", "cloudformation")
"""Where the certificate of a CDN is, and its stack, wherever the site is; and the services that make them there."""
COPY_SERVICES = ("backup", "cloudformation")
"""What is in the region that backups are copied to: a vault, and its stack."""
ANYWHERE = re.compile(r"[*]/(ipset|managedruleset|webacl)/.*")
"""What is in the site's region or in that of a CDN, and has the site's name in it: of any region, for brevity."""
GLOBAL = ("budgets", "cloudfront", "iam", "route53", "s3", "sts")
"""Services whose ARNs name no region, or whose calls may go to another than the site's."""


@functools.cache
def reference() -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """IAM's prefix → `Actions`, by name in small letters, and `Resources`, by type."""
    content: dict[str, Any] = json.loads((files("cfnlint.data") / "AdditionalSpecs" / "Policies.json").read_text())
    return content


def _fitting(action: str) -> list[dict[str, Any]]:
    """Facts of the action, or of all that a pattern takes; none if IAM knows no such action."""
    service, _, name = action.lower().partition(":")
    actions = reference().get(service, {}).get("Actions", {})
    names = fnmatch.filter(actions, name) if "*" in name else [name]
    return [actions[each] for each in names if each in actions]


def known(action: str) -> bool:
    """Whether there is such an action, or (`ec2:Describe*`) any that the pattern takes."""
    return bool(_fitting(action))


def pattern(action: str) -> str:
    """The pattern by which an action is given, or the action itself."""
    for expression, given in PATTERNS.items():
        if re.fullmatch(expression, action):
            return re.sub(expression, given, action)
    return action


def kinds(action: str) -> set[str]:
    """Types of resources that an action (or all that a pattern takes) takes, in small letters; none: only `*`."""
    taken = [{kind.lower() for kind in facts.get("Resources", [])} for facts in _fitting(action)]
    return set[str]().union(*taken) if all(taken) else set()


def patterns(action: str) -> tuple[str, ...]:
    """What of ours an action may be used on, behind the ARN's account; empty: IAM cannot tell ours from others'."""
    service = action.partition(":")[0]
    if re.fullmatch(EVERYWHERE, action):
        return ()
    ours = NAMES.get(service, {})
    return tuple(sorted({pattern for kind in kinds(action) for pattern in ours.get(kind, ())}))
