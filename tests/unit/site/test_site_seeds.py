"""The systems that Berth must cover, each by an inventory alone."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import validate_parameters
from tests.unit.test_task_definition import CONTAINERS, DEFAULTS, camel

from plugins.filter import task_definition
from tests.unit.site.support import SITES, read, rendered, variables

NAMES = sorted(path.stem for path in SITES.glob("*.yml"))
ANSIBLE_DEFAULTS = {"mode": "non-blocking", "max-buffer-size": "25m"}


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
def test_every_parameter_that_is_referred_to_is_taken_from_a_stack_that_comes_first(name: str) -> None:
    site = read(variables(name))
    for key, _ in site.tasks():
        parts = rendered(site, key)
        text = yaml.safe_dump([parts.containers, parts.volumes, parts.execution_statements, parts.task_statements])
        named = set(re.findall(r"Ref: (\w+)$", text, re.M)) | set(re.findall(r"\$\{(\w+)\}", text))
        assert named - {"LogGroup"} == set(parts.takes)
        assert {other for other, _ in parts.takes.values()} <= site.graph[key]


def founding() -> dict[str, Any]:
    """The founding site with the timeout that its description of today has; Compose's default is 30 s."""
    given = variables("seed0")
    given["site_services"]["web"]["containers"]["django"]["healthcheck"]["timeout"] = "5s"
    given["site_services"]["web"]["containers"]["django"]["environment"]["ALLOWED_HOSTS"] = "{{ domain_name }}"
    return given


OLD_NAMES = {
    "DatabaseSecretArn": "DatabaseMainSecretArn",
    "DjangoSecretArn": "SecretDjangoSecretArn",
    "FileSystemId": "VolumeMediaFileSystemId",
    "AccessPointId": "VolumeMediaAccessPointId",
    "LogGroupName": "LogGroup",
}
"""Parameters of cloudformation/task.yml and what they are called where a stack is made for each entry."""


def renamed(value: Any) -> Any:
    """Definitions of today's filter with the names of today's parameters replaced."""
    text = yaml.safe_dump(value)
    for old, new in OLD_NAMES.items():
        text = re.sub(rf"(Ref: |\$\{{){old}\b", rf"\g<1>{new}", text)
    return yaml.safe_load(text)


def test_the_founding_site_becomes_what_it_is_today() -> None:
    images = {"legacy/django": "registry/django:1", "legacy/nginx": "registry/nginx:2"}
    parts = rendered(read(founding()), "service.web", images=images, log_options=ANSIBLE_DEFAULTS)
    today = task_definition.container_definitions(
        CONTAINERS, {"django": "registry/django:1", "nginx": "registry/nginx:2"}, "r1", "eu-west-1", ANSIBLE_DEFAULTS
    )
    assert parts.containers == renamed(today)
    assert parts.volumes == renamed(task_definition.task_volumes(CONTAINERS, "efs"))


def test_its_migration_is_what_it_is_today_but_for_its_name() -> None:
    parts = rendered(read(founding()), "job.migrate", images={"legacy/django": "registry/django:1"})
    once = {**DEFAULTS["site_once"], "secrets": {}}
    (today,) = task_definition.one_off_definitions(CONTAINERS, once, {"django": "registry/django:1"}, "r1", "eu-west-1")
    (made,) = parts.containers
    stream = {"awslogs-stream-prefix": "migrate"}
    today["Name"], today["LogConfiguration"]["Options"] = "migrate", today["LogConfiguration"]["Options"] | stream
    assert made == renamed(today)


def test_rexray_mounts_as_today_and_its_volume_comes_first_without_a_parameter() -> None:
    given = variables("seed0")
    given["site_volumes"]["media"]["driver"] = "rexray"
    site = read(given)
    parts = rendered(site, "service.web")
    assert parts.volumes == task_definition.task_volumes(CONTAINERS, "rexray")
    assert parts.task_statements == []
    assert "volume.media" in site.graph["service.web"]
    assert not [name for name in parts.takes if name.startswith("Volume")], "cfn-lint refuses what is not used"


def test_services_know_each_other_without_waiting_for_each_other() -> None:
    site = read(variables("seed4"))
    (proxy,) = rendered(site, "service.proxy").containers
    told = {each["Name"]: each["Value"] for each in proxy["Environment"]}
    assert told["CMS"] == "http://cms.shop-prod.internal:8080"
    assert told["WEB"] == "http://web.shop-prod.internal:3000"
    assert site.talks["service.proxy"] == {"service.cms", "service.web"}
    assert not [other for other in site.graph["service.proxy"] if other.startswith("service.")]


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
