"""The log group that RDS makes for a database expires as the other logs of the site do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import refused
from tests.unit.plugin_support import environment, playbook
from tests.unit.variables_support import holds, load, tasks_of, variables

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[3]
NAME = "/aws/rds/instance/db-1/postgresql"
(TASK,) = [
    task
    for task in yaml.safe_load((PROJECT / "playbooks/tasks/leftovers.yml").read_text())
    if "amazon.aws.cloudwatchlogs_log_group" in task
]


def expire(aws: Cloud, tmp_path: Path, *options: str, **given: Any) -> str:
    """Run the task of leftovers.yml; the recap."""
    known = {
        "site": {"outputs": {"database.main.InstanceId": "db-1"}},
        "site_databases": {"main": {}},
        "log_retention_days": 30,
    }
    run = playbook(tmp_path, [TASK | {"vars": known | given}], *options, **environment(aws))
    assert run.code == 0, run.output
    return run.recap


def kept(**days: int) -> dict[str, Any]:
    """The answer of preflight: for how many days the log of each database is kept."""
    return {"databases": {name: {"log_days": each} for name, each in days.items()}, "unasked": {}}


def retention(aws: Cloud, name: str = NAME) -> list[int | None]:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return [group.get("retentionInDays") for group in groups]


def test_the_log_expires_whether_rds_has_made_it_or_not(aws: Cloud, tmp_path: Path) -> None:
    assert "changed=1" in expire(aws, tmp_path)
    assert retention(aws) == [30]
    assert "changed=0" in expire(aws, tmp_path)


def test_a_log_that_was_kept_for_ever_is_set(aws: Cloud, tmp_path: Path) -> None:
    aws.client("logs").create_log_group(logGroupName=NAME)
    assert "changed=0" in expire(aws, tmp_path, "--check", preflight_asked=kept(main=0))
    assert retention(aws) == [None], "a check run changes nothing"
    assert "changed=1" in expire(aws, tmp_path, preflight_asked=kept(main=0))
    assert retention(aws) == [30]


def test_what_preflight_has_seen_to_be_right_costs_nothing(aws: Cloud, tmp_path: Path) -> None:
    assert "skipped=1" in expire(aws, tmp_path, preflight_asked=kept(main=30))
    assert "skipped=1" in expire(aws, tmp_path, site={"outputs": {}})
    assert "skipped=1" in expire(aws, tmp_path, preflight_asked={"unasked": {"database_log_days": "not authorized"}})
    assert retention(aws) == []


@pytest.mark.parametrize(
    ("complete", "asked", "wanted"),
    [
        (False, kept(), True),
        (True, kept(main=30), False),
        (True, kept(main=7), True),
        (True, kept(main=-1), True),
        (True, {"databases": {"main": {}}}, False),
        (True, kept() | {"certificates_left": []}, False),
        (True, kept() | {"certificates_left": ["arn:old"]}, True),
    ],
    ids=["changed", "as it should be", "other days", "no log yet", "not asked", "no certificate", "an old certificate"],
)
def test_only_where_something_is_to_be_put_right_are_tasks_brought_in_for_it(
    complete: bool, asked: dict[str, Any], wanted: bool
) -> None:
    (play,) = load("playbooks/keep.yml")
    when = tasks_of("playbooks/keep.yml")["See to what is to be done once the site works"]["when"]
    given = variables("playbooks/vars/layers.yml", **play["vars"], site={"complete": complete}, preflight_asked=asked)
    assert holds(when, given | {"log_retention_days": "30", "keep_due": False}) is wanted


def test_each_database_has_its_own_log(aws: Cloud, tmp_path: Path) -> None:
    outputs = {"database.main.InstanceId": "db-1", "database.stats.InstanceId": "db-2"}
    two = {"main": {}, "stats": {}, "old": {"endpoint": "db.example.net"}}
    expire(aws, tmp_path, site={"outputs": outputs}, site_databases=two, preflight_asked=kept(main=30, stats=7))
    assert retention(aws) == [], "this one is right already"
    assert retention(aws, NAME.replace("db-1", "db-2")) == [30]


def test_a_site_without_a_database_has_no_log(aws: Cloud, tmp_path: Path) -> None:
    expire(aws, tmp_path, site={"outputs": {}}, site_databases={}, preflight_asked=kept())
    assert retention(aws, "/aws/rds") == []


def test_the_database_is_no_customer_of_extended_support() -> None:
    template = (PROJECT / "cloudformation/database.yml").read_text()
    assert "EngineLifecycleSupport: open-source-rds-extended-support-disabled" in template


def test_rds_takes_the_word_for_it_when_the_database_is_made_and_later(aws: Cloud) -> None:
    rds, word = aws.client("rds"), "open-source-rds-extended-support-disabled"
    given = {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20}
    login = {"MasterUsername": "site", "MasterUserPassword": "not-a-secret-1"}
    for name, support in (("one", {"EngineLifecycleSupport": word}), ("two", {})):
        rds.create_db_instance(DBInstanceIdentifier=name, **given, **login, **support)
    rds.modify_db_instance(DBInstanceIdentifier="two", EngineLifecycleSupport=word)
    found = rds.describe_db_instances()["DBInstances"]
    assert [database.get("EngineLifecycleSupport") for database in found] == [word, word]
    with refused("past its end of standard support", "InvalidParameterCombination"):
        rds.create_db_instance(
            DBInstanceIdentifier="old", EngineVersion="13", EngineLifecycleSupport=word, **given, **login
        )
