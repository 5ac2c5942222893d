"""Databases, secrets, file systems, buckets and repositories through CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.patches import rds as rds_patch
from local_aws.tests.stack_support import Stacks

SUBNETS = """
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.0.0/24, AvailabilityZone: us-east-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.1.0/24, AvailabilityZone: us-east-1b}}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: data, VpcId: !Ref Vpc}}
"""
DATABASE = f"""
Parameters:
  Protected: {{Type: String, Default: "false"}}
  Days: {{Type: Number, Default: 7}}
  Length: {{Type: Number, Default: 20}}
Resources:
{SUBNETS}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: shop/database
      GenerateSecretString:
        SecretStringTemplate: '{{"username": "shop"}}'
        GenerateStringKey: password
        PasswordLength: !Ref Length
        ExcludePunctuation: true
  Subnets: {{Type: AWS::RDS::DBSubnetGroup, Properties: {{DBSubnetGroupDescription: db, SubnetIds: [!Ref A, !Ref B]}}}}
  Settings:
    Type: AWS::RDS::DBParameterGroup
    Properties: {{Family: postgres15, Description: ours, Parameters: {{rds.force_ssl: "1"}}}}
  Database:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Snapshot
    Properties:
      Engine: postgres
      EngineVersion: "15"
      DBInstanceClass: db.t3.micro
      DBName: shop
      MasterUsername: !Sub "{{{{resolve:secretsmanager:${{Secret}}:SecretString:username}}}}"
      MasterUserPassword: !Sub "{{{{resolve:secretsmanager:${{Secret}}:SecretString:password}}}}"
      AllocatedStorage: "20"
      MaxAllocatedStorage: 50
      StorageType: gp3
      StorageEncrypted: true
      BackupRetentionPeriod: !Ref Days
      DeletionProtection: !Ref Protected
      CopyTagsToSnapshot: true
      DBSubnetGroupName: !Ref Subnets
      DBParameterGroupName: !Ref Settings
      VPCSecurityGroups: [!Ref Group]
      Tags: [{{Key: Role, Value: database}}]
  Attachment:
    Type: AWS::SecretsManager::SecretTargetAttachment
    Properties: {{SecretId: !Ref Secret, TargetId: !Ref Database, TargetType: "AWS::RDS::DBInstance"}}
Outputs:
  Arn: {{Value: !Ref Attachment}}
  Host: {{Value: !GetAtt Database.Endpoint.Address}}
  Port: {{Value: !GetAtt Database.Endpoint.Port}}
  Resource: {{Value: !GetAtt Database.DbiResourceId}}
"""


def database(aws: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("rds").describe_db_instances()["DBInstances"][0]
    return found


def secret(aws: Cloud, name: str = "shop/database") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    return found


def test_a_database_and_its_secret_know_each_other(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("data", DATABASE)

    found, outputs, value = database(aws), stacks.outputs("data"), secret(aws)
    assert found["EngineVersion"].startswith("15.")
    assert (found["AllocatedStorage"], found["MaxAllocatedStorage"], found["StorageType"]) == (20, 50, "gp3")
    assert found["StorageEncrypted"] is True
    assert found["DBParameterGroups"][0]["DBParameterGroupName"] == stacks.physical("data")["Settings"]
    assert {"Key": "Role", "Value": "database"} in found["TagList"]
    assert (outputs["Host"], outputs["Port"]) == (found["Endpoint"]["Address"], "5432")
    assert outputs["Resource"] == found["DbiResourceId"]
    assert outputs["Arn"] == aws.client("secretsmanager").describe_secret(SecretId="shop/database")["ARN"]
    assert value | {"password": ""} == {
        "username": "shop",
        "password": "",
        "engine": "postgres",
        "host": outputs["Host"],
        "port": 5432,
        "dbname": "shop",
        "dbInstanceIdentifier": stacks.physical("data")["Database"],
    }
    from local_aws.patches import rds

    assert rds.master_password(aws, found["DBInstanceIdentifier"]) == value["password"]
    assert len(value["password"]) == 20


def test_database_settings_change_in_place(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("data", DATABASE)
    before, value = database(aws)["DbiResourceId"], secret(aws)
    body = DATABASE.replace("rds.force_ssl", "log_statement")
    body = body.replace("CopyTagsToSnapshot: true", "EnableCloudwatchLogsExports: [postgresql]")

    stacks.changed("data", body, {"Protected": "true", "Days": 14})

    found = database(aws)
    assert found["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert found["CopyTagsToSnapshot"] is False, "what the template no longer says goes back to its default"
    assert (found["DbiResourceId"], found["DeletionProtection"], found["BackupRetentionPeriod"]) == (before, True, 14)
    assert secret(aws) == value, "the secret is generated once"
    group = stacks.physical("data")["Settings"]
    set_by_us = aws.client("rds").describe_db_parameters(DBParameterGroupName=group)["Parameters"]
    assert [parameter["ParameterName"] for parameter in set_by_us] == ["log_statement"]


def test_another_authority_signs_and_another_version_is_the_one_that_runs_already(aws: Cloud, stacks: Stacks) -> None:
    signed = "CACertificateIdentifier: rds-ca-ecc384-g1\n      CertificateRotationRestart: false\n      CopyTags"
    stacks.made("data", DATABASE.replace("CopyTags", signed))
    before = database(aws)
    assert before["CACertificateIdentifier"] == "rds-ca-ecc384-g1"
    aws.client("rds").modify_db_instance(
        DBInstanceIdentifier=before["DBInstanceIdentifier"], EngineVersion="16.4", AllowMajorVersionUpgrade=True
    )
    raised = DATABASE.replace("CopyTags", signed.replace("ecc384", "rsa4096")).replace('"15"', '"16.4"')

    stacks.changed("data", raised)

    found = database(aws)
    assert (found["CACertificateIdentifier"], found["EngineVersion"]) == ("rds-ca-rsa4096-g1", "16.4")
    assert found["DbiResourceId"] == before["DbiResourceId"]
    with pytest.raises(AssertionError, match=r"Cannot upgrade postgres from 16\.4 to 15"):
        stacks.changed("data", raised.replace('"16.4"', '"15"'))


def test_a_changed_recipe_is_a_new_secret(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("data", DATABASE)
    value = secret(aws)

    stacks.changed("data", parameters={"Length": 30})

    assert secret(aws)["password"] != value["password"]


def test_a_secret_without_a_value_has_none_until_somebody_writes_one(aws: Cloud, stacks: Stacks) -> None:
    empty = "Resources: {Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: shop/login}}}"
    written = empty.replace("Name: shop/login", "Name: shop/login, SecretString: '{}'")
    stacks.made("data", empty)
    with pytest.raises(ClientError, match="can't find the specified secret value for staging label: AWSCURRENT"):
        secret(aws, "shop/login")
    aws.client("secretsmanager").put_secret_value(SecretId="shop/login", SecretString='{"user": "a"}')
    stacks.changed("data", empty.replace("Name: shop/login", "Name: shop/login, Description: told"))
    assert secret(aws, "shop/login") == {"user": "a"}, "what it does not know it does not write over"
    stacks.changed("data", written)
    assert secret(aws, "shop/login") == {}
    aws.client("secretsmanager").put_secret_value(SecretId="shop/login", SecretString='{"user": "b"}')
    stacks.changed("data", empty)
    assert secret(aws, "shop/login") == {"user": "b"}, "no call takes a value away"


def test_a_protected_database_refuses_to_go(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("data", DATABASE, {"Protected": "true"})

    assert stacks.delete("data")["StackStatus"] == "DELETE_FAILED"

    reasons = [reason for logical, status, reason in stacks.events("data") if status == "DELETE_FAILED"]
    assert "Cannot delete protected DB Instance" in reasons[0]
    assert aws.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"] == []


def test_a_deleted_database_leaves_a_snapshot_and_nothing_else(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("data", DATABASE)

    assert stacks.delete("data")["StackStatus"] == "DELETE_COMPLETE"

    rds = aws.client("rds")
    assert rds.describe_db_instances()["DBInstances"] == []
    assert rds.describe_db_subnet_groups()["DBSubnetGroups"] == []
    assert rds.describe_db_parameter_groups()["DBParameterGroups"] == []
    snapshots = rds.describe_db_snapshots()["DBSnapshots"]
    assert [snapshot["SnapshotType"] for snapshot in snapshots] == ["manual"]
    assert aws.client("secretsmanager").list_secrets()["SecretList"] == []


def test_a_database_of_a_snapshot_is_restored_from_it(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("data", DATABASE)
    aws.client("rds").create_db_snapshot(
        DBInstanceIdentifier=stacks.physical("data")["Database"], DBSnapshotIdentifier="before"
    )
    body = """
Resources:
  Database:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Delete
    Properties: {DBSnapshotIdentifier: before, DBInstanceClass: db.t3.micro, BackupRetentionPeriod: 3}
"""
    stacks.made("restored", body)

    name = stacks.physical("restored")["Database"]
    found = aws.client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    assert (found["Engine"], found["BackupRetentionPeriod"]) == ("postgres", 3)
    assert rds_patch.restored_from(aws, name) == "before"


FILES = f"""
Parameters:
  Zone: {{Type: String, Default: B}}
  Backup: {{Type: String, Default: ENABLED}}
Conditions: {{InB: !Equals [!Ref Zone, B]}}
Resources:
{SUBNETS}
  Files:
    Type: AWS::EFS::FileSystem
    Properties:
      Encrypted: true
      BackupPolicy: {{Status: !Ref Backup}}
      LifecyclePolicies: [{{TransitionToIA: AFTER_30_DAYS}}]
      FileSystemTags: [{{Key: Name, Value: shop-test/media}}]
  TargetA:
    Type: AWS::EFS::MountTarget
    Properties: {{FileSystemId: !Ref Files, SubnetId: !Ref A, SecurityGroups: [!Ref Group]}}
  TargetB:
    Type: AWS::EFS::MountTarget
    DependsOn: TargetA
    Properties: {{FileSystemId: !Ref Files, SubnetId: !If [InB, !Ref B, !Ref A], SecurityGroups: [!Ref Group]}}
  Point:
    Type: AWS::EFS::AccessPoint
    Properties:
      FileSystemId: !Ref Files
      RootDirectory: {{Path: /data, CreationInfo: {{OwnerUid: "1000", OwnerGid: "1000", Permissions: "0755"}}}}
Outputs:
  Address: {{Value: !GetAtt TargetA.IpAddress}}
  Point: {{Value: !GetAtt Point.Arn}}
"""


def test_a_file_system_with_targets_and_access_point(aws: Cloud, stacks: Stacks) -> None:
    efs = aws.client("efs")
    stacks.made("files", FILES, Tags=[{"Key": "Site", "Value": "shop"}])

    ids = stacks.physical("files")
    found = efs.describe_file_systems(FileSystemId=ids["Files"])["FileSystems"][0]
    assert (found["Encrypted"], found["Name"], found["NumberOfMountTargets"]) == (True, "shop-test/media", 2)
    assert {"Key": "Site", "Value": "shop"} in found["Tags"]
    assert efs.describe_backup_policy(FileSystemId=ids["Files"])["BackupPolicy"]["Status"] == "ENABLED"
    policies = efs.describe_lifecycle_configuration(FileSystemId=ids["Files"])["LifecyclePolicies"]
    assert policies == [{"TransitionToIA": "AFTER_30_DAYS"}]
    targets = efs.describe_mount_targets(FileSystemId=ids["Files"])["MountTargets"]
    assert {target["AvailabilityZoneName"] for target in targets} == {"us-east-1a", "us-east-1b"}
    assert stacks.outputs("files")["Address"] in [target["IpAddress"] for target in targets]
    point = efs.describe_access_points(AccessPointId=ids["Point"])["AccessPoints"][0]
    assert point["RootDirectory"]["CreationInfo"] == {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "0755"}


def test_a_policy_of_a_file_system_comes_and_goes_in_place(aws: Cloud, stacks: Stacks) -> None:
    efs = aws.client("efs")
    ids = stacks.made("files", FILES)
    policy = "{Version: '2012-10-17', Statement: [{Effect: Deny, Principal: {AWS: '*'}, Action: '*'}]}"
    anchor = "Type: AWS::EFS::FileSystem\n    Properties:\n"
    assert anchor in FILES
    stacks.changed("files", FILES.replace(anchor, f"{anchor}      FileSystemPolicy: {policy}\n"))
    assert '"Deny"' in efs.describe_file_system_policy(FileSystemId=ids["Files"])["Policy"]
    stacks.changed("files", FILES)
    with pytest.raises(efs.exceptions.PolicyNotFound):
        efs.describe_file_system_policy(FileSystemId=ids["Files"])
    assert stacks.physical("files")["Files"] == ids["Files"]


def test_file_system_settings_change_in_place_and_nothing_is_left(aws: Cloud, stacks: Stacks) -> None:
    efs = aws.client("efs")
    stacks.made("files", FILES)
    before = stacks.physical("files")["Files"]
    body = FILES.replace("shop-test/media", "shop-prod/media").replace("AFTER_30_DAYS", "AFTER_7_DAYS")

    stacks.changed("files", body, {"Backup": "DISABLED"})

    found = efs.describe_file_systems()["FileSystems"][0]
    assert (found["FileSystemId"], found["Name"]) == (before, "shop-prod/media")
    policies = efs.describe_lifecycle_configuration(FileSystemId=before)["LifecyclePolicies"]
    assert policies == [{"TransitionToIA": "AFTER_7_DAYS"}]
    assert stacks.delete("files")["StackStatus"] == "DELETE_COMPLETE"
    assert efs.describe_file_systems()["FileSystems"] == []
    assert aws.client("ec2").describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_zone_has_one_mount_target(stacks: Stacks) -> None:
    assert stacks.create("files", FILES, {"Zone": "A"})["StackStatus"] == "ROLLBACK_COMPLETE"

    reasons = [reason for logical, status, reason in stacks.events("files") if status == "CREATE_FAILED"]
    assert "mount target already exists in this AZ" in reasons[0]


STORES = """
Parameters: {Days: {Type: Number, Default: 90}}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      PublicAccessBlockConfiguration:
        {BlockPublicAcls: "true", BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
      BucketEncryption:
        ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]
      VersioningConfiguration: {Status: Enabled}
      CorsConfiguration:
        CorsRules: [{AllowedMethods: [GET], AllowedOrigins: ["*"], MaxAge: 300, ExposedHeaders: [ETag]}]
      LifecycleConfiguration:
        Rules:
          - Id: old
            Status: Enabled
            NoncurrentVersionExpiration: {NoncurrentDays: !Ref Days}
            AbortIncompleteMultipartUpload: {DaysAfterInitiation: 7}
      Tags: [{Key: Role, Value: static}]
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: !GetAtt Bucket.Arn}]
  Images:
    Type: AWS::ECR::Repository
    Properties:
      RepositoryName: shop/django
      ImageTagMutability: IMMUTABLE
      ImageScanningConfiguration: {ScanOnPush: true}
      EmptyOnDelete: true
      LifecyclePolicy:
        LifecyclePolicyText: '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any",
          "countType": "imageCountMoreThan", "countNumber": 50}, "action": {"type": "expire"}}]}'
Outputs:
  Uri: {Value: !GetAtt Images.RepositoryUri}
"""


def test_buckets_are_closed_encrypted_and_versioned(aws: Cloud, stacks: Stacks) -> None:
    s3 = aws.client("s3")
    stacks.made("stores", STORES)
    bucket = stacks.physical("stores")["Bucket"]

    assert bucket.startswith("stores-bucket-")
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["MaxAgeSeconds"] == 300
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "Role", "Value": "static"}]
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]["Effect"] == "Deny"

    stacks.changed("stores", parameters={"Days": 10})

    rule = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 10
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7


@pytest.mark.parametrize(
    ("about", "wanted"),
    [
        ("", {"Prefix": ""}),
        ("Prefix: old/,", {"Prefix": "old/"}),
        ("TagFilters: [{Key: a, Value: b}],", {"Tag": {"Key": "a", "Value": "b"}}),
        (
            "Prefix: old/, TagFilters: [{Key: a, Value: b}],",
            {"And": {"Prefix": "old/", "Tags": [{"Key": "a", "Value": "b"}]}},
        ),
        (
            "TagFilters: [{Key: a, Value: b}, {Key: c, Value: d}],",
            {"And": {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]}},
        ),
    ],
    ids=["all", "prefix", "tag", "prefix and tag", "tags"],
)
def test_a_lifecycle_rule_is_about_what_it_says(aws: Cloud, stacks: Stacks, about: str, wanted: dict[str, Any]) -> None:
    rule = f"{{Id: gone, Status: Enabled, {about} ExpirationInDays: 30}}"
    body = f"Resources: {{B: {{Type: AWS::S3::Bucket, Properties: {{LifecycleConfiguration: {{Rules: [{rule}]}}}}}}}}"
    bucket = stacks.made("rules", body)["B"]
    (found,) = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (found["Filter"], found["Expiration"]) == (wanted, {"Days": 30})


def test_a_bucket_with_objects_refuses_to_go(aws: Cloud, stacks: Stacks) -> None:
    stacks.create("stores", STORES)
    bucket = stacks.physical("stores")["Bucket"]
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"a")

    assert stacks.delete("stores")["StackStatus"] == "DELETE_FAILED"

    reasons = [reason for logical, status, reason in stacks.events("stores") if status == "DELETE_FAILED"]
    assert "BucketNotEmpty" in reasons[0]


def test_a_property_that_the_embedded_aws_lacks_is_an_error(stacks: Stacks) -> None:
    body = "Resources: {Bucket: {Type: AWS::S3::Bucket, Properties: {WebsiteConfiguration: {IndexDocument: i.html}}}}"

    stacks.create("site", body)

    reasons = [reason for logical, status, reason in stacks.events("site") if status == "CREATE_FAILED"]
    assert "WebsiteConfiguration is not in the embedded AWS" in reasons[0]


def test_repositories_have_their_policies(aws: Cloud, stacks: Stacks) -> None:
    ecr = aws.client("ecr")
    stacks.made("stores", STORES)

    found = ecr.describe_repositories()["repositories"][0]
    assert (found["repositoryName"], found["imageTagMutability"]) == ("shop/django", "IMMUTABLE")
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    assert stacks.outputs("stores")["Uri"] == found["repositoryUri"]
    text = ecr.get_lifecycle_policy(repositoryName="shop/django")["lifecyclePolicyText"]
    assert json.loads(text)["rules"][0]["selection"]["countNumber"] == 50
    manifest = '{"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "schemaVersion": 2}'
    ecr.put_image(repositoryName="shop/django", imageManifest=manifest, imageTag="1")

    stacks.changed("stores", STORES.replace("IMMUTABLE", "MUTABLE").replace("50}", "5}").replace("50,", "5,"))

    assert ecr.describe_repositories()["repositories"][0]["imageTagMutability"] == "MUTABLE"
    assert stacks.delete("stores")["StackStatus"] == "DELETE_COMPLETE"
    assert ecr.describe_repositories()["repositories"] == []
