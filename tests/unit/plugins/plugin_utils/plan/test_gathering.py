"""What a plan says beside the stacks."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from plugins.plugin_utils.plan import gathering
from plugins.plugin_utils.plan.containers import UNPUBLISHED
from plugins.plugin_utils.plan.model import CHANGE, CREATE, NOTHING, UNKNOWN, Resource, StackChange
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.status.hosts import OLD_DAYS
from tests.unit.variables_support import PROJECT

REVISION = Resource("TaskDefinition", "AWS::ECS::TaskDefinition", "Modify", "True")
LOG = Resource("LogGroup", "AWS::Logs::LogGroup", "Modify")
TODAY = datetime.date(2026, 11, 27)


def test_images_are_told_with_what_is_live_and_what_is_here() -> None:
    wanted, live = ["shop/web:2", "shop/api"], {"shop/web:2": "registry/web:1", "shop/api": UNPUBLISHED}
    assert list(gathering.images(wanted, live, {"shop/web:2": "sha256:0123456789abcdef"})) == [
        "shop/web:2 would be published (this machine's sha256:0123456789ab); live is registry/web:1",
        "shop/api would be published (this machine has none that could be looked at); none is live",
    ]
    assert list(gathering.images([], live, {})) == []


@pytest.mark.parametrize(
    ("action", "resources", "publishing", "told"),
    [
        (NOTHING, [], False, []),
        (CREATE, [], False, ["migrate"]),
        (CHANGE, [LOG], False, []),
        (CHANGE, [LOG, REVISION], False, ["migrate"]),
        (UNKNOWN, [], False, ["migrate, if its task definition changes"]),
        (UNKNOWN, [], True, ["migrate"]),
    ],
)
def test_a_job_runs_once_for_each_revision(
    action: str, resources: list[Resource], publishing: bool, told: list[str]
) -> None:
    changes = {"job.migrate": StackChange("job.migrate", "x", action, resources=resources)}
    assert list(gathering.jobs(["migrate", "unheard"], [], changes, publishing)) == told
    closed = [f"{each}; visitors see the maintenance page meanwhile" for each in told]
    assert list(gathering.jobs(["migrate", "unheard"], ["migrate"], changes, publishing)) == closed


def group(*versions: str, state: str = "InService", **source: Any) -> dict[str, Any]:
    def started(version: str) -> dict[str, Any]:
        return {"LaunchTemplate": {"LaunchTemplateId": "lt", "Version": version}}

    instances = [
        {"InstanceId": f"i-{number}", "LifecycleState": state, **started(each)} for number, each in enumerate(versions)
    ]
    return {"Instances": instances, **(source or started("2"))}


def test_hosts_of_an_older_launch_source_are_behind() -> None:
    launch = Resource("HostLaunchTemplate", "AWS::EC2::LaunchTemplate", "Modify")
    assert list(gathering.behind(None, [])) == []
    assert list(gathering.behind(group("2", "2"), [])) == []
    assert list(gathering.behind(group("1", state="Terminating"), [])) == []
    (said,) = gathering.behind(group("2", "1"), [])
    assert said.startswith("1 host is behind")
    assert "(i-1)" in said
    (said,) = gathering.behind(group("2"), [StackChange("cluster", "x", CHANGE, resources=[launch])])
    assert said.startswith("The launch source would change, and 1 host is then behind")
    # From one kind of source to the other: all are.
    (said,) = gathering.behind(group("2", "2", LaunchConfigurationName="lc"), [])
    assert said.startswith("2 hosts are behind")


def test_a_service_that_runs_something_else_than_its_stack_says() -> None:
    runs = {"web": {"task_definition": "arn:x/web:2"}, "api": {"task_definition": "arn:x/api:1"}}
    assert list(gathering.drifted(runs, {"web": "arn:x/web:2"})) == []
    (said,) = gathering.drifted(runs, {"web": "arn:x/web:3", "api": "arn:x/api:1"})
    assert said.startswith("service.web runs web:2, and its stack says web:3")


@pytest.mark.parametrize(
    ("live", "newest", "told"),
    [
        ({}, {"id": "ami-2"}, []),
        (
            {"id": "ami-1", "name": "al2023", "creation_date": "2026-11-20T00:00:00Z"},
            {"id": "ami-1"},
            ["The hosts' AMI ami-1 (al2023) is 7 days old."],
        ),
        (
            {"id": "ami-1", "creation_date": "2026-11-26"},
            {"id": "ami-2", "creation_date": "2026-11-27T01:00:00Z"},
            ["The hosts' AMI ami-1 is 1 day old; the newest is ami-2 of 2026-11-27."],
        ),
        ({"id": "ami-1", "found": False}, {}, ["The hosts' AMI ami-1 does not exist any more."]),
        (
            {"id": "ami-1"},
            {"id": "ami-2"},
            ["The hosts' AMI ami-1 is of unknown age; the newest is ami-2 of an unknown day."],
        ),
    ],
)
def test_the_age_of_the_ami(live: dict[str, Any], newest: dict[str, Any], told: list[str]) -> None:
    assert list(gathering.ami_age(live, newest, TODAY)) == told


def test_what_the_hosts_run_is_said_in_one_sentence() -> None:
    old = {"versionInfo": {"agentVersion": "1.90.0", "dockerVersion": "DockerVersion: 25.0.3"}}
    new = {"versionInfo": {"agentVersion": "1.104.0", "dockerVersion": "DockerVersion: 25.0.8"}}
    assert list(gathering.engines([])) == []
    assert list(gathering.engines([new, new])) == ["The hosts run ECS agent 1.104.0 and Docker 25.0.8."]
    assert list(gathering.engines([{}])) == [
        "The hosts run ECS agent of unknown version and Docker of unknown version."
    ]
    (said,) = gathering.engines([new, old, new])
    assert said == (
        "The hosts differ: 2 hosts with ECS agent 1.104.0 and Docker 25.0.8, "
        "1 host with ECS agent 1.90.0 and Docker 25.0.3."
    )


def test_an_image_is_old_from_the_same_day_on_in_plan_status_and_preflight() -> None:
    live = {"id": "ami-1", "creation_date": f"{TODAY - datetime.timedelta(days=OLD_DAYS):%Y-%m-%d}"}
    (said,) = gathering.ami_age(live, {}, TODAY)
    assert "refresh_hosts.yml" not in said
    (said,) = gathering.ami_age(live, {}, TODAY + datetime.timedelta(days=1))
    assert "Hosts get no security fixes but by a newer one: ansible-playbook refresh_hosts.yml" in said
    assert f"preflight_image_days | int > {OLD_DAYS} " in (PROJECT / "roles/cluster/account.yml").read_text()


def test_a_name_that_would_be_taken_over_is_a_change_and_one_that_stays_is_none() -> None:
    fates = {"a.test": "taken over", "b.test": "left", "c.test": "by hand", "d.test": "layer", "e.test": "owned"}
    changing, staying = gathering.domain(fates, {"a.test": ["A 192.0.2.1"], "b.test": []})
    assert changing == ["a.test would point at this site, in place of: A 192.0.2.1"]
    assert [each.split()[0] for each in staying] == ["b.test", "c.test"]
    assert "dns_switch.yml takes it over" in staying[0]


def test_what_is_not_ours_is_named() -> None:
    container = {"image": "registry.test/web:1", "mem_limit": "64m", "volumes": ["media:/srv", "own:/own"]}
    given = {
        "site_services": {
            "web": {"containers": {"web": container}, "patch": {"TaskDefinition.PidMode": "host"}},
        },
        "site_volumes": {"media": {"file_system_id": "fs-0123456789abcdef0"}, "own": {}},
        "site_tables": {"items": {"name": "acme-items"}, "own": {"partition_key": "id"}},
    }
    site = read_site(given)
    assert not [each for each in site.problems if each.path[0] in given], site.problems
    assert set(gathering.foreign(site, {"network_vpc_id": "vpc-1", "host_ami_id": ""})) == {
        "network_vpc_id: vpc-1 exists, and is only used",
        "volume.media: fs-0123456789abcdef0 exists, and is only used",
        "table.items: acme-items exists, and is only used",
        "service.web: its patch writes TaskDefinition.PidMode, which nobody checks",
    }
