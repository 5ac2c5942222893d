"""A site of all nouns in an account of the test's own making, and a clock that stands still."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.status.model import gather

NOW = datetime.datetime(2026, 11, 27, 9, 30, tzinfo=datetime.UTC)
VARIABLES: dict[str, Any] = {
    "site_name": "shop",
    "environment_name": "prod",
    "domain_name": "www.shop.test",
    "hosted_zone_id": "Z0SHOP",
    "host_instance_type": "t3.micro",
    "site_services": {
        "web": {
            "containers": {
                "app": {
                    "image": "shop/app",
                    "mem_limit": "96m",
                    "ports": ["8000"],
                    "volumes": ["uploads:/srv/uploads"],
                    "environment": {"DB_HOST": {"from": "database.main.host"}},
                    "secrets": {"DB_PASSWORD": "database.main.password", "KEY": "secret.app.key"},
                }
            },
            "routes": [{"to": "app", "health": "/healthz"}],
            "uses": {"bucket.files": ["read"]},
        },
        "worker": {
            "containers": {
                "worker": {
                    "like": "web.app",
                    "command": ["work"],
                    "environment": {"QUEUE": {"from": "service.redis.url"}},
                }
            }
        },
        "redis": {
            "containers": {"redis": {"image": "redis", "mem_limit": "64m", "ports": ["6379"]}},
            "expose": "redis",
        },
    },
    "site_jobs": {
        "migrate": {"like": "web.app", "command": ["migrate"], "run": "before_release"},
        "report": {"like": "web.app", "command": ["report"], "schedule": "0 3 * * *"},
    },
    "site_volumes": {"uploads": {}},
    "site_databases": {"main": {}},
    "site_buckets": {"files": {}},
    "site_secrets": {"app": {"generate": ["key"]}},
}
WORDS = (
    "network", "certificate", "cluster", "expose", "database", "volume", "bucket", "static", "table", "secret", "image",
    "code", "backup", "function", "job", "service", "dns", "ledger",
)  # fmt: skip
SETTINGS = {"volume_gb": 30, "nat": False, "zones": 1}
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"
ECS = "arn:aws:ecs:us-east-1:123456789012"
LOG = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": "/shop/prod/service/web",
        "awslogs-region": "us-east-1",
        "awslogs-stream-prefix": "app",
    },
}


def site(**other: Any) -> Site:
    """The site of `VARIABLES`, some of them otherwise."""
    found = read_site(VARIABLES | other)
    assert not found.problems, [str(each) for each in found.problems]
    return found


def ago(**span: float) -> datetime.datetime:
    """A time before `NOW`: `ago(hours=2)`."""
    return NOW - datetime.timedelta(**span)


def a_stack(layer: str, status: str = "CREATE_COMPLETE", **more: Any) -> dict[str, Any]:
    """A stack of DescribeStacks; `outputs` are given as a mapping."""
    told = [{"OutputKey": key, "OutputValue": value} for key, value in more.pop("outputs", {}).items()]
    name = f"shop-prod-{layer.replace('.', '-', 1)}"
    return {"StackName": name, "StackStatus": status, "CreationTime": ago(days=3), "Outputs": told} | more


STACKS = [
    a_stack("network"),
    a_stack("certificate", outputs={"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/c"}),
    a_stack("cluster", outputs={
        "ClusterName": "shop-prod", "HostGroupName": "hosts",
        "HttpsListenerArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/shop/1/2"}),
    a_stack("database.main", outputs={"InstanceId": "shop-prod-main"}),
    a_stack("volume.uploads", outputs={"FileSystemId": "fs-0123456789abcdef0"}),
    *(a_stack(layer) for layer in ("bucket.files", "secret.app", "job.migrate")),
    a_stack("job.report", outputs={"DeadLetterQueueArn": "arn:aws:sqs:us-east-1:123456789012:shop-prod-report"}),
    *(a_stack(f"service.{name}") for name in ("web", "worker", "redis")),
    a_stack("ledger", outputs={"BucketName": "shop-prod-ledger"}),
]  # fmt: skip


def a_service(name: str, running: int = 1, desired: int = 1, **more: Any) -> dict[str, Any]:
    """A service of DescribeServices."""
    definition = f"{ECS}:task-definition/shop-prod-service-{name}:3"
    deployment = {
        "status": "PRIMARY", "rolloutState": "COMPLETED", "rolloutStateReason": "ECS deployment completed.",
        "taskDefinition": definition, "runningCount": running, "desiredCount": desired, "pendingCount": 0,
        "failedTasks": 0, "createdAt": ago(days=2),
    }  # fmt: skip
    return {
        "serviceName": f"{name}-1", "serviceArn": f"{ECS}:service/shop-prod/{name}-1", "status": "ACTIVE",
        "taskDefinition": definition, "runningCount": running, "desiredCount": desired, "pendingCount": 0,
        "deployments": [deployment], "events": [], "loadBalancers": [],
    } | more  # fmt: skip


def a_task(number: int = 1, code: int | None = 3, **more: Any) -> dict[str, Any]:
    """A stopped task of DescribeTasks."""
    return {
        "taskArn": f"{ECS}:task/shop-prod/{number:032x}", "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "taskDefinitionArn": f"{ECS}:task-definition/shop-prod-service-web:3",
        "stoppedReason": "Essential container in task exited", "stoppedAt": ago(minutes=12 + number),
        "containers": [{"name": "app", "exitCode": code} if code is not None else {"name": "app"}],
    } | more  # fmt: skip


def a_host(name: str = "i-0aaaaaaaaaaaaaaa1", left: int = 320, **more: Any) -> dict[str, Any]:
    """A container instance."""

    def resources(memory: int, cpu: int) -> list[dict[str, Any]]:
        return [{"name": "MEMORY", "integerValue": memory}, {"name": "CPU", "integerValue": cpu}]

    return {
        "ec2InstanceId": name, "containerInstanceArn": f"{ECS}:container-instance/shop-prod/{name}", "status": "ACTIVE",
        "agentConnected": True, "versionInfo": {"agentVersion": "1.99.0", "dockerVersion": "DockerVersion: 25.0.13"},
        "registeredResources": resources(704, 2048), "remainingResources": resources(left, 2048),
        "runningTasksCount": 3, "attributes": [],
    } | more  # fmt: skip


def a_rule(priority: int, **condition: Any) -> dict[str, Any]:
    """A rule of DescribeRules, with a condition on a header or on addresses."""
    field = {"HttpHeaderConfig": "http-header", "SourceIpConfig": "source-ip"}
    conditions = [{"Field": field[name], name: config} for name, config in condition.items()]
    page = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "MessageBody": "Back soon"}}
    forward = {"Type": "forward", "TargetGroupArn": GROUP}
    return {
        "RuleArn": f"arn:rule/{priority}", "Priority": str(priority), "IsDefault": False, "Conditions": conditions,
        "Actions": [page if priority in (98, 99) else forward],
    }  # fmt: skip


def a_lost_run(due: str) -> dict[str, Any]:
    """A message of a dead-letter queue, as Scheduler sends it."""
    told = {
        "SCHEDULED_TIME": due, "ERROR_CODE": "AccessDeniedException", "ERROR_MESSAGE": "no", "RETRY_ATTEMPTS": "3",
    }  # fmt: skip
    attributes = {name: {"StringValue": value, "DataType": "String"} for name, value in told.items()}
    return {"MessageId": "m", "Body": "{}", "MessageAttributes": attributes}


class Account:
    """An account's answers, by operation as boto3 spells it, to be changed by the test.

    Attributes:
        answers: operation → what it answers, or a function of the arguments.
        refused: operations that the caller has no right to.
        asked: the operations, in the order in which they came.
    """

    def __init__(self, **answers: Any) -> None:
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {
            "describe_stacks": {"Stacks": [*STACKS]},
            "describe_auto_scaling_groups": {
                "AutoScalingGroups": [
                    {
                        "DesiredCapacity": 1, "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "4"},
                        "Instances": [
                            {"InstanceId": "i-0aaaaaaaaaaaaaaa1",
                             "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "4"}}
                        ],
                    }
                ]
            },
            "list_container_instances": {"containerInstanceArns": ["one"]},
            "describe_container_instances": {"containerInstances": [a_host()]},
            "describe_instances": {
                "Reservations": [
                    {
                        "Instances": [
                            {"InstanceId": "i-0aaaaaaaaaaaaaaa1", "InstanceType": "t3.micro",
                             "ImageId": "ami-0123456789abcdef0", "LaunchTime": ago(days=3),
                             "Placement": {"AvailabilityZone": "us-east-1a"}}
                        ]
                    }
                ]
            },
            "describe_images": {"Images": [{"Name": "al2023-ami-ecs", "CreationDate": "2026-11-12T10:00:00.000Z"}]},
            "list_services": {"serviceArns": ["web", "worker", "redis"]},
            "describe_services": lambda services, **_: {
                "services": [a_service(each, loadBalancers=BALANCED if each == "web" else []) for each in services]
            },
            "describe_task_definition": lambda taskDefinition: {
                "taskDefinition": {
                    "taskDefinitionArn": taskDefinition, "family": "x",
                    "containerDefinitions": [
                        {"name": "app", "memory": 256, "dockerLabels": {"berth.release": "2026.11.3"},
                         "logConfiguration": LOG}
                    ],
                }
            },
            "list_tasks": {"taskArns": []},
            "describe_tasks": {"tasks": []},
            "get_log_events": {"events": [], "nextBackwardToken": ""},
            "describe_target_health": {
                "TargetHealthDescriptions": [
                    {"Target": {"Id": "i-0aaaaaaaaaaaaaaa1", "Port": 32768}, "TargetHealth": {"State": "healthy"}}
                ]
            },
            "describe_target_groups": {"TargetGroups": [{"HealthCheckPath": "/healthz"}]},
            "describe_rules": {"Rules": [a_rule(1), a_rule(500)]},
            "describe_tags": {"TagDescriptions": []},
            "describe_certificate": {
                "Certificate": {"DomainName": "www.shop.test", "Status": "ISSUED", "NotAfter": ago(days=-220)}
            },
            "describe_db_instances": {
                "DBInstances": [
                    {
                        "DBInstanceIdentifier": "shop-prod-main", "DBInstanceArn": "arn:aws:rds:x",
                        "Engine": "postgres",
                        "DBInstanceStatus": "available", "DBInstanceClass": "db.t3.micro", "EngineVersion": "16.9",
                        "AllocatedStorage": 20, "BackupRetentionPeriod": 7, "InstanceCreateTime": ago(days=90),
                        "LatestRestorableTime": ago(minutes=4), "MaxAllocatedStorage": 50,
                        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
                        "CertificateDetails": {"CAIdentifier": "rds-ca-rsa2048-g1", "ValidTill": ago(days=-200)},
                    }
                ]
            },
            "describe_certificates": {
                "DefaultCertificateForNewLaunches": "rds-ca-rsa2048-g1",
                "Certificates": [
                    {"CertificateIdentifier": "rds-ca-rsa2048-g1", "ValidTill": ago(days=-9_999)},
                    {"CertificateIdentifier": "rds-ca-2019", "ValidTill": ago(days=-100)},
                    {"CertificateIdentifier": "rds-ca-2015", "ValidTill": ago(days=-29)},
                ],
            },
            "describe_db_snapshots": {"DBSnapshots": [{"SnapshotCreateTime": ago(hours=8)}]},
            "describe_pending_maintenance_actions": {"PendingMaintenanceActions": []},
            "describe_file_systems": {
                "FileSystems": [
                    {
                        "FileSystemId": "fs-0123456789abcdef0", "FileSystemArn": "arn:aws:elasticfilesystem:x",
                        "LifeCycleState": "available", "SizeInBytes": {"Value": 2 * 2**30},
                        "CreationTime": ago(days=90),
                    }
                ]
            },
            "list_recovery_points_by_resource": {
                "RecoveryPoints": [{"Status": "COMPLETED", "CreationDate": ago(hours=5)}]
            },
            "describe_log_streams": {
                "logStreams": [
                    {"creationTime": int(ago(hours=6, minutes=30).timestamp() * 1000),
                     "lastEventTimestamp": int(ago(hours=6).timestamp() * 1000)}
                ]
            },
            "get_queue_url": {"QueueUrl": "https://sqs/lost"},
            "get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "1"}},
            "receive_message": {"Messages": [a_lost_run("2026-11-20T03:00:00Z")]},
            "list_objects_v2": {"Contents": []},
        } | answers  # fmt: skip

    def __call__(self, service: str, _region: str | None = None) -> Any:
        return _Client(self, service)

    def answer(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        self.asked.append(operation)
        model = _model(service)
        called = next(name for name in model.operation_names if xform_name(name) == operation)
        validate_parameters(arguments, model.operation_model(called).input_shape)
        if operation in self.refused:
            raise error("AccessDeniedException", called)
        found = self.answers.get(operation)
        if found is None:
            raise error("NoSuchKey" if operation == "get_object" else "NoAnswer", called)
        if isinstance(found, Exception):
            raise found
        return found(**arguments) if callable(found) else found


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


class _Client:
    def __init__(self, account: Account, service: str) -> None:
        self._account, self._service = account, service

    def get_paginator(self, operation: str) -> Any:
        return _Pages(self._account, self._service, operation)

    def __getattr__(self, operation: str) -> Any:
        return lambda **arguments: self._account.answer(self._service, operation, arguments)


class _Pages:
    def __init__(self, account: Account, service: str, operation: str) -> None:
        self._account, self._service, self._operation = account, service, operation

    def paginate(self, **arguments: Any) -> list[Any]:
        return [self._account.answer(self._service, self._operation, arguments)]


BALANCED = [{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8000}]


def error(code: str, operation: str) -> ClientError:
    """What boto3 raises for an answer with an error code."""
    return ClientError({"Error": {"Code": code, "Message": f"no {operation}"}}, operation)


def status(account: Account, of: Site | None = None) -> dict[str, Any]:
    """The model of an account."""
    return gather(account, of or site(), WORDS, "us-east-1", SETTINGS, NOW)


def said(model: Mapping[str, Any], key: str = "wrong") -> dict[str, list[str]]:
    """What it is about → what is the matter."""
    found: dict[str, list[str]] = {}
    for each in model[key]:
        found.setdefault(each["about"], []).append(each["what"])
    return found
