"""`site_containers` becomes the task definition that the agent needs."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from botocore.validate import validate_parameters

from plugins.filter import task_definition
from plugins.filter.checks import container_problems
from plugins.filter.sizes import host_memory, is_arm, is_newer_than_2022
from tests.unit.render_support import PROJECT

DEFAULTS = yaml.safe_load((PROJECT / "roles/task/defaults/main.yml").read_text())
CONTAINERS: dict[str, Any] = DEFAULTS["site_containers"]
IMAGES = {"django": "registry/django:1", "nginx": "registry/nginx:2"}


def definitions(release: str = "r1") -> dict[str, Any]:
    made = task_definition.container_definitions(CONTAINERS, IMAGES, release, "eu-west-1")
    return {each["Name"]: each for each in made}


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


@pytest.mark.parametrize("driver", ["rexray", "efs"])
def test_the_api_would_take_it(driver: str) -> None:
    volumes = camel(task_definition.task_volumes(CONTAINERS, driver))
    for volume in volumes:
        if "eFSVolumeConfiguration" in volume:
            configuration = volume.pop("eFSVolumeConfiguration")
            configuration["fileSystemId"] = configuration.pop("filesystemId")
            configuration["authorizationConfig"]["iam"] = configuration["authorizationConfig"].pop("iAM")
            volume["efsVolumeConfiguration"] = configuration
    request = {
        "family": "shop-prod",
        "networkMode": "bridge",
        "containerDefinitions": camel(list(definitions().values())),
        "volumes": volumes,
    }
    model = botocore.session.get_session().get_service_model("ecs")
    validate_parameters(request, model.operation_model("RegisterTaskDefinition").input_shape)


def test_nginx_waits_for_a_healthy_django_and_gets_any_free_port() -> None:
    nginx = definitions()["nginx"]
    assert nginx["DependsOn"] == [{"ContainerName": "django", "Condition": "HEALTHY"}]
    assert nginx["Links"] == ["django"]
    assert nginx["PortMappings"] == [{"ContainerPort": 80, "HostPort": 0, "Protocol": "tcp"}]
    assert definitions()["django"]["HealthCheck"]["Command"][0] == "CMD"


def test_every_container_is_essential_has_a_hard_limit_and_a_log_stream_of_its_own() -> None:
    for name, made in definitions().items():
        assert made["Essential"] is True
        assert made["Memory"] > 0
        assert made["LogConfiguration"]["Options"]["awslogs-stream-prefix"] == name
        assert made["LogConfiguration"]["Options"]["awslogs-region"] == "eu-west-1"


def test_no_container_waits_for_its_log_to_be_delivered() -> None:
    """Without a mode it would, or the account's own setting would decide."""
    options = {"mode": "non-blocking", "max-buffer-size": "25m"}
    made = task_definition.container_definitions(CONTAINERS, IMAGES, "r1", "eu-west-1", options)
    made += task_definition.one_off_definitions(CONTAINERS, DEFAULTS["site_once"], IMAGES, "r1", "eu-west-1", options)
    assert len(made) == 3
    for each in made:
        assert options.items() <= each["LogConfiguration"]["Options"].items()
        assert each["LogConfiguration"]["Options"]["awslogs-group"]


def test_secrets_are_references_and_their_values_nowhere() -> None:
    secrets = {each["Name"]: each["ValueFrom"] for each in definitions()["django"]["Secrets"]}
    assert secrets["DB_PASSWORD"] == {"Fn::Sub": "${DatabaseSecretArn}:password::"}
    assert secrets["DB_HOST"] == {"Fn::Sub": "${DatabaseSecretArn}:host::"}
    assert secrets["SECRET_KEY"] == {"Fn::Sub": "${DjangoSecretArn}:secret_key::"}
    assert "ADMIN_PASSWORD" not in secrets, "the first login is the one-off task's alone"


def test_a_release_of_the_same_images_is_another_revision() -> None:
    assert definitions("r1") != definitions("r2")
    assert {"Name": "RELEASE", "Value": "r2"} in definitions("r2")["django"]["Environment"]


def test_the_order_of_an_inventory_makes_no_new_revision() -> None:
    turned = {
        name: {key: dict(reversed(item.items())) if key == "secrets" else item for key, item in given.items()}
        for name, given in CONTAINERS.items()
    }
    made = task_definition.container_definitions(turned, IMAGES, "r1", "eu-west-1")
    assert made == list(definitions("r1").values())


def test_the_one_off_task_is_django_alone_with_its_own_command() -> None:
    (made,) = task_definition.one_off_definitions(CONTAINERS, DEFAULTS["site_once"], IMAGES, "r1", "eu-west-1")
    assert made["Name"] == "django"
    assert made["Command"] == ["python", "manage.py", "migrate", "--noinput"]
    assert not {"PortMappings", "Links", "DependsOn", "HealthCheck"} & set(made)
    names = {each["Name"] for each in made["Secrets"]}
    assert {"ADMIN_PASSWORD", "DB_PASSWORD"} <= names


@pytest.mark.parametrize(("memory", "reserved"), [(256, None), (300, 300), (600, 300), (None, 300)])
def test_the_one_off_task_reserves_no_more_memory_than_it_has(memory: int | None, reserved: int | None) -> None:
    containers = {**CONTAINERS, "django": {**CONTAINERS["django"], "memory": 512, "memory_reservation": 300}}
    once = {"container": "django", "command": ["true"], **({"memory": memory} if memory else {})}
    (made,) = task_definition.one_off_definitions(containers, once, IMAGES, "r1", "eu-west-1")
    assert made["Memory"] == (memory or 512)
    assert made.get("MemoryReservation") == reserved
    rules = yaml.safe_load((PROJECT / "roles/preflight/vars/main/rules.yml").read_text())
    names = ("preflight_once_container", "preflight_once_limit", "preflight_once_memory")
    given = {name: trust_as_template(rules[name]) for name in names}
    templar = Templar(DataLoader(), given | {"site_containers": containers, "site_once": once})
    assert templar.template(trust_as_template("{{ preflight_once_memory }}")) == (reserved or memory), (
        "as preflight says"
    )


def test_rexray_mounts_what_exists_and_efs_goes_through_the_access_point() -> None:
    assert task_definition.task_volumes(CONTAINERS, "rexray") == [
        {
            "Name": "media",
            "DockerVolumeConfiguration": {"Scope": "shared", "Autoprovision": True, "Driver": "rexray/efs"},
        }
    ]
    (volume,) = task_definition.task_volumes(CONTAINERS, "efs")
    configuration = volume["EFSVolumeConfiguration"]
    assert configuration["TransitEncryption"] == "ENABLED"
    assert configuration["AuthorizationConfig"] == {"AccessPointId": {"Ref": "AccessPointId"}, "IAM": "ENABLED"}
    assert "RootDirectory" not in configuration


def test_nginx_may_not_write_to_the_media_files() -> None:
    mounts = {name: made["MountPoints"][0] for name, made in definitions().items()}
    assert mounts["nginx"]["ReadOnly"] is True
    assert mounts["django"]["ReadOnly"] is False


def test_a_container_without_an_image_is_refused_by_its_name() -> None:
    with pytest.raises(
        AnsibleFilterError, match=r"no image for the container nginx\..* ansible-playbook publish\.yml -i "
    ):
        task_definition.container_definitions(CONTAINERS, {"django": "x"}, "r1", "eu-west-1")


@pytest.mark.parametrize("value", [None, [], "django", {"django": None}, {"django": {"health": "x"}}])
def test_containers_of_any_shape_are_answered_by_sentences(value: Any) -> None:
    assert all(isinstance(sentence, str) for sentence in container_problems(value))
    assert container_problems(value)


def test_the_default_containers_have_no_problem() -> None:
    assert container_problems(CONTAINERS) == []


@pytest.mark.parametrize(
    ("instance_type", "arm", "new"),
    [
        ("t2.micro", False, False),
        ("t3a.small", False, False),
        ("t4g.micro", True, False),
        ("m6gd.large", True, False),
        ("a1.medium", True, False),
        ("m7i.large", False, True),
        ("m7i-flex.large", False, True),
        ("m8g.large", True, True),
        ("g4dn.xlarge", False, False),
    ],
)
def test_what_an_instance_type_is(instance_type: str, arm: bool, new: bool) -> None:
    assert is_arm(instance_type) is arm
    assert is_newer_than_2022(instance_type) is new


@pytest.mark.parametrize(
    ("instance_type", "measured"),
    [
        ("t2.micro", 945), ("t3.micro", 920), ("t3a.micro", 924), ("t4g.micro", 921), ("t3.small", 1917),
        ("t4g.medium", 3840), ("t3.2xlarge", 31729), ("c5.large", 3663), ("c6g.medium", 1839), ("m5.large", 7633),
        ("m6i.xlarge", 15712), ("r5.large", 15685),
    ],
)  # fmt: skip
def test_memory_of_a_host_is_estimated_from_below(instance_type: str, measured: int) -> None:
    """As measured (the source stands in sizes.py): what fits by the estimate fits on such a host."""
    assert measured * 0.9 <= host_memory(instance_type) <= measured


def test_the_default_containers_find_room_twice_on_the_smallest_hosts() -> None:
    """A deployment starts the new task beside the old one; 256 MiB are kept for the host."""
    task = sum(given["memory"] for given in CONTAINERS.values())
    for instance_type in ("t2.micro", "t3.micro", "t3a.micro", "t4g.micro"):
        assert 2 * task <= host_memory(instance_type) - 256


def test_a_type_that_is_not_known_is_not_guessed() -> None:
    assert host_memory("u-6tb1.metal") == 0
