"""The entries of the nouns that hold data, deployed by our CloudFormation: side by side, again, changed, gone."""

from __future__ import annotations

import copy
import json
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError
from cfnlint.decode import decode_str

from local_aws.cloud import Cloud
from local_aws.patches.rds import master_password
from local_aws.tests.stack_support import Stacks
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.rotation.versions import Versions
from tests.unit.noun_support import Deployed, body, made
from tests.unit.plugin_support import talk_to

ENTRIES: dict[str, Any] = {
    "site_databases": {"main": {}, "reports": {"name": "reports", "admin_cidrs": ["10.1.0.0/16"]}},
    "site_volumes": {"media": {}, "cms": {"uid": 33}},
    "site_buckets": {
        "uploads": {},
        "logs": {"versioned": False, "expire_days": 30, "cors_origins": ["https://a.test"]},
    },
    "site_tables": {"items": {"partition_key": "id", "ttl": "expires"}, "orders": {"partition_key": "id"}},
    "site_static": {name: {"folder": "roles/static/files/example"} for name in ("front", "docs")},
    "site_secrets": {
        "django": {"generate": ["secret_key"]},
        "admin": {"generate": ["password"], "length": 20, "values": {"username": "admin"}},
    },
    "site_services": {
        "web": {
            "containers": {name: {"image": f"shop/{name}:1", "mem_limit": "64m"} for name in ("django", "nginx")},
        },
    },
}
CHANGES: dict[str, dict[str, Any]] = {
    "database": {"DatabaseBackupDays": 14},
    "volume": {},  # nothing about it changes in place
    "bucket": {"BucketOldVersionsDays": 7},
    "table": {"TableTtlEnabled": False},
    "secret": {},  # the same
    "image": {"ImageKeep": 20},
    "static": {"StaticKeepDays": 7},
}
LOSSES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    # What replaces, removes or overwrites, and what is lost by it.
    "database.main": ({"DatabaseName": "other"}, {"Database": "would be replaced"}),
    "volume.media": (
        {"VolumeFileSystemId": "fs-0123456789abcdef0"},
        {"FileSystem": "would leave the site; it is kept"},
    ),
    "volume.cms": ({"VolumeUid": 34}, {"AccessPoint": "would be replaced, because of RootDirectory"}),
    "secret.django": ({"SecretLength": 60}, {"Secret": "would get another value, because of GenerateSecretString"}),
    "secret.admin": ({"EntryName": "root"}, {"Secret": "would be replaced, because of Name"}),
    "image.shop-django": ({"EntryName": "shop"}, {"Repository": "would be replaced, because of RepositoryName"}),
}


@pytest.fixture(scope="module")
def layers() -> dict[str, dict[str, Any]]:
    return made(ENTRIES)


@pytest.fixture
def site(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    talk_to(aws, monkeypatch)
    return Deployed(aws, stacks)


def changed(layer: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(layer)
    found["parameters"] |= parameters
    return found


def of_noun(layers: dict[str, dict[str, Any]], noun: str) -> dict[str, dict[str, Any]]:
    return {name: layer for name, layer in layers.items() if name.startswith(f"{noun}.")}


@pytest.mark.parametrize("noun", CHANGES)
def test_two_entries_stand_side_by_side_again_and_changed(
    site: Deployed, layers: dict[str, dict[str, Any]], noun: str
) -> None:
    entries = of_noun(layers, noun)
    assert len(entries) == 2
    for name, layer in entries.items():
        assert not site.run(name, layer).get("failed")
    for name, layer in entries.items():
        again = site.run(name, layer)
        assert not again["changed"], again
    if not CHANGES[noun]:
        return
    (one, layer), (_, other) = entries.items()
    before = site.stacks.physical(site.name(other))
    assert site.run(one, changed(layer, CHANGES[noun]))["changed"]
    assert site.stacks.physical(site.name(other)) == before
    kinds = [event[1] for event in site.stacks.events(site.name(layer))]
    assert not [kind for kind in kinds if kind == "DELETE_COMPLETE"], "nothing was replaced"


def test_two_databases_have_a_secret_a_way_and_a_protection_of_their_own(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    for name, layer in of_noun(layers, "database").items():
        site.create(name, layer)
    found = {each["DBName"]: each for each in aws.client("rds").describe_db_instances()["DBInstances"]}
    assert set(found) == {"site", "reports"}
    assert [each["DeletionProtection"] for each in found.values()] == [True, True]
    secrets = aws.client("secretsmanager")
    for name in ("main", "reports"):
        login = secrets.describe_secret(SecretId=site.outputs[f"database.{name}.LoginArn"])
        assert not login.get("VersionIdsToStages"), "no task can read anything until the site has a user of its own"
        arn = site.outputs[f"database.{name}.SecretArn"]
        value = dict(json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"]))
        assert value["host"] == site.outputs[f"database.{name}.Endpoint"]
        assert str(value["port"]) == site.outputs[f"database.{name}.Port"]
        assert value["dbname"] == {"main": "site"}.get(name, name)
        assert len(value["password"]) == 32
    names = [each["Name"] for each in secrets.list_secrets()["SecretList"]]
    made = [f"shop-unit/database/{name}" for name in ("main", "reports")]
    assert sorted(names) == [f"{name}{end}" for name in made for end in ("", "/login")]
    group = found["reports"]["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
    rules = aws.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    ranges = [cidr["CidrIp"] for rule in rules for cidr in rule["IpRanges"]]
    assert ranges == ["10.1.0.0/16"]


@pytest.mark.parametrize("attached", [False, True])
def test_what_is_rotated_stays_when_the_stack_is_changed(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]], attached: bool
) -> None:
    """A reference to a secret is resolved anew with any change of what has it: its username has to be the same."""
    name, layer = "database.main", changed(layers["database.main"], {"DatabaseLoginAttached": attached})
    site.create(name, layer)
    rds, secrets = aws.client("rds"), aws.client("secretsmanager")
    (before,) = rds.describe_db_instances()["DBInstances"]

    def told(output: str) -> dict[str, Any]:
        arn = site.outputs[f"{name}.{output}"]
        return dict(json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"]))

    def rotated(output: str, username: str, word: str) -> None:
        versions = Versions(secrets, site.outputs[f"{name}.{output}"])
        versions.switch(versions.prepare(told(output) | {"username": username, "password": word}).id)
        versions.finish()

    if attached:  # as a Berth of before has made it
        assert told("LoginArn") == told("SecretArn")
    else:
        Versions(secrets, site.outputs[f"{name}.LoginArn"]).put(told("SecretArn"))
    rotated("LoginArn", "site_b", "of-the-site")
    rds.modify_db_instance(
        DBInstanceIdentifier=before["DBInstanceIdentifier"], MasterUserPassword="of-the-master", ApplyImmediately=True
    )
    rotated("SecretArn", "site", "of-the-master")
    assert site.run(name, changed(layer, {"DatabaseBackupDays": 14}))["changed"]
    (after,) = rds.describe_db_instances()["DBInstances"]
    assert (after["BackupRetentionPeriod"], after["DbiResourceId"]) == (14, before["DbiResourceId"])
    assert after["MasterUsername"] == "site"
    assert master_password(aws, after["DBInstanceIdentifier"]) == "of-the-master"
    assert (told("LoginArn")["username"], told("LoginArn")["password"]) == ("site_b", "of-the-site")
    assert told("LoginArn")["host"] == site.outputs[f"{name}.Endpoint"]
    assert (told("SecretArn")["username"], told("SecretArn")["password"]) == ("site", "of-the-master")
    assert not site.run(name, changed(layer, {"DatabaseBackupDays": 14}))["changed"]


def of_before(layer: dict[str, Any]) -> dict[str, Any]:
    """A database as a Berth had it whose CloudFormation wrote the site's login."""
    found, problems = decode_str(body(layer))
    assert found is not None, problems
    template = json.loads(json.dumps(found))
    del template["Parameters"]["DatabaseLoginAttached"], template["Conditions"]["LoginAttached"]
    login, attachment = template["Resources"]["Login"], template["Resources"]["LoginAttachment"]
    login["Properties"]["SecretString"] = login["Properties"]["SecretString"]["Fn::If"][1]
    del attachment["Condition"]
    template["Outputs"]["LoginArn"]["Value"] = {"Ref": "LoginAttachment"}
    parameters = {name: value for name, value in layer["parameters"].items() if name != "DatabaseLoginAttached"}
    return {key: value for key, value in layer.items() if key != "template"} | {
        "parameters": parameters, "template_body": json.dumps(template),
    }  # fmt: skip


def test_a_stack_of_before_keeps_what_its_tasks_read(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    name, layer = "database.main", layers["database.main"]
    site.create(name, of_before(layer))
    arn = site.outputs[f"{name}.LoginArn"]
    before = aws.client("secretsmanager").describe_secret(SecretId=arn)
    now = changed(layer, {"DatabaseLoginAttached": True})
    for _ in range(2):
        result = site.run(name, now)
        assert not result.get("failed"), result["msg"]
    assert not result["changed"], "the second time"
    assert (
        aws.client("secretsmanager").describe_secret(SecretId=arn)["VersionIdsToStages"]
        == (before["VersionIdsToStages"])
    )
    assert site.stacks.outputs(site.name(layer))["LoginArn"] == arn


def test_two_volumes_are_two_file_systems_with_their_owners(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    for name, layer in of_noun(layers, "volume").items():
        site.create(name, layer)
    efs = aws.client("efs")
    assert {each["Name"] for each in efs.describe_file_systems()["FileSystems"]} == {
        "shop-unit/media", "shop-unit/cms",
    }  # fmt: skip
    for name, uid in (("media", 1000), ("cms", 33)):
        system = site.outputs[f"volume.{name}.FileSystemId"]
        (point,) = efs.describe_access_points(FileSystemId=system)["AccessPoints"]
        assert point["AccessPointArn"] == site.outputs[f"volume.{name}.AccessPointArn"]
        assert point["RootDirectory"]["CreationInfo"] == {"OwnerUid": uid, "OwnerGid": uid, "Permissions": "0755"}
        assert len(efs.describe_mount_targets(FileSystemId=system)["MountTargets"]) == 2
        assert site.outputs[f"volume.{name}.FileSystemArn"].endswith(f":123456789012:file-system/{system}")


def test_a_kept_file_system_is_taken_up_again(aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    layer = layers["volume.media"]
    site.create("volume.media", layer)
    kept = site.outputs["volume.media.FileSystemId"]
    site.delete(layer)
    assert aws.client("efs").describe_mount_targets(FileSystemId=kept)["MountTargets"] == []

    site.create("volume.media", changed(layer, {"VolumeFileSystemId": kept}))

    assert site.outputs["volume.media.FileSystemId"] == kept
    assert len(aws.client("efs").describe_file_systems()["FileSystems"]) == 1


def test_buckets_keep_old_versions_and_let_objects_expire_as_they_say(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    for name, layer in of_noun(layers, "bucket").items():
        site.create(name, layer)
    s3 = aws.client("s3")
    uploads, logs = (site.outputs[f"bucket.{name}.BucketName"] for name in ("uploads", "logs"))
    assert s3.get_bucket_versioning(Bucket=uploads)["Status"] == "Enabled"
    assert s3.get_bucket_versioning(Bucket=logs)["Status"] == "Suspended"
    rules = {
        bucket: {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
        for bucket in (uploads, logs)
    }
    assert set(rules[uploads]) == {"remove-old-versions"}
    assert rules[uploads]["remove-old-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    assert rules[logs]["expire"]["Expiration"]["Days"] == 30
    (cors,) = s3.get_bucket_cors(Bucket=logs)["CORSRules"]
    assert cors["AllowedOrigins"] == ["https://a.test"]
    with pytest.raises(ClientError, match="NoSuchCORSConfiguration"):
        s3.get_bucket_cors(Bucket=uploads)


def test_a_secret_has_what_is_fixed_beside_what_is_generated(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    for name, layer in of_noun(layers, "secret").items():
        site.create(name, layer)
    secrets = aws.client("secretsmanager")
    values = {
        name: json.loads(secrets.get_secret_value(SecretId=site.outputs[f"secret.{name}.SecretArn"])["SecretString"])
        for name in ("django", "admin")
    }
    assert set(values["django"]) == {"secret_key"}
    assert len(values["django"]["secret_key"]) == 50
    assert values["admin"]["username"] == "admin"
    assert len(values["admin"]["password"]) == 20


@pytest.mark.parametrize("name", ["volume.media", "bucket.uploads", "table.items", "secret.django"])
def test_what_holds_data_stays_and_does_not_block_the_next_site(
    site: Deployed, layers: dict[str, dict[str, Any]], name: str
) -> None:
    holder = {"volume": "FileSystem", "bucket": "Bucket", "table": "Table", "secret": "Secret"}[name.partition(".")[0]]
    first = site.create(name, layers[name])[holder]
    site.delete(layers[name])

    second = site.create(name, layers[name])[holder]

    assert second != first
    assert exists(site, name, first)


def exists(site: Deployed, name: str, physical_id: str) -> bool:
    """Whether something with data is there; an error if not."""
    noun = name.partition(".")[0]
    asked = {
        "volume": ("efs", "describe_file_systems", "FileSystemId"),
        "bucket": ("s3", "head_bucket", "Bucket"),
        "table": ("dynamodb", "describe_table", "TableName"),
        "secret": ("secretsmanager", "get_secret_value", "SecretId"),
    }
    service, operation, argument = asked[noun]
    getattr(site.aws.client(service), operation)(**{argument: physical_id})
    return True


def test_a_database_leaves_a_snapshot_and_its_secret_goes(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    layer = changed(layers["database.main"], {"DatabaseDeletionProtection": False})
    site.create("database.main", layer)
    site.delete(layer)
    assert aws.client("rds").describe_db_instances()["DBInstances"] == []
    assert len(aws.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]) == 1
    assert aws.client("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"] == []


def test_a_repository_goes_with_its_images(aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    site.create("image.shop-django", layers["image.shop-django"])
    ecr = aws.client("ecr")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}
    ecr.put_image(repositoryName="shop-unit/shop-django", imageManifest=json.dumps(manifest), imageTag="1")
    site.delete(layers["image.shop-django"])
    assert ecr.describe_repositories()["repositories"] == []


@pytest.mark.parametrize("versioned", [False, True])
def test_static_files_go_with_their_bucket_and_its_stack(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]], versioned: bool
) -> None:
    bucket = site.create("static.front", layers["static.front"])["Files"]
    s3 = aws.client("s3")
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    tag = {"Key": "berth:superseded", "Value": "true"}
    assert (rule["Filter"], rule["Expiration"]) == ({"Tag": tag}, {"Days": 30})
    if versioned:  # a patch may have it so
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.delete_object(Bucket=bucket, Key="b")
    plan = site.run("static.front", layers["static.front"], check=True, state="absent")
    assert "- static.front.Files (AWS::S3::Bucket)" in plan["diff"][0]["prepared"]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1, "a check takes nothing out"

    gone = site.run("static.front", layers["static.front"], state="absent")

    assert not gone.get("failed"), gone
    assert s3.list_buckets()["Buckets"] == []
    assert not site.run("static.front", layers["static.front"], state="absent")["changed"]


def test_a_bucket_with_data_is_not_emptied_by_a_deletion(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    bucket = site.create("bucket.uploads", layers["bucket.uploads"])["Bucket"]
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")
    assert not site.run("bucket.uploads", layers["bucket.uploads"], state="absent", unprotect=True).get("failed")
    assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_of_two_buckets_of_a_stack_only_what_is_built_is_taken_out(aws: Cloud, site: Deployed) -> None:
    built = "Files: {Type: AWS::S3::Bucket, Metadata: {'Berth::Content': built}}"
    kept = "Uploads: {Type: AWS::S3::Bucket, DeletionPolicy: Retain}"
    layer = {"stack": "both", "template_body": f"Resources:\n  {built}\n  {kept}\n", "parameters": {}}
    made = site.create("both", layer)
    for bucket in made.values():
        aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")
    assert not site.run("both", layer, state="absent").get("failed")
    assert [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]] == [made["Uploads"]]
    assert aws.client("s3").list_objects_v2(Bucket=made["Uploads"])["KeyCount"] == 1


def test_a_built_file_that_s3_keeps_is_told(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = site.create("static.front", layers["static.front"])["Files"]
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")
    s3 = MagicMock(wraps=aws.client("s3"))
    s3.delete_objects = lambda **_: {"Errors": [{"Key": "a", "Message": "Access Denied"}]}
    real = cloudformation_stacks.ActionModule.client

    def client(action: Any, service: str, region: str | None = None) -> Any:
        return s3 if service == "s3" else real(action, service, region)

    monkeypatch.setattr(cloudformation_stacks.ActionModule, "client", client)
    failed = site.run("static.front", layers["static.front"], state="absent")
    assert f"{bucket} cannot be emptied: a: Access Denied" in failed["msg"]


def test_a_deletion_that_failed_over_static_files_is_finished_by_the_next_run(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    layer = layers["static.front"]
    bucket = site.create("static.front", layer)["Files"]
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")
    assert site.stacks.delete(site.name(layer))["StackStatus"] == "DELETE_FAILED", "by somebody's hand"
    again = site.run("static.front", layer)
    assert (again.get("failed"), again["changed"]) == (None, True)
    assert site.stacks.physical(site.name(layer))["Files"] != bucket


def test_a_bucket_that_has_gone_already_does_not_stop_its_stack(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    aws.client("s3").delete_bucket(Bucket=site.create("static.front", layers["static.front"])["Files"])
    assert not site.run("static.front", layers["static.front"], state="absent").get("failed")


@pytest.mark.parametrize(
    "name",
    [
        "database.main",
        "volume.media",
        "bucket.uploads",
        "table.items",
        "secret.django",
        "image.shop-django",
        "static.front",
    ],
)
def test_a_first_create_that_is_rolled_back_leaves_nothing_behind(
    site: Deployed, layers: dict[str, dict[str, Any]], name: str
) -> None:
    layer = layers[name]
    bad = "\n  Bad: {Type: AWS::EC2::Subnet, Properties: {VpcId: vpc-none, CidrBlock: 10.0.0.0/24}, DependsOn: [%s]}\n"
    everything = ", ".join(site.template(layer).resources)
    broken = body(layer).replace("\nResources:\n", "\nResources:" + bad % everything, 1)
    stack = site.stacks.create(site.name(layer), broken, site.parameters(layer, first=True))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    left = [each for each in site.stacks.api.describe_stack_resources(StackName=site.name(layer))["StackResources"]
            if each["ResourceStatus"] != "DELETE_COMPLETE"]  # fmt: skip
    assert left == []


@pytest.mark.parametrize("name", LOSSES)
def test_what_would_be_lost_is_found_before_anything_is_changed(
    site: Deployed, layers: dict[str, dict[str, Any]], name: str
) -> None:
    parameters, lost = LOSSES[name]
    layer = layers[name]
    physical = site.create(name, layer)
    assert not site.run(name, layer)["changed"], "as it is, nothing is lost"

    for check in (True, False):
        result = site.run(name, changed(layer, parameters), check=check)
        said = result["msg"]
        assert result["failed"]
        for logical, how in lost.items():
            assert f"{logical} (" in said, said
            assert how in said, said
            assert physical[logical] in said
    assert site.stacks.physical(site.name(layer)) == physical


def test_the_value_of_a_secret_is_overwritten_only_when_it_is_named(
    aws: Cloud, site: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    layer = layers["secret.django"]
    arn = site.create("secret.django", layer)["Secret"]
    secrets = aws.client("secretsmanager")
    before = secrets.get_secret_value(SecretId=arn)["SecretString"]
    longer = changed(layer, {"SecretLength": 60})

    assert site.run("secret.django", longer)["failed"]
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == before

    assert not site.run("secret.django", longer, remove=[arn]).get("failed")
    assert len(json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["secret_key"]) == 60
