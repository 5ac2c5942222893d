"""What preflight says once the account has answered: changes that a live site cannot take, names that are taken."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, lookup_loader, test_loader
from ansible.template import Templar, trust_as_template

from plugins.plugin_utils import runtimes
from plugins.plugin_utils.account import databases
from plugins.plugin_utils.account.rooms import Rooms
from plugins.plugin_utils.roles import Roles

pytestmark = pytest.mark.playbook  # Ansible's templar judges all rules for each answer: as slow as a run

PROJECT = Path(__file__).resolve().parents[3]

SITE: dict[str, Any] = {
    "site_services": {
        "web": {
            "containers": {
                "web": {
                    "image": "acme/web",
                    "mem_limit": "256m",
                    "ports": ["80"],
                    "secrets": {"DB_PASSWORD": "database.main.password"},
                    "volumes": ["media:/srv/media"],
                }
            },
            "routes": [{"to": "web"}],
        }
    },
    "site_jobs": {},
    "site_volumes": {"media": {"driver": "rexray"}},
    "site_databases": {"main": {"class": "db.t3.micro", "version": "15"}},
    "site_buckets": {},
    "site_tables": {},
    "site_functions": {},
    "site_static": {},
    "site_secrets": {},
    "site_hosts": {"min": 1},
}
INVENTORY: dict[str, Any] = SITE | {
    "site_name": "legacy",
    "environment_name": "prod",
    "aws_region": "us-east-1",
    "domain_name": "www.shop.test",
    "domain_aliases": [],
    "hosted_zone_id": "Z0SHOP",
    "dns_take_over": False,
    "host_key_name": "",
    "host_launch_source": "launch_configuration",
    "host_imds_tokens": "optional",
    "network_availability_zones": [],
    "network_nat": "none",
    "network_cidr": "10.20.0.0/16",
    "network_vpc_id": "",
    "network_subnets": {},
    "host_instance_type": "t3.micro",
    "host_ami_id": "",
    "host_ami_family": "amazon-linux-2023",
    "site_remove": [],
    "move_volume_to_efs": [],
    "host_access_session_manager": False,
    "host_access_forwarding": "local",
    "host_admin_cidrs": ["203.0.113.0/24"],
}


def database(**keys: Any) -> dict[str, Any]:
    """A site whose database has these keys too."""
    return {"site_databases": {"main": SITE["site_databases"]["main"] | keys}}


def volume(driver: str = "rexray", **keys: Any) -> dict[str, Any]:
    """A site whose volume has these keys."""
    return {"site_volumes": {"media": {"driver": driver, **keys}}}


def container(**keys: Any) -> dict[str, Any]:
    """A site whose one container has other keys."""
    web = SITE["site_services"]["web"]
    return {"site_services": {"web": web | {"containers": {"web": web["containers"]["web"] | keys}}}}


NOTHING: dict[str, Any] = container(secrets={}, volumes=[]) | {"site_volumes": {}, "site_databases": {}}
"""A site without a database and without a volume."""
TWO: dict[str, Any] = container(volumes=["media:/srv/media", "cms:/srv/cms", "scratch:/tmp/scratch"]) | {
    "site_volumes": {"media": {"driver": "rexray"}, "cms": {}, "scratch": {"driver": "task"}},
    "site_databases": SITE["site_databases"]
    | {"stats": {"class": "db.t4g.small", "version": "16"}, "old": {"endpoint": "db.example.net"}},
}
"""A site with two of each, and one of each that is none of Berth's."""
DATABASE: dict[str, Any] = {"id": "", "class": "", "engine_version": "", "allocated": 0, "authority": ""}
ZONES_OF = "network_availability_zones"
ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
EMPTY: dict[str, Any] = {
    "account": "123456789012",
    "availability_zones": {"available": ZONES, "instance_type": ZONES, "suitable": ZONES},
    "databases": {
        name: DATABASE | {"versions": ["14.20", "15.4", "15.12", "16.4"], "zones": ZONES} for name in ("main", "stats")
    },
    "database_majors": {
        "postgres": [
            {"version": "13", "start": "2021-02-24", "end": "2026-02-28", "supported": False},
            {"version": "15", "start": "2023-02-27", "end": "2028-02-29", "supported": True},
            {"version": "16", "start": "2024-01-31", "end": "2029-02-28", "supported": True},
        ]
    },
    "database_authorities": {
        "rds-ca-rsa2048-g1": {"end": "2061-05-25", "days": 12_600, "default": True},
        "rds-ca-2019": {"end": "2027-05-25", "days": 179, "default": False},
        "rds-ca-2021": {"end": "2027-05-26", "days": 180, "default": False},
    },
    "key_pairs": ["deploy", "my key"],
    "launch_configurations": {"some": False, "account_created": "2018-03-14"},
    "instance_metadata": {"tokens_enforced": False, "managed_by": "account"},
    "backup_types": {},
    "volume_key": {"id": "alias/aws/ebs", "grantee": "arn:aws:iam::1:role/x", "usable": True},
    "hosted_zones": {
        "Z0SHOP": {"found": True, "name": "shop.test", "private": False, "name_servers": ["ns-1.awsdns-1.org"]}
    },
    "records": {"www.shop.test": {"own": [], "wildcard": [], "elsewhere": []}},
    "delegation": {"Z0SHOP": ["NS-1.awsdns-1.org", "ns-2.awsdns-2.com"]},
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
    "file_systems": {"media": [], "cms": []},
    "file_system_ids": [],
    "tables": {},
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
    "legacy-prod-database-main": layer(
        "InstanceId",
        DatabaseName="site",
        DatabaseUsername="site",
        DatabaseClass="db.t3.micro",
        DatabaseVersion="15",
    ),
    "legacy-prod-volume-media": layer("FileSystemId", VolumeFileSystemId="") | {"outputs": {"FileSystemId": "fs-0a"}},
    "legacy-prod-image-acme-web": layer("RepositoryUri"),
    "legacy-prod-cluster": layer("ClusterName", HostInstanceType="t3.micro") | {"outputs": {"HostGroupName": "mine"}},
}
CLUSTER = "legacy-prod-cluster"
LIVE = EMPTY | {
    "stacks": STACKS,
    "file_systems": EMPTY["file_systems"] | {"media": [{"id": "fs-0a"}]},
    "file_system_ids": ["fs-0a"],
    "databases": EMPTY["databases"]
    | {
        "main": EMPTY["databases"]["main"]
        | {
            "id": "db",
            "allocated": 20,
            "engine_version": "15.12",
            "class": "db.t3.micro",
            "log_days": 30,
            "authority": "rds-ca-rsa2048-g1",
        }
    },
    "ami_live": {"id": "ami-0a", "name": "al2023-ami-ecs-hvm-2023.0.20260922-kernel-6.1-x86_64"},
    "repositories": ["legacy-prod/acme-web"],
    "secrets": ["legacy-prod/database/main"],
}


GROUP = yaml.safe_load((PROJECT / "group_vars/all/site.yml").read_text())
ROOMS = ["preflight", *(layer for stage in GROUP["site_stages"].values() for layer in stage)]


def rooms(asked: dict[str, Any], given: dict[str, Any]) -> tuple[Rooms, Roles]:
    """What the roles ask and judge in a run in which the account answers `asked`."""
    filter_loader.add_directory(str(PROJECT / "plugins/filter"))
    lookup_loader.add_directory(str(PROJECT / "plugins/lookup"))
    test_loader.add_directory(str(PROJECT / "plugins/test"))
    known = {**trusted(GROUP), **INVENTORY, **given, "preflight_asked": asked}
    roles = Roles(LOADER, Templar(LOADER, known), known)
    return Rooms(roles, ROOMS), roles


@pytest.mark.parametrize(
    ("asked", "given", "services"),
    [
        (EMPTY, NOTHING, "autoscaling ecs elasticloadbalancing"),
        (EMPTY, {}, "autoscaling backup ecs elasticfilesystem elasticloadbalancing rds"),
        (LIVE, {}, ""),
        (
            EMPTY | {"stacks": {"legacy-prod-cluster": STACKS["legacy-prod-cluster"]}},
            {},
            "backup elasticfilesystem rds",
        ),
        (
            LIVE | {"stacks": STACKS | {"legacy-prod-cluster": layer("ClusterName") | {"status": "ROLLBACK_COMPLETE"}}},
            {},
            "autoscaling ecs elasticloadbalancing",
        ),
    ],
)
def test_service_linked_roles_are_asked_for_until_a_layer_is_up_that_needs_them(
    asked: dict[str, Any], given: dict[str, Any], services: str
) -> None:
    account, roles = rooms(asked, given)
    wanted = roles.value(trusted("{{ preflight_linked_services }}"), account.variables)
    assert sorted(each.removesuffix(".amazonaws.com") for each in wanted) == services.split()


def rules() -> list[Mapping[str, Any]]:
    """All of them, in their order."""
    return list(rooms({}, {})[0].rules())


def is_about_a_vpc(rule: Mapping[str, Any]) -> bool:
    """Whether a rule reads what the account says of a VPC that exists: test_preflight_vpc.py is about these."""
    return re.search(r"preflight_vpc[._]", str(rule)) is not None


def refused(asked: dict[str, Any], **given: Any) -> dict[str, str]:
    """Variable, or key in it → what is said about it, when the account answers `asked`."""
    return {variable: sentence for found in broken(asked, given).values() for variable, sentence in found}


def broken(asked: dict[str, Any], given: dict[str, Any]) -> dict[int, list[tuple[str, str]]]:
    """The rules that refuse, by their place in the list, with what they say about which variable."""
    account, roles = rooms(asked, given)
    judged = list(account.rules())
    doubtful = {id(rule) for rule in roles.doubtful(judged, account.variables)}
    found = {
        place: list(roles.refusals(rule, account.variables))
        for place, rule in enumerate(judged)
        if id(rule) in doubtful
    }
    return {place: told for place, told in found.items() if told}


def questions(**given: Any) -> dict[str, Any]:
    """What the account is asked."""
    return rooms({}, {"preflight_delegation": True, **given})[0].questions()


def said(asked: dict[str, Any], **given: Any) -> str:
    """What preflight says without stopping."""
    lines = rooms(asked, given)[0].notes(asked["unasked"])
    assert all(line and "  " not in line for line in lines)
    return "\n".join(lines)


def trusted(value: Any) -> Any:
    """The value, its strings marked as templates of the project's own files."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


LOADER = DataLoader()  # keeps what it has read
FILE_SYSTEM = "site_volumes.media.file_system_id"


def stack(name: str, **parameters: str) -> dict[str, Any]:
    """The live site's stacks, one of them with other parameters."""
    live = STACKS[f"legacy-prod-{name}"]
    return {"stacks": STACKS | {f"legacy-prod-{name}": live | {"parameters": live["parameters"] | parameters}}}


def systems(*ids: str, **more: Any) -> dict[str, Any]:
    """File systems of the volume's name."""
    return {
        "file_systems": EMPTY["file_systems"] | {"media": [{"id": each} for each in ids]},
        "file_system_ids": list(ids),
    } | more


@pytest.mark.parametrize(
    ("deployed", "given", "back"),
    [("", "fs-0aaaaaaa", "''"), ("fs-0a", "", "fs-0a"), ("fs-0a", "fs-0bbbbbbb", "fs-0a")],
    ids=["set", "dropped", "changed"],
)
def test_the_files_of_a_live_volume_are_not_changed_by_accident(deployed: str, given: str, back: str) -> None:
    own, back = "fs-0aaaaaaa", back.replace("fs-0a", "fs-0aaaaaaa")
    deployed = own if deployed else ""
    stacks = stack("volume-media", VolumeFileSystemId=deployed)["stacks"]
    stacks["legacy-prod-volume-media"]["outputs"] = {"FileSystemId": own}
    live = LIVE | {"stacks": stacks} | systems(own)
    right = volume(file_system_id=deployed) if deployed else volume()
    wrong = volume(file_system_id=given) if given else volume()
    assert refused(live, **right) == {}
    sentence = refused(live, **wrong)[FILE_SYSTEM]
    if given == own:
        assert "is the file system that Berth has made for this volume" in sentence
        assert "Take the line out." in sentence
        assert "another one" not in sentence
    elif given == "":  # of another id another rule has more to say
        assert f"it uses {own}, and would go on with another file system. Set it back to {back}." in sentence
        assert f"site_remove: [{own}]" in sentence
    if given != "fs-0bbbbbbb":
        named = live | systems() if given == "" else live
        assert refused(named, **wrong, site_remove=[own]) == {}
        assert refused(live, **wrong, site_remove=["fs-0bbbbbbb"]) != {}


A, B = "fs-0aaaaaaa", "fs-0bbbbbbb"


def adopted() -> dict[str, Any]:
    """A live site whose volume was given its file system."""
    stacks = stack("volume-media", VolumeFileSystemId=A)["stacks"]
    stacks["legacy-prod-volume-media"]["outputs"] = {"FileSystemId": A}
    return LIVE | {"stacks": stacks} | systems(A)


def made() -> dict[str, Any]:
    """A live site whose volume's stack has made its file system."""
    stacks = stack("volume-media")["stacks"]
    stacks["legacy-prod-volume-media"] = stacks["legacy-prod-volume-media"] | {"outputs": {"FileSystemId": A}}
    return LIVE | {"stacks": stacks} | systems(A)


LEAVES = {"site_remove": [A]}


def test_a_new_file_system_waits_until_the_former_gave_up_its_name() -> None:
    sentence = refused(adopted(), **LEAVES)[FILE_SYSTEM]
    assert f"aws efs tag-resource --resource-id {A} --tags Key=Name" in sentence
    assert refused(adopted() | systems(), **LEAVES) == {}
    assert refused(made(), **LEAVES) == {}, "the layer's own, which stays"


def test_a_volume_can_go_on_with_another_file_system_once_that_alone_bears_the_name() -> None:
    moved = volume(file_system_id=B) | LEAVES
    assert "second file system" in refused(made() | systems(A, B), **moved)[FILE_SYSTEM]
    assert refused(made() | systems(B), **moved) == {}
    assert refused(made() | systems(B), **volume(file_system_id=B)) != {}


def test_a_file_system_that_is_given_must_be_there_and_rexray_needs_its_name() -> None:
    given = {"file_system_id": B}
    nowhere = refused(EMPTY, **volume("efs", **given))[FILE_SYSTEM]
    assert f"there is no file system {B} in this region" in nowhere
    assert "aws efs describe-file-systems --region us-east-1" in nowhere
    other = EMPTY | {"file_system_ids": [A, B]}
    assert refused(other, **volume("efs", **given)) == {}, "it is mounted by its id"
    sentence = refused(other, **volume("rexray", **given))[FILE_SYSTEM]
    assert f"--resource-id {B} --tags Key=Name,Value=legacy-prod/media), or write driver: efs." in sentence
    assert refused(EMPTY | systems(B), **volume("rexray", **given)) == {}


@pytest.mark.parametrize("asked", [EMPTY, LIVE], ids=["empty", "live"])
def test_an_account_in_order_is_not_complained_about(asked: dict[str, Any]) -> None:
    assert refused(asked) == {}


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("network_nat", "gateway", "cannot change while the site is up"),
        ("network_cidr", "10.30.0.0/16", "cannot change while the site is up"),
        ("network_availability_zones", ["us-east-1a", "us-east-1z"], "has a zone that does not offer"),
    ],
)
def test_a_live_site_does_not_take(variable: str, value: Any, says: str) -> None:
    found = refused(LIVE, **{variable: value})
    assert set(found) == {variable}
    assert says in found[variable]


@pytest.mark.parametrize("key", ["name", "username"])
def test_what_rds_cannot_change_of_a_live_database(key: str) -> None:
    found = refused(LIVE, **database(**{key: "other"}))
    assert set(found) == {f"site_databases.main.{key}"}
    assert f"new, empty one would take the place of the present one. Set it back: {key}: site." in str(found)


def test_what_failed_at_its_first_create_may_be_corrected() -> None:
    failed = {name: stack | {"status": "ROLLBACK_COMPLETE", "outputs": {}} for name, stack in STACKS.items()}
    changes = {"network_nat": "gateway", "network_cidr": "10.30.0.0/16", **database(name="other")}
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


def without_database(asked: dict[str, Any], versions: list[str], name: str = "main") -> dict[str, Any]:
    """The answer of an account in which no zone offers a database's class with the version."""
    zones = asked["availability_zones"] | {"suitable": []}
    missing = asked["databases"][name] | {"versions": versions, "zones": []}
    return asked | {"availability_zones": zones, "databases": asked["databases"] | {name: missing}}


def test_a_version_must_be_offered_for_the_class() -> None:
    said = refused(without_database(EMPTY, ["14.20", "15.4", "15.12", "15.12-rds.2026"]), **database(version="15.1"))
    assert set(said) == {"site_databases.main.version"}
    assert "not offered for db.t3.micro in this region, but 15.4, 15.12. Write" in str(said)
    said = refused(without_database(EMPTY, ["14.20", "15.4"]), **database(version="17"))
    assert "but 14, 15. Write" in said["site_databases.main.version"]
    said = refused(without_database(EMPTY, []))
    assert set(said) == {"site_databases.main.class"}
    assert "is db.t3.micro, which is not offered in this region. Write another, for example class: db." in str(said)


def test_what_a_live_database_runs_may_have_left_the_offer() -> None:
    assert refused(without_database(LIVE, ["16.1"])) == {}
    said = refused(without_database(LIVE, ["16.1"]), **database(version="15.1"))
    assert set(said) == {"site_databases.main.version"}


@pytest.mark.parametrize(("most", "live", "right"), [(50, 20, True), (50, 45, True), (50, 46, False)])
def test_storage_that_has_grown_leaves_room_to_grow(most: int, live: int, right: bool) -> None:
    said = refused(running(allocated=live), **database(storage_max_gb=most))
    assert (said == {}) is right
    assert right or "Write storage_max_gb: 51 or more" in said["site_databases.main.storage_max_gb"]


def running(**facts: Any) -> dict[str, Any]:
    """A live site of whose database the account says something else."""
    return LIVE | {"databases": LIVE["databases"] | {"main": LIVE["databases"]["main"] | facts}}


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
        ("vcpus", 4, {}, "site_hosts.min", "1 hosts of t3.micro would bring the account to 6 vCPUs"),
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


def test_hosts_that_load_would_bring_in_vain_are_told_of() -> None:
    scaling = {"site_hosts": {"min": 1, "max": 2, "scale": True}}
    short_of = EMPTY | short("vcpus", used=2)
    assert refused(short_of, **scaling) == {}, "the one that is always there has its place"
    told = said(short_of, **scaling)
    assert "Under load some hosts would not come: the 2 that there may be (site_hosts.max) would bring" in told
    assert "to 6 vCPUs of running standard instances in the region, and its quota is 5." in told
    assert "--desired-value 6 --region" in told
    assert "Under load" not in said(EMPTY | short("vcpus", used=1), **scaling)
    assert "Under load" not in said(short_of, site_hosts={"min": 1, "max": 2}), "none would come"
    assert "Under load" not in said(EMPTY | {"quotas": {}}, **scaling)


def test_what_a_live_site_has_is_not_counted_twice() -> None:
    assert refused(LIVE | short("vpcs", used=5)) == {}
    assert refused(LIVE, site_hosts={"min": 2}) == {}
    said = refused(LIVE, site_hosts={"min": 3})["site_hosts.min"]
    assert "3 hosts of t3.micro would bring the account to 7 vCPUs" in said
    assert "site_hosts: {min: 1}" in said
    assert refused(LIVE, site_hosts={"max": 9}) == {}, "those that there are at least"


def test_names_that_are_taken_are_refused() -> None:
    kept = EMPTY | systems(A)
    assert A in refused(kept)[FILE_SYSTEM]
    assert refused(kept, **volume(file_system_id=A)) == {}
    taken = refused(EMPTY | {"secrets": ["legacy-prod/database/main"]})
    assert set(taken) == {"site_databases.main"}
    assert "a secret legacy-prod/database/main that no stack owns" in taken["site_databases.main"]
    taken = refused(EMPTY | {"repositories": ["legacy-prod/acme-web"]})
    assert set(taken) == {"site_name"}
    assert "no stack owns them: legacy-prod/acme-web." in taken["site_name"]
    assert "second file system" in refused(made() | systems(A, B))[FILE_SYSTEM]


# Several of a noun, and none


def test_what_the_account_is_asked_of_each() -> None:
    asked = questions(**TWO)
    assert asked["databases"] == {
        "main": {
            "class": "db.t3.micro", "engine": "postgres", "version": "15", "stack": "legacy-prod-database-main"
        },
        "stats": {
            "class": "db.t4g.small", "engine": "postgres", "version": "16", "stack": "legacy-prod-database-stats"
        },
    }  # fmt: skip
    assert asked["file_systems"] == {"media": "legacy-prod/media", "cms": "legacy-prod/cms"}
    assert asked["secrets"] == ["legacy-prod/database/main", "legacy-prod/database/stats"]
    assert asked["repositories"] == ["legacy-prod/acme-web"]
    assert databases.wanted(asked["databases"])["stats"].stack in asked["stacks"]


ITEMS = "site_tables.items"
BY_OWNER = {"partition_key": {"name": "owner", "type": "string"}, "sort_key": None, "projection": "all"}
TITLES = {"partition_key": {"name": "owner", "type": "string"}, "sort_key": None, "projection": ["body", "title"]}


def table(*indexes: str, **more: Any) -> dict[str, Any]:
    """A site whose table has these indexes, each by `owner`."""
    by = {name: {"partition_key": "owner"} for name in indexes}
    return {"site_tables": {"items": {"partition_key": "id", "global_secondary_indexes": by, **more}}}


def tabled(*indexes: str, unready: tuple[str, ...] = (), **parameters: str) -> dict[str, Any]:
    """A live site whose table has these indexes."""
    made = layer("TableName", TableTtl="", TableTtlEnabled="false", **parameters)
    found = [{"name": name, **BY_OWNER} for name in indexes]
    described = {"name": "T-1", "found": True, "indexes": found, "unready": list(unready)}
    return LIVE | {"stacks": STACKS | {"legacy-prod-table-items": made}, "tables": {"items": described}}


def expiring(by: str) -> dict[str, Any]:
    """A live site whose table's items expire by an attribute."""
    made = layer("TableName", TableTtl=by, TableTtlEnabled="true")
    return tabled() | {"stacks": STACKS | {"legacy-prod-table-items": made}}


def test_a_site_with_a_cdn_asks_for_the_addresses_of_it() -> None:
    asked = questions(site_edge={"default": "web"})
    assert asked["prefix_list"] == "com.amazonaws.global.cloudfront.origin-facing"
    assert asked["edge_stack"] in asked["stacks"]
    assert questions()["prefix_list"] == ""


def test_tables_are_asked_for_by_their_stacks_or_names() -> None:
    asked = questions(site_tables={"items": {"partition_key": "id"}, "old": {"name": "acme-old"}})
    assert asked["tables"] == {
        "items": {"name": "", "stack": "legacy-prod-table-items"},
        "old": {"name": "acme-old", "stack": "legacy-prod-table-old"},
    }
    assert "legacy-prod-table-items" in asked["stacks"]
    assert questions()["tables"] == {}


def test_a_table_that_exists_must_be_there() -> None:
    given = {"site_tables": {"items": {"name": "acme-items"}}}
    nowhere = {"tables": {"items": {"name": "acme-items", "found": False, "indexes": [], "unready": []}}}
    sentence = refused(EMPTY | nowhere, **given)[f"{ITEMS}.name"]
    assert "no table acme-items in this region" in sentence
    assert "aws dynamodb list-tables --region us-east-1" in sentence
    there = {"tables": {"items": nowhere["tables"]["items"] | {"found": True}}}
    assert refused(EMPTY | there, **given) == {}


@pytest.mark.parametrize(
    ("there", "given", "says"),
    [
        ((), ("one", "two"), "by one, two, and DynamoDB makes or removes one index at a time"),
        (("one", "two"), (), "by one, two, and DynamoDB"),
        (("one",), ("two",), "by one, two, and DynamoDB"),
        ((), ("one",), ""),
        (("one", "two"), ("two",), ""),
        (("one", "two"), ("two", "one"), ""),
    ],
)
def test_a_live_table_takes_one_index_at_a_time(there: tuple[str, ...], given: tuple[str, ...], says: str) -> None:
    said_of = refused(tabled(*there), **table(*given))
    assert set(said_of) == ({f"{ITEMS}.global_secondary_indexes"} if says else set())
    assert says in "".join(said_of.values())
    assert refused(LIVE, **table(*given)) == {}, "a new one takes any number"
    assert refused(tabled(*there), site_remove=["T-1"], **table(*given)) == {}, "and so does a new one in its place"


@pytest.mark.parametrize("other", [{"projection": "keys_only"}, {"sort_key": "at"}, {"partition_key": "who"}])
def test_an_index_does_not_change(other: dict[str, Any]) -> None:
    by = {"by_owner": {"partition_key": "owner"} | other}
    sentence = refused(tabled("by_owner"), **table(global_secondary_indexes=by))[f"{ITEMS}.global_secondary_indexes"]
    assert "would change by_owner, and DynamoDB changes neither keys nor projection" in sentence


def test_a_list_of_attributes_is_the_same_in_any_order() -> None:
    live = tabled()
    live["tables"]["items"]["indexes"] = [{"name": "by_owner", **TITLES}]
    by = {"by_owner": {"partition_key": "owner", "projection": ["title", "body"]}}
    assert refused(live, **table(global_secondary_indexes=by)) == {}


def test_no_index_changes_while_another_is_being_made() -> None:
    busy = tabled("one", unready=("one",))
    assert refused(busy, **table("one")) == {}
    sentence = refused(busy, **table("one", "two"))[f"{ITEMS}.global_secondary_indexes"]
    assert "changes while one is still being made or removed" in sentence
    assert "--table-name T-1" in sentence


def test_items_come_to_expire_by_another_attribute_in_two_steps() -> None:
    assert refused(expiring("gone"), **table(ttl="gone")) == {}
    assert refused(expiring("gone"), **table()) == {}
    assert refused(tabled(), **table(ttl="gone")) == {}
    sentence = refused(expiring("gone"), **table(ttl="expires"))[f"{ITEMS}.ttl"]
    assert "items of the table expire by gone" in sentence
    assert refused(expiring("gone"), site_remove=["T-1"], **table(ttl="expires")) == {}


def test_the_stacks_of_layers_and_of_entries_are_asked_for() -> None:
    nouns = {"site_buckets": {"files": {}}, "site_secrets": {"app": {"generate": "key"}}}
    entries = [
        "database-main", "volume-media", "bucket-files", "secret-app", "image-acme-web", "service-web",
    ]  # fmt: skip
    single = [
        "ledger", "network", "certificate", "edge-certificate", "deployer", "cluster", "expose", "code", "dns", "edge",
        "access-logs", "alarms", "backup", "backup-copy", "waf", "edge-waf",
    ]  # fmt: skip
    assert sorted(questions(**nouns)["stacks"]) == sorted(f"legacy-prod-{name}" for name in (*single, *entries))


def test_a_site_without_databases_and_volumes_asks_for_none_and_is_judged() -> None:
    asked = questions(**NOTHING)
    assert asked["databases"] == asked["file_systems"] == {}
    assert asked["secrets"] == []
    bare = {key: value for key, value in EMPTY.items() if key not in ("database_majors", "file_system_ids")}
    bare |= {"databases": {}, "file_systems": {}}
    assert refused(bare, **NOTHING) == {}
    assert "database" not in said(bare, **NOTHING)
    zones = EMPTY["availability_zones"] | {"suitable": ZONES[:1]}
    said_of_zones = refused(bare | {"availability_zones": zones}, **NOTHING)
    assert set(said_of_zones) == {"network_availability_zones"}
    assert "offer all that the site needs (host_instance_type: t3.micro in us-east-1a, us-east-1b" in str(said_of_zones)


def test_too_few_zones_are_told_with_the_line_to_change() -> None:
    zones = {"available": ZONES, "instance_type": ["us-east-1b"], "suitable": ["us-east-1b"]}
    told = refused(EMPTY | {"availability_zones": zones})[ZONES_OF]
    assert "(host_instance_type: t3.micro in us-east-1b; site_databases.main.class: db.t3.micro in us-east-1a," in told
    assert "Write another type or class in the line that fewer than two offer" in told
    one = {"main": EMPTY["databases"]["main"] | {"zones": ZONES[:1]}}
    narrow = EMPTY["availability_zones"] | {"suitable": ZONES[:1]}
    told = refused(EMPTY | {"availability_zones": narrow, "databases": EMPTY["databases"] | one})[ZONES_OF]
    assert "site_databases.main.class: db.t3.micro in us-east-1a)" in told


def test_each_of_several_is_judged_by_itself() -> None:
    plenty: dict[str, Any] = {"quotas": {}}
    assert refused(LIVE | plenty, **TWO) == {}, "one of each is there, the other is new"
    said = refused(without_database(LIVE | plenty, [], "stats"), **TWO)
    assert set(said) == {"site_databases.stats.class"}
    both = LIVE | plenty | systems(A, B) | {"secrets": ["legacy-prod/database/stats"]}
    both["file_systems"] = both["file_systems"] | {"media": [{"id": "fs-0a"}], "cms": [{"id": B}]}
    assert set(refused(both, **TWO)) == {"site_volumes.cms.file_system_id", "site_databases.stats"}
    few = EMPTY["availability_zones"] | {"suitable": ZONES[:1]}
    told = refused(EMPTY | plenty | {"availability_zones": few}, **TWO)[ZONES_OF]
    for line in (
        "(host_instance_type: t3.micro in ",
        "; site_databases.main.class: ",
        "; site_databases.stats.class: ",
    ):
        assert line in told


def test_room_is_needed_for_those_that_are_new() -> None:
    said = refused(EMPTY, **TWO)
    assert "39 databases of RDS there, its quota is 40, and this site needs 2 more" in str(broken(EMPTY, TWO))
    assert "--desired-value 41)" in str(broken(EMPTY, TWO))
    assert "999 EFS file systems there, its quota is 1000, and this site needs 2 more" in said["aws_region"]
    assert refused(LIVE, **TWO) == {}, "one of each is there"
    given = TWO | {"site_volumes": TWO["site_volumes"] | {"cms": {"file_system_id": B}}}
    full = short("file_systems", used=1000) | {"file_system_ids": ["fs-0a", B]}
    assert refused(LIVE | full, **given) == {}, "one that is given needs no room"


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
    assert "Set host_imds_tokens: required and driver: efs of site_volumes.media (" in said["host_imds_tokens"]
    assert refused(enforced, host_imds_tokens="required", **volume("efs")) == {}
    policy = EMPTY | {"instance_metadata": {"tokens_enforced": True, "managed_by": "declarative-policy"}}
    assert "a policy of the organization lets" in str(refused(policy, **volume("efs")))
    assert "driver: efs" not in str(refused(policy, **volume("efs")))


@pytest.mark.parametrize(
    ("backups", "types"),
    [
        ({}, []),
        ({"every": "1d"}, ["EFS"]),
        ({"every": "1d", "at": "04:00"}, ["EFS", "RDS"]),
    ],
)
def test_types_are_asked_for_that_aws_backup_has_to_be_let_at(backups: dict[str, Any], types: list[str]) -> None:
    assert questions(site_backups=backups)["backup_types"] == types
    assert questions(site_backups=backups, **NOTHING)["backup_types"] == []


def test_what_aws_backup_is_not_let_at_is_told_with_what_to_type() -> None:
    closed = {"backup_types": {"EFS": True, "RDS": False}}
    sentence = refused(EMPTY | closed, site_backups={"every": "1d", "at": "04:00"})["site_backups"]
    assert "is not let at RDS in us-east-1 of the account" in sentence
    assert sentence.endswith("--region us-east-1 --resource-type-opt-in-preference RDS=true")
    both = {"backup_types": {"EFS": False, "RDS": False}}
    sentence = refused(EMPTY | both, site_backups={"every": "1d", "at": "04:00"})["site_backups"]
    assert sentence.endswith("EFS=true,RDS=true")
    let = {"backup_types": {"EFS": True, "RDS": True}}
    assert refused(EMPTY | let, site_backups={"every": "1d", "at": "04:00"}) == {}


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
    assert "Type: ansible-playbook refresh_hosts.yml" in said(old)
    assert "host_ami_id" not in said(old)
    new = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=60)
    recent = LIVE | {"ami_live": LIVE["ami_live"] | {"creation_date": f"{new:%Y-%m-%dT%H:%M:%S}.000Z"}}
    assert said(recent) == said(LIVE) == ""
    pinned = LIVE | {"ami_pinned": {"found": True, "name": "ours", "creation_date": "2026-01-01T00:00:00.000Z"}}
    assert "The image of the hosts, ours, is" in said(pinned, host_ami_id="ami-0123456789abcdef0")
    assert "Set host_ami_id: ami-0123456789abcdef0, then type: ansible-playbook refresh_hosts.yml" in said(
        pinned, host_ami_id="ami-0fedcba9876543210"
    )


# Database

VERSION = "site_databases.main.version"


def test_a_new_database_has_a_version_in_standard_support() -> None:
    said = refused(EMPTY, **database(version="13"))
    assert set(said) == {VERSION}
    assert "PostgreSQL 13 is in standard support of RDS from 2021-02-24 to 2026-02-28 only" in str(said)
    assert "Write one of 15 (until 2028-02-29), 16 (until 2029-02-28)." in said[VERSION]
    assert refused(EMPTY, **database(version="16")) == {}
    assert refused(EMPTY, **database(version="16.4")) == {}


def test_a_version_that_left_standard_support_stops_no_live_site() -> None:
    old = running(engine_version="13.20") | stack("database-main", DatabaseVersion="13")
    assert refused(old, **database(version="13")) == {}
    assert "PostgreSQL 13, which the database main runs, left standard support of RDS on 2026-02-28" in said(
        old, **database(version="13")
    )


@pytest.mark.parametrize("version", ["16", "16.4", "14"])
def test_the_major_version_of_a_live_database_cannot_change(version: str) -> None:
    said = refused(LIVE, **database(version=version))[VERSION]
    assert "the database runs PostgreSQL 15.12, and this run does not change its major version" in said
    assert said.endswith('To leave it as it is, write version: "15".')
    up = "Type ansible-playbook upgrade_database.yml -i <inventory> -e database=main, which upgrades a copy"
    assert (up in said) == (version != "14"), said
    assert ("RDS takes no older one." in said) == (version == "14")
    assert "  " not in said


def test_what_upgrade_database_has_done_needs_no_restart() -> None:
    """It was killed before it could tell the stack."""
    raised = running(engine_version="16.4")
    assert refused(raised, **database(version="16")) == {}
    assert "restarts at once" not in said(raised, **database(version="16"))
    assert "restarts at once" in said(LIVE, **database(version="15.13"))
    assert said(LIVE, **database(version="15.13")).endswith(
        "changes from 15 to 15.13. To see it on a copy before: ansible-playbook upgrade_database.yml -i <inventory> -e "
        "database=main"
    )


def test_a_live_database_takes_no_older_version() -> None:
    assert "RDS takes no older version" in refused(LIVE, **database(version="15.4"))[VERSION]
    assert refused(LIVE, **database(version="15.13")) == {}
    drifted = LIVE | stack("database-main", DatabaseVersion="15.4")
    assert refused(drifted, **database(version="15.4")) == {}, "it was raised by RDS; nothing changes"


WAY = "host_access_session_manager"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"host_admin_cidrs": []}, "is false, and host_admin_cidrs is empty, so no host lets this machine through"),
        ({"host_access_forwarding": "none"}, "is false, and host_access_forwarding is none, so no host lets this"),
        ({"host_admin_cidrs": [], "host_access_forwarding": "none", WAY: True}, ""),
        ({"host_admin_cidrs": [], **NOTHING}, ""),
    ],
)
def test_a_new_database_is_reached_through_a_host(given: dict[str, Any], why: str) -> None:
    said = refused(EMPTY, **given)
    assert set(said) == ({WAY} if why else set())
    assert why in str(said)
    assert refused(LIVE, **given) == {}, "the site has its login"


def test_a_new_database_needs_psql_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert refused(EMPTY) == {}
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Install the package postgresql-client." in refused(EMPTY)["site_databases"]
    assert refused(LIVE) == {}


def test_the_embedded_aws_lets_ssh_of_its_machine_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert refused(EMPTY, host_admin_cidrs=[]) == {}


def test_what_restarts_the_database_is_said_before() -> None:
    assert said(LIVE) == ""
    assert (
        "The database main restarts at once, for some minutes: site_databases.main.class changes from db.t3.micro to "
        "db.t3.small." in said(LIVE, **database(**{"class": "db.t3.small"}))
    )
    assert "site_databases.main.version changes from 15 to 15.13" in said(LIVE, **database(version="15.13"))
    assert "restarts" not in said(EMPTY, **database(**{"class": "db.t3.small"}))
    assert "restarts" not in said(LIVE, **TWO), "the other one is new"


def test_storage_never_becomes_smaller() -> None:
    at = "site_databases.main.storage_max_gb"
    grown = refused(running(allocated=46))
    assert set(grown) == {at}
    assert "is 50; it must be at least a tenth above what the database has by now, 46 GiB" in grown[at]
    assert "storage never becomes smaller. Write storage_max_gb: 51 or more." in grown[at]
    assert refused(running(allocated=45)) == refused(running(allocated=46), **database(storage_max_gb=51)) == {}
    assert refused(running(allocated=40), **database(storage_gb=20)) == {}, "what has grown by itself stays"


def test_the_authority_of_a_certificate_is_one_of_rds() -> None:
    at = "site_databases.main.ca_certificate"
    wrong = refused(LIVE, **database(ca_certificate="rds-ca-2015"))
    assert set(wrong) == {at}
    assert "is rds-ca-2015, which is no authority of RDS in this region, but rds-ca-rsa2048-g1 (until 2061" in wrong[at]
    assert refused(LIVE, **database(ca_certificate="rds-ca-2019")) == {}
    unknown = {name: value for name, value in LIVE.items() if name != "database_authorities"}
    assert refused(unknown, **database(ca_certificate="rds-ca-2015")) == {}, "RDS says it then"


def test_an_authority_that_ends_or_changes_is_said_before() -> None:
    assert said(running(authority="rds-ca-2021")) == "", "half a year is enough"
    ends = said(running(authority="rds-ca-2019"))
    assert (
        "rds-ca-2019, the authority that signs the certificate of the database main, ends on 2027-05-25, in 179" in ends
    )
    assert "Write ca_certificate: rds-ca-rsa2048-g1 into site_databases.main" in ends
    new = database(ca_certificate="rds-ca-rsa2048-g1")
    changes = said(running(authority="rds-ca-2019"), **new)
    assert "main gets a certificate of rds-ca-rsa2048-g1 in place of rds-ca-2019, without a restart." in changes
    assert "ends on" not in changes
    assert said(LIVE, **new) == ""
    assert "authority" not in said(EMPTY, **new)


# Domain


def zone(of: str = "Z0SHOP", **facts: Any) -> dict[str, Any]:
    """An account one of whose hosted zones is another."""
    zones = EMPTY["hosted_zones"]
    return EMPTY | {"hosted_zones": zones | {of: zones["Z0SHOP"] | facts}}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (zone(found=False, name="", name_servers=[]), "has no hosted zone of that id. Look for it: aws route53 list"),
        (zone(private=True), "is the private zone shop.test"),
        (zone(name="hop.test"), "is the zone hop.test, in which www.shop.test does not lie"),
        (zone(name="a.shop.test"), "is the zone a.shop.test"),
        (EMPTY | {"delegation": {"Z0SHOP": ["ns1.old.example"]}}, "the DNS names ns1.old.example for it"),
        (EMPTY | {"delegation": {"Z0SHOP": []}}, "the DNS names no name servers at all for it"),
    ],
)
def test_a_hosted_zone_that_cannot_be_the_domains(asked: dict[str, Any], says: str) -> None:
    said = refused(asked)
    assert set(said) == {"hosted_zone_id"}
    assert says in said["hosted_zone_id"]


def test_without_a_hosted_zone_nothing_is_said_about_it() -> None:
    elsewhere = {name: value for name, value in EMPTY.items() if name not in ("hosted_zones", "records", "delegation")}
    assert refused(elsewhere, hosted_zone_id="") == {}
    assert "in use" not in said(elsewhere, hosted_zone_id="")


@pytest.mark.parametrize("domain", ["shop.test", "www.shop.test", "a.b.shop.test"])
def test_a_zone_is_for_its_own_name_and_all_below(domain: str) -> None:
    assert refused(EMPTY, domain_name=domain) == {}


def test_each_name_is_judged_by_its_own_zone_and_at_its_own_line() -> None:
    here, there = "shop.test", {"name": "shop.example", "hosted_zone_id": "Z2"}
    both = zone("Z2", name="shop.example", name_servers=[])
    assert refused(both, domain_aliases=[here, "*.shop.test", there]) == {}
    assert refused(EMPTY, domain_aliases=[here, {"name": "shop.example", "hosted_zone_id": ""}]) == {}
    assert refused(both, domain_aliases=[here, "shop.example"]) == {
        "domain_aliases[1]": "is shop.example, which does not lie in the zone shop.test of hosted_zone_id. Write "
        "{name: shop.example, hosted_zone_id: Z…}, with the zone of that name, or an empty one if its DNS is elsewhere."
    }
    at = "domain_aliases[1].hosted_zone_id"
    wrong = {
        "has no hosted zone of that id": zone("Z2", found=False, name="", name_servers=[]),
        "is the private zone shop.example": zone("Z2", name="shop.example", private=True),
        "is the zone hop.example, in which shop.example does not lie": zone("Z2", name="hop.example", name_servers=[]),
        "is a zone of shop.example that nobody asks: the DNS names ns1.old.example": zone("Z2", name="shop.example")
        | {"delegation": EMPTY["delegation"] | {"Z2": ["ns1.old.example"]}},
    }
    for sentence, asked in wrong.items():
        said = refused(asked, domain_aliases=[here, there])
        assert set(said) == {at}
        assert sentence in said[at]


def test_the_zones_and_names_are_asked_about() -> None:
    aliases = ["shop.test", {"name": "shop.example", "hosted_zone_id": ""}]
    asked = questions(domain_aliases=aliases)["domains"]
    assert asked == {"www.shop.test": "Z0SHOP", "shop.test": "Z0SHOP", "shop.example": ""}


def test_more_names_than_the_account_may_have_in_a_certificate() -> None:
    aliases = [f"a{number}.shop.test" for number in range(10)]
    few, many = (EMPTY | {"quotas": {"certificate_names": {"limit": limit, "used": 0}}} for limit in (10, 11))
    sentence = refused(few, domain_aliases=aliases)["domain_aliases"]
    assert sentence.startswith("makes 11 names with domain_name, and the account's quota is 10 in a certificate")
    assert "--quota-code L-FB94F0B0 --desired-value 11" in sentence
    assert refused(many, domain_aliases=aliases) == {}
    assert refused(few, domain_aliases=aliases[1:]) == {}


def test_a_name_in_use_stops_nothing_and_is_said() -> None:
    main = {"own": [{}], "wildcard": [], "elsewhere": ["www.shop.test A 192.0.2.7"]}
    other = main | {"elsewhere": ["shop.test A 192.0.2.8"]}
    used = EMPTY | {"records": {"www.shop.test": main, "shop.test": other}}
    assert refused(used) == {}
    assert "shop.test is in use: shop.test A 192.0.2.8. This run leaves it" in said(used)
    assert "www.shop.test is in use: www.shop.test A 192.0.2.7. This run leaves it; dns_switch.yml" in said(used)
    assert "This run takes it over" in said(used, dns_take_over=True)


# Quotas, and what was not asked


@pytest.mark.parametrize(
    ("quota", "says"),
    [
        ("databases", "40 databases of RDS there, its quota is 40, and this site needs 1 more"),
        ("file_systems", "1000 EFS file systems there"),
        ("load_balancers", "50 Application Load Balancers there"),
    ],
)
def test_a_first_site_needs_room(quota: str, says: str) -> None:
    full = short(quota, used=EMPTY["quotas"][quota]["limit"])
    assert says in refused(EMPTY | full)["aws_region"]
    assert refused(LIVE | full) == {}


def test_a_file_system_that_is_there_needs_no_room() -> None:
    full = short("file_systems", used=1000) | systems(A)
    assert refused(EMPTY | full, **volume(file_system_id=A)) == {}


# Functions


def test_a_runtime_that_is_about_to_end_is_said_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"code": "roles/function/files/example", "handler": "app.handler", "routes": "$default"}
    given = {"site_functions": {"hello": {**made, "runtime": "python3.13"}, "values": {**made, "runtime": "ruby3.4"}}}
    for days, told in ((89, True), (91, False)):
        ends = dict(runtimes.RUNTIMES) | {
            "python3.13": runtimes.Runtime(datetime.date.today() + datetime.timedelta(days), "python3.14")
        }
        monkeypatch.setattr(runtimes, "RUNTIMES", {**ends, "ruby3.4": runtimes.Runtime(datetime.date.max)})
        assert broken(EMPTY, given) == {}
        lines = said(EMPTY, **given)
        assert ("site_functions.hello.runtime is python3.13, of which Lambda makes no function from" in lines) is told
        assert "site_functions.values" not in lines


OPTIONAL = {
    "vpc_dns", "vpc_resolvers", "ways_out", "vpc_endpoints", "key_pairs", "instance_metadata", "launch_configurations",
    "volume_key", "database_majors", "database_authorities", "hosted_zones", "records", "delegation",
    "certificates_left", "backup_types",
}  # fmt: skip


def test_what_could_not_be_asked_is_said_with_what_follows() -> None:
    why = dict.fromkeys([*OPTIONAL, "quotas", "database_log_days", "database_login"], "NoSuchThing: not for you.")
    bare = {name: value for name, value in EMPTY.items() if name not in OPTIONAL} | {"quotas": {}, "unasked": why}
    assert refused(bare, host_key_name="whatever") == {}
    text = said(bare, host_imds_tokens="required")
    means_of = {
        name: means
        for role in ROOMS
        for name, means in rooms({}, {})[1].account(role).get(f"{role}_account_unasked", {}).items()
    }
    assert set(why) == set(means_of)
    for name, means in means_of.items():
        assert f"Could not ask for {name}: NoSuchThing: not for you. {' '.join(means.split())}" in text


def test_records_that_could_not_be_asked_name_the_right_that_the_switch_needs() -> None:
    text = said(EMPTY | {"unasked": {"records": "ListResourceRecordSets: not authorized"}})
    assert "The right route53:ListResourceRecordSets is needed for dns_switch.yml" in text
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
    (LIVE, database(name="other", username="other")),
    (EMPTY | systems(A), {}),
    (made() | systems(A, B), {}),
    (made(), volume(file_system_id=B)),
    (made(), volume(file_system_id=A)),
    (EMPTY | {"file_system_ids": [B]}, volume(file_system_id=B)),
    (adopted(), LEAVES),
    (EMPTY | {"secrets": ["legacy-prod/database/main"]}, {}),
    (EMPTY | {"repositories": ["legacy-prod/acme-web"]}, {}),
    (EMPTY | {"ami_pinned": {"found": False}}, {"host_ami_id": "ami-0123456789abcdef0"}),
    (LIVE, {"host_instance_type": "t4g.micro"}),
    (LIVE, {"host_ami_family": "amazon-linux-2"}),
    (running(allocated=46), {}),
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
    (EMPTY | {"backup_types": {"EFS": False}}, {"site_backups": {"every": "1d"}}),
    (EMPTY, database(version="13")),
    (LIVE, database(version="16")),
    (LIVE, database(version="15.4")),
    (LIVE, database(ca_certificate="rds-ca-2015")),
    (zone(found=False), {}),
    (zone(private=True), {}),
    (zone(name="hop.test"), {}),
    (EMPTY | {"delegation": {"Z0SHOP": []}}, {}),
    (EMPTY | {"quotas": {"certificate_names": {"limit": 1, "used": 0}}}, {"domain_aliases": ["shop.test"]}),
    (LIVE, {"network_vpc_id": "vpc-0f"}),
    (EMPTY, {"site_tables": {"items": {"name": "acme-items"}}}),
    (tabled(), table("one", "two")),
    (tabled("one"), table(global_secondary_indexes={"one": {"partition_key": "who"}})),
    (tabled("one", unready=("one",)), table("one", "two")),
    (expiring("gone"), table(ttl="expires")),
    (EMPTY | {"prefix_list": ""}, {"site_edge": {"default": "web"}}),
    (EMPTY, {"host_admin_cidrs": []}),
]
RIGHT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (EMPTY, {}),
    (LIVE, {}),
    (EMPTY, {"network_availability_zones": ZONES[:2], "network_nat": "gateway", "network_cidr": "10.30.0.0/16"}),
    (EMPTY, {"host_key_name": "my key", **database(version="16.4", name="other")}),
    (EMPTY | systems(A), volume(file_system_id=A)),
    (LIVE, {"site_hosts": {"min": 2}, **database(storage_max_gb=22, version="15.13")}),
    (LIVE, database(ca_certificate="rds-ca-2021")),
    (LIVE, TWO),
    (EMPTY, NOTHING),
    (EMPTY | {"prefix_list": "pl-3b927c52"}, {"site_edge": {"default": "web"}}),
    (tabled("one"), table("one", "two", ttl="gone")),
    (EMPTY | {"quotas": {"certificate_names": {"limit": 2, "used": 0}}}, {"domain_aliases": ["shop.test"]}),
    (
        LIVE | {"ami_pinned": {"found": True, "name": "ours"}},
        {"host_ami_id": "ami-0a", "host_ami_family": "amazon-linux-2"},
    ),
]
"""Accounts and inventories that are in order, with values other than the defaults."""


def test_every_rule_refuses_something_and_lets_the_right_values_pass() -> None:
    """Those about a VPC that exists: test_preflight_vpc.py."""
    refusing = {place for asked, given in REFUSALS for place in broken(asked, given)}
    refusing |= {place for place, rule in enumerate(rules()) if "preflight_psql" in str(rule)}  # has a test of its own
    others = [rule for place, rule in enumerate(rules()) if place not in refusing]
    assert not [f"{rule['variable']}: {rule['that']}" for rule in others if not is_about_a_vpc(rule)]
    assert [broken(asked, given) for asked, given in RIGHT] == [{}] * len(RIGHT)
