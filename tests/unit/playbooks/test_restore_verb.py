"""The verb restore: what is meant, what is refused before anything is done, and what it says of a backup."""

from __future__ import annotations

import copy
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.backups import buckets
from plugins.plugin_utils.backups.point import Points
from plugins.plugin_utils.restoring.versions import Bucket
from tests.unit.ledger_support import a_host
from tests.unit.playbooks.test_locked_verbs import ANNA, Site
from tests.unit.variables_support import evaluate, holds, load, refusal, tasks_of, variables

TASKS = tasks_of("playbooks/restore.yml")
DATABASE = "playbooks/tasks/restore_database.yml"
COPY = "playbooks/tasks/restore_database_copy.yml"
BUCKET = "playbooks/tasks/restore_bucket.yml"
OBJECTS = "playbooks/tasks/restore_bucket_objects.yml"
CONTAINER = {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"]}
SITE: dict[str, Any] = {
    "site_services": {"web": {"containers": {"app": CONTAINER}, "routes": [{"to": "app", "health": "/"}]}},
    "site_databases": {
        "main": {"name": "shop"},
        "more": {},
        "old": {"endpoint": "db.example.org", "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:old"},
    },
}
PART = {"kind": "snapshot", "of": "shop-prod-main", "id": "shop-prod-main-one", "state": "good", "why": ""}
CHOICE = {"parts": {"bucket.up": {"of": "b"}, "database.main": PART, "volume.media": {}}, "without": []}


SITE["site_services"]["web"]["containers"]["app"] = CONTAINER | {"volumes": ["media:/srv/media"]}
SITE |= {"site_volumes": {"media": {}, "scratch": {"driver": "task"}}}
SITE["site_services"]["web"]["containers"]["app"]["volumes"].append("scratch:/tmp/scratch")
SITE |= {
    "site_buckets": {"up": {"old_versions_days": 30}, "fleeting": {"versioned": False}, "theirs": {"name": "acme"}}
}


TIME = "2026-11-27T10:00Z"
AT = PART | {"kind": "time", "id": "db-1", "of": "db-1", "made": "2026-11-27T10:00:00+00:00"}
LEADING = {"name": "time-2026-11-27-100000", "parts": {"bucket.up": {"of": "b"}, "database.main": AT}, "without": []}
PATH = "Refuse a path of which it is not said in which volume or bucket, or that leads elsewhere"


def known(**typed: Any) -> dict[str, Any]:
    files = ("playbooks/vars/tunnel.yml", "playbooks/vars/restore.yml")
    given = {"site_prefix": "shop-prod", "ansible_check_mode": False}
    return variables(*files, **SITE) | given | typed


def refused(task: str, **typed: Any) -> str:
    """What an assert says; empty where it holds."""
    return refusal(TASKS[task], known(**typed))


def test_either_a_backup_is_named_or_a_time_or_the_way_back() -> None:
    task = "Refuse a run that is told neither a backup nor a time nor to go back, or two of them"
    assert refused(task, backup="one") == ""
    assert refused(task, time=TIME) == ""
    assert refused(task, back="true") == ""
    two: list[dict[str, Any]] = [
        {"backup": "one", "back": True},
        {"backup": "one", "time": TIME},
        {"time": TIME, "back": True},
    ]
    for wrong in (refused(task), *(refused(task, **typed) for typed in two), refused(task, backup="", time="")):
        assert wrong.startswith(
            "Name a backup, ansible-playbook restore.yml -i <inventory> -e backup=<name>, or a time, ansible-playbook "
        )
        assert "Which backups there are: ansible-playbook backups.yml" in wrong


PREVIEW = {"environment_name": "pr7", "preview_of": "test", "site_prefix": "shop-pr7"}
OTHER = {"name": "test.one", **{key: CHOICE[key] for key in ("parts", "without")}}


def test_data_of_another_environment_come_into_a_preview_of_it_alone() -> None:
    task = "Refuse data of another environment than the one that a preview environment is of"
    assert refused(task, backup="one") == ""
    assert refused(task, **PREVIEW, backup="one") == ""
    assert refused(task, **PREVIEW, **{"from": "test"}) == ""
    said = refused(task, **PREVIEW, **{"from": "prod"})
    assert said == (
        "-e from=prod: pr7 gets data of test alone, whose inventory it is brought up from. Type: ansible-playbook "
        "restore.yml -i <inventory> -e from=test"
    )
    assert refused(task, **PREVIEW, **{"from": "pr8"}).startswith("-e from=pr8: pr7 gets data of test alone")
    for wrong in ("test", "prod"):  # its own as well: a backup of its own needs no such word
        said = refused(task, **{"from": wrong}, backup="one")
        assert said.startswith(f"-e from={wrong}: data of another environment come into a preview environment alone")
        assert "restore.yml -i <inventory> -e environment=pr7 -e from=prod, or for a backup of its own: " in said


def test_of_another_environment_a_backup_is_meant_and_no_time() -> None:
    task = "Refuse a run that is told neither a backup nor a time nor to go back, or two of them"
    from_test = {**PREVIEW, "from": "test"}
    assert refused(task, **from_test) == ""
    assert refused(task, **from_test, backup="one") == ""
    for wrong in ({"time": TIME}, {"back": True}, {"time": TIME, "backup": "one"}):
        assert "or have the newest backup of test, ansible-playbook restore.yml -i <inventory> -e from=test. Which" in (
            refused(task, **from_test, **wrong)
        )
    assert "newest backup of" not in refused(task)


def test_what_is_typed_again_names_the_environment_and_the_backup_that_it_was() -> None:
    asked = {
        name: evaluate(value, known(**PREVIEW, **{"from": "test"}, ledger_bucket=""))
        for name, value in TASKS["Read the backup, or see what leads back to the time"]["backup_choice"].items()
    }
    assert (asked["prefix"], asked["name"]) == ("shop-pr7", "")
    assert [asked[name] for name in ("other", "other_prefix", "other_bucket")] == ["test", "shop-test", ""]
    kept = known(**PREVIEW, **{"from": "test"}, preview_of_ledger_bucket="kept", ledger_bucket="")
    asked = TASKS["Read the backup, or see what leads back to the time"]["backup_choice"]
    assert evaluate(asked["other_bucket"], kept) == "kept"
    typed = known(**PREVIEW, **{"from": "test"})
    assert evaluate("{{ restore_typed }}", typed) == "ansible-playbook restore.yml -i <inventory> -e from=test"
    chosen = typed | {"restore_choice": OTHER}
    assert evaluate("{{ restore_typed }}", chosen).endswith(" -e from=test -e backup=one")
    assert evaluate("{{ restore_point }}", chosen) == "test.one"
    assert evaluate("{{ restore_point_said }}", chosen) == "the backup one of test"
    there = chosen | {"restore_database": "main", "restore_done": DONE}
    told = evaluate(tasks_of(DATABASE)["Say how to go on"]["ansible.builtin.debug"]["msg"], there)
    assert "restore.yml -i <inventory> -e from=test -e backup=one -e confirm=pr7" in " ".join(told.split())


def test_only_a_database_of_berth_s_is_meant() -> None:
    task = "Refuse a database that the site has not"
    assert refused(task, backup="one") == ""
    assert refused(task, backup="one", database="main") == ""
    said = refused(task, backup="one", database="mian")
    assert said.startswith("The site has no database mian of Berth's (main, more): ansible-playbook restore.yml")
    assert said.endswith("-e backup=one -e database=main")
    assert "no database old of Berth's" in refused(task, back=True, database="old")


def test_only_a_volume_on_a_file_system_is_meant_and_a_path_of_it() -> None:
    task = "Refuse a volume that the site has not"
    assert refused(task, backup="one", volume="media") == ""
    said = refused(task, backup="one", volume="scratch")
    assert said.startswith("The site has no volume scratch on a file system (media): ansible-playbook restore.yml")
    assert said.endswith("-e backup=one -e volume=media")
    task = PATH
    for right in ("a.png", "2013/été/with space.png", ".hidden/..x"):
        assert refused(task, backup="one", volume="media", path=right) == "", right
    for wrong in ("/a.png", "a/", "a//b", "../b", "a/../b", ".", 'a"b', "a\\b"):
        said = refused(task, backup="one", volume="media", path=wrong)
        assert said.endswith("-e backup=one -e volume=media -e path=albums/2013"), wrong
    assert "-e volume=media" in refused(task, backup="one", path="a.png")


def test_only_a_bucket_of_berth_s_that_keeps_old_versions_is_meant_and_a_path_of_it() -> None:
    task = "Refuse a bucket that the site has not"
    assert refused(task, backup="one") == ""
    assert refused(task, backup="one", bucket="up") == ""
    for wrong in ("upp", "fleeting", "theirs"):
        said = refused(task, backup="one", bucket=wrong)
        assert said.startswith(
            f"The site has no bucket {wrong} of Berth's that keeps old versions (up): ansible-playbook"
        )
        assert said.endswith("-e backup=one -e bucket=up")
    assert refused(PATH, backup="one", bucket="up", path="albums/2013") == ""
    assert refused(PATH, backup="one", bucket="up", path="../a").endswith("-e bucket=up -e path=albums/2013")
    assert "of one volume or bucket" in refused(PATH, backup="one", bucket="up", volume="media", path="a")


@pytest.mark.parametrize(
    ("noun", "of", "none"),
    [
        ("database", "of Berth's (site_databases has none)", {"old": SITE["site_databases"]["old"]}),
        ("volume", "on a file system (site_volumes has none)", {"scratch": {"driver": "task"}}),
        ("bucket", "of Berth's that keeps old versions (site_buckets has none)", {"fleeting": {"versioned": False}}),
    ],
)
def test_no_name_is_told_where_the_site_has_nothing_of_the_kind(noun: str, of: str, none: dict[str, Any]) -> None:
    task = f"Refuse a {noun} that the site has not"
    mounted = [f"{name}:/srv/{name}" for name in none if noun == "volume"]
    service = {"containers": {"app": CONTAINER | {"volumes": mounted}}}
    site = {"site_services": {"web": service}, "site_volumes": {}, f"site_{noun}s": none}
    for typed, way in (({"backup": "one"}, "-e backup=one"), ({"back": True}, "-e back=true")):
        said = refused(task, **typed, **site, **{noun: "uploads"})
        assert said == f"The site has no {noun} uploads {of}: ansible-playbook restore.yml -i <inventory> {way}"


def test_a_path_is_told_of_what_the_site_has() -> None:
    site: dict[str, Any] = {"site_services": {"web": {"containers": {"app": CONTAINER}}}, "site_volumes": {}}
    assert "-e bucket=up -e path=" in refused(PATH, **site, backup="one", path="a")
    assert "-e volume=… -e path=" in refused(PATH, **site, site_buckets={}, backup="one", path="a")


@pytest.mark.parametrize(
    ("volume", "tls_only", "said"),
    [
        ("media", False, ""),
        ("media", True, "with tls_only its file system lets nobody mount more"),
        ("scratch", False, ""),
        ("other", False, "no container of a service mounts it to write to it"),
    ],
)
def test_files_of_a_volume_that_nobody_can_mount_are_not_restored(volume: str, tls_only: bool, said: str) -> None:
    check = tasks_of("playbooks/tasks/restore_task.yml")["Refuse a volume whose root nobody can mount"]
    there = copy.deepcopy(known(restore_volume=volume, backup="one"))
    there["site_volumes"] = {"media": {"tls_only": tls_only}, "scratch": {"driver": "task"}, "other": {}}
    there["site_services"]["web"]["containers"]["more"] = CONTAINER | {"volumes": ["other:/srv/other:ro"]}
    told = " ".join(str(evaluate(check["ansible.builtin.assert"]["fail_msg"], there)).split())
    assert holds(check["ansible.builtin.assert"]["that"], there) == (said == "")
    assert said in told


def test_a_table_is_of_one_database_and_is_not_switched_to() -> None:
    task = "Refuse a table of which it is not said in which database, or that the site is to be switched to"
    assert refused(task, backup="one") == ""
    assert refused(task, backup="one", database="main", table="orders") == ""
    assert "say of which database it is" in refused(task, backup="one", table="orders")
    for more in ({"confirm": "prod"}, {"back": True}):
        said = refused(task, backup="one", database="main", table="orders", **more)
        assert said.startswith("A table is taken out of a backup beside")
        assert said.endswith("-e backup=one -e database=main -e table=orders")


def test_a_switch_and_the_way_back_ask_for_the_word() -> None:
    task = "Refuse a word that is not the environment's"
    assert refused(task, backup="one") == ""
    assert refused(task, backup="one", confirm="prod") == ""
    assert refused(task, back=True, confirm="prod") == ""
    assert refused(task, back=True, ansible_check_mode=True) == ""
    assert refused(task, backup="one", confirm="prd").startswith("prd is not the environment. To say that it is meant")
    said = refused(task, back=True, database="main")
    assert said.startswith("The site would have its data of before again.")
    assert said.endswith("restore.yml -i <inventory> -e back=true -e database=main -e confirm=prod")


def test_hosts_that_let_no_port_through_are_told() -> None:
    task = "Refuse hosts that let no port through"
    assert "host_access_forwarding is none" in refused(task, host_access_forwarding="none")
    assert refused(task, host_access_forwarding="none", host_access_session_manager=True) == ""
    assert refused(task) == ""
    for files in ({"bucket": "up"}, {"volume": "media"}):  # no port leads to those
        assert refused(task, host_access_forwarding="none", **files) == ""
        assert refused(task, host_access_forwarding="none", database="main", **files) != ""


def test_only_the_switch_needs_a_closed_site() -> None:
    task = "Refuse to switch a site that may be in use"
    assert refused(task, backup="one", restore_page={"skipped": True}) == ""
    assert refused(task, backup="one", confirm="prod", restore_page={"on": True}) == ""
    assert refused(task, backup="one", confirm="prod", in_use="false", restore_page={"skipped": True}) == ""
    said = refused(task, backup="one", confirm="prod", restore_page={"on": False})
    assert "would be in what is put aside" in said
    assert said.endswith("-e backup=one -e confirm=prod -e in_use=false")


@pytest.mark.parametrize(
    ("typed", "databases", "volumes", "buckets"),
    [
        ({"backup": "one", "restore_choice": CHOICE}, ["main"], ["media"], ["up"]),
        ({"back": True}, ["main", "more"], ["media"], ["up"]),
        ({"back": True, "database": "more"}, ["more"], [], []),
        ({"back": True, "volume": "media"}, [], ["media"], []),
        ({"back": True, "bucket": "up"}, [], [], ["up"]),
    ],
)
def test_which_are_meant(typed: dict[str, Any], databases: list[str], volumes: list[str], buckets: list[str]) -> None:
    assert evaluate("{{ restore_databases }}", known(**typed)) == databases
    assert evaluate("{{ restore_volumes }}", known(**typed)) == volumes
    assert evaluate("{{ restore_buckets }}", known(**typed)) == buckets


def test_a_bucket_is_asked_for_as_inventory_and_backup_have_it() -> None:
    task = tasks_of(OBJECTS)["Compare the objects with those of then, and with the word bring those back"]
    there = known(backup="one", confirm="prod", restore_choice=CHOICE, restore_bucket="up", ledger_bucket="l", path="a")
    there |= {"restore_bucket_layer": {"outputs": {"bucket.up.BucketName": "shop-prod-up"}}}
    assert {name: evaluate(value, there) for name, value in task["bucket_restore"].items()} == {
        "prefix": "shop-prod", "bucket": "l", "entry": "up", "name": "one", "part": {"of": "b"}, "of": "shop-prod-up",
        "days": 30, "path": "a", "confirm": True, "back": False, "overwrite": False,
    }  # fmt: skip
    back = there | {"back": True, "restore_choice": {"skipped": True}}
    assert evaluate(task["bucket_restore"]["part"], back) == {}


@pytest.mark.parametrize(
    ("typed", "done", "said"),
    [
        ({}, {}, "The bucket is as it was. To have it as it was then: ansible-playbook restore.yml -i <"),
        ({}, {"back": 0, "away": 0}, "The bucket is as it was. There is nothing to bring back."),
        ({"confirm": "prod"}, {"state": "switched"}, "for 30 days. To go back to it: ansible-playbook restore.yml"),
        ({"confirm": "prod", "back": True}, {"state": "back"}, "kept in the bucket as old versions, for 30 days."),
        ({"confirm": "prod"}, {"state": "had"}, "-e backup=one -e bucket=up -e confirm=prod -e overwrite"),
        ({"confirm": "prod", "back": True}, {"state": "had"}, "has not been made what it was by restore.yml"),
        ({"ansible_check_mode": True}, {}, "In check mode nothing was changed."),
    ],
)  # fmt: skip
def test_it_says_how_to_go_on_with_a_bucket(typed: dict[str, Any], done: dict[str, Any], said: str) -> None:
    task = tasks_of(BUCKET)["Say how to go on with the bucket"]["ansible.builtin.debug"]
    objects = {"state": "beside", "back": 3, "away": 1, "path": ""} | done
    there = known(**({"backup": "one", "bucket": "up", "restore_bucket": "up", "restore_objects": objects} | typed))
    told = " ".join(str(evaluate(task["msg"], there)).split())
    assert said in told
    assert ("To go back to it" in told) == (objects["state"] == "switched")


def test_a_database_is_asked_for_as_inventory_and_backup_have_it() -> None:
    (task,) = tasks_of(COPY).values()
    there = known(backup="one", confirm="prod", restore_choice=CHOICE, restore_database="main", backup_wait_minutes=5)
    there |= {"groups": {"ecs_hosts": ["i-0a"]}, "hostvars": {"i-0a": {"inventory_hostname": "i-0a"}}}
    there |= {"restore_layers": {"outputs": {"database.main.InstanceId": "db-1"}}, "site_tags": {"Site": "shop"}}
    assert {name: evaluate(value, there) for name, value in task["database_restore"].items()} == {
        "database": "main", "backup": "one", "snapshot": "shop-prod-main-one", "instance": "db-1",
        "prefix": "shop-prod", "table": "", "time": "", "confirm": "prod", "wanted": "prod", "back": False,
        "named": False,
        "overwrite": False,
        "stack": "shop-prod-database-main", "dbname": "shop", "session_manager": False, "region": "us-east-1",
        "hosts": [{"name": "i-0a", "address": "i-0a", "user": "ec2-user", "key_file": "", "options": ""}],
        "tags": {"Site": "shop"}, "timeout": 300,
    }  # fmt: skip
    back = there | {"back": True, "restore_choice": {"skipped": True}}
    assert evaluate(task["database_restore"]["snapshot"], back) == ""
    planned = PART | {"id": "arn:aws:rds:us-east-1:1:snapshot:awsbackup:job-1", "snapshot": "awsbackup:job-1"}
    made = there | {"restore_choice": {"parts": {"database.main": planned}}}
    assert evaluate(task["database_restore"]["snapshot"], made) == "awsbackup:job-1", "what AWS Backup made by itself"
    timed = known(time=TIME, restore_choice=LEADING, restore_database="main")
    asked = {name: evaluate(task["database_restore"][name], timed) for name in ("backup", "snapshot", "time")}
    assert asked == {"backup": "time-2026-11-27-100000", "snapshot": "", "time": AT["made"]}


def test_a_time_is_asked_for_with_what_of_the_site_may_lead_there() -> None:
    task = TASKS["Read the backup, or see what leads back to the time"]["backup_choice"]
    asked = {name: evaluate(value, known(time=TIME, bucket="up", ledger_bucket="l")) for name, value in task.items()}
    assert (asked["name"], asked["time"]) == ("", TIME)
    assert asked["own"] == {"database": ["main", "more"], "volume": ["media"], "bucket": ["up"]}
    assert asked["days"] == {"up": 30}
    assert asked["typed"] == {"database": "", "volume": "", "bucket": "up"}
    assert evaluate("{{ restore_time }}", known(time="2026-11-27 10:00:00+00:00")) == "2026-11-27T10:00:00+00:00"


def test_a_time_is_typed_again_and_is_what_restores_are_noted_under() -> None:
    there = known(time=TIME, restore_choice=LEADING, database="main", confirm="prd")
    said = refused("Refuse a word that is not the environment's", **{key: there[key] for key in ("time", "confirm")})
    assert f"restore.yml -i <inventory> -e time={TIME} -e confirm=prod" in said
    for path in (OBJECTS, "playbooks/tasks/restore_volume.yml"):
        named = [
            task[module]["name"]
            for task in load(path)
            for module in ("bucket_restore", "volume_restore")
            if module in task
        ]
        assert [evaluate(each, there) for each in named] == ["time-2026-11-27-100000"], path
    assert evaluate("{{ restore_point }}", known(back=True)) == ""
    assert evaluate("{{ restore_databases }}", there) == ["main"]


DONE = {"beside": "shop_restore", "switched": False, "kept": ""}


@pytest.mark.parametrize(
    ("typed", "done", "said"),
    [
        ({}, DONE, "To switch to it: ansible-playbook restore.yml -i <inventory> -e backup=one -e confirm=prod"),
        ({"table": "orders"}, DONE, "The rows of orders as they were then are in the database shop_restore beside"),
        ({}, DONE | {"switched": True, "kept": "shop_before_1"}, "-e back=true -e database=main -e confirm=prod"),
        ({"back": True}, {"beside": "", "switched": True, "kept": "x"}, "The database x takes room as long as it is"),
        ({"ansible_check_mode": True}, DONE, "In check mode nothing was changed."),
    ],
)  # fmt: skip
def test_it_says_how_to_go_on(typed: dict[str, Any], done: dict[str, Any], said: str) -> None:
    task = tasks_of(DATABASE)["Say how to go on"]["ansible.builtin.debug"]
    there = known(**({"backup": "one", "restore_database": "main", "restore_done": done} | typed))
    assert said in " ".join(str(evaluate(task["msg"], there)).split())


def test_the_record_is_read_under_the_lock_and_nothing_is_restored_before_it_is_judged() -> None:
    (play,) = load("playbooks/restore.yml")
    names = [task["name"] for task in play["tasks"]]
    order = [
        "Lock the environment", "Read the backup, or see what leads back to the time", "Say what is not restored",
        "Refuse to switch a site that may be in use", "Restore the databases",
    ]  # fmt: skip
    assert [name for name in names if name in order] == order


@pytest.fixture
def site(aws: Cloud, tmp_path: Path) -> Site:
    made = Site(aws, tmp_path)
    made.describe(site_databases={"main": {}})
    a_host(aws, made.prefix)
    return made


@pytest.mark.playbook
def test_what_cannot_be_restored_is_told_and_the_ledger_has_it(site: Site, aws: Cloud) -> None:
    code, shown = site.type("restore", "-e", "backup=one")
    assert code == 2, shown
    assert "There is no backup one, nor any other yet of which anything could be restored. Make one first: " in shown
    assert re.search(
        r"ansible-playbook backup.yml -i \S+; then type: ansible-playbook restore.yml -i \S+ -e backup=<", shown
    )
    part = {"kind": "snapshot", "of": "db", "id": "shop-gone", "state": "good", "why": "", "bytes": 20 * 2**30}
    Points(aws.client("s3"), site.ledger).begin(
        {
            "name": "one", "run": "one", "who": "anna", "where": "laptop", "started": "2026-11-26T10:02:00+00:00",
            "seconds": 75.2, "outcome": "good", "release": "2026.11.3", "parts": {"database.main": part}, "without": [],
        }
    )  # fmt: skip
    code, shown = site.type("restore", "-e", "backup=on")
    assert "There is no backup on to restore; there are one. Type: ansible-playbook restore.yml" in shown
    code, shown = site.type("restore", "-e", "backup=one", "--check")
    assert code == 2, shown
    assert "The backup one was whole, and database.main is gone from it, so that cannot be restored." in shown
    code, shown = site.type("restore")
    assert "Name a backup, ansible-playbook restore.yml" in shown
    assert [(entry["verb"], entry["outcome"]) for entry in site.ledger.entries()] == [("restore", "failed")] * 2
    assert site.ledger.entries()[0]["arguments"]["backup"] == "on"
    assert site.ledger.lock.read() is None


@pytest.mark.playbook
def test_it_is_kept_out_by_a_lock_as_any_verb_that_changes_something(site: Site) -> None:
    site.ledger.lock.take(ANNA)
    code, shown = site.type("restore", "-e", "backup=one")
    assert code == 2
    assert "is locked: release by anna@laptop since " in shown


TEMPLATE = """
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: Enabled}}}
Outputs:
  BucketName: {Value: !Ref Bucket}
"""


@pytest.mark.playbook
@pytest.mark.long
def test_the_objects_of_then_are_brought_back_into_a_bucket_and_those_of_before_that(site: Site, aws: Cloud) -> None:
    site.describe(site_buckets={"up": {}})
    stacks, name = aws.client("cloudformation"), f"{site.prefix}-bucket-up"
    stacks.create_stack(StackName=name, TemplateBody=TEMPLATE)
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    s3, points = aws.client("s3"), Points(aws.client("s3"), site.ledger)
    bucket = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"][0]["OutputValue"]
    s3.put_object(Bucket=bucket, Key="harbour.png", Body=b"then")
    there = Bucket(s3, bucket)
    part = buckets.part(s3, bucket, 90, there.now())
    points.begin({"name": "one", "outcome": "good", "parts": {"bucket.up": part}, "without": []})
    while there.now().isoformat() == part["made"]:
        pass
    s3.put_object(Bucket=bucket, Key="harbour.png", Body=b"now")

    def content() -> bytes:
        return bytes(s3.get_object(Bucket=bucket, Key="harbour.png")["Body"].read())

    code, shown = site.type("restore", "-e", "backup=one")
    assert code == 0, site.shown
    assert "1 objects were there: 0 are as they are now, 1 have another content now" in shown
    assert (content(), "changed=0" in shown) == (b"now", True)
    (word,) = re.findall(r"-e confirm=([\w-]+)", shown)
    code, shown = site.type("restore", "-e", "backup=one", "-e", "bucket=up", "-e", f"confirm={word}")
    assert "Visitors may be writing to the site" in shown
    switch = ("-e", "bucket=up", "-e", f"confirm={word}", "-e", "in_use=false")
    for changed in (b"then", b"then"):  # the second time it has been
        code, shown = site.type("restore", "-e", "backup=one", *switch)
        assert (code, content()) == (0, changed), site.shown
    assert "has been made what it was in the backup one already" in shown
    code, shown = site.type("restore", "-e", "back=true", *switch)
    assert (code, content()) == (0, b"now"), site.shown
    code, shown = site.type("restore", "-e", "back=true", *switch)
    assert code == 2
    assert "There is nothing to go back to: the bucket up has not been made what it was" in shown
    restored = [entry["restored"]["bucket.up"] for entry in site.ledger.entries() if entry.get("restored")]
    assert [(each["back"], each["switched"]) for each in restored] == [(1, True), (1, True), (1, False)]


@pytest.mark.playbook
@pytest.mark.long
def test_a_bucket_is_what_it_was_at_a_time_and_what_it_was_before_that(site: Site, aws: Cloud) -> None:
    site.describe(site_buckets={"up": {}})
    stacks, name = aws.client("cloudformation"), f"{site.prefix}-bucket-up"
    stacks.create_stack(StackName=name, TemplateBody=TEMPLATE)
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    s3 = aws.client("s3")
    bucket = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"][0]["OutputValue"]
    there = Bucket(s3, bucket)

    def later() -> datetime:
        """Another second of S3's clock."""
        before = there.now()
        while (now := there.now()) == before:
            pass
        return now

    later()
    s3.put_object(Bucket=bucket, Key="harbour.png", Body=b"then")
    then = later()
    later()
    s3.put_object(Bucket=bucket, Key="harbour.png", Body=b"now")

    def content() -> bytes:
        return bytes(s3.get_object(Bucket=bucket, Key="harbour.png")["Body"].read())

    code, shown = site.type("restore", "-e", "time=2001-01-01T00:00Z")
    assert code == 2, shown
    assert "Not all of it leads back to 2001-01-01T00:00:00Z. bucket.up: its old versions lead back to 20" in shown
    time = ("-e", f"time={then:%Y-%m-%dT%H:%M:%S+00:00}")
    code, shown = site.type("restore", *time)
    assert code == 0, site.shown
    assert (
        f"at {then:%Y-%m-%d %H:%M:%S} UTC 1 objects were there: 0 are as they are now, 1 have another content" in shown
    )
    assert f"{' '.join(time)} -e confirm=" in shown
    (word,) = re.findall(r"-e confirm=([\w-]+)", shown)
    switch = ("-e", "bucket=up", "-e", f"confirm={word}", "-e", "in_use=false")
    for _ in range(2):  # the second time it has been
        code, shown = site.type("restore", *time, *switch)
        assert (code, content()) == (0, b"then"), site.shown
    assert f"has been made what it was in {time[1].removeprefix('time=')} already" in shown
    code, shown = site.type("restore", "-e", "back=true", *switch)
    assert (code, content()) == (0, b"now"), site.shown
    assert Points(s3, site.ledger).all() == [], "it is no backup"
    assert [entry["arguments"].get("time", "")[:4] for entry in site.ledger.entries()][-1] == "2001"
