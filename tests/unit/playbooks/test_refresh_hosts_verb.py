"""The verb refresh_hosts, typed on the embedded AWS; what would be hosts registers with ECS, and starts nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.config import REGION
from local_aws.ecs.control_plane import Regional, of
from local_aws.patches.route53 import ZONE_ID
from local_aws.tests.access_support import Guarded
from tests.unit.playbooks.test_given_vpc import PROJECT, Site, changed
from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

CLUSTER = "shop-live"
WEB = {"image": "registry.test/web:1", "mem_limit": "64m", "ports": ["80"]}
SITE: dict[str, Any] = {
    "domain_name": "shop.berth.localhost",
    "hosted_zone_id": ZONE_ID,
    "preflight_delegation": False,
    "site_hosts": {"min": 2},
    "site_services": {"web": {"containers": {"web": WEB}, "routes": [{"to": "web"}], "expose": "web"}},
}
TASKS = tasks_of("playbooks/refresh_hosts.yml")
LAYER_TASKS = tasks_of("playbooks/tasks/refresh_layer.yml")


class Agent:
    """The way to an agent, which is sent nothing here."""

    def send(self, kind: str, message: Any) -> None:
        """No task comes to this host."""

    def close(self) -> None:
        """Nothing is open."""


class Agents:
    """Registers what the group launches, as its agents would, and lets ECS see what has gone.

    Args:
        cloud: whose hosts they are.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._over = threading.Event()
        self._known: set[str] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._over.wait(0.2):
            ecs = of(self._cloud).regional(REGION)
            members = {each["InstanceId"] for group in groups(self._cloud) for each in group["Instances"]}
            for name in sorted(members - self._known):
                self._join(ecs, name)
            self._known |= members
            ecs.scheduler.round()

    def _join(self, ecs: Regional, name: str) -> None:
        resources = [{"name": kind, "type": "INTEGER", "integerValue": 900} for kind in ("CPU", "MEMORY")]
        registration = {
            "cluster": CLUSTER,
            "instanceIdentityDocument": json.dumps({"instanceId": name, "region": REGION}),
            "totalResources": resources,
        }
        made = ecs.api.call("RegisterContainerInstance", registration)
        assert ecs.dispatcher.connected(made["containerInstance"]["containerInstanceArn"], Agent())


def groups(cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return found


def hosts(cloud: Cloud) -> list[tuple[str, str]]:
    """Type and image of the hosts."""
    (group,) = groups(cloud)
    ids = [each["InstanceId"] for each in group["Instances"]]
    described = cloud.client("ec2").describe_instances(InstanceIds=ids)["Reservations"]
    return [(each["InstanceType"], each["ImageId"]) for found in described for each in found["Instances"]]


@pytest.fixture
def site(tmp_path: Path, aws: Cloud, guard: Callable[..., Guarded]) -> Iterator[Site]:
    """A site whose hosts have joined, before its services."""
    guard()
    made = Site(tmp_path, aws)
    (made.folder / "refresh_hosts.yml").symlink_to(PROJECT / "refresh_hosts.yml")
    (made.inventory / "group_vars/site/main.yml").write_text(yaml.safe_dump(SITE))
    agents = Agents(aws)
    made.does("ground.yml")
    yield made
    agents.end()


@pytest.mark.playbook
@pytest.mark.long
def test_new_hosts_come_old_ones_go_and_a_second_run_changes_nothing(site: Site, aws: Cloud) -> None:
    (before,) = groups(aws)
    old = {each["InstanceId"] for each in before["Instances"]}
    assert len(old) == 2
    assert "all hosts are made from what new ones are made from" in site.does("refresh_hosts.yml")

    planned = site.does("refresh_hosts.yml", "--check", "-e", "host_instance_type=t3.small")
    assert "would let the group have 3 hosts" in planned
    assert planned.count("would drain i-") == 2
    assert {each["InstanceId"] for each in groups(aws)[0]["Instances"]} == old

    refused = site.run(
        "refresh_hosts.yml", "-e", "host_instance_type=t3.small", "-e", '{"site_hosts": {"min": 2, "max": 2}}'
    )
    assert refused.returncode != 0
    assert "No new host can stand beside the old ones: there may be 2. No host was touched." in refused.stdout
    assert {each["InstanceId"] for each in groups(aws)[0]["Instances"]} == old

    said = site.does("refresh_hosts.yml", "-e", "host_instance_type=t3.small")
    (after,) = groups(aws)
    assert not old & {each["InstanceId"] for each in after["Instances"]}
    assert [kind for kind, _ in hosts(aws)] == ["t3.small"] * 2
    assert (after["DesiredCapacity"], after["MaxSize"]) == (2, 3)
    assert said.count("  terminate i-") == 2
    assert changed(site.does("refresh_hosts.yml", "-e", "host_instance_type=t3.small")) == "0"


@pytest.mark.playbook
@pytest.mark.long
def test_kept_hosts_come_back_with_their_image(site: Site, aws: Cloud) -> None:
    images = aws.client("ec2").describe_images(Owners=["amazon"])["Images"]
    image = hosts(aws)[0][1]
    other = next(each["ImageId"] for each in images if each["ImageId"] != image and each["Architecture"] == "x86_64")
    more = ["-e", '{"site_hosts": {"min": 2, "max": 4}}']
    kept = site.does("refresh_hosts.yml", *more, "-e", f"host_ami_id={other}", "-e", "keep_old=true")
    assert "kept beside them, without tasks: i-" in kept
    assert sorted(hosts(aws)) == sorted([("t3.micro", image)] * 2 + [("t3.micro", other)] * 2)

    said = site.does("refresh_hosts.yml", *more, "-e", "back=true")
    assert "the hosts are those of before: i-" in said
    assert hosts(aws) == [("t3.micro", image)] * 2
    stack = aws.client("cloudformation").describe_stacks(StackName="shop-live-cluster")["Stacks"][0]
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    assert (given["HostAmiId"], given["HostCountDesired"]) == (image, "2")


# What is typed


def known(**typed: Any) -> dict[str, Any]:
    more = load("playbooks/vars/refresh.yml")
    return variables(**{"site_prefix": "shop-live", "site_hosts": {"min": 2}} | more | typed)


def test_keeping_and_going_back_exclude_each_other() -> None:
    check = TASKS["Refuse to keep the old hosts and to go back to them at once"]["ansible.builtin.assert"]
    for typed in ({}, {"keep_old": "true"}, {"back": "true"}, {"keep_old": "true", "back": "false"}):
        assert holds(check["that"], known(**typed))
    assert not holds(check["that"], known(keep_old="true", back="true"))
    assert "refresh_hosts.yml" in evaluate(check["fail_msg"], known())


def test_hosts_that_scale_are_not_kept() -> None:
    check = TASKS["Refuse to keep old hosts that would go by themselves"]["ansible.builtin.assert"]
    scaling = {"site_hosts": {"min": 2, "max": 4, "scale": True}}
    for typed in ({}, scaling, {"keep_old": "true"}, scaling | {"keep_old": "false", "back": "true"}):
        assert holds(check["that"], known(**typed))
    assert not holds(check["that"], known(keep_old="true", **scaling))
    assert "refresh_hosts.yml" in evaluate(check["fail_msg"], known())


@pytest.mark.parametrize(
    ("typed", "goal"),
    [({}, "refresh"), ({"keep_old": "true"}, "keep"), ({"back": "true"}, "back"), ({"back": "false"}, "refresh")],
)
def test_what_is_typed_is_the_goal(typed: dict[str, str], goal: str) -> None:
    assert evaluate("{{ refresh_goal }}", known(**typed)) == goal


def test_a_refresh_that_was_begun_is_ended_with_its_image_and_takes_no_host_away() -> None:
    begun = known(refresh_found={"under_way": True, "desired": 3})
    assert evaluate("{{ cluster_ami_newest }}", begun) is False
    layer = load("roles/cluster/vars/main.yml")["cluster_layer"]
    given = begun | {"cluster_host_count": 2, "cluster_scales": False, "host_ami_id": ""}
    assert evaluate(layer["parameters"]["HostCountDesired"], given) in (3, "3")
    assert evaluate(layer["keep"], given) == ["HostAmiId"]
    first = known(refresh_found={"under_way": False, "desired": 2})
    first |= {"cluster_host_count": 2, "cluster_scales": False, "host_ami_id": ""}
    assert evaluate(layer["keep"], first) == []
    assert evaluate(layer["parameters"]["HostCountDesired"], first) in (2, "2")


def test_only_another_launch_source_makes_all_hosts_old() -> None:
    def compared(*types: str) -> dict[str, Any]:
        return known(refresh_compared={"changes": [{"resources": [{"type": each} for each in types]}]})

    assert evaluate("{{ refresh_launch_changes }}", compared("AWS::EC2::LaunchTemplate")) is True
    assert evaluate("{{ refresh_launch_changes }}", compared("AWS::ElasticLoadBalancingV2::LoadBalancer")) is False
    assert evaluate("{{ refresh_launch_changes }}", known(refresh_compared={"skipped": True})) is False


def test_going_back_pins_the_image_of_the_hosts_that_are_left() -> None:
    pinned = LAYER_TASKS["Make later hosts from the image that is gone back to"]
    assert pinned["vars"]["host_ami_id"] == "{{ refresh_done.image }}"
    assert holds(pinned["when"], known(back="true", refresh_done={"image": "ami-1"}))
    assert not holds(pinned["when"], known(back="true", refresh_done={"image": ""}))
    assert not holds(pinned["when"], known(refresh_done={"image": "ami-1"}))
