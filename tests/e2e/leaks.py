"""Where a secret of the site could stand though it may not, and whether it does."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_aws.cloud import Cloud
from local_aws.config import CONFIGS

CONFIG = CONFIGS["test"]
PLAIN = ("username", "engine", "host", "port", "dbname", "dbInstanceIdentifier")
"""Keys of a secret whose values are none: the others are not to be seen anywhere."""
SHORTEST = 8
"""Letters: what is shorter is no secret of the site, but what a test has put in the place of one (damage.py)."""
LOOK_SECONDS = 0.03
HOST_LOOK = """\
journalctl --boot --no-pager --quiet
cat /etc/ecs/* /var/log/*.log /var/log/ecs/* /var/lib/cloud/instance/*.txt 2>/dev/null
for id in $(docker ps --all --quiet); do
  docker logs "$id" 2>&1
  docker inspect --format '{{.Args}} {{.Config.Cmd}} {{.Config.Labels}}' "$id"
done
true
"""
"""What is kept on a host. The environment of a container is where its secrets are meant to be."""


@dataclass
class Secrets:
    """All values of the site's secrets, each under what says which it is.

    Attributes:
        values: `<secret>:<key>:<start of the version>` to the value.
    """

    values: dict[str, str] = field(default_factory=dict)

    def learn(self, cloud: Cloud) -> None:
        """Take up those that there are by now, all versions."""
        secrets = cloud.client("secretsmanager")
        for each in secrets.list_secrets()["SecretList"]:
            for version in secrets.list_secret_version_ids(SecretId=each["ARN"])["Versions"]:
                found = secrets.get_secret_value(SecretId=each["ARN"], VersionId=version["VersionId"])["SecretString"]
                for key, value in json.loads(found).items():
                    if key not in PLAIN and len(str(value)) >= SHORTEST:
                        self.values[f"{each['Name']}:{key}:{version['VersionId'][:8]}"] = str(value)

    def seen(self, text: str) -> list[str]:
        """Which of them stand in a text, also as base64 of them alone; never the values."""
        return [
            name
            for name, value in self.values.items()
            if value in text or base64.b64encode(value.encode()).decode() in text
        ]


@contextmanager
def process_list() -> Iterator[set[str]]:
    """The command lines of all processes of this machine, its containers' too, that ran while the block did.

    One that is shorter than a look (30 ms) can be missed.
    """
    lines, over = set[str](), threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    with suppress(OSError):  # it has ended meanwhile
                        line = Path(entry.path, "cmdline").read_bytes().replace(b"\0", b" ")
                        lines.add(line.decode(errors="replace"))

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield lines
    finally:
        over.set()
        looker.join()


def kept(cloud: Cloud) -> Iterator[tuple[str, str]]:
    """Whatever is kept in the account and on the hosts where no secret belongs: where it stands, and its text."""
    yield from _stacks(cloud)
    yield from _tasks(cloud)
    yield from _logs(cloud)
    yield from _objects(cloud)
    yield from _hosts(cloud)
    functions = cloud.client("lambda").list_functions()["Functions"]
    parameters = cloud.client("ssm").describe_parameters()["Parameters"]
    for name, found in (("functions", functions), ("parameters of SSM", parameters)):
        yield name, json.dumps(found, default=str)


def _pages(cloud: Cloud, service: str, operation: str, **arguments: Any) -> list[dict[str, Any]]:
    return list(cloud.client(service).get_paginator(operation).paginate(**arguments))


def _stacks(cloud: Cloud) -> Iterator[tuple[str, str]]:
    cloudformation = cloud.client("cloudformation")
    for page in _pages(cloud, "cloudformation", "describe_stacks"):
        for stack in page["Stacks"]:
            name = stack["StackName"]
            yield f"stack {name}", json.dumps(stack, default=str)
            yield (
                f"template of {name}",
                json.dumps(cloudformation.get_template(StackName=name)["TemplateBody"], default=str),
            )
            events = _pages(cloud, "cloudformation", "describe_stack_events", StackName=name)
            yield f"events of {name}", json.dumps(events, default=str)


def _tasks(cloud: Cloud) -> Iterator[tuple[str, str]]:
    ecs = cloud.client("ecs")
    for status in ("ACTIVE", "INACTIVE"):
        for page in _pages(cloud, "ecs", "list_task_definitions", status=status):
            for arn in page["taskDefinitionArns"]:
                found = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
                yield f"task definition {arn}", json.dumps(found, default=str)
    for cluster in ecs.list_clusters()["clusterArns"]:
        services = ecs.list_services(cluster=cluster)["serviceArns"]
        if services:
            found = ecs.describe_services(cluster=cluster, services=services)["services"]
            yield f"services of {cluster}", json.dumps(found, default=str)
        for status in ("RUNNING", "STOPPED"):
            if arns := ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]:
                found = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
                yield f"tasks of {cluster}", json.dumps(found, default=str)


def _logs(cloud: Cloud) -> Iterator[tuple[str, str]]:
    logs = cloud.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        for page in _pages(cloud, "logs", "filter_log_events", logGroupName=group["logGroupName"]):
            yield f"log {group['logGroupName']}", "\n".join(event["message"] for event in page["events"])


def _objects(cloud: Cloud) -> Iterator[tuple[str, str]]:
    s3 = cloud.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for page in _pages(cloud, "s3", "list_objects_v2", Bucket=bucket["Name"]):
            for each in page.get("Contents", []):
                body = s3.get_object(Bucket=bucket["Name"], Key=each["Key"])["Body"].read()
                yield f"object {bucket['Name']}/{each['Key']}", body.decode(errors="replace")


def _hosts(cloud: Cloud) -> Iterator[tuple[str, str]]:
    ec2 = cloud.client("ec2")
    for reservation in ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])[
        "Reservations"
    ]:
        for instance in reservation["Instances"]:
            name = instance["InstanceId"]
            data = ec2.describe_instance_attribute(InstanceId=name, Attribute="userData")["UserData"].get("Value", "")
            yield f"user data of {name}", base64.b64decode(data).decode(errors="replace")
            status, output = cloud.docker.containers.get(CONFIG.container(name)).exec_run(["sh", "-c", HOST_LOOK])
            assert status == 0, output.decode(errors="replace")
            yield f"host {name}", output.decode(errors="replace")
