"""The IAM policies in docs/ are those that the plugins and templates make, allow what is called, and little else."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.patches.acm import validation_record
from plugins.plugin_utils.tunnel import DOCUMENT
from scripts import operator_policy
from scripts.operator_policy import BY_HAND, PROJECT, SESSION, TRADES, Site, policies
from scripts.rights import calls, handlers, iam
from tests.unit.plugin_support import environment, playbook

SHOP = Site("shop", "eu-central-1", "123456789012", "aws", session_manager=True)
TYPE = "python scripts/operator_policy.py"


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allows(document: Mapping[str, Any], action: str, resource: str = "*", **context: str) -> bool:
    """What IAM would say, as far as the policies go: Allow statements, patterns, StringEquals."""
    for statement in document["Statement"]:
        wanted = statement.get("Condition", {}).get("StringEquals", {})
        if (
            any(fnmatch.fnmatchcase(action.lower(), each.lower()) for each in listed(statement["Action"]))
            and any(fnmatch.fnmatchcase(resource, each) for each in listed(statement["Resource"]))
            and all(context.get(key.replace(":", "_").replace("/", "_")) in listed(wanted[key]) for key in wanted)
        ):
            return True
    return False


def given(document: Mapping[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in listed(statement["Action"])}


@pytest.fixture(scope="module")
def shop() -> dict[str, dict[str, Any]]:
    return policies(SHOP)


@pytest.mark.parametrize("trade", TRADES)
def test_the_policies_are_up_to_date(trade: str) -> None:
    """Fails for a call without a right, and for a right without a call; the command mends both."""
    path = operator_policy.DOCS / f"operator-policy-{trade}.json"
    assert path.read_text() == operator_policy.text(policies(Site())[trade]), f"type: {TYPE}"


@pytest.mark.parametrize("trade", TRADES)
def test_each_is_short_enough_for_a_managed_policy_whatever_the_site_is_called(trade: str) -> None:
    """6,144 characters without white space: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    longest = Site("s" * 20, "ap-southeast-1", "1" * 12, "aws-us-gov", ("Z" * 32,), session_manager=True)
    document = policies(longest)[trade]
    assert len(re.sub(r"\s", "", json.dumps(document))) == operator_policy.length(document) <= 6144


# Calls


SCANNED = """
class Action:
    def run(self):
        self.client("kms").list_grants(KeyId="k")
        for page in self.client("elbv2").get_paginator("describe_target_health").paginate():
            pass
        listed(self.client("route53"), "list_resource_record_sets", "ResourceRecordSets")
        self._client.cancel_update_stack(StackName="s")

    def stack(self):
        return self.client("cloudformation", "us-east-1")
"""


def test_the_scan_finds_a_call_in_each_way_that_it_is_made(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(SCANNED)
    assert calls.scanned([tmp_path / "new.py"])["new"] == {
        ("kms", "ListGrants"),
        ("elbv2", "DescribeTargetHealth"),
        ("route53", "ListResourceRecordSets"),
        ("cloudformation", "CancelUpdateStack"),
    }


def test_a_call_that_changes_something_of_which_service_nobody_can_tell_is_no_call_to_guess(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(
        'a, b = client("ecs"), client("efs")\nc.describe_x\na.tag_resource()\nclient("ec2")\nb.describe_tags()\n'
    )
    with pytest.raises(ValueError, match="tag_resource is a call of ecs, efs"):
        calls.scanned([tmp_path / "new.py"])
    (tmp_path / "new.py").write_text('client("ec2")\nb = client("efs")\nb.describe_tags()\n')
    assert calls.scanned([tmp_path / "new.py"])["new"] == {("ec2", "DescribeTags"), ("efs", "DescribeTags")}
    (tmp_path / "handed.py").write_text("def look(ec2):\n    return ec2.describe_images()\n")
    (tmp_path / "makes.py").write_text('client("ec2"), client("ecr")\n')
    handed = calls.scanned([tmp_path / "handed.py", tmp_path / "makes.py"])["handed"]
    assert handed == {("ec2", "DescribeImages"), ("ecr", "DescribeImages")}


def test_a_new_call_of_a_plugin_is_a_new_right(monkeypatch: pytest.MonkeyPatch) -> None:
    new = {("ec2", "GetReservedInstancesExchangeQuote"), ("kms", "CreateGrant")}
    scanned = calls.scanned() | {"new": new}
    monkeypatch.setattr(calls, "scanned", lambda: scanned)
    needs = operator_policy.needs.__wrapped__()
    assert needs["operate"]["ec2:GetReservedInstancesExchangeQuote"] == {"new"}
    assert "new" in needs["deploy"]["kms:CreateGrant"]


def test_the_scan_finds_what_the_recording_heard_of_our_plugins() -> None:
    found = set[tuple[str, str]]().union(*calls.scanned().values())
    heard = {
        call
        for callers in calls.recorded().values()
        for caller, made in callers.items()
        if "." not in caller
        for call in made
    }
    assert heard, "no call of a plugin was recorded"
    assert heard <= found


def test_every_module_of_a_collection_that_calls_aws_was_recorded() -> None:
    """Else what it calls has no right; run `make e2e`, then `python scripts/operator_policy.py --recorded …`."""
    files = [path for folder in ("roles", "playbooks") for path in (PROJECT / folder).rglob("*.yml")]
    used = {
        name
        for path in files
        for name in re.findall(
            r"^\s*-?\s*(?:plugin: )?((?:amazon|community)\.aws\.\w+)", path.read_text(), re.MULTILINE
        )
    }
    used |= set(re.findall(r'"(amazon\.aws\.\w+)"', (PROJECT / "plugins/inventory/environment.py").read_text()))
    assert "amazon.aws.aws_ec2" in used
    assert "community.aws.efs" in used
    assert used <= calls.of_collections().keys()


def issued(aws: Cloud, domain: str) -> str:
    """ARN of a certificate that is issued, its record being there."""
    route53, record = aws.client("route53"), validation_record(domain)
    zone = route53.create_hosted_zone(Name=domain, CallerReference=domain)["HostedZone"]["Id"]
    made = {"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": record["Value"]}]}
    changes = [{"Action": "CREATE", "ResourceRecordSet": made}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    found = aws.client("acm").request_certificate(DomainName=domain, ValidationMethod="DNS")["CertificateArn"]
    assert aws.client("acm").describe_certificate(CertificateArn=found)["Certificate"]["Status"] == "ISSUED"
    return str(found)


def test_what_a_module_calls_is_recorded_and_what_the_end_to_end_run_never_meets_was(
    aws: Cloud, tmp_path: Path
) -> None:
    """A certificate that was left behind and a bucket with files, which teardown deletes; and a module of ours."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="shop-prod-files")
    s3.put_bucket_versioning(Bucket="shop-prod-files", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="shop-prod-files", Key="x", Body=b"x")
    arn = issued(aws, "shop.test")
    aws.client("secretsmanager").create_secret(Name="shop-prod/secret/admin/0a1b2c3d", SecretString="x")
    gone = {"name": "shop-prod/secret/admin/0a1b2c3d", "state": "absent", "recovery_window": 0}
    tasks = [
        {"name": "Give up", "community.aws.secretsmanager_secret": gone},
        {"name": "Delete", "community.aws.acm_certificate": {"certificate_arn": arn, "state": "absent"}},
        {"name": "Empty", "amazon.aws.s3_bucket": {"name": "shop-prod-files", "state": "absent", "force": True}},
        {"name": "Make", "service_linked_role": {"services": ["ecs.amazonaws.com"]}},
    ]
    recorder = {
        "PYTHONPATH": str(PROJECT / "tests/recorder"),
        "BERTH_CALLS": str(tmp_path / "calls"),
        "BERTH_VERB": "teardown.yml",
    }
    run = playbook(tmp_path, tasks, **environment(aws), **recorder)
    assert run.code == 0, run.output
    heard = json.loads(calls.summary((tmp_path / "calls").read_text().splitlines()))["teardown.yml"]
    for module, made in calls.RARE.items():
        assert set(heard[module]) >= {f"{service} {operation}" for service, operation in made}
        rights = {action for call in made for action in calls.actions(*call)}
        assert {action for call in heard[module] for action in calls.actions(*call.split())} == rights
    assert "iam CreateServiceLinkedRole" in heard["service_linked_role"]


def test_every_recorded_call_is_allowed_and_those_that_only_run_things_by_operate_alone() -> None:
    made = calls.recorded()
    assert not operator_policy.refused(made)
    alone = {verb: made[verb] for verb in ("hosts.yml", "exec.yml", "ssh_config.yml")}
    assert not operator_policy.refused(alone, ["operate"])
    assert "site.yml: cloudformation_stacks: cloudformation:CreateStack" in operator_policy.refused(made, ["operate"])


# CloudFormation


def test_the_rules_of_thumb_speak_of_what_the_schemas_say() -> None:
    used = handlers.resources()
    for kind, properties in handlers.PROPERTIES.items():
        assert kind in used
        for name, actions in properties.items():
            assert name in handlers.schema(kind)["properties"], f"{kind}.{name}"
            assert set(actions) <= handlers.named(kind), f"{kind}.{name}"
    for action in handlers.BEYOND:
        assert any(action in handlers.named(kind) for kind in used), action


@pytest.mark.parametrize(
    ("kind", "name", "action"),
    [
        ("AWS::IAM::Role", "ManagedPolicyArns", "iam:AttachRolePolicy"),
        ("AWS::S3::Bucket", "WebsiteConfiguration", "s3:PutBucketWebsite"),
        ("AWS::DynamoDB::Table", "ImportSourceSpecification", "dynamodb:ImportTable"),
    ],
)
def test_a_property_brings_its_rights_only_when_a_template_sets_it(
    kind: str, name: str, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert action not in handlers.needed(())
    used = handlers.resources()
    used[kind].add(name)
    monkeypatch.setattr(handlers, "resources", lambda: used)
    assert handlers.needed(())[action] == {kind}


def test_a_property_that_is_set_in_a_condition_counts() -> None:
    assert {"HostedZoneId", "Name"} <= handlers.resources()["AWS::Route53::RecordSet"]
    assert "LaunchConfigurationName" in handlers.resources()["AWS::AutoScaling::AutoScalingGroup"]
    assert "LaunchTemplate" in handlers.resources()["AWS::AutoScaling::AutoScalingGroup"]


def test_services_that_nothing_uses_are_left_out(shop: dict[str, dict[str, Any]]) -> None:
    services = {action.partition(":")[0] for document in shop.values() for action in given(document)}
    named = {action.partition(":")[0] for kind in handlers.resources() for action in handlers.named(kind)}
    strangers = {"redshift", "docdb-elastic", "cognito-idp", "vpc-lattice", "s3tables", "managed-fleets", "firehose"}
    assert strangers <= named, "the schemas name them"
    assert not strangers & services


# IAM


def test_iam_knows_every_action(shop: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """By the linter that knows AWS's own list; the wrong one shows that it looks."""
    unknown = {"Effect": "Allow", "Action": ["s3:REST.PUT.OBJECT"], "Resource": "*"}
    wrong = {**shop["deploy"], "Statement": [*shop["deploy"]["Statement"], unknown]}
    for name, documents in (("right", [*shop.values()]), ("wrong", [wrong])):
        resources = {
            f"Policy{number}": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
            for number, document in enumerate(documents)
        }
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))
        run = subprocess.run(
            [Path(sys.executable).parent / "cfn-lint", "--", path], capture_output=True, text=True, check=False
        )
        assert (run.returncode == 0) is (name == "right"), run.stdout
        assert name == "right" or "rest.put.object" in run.stdout


@pytest.mark.parametrize("trade", TRADES)
def test_an_action_is_granted_on_a_resource_of_its_own_types_or_on_everything(
    trade: str, shop: dict[str, dict[str, Any]]
) -> None:
    """Else IAM would grant nothing, without a word."""
    for action in given(shop[trade]):
        on = [
            resource
            for statement in shop[trade]["Statement"]
            if action in statement["Action"]
            for resource in listed(statement["Resource"])
        ]
        if "*" in on:
            continue
        service = action.partition(":")[0]
        kinds = {kind.lower() for kind in iam.kinds(action)}
        assert kinds, f"{action} takes no resource but *"
        formats = _formats(service)
        types = [formats[kind] for kind in kinds if kind in formats]
        assert any(re.match(expression, resource) for expression in types for resource in on), f"{action}: {on}"


def _formats(service: str) -> dict[str, str]:
    """Type of resource → what its ARNs look like."""
    return {
        kind.lower(): re.sub(r"\$\{\w+\}", "[^:]*", facts["ARNFormats"][0])
        for kind, facts in iam.reference()[service]["Resources"].items()
    }


SHOP_ARN = "arn:aws:{}:eu-central-1:123456789012:{}"
OURS_AND_NOT = [
    ("deploy", "cloudformation:DeleteStack", SHOP_ARN.format("cloudformation", "stack/{}-prod-database-main/0a1b")),
    ("data", "rds:DeleteDBInstance", SHOP_ARN.format("rds", "db:{}-prod-database-main-database-abc")),
    ("data", "secretsmanager:GetSecretValue", SHOP_ARN.format("secretsmanager", "secret:{}-prod/database/main-AbCdEf")),
    ("data", "s3:DeleteBucket", "arn:aws:s3:::{}-prod-bucket-static-abc"),
    ("data", "s3:DeleteObject", "arn:aws:s3:::{}-prod-bucket-static-abc/css/site.css"),
    ("data", "s3:DeleteObjectVersion", "arn:aws:s3:::{}-prod-bucket-uploads-abc/harbour.png"),
    ("data", "dynamodb:DeleteTable", SHOP_ARN.format("dynamodb", "table/{}-prod-table-items-Table-ABC")),
    ("deploy", "lambda:UpdateFunctionCode", SHOP_ARN.format("lambda", "function:{}-prod-function-items-Function-ABC")),
    ("data", "s3:PutObject", "arn:aws:s3:::{}-prod-code-codebucket-abc/0a1b.zip"),
    ("data", "s3:PutObjectTagging", "arn:aws:s3:::{}-prod-static-front-files-abc/index.html"),
    ("operate", "s3:ListBucketVersions", "arn:aws:s3:::{}-prod-bucket-uploads-abc"),
    ("deploy", "iam:PutRolePolicy", "arn:aws:iam::123456789012:role/{}-prod-service-web-TaskRole-abc"),
    ("deploy", "iam:DeleteInstanceProfile", "arn:aws:iam::123456789012:instance-profile/{}-prod-cluster-HostProfile-a"),
    ("deploy", "sqs:DeleteQueue", SHOP_ARN.format("sqs", "{}-prod-job-report-DeadLetterQueue-abc")),
    ("deploy", "scheduler:DeleteSchedule", SHOP_ARN.format("scheduler", "schedule/default/{}-prod-job-report-abc")),
    ("operate", "ecs:RunTask", SHOP_ARN.format("ecs", "task-definition/{}-prod-job-migrate:7")),
    ("operate", "ecs:UpdateService", SHOP_ARN.format("ecs", "service/{}-prod/web")),
    ("operate", "ecs:StopTask", SHOP_ARN.format("ecs", "task/{}-prod/0a1b")),
    ("operate", "ecs:UpdateContainerInstancesState", SHOP_ARN.format("ecs", "container-instance/{}-prod/0a1b")),
    ("operate", "ecr:PutImage", SHOP_ARN.format("ecr", "repository/{}-prod/django")),
    (
        "operate",
        "logs:GetLogEvents",
        SHOP_ARN.format("logs", "log-group:/{}/prod/service/web:log-stream:django/django/0a1b"),
    ),
    (
        "operate",
        "autoscaling:UpdateAutoScalingGroup",
        SHOP_ARN.format("autoscaling", "autoScalingGroup:0a1b:autoScalingGroupName/{}-prod-cluster-HostGroup-a"),
    ),
]
"""Trade, action, and what it may be done to: as long as it is the site's."""


@pytest.mark.parametrize(("trade", "action", "resource"), OURS_AND_NOT, ids=[row[1] for row in OURS_AND_NOT])
def test_what_is_the_sites_may_be_changed_and_what_is_anothers_not(
    trade: str, action: str, resource: str, shop: dict[str, dict[str, Any]]
) -> None:
    assert allows(shop[trade], action, resource.format("shop"))
    assert not allows(shop[trade], action, resource.format("blog"))
    assert not allows(shop[trade], action, resource.format("shop").replace("123456789012", "210987654321")) or (
        ":s3:" in resource
    )


def test_roles_are_passed_to_hosts_tasks_functions_and_schedules_only(shop: dict[str, dict[str, Any]]) -> None:
    role = "arn:aws:iam::123456789012:role/{}-prod-service-web-TaskRole-abc"
    for service in (
        "ecs-tasks.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com", "scheduler.amazonaws.com",
    ):  # fmt: skip
        assert allows(shop["operate"], "iam:PassRole", role.format("shop"), iam_PassedToService=service)
        assert not allows(shop["operate"], "iam:PassRole", role.format("blog"), iam_PassedToService=service)
    assert not allows(shop["operate"], "iam:PassRole", role.format("shop"), iam_PassedToService="glue.amazonaws.com")


def test_only_the_service_linked_roles_of_preflight_can_be_made(shop: dict[str, dict[str, Any]]) -> None:
    wanted = yaml.safe_load((PROJECT / "roles/preflight/vars/main/account.yml").read_text())["preflight_linked_roles"]
    role = "arn:aws:iam::123456789012:role/aws-service-role/{0}/AWSServiceRole"
    for service in wanted:
        assert allows(shop["deploy"], "iam:CreateServiceLinkedRole", role.format(service), iam_AWSServiceName=service)
    assert not allows(
        shop["deploy"],
        "iam:CreateServiceLinkedRole",
        role.format("sso.amazonaws.com"),
        iam_AWSServiceName="sso.amazonaws.com",
    )
    assert not allows(shop["deploy"], "iam:DeleteRole", role.format("ecs.amazonaws.com"))


def test_a_file_system_is_deleted_by_its_tag(shop: dict[str, dict[str, Any]]) -> None:
    system = SHOP_ARN.format("elasticfilesystem", "file-system/fs-0a1b")
    assert allows(shop["data"], "elasticfilesystem:DeleteFileSystem", system, aws_ResourceTag_Site="shop")
    assert not allows(shop["data"], "elasticfilesystem:DeleteFileSystem", system, aws_ResourceTag_Site="blog")
    assert not allows(shop["data"], "elasticfilesystem:DeleteFileSystem", system, aws_RequestedRegion="eu-central-1")


def test_records_may_be_bound_to_the_zones_of_several_names(tmp_path: Path) -> None:
    site = ["--site", "shop", "--region", "eu-central-1", "--account", "123456789012", "--output", str(tmp_path)]
    operator_policy.main([*site, "--hosted-zone", "Z1", "--hosted-zone", "Z2"])
    granted = set(re.findall(r"hostedzone/[^\"]+", (tmp_path / "operator-policy-deploy.json").read_text()))
    assert granted == {"hostedzone/Z1", "hostedzone/Z2"}
    operator_policy.main(site)
    assert "hostedzone/*" in (tmp_path / "operator-policy-deploy.json").read_text()


def test_a_cdn_is_made_and_its_certificate_in_the_only_region_that_it_takes_one_of(
    shop: dict[str, dict[str, Any]],
) -> None:
    assert allows(shop["deploy"], "acm:RequestCertificate", aws_RequestedRegion="us-east-1")
    for region, own in (("us-east-1", True), ("eu-central-1", True), ("eu-west-1", False)):
        stack = f"arn:aws:cloudformation:{region}:123456789012:stack/shop-live-edge-certificate/0a1b"
        assert allows(shop["deploy"], "cloudformation:CreateStack", stack) is own
    assert not allows(
        shop["deploy"],
        "cloudformation:CreateStack",
        "arn:aws:cloudformation:us-east-1:123456789012:stack/other-live/0a1b",
    )
    assert allows(shop["deploy"], "cloudfront:CreateDistribution", aws_RequestedRegion="us-east-1")
    assert not allows(shop["operate"], "cloudfront:CreateDistribution", aws_RequestedRegion="us-east-1")
    assert allows(shop["operate"], "cloudfront:GetDistribution", aws_RequestedRegion="us-east-1")


def test_what_cannot_be_scoped_by_name_holds_in_the_sites_region(shop: dict[str, dict[str, Any]]) -> None:
    for action in ("ec2:DeleteVpc", "elasticloadbalancing:DeleteLoadBalancer", "acm:DeleteCertificate"):
        assert allows(shop["deploy"], action, aws_RequestedRegion="eu-central-1")
        assert not allows(shop["deploy"], action, aws_RequestedRegion="eu-west-1")
    for action in ("ec2:DeleteVpc", "elasticloadbalancing:DeleteLoadBalancer"):
        assert not allows(shop["deploy"], action, aws_RequestedRegion="us-east-1")
    assert allows(shop["operate"], "ec2:DescribeRegions", aws_RequestedRegion="us-east-1")


def test_operate_alone_changes_nothing_that_holds_data(shop: dict[str, dict[str, Any]]) -> None:
    for action in given(shop["operate"]):
        service, _, name = action.partition(":")
        if service in (
            "rds",
            "dynamodb",
            "elasticfilesystem",
            "s3",
            "secretsmanager",
            "cloudformation",
            "ec2",
            "route53",
            "acm",
        ):
            assert name.startswith(("Describe", "List", "Get")) or action in operator_policy.LEDGER, action
    for action in operator_policy.LEDGER:
        assert allows(shop["operate"], action, "arn:aws:s3:::shop-prod-ledger-history-abc/lock.json")
        assert not allows(shop["operate"], action, "arn:aws:s3:::blog-prod-ledger-history-abc/lock.json")
        assert not allows(shop["operate"], action, "arn:aws:s3:::shop-prod-bucket-ledger-bucket-abc/x")
    assert not allows(
        shop["operate"], "secretsmanager:GetSecretValue", SHOP_ARN.format("secretsmanager", "secret:shop-")
    )
    assert not allows(shop["operate"], "s3:GetObject", "arn:aws:s3:::shop-prod-data-uploadbucket-a/x")


def test_no_policy_lets_anybody_read_or_write_what_is_in_a_table(shop: dict[str, dict[str, Any]]) -> None:
    items = ("Scan", "Query", "GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
    for action in (f"dynamodb:{name}" for name in items):
        for document in shop.values():
            assert not allows(document, action, SHOP_ARN.format("dynamodb", "table/shop-prod-table-items-Table-ABC"))


def test_what_was_built_is_read_and_written_and_uploads_are_only_brought_back(shop: dict[str, dict[str, Any]]) -> None:
    uploads = "arn:aws:s3:::shop-prod-bucket-uploads-bucket-abc/harbour.png"
    for action in operator_policy.CONTENT:
        assert allows(shop["data"], action, "arn:aws:s3:::shop-prod-code-codebucket-abc/0a1b.zip")
        assert allows(shop["data"], action, "arn:aws:s3:::shop-prod-static-front-files-abc/assets/app.js")
        assert allows(shop["data"], action, uploads) == (action != "s3:GetObject")
        for trade in ("deploy", "operate"):
            assert not allows(shop[trade], action, "arn:aws:s3:::shop-prod-static-front-files-abc/assets/app.js")
            assert not allows(shop[trade], action, uploads)
        for document in shop.values():
            assert not allows(document, action, "arn:aws:s3:::blog-prod-static-front-files-abc/index.html")
            assert not allows(document, action, "arn:aws:s3:::blog-prod-bucket-uploads-bucket-abc/harbour.png")
            assert not allows(document, action, "arn:aws:s3:::blog-prod-code-codebucket-abc/0a1b.zip")


def test_no_policy_lets_anybody_look_into_other_peoples_buckets_or_parameters(shop: dict[str, dict[str, Any]]) -> None:
    for document in shop.values():
        assert not allows(document, "s3:ListBucket", "arn:aws:s3:::payroll")
        assert not allows(document, "ssm:GetParameter", SHOP_ARN.format("ssm", "parameter/payroll/key"))
    assert allows(shop["operate"], "ssm:GetParameter", "arn:aws:ssm:eu-central-1::parameter/aws/service/ecs/x")


# Session Manager


def test_a_session_is_for_the_sites_hosts_through_the_documents_of_ssh_and_the_tunnel(
    shop: dict[str, dict[str, Any]],
) -> None:
    command = yaml.safe_load((PROJECT / "group_vars/all/site.yml").read_text())["host_ssh_session_manager"]
    (document,) = re.findall(r"--document-name (\S+)", command)
    host = SHOP_ARN.format("ec2", "instance/i-0a1b")
    assert allows(shop["operate"], "ssm:StartSession", host, ssm_resourceTag_Site="shop")
    assert not allows(shop["operate"], "ssm:StartSession", host, ssm_resourceTag_Site="blog")
    for each in (document, DOCUMENT):
        assert allows(shop["operate"], "ssm:StartSession", f"arn:aws:ssm:eu-central-1::document/{each}")
    assert not allows(shop["operate"], "ssm:StartSession", "arn:aws:ssm:eu-central-1::document/AWS-RunShellScript")
    ends = [
        statement["Resource"]
        for statement in shop["operate"]["Statement"]
        if "ssm:TerminateSession" in statement["Action"]
    ]
    assert ends == ["arn:aws:ssm:eu-central-1:123456789012:session/${aws:userid}-*"]


def test_without_session_manager_there_is_no_right_to_a_session() -> None:
    for document in policies(Site("shop", "eu-central-1", "123456789012", "aws")).values():
        assert not given(document) & set(SESSION)


def test_with_a_boundary_no_role_is_made_or_widened_without_it() -> None:
    bound = "arn:aws:iam::123456789012:policy/boundary"
    role = "arn:aws:iam::123456789012:role/shop-prod-service-web-TaskRole-abc"
    free, deploy = policies(SHOP)["deploy"], policies(dataclasses.replace(SHOP, boundary=bound))["deploy"]
    for action in operator_policy.BOUNDED:
        assert allows(deploy, action, role, iam_PermissionsBoundary=bound)
        assert not allows(deploy, action, role, iam_PermissionsBoundary=bound + "-of-another")
        assert not allows(deploy, action, role), "a role without one"
        assert allows(free, action, role) is (action != operator_policy.BOUND)
    assert allows(deploy, "iam:DeleteRole", role)
    assert not allows(deploy, "iam:DeleteRolePermissionsBoundary", role, iam_PermissionsBoundary=bound)
    longest = Site("s" * 20, "ap-southeast-1", "1" * 12, "aws-us-gov", ("Z" * 32,), True, f"{bound[:-8]}{'x' * 128}")
    assert all(operator_policy.length(document) <= 6144 for document in policies(longest).values())


def test_who_makes_what_is_under_a_key_of_the_account_may_use_it_and_no_other() -> None:
    keys = tuple(f"arn:aws:kms:eu-central-1:123456789012:key/{name}" for name in ("a", "b"))
    data = policies(dataclasses.replace(SHOP, kms_keys=keys))["data"]
    for action in operator_policy.ENCRYPTING:
        assert all(allows(data, action, key) for key in keys)
        assert not allows(data, action, keys[0][:-1] + "c")
        assert not allows(policies(SHOP)["data"], action, keys[0])
    (granting,) = (each for each in data["Statement"] if "kms:CreateGrant" in each["Action"])
    assert granting["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert operator_policy.length(data) <= 6144


def test_who_copies_backups_to_another_region_may_have_a_vault_there_and_nothing_else() -> None:
    away, data = "arn:aws:backup:eu-west-1:123456789012", policies(dataclasses.replace(SHOP, copy_region="eu-west-1"))
    vault = f"{away}:backup-vault:shop-prod-backup-copy-0a1b2c3d"
    assert allows(data["data"], "backup:CreateBackupVault", vault)
    assert not allows(policies(SHOP)["data"], "backup:CreateBackupVault", vault)
    assert not allows(data["data"], "backup:CreateBackupVault", f"{away}:backup-vault:other")
    stack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-prod-backup-copy/1"
    assert allows(data["deploy"], "cloudformation:CreateStack", stack)
    assert not allows(policies(SHOP)["deploy"], "cloudformation:CreateStack", stack)
    assert not allows(data["data"], "rds:DeleteDBInstance", "arn:aws:rds:eu-west-1:123456789012:db:shop-prod-main")


def test_a_snapshot_of_aws_backup_is_restored_and_a_plan_changed_only_by_its_tags() -> None:
    data = policies(SHOP)["data"]
    here = "eu-central-1:123456789012"
    snapshot = f"arn:aws:rds:{here}:snapshot:awsbackup:job-1"
    assert allows(data, "rds:RestoreDBInstanceFromDBSnapshot", snapshot)
    assert not allows(data, "rds:DeleteDBSnapshot", snapshot)
    plan = f"arn:aws:backup:{here}:backup-plan:1"
    assert allows(data, "backup:UpdateBackupPlan", plan, aws_ResourceTag_Site="shop")
    assert not allows(data, "backup:UpdateBackupPlan", plan, aws_ResourceTag_Site="other")
    assert allows(data, "backup:CreateBackupPlan", plan)


def test_a_database_of_the_site_is_restored_to_a_time_beside_it_by_who_looks_after_data() -> None:
    action, here = "rds:RestoreDBInstanceToPointInTime", "eu-central-1:123456789012"
    own = [
        f"arn:aws:rds:{here}:{each}" for each in ("db:shop-prod-main", "subgrp:shop-prod-x", "og:default:postgres-15")
    ]
    for trade, document in policies(SHOP).items():
        assert all(allows(document, action, each) for each in own) is (trade == "data")
        assert not allows(document, action, f"arn:aws:rds:{here}:db:other-prod-main")
        assert operator_policy.length(document) <= 6144


# The command


def test_the_command_takes_a_region_that_backups_are_copied_to(tmp_path: Path) -> None:
    site = ["--site", "shop", "--region", "eu-central-1", "--account", "123456789012", "--output", str(tmp_path)]
    operator_policy.main([*site, "--copy-region", "eu-west-1"])
    assert ":eu-west-1:" in (tmp_path / "operator-policy-data.json").read_text()


def test_the_command_takes_keys(tmp_path: Path) -> None:
    site = ["--site", "shop", "--region", "eu-central-1", "--account", "123456789012", "--output", str(tmp_path)]
    key = "arn:aws:kms:eu-central-1:123456789012:key/a"
    operator_policy.main([*site, "--kms-key", key])
    assert key in (tmp_path / "operator-policy-data.json").read_text()


def test_the_command_takes_a_boundary(tmp_path: Path) -> None:
    site = ["--site", "shop", "--region", "eu-central-1", "--account", "123456789012", "--output", str(tmp_path)]
    operator_policy.main([*site, "--permissions-boundary", "arn:aws:iam::123456789012:policy/boundary"])
    assert (
        '"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/boundary"'
        in (tmp_path / "operator-policy-deploy.json").read_text()
    )
    operator_policy.main(site)
    assert "Boundary" not in (tmp_path / "operator-policy-deploy.json").read_text()


def test_the_command_writes_the_policies_of_a_site(tmp_path: Path) -> None:
    operator_policy.main(
        ["--site", "shop", "--region", "us-gov-west-1", "--account", "123456789012", "--output", str(tmp_path / "new")]
    )
    for trade in TRADES:
        text = (tmp_path / "new" / f"operator-policy-{trade}.json").read_text()
        assert "arn:aws-us-gov:ecs:us-gov-west-1:123456789012:" in text or trade != "operate"
        assert not re.search(r"\b(SITE|REGION|ACCOUNT|PARTITION)\b", text)


def test_the_command_refuses_half_a_site(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        operator_policy.main(["--site", "shop"])
    assert "belong together" in capsys.readouterr().err


def test_what_is_named_by_hand_is_known_and_of_a_trade() -> None:
    for actions in BY_HAND.values():
        assert all(iam.known(action) for action in actions)
