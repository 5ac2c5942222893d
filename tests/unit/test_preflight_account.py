"""What preflight says once the account has answered: changes that a live site cannot take, names that are taken."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, test_loader
from ansible.template import Templar, trust_as_template

pytestmark = pytest.mark.playbook  # Ansible's templar judges all rules for each answer: as slow as a run

PROJECT = Path(__file__).resolve().parents[2]

INVENTORY: dict[str, Any] = {
    "site_prefix": "legacy-prod",
    "aws_region": "us-east-1",
    "domain_name": "www.shop.test",
    "hosted_zone_id": "Z0SHOP",
    "dns_switch": False,
    "host_key_name": "",
    "host_launch_source": "launch_configuration",
    "host_imds_tokens": "optional",
    "media_volume_driver": "rexray",
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
    "database_majors": [
        {"version": "13", "start": "2021-02-24", "end": "2026-02-28", "supported": False},
        {"version": "15", "start": "2023-02-27", "end": "2028-02-29", "supported": True},
        {"version": "16", "start": "2024-01-31", "end": "2029-02-28", "supported": True},
    ],
    "key_pairs": ["deploy", "my key"],
    "launch_configurations": {"some": False, "account_created": "2018-03-14"},
    "instance_metadata": {"tokens_enforced": False, "managed_by": "account"},
    "volume_key": {"id": "alias/aws/ebs", "grantee": "arn:aws:iam::1:role/x", "usable": True},
    "hosted_zone": {"found": True, "name": "shop.test", "private": False, "name_servers": ["ns-1.awsdns-1.org"]},
    "records": {"own": [], "wildcard": [], "elsewhere": []},
    "delegation": ["NS-1.awsdns-1.org", "ns-2.awsdns-2.com"],
    "unasked": {},
    "ami": {"id": "ami-0123456789abcdef0"},
    "quotas": {
        "vpcs": {"limit": 5, "used": 1},
        "elastic_ips": {"limit": 5, "used": 0},
        "vcpus": {"limit": 5, "used": 3, "each": 2, "groups": {"mine": 2}},
        "databases": {"limit": 40, "used": 39},
        "file_systems": {"limit": 1000, "used": 999},
        "load_balancers": {"limit": 50, "used": 49},
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
    "database": {"id": "db", "allocated_storage": 20, "engine_version": "15.12", "class": "db.t3.micro"},
    "ami_live": {"id": "ami-0a", "name": "al2023-ami-ecs-hvm-2023.0.20260922-kernel-6.1-x86_64"},
    "repositories": ["legacy-prod/django"],
    "secrets": ["legacy-prod/database"],
}


FILES = sorted((PROJECT / "roles/preflight/vars/main").iterdir())
ROLE = {name: value for file in FILES for name, value in yaml.safe_load(file.read_text()).items()}
(JUDGED,) = [
    [rule for name in task["check_variables"]["rules_in"] for rule in ROLE[name]]
    for task in yaml.safe_load((PROJECT / "roles/preflight/tasks/account.yml").read_text())
    if "check_variables" in task
]


def evaluation(asked: dict[str, Any], given: dict[str, Any]) -> Templar:
    """The variables of a run in which the account answers `asked`."""
    filter_loader.add_directory(str(PROJECT / "plugins/filter"))
    test_loader.add_directory(str(PROJECT / "plugins/test"))
    return Templar(DataLoader(), {**trusted(ROLE), **INVENTORY, **given, "preflight_asked": asked})


def refused(asked: dict[str, Any], **given: Any) -> dict[str, str]:
    """Variable → what is said about it, when the account answers `asked`."""
    return {rule["variable"]: rule["say"] for rule in broken(asked, given).values()}


def broken(asked: dict[str, Any], given: dict[str, Any]) -> dict[int, dict[str, str]]:
    """The rules that refuse, by their place in the list."""
    templar = evaluation(asked, given)
    # All sentences are rendered before any rule is judged, as for the task's argument.
    rules = enumerate(templar.template(trusted(JUDGED)))
    return {place: rule for place, rule in rules if not templar.evaluate_conditional(trusted(rule["that"]))}


def said(asked: dict[str, Any], **given: Any) -> str:
    """What preflight says without stopping."""
    templar = evaluation(asked, given)
    lines = templar.template(trusted("{{ preflight_unasked_lines + preflight_warning_lines }}"))
    assert all(line and "  " not in line for line in lines)
    return "\n".join(lines)


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
    if given == "fs-0a":
        assert "is the file system that the layer data has made for this site" in sentence
        assert f"Set it back to {back}." in sentence
        assert "another one" not in sentence
    elif given == "":  # of another id another rule has more to say
        assert f"it uses fs-0a, and would go on with another one. Set it back to {back}." in sentence
        assert "site_remove: [fs-0a]" in sentence
    if given != "fs-0b":
        named = live | {"file_systems": []} if given == "" else live
        assert refused(named, media_file_system_id=given, site_remove=["fs-0a"]) == {}
        assert refused(live, media_file_system_id=given, site_remove=["fs-0b"]) != {}


def adopted() -> dict[str, Any]:
    """A live site that was given its file system, fs-0a."""
    data = STACKS["legacy-prod-data"]
    data = data | {"parameters": data["parameters"] | {"MediaFileSystemId": "fs-0a"}}
    return LIVE | {"stacks": STACKS | {"legacy-prod-data": data}, "file_systems": [{"id": "fs-0a"}]}


LEAVES = {"media_file_system_id": "", "site_remove": ["fs-0a"]}


def test_a_new_file_system_waits_until_the_former_gave_up_its_name() -> None:
    sentence = refused(adopted(), **LEAVES)["media_file_system_id"]
    assert "aws efs tag-resource --resource-id fs-0a --tags Key=Name" in sentence
    assert refused(adopted() | {"file_systems": []}, **LEAVES) == {}
    own = LIVE | {"file_systems": [{"id": "fs-0a"}]}
    assert refused(own, **LEAVES) == {}, "the layer's own, which stays"


def test_a_site_can_go_on_with_another_file_system_once_that_alone_bears_the_name() -> None:
    a, b = {"id": "fs-0a"}, {"id": "fs-0b"}
    moved = {"media_file_system_id": "fs-0b", "site_remove": ["fs-0a"]}
    assert "second file system" in refused(LIVE | {"file_systems": [a, b]}, **moved)["media_file_system_id"]
    assert refused(LIVE | {"file_systems": [b]}, **moved) == {}
    assert refused(LIVE | {"file_systems": [b]}, media_file_system_id="fs-0b") != {}


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


# Hosts


def test_a_key_pair_must_be_there() -> None:
    assert refused(EMPTY, host_key_name="my key") == {}
    said = refused(EMPTY, host_key_name="other")["host_key_name"]
    assert "us-east-1 has no key pair of this name, but deploy, my key. Set one that is there, or" in said
    assert "aws ec2 import-key-pair --region us-east-1 --key-name other --public" in said
    assert "but none at all." in refused(EMPTY | {"key_pairs": []}, host_key_name="other")["host_key_name"]


@pytest.mark.parametrize("created", ["2024-10-01", "2026-03-14"])
def test_a_new_account_makes_no_launch_configuration(created: str) -> None:
    new = {"launch_configurations": {"some": False, "account_created": created}}
    said = refused(EMPTY | new)
    assert set(said) == {"host_launch_source"}
    assert f"made on {created}" in said["host_launch_source"]
    assert "Set host_launch_source: launch_template" in said["host_launch_source"]
    assert refused(EMPTY | new, host_launch_source="launch_template") == {}
    assert refused(LIVE | new) == {}, "what is there has been made"
    old = {"launch_configurations": {"some": False, "account_created": "2024-09-30"}}
    assert (
        refused(EMPTY | old) == refused(EMPTY | {"launch_configurations": {"some": True, "account_created": ""}}) == {}
    )


def test_an_account_that_forbids_the_old_metadata_service() -> None:
    enforced = EMPTY | {"instance_metadata": {"tokens_enforced": True, "managed_by": "account"}}
    said = refused(enforced)
    assert set(said) == {"host_imds_tokens"}
    assert "this account lets no instance start" in said["host_imds_tokens"]
    assert "Set host_imds_tokens: required and media_volume_driver: efs" in said["host_imds_tokens"]
    assert refused(enforced, host_imds_tokens="required", media_volume_driver="efs") == {}
    policy = EMPTY | {"instance_metadata": {"tokens_enforced": True, "managed_by": "declarative-policy"}}
    assert "a policy of the organization lets" in refused(policy, media_volume_driver="efs")["host_imds_tokens"]


def test_a_key_for_volumes_that_auto_scaling_may_not_use() -> None:
    key = {"id": "arn:aws:kms:us-east-1:1:key/k", "grantee": "arn:aws:iam::1:role/x", "usable": False}
    said = refused(EMPTY | {"volume_key": key})
    assert set(said) == {"host_volume_gb"}
    assert "aws kms create-grant --region us-east-1 --key-id arn:aws:kms:us-east-1:1:key/k" in said["host_volume_gb"]
    assert "--grantee-principal arn:aws:iam::1:role/x --operations Encrypt" in said["host_volume_gb"]
    assert refused(EMPTY | {"volume_key": key | {"usable": True}}) == {}


def test_an_old_image_is_said_with_what_to_type() -> None:
    old = LIVE | {"ami_live": LIVE["ami_live"] | {"creation_date": "2026-01-01T00:00:00.000Z"}}
    assert refused(old) == {}
    assert "days old" in said(old)
    assert "set host_ami_id: ami-0123456789abcdef0" in said(old)
    assert "terminate-instance-in-auto-scaling-group" in said(old)
    new = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=60)
    recent = LIVE | {"ami_live": LIVE["ami_live"] | {"creation_date": f"{new:%Y-%m-%dT%H:%M:%S}.000Z"}}
    assert said(recent) == said(LIVE) == ""
    pinned = LIVE | {"ami_pinned": {"found": True, "name": "ours", "creation_date": "2026-01-01T00:00:00.000Z"}}
    assert "The image of the hosts, ours, is" in said(pinned, host_ami_id="ami-0123456789abcdef0")


# Database


def test_a_new_database_has_a_version_in_standard_support() -> None:
    said = refused(EMPTY, database_engine_version="13")
    assert set(said) == {"database_engine_version"}
    assert "PostgreSQL 13 is in standard support of RDS from 2021-02-24 to 2026-02-28 only" in str(said)
    assert "Set one of 15 (until 2028-02-29), 16 (until 2029-02-28)." in said["database_engine_version"]
    assert refused(EMPTY, database_engine_version="16") == {}
    assert refused(EMPTY, database_engine_version="16.4") == {}


def test_a_version_that_left_standard_support_stops_no_live_site() -> None:
    old = LIVE | {"database": LIVE["database"] | {"engine_version": "13.20"}}
    old |= {"stacks": STACKS | {"legacy-prod-data": data(DatabaseEngineVersion="13")}}
    assert refused(old, database_engine_version="13") == {}
    assert "PostgreSQL 13, which the database runs, left standard support of RDS on 2026-02-28" in said(
        old, database_engine_version="13"
    )


@pytest.mark.parametrize("version", ["16", "16.4", "14"])
def test_the_major_version_of_a_live_database_cannot_change(version: str) -> None:
    said = refused(LIVE, database_engine_version=version)["database_engine_version"]
    assert "the database runs PostgreSQL 15.12, and there is no verb yet that changes its major version" in said
    assert 'Set database_engine_version: "15".' in said


def test_a_live_database_takes_no_older_version() -> None:
    assert "RDS takes no older version" in refused(LIVE, database_engine_version="15.4")["database_engine_version"]
    assert refused(LIVE, database_engine_version="15.13") == {}
    drifted = LIVE | {"stacks": STACKS | {"legacy-prod-data": data(DatabaseEngineVersion="15.4")}}
    assert refused(drifted, database_engine_version="15.4") == {}, "it was raised by RDS; nothing changes"


def data(**parameters: str) -> dict[str, Any]:
    """The layer data with other parameters."""
    stack = STACKS["legacy-prod-data"]
    return stack | {"parameters": stack["parameters"] | parameters}


def test_what_restarts_the_database_is_said_before() -> None:
    assert said(LIVE) == ""
    assert "restarts at once, for some minutes: database_class changes from db.t3.micro to db.t3.small" in said(
        LIVE, database_class="db.t3.small"
    )
    assert "database_engine_version changes from 15 to 15.13" in said(LIVE, database_engine_version="15.13")
    assert "restarts" not in said(EMPTY, database_class="db.t3.small")


# Domain


def zone(**facts: Any) -> dict[str, Any]:
    """An account whose hosted zone is another."""
    return EMPTY | {"hosted_zone": EMPTY["hosted_zone"] | facts}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (zone(found=False, name="", name_servers=[]), "has no hosted zone of that id. Look for it: aws route53 list"),
        (zone(private=True), "is the private zone shop.test"),
        (zone(name="hop.test"), "is the zone hop.test, in which www.shop.test does not lie"),
        (zone(name="a.shop.test"), "is the zone a.shop.test"),
        (EMPTY | {"delegation": ["ns1.old.example"]}, "the DNS names ns1.old.example for it"),
        (EMPTY | {"delegation": []}, "the DNS names no name servers at all for it"),
    ],
)
def test_a_hosted_zone_that_cannot_be_the_domains(asked: dict[str, Any], says: str) -> None:
    said = refused(asked)
    assert set(said) == {"hosted_zone_id"}
    assert says in said["hosted_zone_id"]


def test_without_a_hosted_zone_nothing_is_said_about_it() -> None:
    elsewhere = {name: value for name, value in EMPTY.items() if name not in ("hosted_zone", "records", "delegation")}
    assert refused(elsewhere, hosted_zone_id="") == {}
    assert "in use" not in said(elsewhere, hosted_zone_id="")


@pytest.mark.parametrize("domain", ["shop.test", "www.shop.test", "a.b.shop.test"])
def test_a_zone_is_for_its_own_name_and_all_below(domain: str) -> None:
    assert refused(EMPTY, domain_name=domain) == {}


def test_a_name_in_use_stops_nothing_and_is_said() -> None:
    used = EMPTY | {"records": {"own": [{}], "wildcard": [], "elsewhere": ["www.shop.test A 192.0.2.7"]}}
    assert refused(used) == {}
    assert "www.shop.test is in use: www.shop.test A 192.0.2.7. This run leaves it; -e dns_switch=true" in said(used)
    assert "This run takes it over" in said(used, dns_switch=True)


# Quotas, and what was not asked


@pytest.mark.parametrize(
    ("quota", "says"),
    [
        ("databases", "40 databases of RDS there, and its quota is 40"),
        ("file_systems", "1000 EFS file systems there"),
        ("load_balancers", "50 Application Load Balancers there"),
    ],
)
def test_a_first_site_needs_room(quota: str, says: str) -> None:
    full = short(quota, used=EMPTY["quotas"][quota]["limit"])
    assert says in refused(EMPTY | full)["aws_region"]
    assert refused(LIVE | full) == {}


def test_a_file_system_that_is_there_needs_no_room() -> None:
    full = short("file_systems", used=1000) | {"file_systems": [{"id": "fs-0a"}]}
    assert refused(EMPTY | full, media_file_system_id="fs-0a") == {}


OPTIONAL = {
    "key_pairs", "instance_metadata", "launch_configurations", "volume_key", "database_majors", "hosted_zone",
    "records", "delegation",
}  # fmt: skip


def test_what_could_not_be_asked_is_said_with_what_follows() -> None:
    why = dict.fromkeys([*OPTIONAL, "quotas", "database_log_days"], "NoSuchThing: not for you.")
    bare = {name: value for name, value in EMPTY.items() if name not in OPTIONAL} | {"quotas": {}, "unasked": why}
    assert refused(bare, host_key_name="whatever", database_engine_version="15") == {}
    text = said(bare, host_imds_tokens="required")
    assert set(why) == set(ROLE["preflight_unasked_means"])
    for name, means in ROLE["preflight_unasked_means"].items():
        assert f"Could not ask for {name}: NoSuchThing: not for you. {' '.join(means.split())}" in text


def test_records_that_could_not_be_asked_name_the_right_that_the_switch_needs() -> None:
    text = said(EMPTY | {"unasked": {"records": "ListResourceRecordSets: not authorized"}})
    assert "The right route53:ListResourceRecordSets is needed for -e dns_switch=true" in text
    assert "dns_switch" not in said(EMPTY | {"unasked": {"quotas": "not authorized"}})


def test_what_nobody_can_ask_is_said_before_the_first_hosts() -> None:
    assert "SCP" in said(EMPTY)
    assert "SCP" not in said(EMPTY, host_imds_tokens="required")
    assert "SCP" not in said(LIVE)
    few = EMPTY["availability_zones"] | {"available": [*ZONES, "us-east-1e"]}
    assert "UnsupportedAvailabilityZone" in said(EMPTY | {"availability_zones": few})
    assert "UnsupportedAvailabilityZone" not in said(EMPTY)


# Each rule

ELSEWHERE = EMPTY["availability_zones"] | {"instance_type": ["us-east-1b"], "suitable": ["us-east-1b"]}
REFUSALS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (without_database(EMPTY, []), {}),
    (without_database(EMPTY, ["14.20"]), {}),
    (EMPTY | {"availability_zones": ELSEWHERE}, {}),
    (LIVE | {"availability_zones": ELSEWHERE}, {}),
    (LIVE, {"network_availability_zones": ["us-east-1a", "us-east-1z"]}),
    (LIVE, {"network_nat": "gateway", "network_cidr": "10.30.0.0/16"}),
    (LIVE, {"database_name": "other", "database_username": "other"}),
    (EMPTY | {"file_systems": [{"id": "fs-0a"}]}, {}),
    (LIVE | {"file_systems": [{"id": "fs-0a"}, {"id": "fs-0b"}]}, {}),
    (LIVE, {"media_file_system_id": "fs-0b"}),
    (LIVE, {"media_file_system_id": "fs-0a"}),
    (adopted(), LEAVES),
    (EMPTY | {"secrets": ["legacy-prod/database"]}, {}),
    (EMPTY | {"ami_pinned": {"found": False}}, {"host_ami_id": "ami-0123456789abcdef0"}),
    (LIVE, {"host_instance_type": "t4g.micro"}),
    (LIVE, {"host_ami_family": "amazon-linux-2"}),
    (LIVE, {"database_storage_max_gb": 21}),
    (EMPTY | short("vpcs", used=5), {}),
    (EMPTY | short("elastic_ips", used=5), {"network_nat": "gateway"}),
    (EMPTY | short("vcpus", used=5), {}),
    (EMPTY | short("databases", used=40), {}),
    (EMPTY | short("file_systems", used=1000), {}),
    (EMPTY | short("load_balancers", used=50), {}),
    (EMPTY, {"host_key_name": "other"}),
    (EMPTY | {"launch_configurations": {"some": False, "account_created": "2026-03-14"}}, {}),
    (EMPTY | {"instance_metadata": {"tokens_enforced": True, "managed_by": "account"}}, {}),
    (EMPTY | {"volume_key": {"id": "k", "grantee": "r", "usable": False}}, {}),
    (EMPTY, {"database_engine_version": "13"}),
    (LIVE, {"database_engine_version": "16"}),
    (LIVE, {"database_engine_version": "15.4"}),
    (zone(found=False), {}),
    (zone(private=True), {}),
    (zone(name="hop.test"), {}),
    (EMPTY | {"delegation": []}, {}),
]
RIGHT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (EMPTY, {}),
    (LIVE, {}),
    (EMPTY, {"network_availability_zones": ZONES[:2], "network_nat": "gateway", "network_cidr": "10.30.0.0/16"}),
    (EMPTY, {"host_key_name": "my key", "database_engine_version": "16.4", "database_name": "other"}),
    (EMPTY | {"file_systems": [{"id": "fs-0a"}]}, {"media_file_system_id": "fs-0a"}),
    (LIVE, {"host_count": 2, "database_storage_max_gb": 22, "database_engine_version": "15.13"}),
    (
        LIVE | {"ami_pinned": {"found": True, "name": "ours"}},
        {"host_ami_id": "ami-0a", "host_ami_family": "amazon-linux-2"},
    ),
]
"""Accounts and inventories that are in order, with values other than the defaults."""


def test_every_rule_refuses_something_and_lets_the_right_values_pass() -> None:
    refusing = {place for asked, given in REFUSALS for place in broken(asked, given)}
    rules = evaluation(EMPTY, {}).template(trusted(JUDGED))
    assert not [f"{rule['variable']}: {rule['that']}" for place, rule in enumerate(rules) if place not in refusing]
    assert [broken(asked, given) for asked, given in RIGHT] == [{}] * len(RIGHT)
