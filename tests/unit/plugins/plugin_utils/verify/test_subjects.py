"""What of the inventory becomes what is verified, its references resolved as CloudFormation would."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.ecs_placement import Needs
from plugins.plugin_utils.site import rendering
from plugins.plugin_utils.site.definitions import Run
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.verify.subjects import Secret, Unknown, World, resolved, task
from tests.unit.plugins.plugin_utils.verify.support import SECRET

OUTPUTS = {
    "database.main.LoginArn": SECRET,
    "volume.media.FileSystemId": "fs-1",
    "volume.media.AccessPointId": "fsap-1",
}
PSEUDO = {"AWS::Region": "us-east-1", "AWS::Partition": "aws", "AWS::AccountId": "123456789012"}
GIVEN: dict[str, Any] = {
    "site_name": "shop",
    "environment_name": "unit",
    "domain_name": "www.shop.test",
    "site_services": {
        "web": {
            "containers": {
                "web": {
                    "image": "shop/web",
                    "mem_limit": "256m",
                    "mem_reservation": "64m",
                    "cpu_shares": 10,
                    "volumes": ["media:/srv/media"],
                    "secrets": {"PASSWORD": "database.main.password", "TOKEN": "/shop/token"},
                },
                "proxy": {"image": "registry.test/proxy:1", "mem_limit": "32m"},
            },
        }
    },
    "site_databases": {"main": {}},
    "site_volumes": {"media": {"driver": "efs"}},
}


def made(outputs: dict[str, str], images: dict[str, str]) -> Any:
    site = read_site(GIVEN)
    assert not site.problems
    called = {"shop/web": "shop/web", "registry.test/proxy:1": "registry.test/proxy:1"}
    entry = rendering.entry(site, "service.web", Run(called, "us-east-1"))
    live = {"definition": {"requiresAttributes": [{"name": "ecs.capability.efsAuth"}]}}
    return task("service.web", entry, World(outputs, PSEUDO, images), "/shop/unit/service/web", live)


def test_a_service_is_what_its_template_would_make_of_it() -> None:
    found = made(OUTPUTS, {"shop/web": "reg/shop-web@sha256:1"})
    web, proxy = found.containers
    assert (web.image, proxy.image) == ("reg/shop-web@sha256:1", "registry.test/proxy:1")
    assert web.secrets == (Secret("PASSWORD", f"{SECRET}:password::"), Secret("TOKEN", "/shop/token"))
    assert found.volumes["media"] == {
        "name": "media",
        "efsVolumeConfiguration": {
            "fileSystemId": "fs-1",
            "transitEncryption": "ENABLED",
            "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
        },
    }
    assert found.needs == Needs(96, 10, frozenset({"ecs.capability.efsAuth"}))
    assert (found.of(web), found.of(proxy)) == ("service.web", "service.web/proxy")


def test_what_is_not_there_yet_is_known_as_such() -> None:
    found = made({}, {})
    web, _ = found.containers
    assert web.image == ""
    assert web.secrets[0] == Secret("PASSWORD", "", "database.main.LoginArn")
    assert found.volumes == {"media": None}


def test_a_volume_of_rexray_is_spelled_as_the_api_does() -> None:
    GIVEN_REXRAY = {**GIVEN, "site_volumes": {"media": {"driver": "rexray"}}}
    entry = rendering.entry(
        read_site(GIVEN_REXRAY), "service.web", Run({"shop/web": "x", "registry.test/proxy:1": "y"}, "")
    )
    found = task("service.web", entry, World({}, PSEUDO, {}), "", {})
    assert found.volumes["media"] == {
        "name": "media",
        "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": True, "driver": "rexray/efs"},
    }


def test_values_are_resolved_as_cloudformation_does() -> None:
    world = World({"database.main.Endpoint": "db.aws"}, PSEUDO, {})
    takes = {"Host": "database.main.Endpoint", "Gone": "database.old.Endpoint"}
    assert resolved("as it stands", takes, world) == "as it stands"
    assert resolved({"Ref": "Host"}, takes, world) == "db.aws"
    assert (
        resolved({"Fn::Sub": "arn:${AWS::Partition}:x:${AWS::Region}:${Host}"}, takes, world)
        == "arn:aws:x:us-east-1:db.aws"
    )
    with pytest.raises(Unknown, match=r"database\.old\.Endpoint"):
        resolved({"Fn::Sub": "${Gone}:key"}, takes, world)
