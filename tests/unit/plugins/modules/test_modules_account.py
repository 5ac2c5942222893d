"""Modules that ask the account, against moto: what they find, and what they do not take for ours."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.action import service_linked_role
from plugins.modules import aws_account_info, environment_lock, leftovers
from plugins.plugin_utils.account import gathering, places, quotas, tables
from plugins.plugin_utils.aws_action import Failed, specification
from tests.unit.plugin_support import environment, playbook

pytestmark = pytest.mark.playbook

MODULES = Path(__file__).resolve().parents[4] / "plugins" / "modules"


def test_the_documentation_is_the_specification() -> None:
    assert specification(leftovers.DOCUMENTATION) == leftovers.SPECIFICATION


def test_what_a_module_shares_with_others_is_of_its_specification_and_its_own_goes_before_it() -> None:
    found = specification(environment_lock.DOCUMENTATION)
    assert (found["bucket"], found["verb"]["required"]) == ({"type": "str", "default": ""}, True)
    own = "extends_documentation_fragment: [ledger, amazon.aws.boto3]\noptions: {bucket: {type: int}}"
    assert (specification(own)["bucket"], specification(own)["prefix"]["required"]) == ({"type": "int"}, True)


@pytest.mark.parametrize("path", sorted(MODULES.glob("*.py")), ids=lambda path: path.stem)
def test_the_documentation_is_complete(path: Path) -> None:
    module = importlib.import_module(f"plugins.modules.{path.stem}")
    documented = yaml.safe_load(module.DOCUMENTATION)
    assert documented["module"] == path.stem
    assert all(option.get("description") for option in documented["options"].values())
    assert f"{path.stem}:" in module.EXAMPLES
    assert yaml.safe_load(module.EXAMPLES)
    assert yaml.safe_load(module.RETURN)


def ask(client: Any, **wanted: Any) -> dict[str, Any]:
    """The facts for these arguments; `client` is an embedded AWS, or what gives its clients."""
    options = specification(aws_account_info.DOCUMENTATION)
    assert set(wanted) <= set(options)
    given = {name: option.get("default") for name, option in options.items()} | wanted
    return gathering.gather(client.client if isinstance(client, Cloud) else client, given)


def test_the_account_tells_its_zones_and_its_ami(aws: Cloud) -> None:
    parameter = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    facts = ask(aws, instance_type="t2.micro", ami_parameter=parameter, ami_id="ami-00000000000000000")
    assert facts["account"] == "123456789012"
    assert facts["partition"] == "aws"
    assert facts["region"] == "us-east-1"
    zones = facts["availability_zones"]
    assert zones["suitable"]
    assert set(zones["suitable"]) <= set(zones["instance_type"]) <= set(zones["available"])
    assert facts["ami"]["id"].startswith("ami-")
    assert facts["ami_pinned"]["found"] is False


def test_an_instance_type_that_nobody_offers_leaves_no_zone(aws: Cloud) -> None:
    zones = ask(aws, instance_type="t2.gigantic")["availability_zones"]
    assert zones["available"]
    assert zones["suitable"] == zones["instance_type"] == []


class OfferedDatabases:
    """RDS that offers two versions of PostgreSQL in different zones."""

    def get_paginator(self, _: str) -> Any:
        options = [
            {"EngineVersion": "15.10", "AvailabilityZones": [{"Name": "us-east-1a"}]},
            {"EngineVersion": "9.6", "AvailabilityZones": []},
            {"EngineVersion": "16.1", "AvailabilityZones": [{"Name": "us-east-1b"}]},
        ]
        return SimpleNamespace(paginate=lambda **_: [{"OrderableDBInstanceOptions": options}])


@pytest.mark.parametrize(("version", "zones"), [("15", ["us-east-1a"]), ("1", []), ("", ["us-east-1a", "us-east-1b"])])
def test_a_major_version_of_the_database_is_enough(aws: Cloud, version: str, zones: list[str]) -> None:
    offered, versions = places.database_class_zones(OfferedDatabases(), "db.t3.micro", "postgres", version)
    available = places.available_zones(aws.client("ec2"))
    assert places.offering(available, offered) == zones
    assert versions == ["9.6", "15.10", "16.1"]


def test_what_is_there_already_is_found_by_name(aws: Cloud) -> None:
    aws.client("s3").create_bucket(Bucket="legacy-static")
    aws.client("ecr").create_repository(repositoryName="legacy/django")
    aws.client("secretsmanager").create_secret(Name="legacy/database", SecretString="x")
    efs = aws.client("efs")
    mine = efs.create_file_system(CreationToken="1", Tags=[{"Key": "Name", "Value": "legacy-unit/media"}])
    other = efs.create_file_system(CreationToken="2", Tags=[{"Key": "Name", "Value": "legacy-other/media"}])
    facts = ask(
        aws,
        file_systems={"media": "legacy-unit/media", "cms": "legacy-unit/cms", "all": "legacy-other/media"},
        buckets=["legacy-static", "legacy-none"],
        repositories=["legacy/django", "legacy/nginx"],
        secrets=["legacy/database", "legacy/other"],
        stacks=["legacy-none"],
    )
    found = {entry: [each["id"] for each in systems] for entry, systems in facts["file_systems"].items()}
    assert found == {"media": [mine["FileSystemId"]], "cms": [], "all": [other["FileSystemId"]]}
    assert facts["file_systems"]["media"][0]["name"] == "legacy-unit/media"
    assert sorted(facts["file_system_ids"]) == sorted([mine["FileSystemId"], other["FileSystemId"]])
    assert facts["buckets"] == {"legacy-static": "mine", "legacy-none": "absent"}
    assert facts["repositories"] == ["legacy/django"]
    assert facts["secrets"] == ["legacy/database"]
    assert facts["stacks"] == {}


INDEX: dict[str, Any] = {
    "IndexName": "by_owner",
    "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title", "body"]},
}


def a_function(aws: Cloud, name: str) -> None:
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    role = aws.client("iam").create_role(RoleName=f"of-{name}", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    given = {"Runtime": "python3.13", "Handler": "app.handler", "Role": role, "Code": {"ZipFile": b"x"}}
    aws.client("lambda").create_function(FunctionName=name, **given)


def a_table(aws: Cloud, name: str, *indexes: dict[str, Any], **more: Any) -> None:
    attributes = {"id": "S", **({"owner": "B", "at": "N"} if indexes else {})}
    aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": kind} for each, kind in attributes.items()],
        **({"GlobalSecondaryIndexes": list(indexes)} if indexes else {}),
        **more,
    )


def test_tables_are_described_by_the_names_that_are_given_and_those_that_stacks_tell(aws: Cloud) -> None:
    a_table(aws, "acme-items", INDEX)
    body = "Resources: {Log: {Type: AWS::Logs::LogGroup}}\nOutputs: {TableName: {Value: acme-items}}"
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="shop-table-items", TemplateBody=body)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="shop-table-items", WaiterConfig={"Delay": 1})
    wanted = {
        "items": {"name": "", "stack": "shop-table-items"},
        "old": {"name": "acme-old", "stack": "shop-table-old"},
        "new": {"name": "", "stack": "shop-table-new"},
    }
    found = ask(aws, stacks=["shop-table-items"], tables=wanted)["tables"]
    keys = {"partition_key": {"name": "owner", "type": "binary"}, "sort_key": {"name": "at", "type": "number"}}
    assert found == {
        "items": {
            "name": "acme-items",
            "found": True,
            "indexes": [{"name": "by_owner", **keys, "projection": ["body", "title"]}],
            "unready": [],
        },
        "old": {"name": "acme-old", "found": False, "indexes": [], "unready": []},
    }
    assert ask(aws)["tables"] == {}


@pytest.mark.parametrize("wrong", [{}, {"name": ""}, {"name": "x", "table": "y"}, "x"])
def test_what_tables_are_asked_for_is_name_or_stack(aws: Cloud, wrong: Any) -> None:
    with pytest.raises(Failed, match="tables: items must have name or stack"):
        ask(aws, tables={"items": wrong})


def test_an_index_that_is_being_made_is_not_ready() -> None:
    attributes = [{"AttributeName": each, "AttributeType": "S"} for each in ("id", "owner", "at")]
    making = {**INDEX, "IndexStatus": "CREATING"}
    found = {"AttributeDefinitions": attributes, "GlobalSecondaryIndexes": [making]}
    client = SimpleNamespace(describe_table=lambda **_: {"Table": found})
    assert tables.table(client, "items")["unready"] == ["by_owner"]


def test_pins_are_read_from_the_stacks(aws: Cloud) -> None:
    body = (
        "Parameters: {Ami: {Type: String}}\n"
        "Resources: {Log: {Type: AWS::Logs::LogGroup}}\nOutputs: {LogName: {Value: !Ref Log}}"
    )
    cloudformation = aws.client("cloudformation")
    ami = [{"ParameterKey": "Ami", "ParameterValue": "ami-1"}]
    cloudformation.create_stack(StackName="legacy-cluster", TemplateBody=body, Parameters=ami)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="legacy-cluster", WaiterConfig={"Delay": 1})
    facts = ask(aws, stacks=["legacy-cluster"])["stacks"]["legacy-cluster"]
    assert facts["status"] == "CREATE_COMPLETE"
    assert facts["parameters"] == {"Ami": "ami-1"}
    assert set(facts["outputs"]) == {"LogName"}


def test_a_version_that_the_class_does_not_run_leaves_no_zone(aws: Cloud) -> None:
    offered = ask(aws, databases={"main": {"class": "db.m7g.large", "version": "15"}})
    assert "us-east-1a" in offered["availability_zones"]["suitable"]
    facts = ask(aws, databases={"main": {"class": "db.m7g.large", "engine": "postgres", "version": "13.2"}})
    assert facts["databases"]["main"]["zones"] == facts["availability_zones"]["suitable"] == []
    assert "13.4" in facts["databases"]["main"]["versions"]


def test_suitable_is_a_zone_that_offers_the_hosts_type_and_every_class(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = {
        "db.a.small": ({"us-east-1a", "us-east-1b", "us-east-1z"}, ["15.10"]),
        "db.b.small": ({"us-east-1b", "us-east-1c"}, ["16.1"]),
    }
    asked: list[tuple[str, ...]] = []

    def zones(_: Any, *offer: str) -> Any:
        asked.append(offer)
        return offers[offer[0]]

    monkeypatch.setattr(places, "database_class_zones", zones)
    a, b = ({"class": f"db.{name}.small", "version": "15"} for name in "ab")
    facts = ask(aws, instance_type="t3.micro", databases={"main": a, "stats": b, "more": a})
    assert facts["databases"]["main"]["zones"] == facts["databases"]["more"]["zones"] == ["us-east-1a", "us-east-1b"]
    assert facts["databases"]["stats"] == {
        "versions": ["16.1"], "zones": ["us-east-1b", "us-east-1c"],
        "id": "", "class": "", "engine_version": "", "allocated": 0, "authority": "",
    }  # fmt: skip
    assert facts["availability_zones"]["suitable"] == ["us-east-1b"]
    assert len(asked) == 2, "what two databases have in common is asked once"


@pytest.mark.parametrize("wrong", [{}, {"class": ""}, {"class": "db.t3.micro", "clas": "x"}, "db.t3.micro"])
def test_a_database_that_is_not_described_right_is_refused(aws: Cloud, wrong: Any) -> None:
    with pytest.raises(Failed, match="main must have class, and may have engine, version and stack"):
        ask(aws, databases={"main": wrong})


def live(aws: Cloud, stack: str, **values: str) -> None:
    """A stack with these values as parameters, and as outputs under the names of `InstanceId` and `HostAmiId`."""
    body = (
        "Parameters: {HostAmiId: {Type: String}, Id: {Type: String}}\n"
        "Resources: {Log: {Type: AWS::Logs::LogGroup}, Login: {Type: AWS::SecretsManager::Secret}}\n"
        "Outputs: {InstanceId: {Value: !Ref Id}, LoginArn: {Value: !Ref Login}}"
    )
    cloudformation = aws.client("cloudformation")
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
    cloudformation.create_stack(StackName=stack, TemplateBody=body, Parameters=given)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


def instance(aws: Cloud, identifier: str, gigabytes: int) -> None:
    """A database of RDS."""
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier=identifier,
        Engine="postgres",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=gigabytes,
        MasterUsername="site",
        MasterUserPassword="not-a-secret-1",
    )


def test_the_databases_and_the_image_of_a_live_site(aws: Cloud) -> None:
    image = aws.client("ec2").describe_images(Owners=["amazon"])["Images"][0]
    instance(aws, "grown", 26)
    instance(aws, "second", 20)
    for stack, identifier in (("live", "grown"), ("other", "second"), ("odd", "gone")):
        live(aws, stack, HostAmiId=image["ImageId"], Id=identifier)
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/aws/rds/instance/second/postgresql")
    logs.put_retention_policy(logGroupName="/aws/rds/instance/second/postgresql", retentionInDays=30)

    asked = {
        name: {"class": "db.t3.small", "stack": stack}
        for name, stack in {"main": "live", "stats": "other", "lost": "odd", "new": "none"}.items()
    }
    facts = ask(aws, stacks=["live", "other", "odd", "none"], cluster_stack="live", databases=asked)

    main = facts["databases"]["main"]
    assert main["engine_version"].startswith("17.")
    assert (main["id"], main["allocated"], main["class"], main["log_days"]) == ("grown", 26, "db.t3.micro", -1)
    assert main["authority"] == "rds-ca-rsa2048-g1"
    stats = facts["databases"]["stats"]
    assert (stats["id"], stats["allocated"], stats["log_days"]) == ("second", 20, 30)
    assert (main["login_due"], stats["login_due"]) == (True, True), "nobody has written one"
    lost, new = facts["databases"]["lost"], facts["databases"]["new"]
    assert lost["id"] == new["id"] == ""
    assert lost["allocated"] == new["allocated"] == 0
    assert not {"log_days", "login_due"} & new.keys()
    assert "database_login" not in facts
    assert "database_log_days" not in facts
    assert facts["ami_live"]["name"] == image["Name"]

    refuses = ask(Refuses(aws, "logs"), stacks=["live", "other"], databases={"main": asked["main"]})
    assert refuses["databases"]["main"]["id"] == "grown"
    assert "log_days" not in refuses["databases"]["main"]
    assert set(refuses["unasked"]) == {"database_log_days"}

    refuses = ask(Refuses(aws, "secretsmanager"), stacks=["live"], databases={"main": asked["main"]})
    assert "login_due" not in refuses["databases"]["main"]
    assert set(refuses["unasked"]) == {"database_login"}

    bare = ask(aws, stacks=["none"], cluster_stack="none", certificate_stack="none")
    assert bare["databases"] == bare["file_systems"] == {}
    assert "ami_live" not in bare
    assert bare["certificates_left"] == []
    assert "certificates_left" not in ask(aws)
    refuses = ask(Refuses(aws, "cloudformation"), certificate_stack="none")
    assert set(refuses["unasked"]) == {"certificates_left"}


class Refuses:
    """An account that does not let anybody ask one service; other calls go to the embedded AWS."""

    def __init__(self, aws: Cloud, service: str, region: str = "") -> None:
        self.aws, self.service, self.region = aws, service, region

    def __call__(self, service: str, region: str = "us-east-1") -> Any:
        if service == self.service and region == (self.region or region):
            return self
        return self.aws.client(service, region)

    def __getattr__(self, call: str) -> Any:
        def refuse(*_: Any, **__: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not for you"}}, call)

        return refuse


NAMES = "certificate_names"
"""Of one or a few names nobody is asked: every account may have ten."""


def unasked(facts: dict[str, Any]) -> set[str]:
    """The quotas that were not asked, or not told."""
    return set(quotas.USES) - set(facts["quotas"])


def test_quotas_and_what_is_used_of_them(aws: Cloud) -> None:
    ec2 = aws.client("ec2")
    vpcs = len(ec2.describe_vpcs()["Vpcs"])
    ec2.create_vpc(CidrBlock="10.79.0.0/20")
    ec2.allocate_address(Domain="vpc")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    launch: dict[str, Any] = {"ImageId": image, "MinCount": 1, "MaxCount": 1}
    group = [{"ResourceType": "instance", "Tags": [{"Key": "aws:autoscaling:groupName", "Value": "mine"}]}]
    ec2.run_instances(**launch, InstanceType="t3.micro", TagSpecifications=group)
    ec2.run_instances(**launch, InstanceType="t2.micro")
    stopped = ec2.run_instances(**launch, InstanceType="t3.micro")["Instances"][0]["InstanceId"]
    ec2.stop_instances(InstanceIds=[stopped])
    ec2.run_instances(**launch, InstanceType="g4dn.xlarge")

    new = {"databases": {"main": {"class": "db.t3.micro", "stack": "none"}}, "file_systems": {"media": "a/media"}}
    facts = ask(aws, instance_type="t3.small", quotas=True, **new)

    assert facts["unasked"] == {}
    assert facts["quotas"]["vpcs"] == {"limit": 5, "used": vpcs + 1}
    assert facts["quotas"]["elastic_ips"] == {"limit": 5, "used": 1}
    assert facts["quotas"]["vcpus"] == {"limit": 5, "used": 3, "each": 2, "groups": {"mine": 2}}
    assert facts["quotas"]["databases"] == {"limit": 40, "used": 0}
    assert facts["quotas"]["file_systems"] == {"limit": 1000, "used": 0}
    assert facts["quotas"]["load_balancers"] == {"limit": 20, "used": 0}
    assert ask(aws)["quotas"] == {}
    assert unasked(ask(aws, quotas=True)) == {"databases", "file_systems", NAMES}, "it has none, and one name"


@pytest.mark.parametrize(("names", "asked"), [(10, False), (11, True)])
def test_names_are_counted_where_there_are_more_than_every_account_may_have(
    aws: Cloud, names: int, asked: bool
) -> None:
    facts = ask(aws, quotas=True, domains={f"{number}.shop.io": "" for number in range(names)})
    assert (NAMES not in unasked(facts)) is asked


def test_room_is_asked_for_only_where_something_is_new(aws: Cloud) -> None:
    live(aws, "live", HostAmiId="ami-1", Id="gone")
    aws.client("efs").create_file_system(CreationToken="1", Tags=[{"Key": "Name", "Value": "a/media"}])
    there: dict[str, Any] = {"class": "db.t3.micro", "stack": "live"}
    asked: dict[str, Any] = {"quotas": True, "stacks": ["live"], "cluster_stack": "live"}
    facts = ask(aws, databases={"main": there}, file_systems={"media": "a/media"}, **asked)
    up = {"load_balancers", "vpcs", "elastic_ips", NAMES}
    assert unasked(facts) == {"databases", "file_systems", *up}
    facts = ask(
        aws,
        databases={"main": there, "new": there | {"stack": "none"}},
        file_systems={"media": "a/media", "cms": "a/cms"},
        **asked,
    )
    assert unasked(facts) == up


def test_a_missing_right_to_ask_for_quotas_is_no_failure(aws: Cloud) -> None:
    new = {"databases": {"main": {"class": "db.t3.micro"}}, "file_systems": {"media": "a/media"}}
    facts = ask(Refuses(aws, "service-quotas"), instance_type="t3.micro", quotas=True, **new)
    assert set(facts["quotas"]) == {"databases", "load_balancers"}, "these are told by RDS and the load balancers"
    assert "not for you" in facts["unasked"]["quotas"]


@pytest.mark.parametrize(
    ("name", "call", "answer"),
    [
        ("databases", "DescribeAccountAttributes", {"AccountQuotas": []}),
        ("databases", "DescribeAccountAttributes", {"AccountQuotas": [{"AccountQuotaName": "DBInstances", "Used": 1}]}),
        ("load_balancers", "DescribeAccountLimits", {"Limits": [{"Name": "listeners"}]}),
        ("load_balancers", "DescribeAccountLimits", {"Limits": [{"Name": "application-load-balancers"}]}),
    ],
)
def test_an_answer_without_the_quota_is_no_failure(aws: Cloud, name: str, call: str, answer: dict[str, Any]) -> None:
    def replace(model: Any, parsed: dict[str, Any], **_: Any) -> None:
        if model.name == call:
            parsed.clear()
            parsed.update(answer)

    events = [aws.client(service, "us-east-1").meta.events for service in ("rds", "elbv2")]
    for each in events:
        each.register("after-call", replace)
    try:
        facts = ask(aws, quotas=True, databases={"main": {"class": "db.t3.micro"}}, file_systems={"media": "a/media"})
    finally:
        for each in events:  # the clients are those of the other tests too
            each.unregister("after-call", replace)
    assert unasked(facts) == {name, NAMES}
    assert facts["unasked"]["quotas"].startswith(f"{call}: the answer does not tell the ")


def test_a_quota_of_which_only_the_default_is_known() -> None:
    class Quotas:
        def get_service_quota(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "NoSuchResourceException"}}, "GetServiceQuota")

        def get_aws_default_service_quota(self, **_: Any) -> Any:
            return {"Quota": {"Value": 7.0}}

    assert quotas.limit(Quotas(), "vpcs") == 7


@pytest.mark.parametrize(
    ("kind", "standard"),
    [
        *((kind, True) for kind in ("t2.micro", "m7g.large", "im4gn.large", "z1d.large")),
        *((kind, False) for kind in ("inf1.xlarge", "g4dn.xlarge", "p5.48xlarge", "dl1.24xlarge", "trn1.2xlarge")),
    ],
)
def test_which_instances_share_the_quota(kind: str, standard: bool) -> None:
    assert bool(quotas.STANDARD.match(kind)) is standard


@pytest.mark.parametrize(
    ("region", "says"),
    [
        ("us-east-1", ""),
        ("me-south-1", "not enabled for this account. Enable it (it takes some minutes): aws account enable-region"),
        ("us-east-9", "is no region of this account. Set one of af-south-1"),
    ],
)
def test_a_region_that_is_not_enabled_is_named(aws: Cloud, region: str, says: str) -> None:
    problem = places.region_problem(aws.client, region)
    assert says in problem if says else problem == ""


def test_every_region_that_boto3_knows_is_a_region_for_preflight() -> None:
    """Those of other partitions too: eusc-de-east-1 has a longer first word."""
    rules = yaml.safe_load((MODULES.parents[1] / "roles/preflight/vars/main/rules.yml").read_text())["preflight_rules"]
    said = [rule["that"] for rule in rules if rule["variable"] == "aws_region" and "match" in rule["that"]]
    (expression,) = re.findall(r"match\('(.+)'\)", said[0])
    session = boto3.Session()
    regions = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    ]
    assert {"eusc-de-east-1", "cn-north-1", "us-gov-west-1"} <= set(regions)
    assert [region for region in regions if not re.match(expression, region)] == []
    assert not re.match(expression, "frankfurt")


def test_who_may_not_ask_for_regions_may_go_on(aws: Cloud) -> None:
    assert places.region_problem(Refuses(aws, "ec2", "us-east-1"), "eu-central-1") == ""


def test_a_region_that_is_not_enabled_is_the_reason_before_any_other(aws: Cloud) -> None:
    def elsewhere(service: str, region: str = "me-south-1") -> Any:
        return aws.client(service, region) if service in ("ec2", "sts") else Refuses(aws, service)

    with pytest.raises(Failed, match="me-south-1 is not enabled for this account"):
        ask(elsewhere, repositories=["legacy/django"])


# Leftovers

NOUNS = ("network", "cluster", "database", "bucket", "static", "table", "queue_of", "job", "function", "service")
OWNER = leftovers.Owner("legacy-unit", {"Site": "legacy", "Environment": "unit"}, NOUNS)
TAGS = [{"Key": "Site", "Value": "legacy"}, {"Key": "Environment", "Value": "unit"}]


@pytest.mark.parametrize(
    ("name", "tags", "owned"),
    [
        ("legacy-unit", None, True),
        ("legacy-unit-database-main", None, True),
        ("legacy-unit/django", None, True),
        ("/legacy-unit/live/service/web", None, False),
        ("legacy-unit-network", None, True),
        ("legacy-unit-queue-of-mail", None, True),
        ("legacy-unit-service-web-TaskRole-1A2B", None, True),
        # Those of the site legacy-unit, in its environment live.
        ("legacy-unit-live", None, False),
        ("legacy-unit-live/media", None, False),
        ("legacy-unit-live-database-main", None, False),
        ("legacy-unit-networks", None, False),
        (
            "legacy-unit/media",
            [{"Key": "Site", "Value": "legacy-unit"}, {"Key": "Environment", "Value": "live"}],
            False,
        ),
        ("legacy-unit-database-main", [{"Key": "Environment", "Value": "live"}], False),
        ("legacy-unit-database-main", [{"Key": "Owner", "Value": "them"}], True),
        ("legacy-united", None, False),
        ("my-legacy-unit", None, False),
        ("other", TAGS, True),
        ("other", {"Site": "legacy", "Environment": "unit"}, True),
        ("other", [{"key": "Site", "value": "legacy"}, {"key": "Environment", "value": "unit"}], True),
        ("other", [{"Key": "Site", "Value": "legacy"}, {"Key": "Environment", "Value": "prod"}], False),
        ("other", TAGS[:1], False),
    ],
)
def test_what_belongs_to_an_environment(name: str, tags: Any, owned: bool) -> None:
    assert OWNER.owns(name, tags) is owned


def test_no_tags_own_nothing() -> None:
    nobody = leftovers.Owner("legacy-unit", {}, NOUNS)
    assert not nobody.owns("other", TAGS)
    assert not nobody.owns_group("/other")


@pytest.mark.parametrize(
    ("name", "owned"),
    [
        ("/legacy/unit/service/web", True),
        ("legacy-unit/flow", True),
        ("/legacy/unit2/service/web", False),
        ("/legacy-unit/live/service/web", False),
        ("/aws/rds/instance/legacy-unit-database-main/postgresql", False),
    ],
)
def test_which_log_groups_belong_to_an_environment(name: str, owned: bool) -> None:
    assert OWNER.owns_group(name) is owned


def found(aws: Cloud) -> set[str]:
    return {each["type"] for each in leftovers.find(aws.client, OWNER)}


@pytest.fixture
def ecs_lists_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's ECS, which the embedded AWS does not use, cannot describe all capacity providers at once."""
    from moto.ecs.models import EC2ContainerServiceBackend

    original = EC2ContainerServiceBackend.describe_capacity_providers
    monkeypatch.setattr(
        EC2ContainerServiceBackend, "describe_capacity_providers", lambda self, names: original(self, names or [])
    )


@pytest.mark.usefixtures("ecs_lists_providers")
def test_an_empty_account_has_nothing_left(aws: Cloud) -> None:
    assert leftovers.find(aws.client, OWNER) == []


@pytest.mark.usefixtures("ecs_lists_providers")
def test_everything_that_is_left_is_found(aws: Cloud) -> None:
    ec2, elb, autoscaling = aws.client("ec2"), aws.client("elbv2"), aws.client("autoscaling")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/20", TagSpecifications=[{"ResourceType": "vpc", "Tags": TAGS}])["Vpc"][
        "VpcId"
    ]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.79.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="hosts", Description="x", VpcId=vpc)["GroupId"]
    ec2.create_volume(
        AvailabilityZone="us-east-1a", Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": TAGS}]
    )
    ec2.create_network_interface(SubnetId=subnets[0], Groups=[group])
    elb.create_load_balancer(Name="legacy-unit-cluster-alb", Subnets=subnets, SecurityGroups=[group])
    elb.create_target_group(Name="other-name", Protocol="HTTP", Port=80, VpcId=vpc, Tags=TAGS)
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="legacy-unit-cluster-lc", ImageId="ami-12345678", InstanceType="t2.micro"
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="legacy-unit-cluster-asg",
        LaunchConfigurationName="legacy-unit-cluster-lc",
        MinSize=0,
        MaxSize=1,
        VPCZoneIdentifier=subnets[0],
    )
    aws.client("ecs").create_cluster(clusterName="legacy-unit")
    revision = aws.client("ecs").register_task_definition(
        family="legacy-unit", containerDefinitions=[{"name": "django", "image": "x", "memory": 64}]
    )["taskDefinition"]
    trusted = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = aws.client("iam").create_role(
        RoleName="somebody-elses-role",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trusted]}),
    )["Role"]["Arn"]
    aws.client("s3").create_bucket(Bucket="legacy-unit-bucket-static")
    aws.client("s3").create_bucket(Bucket="somebody-elses")
    aws.client("s3").create_bucket(Bucket="legacy-unit-live-bucket-static")
    a_table(aws, "legacy-unit-table-items-Table-ABC")
    a_table(aws, "named-by-a-patch", Tags=TAGS)
    a_table(aws, "somebody-elses-table")
    a_table(aws, "legacy-unit-table-x", Tags=[{"Key": "Site", "Value": "legacy-unit"}])
    for name in ("legacy-unit-function-items-Function-ABC", "somebody-elses-function"):
        a_function(aws, name)
    aws.client("apigatewayv2").create_api(Name="legacy-unit-function-items", ProtocolType="HTTP", Tags={})
    aws.client("apigatewayv2").create_api(Name="somebody-elses-api", ProtocolType="HTTP", Tags={"Site": "x"})
    aws.client("ecr").create_repository(repositoryName="legacy-unit/django")
    aws.client("efs").create_file_system(CreationToken="1", Tags=TAGS)
    aws.client("secretsmanager").create_secret(Name="legacy-unit/database", SecretString="x")
    aws.client("logs").create_log_group(logGroupName="/legacy/unit/service/web")
    aws.client("sqs").create_queue(QueueName="legacy-unit-job-report-DeadLetterQueue-abc")
    aws.client("scheduler").create_schedule(
        Name="legacy-unit-job-report-Schedule-abc",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/legacy-unit",
            "RoleArn": role,
            "EcsParameters": {"TaskDefinitionArn": revision["taskDefinitionArn"]},
        },
    )
    aws.client("route53").create_hosted_zone(
        Name="legacy-unit.internal",
        CallerReference="1",
        VPC={"VPCRegion": "us-east-1", "VPCId": vpc},
        HostedZoneConfig={"PrivateZone": True},
    )
    aws.client("logs").create_log_group(logGroupName="/legacy/united")
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier="legacy-unit-database-db",
        Engine="postgres",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="site",
        MasterUserPassword="not-a-secret-1",
    )
    aws.client("rds").create_db_snapshot(DBInstanceIdentifier="legacy-unit-database-db", DBSnapshotIdentifier="last")
    names = {each["name"] for each in leftovers.find(aws.client, OWNER)}
    assert not names & {"somebody-elses", "legacy-unit-live-bucket-static"}
    assert not names & {"somebody-elses-table", "legacy-unit-table-x", "somebody-elses-function", "somebody-elses-api"}
    assert names >= {"legacy-unit-table-items-Table-ABC", "named-by-a-patch"}
    assert "/legacy/united" not in names
    assert found(aws) == {
        "AWS::ApiGatewayV2::Api",
        "AWS::AutoScaling::AutoScalingGroup",
        "AWS::AutoScaling::LaunchConfiguration",
        "AWS::DynamoDB::Table",
        "AWS::EC2::NetworkInterface",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::Subnet",
        "AWS::EC2::VPC",
        "AWS::EC2::Volume",
        "AWS::ECR::Repository",
        "AWS::Route53::HostedZone",
        "AWS::SQS::Queue",
        "AWS::Scheduler::Schedule",
        "AWS::ECS::Cluster",
        "AWS::ECS::TaskDefinition",
        "AWS::EFS::FileSystem",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBSnapshot",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    }


# Service-linked roles


def test_a_role_is_made_once(aws: Cloud) -> None:
    iam = aws.client("iam")
    assert service_linked_role.find(iam, "ecs.amazonaws.com") is None
    name = service_linked_role.create(iam, "ecs.amazonaws.com", 5)
    assert name.lower() == "awsserviceroleforecs"
    assert service_linked_role.find(iam, "ecs.amazonaws.com") == name
    assert service_linked_role.find(iam, "rds.amazonaws.com") is None


def test_a_role_that_does_not_appear_is_said() -> None:
    class Iam:
        def create_service_linked_role(self, **_: Any) -> None: ...

        def get_paginator(self, _: str) -> Any:
            return SimpleNamespace(paginate=lambda **_: [{"Roles": []}])

    with pytest.raises(TimeoutError, match=r"ecs\.amazonaws\.com was made, but is not there"):
        service_linked_role.create(Iam(), "ecs.amazonaws.com", 0)


@pytest.mark.usefixtures("ecs_lists_providers")
def test_the_modules_run_as_modules(aws: Cloud, tmp_path: Path) -> None:
    services: dict[str, Any] = {"service_linked_role": {"services": ["ecs.amazonaws.com", "rds.amazonaws.com"]}}
    tasks: list[dict[str, Any]] = [
        {
            "aws_account_info": {"instance_type": "t2.micro", "databases": {"main": {"class": "db.t3.micro"}}},
            "register": "account",
        },
        {"ansible.builtin.assert": {"that": ["account.account == '123456789012'", "account.databases.main.id == ''"]}},
        services,
        {**services, "register": "again"},
        {"ansible.builtin.assert": {"that": ["again is not changed", "again.created == []"]}},
        {"leftovers": {"prefix": "legacy-unit", "tags": {"Site": "legacy"}, "nouns": ["network"]}, "register": "left"},
        {"ansible.builtin.assert": {"that": ["left.found == []"]}},
    ]
    run = playbook(tmp_path, tasks, **environment(aws))
    assert run.code == 0, run.output
    assert "changed=1" in run.recap
