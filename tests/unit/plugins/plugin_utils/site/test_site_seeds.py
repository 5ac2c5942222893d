"""The systems that Berth must cover, each by an inventory alone."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import validate_parameters

from plugins.filter.sizes import host_memory
from plugins.plugin_utils.site import room
from plugins.plugin_utils.site.model import Site
from tests.unit.plugins.plugin_utils.site.support import IDENTITY, SITES, read, rendered, variables
from tests.unit.render_support import PROJECT

NAMES = sorted(path.stem for path in SITES.glob("*.yml"))
ANSIBLE_DEFAULTS = {"mode": "non-blocking", "max-buffer-size": "25m"}


def camel(value: Any) -> Any:
    """CloudFormation's names as the API has them, references as strings."""
    if isinstance(value, dict):
        if set(value) & {"Ref", "Fn::Sub"}:
            return str(next(iter(value.values())))
        verbatim = {"Options", "DockerLabels"}
        return {
            key[0].lower() + key[1:]: {k: camel(v) for k, v in item.items()} if key in verbatim else camel(item)
            for key, item in value.items()
        }
    return [camel(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", NAMES)
def test_every_system_can_be_said(name: str) -> None:
    assert read(variables(name)).services


@pytest.mark.parametrize("name", NAMES)
def test_the_api_would_take_its_definitions(name: str) -> None:
    site = read(variables(name))
    shape = (
        botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
    )
    for key, _ in site.tasks():
        parts = rendered(site, key)
        volumes = [_efs(volume) for volume in camel(parts.volumes)]
        request = {"family": "shop", "containerDefinitions": camel(parts.containers), "volumes": volumes}
        validate_parameters(request, shape)


def _efs(volume: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's spelling of an EFS volume, where it is not the API's but for a letter."""
    if "eFSVolumeConfiguration" in volume:
        configuration = volume.pop("eFSVolumeConfiguration")
        configuration["fileSystemId"] = configuration.pop("filesystemId")
        configuration["authorizationConfig"]["iam"] = configuration["authorizationConfig"].pop("iAM")
        volume["efsVolumeConfiguration"] = configuration
    return volume


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_that_is_referred_to_is_taken_from_a_stack(name: str) -> None:
    site = read(variables(name))
    for key, _ in site.tasks():
        parts = rendered(site, key)
        text = yaml.safe_dump([parts.containers, parts.volumes, parts.execution_statements, parts.task_statements])
        named = set(re.findall(r"Ref: (\w+)$", text, re.M)) | set(re.findall(r"\$\{(\w+)\}", text))
        assert named - {"LogGroup"} == set(parts.takes)


IMAGES = {"legacy-site/django": "registry/django:1", "legacy-site/nginx": "registry/nginx:2"}


def founding(**volume: Any) -> Site:
    """The founding site as examples/ has it, its volume with more keys."""
    given = yaml.safe_load((PROJECT / "examples/legacy_site/site.yml").read_text())
    given["site_volumes"]["media"] |= volume
    return read(IDENTITY | given)


def log(stream: str) -> dict[str, Any]:
    """Where a container of it logs to: without a mode it might wait for its log, or the account's setting decide."""
    options = {"awslogs-group": {"Ref": "LogGroup"}, "awslogs-region": "eu-west-1", "awslogs-stream-prefix": stream}
    return {"LogDriver": "awslogs", "Options": options | ANSIBLE_DEFAULTS}


def stored(parameter: str, keys: dict[str, str]) -> list[dict[str, Any]]:
    """Secrets of one stack, variable → key of its JSON: <ARN>:<key>:<version stage>:<version id>, two empty."""
    return [{"Name": name, "ValueFrom": {"Fn::Sub": f"${{{parameter}}}:{key}::"}} for name, key in keys.items()]


DATABASE = stored(
    "DatabaseMainLoginArn",
    {"DB_HOST": "host", "DB_NAME": "dbname", "DB_PASSWORD": "password", "DB_USER": "username"},
)
SECRET_KEY = stored("SecretDjangoSecretArn", {"SECRET_KEY": "secret_key"})
DJANGO: dict[str, Any] = {
    "Name": "django",
    "Image": "registry/django:1",
    "Essential": True,
    "Memory": 256,
    "Environment": [
        {"Name": "ALLOWED_HOSTS", "Value": "{{ domain_name }}"},
        {"Name": "RELEASE", "Value": "1-2"},
    ],
    "Secrets": DATABASE + SECRET_KEY,
    "MountPoints": [{"SourceVolume": "media", "ContainerPath": "/srv/media", "ReadOnly": False}],
    "HealthCheck": {
        "Command": ["CMD", "python", "/app/healthcheck.py"],
        "Interval": 5,
        "Timeout": 5,
        "Retries": 3,
        "StartPeriod": 60,
    },
    "DockerLabels": {"berth.release": "1-2", "berth.image": "legacy-site/django"},
    "LinuxParameters": {"InitProcessEnabled": True, "Capabilities": {"Drop": ["ALL"]}},
    "DockerSecurityOptions": ["no-new-privileges"],
    "LogConfiguration": log("django"),
}
NGINX = {
    "Name": "nginx",
    "Image": "registry/nginx:2",
    "Essential": True,  # both: nginx resolves its link once, so a task is replaced as a whole
    "Memory": 64,
    "Environment": [{"Name": "RELEASE", "Value": "1-2"}],
    "PortMappings": [{"ContainerPort": 80, "HostPort": 0, "Protocol": "tcp"}],
    "Links": ["django"],
    "DependsOn": [{"ContainerName": "django", "Condition": "HEALTHY"}],
    "MountPoints": [{"SourceVolume": "media", "ContainerPath": "/srv/media", "ReadOnly": True}],
    "DockerLabels": {"berth.release": "1-2", "berth.image": "legacy-site/nginx"},
    "LinuxParameters": {"InitProcessEnabled": True},
    "DockerSecurityOptions": ["no-new-privileges"],
    "LogConfiguration": log("nginx"),
}
"""What the founding site has always been, and is to stay; secrets are references, and their values nowhere."""


def test_the_founding_site_stays_what_it_is() -> None:
    parts = rendered(founding(), "service.web", images=IMAGES, log_options=ANSIBLE_DEFAULTS)
    assert parts.containers == [DJANGO, NGINX]
    assert parts.volumes == [
        {
            "Name": "media",
            "EFSVolumeConfiguration": {
                "FilesystemId": {"Ref": "VolumeMediaFileSystemId"},
                "TransitEncryption": "ENABLED",
                "AuthorizationConfig": {"AccessPointId": {"Ref": "VolumeMediaAccessPointId"}, "IAM": "ENABLED"},
            },
        }
    ]


def test_its_migration_is_django_alone_with_a_command_and_a_login_of_its_own() -> None:
    (made,) = rendered(founding(), "job.migrate", images=IMAGES, log_options=ANSIBLE_DEFAULTS).containers
    placed = {"HealthCheck"}
    release = {"berth.release": "1", "berth.image": "legacy-site/django"}
    assert made == {key: value for key, value in DJANGO.items() if key not in placed} | {
        "Name": "migrate",
        "Command": ["python", "manage.py", "migrate", "--noinput"],
        "Environment": [
            {"Name": "ALLOWED_HOSTS", "Value": "{{ domain_name }}"},
            {"Name": "RELEASE", "Value": "1"},
        ],
        "Secrets": stored("SecretAdminSecretArn", {"ADMIN_PASSWORD": "password", "ADMIN_USER": "username"})
        + DATABASE
        + SECRET_KEY,
        "DockerLabels": release,
        "LogConfiguration": log("migrate"),
    }
    assert not [each for each in DJANGO["Secrets"] if each["Name"].startswith("ADMIN")], "the first login is its alone"


def test_another_release_of_the_same_description_is_another_revision() -> None:
    one = rendered(founding(), "service.web", images=IMAGES).containers
    two = rendered(founding(), "service.web", images=IMAGES | {"legacy-site/nginx": "registry/nginx:3"}).containers
    assert one[0]["Image"] == two[0]["Image"]
    assert {"Name": "RELEASE", "Value": "1-3"} in two[0]["Environment"]


def test_the_founding_site_finds_room_twice_on_the_smallest_hosts() -> None:
    """A deployment starts the new task beside the old one; 256 MiB are kept for the host."""
    tasks = room.at_once(founding().services, {})
    assert tasks == [320, 320]
    for instance_type in ("t2.micro", "t3.micro", "t3a.micro", "t4g.micro"):
        assert room.without_place(tasks, [host_memory(instance_type) - 256]) == []


def test_rexray_mounts_what_exists_without_a_parameter() -> None:
    site = founding(driver="rexray")
    parts = rendered(site, "service.web", images=IMAGES)
    assert parts.volumes == [
        {
            "Name": "media",
            "DockerVolumeConfiguration": {"Scope": "shared", "Autoprovision": True, "Driver": "rexray/efs"},
        }
    ]
    assert parts.task_statements == []
    assert not [name for name in parts.takes if name.startswith("Volume")], "cfn-lint refuses what is not used"


def test_services_know_each_other_without_waiting_for_each_other() -> None:
    site = read(variables("seed4"))
    (proxy,) = rendered(site, "service.proxy").containers
    told = {each["Name"]: each["Value"] for each in proxy["Environment"]}
    assert told["CMS"] == "http://cms.shop-prod.internal:8080"
    assert told["WEB"] == "http://web.shop-prod.internal:3000"
    assert not [other for other, _ in rendered(site, "service.proxy").takes.values() if other.startswith("service.")]


def test_workers_share_the_image_and_leave_the_server_s_place_behind() -> None:
    site = read(variables("workers"))
    worker = site.services["worker"].containers["celery"]
    assert (worker.image, worker.ports, worker.healthcheck) == ("shop/django", (), None)
    assert worker.command == ("celery", "-A", "shop", "worker")
    assert set(site.images) == {"shop-django"}, "redis is pulled from where it is"
    assert site.services["beat"].stop_first
    assert (site.services["worker"].replicas, site.services["worker"].most) == (1, 4)
    job = site.jobs["clearsessions"]
    assert (job.schedule, job.zone, job.run, job.minutes) == ("cron(0 3 * * ? *)", "Europe/Zurich", "", 30)


def test_uses_become_rights_on_the_bucket_and_on_what_is_in_it() -> None:
    statements = rendered(read(variables("seed3")), "service.api").task_statements
    assert {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": [{"Ref": "BucketUploadsBucketArn"}]} in statements  # fmt: skip
    objects = [each for each in statements if each["Resource"] == [{"Fn::Sub": "${BucketUploadsBucketArn}/*"}]]
    assert {action for each in objects for action in each["Action"]} >= {"s3:GetObject", "s3:PutObject"}
