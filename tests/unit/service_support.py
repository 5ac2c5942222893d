"""boto3's clients for an ECS in memory (ecs_support.World): what the plugins about services ask, answered by it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from local_aws.ecs.errors import EcsError
from local_aws.tests.ecs_support import GROUP, World
from plugins.plugin_utils.layers import Layer, Template

LOG = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/demo", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
}
"""The log configuration of a container whose lines `Clients.lines` holds."""


class Clients:
    """The boto3 clients of a `World`.

    Attributes:
        lines: container → the lines of each of its logs.
        desired_hosts: what the Auto Scaling group wants.
        refused: operations that are answered with AccessDenied.
        calls: operations in the order in which they came.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.lines: dict[str, list[str]] = {}
        self.desired_hosts = 1
        self.refused: set[str] = set()
        self.calls: list[str] = []

    def __call__(self, service: str, _region: str | None = None) -> Any:
        return _Client(service, self)

    def answer(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        self.calls.append(operation)
        called = "".join(word.capitalize() for word in operation.split("_"))
        validate_parameters(arguments, _model(service).operation_model(called).input_shape)
        if operation in self.refused:
            raise _error("AccessDeniedException", "not authorized", operation)
        if service == "ecs":
            try:
                return self.world.call(called, **arguments)
            except EcsError as error:
                raise _error(error.kind, error.message, operation) from None
        own: Callable[..., Any] = getattr(self, f"_{operation}")
        return own(**arguments)

    def _describe_target_health(self, TargetGroupArn: str) -> dict[str, Any]:
        codes = {"unhealthy": {"Reason": "Target.ResponseCodeMismatch"}}
        return {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": host, "Port": port},
                    "TargetHealth": {"State": found.state, "Description": found.description}
                    | codes.get(found.state, {}),
                }
                for (host, port), found in self.world.elsewhere.target_health(TargetGroupArn).items()
            ]
        }

    def _describe_target_groups(self, TargetGroupArns: list[str]) -> dict[str, Any]:
        assert TargetGroupArns == [GROUP]
        check = {"HealthCheckPath": "/healthz", "Matcher": {"HttpCode": "200"}, "HealthCheckTimeoutSeconds": 5}
        return {"TargetGroups": [check]}

    def _describe_auto_scaling_groups(self, AutoScalingGroupNames: list[str]) -> dict[str, Any]:
        assert AutoScalingGroupNames == ["asg"]
        return {"AutoScalingGroups": [{"DesiredCapacity": self.desired_hosts, "MaxSize": 2}]}

    def _get_log_events(self, logStreamName: str, limit: int, nextToken: str = "", **_: Any) -> dict[str, Any]:
        lines = self.lines.get(logStreamName.split("/")[1])
        if lines is None:
            raise _error("ResourceNotFoundException", "no such stream", "GetLogEvents")
        shown = [] if nextToken else lines[-limit:]
        return {"events": [{"message": line} for line in shown], "nextBackwardToken": "b/1"}


class _Client:
    def __init__(self, service: str, clients: Clients) -> None:
        self._service, self._clients = service, clients

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **arguments: self._clients.answer(self._service, operation, arguments)

    def get_paginator(self, operation: str) -> Any:
        """All there is, in one page."""
        return SimpleNamespace(paginate=lambda **arguments: [getattr(self, operation)(**arguments)])


@functools.cache
def _model(service: str) -> Any:
    """AWS's own description of a service, by which each call is checked."""
    return botocore.session.get_session().get_service_model(service)


def service_layer(stack: str = "demo-service", **parameters: str) -> Layer:
    """The layer of a service whose stack's resource is called Service."""
    return Layer("service", stack, None, Template(""), {"ClusterName": "demo", **parameters})


def _error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
