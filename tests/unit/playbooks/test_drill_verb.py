"""The verb drill: what it restores, that it always removes it, and what it says where that fails."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.backups.drills import Drills
from plugins.plugin_utils.backups.point import Points
from tests.unit.ledger_support import a_host
from tests.unit.playbooks.test_locked_verbs import ANNA, Site
from tests.unit.playbooks.test_restore_verb import CHOICE, PART, SITE
from tests.unit.variables_support import PROJECT, evaluate, holds, load, tasks_of, variables

REMOVING = "tasks/drill_remove.yml"
A_DAY = "2099-01-01T00:00:00+00:00"
"""To come, so all that is in a bucket was there then."""


def known(**given: Any) -> dict[str, Any]:
    files = ("playbooks/vars/tunnel.yml", "playbooks/vars/restore.yml", "playbooks/vars/drill.yml")
    there = variables(*files, **SITE) | {"site_prefix": "shop-prod", "backup_wait_minutes": 5, "ledger_bucket": ""}
    choice = CHOICE | {"name": "one", "services": {"web": {"task_definition": "arn:web:7"}, "gone": {}}}
    return there | {"restore_choice": choice} | given


def included(tasks: list[dict[str, Any]]) -> list[str]:
    return [str(task.get("ansible.builtin.include_tasks", "")) for task in tasks]


def test_what_it_has_made_is_removed_however_it_ends_and_what_another_has_left_before() -> None:
    (play,) = load("playbooks/drill.yml")
    (block,) = [task for task in play["tasks"] if "block" in task]
    assert included(block["always"]) == [REMOVING]
    before = play["tasks"][: play["tasks"].index(block)]
    assert REMOVING in included(before), "of a drill that was killed"
    assert not any(REMOVING in included([task]) and "when" in task for task in before), "with remove=true as well"
    names = [task["name"] for task in before]
    assert names.index("Lock the environment") < names.index("Remove what an earlier drill has left")
    (end,) = block["rescue"]
    assert end["register"] == "drill_failed"
    assert play["tasks"].index(block) == len(play["tasks"]) - 2


def test_what_of_the_backup_is_not_tried_is_said_and_nothing_else() -> None:
    told = [
        "bucket.theirs: its old versions lead back there",
        "the release 1 of then: …",
        "secrets: …",
        "table.x: it is not",
    ]
    parts = dict.fromkeys(("database.main", "volume.media", "queue.x", "bucket.up"), PART)
    there = known(restore_choice={"parts": parts, "without": told})
    assert evaluate("{{ drill_untried }}", there) == ["queue.x", told[0], told[3]]
    assert evaluate("{{ drill_untried }}", there | {"buckets": "false"})[:2] == ["queue.x", "bucket.up"]


def test_the_buckets_are_read_as_backup_and_stacks_have_them_unless_somebody_says_no() -> None:
    assert evaluate("{{ drill_buckets }}", known()) == ["up"]
    assert evaluate("{{ drill_buckets }}", known(buckets="false")) == []
    (task, record) = tasks_of("playbooks/tasks/drill_bucket.yml").values()
    there = known(restore_bucket="up", restore_layers={"outputs": {"bucket.up.BucketName": "b"}})
    assert {name: evaluate(value, there) for name, value in task["bucket_drill"].items()} == {
        "entry": "up", "name": "one", "part": {"of": "b"}, "of": "b",
    }  # fmt: skip
    done = {"changed": False, "objects": 3, "bytes": 5, "checked": 2}
    facts = evaluate(record["drill_record"]["facts"], there | {task["register"]: done})
    assert facts == {"objects": 3, "bytes": 5, "checked": 2}


def test_with_remove_nothing_is_restored() -> None:
    (play,) = load("playbooks/drill.yml")
    (block,) = [task for task in play["tasks"] if "block" in task]
    for typed, wanted in (("true", False), ("false", True)):
        assert holds(block["when"], known(remove=typed)) is wanted
    read = tasks_of("playbooks/drill.yml")["Read the backup"]
    assert holds(read["when"], known(remove=True)) is False


def test_nothing_that_it_does_changes_what_the_site_has() -> None:
    """All that a drill makes is its own: no attempt of a restore, no instance of one, no switch."""
    for path in (PROJECT / "playbooks/tasks").glob("drill_*.yml"):
        for task in tasks_of(str(path.relative_to(PROJECT))).values():
            for given in (task.get("volume_restore"), (task.get("database_beside_delete"))):
                assert given is None or given.get("drill") or given.get("verbs") == ["drill"], task
            assert task.get("vars", {}).get("restore_step", "remove") not in ("switch", "back")
    volume = tasks_of("playbooks/tasks/drill_volume.yml")["Restore the files beside, and read each"]
    assert volume["vars"] == {"restore_drill": True}
    beside = tasks_of("playbooks/tasks/restore_beside.yml")
    for task in beside.values():
        if given := task.get("volume_restore"):
            assert evaluate(given["drill"], {}) is False
            assert evaluate(given["drill"], {"restore_drill": True}) is True
            assert given["name"] == "{{ restore_attempt.name }}"


def test_a_database_is_asked_for_as_inventory_and_backup_have_it() -> None:
    (task, _) = tasks_of("playbooks/tasks/drill_database.yml").values()
    there = known(restore_database="main", site_tags={"Site": "shop"})
    there |= {"groups": {"ecs_hosts": ["i-0a"]}, "hostvars": {"i-0a": {"inventory_hostname": "i-0a"}}}
    there |= {"restore_layers": {"outputs": {"database.main.InstanceId": "db-1"}}}
    assert {name: evaluate(value, there) for name, value in task["database_drill"].items()} == {
        "database": "main", "backup": "one", "snapshot": "shop-prod-main-one", "instance": "db-1",
        "prefix": "shop-prod", "stack": "shop-prod-database-main", "dbname": "shop", "session_manager": False,
        "region": "us-east-1", "tags": {"Site": "shop"}, "timeout": 300, "site_login": True,
        "hosts": [{"name": "i-0a", "address": "i-0a", "user": "ec2-user", "key_file": "", "options": ""}],
    }  # fmt: skip


def test_of_a_database_that_aws_backup_has_copied_the_snapshot_is_named_and_not_its_recovery_point() -> None:
    (task, _) = tasks_of("playbooks/tasks/drill_database.yml").values()
    arn = "arn:aws:rds:us-east-1:123456789012:snapshot:awsbackup:job-1"
    part = {"kind": "recovery point", "id": arn, "snapshot": "awsbackup:job-1"}
    there = known(restore_database="main", restore_choice={"name": "plan-1", "parts": {"database.main": part}})
    assert evaluate(task["database_drill"]["snapshot"], there).strip() == "awsbackup:job-1"


def test_the_site_is_started_on_what_was_restored_as_far_as_it_has_routes() -> None:
    assert evaluate("{{ drill_services }}", known()) == ["web"]
    assert evaluate("{{ drill_services }}", known(answers="false")) == []
    outputs = {
        "database.main.Endpoint": "main.rds.test", "database.main.SecretArn": "arn:master",
        "database.main.LoginArn": "arn:login", "volume.media.FileSystemId": "fs-1",
    }  # fmt: skip
    parts = {"database.main": {"rows": 1, "address": "beside.rds.test"}, "volume.media": {"attempt": "a"}}
    there = known(
        restore_layers={"outputs": outputs}, drill_proven={"drill": {"parts": parts}}, domain_name="shop.test"
    )
    there |= {"groups": {"ecs_hosts": []}, "hostvars": {}, "drill_service": "web"}
    (task, _) = tasks_of("playbooks/tasks/drill_service.yml").values()
    there |= {"drill_route": evaluate(task["vars"]["drill_route"], there)}
    given = {name: evaluate(value, there) for name, value in task["service_drill"].items()}
    assert given == {
        "cluster": "shop-prod", "service": "web", "task_definition": "arn:web:7", "container": "app", "port": 8000,
        "path": "/", "name": "shop.test", "hosts": [], "session_manager": False, "region": "us-east-1", "timeout": 300,
        "databases": [
            {
                "address": "main.rds.test", "beside": "beside.rds.test", "secrets": ["arn:login", "arn:master"],
                "login": "arn:login",
            }
        ],
        "folders": {"media": "fs-1:/berth-restore/beside/a/files"},
    }  # fmt: skip
    del outputs["database.main.LoginArn"]
    assert evaluate("{{ drill_databases }}", there)[0]["secrets"] == ["arn:master"]
    assert evaluate("{{ drill_databases }}", known()) == []


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"msg": "public.orders has 490 rows.\nSee docs"}, "public.orders has 490 rows."),
        ({"msg": ""}, "Restore the databases"),
        ({}, "Restore the databases"),
    ],
)
def test_the_reason_is_one_line_and_never_none(result: dict[str, Any], reason: str) -> None:
    (play,) = load("playbooks/drill.yml")
    (block,) = [task for task in play["tasks"] if "block" in task]
    there = known(ansible_failed_result=result, ansible_failed_task={"name": "Restore the databases"})
    assert evaluate(block["rescue"][0]["drill_record"]["reason"], there) == reason


def test_files_are_removed_as_far_as_aws_backup_has_come() -> None:
    (block,) = [task for task in load("playbooks/tasks/drill_remove_volume.yml") if "block" in task]
    assert holds(block["when"], {"drill_left": {"attempt": "a"}})
    assert not holds(block["when"], {"drill_left": {"attempt": ""}})
    (step,) = [task for task in block["block"] if task["name"] == "Remove what lies beside"]
    for restored, word in ((True, "remove-restored"), (False, "remove")):
        assert evaluate(step["vars"]["restore_step"], {"drill_over": {"restored": restored}}) == word
    assert evaluate(step["vars"]["restore_attempt"]["attempt"], {"drill_left": {"attempt": "a"}}) == "a"


@pytest.fixture
def site(aws: Cloud, tmp_path: Path) -> Site:
    made = Site(aws, tmp_path)
    made.describe(site_databases={"main": {}})
    a_host(aws, made.prefix)
    outputs = {"InstanceId": f"{made.prefix}-main", "Endpoint": "127.0.0.1", "Port": "5432", "SecretArn": "arn:secret"}
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    name = f"{made.prefix}-database-main"
    aws.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    return made


def subnets(aws: Cloud, site: Site) -> str:
    found = [each["SubnetId"] for each in aws.client("ec2").describe_subnets()["Subnets"]][:2]
    aws.client("rds").create_db_subnet_group(
        DBSubnetGroupName=site.prefix, DBSubnetGroupDescription="private", SubnetIds=found
    )
    return site.prefix


def a_point(site: Site, aws: Cloud, snapshot: str, name: str = "one") -> None:
    part = {"kind": "snapshot", "of": "db", "id": snapshot, "state": "good", "why": "", "bytes": 20 * 2**30}
    Points(aws.client("s3"), site.ledger).begin(
        {
            "name": name, "run": "r", "started": f"2026-11-26T10:0{len(name)}:00+00:00", "outcome": "good",
            "release": "2026.11.3", "parts": {"database.main": part}, "without": [],
        }
    )  # fmt: skip


@pytest.mark.playbook
def test_without_a_backup_it_says_what_to_type(site: Site) -> None:
    code, shown = site.type("drill")
    assert code == 2, shown
    assert "There is no backup yet of which anything could be restored. Make one first: " in shown
    code, shown = site.type("drill", "-e", "backup=nope")
    assert "There is no backup nope, nor any other yet of which anything could be restored. Make one first: " in shown
    assert re.search(
        r"ansible-playbook backup.yml -i \S+; then type: ansible-playbook drill.yml -i \S+ -e backup=<", shown
    )
    assert Drills(site.ledger).last() is None
    code, shown = site.type("drill", "-e", "remove=true")
    assert code == 0, shown


@pytest.mark.playbook
def test_one_that_fails_says_why_is_written_down_and_leaves_nothing(
    site: Site, aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real instance beside is made, and no host leads there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ssh").write_text("#!/bin/sh\necho port 22: Connection refused >&2; exit 255\n")
    (tmp_path / "bin/ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    rds = aws.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier=f"{site.prefix}-main", DBInstanceClass="db.t3.small", Engine="postgres",
        AllocatedStorage=20, MasterUsername="clerk", MasterUserPassword="p" * 9, DBSubnetGroupName=subnets(aws, site),
    )  # fmt: skip
    rds.create_db_snapshot(DBInstanceIdentifier=f"{site.prefix}-main", DBSnapshotIdentifier=f"{site.prefix}-one")
    a_point(site, aws, f"{site.prefix}-gone", "older")
    a_point(site, aws, f"{site.prefix}-one", "newest")
    code, shown = site.type("drill", "-e", "backup=nwest")
    assert "there are newest, older. Type: ansible-playbook drill.yml" in shown
    left = f"{site.prefix}-drill-0a1b2c3d"
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=left, DBSnapshotIdentifier=f"{site.prefix}-one",
        Tags=[{"Key": "Berth::Restore", "Value": "newest"}],
    )  # fmt: skip
    code, shown = site.type("drill")
    assert code == 2, shown
    assert f"the instance beside is being deleted: {left}" in shown, "of a drill that was killed"
    assert f"{site.prefix}-one is being restored to an instance beside" in shown
    assert "No host leads to the database main" in shown
    assert "The drill of the backup newest has failed, for the reason above" in shown
    last = Drills(site.ledger).last()
    assert last
    assert (last["backup"], last["outcome"]) == ("newest", "failed")
    assert last["reason"].startswith("No host leads to the database main")
    entry = site.ledger.entries()[0]
    assert (entry["verb"], entry["outcome"], entry["drill"]["outcome"]) == ("drill", "failed", "failed")
    there = [each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]]
    assert [name for name in there if "-drill-" in name] == []
    _, shown = site.type("backups", "-e", "format=json")
    assert "No host leads to the database main" in shown
    rds.delete_db_instance(DBInstanceIdentifier=f"{site.prefix}-main", SkipFinalSnapshot=True)


def a_stack(aws: Cloud, name: str, outputs: dict[str, str]) -> None:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    aws.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


@pytest.mark.playbook
@pytest.mark.long
def test_a_check_of_a_whole_site_goes_through_all_that_would_be_done(site: Site, aws: Cloud) -> None:
    """Each step with what inventory, stacks and backup say; beside it lies what another drill has left."""
    container = {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"], "volumes": ["media:/srv/media"]}
    services = {"web": {"containers": {"app": container}, "routes": [{"to": "app", "health": "/healthz"}]}}
    site.describe(
        site_databases={"main": {}}, site_volumes={"media": {}}, site_services=services, site_buckets={"up": {}}
    )
    system = aws.client("efs").create_file_system(CreationToken=site.prefix)
    a_stack(aws, f"{site.prefix}-volume-media", {"FileSystemId": system["FileSystemId"]})
    a_stack(aws, f"{site.prefix}-backup", {"BackupRoleArn": "arn:aws:iam::123456789012:role/backup"})
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName=site.prefix)
    definition = ecs.register_task_definition(
        family=f"{site.prefix}-service-web", networkMode="bridge",
        containerDefinitions=[
            {"name": "app", "image": "shop/web", "memory": 64, "portMappings": [{"containerPort": 8000, "hostPort": 0}]}
        ],
    )["taskDefinition"]["taskDefinitionArn"]  # fmt: skip
    ecs.create_service(cluster=site.prefix, serviceName=f"{site.prefix}-web", taskDefinition=definition, desiredCount=0)
    points, bucket = Points(aws.client("s3"), site.ledger), f"{site.prefix}-b"
    part = {"kind": "versions", "of": bucket, "id": "b", "state": "good", "made": "2026-11-26T10:02:00+00:00"}
    left = {"drill.volume.media": {"attempt": "0a1b", "state": "begun", "job": ""}}
    parts = {"volume.media": part, "database.main": part, "bucket.up": part | {"days": 99_999, "made": A_DAY}}
    aws.client("s3").create_bucket(Bucket=bucket)
    aws.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    aws.client("s3").put_object(Bucket=bucket, Key="harbour.png", Body=b"harbour")
    a_stack(aws, f"{site.prefix}-bucket-up", {"BucketName": bucket})
    points.begin(
        {
            "name": "one", "run": "r", "started": "2026-11-26T10:02:00+00:00", "outcome": "good", "restores": left,
            "release": "1", "services": {"web": {"task_definition": definition}}, "parts": parts, "without": [],
        }
    )  # fmt: skip
    code, shown = site.type("drill", "--check")
    assert code == 0, shown
    assert "b would be restored to an instance beside, copied there, and compared" in shown
    assert f"{site.prefix}-service-web:1 would be started on it, and asked" in shown
    assert "1 objects of then would be read (7 bytes)" in shown
    assert shown.count("TASK [Run a step at the root of the file system]") >= 3, "begin, settle, and remove"
    assert Drills(site.ledger).last() is None
    assert (points.read("one") or {})["restores"] == left
    assert ecs.list_task_definition_families(familyPrefix=f"{site.prefix}-drill-")["families"] == []
    code, shown = site.type("drill", "--check", "-e", "answers=false", "-e", "buckets=false", "-e", "backup=one")
    assert code == 0, shown
    assert "would be started on it" not in shown
    assert "not tried: bucket.up" in shown
    assert "objects of then" not in shown
    code, shown = site.type("drill", "--check", "-e", "remove=true")
    assert code == 0, shown
    assert "would be restored" not in shown


@pytest.mark.playbook
def test_it_is_kept_out_by_a_lock_as_any_verb_that_changes_something(site: Site) -> None:
    site.ledger.lock.take(ANNA)
    code, shown = site.type("drill")
    assert code == 2
    assert "is locked: release by anna@laptop since " in shown
