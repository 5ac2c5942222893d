"""Each part of a site is well where it is as it should be, and only there."""

from __future__ import annotations

import datetime
import io
import json
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from plugins.plugin_utils.status.hosts import is_behind
from tests.unit.plugins.plugin_utils.status.status_support import (
    NOW,
    STACKS,
    VARIABLES,
    Account,
    a_host,
    a_lost_run,
    a_service,
    a_stack,
    a_task,
    ago,
    said,
    site,
    status,
)

Answers = dict[str, Any]


def changed(operation: str, *path: Any, **values: Any) -> Account:
    """The account, some values of an answer being others."""
    account = Account()
    found = account.answers[operation]
    for step in path:
        found = found[step]
    found.update(values)
    return account


DATABASE = ("describe_db_instances", "DBInstances", 0)
SYSTEM = ("describe_file_systems", "FileSystems", 0)
CERTIFICATE = ("describe_certificate", "Certificate")
GROUP = ("describe_auto_scaling_groups", "AutoScalingGroups", 0)
IMAGE = ("describe_images", "Images", 0)


def stacks(*others: Answers) -> Account:
    """The site's stacks, some of them replaced."""
    names = {each["StackName"] for each in others}
    return Account(describe_stacks={"Stacks": [*(each for each in STACKS if each["StackName"] not in names), *others]})


def hosts(*given: Answers) -> Account:
    return Account(describe_container_instances={"containerInstances": list(given)})


def test_a_site_that_is_as_it_should_be_is_well() -> None:
    model = status(Account())
    assert said(model) == {}
    assert said(model, "notes") == {}
    assert model["unasked"] == []
    assert model["well"]
    assert model["site"]["up"]


@pytest.mark.parametrize(
    ("account", "about", "what"),
    [
        # Stacks
        (stacks(a_stack("network", "ROLLBACK_FAILED", StackStatusReason="no")), "network", "ROLLBACK_FAILED: no"),
        (stacks(a_stack("network", "UPDATE_ROLLBACK_FAILED")), "network", "its stack is UPDATE_ROLLBACK_FAILED"),
        (stacks(a_stack("network", "UPDATE_IN_PROGRESS", LastUpdatedTime=ago(hours=4))), "network", "for 4 hours"),
        (Account(describe_stacks={"Stacks": STACKS[1:]}), "site", "is not all there: network missing"),
        # Hosts
        (hosts(a_host(agentConnected=False)), "host i-0aaaaaaaaaaaaaaa1", "its ECS agent is not connected"),
        (hosts(a_host(agentConnected=False)), "hosts", "no host takes tasks"),
        (hosts(a_host(status="DRAINING")), "hosts", "no host takes tasks"),
        (hosts(), "host i-0aaaaaaaaaaaaaaa1", "has not joined the cluster 3 days after its launch"),
        (changed(*GROUP, DesiredCapacity=2), "hosts", "1 of 2 hosts take tasks"),
        # Certificate
        (changed(*CERTIFICATE, NotAfter=ago(days=-20, hours=-23)), "certificate", "ends in 20 days"),
        (changed(*CERTIFICATE, Status="PENDING_VALIDATION"), "certificate", "is PENDING_VALIDATION, not ISSUED"),
        # Databases
        (changed(*DATABASE, DBInstanceStatus="storage-full"), "database.main", "is storage-full"),
        (changed(*DATABASE, LatestRestorableTime=ago(minutes=61)), "database.main", "restored is 1 hour old"),
        (changed(*DATABASE, BackupRetentionPeriod=0), "database.main", "no automated backups: set its backup_days"),
        (Account(describe_db_snapshots={"DBSnapshots": []}), "database.main", "it has no automated backup"),
        (
            Account(describe_db_snapshots={"DBSnapshots": [{"SnapshotCreateTime": ago(days=3)}]}),
            "database.main", "its newest automated backup is 3 days old",
        ),
        (changed(*DATABASE, CACertificateIdentifier="rds-ca-2015"), "database.main",
         "ends in 29 days: write ca_certificate: rds-ca-rsa2048-g1 into site_databases.main"),
        (changed(*DATABASE, CertificateDetails={"ValidTill": ago(days=-29)}), "database.main",
         "its certificate ends in 29 days, and RDS has not renewed it"),
        # Volumes
        (changed(*SYSTEM, LifeCycleState="error"), "volume.uploads", "its file system is error"),
        (Account(list_recovery_points_by_resource={"RecoveryPoints": []}), "volume.uploads", "it has no backup"),
        (
            Account(list_recovery_points_by_resource={
                "RecoveryPoints": [{"Status": "COMPLETED", "CreationDate": ago(days=4)},
                                   {"Status": "EXPIRED", "CreationDate": ago(hours=1)}]}),
            "volume.uploads", "its newest backup is 4 days old",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(account: Account, about: str, what: str) -> None:
    model = status(account)
    assert any(what in each for each in said(model).get(about, [])), said(model)
    assert not model["well"]


@pytest.mark.parametrize(
    "account",
    [
        stacks(a_stack("network", "UPDATE_COMPLETE")),
        changed(*GROUP, DesiredCapacity=0),
        changed(*CERTIFICATE, NotAfter=ago(days=-21, hours=-1)),
        changed(*DATABASE, DBInstanceStatus="backing-up"),
        changed(*DATABASE, LatestRestorableTime=ago(minutes=59)),
        changed(*DATABASE, CertificateDetails={"ValidTill": ago(days=-30, hours=-1)}),
        changed(*DATABASE, CACertificateIdentifier="rds-ca-2019"),
        changed(*DATABASE, AllocatedStorage=50),
        Account(describe_db_snapshots={"DBSnapshots": [{"SnapshotCreateTime": ago(days=1)}]}),
        Account(list_recovery_points_by_resource={
            "RecoveryPoints": [{"Status": "COMPLETED", "CreationDate": ago(days=1)}]}),
    ],
)  # fmt: skip
def test_what_is_barely_right_is_right(account: Account) -> None:
    assert said(status(account)) == {}


def test_what_was_made_today_needs_no_backup_yet() -> None:
    account = Account(
        describe_db_snapshots={"DBSnapshots": []}, list_recovery_points_by_resource={"RecoveryPoints": []}
    )
    account.answers["describe_db_instances"]["DBInstances"][0]["InstanceCreateTime"] = ago(hours=3)
    account.answers["describe_file_systems"]["FileSystems"][0]["CreationTime"] = ago(hours=3)
    model = status(account)
    assert said(model) == {}
    assert model["databases"][0]["newest_backup"] == ""


@pytest.mark.parametrize(
    ("account", "about", "what"),
    [
        (stacks(a_stack("network", "UPDATE_IN_PROGRESS", LastUpdatedTime=ago(hours=2))), "network", "being changed"),
        (stacks(a_stack("network", "UPDATE_ROLLBACK_COMPLETE", StackStatusReason="no")), "network", "goes on: no"),
        (stacks(a_stack("network", DriftInformation={"StackDriftStatus": "DRIFTED"})), "network", "changed it by hand"),
        (changed(*IMAGE, CreationDate="2026-08-01T00:00:00.000Z"), "host i-0aaaaaaaaaaaaaaa1", "is 118 days old"),
        (changed(*GROUP, LaunchTemplate={"LaunchTemplateId": "lt-1", "Version": "5"}), "hosts", "1 is behind"),
        (changed(*DATABASE, PendingModifiedValues={"MasterUserPassword": "s3cret"}), "database.main",
         "changed at the next maintenance window: MasterUserPassword"),
        (changed(*DATABASE, CACertificateIdentifier="rds-ca-2019"), "database.main",
         "rds-ca-2019, the authority that signs its certificate, ends in 100 days: write ca_certificate: rds"),
        (changed(*DATABASE, AllocatedStorage=45), "database.main", "has 45 of the at most 50 GB"),
        (
            Account(describe_pending_maintenance_actions={"PendingMaintenanceActions": [{
                "PendingMaintenanceActionDetails": [
                    {"Action": "system-update", "Description": "New OS", "AutoAppliedAfterDate": ago(days=-9)}]}]}),
            "database.main", "maintenance waits: system-update (New OS), by itself after 2026-12-06",
        ),
    ],
)  # fmt: skip
def test_what_is_worth_knowing_does_not_make_it_unwell(account: Account, about: str, what: str) -> None:
    model = status(account)
    assert model["well"], said(model)
    assert any(what in each for each in said(model, "notes").get(about, [])), said(model, "notes")


@pytest.mark.parametrize(
    "account",
    [
        changed(*DATABASE, AllocatedStorage=44),
        changed(*DATABASE, AllocatedStorage=50, MaxAllocatedStorage=None),
        changed(*DATABASE, CACertificateIdentifier=""),
        changed(*DATABASE, CertificateDetails=None),
    ],
)
def test_a_database_of_which_nothing_is_to_be_said(account: Account) -> None:
    model = status(account)
    assert said(model) == said(model, "notes") == {}


@pytest.mark.parametrize(("state", "wrong"), [("Terminating:Wait", set()), ("InService", {"host i-2"})])
def test_a_host_that_leaves_need_not_join(state: str, wrong: set[str]) -> None:
    account = Account()
    members = account.answers["describe_auto_scaling_groups"]["AutoScalingGroups"][0]["Instances"]
    members.append(members[0] | {"InstanceId": "i-2", "LifecycleState": state})
    instances = account.answers["describe_instances"]["Reservations"][0]["Instances"]
    instances.append(instances[0] | {"InstanceId": "i-2"})
    assert set(said(status(account))) == wrong


def test_no_value_that_waits_is_told() -> None:
    assert "s3cret" not in json.dumps(
        status(changed(*DATABASE, PendingModifiedValues={"MasterUserPassword": "s3cret"}))
    )


@pytest.mark.parametrize(
    ("member", "group", "behind"),
    [
        ({"LaunchConfigurationName": "a"}, {"LaunchConfigurationName": "a"}, False),
        ({"LaunchConfigurationName": "a"}, {"LaunchConfigurationName": "b"}, True),
        ({}, {"LaunchConfigurationName": "b"}, True),  # that of an instance is gone once it is deleted
        ({"LaunchConfigurationName": "a"}, {"LaunchTemplate": {"LaunchTemplateId": "lt", "Version": "1"}}, True),
        ({"LaunchTemplate": {"LaunchTemplateId": "lt", "Version": "1"}},
         {"LaunchTemplate": {"LaunchTemplateId": "lt", "Version": "$Latest"}}, False),
        ({}, {}, False),
    ],
)  # fmt: skip
def test_a_host_is_behind_if_a_new_one_is_made_from_something_else(member: Any, group: Any, behind: bool) -> None:
    assert is_behind(member, group) is behind


# Schedules


DEFINITION = "arn:aws:ecs:us-east-1:1:task-definition/shop-prod-job-report:1"


def scheduled(code: int, *running: Answers, **more: Any) -> Account:
    """Of the job report one run has ended, and others run."""
    ended = a_task(1, code, taskDefinitionArn=DEFINITION, startedAt=ago(hours=6, minutes=30))
    there = {"STOPPED": [ended], "RUNNING": [*running]}

    def listed(desiredStatus: str, family: str = "", **_: Any) -> Answers:
        return {"taskArns": [desiredStatus] if family == "shop-prod-job-report" else []}

    return Account(
        list_tasks=listed,
        describe_tasks=lambda tasks, **_: {"tasks": [task for arn in tasks for task in there[arn]]},
        **more,
    )


def a_run(number: int, minutes: float) -> Answers:
    """A task of report that runs for so long."""
    return a_task(number, None, lastStatus="RUNNING", startedAt=ago(minutes=minutes), taskDefinitionArn=DEFINITION)


def streams(**span: float) -> Answers:
    """The log, of which the newest stream was made so long ago."""
    at = int(ago(**span).timestamp() * 1000)
    return {"logStreams": [{"creationTime": at, "lastEventTimestamp": at + 1000}]}


def test_a_scheduled_job_tells_when_it_wrote_and_how_it_ended() -> None:
    model = status(scheduled(0))
    (report,) = model["schedules"]
    assert report["last_wrote"] == "2026-11-27T03:30:00Z"
    assert (report["state"], report["due"], report["exit_code"], report["running"]) == (
        "well",
        "2026-11-27T03:00:00Z",
        0,
        0,
    )
    assert report["began"] == "2026-11-27T03:00:00Z"
    assert [each["reason"] for each in report["stopped"]] == [
        "Essential container in task exited (app ended with exit code 0)"
    ]
    assert model["well"]
    failed = status(scheduled(1))
    assert said(failed)["job.report"][0].startswith("its last run failed 13 minutes ago: Essential container")
    assert failed["wrong"][0]["type"].endswith(" -e job=report")
    assert (failed["schedules"][0]["state"], failed["schedules"][0]["exit_code"]) == ("failed", 1)


def test_a_run_that_did_not_begin_is_told_with_what_runs_it() -> None:
    model = status(Account(describe_log_streams=streams(days=1, hours=6)))
    (found,) = model["wrong"]
    assert found["about"] == "job.report"
    assert found["what"].startswith("did not start at 2026-11-27 03:00 UTC: no task and no log of it is there.")
    assert found["type"].endswith("run.yml -i <inventory> -e job=report")
    assert model["schedules"][0]["state"] == "did not start"
    gone = {"Messages": [a_lost_run("2026-11-26T03:00:00Z"), a_lost_run("2026-11-27T03:00:00Z")]}
    told = status(Account(describe_log_streams=streams(days=1, hours=6), receive_message=gone))
    assert said(told)["job.report"][0].endswith("UTC: AccessDeniedException: no (Scheduler gave up after 3 retries)")
    assert told["schedules"][0]["lost"] == 1
    assert status(Account(receive_message={"Messages": gone["Messages"][:1]}))["well"], "a later one has run"


def test_a_job_is_not_due_before_it_is_there() -> None:
    others = [each for each in STACKS if each["StackName"] != "shop-prod-job-report"]
    new = a_stack("job.report", CreationTime=ago(days=9), LastUpdatedTime=ago(hours=2))
    model = status(Account(describe_stacks={"Stacks": [*others, new]}, describe_log_streams={"logStreams": []}))
    assert model["schedules"][0]["state"] == "not due yet"
    assert model["schedules"][0]["due"] == ""
    assert model["well"]
    old = a_stack("job.report", LastUpdatedTime=ago(hours=7))
    silent = status(Account(describe_stacks={"Stacks": [*others, old]}, describe_log_streams={"logStreams": []}))
    assert silent["schedules"][0]["state"] == "not known"
    assert silent["well"]
    assert said(silent, "notes")["job.report"][0].startswith("nothing tells whether it ran at 2026-11-27 03:00 UTC")


def test_a_run_that_goes_on_too_long_and_two_at_once_are_told_with_what_ends_them() -> None:
    long = status(scheduled(0, a_run(7, 40)))
    assert said(long)["job.report"][0] == "is late: it has run for 40 minutes, and has minutes: 15"
    assert long["wrong"][0]["type"].endswith(f"run.yml -i <inventory> -e stop={7:032x}")
    assert (long["schedules"][0]["exit_code"], long["schedules"][0]["running"]) == (None, 1)
    two = status(scheduled(0, a_run(7, 10), a_run(8, 5)))
    assert said(two)["job.report"][0] == "runs 2 times at once"
    assert two["wrong"][0]["type"].endswith(f"-e stop={8:032x}")
    assert two["schedules"][0]["state"] == "runs"
    report = VARIABLES["site_jobs"]["report"] | {"overlap": "allowed"}
    allowed = site(site_jobs=VARIABLES["site_jobs"] | {"report": report})
    assert status(scheduled(0, a_run(7, 10), a_run(8, 5)), allowed)["well"]


def test_a_run_that_is_still_tried_is_late_and_no_alarm() -> None:
    hourly = VARIABLES["site_jobs"]["report"] | {"schedule": "10 9 * * *"}
    due = site(site_jobs=VARIABLES["site_jobs"] | {"report": hourly})
    model = status(Account(describe_log_streams=streams(days=1)), due)
    assert model["well"]
    assert [each["what"] for each in model["notes"] if each["about"] == "job.report"] == [
        "is late: it was due 20 minutes ago and has not begun; Scheduler goes on trying for an hour"
    ]


# Ledger


def ledger(lock: Answers | None = None, renewed: datetime.datetime = NOW, **entry: Any) -> Account:
    entry = {"verb": "release", "who": "anna", "outcome": "good", "started": "2026-11-27T09:00:00+00:00"} | entry

    def read(Bucket: str, Key: str) -> Answers:
        assert Bucket == "shop-prod-ledger"
        if Key == "lock.json" and not lock:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        content = lock if Key == "lock.json" else {"token": "x", "release": Key} | entry
        told = {"ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(NOW, usegmt=True)}}, "ETag": "e"}
        return told | {"Body": io.BytesIO(json.dumps(content).encode()), "LastModified": renewed}

    names = [f"entries/2026112{day}T0900-r.json" for day in range(8)]
    return Account(list_objects_v2={"Contents": [{"Key": each} for each in names]}, get_object=read)


HELD = {"verb": "release", "who": "anna", "where": "laptop", "run": "r1", "ttl": 300, "token": "x"}


def test_the_ledger_tells_the_last_five_verbs_and_who_holds_the_lock() -> None:
    told = status(ledger(HELD, ago(seconds=299)))["ledger"]
    assert [each["release"][15:16] for each in told["verbs"]] == list("76543")
    assert told["verbs"][0]["age_seconds"] == 1800
    assert "token" not in told["verbs"][0] | told["lock"]
    assert (told["lock"]["who"], told["lock"]["where"]) == ("anna", "laptop")


@pytest.mark.parametrize("account", [ledger(), ledger(HELD, ago(seconds=301))])
def test_a_lock_that_has_expired_is_nobodys(account: Account) -> None:
    assert status(account)["ledger"]["lock"] is None


@pytest.mark.parametrize(
    ("account", "outcome"),
    [
        (ledger(HELD, outcome="running", run="r1"), "running"),
        (ledger(HELD, outcome="running", run="r0"), "interrupted"),
        (ledger(HELD, ago(seconds=301), outcome="running", run="r1"), "interrupted"),
    ],
)
def test_a_run_that_holds_no_lock_runs_no_more(account: Account, outcome: str) -> None:
    assert {each["outcome"] for each in status(account)["ledger"]["verbs"]} == {outcome}


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (
            {"outcome": "failed", "reason": "no room"},
            "the last run, release by anna 30 minutes ago, has failed: no room",
        ),
        ({"outcome": "failed"}, "the last run, release by anna 30 minutes ago, has failed"),
        ({"outcome": "running", "run": "r0"}, "release by anna 30 minutes ago, was interrupted: the run was killed"),
        ({"outcome": "good"}, ""),
    ],
)
def test_why_the_last_run_has_failed_is_worth_knowing(entry: Answers, what: str) -> None:
    model = status(ledger(HELD, **entry))
    assert model["well"]
    notes = [each for each in model["notes"] if each["about"] == "ledger"]
    assert [what in each["what"] for each in notes] == [True] * bool(what)
    assert all(each["type"].endswith(" -e all=true") for each in notes)


def test_a_run_that_failed_before_a_good_one_is_of_the_past() -> None:
    runs = iter(["running", "good", "failed", "failed", "failed"])
    account = ledger(HELD, run="r1")
    read = account.answers["get_object"]

    def newest_first(Bucket: str, Key: str) -> Answers:
        answer: Answers = read(Bucket=Bucket, Key=Key)
        if Key.startswith("entries/"):
            content = json.loads(answer["Body"].read()) | {"outcome": next(runs)}
            answer["Body"] = io.BytesIO(json.dumps(content).encode())
        return answer

    account.answers["get_object"] = newest_first
    assert said(status(account), "notes") == {}


def test_a_site_without_a_ledger_says_so() -> None:
    model = status(Account(describe_stacks={"Stacks": STACKS[:-1]}))
    assert model["ledger"]["there"] is False
    assert model["well"]


# Of no use to ask


def test_a_right_that_is_missing_is_named_and_ends_nothing() -> None:
    account = Account()
    account.refused = {
        "describe_db_instances", "describe_target_health", "list_recovery_points_by_resource", "describe_images",
        "list_objects_v2",
    }  # fmt: skip
    model = status(account)
    assert {(each["about"], each["action"]) for each in model["unasked"]} == {
        ("database.main", "rds:DescribeDBInstances"),
        ("service.web", "elasticloadbalancing:DescribeTargetHealth"),
        ("volume.uploads", "backup:ListRecoveryPointsByResource"),
        ("image ami-0123456789abcdef0", "ec2:DescribeImages"),
        ("ledger", "s3:ListBucket"),
    }
    assert said(model) == {}
    assert model["volumes"][0]["newest_backup"] is None


@pytest.mark.parametrize("operation", sorted(Account().answers))
def test_whatever_may_not_be_asked_ends_nothing_and_is_told(operation: str) -> None:
    account = Account(list_tasks={"taskArns": ["one"]}, describe_tasks={"tasks": [a_task()]})
    account.answers["describe_target_health"]["TargetHealthDescriptions"][0]["TargetHealth"]["State"] = "unhealthy"
    account.refused = {operation}
    assert [each for each in status(account)["unasked"] if each["action"]], operation


def test_a_site_that_is_not_there_is_not_asked_about() -> None:
    account = Account(describe_stacks={"Stacks": [a_stack("network") | {"StackName": "shop-production-network"}]})
    model = status(account)
    assert said(model) == {"site": ["is not up: it has no stack here"]}
    assert model["wrong"][0]["type"].startswith("ansible-playbook site.yml ")
    assert account.asked == ["describe_stacks"]
    assert not model["site"]["up"]
    assert model["cost"] is None


def test_stacks_of_another_site_are_not_this_ones() -> None:
    other = a_stack("network", "ROLLBACK_FAILED") | {"StackName": "shop-prod-two-network"}
    model = status(Account(describe_stacks={"Stacks": [*STACKS, other]}))
    assert model["well"]
    assert len(model["stacks"]) == len(STACKS)


def test_an_aws_that_cannot_be_reached_ends_it() -> None:
    lost = EndpointConnectionError(endpoint_url="https://rds.us-east-1.amazonaws.com")
    with pytest.raises(EndpointConnectionError):
        status(Account(describe_db_instances=lost))


def test_stacks_that_may_not_be_seen_say_nothing_of_the_site() -> None:
    account = Account()
    account.refused = {"describe_stacks"}
    model = status(account)
    assert said(model) == {"site": ["could not be asked (DescribeStacks: no DescribeStacks)"]}
    assert model["unasked"][0]["action"] == "cloudformation:DescribeStacks"


def test_a_service_more_or_less_than_the_inventory_has_is_told() -> None:
    account = Account(
        describe_services={"services": [a_service("web"), a_service("old")]}, list_services={"serviceArns": ["a"]}
    )
    model = status(account, site())
    assert said(model) == {"service.worker": ["does not run"], "service.redis": ["does not run"]}
    assert said(model, "notes")["service.old"] == ["runs, but the inventory has it no longer"]


def test_the_model_is_plain() -> None:
    model = status(Account())
    assert json.loads(json.dumps(model)) == model
    assert model["site"]["asked"] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
