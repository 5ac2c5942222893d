"""A task and its containers as they are shown: to this host (introspection, v1) and to the containers themselves.

Source: amazon-ecs-agent, agent/handlers/{v1,v2,v4} and ecs-agent/introspection.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from .aws import Json
from .task import Task

NO_TIME = "0001-01-01T00:00:00Z"
"""Docker's for what has not happened."""
EMPTY_TASK: Json = {"Arn": "", "KnownStatus": "", "Family": "", "Version": "", "Containers": None}
"""What the introspection answers for a task that it does not know."""


def introspected(task: Task, inspected: dict[str, Json]) -> Json:
    """A task as /v1/tasks shows it.

    Args:
        task: which.
        inspected: container name → Docker's inspection, of the containers that there are.
    """
    return {
        "Arn": task.arn,
        "DesiredStatus": task.desired,
        "KnownStatus": task.status,
        "Family": task.payload["family"],
        "Version": task.payload["version"],
        "Containers": [
            _present({**_common(task, name, found), "Ports": _ports(task, name, with_address=False)})
            for name, found in inspected.items()
        ],
    }


def task(of: Task, inspected: dict[str, Json], place: Json, version: str) -> Json:
    """A task as /v3/<id>/task and /v4/<id>/task show it.

    Args:
        of, inspected: see `introspected`.
        place: Cluster, AvailabilityZone and VPCID of the host.
        version: `v3` or `v4`.
    """
    payload = of.payload
    answer: Json = {
        "Cluster": place["Cluster"],
        "TaskARN": of.arn,
        "Family": payload["family"],
        "Revision": payload["version"],
        "DesiredStatus": of.desired,
        "KnownStatus": of.status,
        "Containers": [container(of, name, found, version) for name, found in inspected.items()],
        "PullStartedAt": _time(of.pull_started),
        "PullStoppedAt": _time(of.pull_stopped),
        "ExecutionStoppedAt": _time(of.stopped),
        "AvailabilityZone": place["AvailabilityZone"],
    }
    if limits := _present({"CPU": payload.get("cpu"), "Memory": payload.get("memory")}):
        answer["Limits"] = limits
    if version == "v4":
        answer |= {
            "LaunchType": payload.get("launchType", ""),
            "VPCID": place["VPCID"],
            "ServiceName": payload.get("serviceName", ""),
            "FaultInjectionEnabled": False,
        }
    return _present(answer)


def container(of: Task, name: str, inspected: Json, version: str) -> Json:
    """A container as /v3/<id> and /v4/<id> show it; see `task`."""
    definition, state = of.definition(name), of.containers[name]
    answer: Json = {
        **_common(of, name, inspected),
        "Ports": _ports(of, name, with_address=version == "v4"),
        "Labels": inspected["Config"].get("Labels"),
        "DesiredStatus": of.desired,
        "KnownStatus": state.status,
        "ExitCode": state.exit_code,
        "Limits": {"CPU": max(2, int(definition.get("cpu") or 0)), "Memory": int(definition.get("memory") or 0)},
        "FinishedAt": _moment(inspected["State"].get("FinishedAt")),
        "Type": "NORMAL",
    }
    if definition.get("healthCheckType") == "docker":
        known = "" if state.health == "UNKNOWN" else state.health
        answer["Health"] = _present({"status": known, "statusSince": _time(state.health_since)})
    if version == "v4":
        log = json.loads((definition.get("dockerConfig") or {}).get("hostConfig") or "{}").get("LogConfig") or {}
        answer |= {"LogDriver": log.get("Type"), "LogOptions": log.get("Config"),
                   "ContainerARN": definition.get("containerArn")}  # fmt: skip
    return _present(answer)


def _common(of: Task, name: str, inspected: Json) -> Json:
    state, definition = of.containers[name], of.definition(name)
    networks = inspected["NetworkSettings"].get("Networks") or {}
    return {
        "DockerId": state.id,
        "DockerName": state.name,
        "Name": name,
        "Image": definition["image"],
        "ImageID": state.image,
        "CreatedAt": _moment(inspected.get("Created")),
        "StartedAt": _moment(inspected["State"].get("StartedAt")),
        "Networks": [
            {"NetworkMode": mode, "IPv4Addresses": [network.get("IPAddress", "")]} for mode, network in networks.items()
        ],
        "Volumes": [
            {"Source": of.sources.get(each["sourceVolume"], ""), "Destination": each["containerPath"]}
            for each in definition.get("mountPoints") or []
        ],
    }


def _ports(of: Task, name: str, *, with_address: bool) -> list[Json]:
    return [
        {
            "ContainerPort": each["containerPort"],
            "Protocol": each["protocol"],
            "HostPort": each["hostPort"],
            **({"HostIp": each["bindIP"]} if with_address else {}),
        }
        for each in of.containers[name].bindings
    ]


def _moment(text: str | None) -> str | None:
    return None if text == NO_TIME else text


def _time(seconds: float | None) -> str | None:
    """Seconds since the epoch as Go prints a time."""
    if not seconds:
        return None
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)  # noqa: UP017 - as Debian 11's Python has it
    return moment.isoformat().replace("+00:00", "Z")


def _present(answer: Json) -> Json:
    """Without what is empty, as Go's `omitempty` has it."""
    kept: tuple[Any, ...] = (0, False)
    return {key: value for key, value in answer.items() if value or any(value is each for each in kept)}
