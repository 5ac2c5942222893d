"""What a call needs: actions, what each is done to, and the context that conditions look at.

The first action of a call is its own. The others depend on what is asked for: tags that a new thing gets, roles that
are passed on. https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html, "Dependent actions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import UnknownServiceError

from local_aws.access import resources
from local_aws.access.actions import HTTP_ACTIONS, actions
from local_aws.access.estate import PARTITION, Estate
from local_aws.access.resources import Asked
from local_aws.config import ACCOUNT_ID
from local_aws.edge import access_log

Context = dict[str, str | list[str]]
ALWAYS = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
"""What nobody can be denied: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
GLOBAL = frozenset({"budgets", "iam", "route53", "cloudfront"})
"""Services whose calls go to us-east-1, whatever region signs them."""

TAGGING: Mapping[str, str] = {
    "acm": "acm:AddTagsToCertificate",
    "application-autoscaling": "application-autoscaling:TagResource",
    "budgets": "budgets:TagResource",
    "dynamodb": "dynamodb:TagResource",
    "ec2": "ec2:CreateTags",
    "ecr": "ecr:TagResource",
    "ecs": "ecs:TagResource",
    "efs": "elasticfilesystem:TagResource",
    "elbv2": "elasticloadbalancing:AddTags",
    "lambda": "lambda:TagResource",
    "logs": "logs:TagResource",
    "rds": "rds:AddTagsToResource",
    "secretsmanager": "secretsmanager:TagResource",
    "sqs": "sqs:TagQueue",
}
"""boto3's service → the action that tags what a call makes, besides the call's own."""
TAGGING_IAM = {
    "CreateRole": "iam:TagRole",
    "CreateUser": "iam:TagUser",
    "CreatePolicy": "iam:TagPolicy",
    "CreateInstanceProfile": "iam:TagInstanceProfile",
    "CreateOpenIDConnectProvider": "iam:TagOpenIDConnectProvider",
}
TAGS = ("Tags", "tags", "TagSpecifications", "ResourceTags")
TAGGED_BY_ECS = ("enableECSManagedTags", "propagateTags")
"""Tags that ECS gives by itself need the same right.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
"""
MAKING = ("Create", "Register", "Run", "Request", "Allocate", "Start")
PARTIQL = re.compile(r"\s*(?P<verb>select|insert|update|delete)\b", re.IGNORECASE)
TASKS, HOSTS = "ecs-tasks.amazonaws.com", "ec2.amazonaws.com"


@dataclass(frozen=True)
class Need:
    """One thing that a caller has to be allowed.

    Attributes:
        action: `ecs:RunTask`.
        resource: an ARN, or `*`.
        context: keys that are this action's own.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)


class UnknownCall(Exception):
    """A call of which nobody here knows what it needs; the text says so."""


def of(asked: Asked, estate: Estate) -> list[Need]:
    """What a call needs.

    Raises:
        UnknownCall: IAM's reference has no action of this name, and `actions` names no other.
    """
    context = _context(asked, estate)
    own, *dependent = _own(asked)
    found = _with_resources(own, asked, estate, context)
    if asked.name in ("s3:CopyObject", "s3:UploadPartCopy"):
        found = _copy(asked, own, dependent, context)
    elif asked.name == "dynamodb:TransactWriteItems":
        found = _transaction(asked, context)
    elif asked.name == "s3:DeleteObjects":
        found = _deleted(asked, context)
    elif asked.name == "s3:PutObject" and asked.parameters.get("Tagging"):
        found += _with_resources("s3:PutObjectTagging", asked, estate, context)
    if "cloudformation:TagResource" in dependent and asked.parameters.get("Tags") is not None:
        found += [Need(each, found[0].resource, context) for each in dependent]
    found += [Need(f"s3:{each}BucketAcl", bucket, context) for bucket in _logs(asked) for each in ("Get", "Put")]
    found += _tags(asked, found, context)
    found += [Need("iam:PassRole", role, to) for role, to in _passed(asked, estate)]
    return found


def _logs(asked: Asked) -> list[str]:
    """The bucket of a distribution's log, into whose ACL CloudFront writes with the caller's rights.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html
    """
    tagged = asked.parameters.get("DistributionConfigWithTags") or {}
    config = asked.parameters.get("DistributionConfig") or tagged.get("DistributionConfig") or {}
    log = access_log.of(config) if asked.service == "cloudfront" else None
    return [f"arn:{PARTITION}:s3:::{log.bucket}"] if log else []


def _own(asked: Asked) -> tuple[str, ...]:
    """Action names of a call, the first its own.

    Raises:
        UnknownCall: see `of`.
    """
    service, prefix = HTTP_ACTIONS
    if asked.service == service:
        return (f"{prefix}:{asked.method}",)
    if asked.name == "s3:GetObject" and asked.parameters.get("VersionId"):
        return ("s3:GetObjectVersion",)
    if asked.name == "s3:DeleteObject" and asked.parameters.get("VersionId"):
        return ("s3:DeleteObjectVersion",)
    if asked.name == "dynamodb:ExecuteStatement" and (verb := PARTIQL.match(str(asked.first("Statement")))):
        return (f"dynamodb:PartiQL{verb['verb'].capitalize()}",)
    try:
        found = actions(asked.service, asked.operation)
    except UnknownServiceError:
        found = (asked.name,)
    if not resources.known(found[0]):
        raise UnknownCall(
            f"The embedded AWS does not know which right {asked.name} needs: IAM's reference has no action "
            f"{found[0]}. Name its actions in local_aws/access/actions.py."
        )
    return found


def _with_resources(action: str, asked: Asked, estate: Estate, context: Context) -> list[Need]:
    return [Need(action, arn, context) for arn in resources.of(action, asked, estate)]


def _context(asked: Asked, estate: Estate) -> Context:
    """Keys that the call itself says."""
    region = "us-east-1" if asked.service in GLOBAL else asked.region
    found: Context = {"aws:RequestedRegion": region}
    if tags := _given_tags(asked):
        found |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        found["aws:TagKeys"] = list(tags)
    if asked.service == "ecs" and (name := asked.parameters.get("cluster")):
        found["ecs:cluster"] = resources.arn("ecs", asked, f"cluster/{str(name).rpartition('/')[2]}")
    if asked.service == "efs" and (system := asked.parameters.get("FileSystemId")):
        for key, value in estate.file_system_tags(str(system), asked.region).items():
            found[f"aws:ResourceTag/{key}"] = value
    if asked.operation == "CreateServiceLinkedRole":
        found["iam:AWSServiceName"] = str(asked.first("AWSServiceName"))
    if asked.service == "iam" and (boundary := _boundary(asked, estate)):
        found["iam:PermissionsBoundary"] = boundary
    if asked.service == "s3":
        for key, parameter in (("s3:prefix", "Prefix"), ("s3:delimiter", "Delimiter")):
            if parameter in asked.parameters:
                found[key] = str(asked.parameters[parameter])
    return found


def _boundary(asked: Asked, estate: Estate) -> str:
    """The permissions boundary that a role is given or has; empty without one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    if given := asked.parameters.get("PermissionsBoundary"):
        return str(given)
    role = estate.role(str(asked.first("RoleName")))
    return str(role.permissions_boundary_arn or "") if role is not None else ""


def _given_tags(asked: Asked) -> dict[str, str]:
    """Tags in a request, whichever way its service writes them."""
    value = next((asked.parameters[name] for name in TAGS if asked.parameters.get(name)), None)
    if isinstance(value, dict):
        value = value.get("Items", value)  # CloudFront's and others' lists in a member of their own
    if isinstance(value, dict):
        return {str(key): str(each) for key, each in value.items()}
    found = {}
    for item in value or []:
        for tag in item.get("Tags", [item]) if isinstance(item, dict) else []:
            key = tag.get("Key", tag.get("key", tag.get("TagKey")))
            if key is not None:
                found[str(key)] = str(tag.get("Value", tag.get("value", tag.get("TagValue", ""))) or "")
    return found


def _tags(asked: Asked, main: list[Need], context: Context) -> Iterator[Need]:
    """The right to tag what is made; on what the call's own action is about, or will be."""
    by_itself = asked.service == "ecs" and any(asked.parameters.get(name) for name in TAGGED_BY_ECS)
    if not asked.operation.startswith(MAKING) or not (by_itself or any(asked.parameters.get(name) for name in TAGS)):
        return
    action = TAGGING_IAM.get(asked.operation) if asked.service == "iam" else TAGGING.get(asked.service)
    if action is None:
        return
    tagged = [need.resource for need in main]
    if asked.name in ("ecs:RunTask", "ecs:StartTask"):
        cluster = str(asked.first("cluster") or "default").rpartition("/")[2]
        tagged = [resources.arn("ecs", asked, f"task/{cluster}/*")]
    if asked.name == "ecs:RegisterContainerInstance":
        cluster = str(asked.first("cluster") or "default").rpartition("/")[2]
        tagged = [resources.arn("ecs", asked, f"container-instance/{cluster}/*")]
    if asked.name == "rds:CreateDBInstance":
        tagged = [resources.arn("rds", asked, f"db:{asked.first('DBInstanceIdentifier')}")]
    making: Context = {f"{action.partition(':')[0]}:CreateAction": asked.operation}
    yield from (Need(action, each, context | making) for each in tagged)


def _copy(asked: Asked, reading: str, writing: list[str], context: Context) -> list[Need]:
    source = asked.first("CopySource")
    if isinstance(source, dict):
        version = f"?versionId={source['VersionId']}" if source.get("VersionId") else ""
        source = f"{source.get('Bucket')}/{source.get('Key')}{version}"
    source = str(source)
    target = f"arn:{PARTITION}:s3:::{asked.first('Bucket')}/{asked.first('Key')}"
    writing = [each for each in writing if each != "s3:PutObjectTagging" or asked.parameters.get("Tagging")]
    source, _, version = source.lstrip("/").partition("?")
    read = Need("s3:GetObjectVersion" if version else reading, f"arn:{PARTITION}:s3:::{source}", context)
    return [read, *(Need(each, target, context) for each in writing)]


def _transaction(asked: Asked, context: Context) -> list[Need]:
    """Each part of it needs the action of its own kind."""
    kinds = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
    return [
        Need(f"dynamodb:{kinds[kind]}", resources.arn("dynamodb", asked, f"table/{part['TableName']}"), context)
        for item in asked.parameters.get("TransactItems") or []
        for kind, part in item.items()
    ]


def _deleted(asked: Asked, context: Context) -> list[Need]:
    bucket = asked.first("Bucket")
    return [
        Need(
            "s3:DeleteObjectVersion" if each.get("VersionId") else "s3:DeleteObject",
            f"arn:{PARTITION}:s3:::{bucket}/{each['Key']}", context,
        )
        for each in (asked.parameters.get("Delete") or {}).get("Objects", [])
    ] or [Need("s3:DeleteObject", f"arn:{PARTITION}:s3:::{bucket}/*", context)]  # fmt: skip


def _passed(asked: Asked, estate: Estate) -> Iterator[tuple[str, Context]]:
    """Roles that a call hands to a service: their ARNs, with the context of iam:PassRole.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    found: list[tuple[str, str]] = []
    given = asked.parameters
    match asked.name:
        case "ecs:RegisterTaskDefinition":
            found = [(given[key], TASKS) for key in ("taskRoleArn", "executionRoleArn") if given.get(key)]
        case "ecs:RunTask" | "ecs:StartTask":
            overrides = given.get("overrides") or {}
            own = [overrides[key] for key in ("taskRoleArn", "executionRoleArn") if overrides.get(key)]
            roles = own or estate.definition_roles(str(given.get("taskDefinition", "")), asked.region)
            found = [(role, TASKS) for role in roles]
        case "lambda:CreateFunction" | "lambda:UpdateFunctionConfiguration":
            found = [(given["Role"], "lambda.amazonaws.com")] if given.get("Role") else []
        case "scheduler:CreateSchedule" | "scheduler:UpdateSchedule":
            role = (given.get("Target") or {}).get("RoleArn")
            found = [(role, "scheduler.amazonaws.com")] if role else []
        case "backup:StartBackupJob" | "backup:StartRestoreJob":
            found = [(given["IamRoleArn"], "backup.amazonaws.com")] if given.get("IamRoleArn") else []
        case "iam:AddRoleToInstanceProfile":
            found = [(given["RoleName"], HOSTS)]
        case "autoscaling:CreateLaunchConfiguration":
            profile = given.get("IamInstanceProfile")
            found = [(role, HOSTS) for role in estate.profile_roles(profile)] if profile else []
        case "ec2:RunInstances":
            profile = given.get("IamInstanceProfile") or {}
            name = profile.get("Arn") or profile.get("Name")
            found = [(role, HOSTS) for role in estate.profile_roles(name)] if name else []
        case "cloudformation:CreateStack" | "cloudformation:UpdateStack" | "cloudformation:CreateChangeSet":
            found = [(given["RoleARN"], "cloudformation.amazonaws.com")] if given.get("RoleARN") else []
    for role, service in found:
        arn = role if role.startswith("arn:") else estate.role_arn(role.rpartition("/")[2])
        yield arn, {"iam:PassedToService": service, "aws:RequestedRegion": "us-east-1"}


def connection(kind: str, cluster: str, instance: str, region: str) -> Need:
    """What an agent's WebSocket needs, which is no operation of an API.

    Args:
        kind: `Poll` or `StartTelemetrySession`.
        cluster, instance: names or ARNs.
        region: of the cluster.
    """
    asked = Asked("ecs", kind, region, {"cluster": cluster})
    name = cluster.rpartition("/")[2]
    where = f"arn:{PARTITION}:ecs:{region}:{ACCOUNT_ID}"
    arn = instance if instance.startswith("arn:") else f"{where}:container-instance/{name}/{instance}"
    return Need(f"ecs:{kind}", arn, {"aws:RequestedRegion": asked.region, "ecs:cluster": f"{where}:cluster/{name}"})
