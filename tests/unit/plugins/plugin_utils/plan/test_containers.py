"""What a plan tells of containers and functions: live beside wanted, and no secret's value."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.plan.containers import ANOTHER, LATER, PUBLISHED, STORED, UNPUBLISHED, container_changes
from plugins.plugin_utils.plan.hiding import HIDDEN
from plugins.plugin_utils.plan.model import CHANGE, CREATE, DELETE, Container, Value

WEB: dict[str, Any] = {
    "Name": "web",
    "Image": "registry.test/web:1",
    "Memory": 64,
    "Environment": [{"Name": "COLOR", "Value": "blue"}, {"Name": "RELEASE", "Value": "1"}],
    "Secrets": [{"Name": "DB_PASSWORD", "ValueFrom": {"Fn::Sub": "${SecretArn}:password::"}}],
    "PortMappings": [{"ContainerPort": 80, "HostPort": 0, "Protocol": "tcp"}],
    "MountPoints": [{"SourceVolume": "media", "ContainerPath": "/srv/media", "ReadOnly": False}],
    "DockerLabels": {"berth.release": "1"},
}
EFS = {"FilesystemId": {"Ref": "FileSystemId"}, "AuthorizationConfig": {"AccessPointId": "fsap-1"}}
KNOWN = {"SecretArn": "arn:secret-1", "FileSystemId": "fs-1"}


def template(*containers: dict[str, Any], volumes: Any = None, **properties: Any) -> dict[str, Any]:
    task = {
        "Family": {"Ref": "AWS::StackName"},
        "TaskRoleArn": {"Fn::GetAtt": ["TaskRole", "Arn"]},
        "ContainerDefinitions": list(containers),
        "Volumes": [{"Name": "media", "EFSVolumeConfiguration": EFS}] if volumes is None else volumes,
        **properties,
    }
    made = {"Type": "AWS::ECS::TaskDefinition", "Properties": task}
    return {
        "Parameters": {"SecretArn": {}, "FileSystemId": {}, "Size": {"Default": 1}},
        "Resources": {"Log": {"Type": "AWS::Logs::LogGroup"}, "Task": made},
    }


def web(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**copy.deepcopy(WEB), **changed}.items() if value is not None}


def values(before: dict[str, Any], after: dict[str, Any], then: Any = None) -> dict[str, tuple[str, str]]:
    """What changes of the one container that does."""
    found = container_changes(template(before), KNOWN, template(after), {**KNOWN, **(then or {})})
    assert len(found) <= 1, found
    assert all((each.name, each.action) == ("web", CHANGE) for each in found)
    return {value.name: (value.before, value.after) for each in found for value in each.values}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, {}),
        ({"Image": "registry.test/web:2"}, {"image": ("registry.test/web:1", "registry.test/web:2")}),
        ({"Memory": 96, "MemoryReservation": 32}, {"memory": ("64", "96"), "memory reservation": ("", "32")}),
        (
            {"Environment": [{"Name": "COLOR", "Value": {"Ref": "Size"}}]},
            {"environment.COLOR": ("blue", "1"), "environment.RELEASE": ("1", "")},
        ),
        (
            {"Environment": [*WEB["Environment"], {"Name": "API_TOKEN", "Value": "hunter2"}]},
            {"environment.API_TOKEN": ("", HIDDEN)},
        ),
        ({"Secrets": None}, {"secret.DB_PASSWORD": (STORED, "")}),
        ({"Secrets": [{"Name": "DB_PASSWORD", "ValueFrom": "arn:other"}]}, {"secret.DB_PASSWORD": (STORED, ANOTHER)}),
        (
            {"PortMappings": [{"ContainerPort": 81, "HostPort": 8081}]},
            {"port.80": ("tcp, host port any", ""), "port.81": ("", "tcp, host port 8081")},
        ),
        (
            {"MountPoints": [{"SourceVolume": "media", "ContainerPath": "/srv/media", "ReadOnly": True}]},
            {"volume./srv/media": ("media", "media (read only)")},
        ),
        ({"DockerLabels": {"berth.release": "2"}}, {"label.berth.release": ("1", "2")}),
        (
            {"Command": ["serve", "--password", "hunter2"], "HealthCheck": {"Retries": 3}},
            {"command": ("", HIDDEN), "health check": ("", '{"Retries": 3}')},
        ),
        (
            {"Image": UNPUBLISHED},
            {
                "image": ("registry.test/web:1", PUBLISHED),
                "environment.RELEASE": ("1", PUBLISHED),
                "label.berth.release": ("1", PUBLISHED),
            },
        ),
    ],
)  # fmt: skip
def test_what_changes_of_a_container(changed: dict[str, Any], told: dict[str, tuple[str, str]]) -> None:
    assert values(web(), web(**changed)) == told


def test_a_parameter_counts_by_its_value() -> None:
    assert values(web(), web(), {"SecretArn": "arn:secret-2"}) == {"secret.DB_PASSWORD": (STORED, ANOTHER)}
    (task,) = container_changes(template(web()), KNOWN, template(web()), {**KNOWN, "FileSystemId": None})
    assert task == Container(
        "Task", "", CHANGE, (Value("volume.media", "file system fs-1 by fsap-1", f"file system {LATER} by fsap-1"),)
    )


def test_containers_come_and_go_and_the_text_of_a_template_is_read_as_well() -> None:
    before = yaml.safe_dump(template(web(), web(Name="old")))
    found = container_changes(before, KNOWN, template(web(), {"Name": "new", "Image": "a"}), KNOWN)
    assert found == [
        Container("Task", "old", DELETE),
        Container("Task", "new", CREATE, (Value("image", "", "a"),)),
    ]
    assert container_changes(None, {}, template({"Name": "new"}, volumes=[]), {})[0].action == CREATE


@pytest.mark.parametrize(
    ("volume", "told"),
    [
        ({}, "a folder of the task"),
        ({"DockerVolumeConfiguration": {"Driver": "rexray/efs"}}, "driver rexray/efs"),
        ({"EFSVolumeConfiguration": {"FilesystemId": "fs-2"}}, "file system fs-2"),
        ({"Host": {"SourcePath": "/srv"}}, '{"Host": {"SourcePath": "/srv"}}'),
    ],
)
def test_a_volume_is_told_in_words(volume: dict[str, Any], told: str) -> None:
    (task,) = container_changes(template(volumes=[]), {}, template(volumes=[{"Name": "media", **volume}]), {})
    assert task.values == (Value("volume.media", "", told),)


def test_a_function_is_told_as_well() -> None:
    def function(**variables: str) -> dict[str, Any]:
        properties = {"MemorySize": 128, "Environment": {"Variables": variables}}
        return {"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}}}

    (found,) = container_changes(function(A="1"), {}, function(A="2", **{"DB_PASSWORD": "x"}), {})
    assert found == Container(
        "Function", "", CHANGE, (Value("environment.A", "1", "2"), Value("environment.DB_PASSWORD", "", HIDDEN))
    )
