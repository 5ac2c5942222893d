"""The agent with many other inputs: each is in the file as the agent reads it, and what ECS shows of them is there."""

from __future__ import annotations

import json
from typing import Any

import boto3

ENDPOINT = "http://127.0.0.1:4235"
WRITTEN = {
    "ECS_CLUSTER": "legacy-molecule",
    "ECS_INSTANCE_ATTRIBUTES": '{"rack": "7 @a/b", "tier": "changed"}',
    "ECS_CONTAINER_INSTANCE_TAGS": '{"Team": "web + more"}',
    "ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM": "none",
    "ECS_RESERVED_MEMORY": "320",
    "ECS_RESERVED_PORTS": "[22, 51678, 51679, 8443]",
    "ECS_RESERVED_PORTS_UDP": "[53]",
    "ECS_DYNAMIC_HOST_PORT_RANGE": "40000-50000",
    "ECS_TASK_PIDS_LIMIT": "500",
    "ECS_AVAILABLE_LOGGING_DRIVERS": '["awslogs", "journald"]',
    "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE": "false",
    "ECS_LOGLEVEL": "debug",
    "ECS_IMAGE_PULL_BEHAVIOR": "always",
    "ECS_IMAGE_PULL_TIMEOUT": "1h30m",
    "ECS_IMAGE_PULL_INACTIVITY_TIMEOUT": "90s",
    "ECS_MANIFEST_PULL_TIMEOUT": "30s",
    "ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT": "true",
    "ECS_DISABLE_IMAGE_CLEANUP": "true",
    "ECS_IMAGE_CLEANUP_INTERVAL": "10m",
    "ECS_IMAGE_MINIMUM_CLEANUP_AGE": "5m",
    "ECS_NUM_IMAGES_DELETE_PER_CYCLE": "1",
    "ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP": "true",
    "NON_ECS_IMAGE_MINIMUM_CLEANUP_AGE": "2h",
    "ECS_EXCLUDE_UNTRACKED_IMAGE": "alpine:3.20,registry.example.org:5000/debug:1",
    "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION": "1m",
    "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION_JITTER": "30s",
    "ECS_CONTAINER_CREATE_TIMEOUT": "1m",
    "ECS_CONTAINER_START_TIMEOUT": "45s",
    "ECS_CONTAINER_STOP_TIMEOUT": "1m30s",
    "ECS_DISABLE_PRIVILEGED": "false",
    "ECS_ENABLE_TASK_IAM_ROLE": "false",
    "ECS_DISABLE_METRICS": "true",
    "ECS_POLL_METRICS": "true",
    "ECS_POLLING_METRICS_WAIT_DURATION": "15s",
    "ECS_ENABLE_SPOT_INSTANCE_DRAINING": "true",
    "ECS_WARM_POOLS_CHECK": "true",
}


def test_every_input_is_in_the_file_as_the_agent_reads_it(host: Any) -> None:
    content = host.file("/etc/ecs/ecs.config").content_string
    assert dict(line.split("=", 1) for line in content.splitlines()) == WRITTEN


def test_ecs_shows_what_the_host_registered_with(host: Any) -> None:
    arn = json.loads(host.check_output("curl -s http://127.0.0.1:51678/v1/metadata"))["ContainerInstanceArn"]
    keys = {"aws_access_key_id": "berth-embedded", "aws_secret_access_key": "not-a-secret-0f3c9d"}
    ecs = boto3.client("ecs", endpoint_url=ENDPOINT, region_name="us-east-1", **keys)
    (found,) = ecs.describe_container_instances(cluster="legacy-molecule", containerInstances=[arn], include=["TAGS"])[
        "containerInstances"
    ]
    attributes = {each["name"]: each.get("value") for each in found["attributes"]}
    assert attributes["rack"] == "7 @a/b"
    assert attributes["tier"] == "web"  # as at the first registration, although the file says otherwise by now
    assert "com.amazonaws.ecs.capability.logging-driver.journald" in attributes
    assert "com.amazonaws.ecs.capability.logging-driver.json-file" not in attributes
    assert found["tags"] == [{"key": "Team", "value": "web + more"}]
    resources = {each["name"]: each for each in found["registeredResources"]}
    assert resources["MEMORY"]["integerValue"] == 1024 - 320
    assert set(resources["PORTS"]["stringSetValue"]) == {"22", "51678", "51679", "8443"}
