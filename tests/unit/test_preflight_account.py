"""What preflight says once the account has answered: changes that a live site cannot take, names that are taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader
from ansible.template import Templar, trust_as_template

PROJECT = Path(__file__).resolve().parents[2]

INVENTORY: dict[str, Any] = {
    "site_prefix": "legacy-prod",
    "network_availability_zones": [],
    "network_nat": "none",
    "network_cidr": "10.20.0.0/16",
    "host_instance_type": "t3.micro",
    "host_ami_id": "",
    "host_ami_family": "amazon-linux-2023",
    "host_count": 1,
    "database_class": "db.t3.micro",
    "database_engine_version": "15",
    "database_storage_max_gb": 50,
    "database_name": "site",
    "database_username": "site",
    "media_file_system_id": "",
    "site_remove": [],
}
ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
EMPTY: dict[str, Any] = {
    "availability_zones": {"available": ZONES, "instance_type": ZONES, "database_class": ZONES, "suitable": ZONES},
    "database_versions": ["14.20", "15.4", "15.12"],
    "database": {},
    "ami": {"id": "ami-0123456789abcdef0"},
    "quotas": {
        "vpcs": {"limit": 5, "used": 1},
        "elastic_ips": {"limit": 5, "used": 0},
        "vcpus": {"limit": 5, "used": 3, "each": 2, "groups": {"mine": 2}},
    },
    "file_systems": [],
    "repositories": [],
    "secrets": [],
    "stacks": {},
}


def layer(output: str, **parameters: str) -> dict[str, Any]:
    """A stack that is up."""
    return {"status": "UPDATE_COMPLETE", "parameters": parameters, "outputs": {output: "there"}}


STACKS = {
    "legacy-prod-network": layer(
        "VpcId",
        NetworkNat="none",
        NetworkCidr="10.20.0.0/16",
        AvailabilityZoneA="us-east-1a",
        AvailabilityZoneB="us-east-1b",
    ),
    "legacy-prod-data": layer(
        "FileSystemId",
        DatabaseName="site",
        DatabaseUsername="site",
        DatabaseClass="db.t3.micro",
        DatabaseEngineVersion="15",
    )
    | {"outputs": {"FileSystemId": "fs-0a"}},
    "legacy-prod-cluster": layer("ClusterName", HostInstanceType="t3.micro") | {"outputs": {"HostGroupName": "mine"}},
}
LIVE = EMPTY | {
    "stacks": STACKS,
    "file_systems": [{"id": "fs-0a"}],
    "database": {"id": "db", "allocated_storage": 20},
    "ami_live": {"id": "ami-0a", "name": "al2023-ami-ecs-hvm-2023.0.20260922-kernel-6.1-x86_64"},
    "repositories": ["legacy-prod/django"],
    "secrets": ["legacy-prod/database"],
}


def refused(asked: dict[str, Any], **given: Any) -> dict[str, str]:
    """Variable → what is said about it, when the account answers `asked`."""
    filter_loader.add_directory(str(PROJECT / "plugins/filter"))
    files = sorted((PROJECT / "roles/preflight/vars/main").iterdir())
    role = {name: value for file in files for name, value in yaml.safe_load(file.read_text()).items()}
    templar = Templar(DataLoader(), {**trusted(role), **INVENTORY, **given, "preflight_asked": asked})
    # All sentences are rendered before any rule is judged, as for the task's argument.
    rules = templar.template(trusted(role["preflight_account_rules"]))
    return {rule["variable"]: rule["say"] for rule in rules if not templar.evaluate_conditional(trusted(rule["that"]))}


def trusted(value: Any) -> Any:
    """The value, its strings marked as templates of the project's own files."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("deployed", "given", "back"),
    [("", "fs-0a", "''"), ("fs-0a", "", "fs-0a"), ("fs-0a", "fs-0b", "fs-0a")],
    ids=["set", "dropped", "changed"],
)
def test_the_media_of_a_live_site_are_not_changed_by_accident(deployed: str, given: str, back: str) -> None:
    data = STACKS["legacy-prod-data"]
    data = data | {"parameters": data["parameters"] | {"MediaFileSystemId": deployed}}
    live = LIVE | {"stacks": STACKS | {"legacy-prod-data": data}, "file_systems": [{"id": "fs-0a"}]}
    assert refused(live, media_file_system_id=deployed) == {}
    sentence = refused(live | {"file_systems": [{"id": "fs-0a"}]}, media_file_system_id=given)["media_file_system_id"]
    if given != "fs-0b":  # of which another rule has more to say
        assert f"it uses fs-0a, and would go on with another one. Set it back to {back}." in sentence
        assert "site_remove: [fs-0a]" in sentence
        assert refused(live, media_file_system_id=given, site_remove=["fs-0a"]) == {}
        assert refused(live, media_file_system_id=given, site_remove=["fs-0b"]) != {}


@pytest.mark.parametrize("asked", [EMPTY, LIVE], ids=["empty", "live"])
def test_an_account_in_order_is_not_complained_about(asked: dict[str, Any]) -> None:
    assert refused(asked) == {}


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("network_nat", "gateway", "cannot change while the site is up"),
        ("network_cidr", "10.30.0.0/16", "cannot change while the site is up"),
        ("database_name", "other", "new, empty database would take the place of the present one. Set it back to site."),
        ("database_username", "other", "new, empty database"),
        ("media_file_system_id", "fs-0b", "there is no file system of this id"),
        ("network_availability_zones", ["us-east-1a", "us-east-1z"], "has a zone that does not offer"),
    ],
)
def test_a_live_site_does_not_take(variable: str, value: Any, says: str) -> None:
    found = refused(LIVE, **{variable: value})
    assert set(found) == {variable}
    assert says in found[variable]


def test_what_failed_at_its_first_create_may_be_corrected() -> None:
    failed = {name: stack | {"status": "ROLLBACK_COMPLETE", "outputs": {}} for name, stack in STACKS.items()}
    changes = {"network_nat": "gateway", "network_cidr": "10.30.0.0/16", "database_name": "other"}
    assert refused(EMPTY | {"stacks": failed}, **changes, host_instance_type="t4g.micro") == {}


def test_another_processor_needs_another_image() -> None:
    assert "ami-0123456789abcdef0" in refused(LIVE, host_instance_type="t4g.micro")["host_ami_id"]
    asked = LIVE | {"ami_pinned": {"found": True}}
    assert refused(asked, host_instance_type="t4g.micro", host_ami_id="ami-0123456789abcdef0") == {}


def test_a_type_must_be_offered_where_the_subnets_are() -> None:
    elsewhere = EMPTY["availability_zones"] | {"instance_type": ["us-east-1b", "us-east-1c"]}
    elsewhere |= {"suitable": ["us-east-1b", "us-east-1c"]}
    said = refused(LIVE | {"availability_zones": elsewhere})
    assert "us-east-1a, us-east-1b" in said["host_instance_type"]
    assert refused(EMPTY | {"availability_zones": elsewhere}) == {}


def without_database(asked: dict[str, Any], versions: list[str]) -> dict[str, Any]:
    """The answer of an account in which no zone offers the class with the version."""
    zones = asked["availability_zones"] | {"database_class": [], "suitable": []}
    return asked | {"availability_zones": zones, "database_versions": versions}


def test_a_version_must_be_offered_for_the_class() -> None:
    said = refused(
        without_database(EMPTY, ["14.20", "15.4", "15.12", "15.12-rds.2026"]), database_engine_version="15.1"
    )
    assert set(said) == {"database_engine_version"}
    assert "not offered for db.t3.micro in this region, but 15.4, 15.12. Set" in said["database_engine_version"]
    said = refused(without_database(EMPTY, ["14.20", "15.4"]), database_engine_version="17")
    assert "but 14, 15. Set" in said["database_engine_version"]
    assert set(refused(without_database(EMPTY, []))) == {"database_class"}


def test_what_a_live_database_runs_may_have_left_the_offer() -> None:
    assert refused(without_database(LIVE, ["16.1"])) == {}
    assert set(refused(without_database(LIVE, ["16.1"]), database_engine_version="15.1")) == {"database_engine_version"}


@pytest.mark.parametrize(("most", "live", "right"), [(50, 20, True), (50, 45, True), (50, 46, False)])
def test_storage_that_has_grown_leaves_room_to_grow(most: int, live: int, right: bool) -> None:
    said = refused(LIVE | {"database": {"id": "db", "allocated_storage": live}}, database_storage_max_gb=most)
    assert (said == {}) is right
    assert right or "Set 51 or more" in said["database_storage_max_gb"]


def test_the_image_of_a_live_site_is_pinned_whatever_its_family() -> None:
    said = refused(LIVE, host_ami_family="amazon-linux-2")
    assert set(said) == {"host_ami_family"}
    assert "Set host_ami_id: ami-0123456789abcdef0, the newest amazon-linux-2, or" in said["host_ami_family"]
    pinned = LIVE | {"ami_pinned": {"found": True}}
    assert refused(pinned, host_ami_family="amazon-linux-2", host_ami_id="ami-0123456789abcdef0") == {}
    own = LIVE | {"ami_live": {"id": "ami-0a", "name": "our-own-image"}}
    assert refused(own, host_ami_family="amazon-linux-2") == {}


def short(quota: str, **facts: Any) -> dict[str, Any]:
    """Quotas of which one is changed."""
    return {"quotas": EMPTY["quotas"] | {quota: EMPTY["quotas"][quota] | facts}}


@pytest.mark.parametrize(
    ("quota", "used", "given", "variable", "says"),
    [
        ("vpcs", 5, {}, "aws_region", "5 VPCs there, and its quota is 5. Delete one, ask for more (aws service-quotas"),
        ("elastic_ips", 5, {"network_nat": "gateway"}, "network_nat", "needs an Elastic IP; the account has 5"),
        ("vcpus", 4, {}, "host_count", "1 hosts of t3.micro would bring the account to 6 vCPUs"),
    ],
)
def test_a_quota_that_is_used_up_is_said_before_anything_is_made(
    quota: str, used: int, given: dict[str, Any], variable: str, says: str
) -> None:
    said = refused(EMPTY | short(quota, used=used), **given)
    assert set(said) == {variable}
    assert says in said[variable]
    assert refused(EMPTY | short(quota, used=used - 1), **given) == {}
    assert refused(EMPTY | {"quotas": {}}, **given) == {}, "what could not be asked is no obstacle"


def test_what_a_live_site_has_is_not_counted_twice() -> None:
    assert refused(LIVE | short("vpcs", used=5)) == {}
    assert refused(LIVE, host_count=2) == {}
    assert "3 hosts of t3.micro would bring the account to 7 vCPUs" in refused(LIVE, host_count=3)["host_count"]


def test_names_that_are_taken_are_refused() -> None:
    kept = EMPTY | {"file_systems": [{"id": "fs-0a"}]}
    assert "fs-0a" in refused(kept)["media_file_system_id"]
    assert refused(kept, media_file_system_id="fs-0a") == {}
    assert "no stack owns" in refused(EMPTY | {"secrets": ["legacy-prod/database"]})["site_name"]
    second = LIVE | {"file_systems": [{"id": "fs-0a"}, {"id": "fs-0b"}]}
    assert "second file system" in refused(second)["media_file_system_id"]
