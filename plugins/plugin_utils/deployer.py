"""What a pipeline may do that releases a site: statements of IAM.

Looking is what `operate` may look at (docs/operator-policy-operate.json), so a verb that learns to ask for more needs
no second list. What changes something stands here, action by action, and only for one environment of the site: images
and their tags, revisions and the services that run them, jobs, code and static files, the ledger. Not: anybody's role,
a stack of the ground, or any deletion but of an image, a task, a revision and the lock.
"""

from __future__ import annotations

import json
import re
from typing import Any

from plugins.plugin_utils.places import PROJECT

Statement = dict[str, Any]

OPERATE = PROJECT / "docs/operator-policy-operate.json"
LOOKING = re.compile(r"(?!s3:GetObject|secretsmanager:GetSecretValue)[\w-]+:(Describe|List|Get)")
"""As scripts/rights/iam.py has it: actions that only read, and no content."""
WORDS = {
    "PARTITION": "${AWS::Partition}",
    "REGION": "${AWS::Region}",
    "ACCOUNT": "${AWS::AccountId}",
}
RELEASED = ("service", "job", "function")
"""The layers that a release updates."""
PASSED_TO = ("ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "scheduler.amazonaws.com")
RELEASING: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    # Push, and the tags by which images are kept. IAM cannot tell the deletion of a tag from that of an image.
    (
        ("ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
         "ecr:CompleteLayerUpload", "ecr:BatchGetImage", "ecr:PutImage", "ecr:BatchDeleteImage"),
        ("ecr:repository/{prefix}/*",),
    ),
    # CloudFormation acts with these rights, so what a template can change here is what stands in this table.
    (
        ("cloudformation:CancelUpdateStack", "cloudformation:ContinueUpdateRollback", "cloudformation:CreateChangeSet",
         "cloudformation:DeleteChangeSet", "cloudformation:RollbackStack", "cloudformation:TagResource",
         "cloudformation:UpdateStack"),
        tuple(f"cloudformation:stack/{{prefix}}-{layer}-*/*" for layer in RELEASED),
    ),
    (
        # Deleted are the definitions that `verify` has tried things with.
        ("ecs:DeleteTaskDefinitions", "ecs:RegisterTaskDefinition",
         "ecs:RunTask", "ecs:StopTask", "ecs:StopServiceDeployment", "ecs:TagResource",
         "ecs:UpdateService"),
        ("ecs:task-definition/{prefix}-*", "ecs:service/{prefix}/*", "ecs:service-deployment/{prefix}/*",
         "ecs:task/{prefix}/*"),
    ),
    (
        ("scheduler:UpdateSchedule",),
        ("scheduler:schedule/default/{prefix}-job-*",),
    ),
    (
        ("lambda:GetFunction", "lambda:TagResource", "lambda:UpdateFunctionCode"),
        ("lambda:function:{prefix}-function-*",),
    ),
    (
        ("logs:CreateLogStream", "logs:DeleteLogStream", "logs:FilterLogEvents", "logs:PutLogEvents"),
        ("logs:log-group:/{site}/{environment}/*",),
    ),
    (
        ("s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"),
        ("s3:{prefix}-code-codebucket-*", "s3:{prefix}-static-*-files-*"),
    ),
    (
        ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
        ("s3:{prefix}-ledger-history-*",),
    ),
)  # fmt: skip
"""Actions → what they are granted on, as `<service>:<what stands behind the account>`."""
TAGGED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    # The maintenance page that a job has asked for, and who is let through.
    (
        ("elasticloadbalancing:AddTags", "elasticloadbalancing:CreateRule", "elasticloadbalancing:DeleteRule",
         "elasticloadbalancing:ModifyRule"),
        ("elasticloadbalancing:listener/app/*", "elasticloadbalancing:listener-rule/app/*"),
    ),
    # Scaling in is held while a release goes on.
    (
        ("application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource",
         "application-autoscaling:UntagResource"),
        ("application-autoscaling:scalable-target/*",),
    ),
)  # fmt: skip
"""The same of what has no name of ours: granted where its tags are the environment's, which its stack gives it."""


def looking(site: str) -> list[Statement]:
    """What may be looked at: no content of a file, no value of a secret.

    Args:
        site: `site_name`.
    """
    found = []
    for statement in json.loads(OPERATE.read_text())["Statement"]:
        actions = [each for each in _listed(statement["Action"]) if LOOKING.match(each)]
        if statement["Effect"] == "Allow" and actions:
            resources = _of_services(statement["Resource"], {action.partition(":")[0] for action in actions})
            found.append({**statement, "Action": actions, "Resource": _resources(resources, site)})
    return found


def releasing(site: str, environment: str) -> list[Statement]:
    """What a release changes.

    Args:
        site: `site_name`.
        environment: `environment_name`.
    """
    prefix = f"{site}-{environment}"
    roles = [_arn(f"iam:role/{prefix}-{layer}-*") for layer in RELEASED]
    found = [
        _allow(actions, [_arn(each.format(prefix=prefix, site=site, environment=environment)) for each in resources])
        for actions, resources in RELEASING
    ]
    tags = {"Site": site, "Environment": environment}
    own = {f"aws:ResourceTag/{name}": value for name, value in tags.items()}
    made = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    found += [_allow(actions, [_arn(each) for each in named]) | _where(own) for actions, named in TAGGED]
    rules = [_arn("elasticloadbalancing:listener-rule/app/*")]
    made |= {"elasticloadbalancing:CreateAction": "CreateRule"}  # what is being made has no tags yet
    return [
        *found,
        _allow(["elasticloadbalancing:AddTags"], rules) | _where(made),
        _allow(["iam:PassRole"], roles) | {"Condition": {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}}},
    ]


def _allow(actions: Any, resources: Any) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources}


def _where(conditions: dict[str, str]) -> Statement:
    return {"Condition": {"StringEquals": conditions}}


def _arn(named: str) -> dict[str, str]:
    service, _, name = named.partition(":")
    region = "" if service in ("iam", "s3") else "${AWS::Region}"
    account = "" if service == "s3" else "${AWS::AccountId}"
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{region}:{account}:{name}"}


def _of_services(resources: str | list[str], services: set[str]) -> str | list[str]:
    """Those of the resources that actions of these services take."""
    return resources if resources == "*" else [each for each in _listed(resources) if each.split(":")[2] in services]


def _resources(resources: str | list[str], site: str) -> Any:
    if resources == "*":
        return resources
    found = []
    for each in _listed(resources):
        text = each
        for word, value in WORDS.items():
            text = re.sub(rf"(?<=:){word}(?=:)", value, text)
        found.append({"Fn::Sub": re.sub(r"(?<=[:/])SITE(?=[-/])", site, text)})
    return found


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
