"""Each role of the templates may do what the product's parts do with it, and nothing that none of them does.

Those of a pipeline are in test_deployer_rights.py, what services of AWS may do by the policy of a thing in
test_resource_rights.py, and who types the verbs in tests/unit/scripts/test_operator_rights.py.
"""

from __future__ import annotations

import ast
import copy
import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
import yaml
from cfnlint.decode import decode_str

from local_aws.access import needs
from local_aws.access.callers import Caller
from local_aws.access.denials import Denial, Denials
from local_aws.access.front import Guard
from local_aws.access.resources import Asked
from local_aws.access.roles import EC2, LAMBDA, SCHEDULER, TASKS, source_of_tasks
from local_aws.cloud import Cloud
from local_aws.config import Iam
from local_aws.ecs import control_plane as ecs
from local_aws.scaffold import FOLDER
from local_aws.tests.stack_support import Stacks
from plugins.plugin_utils.site.nouns import NOUNS
from tests.unit.noun_support import RolesOf, body
from tests.unit.render_support import KNOWN, PROJECT
from tests.unit.rights_support import documents, unneeded

SITE = PROJECT / "tests/unit/plugins/plugin_utils/site/sites/every_key.yml"
HERE = "us-east-1:123456789012"
CLUSTER, HOST = "shop-unit", f"arn:aws:ecs:{HERE}:container-instance/shop-unit/0a1b"
DEFINITION = f"arn:aws:ecs:{HERE}:task-definition/shop-unit-job-report:1"
STRIPE = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/stripe-Ab12Cd"
KEPT = ("AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::ECS::Cluster", "AWS::SQS::Queue", "AWS::Backup::BackupVault")
BACKUP = "backup.amazonaws.com"
READS, WRITES = {"table.items": ["read"]}, {"table.items": ["write"]}
APP: dict[str, Any] = {"image": "shop/app:1", "mem_limit": "64m"}
MORE: dict[str, Any] = {
    "reader": {
        "containers": {"app": {**APP, "secrets": {"MAIL": "secret.mail.value"}, "volumes": ["private:/kept:ro"]}},
        "uses": {**READS, "static.front": "read", "secret.admin": "read", "function.items": "invoke"},
    },
    "writer": {"containers": {"app": APP}, "uses": {**WRITES, "bucket.uploads": "write"}},
}
"""Services beside those of the site, so that each right that an entry can be given is some role's."""
VALUES = {
    "RepositoryArn": f"arn:aws:ecr:{HERE}:repository/shop-unit/app",
    "SecretArn": f"arn:aws:secretsmanager:{HERE}:secret:shop-unit/secret/key-AbCdEf",
    "LoginArn": f"arn:aws:secretsmanager:{HERE}:secret:shop-unit/database/main/login-AbCdEf",
    "BucketArn": "arn:aws:s3:::shop-unit-uploads",
    "BucketName": "shop-unit-uploads",
    "static.front.BucketArn": "arn:aws:s3:::shop-unit-front",
    "FunctionArn": f"arn:aws:lambda:{HERE}:function:shop-unit-function-items",
    "TableArn": f"arn:aws:dynamodb:{HERE}:table/shop-unit-items",
    "TableName": "shop-unit-items",
    "AccessPointArn": f"arn:aws:elasticfilesystem:{HERE}:access-point/fsap-0a1b",
    "AccessPointId": "fsap-0a1b",
    "FileSystemId": "fs-0a1b",
    "Endpoint": "database.internal",
    "InstanceId": "shop-unit-main",
    "FileSystemArn": f"arn:aws:elasticfilesystem:{HERE}:file-system/fs-0a1b",
    "CopyVaultArn": "arn:aws:backup:us-west-2:123456789012:backup-vault:shop-unit-copy",
}
"""Output of another layer → what stands for it; that of an entry (`static.front.BucketArn`) before that of all."""


Calls = tuple[tuple[str, str, Mapping[str, Any]] | needs.Need, ...]


class Role(NamedTuple):
    """A role of a template.

    Attributes:
        layer: which template makes it, for which entry.
        name: its logical id.
        service: who assumes it.
        calls: what parts of ours, of the hosts' Docker and the site's own code do with it; `service:Action` of IAM and
            an ARN for what a service of AWS does with it, which is no call that anybody could record.
        reasons: allowed actions that no such call needs, and why they are allowed.
    """

    layer: str
    name: str
    service: str
    calls: Calls
    reasons: Mapping[str, str] = {}


PULL = {"repositoryName": "shop-unit/app", "imageIds": [{"imageTag": "1"}]}
START: Calls = (
    ("ecr", "GetAuthorizationToken", {"registryIds": ["123456789012"]}),
    # docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html, "pull"
    ("ecr", "BatchCheckLayerAvailability", PULL),
    ("ecr", "BatchGetImage", PULL),
    ("ecr", "GetDownloadUrlForLayer", PULL),
    ("secretsmanager", "GetSecretValue", {"SecretId": VALUES["LoginArn"]}),
    ("kms", "Decrypt", {"KeyId": "arn:aws:kms:eu-west-1:123456789012:key/0123abcd"}),
)
"""What it takes to start a task: the agent's calls, and Docker's to the registry and of its log driver."""
BUCKET = VALUES["BucketName"]
READ_BUCKET: Calls = (
    ("s3", "ListObjectsV2", {"Bucket": BUCKET}),
    ("s3", "GetBucketLocation", {"Bucket": BUCKET}),
    ("s3", "GetObject", {"Bucket": BUCKET, "Key": "a/b.png"}),
    ("s3", "GetObject", {"Bucket": BUCKET, "Key": "a/b.png", "VersionId": "1"}),
)
WRITE_BUCKET: Calls = (
    ("s3", "PutObject", {"Bucket": BUCKET, "Key": "a/b.png"}),
    ("s3", "CompleteMultipartUpload", {"Bucket": BUCKET, "Key": "a/b.png"}),
    ("s3", "AbortMultipartUpload", {"Bucket": BUCKET, "Key": "a/b.png"}),
    ("s3", "ListParts", {"Bucket": BUCKET, "Key": "a/b.png"}),
    ("s3", "ListMultipartUploads", {"Bucket": BUCKET}),
    ("s3", "DeleteObject", {"Bucket": BUCKET, "Key": "a/b.png"}),
)
ITEMS = {"TableName": VALUES["TableName"]}


def statements(*texts: str) -> Calls:
    """PartiQL."""
    return tuple(("dynamodb", "ExecuteStatement", {"Statement": text}) for text in texts)


READ_TABLE: Calls = (
    ("dynamodb", "DescribeTable", ITEMS),
    ("dynamodb", "GetItem", ITEMS),
    ("dynamodb", "BatchGetItem", {"RequestItems": {ITEMS["TableName"]: {}}}),
    ("dynamodb", "Query", ITEMS),
    ("dynamodb", "Query", {**ITEMS, "IndexName": "by_owner"}),
    ("dynamodb", "Scan", ITEMS),
    ("dynamodb", "TransactWriteItems", {"TransactItems": [{"ConditionCheck": ITEMS}]}),
    *statements('SELECT * FROM "shop-unit-items"'),
)
WRITE_TABLE: Calls = (
    ("dynamodb", "DescribeTable", ITEMS),
    ("dynamodb", "PutItem", ITEMS),
    ("dynamodb", "UpdateItem", ITEMS),
    ("dynamodb", "DeleteItem", ITEMS),
    ("dynamodb", "BatchWriteItem", {"RequestItems": {ITEMS["TableName"]: []}}),
    ("dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": ITEMS}]}),
    *statements(
        "INSERT INTO \"shop-unit-items\" VALUE {'id': 1}",
        'UPDATE "shop-unit-items" SET a=1',
        'DELETE FROM "shop-unit-items"',
    ),
)
SECRET: Calls = tuple(
    ("secretsmanager", operation, {"SecretId": VALUES["SecretArn"]})
    for operation in ("GetSecretValue", "DescribeSecret")
)
MAIL = {"Names": ["/shop/mail"]}
FRONT: Calls = (
    ("s3", "ListObjectsV2", {"Bucket": "shop-unit-front"}),
    ("s3", "GetBucketLocation", {"Bucket": "shop-unit-front"}),
    ("s3", "GetObject", {"Bucket": "shop-unit-front", "Key": "index.html"}),
)
FILES = f"arn:aws:elasticfilesystem:{HERE}:file-system/fs-0a1b"
POINT = f"arn:aws:backup:{HERE}:recovery-point:0a1b"
KEY = f"arn:aws:kms:{HERE}:key/0a1b"
DATABASE = f"arn:aws:rds:{HERE}:db:shop-unit-main"
SNAPSHOT = f"arn:aws:rds:{HERE}:snapshot:awsbackup:job-0a1b"
AWAY = VALUES["CopyVaultArn"]
COPIES: Calls = (
    # docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html, "EFSPermissions"
    needs.Need("elasticfilesystem:Backup", FILES),
    needs.Need("elasticfilesystem:DescribeTags", FILES),
    # docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForRestores.html
    needs.Need("elasticfilesystem:Restore", FILES),
    needs.Need("elasticfilesystem:DescribeFileSystems", FILES),
    needs.Need("backup:DescribeBackupVault", f"arn:aws:backup:{HERE}:backup-vault:VAULT"),
    # docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html, "RDSPermissions"
    *(
        needs.Need(f"rds:{action}", DATABASE)
        for action in ("CreateDBSnapshot", "AddTagsToResource", "ListTagsForResource", "DescribeDBInstances")
    ),
    *(
        needs.Need(f"rds:{action}", SNAPSHOT)
        for action in ("CopyDBSnapshot", "DeleteDBSnapshot", "ModifyDBSnapshotAttribute", "DescribeDBSnapshots")
    ),
    # docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html: out of one vault, into another
    needs.Need("backup:CopyFromBackupVault", POINT, {"backup:CopyTargets": [AWAY]}),
    needs.Need("backup:CopyIntoBackupVault", AWAY),
    needs.Need("backup:TagResource", POINT),
    needs.Need("tag:GetResources", "*"),
    needs.Need("kms:DescribeKey", "*"),
    needs.Need("kms:CreateGrant", "*", {"kms:GrantIsForAWSResource": "true"}),
)
"""What AWS Backup does as the site's role; here nobody asks it, as copies are made by the embedded AWS itself."""
MOUNT = (
    "the mount itself asks, by NFS and not by an API: docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html"
)
MOUNTS = dict.fromkeys((f"elasticfilesystem:Client{each}" for each in ("Mount", "Write", "RootAccess")), MOUNT)
REAL_AGENT = "the real agent calls it; the stand-in has no such thing"


def logging(group: str) -> Calls:
    stream = {"logGroupName": group, "logStreamName": "app/app/0a1b"}
    return (("logs", "CreateLogStream", stream), ("logs", "PutLogEvents", stream))


ROLES = (
    Role(
        "cluster", "HostRole", EC2,
        (
            ("ecs", "DiscoverPollEndpoint", {"cluster": CLUSTER, "containerInstance": HOST}),
            ("ecs", "RegisterContainerInstance", {"cluster": CLUSTER, "tags": [{"key": "Name", "value": "host"}]}),
            ("ecs", "SubmitTaskStateChange", {"cluster": CLUSTER, "task": "0a1b"}),
            ("ecs", "Poll", {}),
            ("ecs", "StartTelemetrySession", {}),
            ("ec2", "DescribeTags", {}),
            ("efs", "DescribeFileSystems", {}),
            ("efs", "DescribeMountTargets", {"FileSystemId": "fs-0a1b"}),
        ),
        {
            "ecs:DeregisterContainerInstance": REAL_AGENT,
            "ecs:SubmitContainerStateChange": REAL_AGENT,
            "ecs:SubmitAttachmentStateChanges": REAL_AGENT,
            "ecs:UpdateContainerInstancesState": "the real agent drains its host before Spot takes it away",
            **dict.fromkeys(
                (
                    "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                ),
                "Session Manager's agent, which is there with host_access_session_manager; there is none here",
            ),
        },
    ),
    Role("service.web", "ExecutionRole", TASKS, START + logging("/shop/unit/service/web")),
    Role(
        "service.web", "TaskRole", TASKS, READ_BUCKET + WRITE_BUCKET,
        MOUNTS,
    ),
    Role(
        "job.report", "ScheduleRole", SCHEDULER,
        (
            ("ecs", "RunTask", {"cluster": CLUSTER, "taskDefinition": DEFINITION, "enableECSManagedTags": True,
                                "propagateTags": "TASK_DEFINITION"}),
            ("sqs", "SendMessage", {"QueueUrl": "http://127.0.0.1/123456789012/QUEUE"}),
        ),
    ),
    Role(
        "function.items", "FunctionRole", LAMBDA,
        (
            *logging("/shop/unit/function/items"),
            ("secretsmanager", "GetSecretValue", {"SecretId": STRIPE}),
            ("kms", "Decrypt", {"KeyId": "arn:aws:kms:eu-west-1:123456789012:key/0123abcd"}),
            ("ssm", "GetParameter", {"Name": "/shop/mail"}),
            ("ssm", "GetParameters", MAIL),
            *READ_TABLE,
            *READ_BUCKET,
        ),
    ),
    Role("service.reader", "ExecutionRole", TASKS,
         START[:4] + logging("/shop/unit/service/reader") + (("ssm", "GetParameters", MAIL),)),
    Role(
        "service.reader", "TaskRole", TASKS,
        READ_TABLE + SECRET + FRONT + (("lambda", "Invoke", {"FunctionName": "shop-unit-function-items"}),),
        {"elasticfilesystem:ClientMount": MOUNT},
    ),
    Role("service.writer", "TaskRole", TASKS, WRITE_TABLE + WRITE_BUCKET),
    Role("job.report", "ExecutionRole", TASKS, START + logging("/shop/unit/job/report")),
    Role("job.report", "TaskRole", TASKS, READ_BUCKET, MOUNTS),
    Role("backup", "Role", BACKUP, COPIES),
)  # fmt: skip
IDS = [f"{role.layer} {role.name}" for role in ROLES]


@functools.cache
def layers() -> dict[str, dict[str, Any]]:
    given = {**yaml.safe_load(SITE.read_text()), **KNOWN, "service_images": {}, "job_images": {}}
    given["site_services"] |= MORE
    items = given["site_functions"]["items"]
    # Who may read and write may look at the table twice over; so the two are given to two.
    items["uses"] |= READS
    items["secrets"] |= {"MAIL": "secret.mail.value"}
    roles = RolesOf(given | {"host_access_session_manager": True})
    return {
        name: layer
        for noun in ("cluster", "service", "job", "function", "backup")
        for name, layer in roles.layers(noun, PROJECT / "cloudformation")
    }


def template(layer: Mapping[str, Any]) -> dict[str, Any]:
    """The roles of a layer's template and what their policies name, every parameter being a text with a value."""
    found, problems = decode_str(body(layer))
    assert found is not None, problems
    takes = {
        parameter: VALUES.get(output) or VALUES[output.rpartition(".")[2]]
        for parameter, output in layer.get("takes", {}).items()
    }
    values = {
        **VALUES,
        **layer["parameters"],
        "ClusterName": CLUSTER,
        "SiteName": "shop",
        "EnvironmentName": "unit",
        **takes,
    }
    made = {key: copy.deepcopy(found[key]) for key in ("AWSTemplateFormatVersion", "Conditions") if key in found}
    made["Parameters"] = {
        name: {"Type": "String", "Default": str(values.get(name, "x"))} for name in found.get("Parameters", {})
    }
    kept = {name: each for name, each in found["Resources"].items() if each["Type"] in KEPT}
    made["Resources"] = {name: {**each, "DeletionPolicy": "Delete"} for name, each in kept.items()}
    return made


class World:
    """The roles of a site, and IAM that judges them."""

    def __init__(self, aws: Cloud, stacks: Stacks) -> None:
        self.aws, self.stacks = aws, stacks
        self.denied: list[Denial] = []
        self.guard = Guard(aws, Iam.ENFORCE, Denials(tell=self.denied.append), {})

    def made(self, role: Role) -> tuple[str, dict[str, str]]:
        """ARN of a role, and the physical ids of its stack."""
        name = f"shop-unit-{role.layer.replace('.', '-')}"
        ids = self.stacks.made(name, json.dumps(template(layers()[role.layer])), Capabilities=["CAPABILITY_IAM"])
        return str(self.aws.client("iam").get_role(RoleName=ids[role.name])["Role"]["Arn"]), ids


@pytest.fixture
def world(aws: Cloud, stacks: Stacks) -> World:
    return World(aws, stacks)


def wanted(world: World, role: Role, ids: Mapping[str, str]) -> Iterator[needs.Need]:
    """What the calls of a role need."""
    for call in role.calls:
        if isinstance(call, needs.Need):
            yield needs.Need(call.action, call.resource.replace("VAULT", ids.get("Vault", "")), call.context)
            continue
        service, operation, given = call
        if operation in ("Poll", "StartTelemetrySession"):
            yield needs.connection(operation, CLUSTER, HOST, "us-east-1")
            continue
        parameters = json.loads(json.dumps(given).replace("QUEUE", ids.get("DeadLetterQueue", "").rpartition("/")[2]))
        if operation == "RunTask":
            _define(world, ids)
        yield from needs.of(Asked(service, operation, "us-east-1", parameters), world.guard.estate)


def _define(world: World, ids: Mapping[str, str]) -> None:
    """The job's task definition, whose roles are passed on."""

    def arn(name: str) -> str:
        return str(world.aws.client("iam").get_role(RoleName=ids[name])["Role"]["Arn"])

    vars(world.aws).pop("_ecs", None)
    definition = {"family": "shop-unit-job-report", "revision": 1, "taskRoleArn": arn("TaskRole")}
    definition["executionRoleArn"] = arn("ExecutionRole")
    ecs.of(world.aws).state.region("us-east-1").definitions[DEFINITION] = definition


@pytest.mark.parametrize("role", ROLES, ids=IDS)
def test_a_role_is_sufficient_and_tight(role: Role, world: World) -> None:
    """Sufficient: each call is allowed. Tight: without any action of any statement, some call is denied."""
    arn, ids = world.made(role)
    caller = world.guard.callers.role(arn, "session")
    found = list(wanted(world, role, ids))
    for need in found:
        world.guard.may(caller, need)
    assert not [denial.message for denial in world.denied]
    assert caller.policies, "it may nothing"

    def denied(policies: Any, _entry: Any) -> bool:
        return any(world.guard.may(Caller(caller.principal, policies), need) for need in found)

    assert unneeded(documents(caller.policies), denied, role.reasons) == []


def test_each_role_of_each_template_is_judged() -> None:
    """Else a new one could allow what it likes."""
    made = {
        (path.stem, name)
        for path in (PROJECT / "cloudformation").glob("*.yml")
        for name in re.findall(r"^  (\w+):\n    Type: AWS::IAM::Role$", path.read_text(), re.MULTILINE)
    }
    assert ("cluster", "HostRole") in made
    judged = {(role.layer.partition(".")[0], role.name) for role in ROLES}
    assert made - judged == {("deployer", "ReleaseRole"), ("deployer", "PlanRole")}, "see test_deployer_rights.py"
    texts = [path.read_text() for path in (PROJECT / "cloudformation").glob("*.yml")]
    assert not [text for text in texts if re.search(r"AWS::IAM::(ManagedPolicy|Policy|RolePolicy|User|Group)", text)]


def test_each_right_that_an_entry_can_be_given_is_some_role_s() -> None:
    """`uses` of the inventory: a noun's right that no role of these tests has would not be judged at all."""
    given = "".join(body(layer) for name, layer in layers().items() if name != "cluster")
    rights = {
        action
        for noun in NOUNS.values()
        for grants in (noun.grants or {}).values()
        for grant in grants
        for action in grant.actions
    }
    assert "lambda:InvokeFunction" in rights
    assert {action for action in rights if not re.search(rf"{action}\b", given)} == set()


@pytest.mark.parametrize("role", ROLES, ids=IDS)
def test_no_role_of_what_runs_reads_the_secret_of_rds_s_master(role: Role, world: World) -> None:
    caller = world.guard.callers.role(world.made(role)[0], "session")
    login = VALUES["LoginArn"]
    logs_in = ("secretsmanager", "GetSecretValue", {"SecretId": login}) in role.calls
    for secret, may in ((login, logs_in), (login.replace("/login-", "-"), False)):
        for operation in ("GetSecretValue", "PutSecretValue"):
            world.denied.clear()
            asked = Asked("secretsmanager", operation, "us-east-1", {"SecretId": secret, "SecretString": "x"})
            for need in needs.of(asked, world.guard.estate):
                world.guard.may(caller, need)
            assert bool(world.denied) is not (may and operation == "GetSecretValue"), (secret, operation)


@pytest.mark.parametrize("role", ROLES, ids=IDS)
def test_a_role_is_assumed_by_its_own_service_alone(role: Role, world: World) -> None:
    arn, _ = world.made(role)
    source = source_of_tasks("us-east-1") if role.service == TASKS else ""
    assert not world.guard.trust(arn, role.service, source)
    others = {BACKUP, EC2, LAMBDA, SCHEDULER, TASKS} - {role.service}
    for service in others:
        assert "sts:AssumeRole" in world.guard.trust(arn, service, source)


def test_each_call_of_the_stand_in_agent_is_among_the_hosts_or_the_execution_roles() -> None:
    """Else a new one is found missing on AWS only."""
    called = set()
    for path in (FOLDER / "agent").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("call", "submit", "to_thread"):
                called |= {
                    each.value
                    for each in node.args
                    if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value[:1].isupper()
                }
    listed = {call[1] for role in ROLES[:2] for call in role.calls if isinstance(call, tuple)} | {"GetParameters"}
    assert {"RegisterContainerInstance", "SubmitTaskStateChange", "DiscoverPollEndpoint"} <= called
    assert called <= listed
