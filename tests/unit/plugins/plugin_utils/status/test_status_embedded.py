"""The questions as the APIs of the embedded AWS answer them; what runs on a host is in tests/e2e."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.watched_support import Watched
from plugins.plugin_utils.status import certificate, databases, hosts, ledger, schedules, volumes
from plugins.plugin_utils.status.part import Part
from plugins.plugin_utils.status.services import Services
from tests.unit.plugins.plugin_utils.status.status_support import site


@pytest.fixture
def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def found(part: Part) -> Any:
    """The facts of a part of which nothing went unasked."""
    assert part.unasked == []
    return part.facts


def test_a_database_is_available_and_restorable(aws: Cloud, now: datetime.datetime) -> None:
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier="main", DBInstanceClass="db.t3.micro", Engine="postgres", EngineVersion="16",
        MasterUsername="shop", MasterUserPassword="never-shown", AllocatedStorage=20, BackupRetentionPeriod=7,
    )  # fmt: skip
    part = databases.look(aws.client, {"main": "main"}, now)
    (facts,) = found(part)
    assert (facts["status"], facts["class"], facts["storage_gb"]) == ("available", "db.t3.micro", 20)
    assert facts["engine"].startswith("postgres 16.")
    assert facts["restorable_age_seconds"] < 60
    assert part.wrong == []
    assert "never-shown" not in json.dumps(facts)


def test_a_volume_has_a_size_and_no_backup_here(aws: Cloud, now: datetime.datetime) -> None:
    made = aws.client("efs").create_file_system(CreationToken="one")["FileSystemId"]
    part = volumes.look(aws.client, {"uploads": made}, now)
    (facts,) = found(part)
    assert facts["status"] == "available"
    assert facts["newest_backup"] == ""
    assert part.wrong == []


def test_a_certificate_that_is_not_issued_yet(aws: Cloud, now: datetime.datetime) -> None:
    arn = aws.client("acm").request_certificate(DomainName="www.shop.test", ValidationMethod="DNS")["CertificateArn"]
    part = certificate.look(aws.client, arn, now)
    assert found(part)["domain"] == "www.shop.test"
    assert part.wrong[0]["what"] == "is PENDING_VALIDATION, not ISSUED"


def test_a_ledger_is_read_as_it_is_written(aws: Cloud, now: datetime.datetime) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="shop-ledger")
    assert found(ledger.look(aws.client, "shop-ledger", now)) == {"there": True, "lock": None, "verbs": []}
    for number in range(7):
        entry = {"verb": "site", "who": "anna", "outcome": "good", "started": f"2026-11-27T0{number}:00:00+00:00"}
        s3.put_object(Bucket="shop-ledger", Key=f"entries/2026-11-27T0{number}0000-r.json", Body=json.dumps(entry))
    s3.put_object(Bucket="shop-ledger", Key="entries/2026-11-28-r.json", Body="no JSON")
    told = found(ledger.look(aws.client, "shop-ledger", now))
    assert [each["started"] for each in told["verbs"]] == [f"2026-11-27T0{hour}:00:00Z" for hour in (6, 5, 4, 3, 2)]


def test_a_service_without_hosts_has_no_place(watched: Watched, now: datetime.datetime) -> None:
    client = watched.cloud.client
    ecs = client("ecs")
    ecs.create_cluster(clusterName="shop-prod")
    container = {"name": "app", "image": "shop/app", "memory": 64, "dockerLabels": {"berth.release": "r7"}}
    for name in ("web", "worker", "redis"):
        family = f"shop-prod-service-{name}"
        ecs.register_task_definition(family=family, containerDefinitions=[container])
        ecs.create_service(cluster="shop-prod", serviceName=name, taskDefinition=family, desiredCount=1)
    part, instances = hosts.look(client, "shop-prod", "none", now)
    assert found(part) == []
    assert [each["what"] for each in part.wrong] == ["no host takes tasks"]
    told = Services(client, "shop-prod", instances, now).look(site())
    assert [(each["name"], each["release"], each["running"]) for each in found(told)] == [
        ("web", "r7", 0), ("worker", "r7", 0), ("redis", "r7", 0),
    ]  # fmt: skip
    assert {each["about"] for each in told.wrong} == {"service.web", "service.worker", "service.redis"}


def test_a_schedule_that_never_ran_has_written_nothing(watched: Watched, now: datetime.datetime) -> None:
    client = watched.cloud.client
    client("ecs").create_cluster(clusterName="shop-prod")
    (facts,) = found(schedules.look(client, site(), now))
    assert (facts["name"], facts["last_wrote"], facts["stopped"]) == ("report", "", [])
    logs = client("logs")
    logs.create_log_group(logGroupName="/shop/prod/job/report")
    logs.create_log_stream(logGroupName="/shop/prod/job/report", logStreamName="report/report/1")
    at = int(now.timestamp() * 1000)
    logs.put_log_events(
        logGroupName="/shop/prod/job/report", logStreamName="report/report/1",
        logEvents=[{"timestamp": at, "message": "sent"}],
    )  # fmt: skip
    (facts,) = found(schedules.look(client, site(), now))
    assert facts["last_wrote"] == now.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_run_that_scheduler_gave_up_is_read_and_stays_where_it_is(watched: Watched, now: datetime.datetime) -> None:
    client = watched.cloud.client
    client("ecs").create_cluster(clusterName="shop-prod")
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="shop-prod-job-report-Lost")["QueueUrl"]
    asked = {"QueueUrl": url, "AttributeNames": ["QueueArn", "ApproximateNumberOfMessages"]}
    arn = sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
    stack = {
        "CreationTime": now - datetime.timedelta(days=9),
        "Outputs": [{"OutputKey": "DeadLetterQueueArn", "OutputValue": arn}],
    }
    (facts,) = found(schedules.look(client, site(), now, {"job.report": stack}))
    assert facts["lost"] == 0
    told = {"SCHEDULED_TIME": facts["due"], "ERROR_CODE": "AccessDeniedException", "ERROR_MESSAGE": "no"}
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    sqs.send_message(QueueUrl=url, MessageBody="{}", MessageAttributes=attributes)
    for _ in range(2):
        part = schedules.look(client, site(), now, {"job.report": stack})
        (facts,) = found(part)
        assert (facts["lost"], facts["state"]) == (1, "did not start")
        assert "AccessDeniedException: no" in part.wrong[0]["what"]
    assert sqs.get_queue_attributes(**asked)["Attributes"]["ApproximateNumberOfMessages"] == "1"
