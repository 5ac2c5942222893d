"""The ARNs of what a call is about, by service and type of resource, from the call's parameters.

Which types an action takes says AWS's Service Authorization Reference, as cfn-lint carries it; which ARN that is for
a call stands here, one function a type. An action of which no ARN is told here is about `*`: only a statement that
names everything allows it. https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from local_aws.access.estate import PARTITION, Estate
from local_aws.config import ACCOUNT_ID

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What somebody asks an API for.

    Attributes:
        service: boto3's name.
        operation: botocore's name of it.
        region: of the signature.
        parameters: as boto3 takes them.
        method: of the HTTP request, for services whose actions are HTTP's.
    """

    service: str
    operation: str
    region: str
    parameters: Json = field(default_factory=dict)
    method: str = "POST"

    @property
    def name(self) -> str:
        """`ecs:RunTask`."""
        return f"{self.service}:{self.operation}"

    def first(self, *names: str) -> Any:
        """The value of the first of these parameters that is given; empty text if none is."""
        return next((self.parameters[name] for name in names if self.parameters.get(name)), "")

    def all(self, *names: str) -> list[str]:
        """All values of these parameters, of lists each item."""
        found: list[str] = []
        for name in names:
            value = self.parameters.get(name)
            found += value if isinstance(value, list) else [value] if value else []
        return [str(each) for each in found]


Resolver = Callable[[Asked, Estate], list[str]]
TAG_PARAMETERS = ("resourceArn", "ResourceArn", "ResourceARN", "resourceARN", "Resource", "ResourceName", "ResourceId")
"""How services call the ARN of what is tagged."""


@functools.cache
def reference() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """IAM's prefix → `Actions`, by name in small letters, and `Resources`, by type."""
    content: dict[str, Any] = json.loads((files("cfnlint.data") / "AdditionalSpecs" / "Policies.json").read_text())
    return content


def known(action: str) -> bool:
    """Whether IAM has an action of this name."""
    service, _, name = action.lower().partition(":")
    return name in reference().get(service, {}).get("Actions", {})


def kinds(action: str) -> tuple[str, ...]:
    """Types of resources that an action takes, in small letters; none: only `*`."""
    service, _, name = action.lower().partition(":")
    facts = reference().get(service, {}).get("Actions", {}).get(name, {})
    return tuple(sorted({kind.lower() for kind in facts.get("Resources", [])}))


def of(action: str, asked: Asked, estate: Estate) -> list[str]:
    """ARNs that an action of a call is about: each has to be allowed. `*` where nothing narrower is known.

    Args:
        action: `ecs:RunTask`.
        asked: the call.
        estate: for what only the embedded AWS knows, the suffix of a secret's ARN for example.
    """
    service = action.partition(":")[0]
    found: list[str] = []
    for kind in kinds(action):
        resolve = RESOLVERS.get((service, kind))
        if resolve is not None:
            found += resolve(asked, estate)
    if not found and "Tag" in action:
        found = [arn for arn in asked.all(*TAG_PARAMETERS) if arn.startswith("arn:")]
    return list(dict.fromkeys(found)) or ["*"]


def arn(service: str, asked: Asked, rest: str) -> str:
    """An ARN of the call's region and the account."""
    return f"arn:{PARTITION}:{service}:{asked.region}:{ACCOUNT_ID}:{rest}"


def _named(service: str, before: str, *parameters: str) -> Resolver:
    """The things that these parameters name: by name, or by an ARN that is taken as it is."""

    def resolve(asked: Asked, _estate: Estate) -> list[str]:
        found = asked.all(*parameters)
        return [each if each.startswith("arn:") else arn(service, asked, before + each) for each in found]

    return resolve


def _tagged(service: str, kind: str, resolve: Resolver) -> Resolver:
    """The same, and what is tagged where its ARN is of this type."""

    def both(asked: Asked, estate: Estate) -> list[str]:
        beginning = f"arn:{PARTITION}:{service}:"
        tagged = [each for each in asked.all(*TAG_PARAMETERS) if each.startswith(beginning)]
        of_kind = [each for each in tagged if each.split(":", 5)[5].replace("/", ":").split(":")[0].lower() == kind]
        return of_kind if tagged else resolve(asked, estate)

    return both


# ECS


def _cluster_name(asked: Asked) -> str:
    return str(asked.first("cluster", "clusterName") or "default").rpartition("/")[2]


def _cluster(asked: Asked, _estate: Estate) -> list[str]:
    many = asked.all("clusters")
    if asked.operation == "DescribeClusters" and not many:
        return []
    return [arn("ecs", asked, f"cluster/{name.rpartition('/')[2]}") for name in many or [_cluster_name(asked)]]


def _in_cluster(kind: str, *parameters: str) -> Resolver:
    def resolve(asked: Asked, _estate: Estate) -> list[str]:
        return [
            each if each.startswith("arn:") else arn("ecs", asked, f"{kind}/{_cluster_name(asked)}/{each}")
            for each in asked.all(*parameters)
        ]

    return resolve


def _task(asked: Asked, estate: Estate) -> list[str]:
    if asked.operation in ("RunTask", "StartTask"):  # the tags of tasks that are not there yet
        return [arn("ecs", asked, f"task/{_cluster_name(asked)}/*")]
    return _in_cluster("task", "task", "tasks")(asked, estate)


def _task_definition(asked: Asked, _estate: Estate) -> list[str]:
    found = [] if asked.operation in ("CreateService", "UpdateService") else asked.all("taskDefinition")
    found += asked.all("taskDefinitions")
    if asked.operation == "RegisterTaskDefinition":
        found = asked.all("family")
    names = [each.rpartition("task-definition/")[2] for each in found]
    return [arn("ecs", asked, f"task-definition/{name if ':' in name else f'{name}:*'}") for name in names]


# Logs


def _log_groups(asked: Asked) -> list[str]:
    names = asked.all("logGroupName", "logGroupNames", "logGroupIdentifier", "logGroupIdentifiers", "resourceArn")
    return [each.partition(":log-group:")[2] if ":log-group:" in each else each for each in names]


def _log_group(asked: Asked, _estate: Estate) -> list[str]:
    """With what stands behind a group's name in AWS's own refusals; the actions of tags have the name alone."""
    if "TagResource" in asked.operation:
        return [arn("logs", asked, f"log-group:{name.removesuffix(':*')}") for name in _log_groups(asked)]
    return [arn("logs", asked, f"log-group:{name.removesuffix(':*')}:log-stream:") for name in _log_groups(asked)]


def _log_stream(asked: Asked, _estate: Estate) -> list[str]:
    streams = asked.all("logStreamName", "logStreamNames") or [""]
    return [
        arn("logs", asked, f"log-group:{name}:log-stream:{each}") for name in _log_groups(asked) for each in streams
    ]


# S3


def _bucket(asked: Asked, _estate: Estate) -> list[str]:
    found = asked.all("Bucket") or asked.all("ResourceArn")
    return [each if each.startswith("arn:") else f"arn:{PARTITION}:s3:::{each}" for each in found]


def _object(asked: Asked, _estate: Estate) -> list[str]:
    """The objects of a call; where it reads one and writes another, `needs` says which is meant."""
    bucket = asked.first("Bucket")
    keys = [each["Key"] for each in (asked.parameters.get("Delete") or {}).get("Objects", [])]
    return [f"arn:{PARTITION}:s3:::{bucket}/{key}" for key in keys or asked.all("Key")]


# IAM


def _role(asked: Asked, estate: Estate) -> list[str]:
    if asked.operation == "CreateServiceLinkedRole":
        service = asked.first("AWSServiceName")
        return [f"arn:{PARTITION}:iam::{ACCOUNT_ID}:role/aws-service-role/{service}/*"]
    return [estate.role_arn(name, asked.first("Path") or "/") for name in asked.all("RoleName")]


def _of_iam(kind: str, *parameters: str) -> Resolver:
    def resolve(asked: Asked, _estate: Estate) -> list[str]:
        return [
            each if each.startswith("arn:") else f"arn:{PARTITION}:iam::{ACCOUNT_ID}:{kind}/{each}"
            for each in asked.all(*parameters)
        ]

    return resolve


def _provider(asked: Asked, estate: Estate) -> list[str]:
    url = str(asked.first("Url")).removeprefix("https://")
    return _of_iam("oidc-provider", "OpenIDConnectProviderArn")(asked, estate) or (
        [f"arn:{PARTITION}:iam::{ACCOUNT_ID}:oidc-provider/{url}"] if url else []
    )


# Others


def _stack(asked: Asked, estate: Estate) -> list[str]:
    named = asked.all("StackName") or [
        estate.stack_of_change_set(each, asked.region) for each in asked.all("ChangeSetName")
    ]
    return [estate.stack_arn(each, asked.region) for each in named if each]


def _secret(asked: Asked, estate: Estate) -> list[str]:
    return [estate.secret_arn(each, asked.region) for each in asked.all("SecretId", "SecretIdList", "Name")]


TABLE_OF_STATEMENT = re.compile(r"\b(?:from|into|update)\s+\"?(?P<table>[\w.-]+)", re.IGNORECASE)
"""The table of a statement in PartiQL."""


def _table(asked: Asked, _estate: Estate) -> list[str]:
    tables = asked.all("TableName") + list(asked.parameters.get("RequestItems") or {})
    if found := TABLE_OF_STATEMENT.search(str(asked.first("Statement"))):
        tables.append(found["table"])
    for item in asked.parameters.get("TransactItems") or []:
        tables += [part["TableName"] for part in item.values() if isinstance(part, dict)]
    return [each if each.startswith("arn:") else arn("dynamodb", asked, f"table/{each}") for each in tables]


def _index(asked: Asked, _estate: Estate) -> list[str]:
    index = asked.first("IndexName")
    return [arn("dynamodb", asked, f"table/{asked.first('TableName')}/index/{index}")] if index else []


def _queue(asked: Asked, _estate: Estate) -> list[str]:
    return [arn("sqs", asked, each.rpartition("/")[2]) for each in asked.all("QueueName", "QueueUrl")]


def _topic(asked: Asked, _estate: Estate) -> list[str]:
    """A subscription's ARN is its topic's, and an id."""
    of_subscriptions = [each.rpartition(":")[0] for each in asked.all("SubscriptionArn")]
    made = [arn("sns", asked, each) for each in asked.all("Name")]
    return asked.all("TopicArn", "TargetArn", "ResourceArn") + of_subscriptions + made


def _group(asked: Asked, estate: Estate) -> list[str]:
    """AWS puts an id of its own before the name; `*` stands for it."""
    names = asked.all("AutoScalingGroupName", "AutoScalingGroupNames")
    if asked.operation == "TerminateInstanceInAutoScalingGroup":  # names the instance alone
        names = [estate.group_of(str(asked.first("InstanceId")), asked.region) or "*"]
    names += [str(tag["ResourceId"]) for tag in asked.parameters.get("Tags") or [] if tag.get("ResourceId")]
    return [arn("autoscaling", asked, f"autoScalingGroup:*:autoScalingGroupName/{each}") for each in names]


def _configuration(asked: Asked, _estate: Estate) -> list[str]:
    if "LaunchConfiguration" not in asked.operation:
        return []
    names = asked.all("LaunchConfigurationName", "LaunchConfigurationNames")
    return [arn("autoscaling", asked, f"launchConfiguration:*:launchConfigurationName/{each}") for each in names]


def _zone(asked: Asked, _estate: Estate) -> list[str]:
    if asked.operation == "GetChange":
        return []
    names = asked.all("HostedZoneId", "Id", "ResourceId")
    return [f"arn:{PARTITION}:route53:::hostedzone/{each.rpartition('/')[2]}" for each in names]


def _change(asked: Asked, _estate: Estate) -> list[str]:
    return [f"arn:{PARTITION}:route53:::change/{each.rpartition('/')[2]}" for each in asked.all("Id")]


def _parameter(asked: Asked, _estate: Estate) -> list[str]:
    """AWS's own parameters belong to no account."""
    names = [each.removeprefix("/") for each in asked.all("Name", "Names", "Path", "ResourceId")]
    return [
        each if each.startswith("arn:")
        else f"arn:{PARTITION}:ssm:{asked.region}:{'' if each.startswith('aws/') else ACCOUNT_ID}:parameter/{each}"
        for each in (name.partition(":")[0] if not name.startswith("arn:") else name for name in names)
    ]  # fmt: skip


def _schedule(asked: Asked, _estate: Estate) -> list[str]:
    group = asked.first("GroupName") or "default"
    return [] if "Group" in asked.operation else [
        arn("scheduler", asked, f"schedule/{group}/{each}") for each in asked.all("Name")
    ]  # fmt: skip


def _alarm(asked: Asked, _estate: Estate) -> list[str]:
    """Also those that a mute rule is to be for."""
    muted = (asked.parameters.get("MuteTargets") or {}).get("AlarmNames") or []
    names = [*asked.all("AlarmName", "AlarmNames"), *map(str, muted)]
    return [arn("cloudwatch", asked, f"alarm:{each}") for each in names]


def _dashboard(asked: Asked, _estate: Estate) -> list[str]:
    """Of no region."""
    names = asked.all("DashboardName", "DashboardNames")
    return [f"arn:{PARTITION}:cloudwatch::{ACCOUNT_ID}:dashboard/{each}" for each in names]


def _budget(asked: Asked, _estate: Estate) -> list[str]:
    """Of no region."""
    given = asked.first("Budget", "NewBudget")
    names = [given["BudgetName"]] if given else asked.all("BudgetName")
    return [f"arn:{PARTITION}:budgets::{ACCOUNT_ID}:budget/{each}" for each in names]


def _assumed(asked: Asked, _estate: Estate) -> list[str]:
    return asked.all("RoleArn")


def _together(service: str, types: Mapping[str, Resolver]) -> Iterable[tuple[tuple[str, str], Resolver]]:
    return (((service, kind), _tagged(service, kind, resolve)) for kind, resolve in types.items())


# WAF


def _of_waf(kind: str, *arns: str) -> Resolver:
    """Things of WAF: by an ARN, or by scope, name and id."""

    def resolve(asked: Asked, _estate: Estate) -> list[str]:
        found = [each for each in asked.all(*arns) if f"/{kind}/" in each]
        if asked.first("Name") and kind in asked.operation.lower():
            scope = "global" if asked.first("Scope") == "CLOUDFRONT" else "regional"
            found.append(arn("wafv2", asked, f"{scope}/{kind}/{asked.first('Name')}/{asked.first('Id') or '*'}"))
        return found

    return resolve


def _rule_sets(asked: Asked, estate: Estate) -> list[str]:
    """Sets of addresses, those that rules refer to among them."""
    referred = [
        str(rule["Statement"]["IPSetReferenceStatement"]["ARN"])
        for rule in asked.parameters.get("Rules") or []
        if "IPSetReferenceStatement" in rule.get("Statement", {})
    ]
    return [*referred, *_of_waf("ipset", *TAG_PARAMETERS)(asked, estate)]


def _web_acl(asked: Asked, estate: Estate) -> list[str]:
    log = (asked.parameters.get("LoggingConfiguration") or {}).get("ResourceArn")
    return [log] if log else _of_waf("webacl", "ARN", "WebACLArn", *TAG_PARAMETERS)(asked, estate)


def _before_balancer(asked: Asked, _estate: Estate) -> list[str]:
    return [each for each in asked.all("ResourceArn") if ":loadbalancer/app/" in each]


RESOLVERS: Mapping[tuple[str, str], Resolver] = dict(
    [
        *_together("autoscaling", {"autoscalinggroup": _group, "launchconfiguration": _configuration}),
        *_together(
            "backup",
            {
                "backupplan": _named("backup", "backup-plan:", "BackupPlanId"),
                "backupvault": _named("backup", "backup-vault:", "BackupVaultName"),
                "recoverypoint": _named("backup", "recovery-point:", "RecoveryPointArn"),
            },
        ),
        *_together("budgets", {"budget": _budget}),
        *_together("cloudformation", {"stack": _stack}),
        *_together(
            "cloudwatch",
            {
                "alarm": _alarm,
                "alarm-mute-rule": _named("cloudwatch", "alarm-mute-rule:", "Name", "AlarmMuteRuleName"),
                "dashboard": _dashboard,
            },
        ),
        *_together("dynamodb", {"table": _table, "index": _index}),
        *_together("ecr", {"repository": _named("ecr", "repository/", "repositoryName", "repositoryNames")}),
        *_together(
            "ecs",
            {
                "capacity-provider": _named("ecs", "capacity-provider/", "capacityProvider", "name"),
                "cluster": _cluster,
                "container-instance": _in_cluster("container-instance", "containerInstance", "containerInstances"),
                "service": _in_cluster("service", "service", "services", "serviceName"),
                "service-deployment": _named("ecs", "service-deployment/", "serviceDeploymentArn"),
                "task": _task,
                "task-definition": _task_definition,
            },
        ),
        *_together(
            "elasticfilesystem",
            {
                "file-system": _named("elasticfilesystem", "file-system/", "FileSystemId"),
                "access-point": _named("elasticfilesystem", "access-point/", "AccessPointId"),
            },
        ),
        (("events", "rule-on-default-event-bus"), _named("events", "rule/", "Name", "Rule", "ResourceARN")),
        *_together(
            "iam",
            {
                "role": _role,
                "instance-profile": _of_iam("instance-profile", "InstanceProfileName"),
                "oidc-provider": _provider,
                "policy": _of_iam("policy", "PolicyArn", "PolicyName"),
                "user": _of_iam("user", "UserName"),
            },
        ),
        *_together("kms", {"key": _named("kms", "key/", "KeyId")}),
        *_together("lambda", {"function": _named("lambda", "function:", "FunctionName")}),
        *_together("logs", {"log-group": _log_group, "log-stream": _log_stream}),
        *_together(
            "rds",
            {
                "db": _named(
                    "rds",
                    "db:",
                    "DBInstanceIdentifier",
                    "SourceDBInstanceIdentifier",
                    "TargetDBInstanceIdentifier",
                ),
                "snapshot": _named("rds", "snapshot:", "DBSnapshotIdentifier"),
                "subgrp": _named("rds", "subgrp:", "DBSubnetGroupName"),
                "pg": _named("rds", "pg:", "DBParameterGroupName"),
                "og": _named("rds", "og:", "OptionGroupName"),
            },
        ),
        *_together("route53", {"hostedzone": _zone, "change": _change}),
        (("s3", "bucket"), _bucket),
        (("s3", "object"), _object),
        *_together("scheduler", {"schedule": _schedule}),
        *_together("secretsmanager", {"secret": _secret}),
        (("sns", "topic"), _topic),
        *_together("sqs", {"queue": _queue}),
        *_together("ssm", {"parameter": _parameter}),
        *_together("sts", {"role": _assumed}),
        (("wafv2", "ipset"), _rule_sets),
        (("wafv2", "loadbalancer/app/"), _before_balancer),
        (("wafv2", "webacl"), _web_acl),
    ]
)
"""(IAM's prefix, type of resource in small letters) → the ARNs that a call names of it."""
