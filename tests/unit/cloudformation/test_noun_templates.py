"""The layers that the roles of the nouns make of a site's entries: linted as deployed, and right beyond the schemas."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode_str

from plugins.plugin_utils import static_release
from plugins.plugin_utils.layers import PARAMETER_BYTES, Template, text
from plugins.plugin_utils.stack_plan import built
from tests.unit.noun_support import NOUNS, body, made

CALLED = {
    "code": "roles/function/files/example",
    "handler": "app.handler",
    "runtime": "python3.13",
    "routes": "$default",
}
KEY = "arn:aws:kms:us-east-1:123456789012:key/0123abcd"
ENTRIES: dict[str, Any] = {
    "site_databases": {
        "main": {},
        "big-one": {
            "version": "16.4", "class": "db.m6g.large", "name": "shop", "username": "shop", "storage_gb": 100,
            "storage_max_gb": 400, "backup_days": 35, "multi_az": True, "deletion_protection": False,
            "admin_cidrs": ["10.1.0.0/16", "192.0.2.7/32"], "kms_key_arn": KEY, "ca_certificate": "rds-ca-ecc384-g1",
        },
        "elsewhere": {"endpoint": "db.example.net"},
    },
    "site_volumes": {
        "media": {"uid": 7, "tls_only": True, "kms_key_arn": KEY},
        "kept": {"uid": 33, "gid": 34, "mode": "0770", "file_system_id": "fs-0123456789abcdef0", "driver": "rexray"},
        "scratch": {"driver": "task"},
    },
    "site_buckets": {
        "uploads": {},
        "logs": {"versioned": False, "expire_days": 30, "old_versions_days": 3, "cors_origins": ["https://a.test"]},
        "reports": {"name": "acme-reports"},
    },
    "site_tables": {
        "items": {"partition_key": "id"},
        "orders": {
            "partition_key": {"name": "customer", "type": "number"}, "sort_key": "at", "ttl": "expires",
            "global_secondary_indexes": {
                "by_state": {"partition_key": "state", "sort_key": {"name": "at", "type": "binary"}},
                "by_item": {"partition_key": "item", "projection": ["title", "body"]},
                "of_state": {"partition_key": "state", "projection": "keys_only"},
            },
        },
        "old": {"name": "acme-old"},
    },
    "site_functions": {
        "hello": CALLED,
        "all-keys": {
            **CALLED, "routes": ["GET /items/{id}", "ANY /files/{proxy+}", "POST /"],
            "mem_limit": "1g", "timeout": "30s",
            "environment": {"TABLE": {"from": "table.items.name"}, "OLD": {"from": "table.old.arn"}, "TITLE": "💐: {}"},
            "secrets": {"KEY": "secret.django.secret_key", "STRIPE": "secret.stripe.value"},
            "uses": {"table.items": ["read", "write"], "bucket.uploads": "read"},
            "patch": {"Function.Architectures": ["arm64"]},
        },
    },
    "site_static": {
        "front": {"folder": "roles/static/files/example"},
        "docs": {"folder": "roles/static/files/example", "keep_days": 90, "cache_control": {"*.pdf": "max-age=60"}},
    },
    "site_secrets": {
        "django": {"generate": ["secret_key"], "kms_key_arn": KEY},
        "admin": {"generate": "password", "length": 20, "values": {"username": "admin"}},
        "stripe": {"secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:stripe-AbCdEf"},
    },
    "site_services": {"web": {"containers": {"web": {"image": "shop/django:1", "mem_limit": "64m"}}}},
    "site_jobs": {"worker": {"image": "shop/worker", "mem_limit": "64m", "command": "work"}},
    "image_keep": 20,
    "database_allocated_gb": {"main": 26, "big-one": 80},
    "database_login_attached": ["big-one"],
}  # fmt: skip
KEPT = {
    "AWS::EFS::FileSystem": "volume.media",
    "AWS::S3::Bucket": "bucket.uploads",
    "AWS::DynamoDB::Table": "table.items",
}


@pytest.fixture(scope="module")
def layers() -> dict[str, dict[str, Any]]:
    return made(ENTRIES)


def resources(layer: dict[str, Any]) -> dict[str, Any]:
    """Logical id → resource."""
    template, problems = decode_str(body(layer))
    assert template is not None, problems
    return dict(template["Resources"])


def of_type(layer: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = (each for each in resources(layer).values() if each["Type"] == kind)
    return dict(found)


def test_an_entry_is_a_layer_unless_it_is_there_already(layers: dict[str, Any]) -> None:
    assert set(layers) == {
        "database.main", "database.big-one", "volume.media", "volume.kept", "bucket.uploads", "bucket.logs",
        "table.items", "table.orders", "secret.django", "secret.admin", "image.shop-django", "image.shop-worker",
        "function.hello", "function.all-keys", "static.front", "static.docs",
    }  # fmt: skip


def test_every_template_is_clean_for_cfn_lint_as_it_is_deployed(layers: dict[str, Any], tmp_path: Path) -> None:
    for name, layer in layers.items():
        (tmp_path / f"{name}.yml").write_text(body(layer))
    run = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", "--regions", "us-east-1", "--", *tmp_path.glob("*.yml")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_parameters_are_those_of_the_template(layers: dict[str, Any]) -> None:
    network = {"VpcId", "HostSubnetIdA", "HostSubnetIdB", "HostSecurityGroupId", "PrivateSubnetIds", "CodeBucketName"}
    for name, layer in layers.items():
        declared = Template.read(body(layer)).parameters
        given = layer["parameters"].keys() | layer.get("takes", {}).keys()
        assert given <= declared.keys(), name
        assert {each for each in declared.keys() - given if "Default" not in declared[each]} <= network, name
        assert all(len(text(value).encode()) <= PARAMETER_BYTES for value in layer["parameters"].values())


def test_what_an_entry_says_reaches_its_template_and_nothing_else(layers: dict[str, Any]) -> None:
    main, big = layers["database.main"]["parameters"], layers["database.big-one"]["parameters"]
    assert (main["DatabaseVersion"], big["DatabaseVersion"]) == ("15", "16.4")
    assert (main["DatabaseClass"], big["DatabaseClass"]) == ("db.t3.micro", "db.m6g.large")
    assert (main["DatabaseMultiAz"], big["DatabaseMultiAz"]) == (False, True)
    assert (big["DatabaseName"], big["DatabaseUsername"], big["DatabaseBackupDays"]) == ("shop", "shop", 35)
    assert (main["DatabaseStorageMaxGb"], big["DatabaseStorageMaxGb"]) == (50, 400)
    assert (main["DatabaseCaCertificate"], big["DatabaseCaCertificate"]) == ("", "rds-ca-ecc384-g1")
    media = layers["volume.media"]["parameters"]
    assert (media["VolumeUid"], media["VolumeGid"]) == (7, 7)
    assert (main["DatabaseDeletionProtection"], big["DatabaseDeletionProtection"]) == (True, False)
    assert layers["volume.kept"]["parameters"] == {
        "SiteName": "shop", "EnvironmentName": "unit", "EntryName": "kept", "VolumeUid": 33, "VolumeGid": 34,
        "VolumeMode": "0770", "VolumeFileSystemId": "fs-0123456789abcdef0", "VolumeTlsOnly": False,
        "VolumeKmsKeyArn": "",
    }  # fmt: skip
    assert layers["bucket.logs"]["parameters"] == {
        "BucketVersioned": False, "BucketExpireDays": 30, "BucketOldVersionsDays": 3,
        "BucketCorsOrigins": ["https://a.test"],
    }  # fmt: skip
    assert layers["static.front"]["parameters"] == {"StaticKeepDays": 30}
    assert layers["static.docs"]["parameters"] == {"StaticKeepDays": 90}
    assert layers["table.items"]["parameters"] == {
        "TableTtl": "", "TableTtlEnabled": False, "TableDeletionProtection": True,
    }  # fmt: skip
    assert (layers["table.items"]["keep"], layers["table.orders"]["keep"]) == (["TableTtl"], [])
    orders = layers["table.orders"]["parameters"]
    assert (orders["TableTtl"], orders["TableTtlEnabled"]) == ("expires", True)
    admin = layers["secret.admin"]["parameters"]
    assert (admin["SecretKey"], admin["SecretLength"]) == ("password", 20)
    assert admin["SecretTemplate"] == '{"username": "admin"}'
    assert layers["secret.django"]["parameters"]["SecretKey"] == "secret_key"
    assert layers["image.shop-worker"]["parameters"] == {
        "SiteName": "shop", "EnvironmentName": "unit", "EntryName": "shop-worker", "ImageKeep": 20,
    }  # fmt: skip


def test_storage_that_has_grown_by_itself_is_not_asked_to_shrink(layers: dict[str, Any]) -> None:
    gb = [layers[f"database.{name}"]["parameters"]["DatabaseStorageGb"] for name in ("main", "big-one")]
    assert gb == [26, 100]


def test_nothing_that_is_kept_can_be_lost_by_a_replacement_or_a_failed_first_create(layers: dict[str, Any]) -> None:
    for kind, name in {**KEPT, "AWS::SecretsManager::Secret": "secret.django"}.items():
        found = of_type(layers[name], kind)
        assert (found["DeletionPolicy"], found["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), kind
    database = of_type(layers["database.main"], "AWS::RDS::DBInstance")
    assert (database["DeletionPolicy"], database["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    assert of_type(layers["image.shop-django"], "AWS::ECR::Repository")["UpdateReplacePolicy"] == "Retain"
    protected = {name.partition(".")[0] for name, layer in layers.items() if layer.get("protect")}
    assert protected == {"database", "volume", "bucket", "table", "secret"}


@pytest.mark.parametrize(
    ("name", "kind", "named"),
    [
        ("database.main", "AWS::RDS::DBInstance", "DBInstanceIdentifier"),
        ("database.main", "AWS::RDS::DBSubnetGroup", "DBSubnetGroupName"),
        ("database.main", "AWS::EC2::SecurityGroup", "GroupName"),
        ("bucket.uploads", "AWS::S3::Bucket", "BucketName"),
        ("table.items", "AWS::DynamoDB::Table", "TableName"),
    ],
)
def test_what_may_be_replaced_or_kept_has_no_name_of_its_own(
    layers: dict[str, Any], name: str, kind: str, named: str
) -> None:
    assert named not in of_type(layers[name], kind)["Properties"]


def test_a_database_is_reached_by_the_hosts_and_by_who_is_named(layers: dict[str, Any]) -> None:
    def ways(name: str) -> set[str]:
        found = [each["Properties"] for each in resources(layers[name]).values() if each["Type"].endswith("Ingress")]
        assert {(each["FromPort"], each["ToPort"]) for each in found} == {(5432, 5432)}
        return {each.get("CidrIp") or each["SourceSecurityGroupId"]["Ref"] for each in found}

    assert ways("database.main") == {"HostSecurityGroupId"}
    assert ways("database.big-one") == {"HostSecurityGroupId", "10.1.0.0/16", "192.0.2.7/32"}
    assert of_type(layers["database.main"], "AWS::RDS::DBInstance")["Properties"]["PubliclyAccessible"] is False
    assert "SecurityGroupInAdmin10x1x0x0x16" in resources(layers["database.big-one"])


def test_a_database_s_password_comes_from_its_secret_and_support_is_not_bought(layers: dict[str, Any]) -> None:
    properties = of_type(layers["database.main"], "AWS::RDS::DBInstance")["Properties"]
    assert properties["MasterUserPassword"] == {"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:password}}"}
    assert properties["EngineLifecycleSupport"] == "open-source-rds-extended-support-disabled"
    assert (properties["StorageEncrypted"], properties["CopyTagsToSnapshot"]) == (True, True)


def test_what_a_site_logs_in_with_is_in_no_stack_but_one_that_had_it(layers: dict[str, Any]) -> None:
    """What CloudFormation does not know it cannot write over a rotation, whatever it resolves anew."""
    found = resources(layers["database.main"])
    login = found["Login"]["Properties"]
    assert "GenerateSecretString" not in login
    before, written, now = login["SecretString"]["Fn::If"]
    assert (before, now) == ("LoginAttached", {"Ref": "AWS::NoValue"})
    assert "resolve:secretsmanager:${Secret}" in written["Fn::Sub"]
    assert found["LoginAttachment"]["Condition"] == "LoginAttached"
    attached = {name: layers[f"database.{name}"]["parameters"]["DatabaseLoginAttached"] for name in ("main", "big-one")}
    assert attached == {"main": False, "big-one": True}


def test_a_file_system_is_named_as_rexray_looks_for_it_and_maps_no_user(layers: dict[str, Any]) -> None:
    properties = of_type(layers["volume.media"], "AWS::EFS::FileSystem")["Properties"]
    assert properties["FileSystemTags"] == [
        {"Key": "Name", "Value": {"Fn::Sub": "${SiteName}-${EnvironmentName}/${EntryName}"}}
    ]
    assert properties["Encrypted"] is True
    assert properties["BackupPolicy"] == {"Status": "ENABLED"}
    point = of_type(layers["volume.media"], "AWS::EFS::AccessPoint")["Properties"]
    assert "PosixUser" not in point
    assert point["RootDirectory"]["Path"] == "/data"


@pytest.mark.parametrize(
    ("keyed", "plain", "parameter", "kinds"),
    [
        ("volume.media", "volume.kept", "VolumeKmsKeyArn", {"AWS::EFS::FileSystem"}),
        ("secret.django", "secret.admin", "SecretKmsKeyArn", {"AWS::SecretsManager::Secret"}),
        (
            "database.big-one", "database.main", "DatabaseKmsKeyArn",
            {"AWS::SecretsManager::Secret", "AWS::RDS::DBInstance"},
        ),
    ],
)  # fmt: skip
def test_what_is_encrypted_is_so_with_the_key_that_is_named(
    layers: dict[str, Any], keyed: str, plain: str, parameter: str, kinds: set[str]
) -> None:
    assert (layers[keyed]["parameters"][parameter], layers[plain]["parameters"][parameter]) == (KEY, "")
    found = {each["Type"]: each["Properties"]["KmsKeyId"] for each in resources(layers[keyed]).values()
             if "KmsKeyId" in each.get("Properties", {})}  # fmt: skip
    assert found == {kind: {"Fn::If": ["HasKmsKey", {"Ref": parameter}, {"Ref": "AWS::NoValue"}]} for kind in kinds}


def test_another_authority_signs_for_a_database_while_it_runs(layers: dict[str, Any]) -> None:
    found = of_type(layers["database.main"], "AWS::RDS::DBInstance")["Properties"]
    absent = {"Ref": "AWS::NoValue"}
    assert found["CACertificateIdentifier"] == {
        "Fn::If": ["HasCaCertificate", {"Ref": "DatabaseCaCertificate"}, absent]
    }
    assert found["CertificateRotationRestart"] == {"Fn::If": ["HasCaCertificate", False, absent]}


def test_a_file_system_refuses_mounts_without_tls_where_that_is_wanted(layers: dict[str, Any]) -> None:
    media, kept = layers["volume.media"], layers["volume.kept"]
    assert (media["parameters"]["VolumeTlsOnly"], kept["parameters"]["VolumeTlsOnly"]) == (True, False)
    condition, policy, otherwise = of_type(media, "AWS::EFS::FileSystem")["Properties"]["FileSystemPolicy"]["Fn::If"]
    assert (condition, otherwise) == ("IsTlsOnly", {"Ref": "AWS::NoValue"})
    (denied,) = policy["Statement"]
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", {"AWS": "*"}, "*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("name", ["bucket.uploads", "static.front"])
def test_a_bucket_is_private_encrypted_and_speaks_tls_only(layers: dict[str, Any], name: str) -> None:
    properties = of_type(layers[name], "AWS::S3::Bucket")["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (statement,) = of_type(layers[name], "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_static_files_that_are_superseded_go_and_the_bucket_goes_with_its_stack(layers: dict[str, Any]) -> None:
    bucket = of_type(layers["static.front"], "AWS::S3::Bucket")
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Delete", "Delete")
    assert "BucketName" not in bucket["Properties"]
    (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    (tag,) = rule["TagFilters"]
    assert urllib.parse.urlencode({tag["Key"]: tag["Value"]}) == static_release.TAGGING
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": "StaticKeepDays"})
    assert built(resources(layers["static.front"])) == {"Files"}


def test_a_table_is_billed_by_request_encrypted_and_can_be_restored(layers: dict[str, Any]) -> None:
    for name in ("table.items", "table.orders"):
        properties = of_type(layers[name], "AWS::DynamoDB::Table")["Properties"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["SSESpecification"] == {"SSEEnabled": True}
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert properties["DeletionProtectionEnabled"] == {"Ref": "TableDeletionProtection"}
        assert layers[name]["first"] == {"TableDeletionProtection": "false"}


def test_a_table_has_the_keys_and_indexes_of_its_entry(layers: dict[str, Any]) -> None:
    items, orders = (
        of_type(layers[name], "AWS::DynamoDB::Table")["Properties"] for name in ("table.items", "table.orders")
    )
    assert items["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert items["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "S"}]
    assert "GlobalSecondaryIndexes" not in items
    assert [(each["AttributeName"], each["KeyType"]) for each in orders["KeySchema"]] == [
        ("customer", "HASH"), ("at", "RANGE"),
    ]  # fmt: skip
    types = {each["AttributeName"]: each["AttributeType"] for each in orders["AttributeDefinitions"]}
    assert types == {"at": "B", "customer": "N", "item": "S", "state": "S"}
    indexes = {each["IndexName"]: each for each in orders["GlobalSecondaryIndexes"]}
    assert [each["AttributeName"] for each in indexes["by_state"]["KeySchema"]] == ["state", "at"]
    assert {name: each["Projection"] for name, each in indexes.items()} == {
        "by_item": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["body", "title"]},
        "by_state": {"ProjectionType": "ALL"},
        "of_state": {"ProjectionType": "KEYS_ONLY"},
    }


@pytest.mark.parametrize("noun", NOUNS)
def test_outputs_have_no_name_of_an_entry(layers: dict[str, Any], noun: str) -> None:
    wanted = {
        "database": {"SecretArn", "LoginArn", "InstanceId", "Endpoint", "Port", "SecurityGroupId"},
        "volume": {"FileSystemId", "FileSystemArn", "AccessPointId", "AccessPointArn"},
        "bucket": {"BucketName", "BucketArn", "BucketDomainName"},
        "table": {"TableName", "TableArn"},
        "secret": {"SecretArn"},
        "image": {"RepositoryUri", "RepositoryArn"},
        "static": {"BucketName", "BucketArn", "BucketDomainName"},
        "function": {"Url", "FunctionArn", "FunctionName", "FunctionLogGroupName", "FunctionCodeKey"},
    }
    bodies = [body(layer) for name, layer in layers.items() if name.startswith(f"{noun}.")]
    assert [set(Template.read(each).outputs) for each in bodies] == [wanted[noun]] * len(bodies)


def test_a_function_is_as_its_entry_says(layers: dict[str, Any]) -> None:
    hello, whole = layers["function.hello"], layers["function.all-keys"]
    assert hello["parameters"] | {"FunctionCodeKey": ""} == {
        "SiteName": "shop", "EnvironmentName": "unit", "EntryName": "hello", "FunctionCodeKey": "",
        "FunctionCodeLeft": "",
        "FunctionHandler": "app.handler", "FunctionRuntime": "python3.13", "FunctionMemory": 128, "FunctionTimeout": 3,
        "LogRetentionDays": 30,
    }  # fmt: skip
    assert re.fullmatch(r"[0-9a-f]{64}\.zip", hello["parameters"]["FunctionCodeKey"])
    assert (whole["parameters"]["FunctionMemory"], whole["parameters"]["FunctionTimeout"]) == (1024, 30)
    assert "Environment" not in of_type(hello, "AWS::Lambda::Function")["Properties"]
    variables = of_type(whole, "AWS::Lambda::Function")["Properties"]["Environment"]["Variables"]
    assert variables == {
        "TABLE": {"Ref": "TableItemsTableName"}, "TITLE": "💐: {}", "KEY": {"Ref": "SecretDjangoSecretArn"},
        "STRIPE": "arn:aws:secretsmanager:us-east-1:123456789012:secret:stripe-AbCdEf",
        "OLD": {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/acme-old"},
    }  # fmt: skip
    assert of_type(whole, "AWS::Lambda::Function")["Properties"]["Architectures"] == ["arm64"]
    routes = [each for each in resources(whole).values() if each["Type"] == "AWS::ApiGatewayV2::Route"]
    assert {each["Properties"]["RouteKey"] for each in routes} == {"GET /items/{id}", "ANY /files/{proxy+}", "POST /"}
    (policy,) = of_type(whole, "AWS::IAM::Role")["Properties"]["Policies"]
    actions = {action for each in policy["PolicyDocument"]["Statement"] for action in each["Action"]}
    assert {"logs:PutLogEvents", "secretsmanager:GetSecretValue", "dynamodb:PutItem", "s3:GetObject"} <= actions
    assert "s3:PutObject" not in actions
    assert Template.read(body(whole)).parameters["TableItemsTableName"]["Description"] == "table.items.TableName"


def test_only_the_api_of_a_function_may_call_it(layers: dict[str, Any]) -> None:
    permission = of_type(layers["function.hello"], "AWS::Lambda::Permission")["Properties"]
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${Api}/*")
