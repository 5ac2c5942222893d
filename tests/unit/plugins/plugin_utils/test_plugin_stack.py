"""One stack: its parameters, its events, its reasons, its plan, its deletion."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed
from plugins.plugin_utils.layers import Template
from plugins.plugin_utils.stack import Stack
from plugins.plugin_utils.stack_events import Records
from plugins.plugin_utils.stack_plan import Plan, refusal
from plugins.plugin_utils.stack_pointing import data_name
from tests.unit.fake_cloudformation import NO_UPDATES, TEMPLATE, EventRow, FakeCloudFormation, a_stack, error
from tests.unit.plugins.plugin_utils.test_plugin_stack_states import DELETED, SCRIPTS, FakeDatabases

RECORD = "Content of DNS Record is: {Name: _a.example.org.,Type: CNAME,Value: _b.acm-validations.aws.}"


def parameters(client: FakeCloudFormation, operation: str) -> dict[str, Any]:
    """What an operation was given: name → value, or True for the previous one."""
    given = client.arguments(operation)["Parameters"]
    return {each["ParameterKey"]: each.get("ParameterValue", each.get("UsePreviousValue")) for each in given}


def present(**values: str) -> dict[str, Any]:
    return {"Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]}


# Parameters


def test_an_existing_stack_keeps_its_pins_and_a_new_one_gets_the_given_value() -> None:
    old = FakeCloudFormation(["UPDATE_COMPLETE"], SCRIPTS, description=present(Size="1", Ami="ami-old"))
    a_stack(old, parameters={"Size": "2", "Ami": "ami-new"}, keep=("Ami",)).deploy({})
    assert parameters(old, "update_stack") == {"Size": "2", "Ami": True}
    new = FakeCloudFormation([None], SCRIPTS)
    a_stack(new, parameters={"Size": "2", "Ami": "ami-new"}, keep=("Ami",)).deploy({})
    assert parameters(new, "create_stack") == {"Size": "2", "Ami": "ami-new"}


def test_a_pin_that_an_older_template_did_not_have_gets_the_given_value() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], SCRIPTS, description=present(Size="1"))
    a_stack(client, parameters={"Ami": "ami-new"}, keep=("Ami",)).deploy({})
    assert parameters(client, "update_stack") == {"Ami": "ami-new"}


def test_a_pin_without_a_value_is_asked_for_when_there_is_nothing_to_keep() -> None:
    body = TEMPLATE.replace("Ami: {Type: String, Default: none}", "Ami: {Type: String}")
    stack = a_stack(FakeCloudFormation([None], SCRIPTS), keep=("Ami",))
    stack.layer = type(stack.layer)(**{**stack.layer.__dict__, "template": Template.read(body)})
    with pytest.raises(Failed, match="Ami must be given for the first create"):
        stack.deploy({})


def test_first_values_hold_for_the_create_only() -> None:
    client = FakeCloudFormation([None], SCRIPTS)
    a_stack(client, first={"Size": "0"}).deploy({})
    assert client.operations == ["create_stack", "update_stack"]
    assert parameters(client, "create_stack") == {"Size": "0"}
    assert parameters(client, "update_stack") == {"Size": "2"}
    there = FakeCloudFormation(["CREATE_COMPLETE"], SCRIPTS)
    a_stack(there, first={"Size": "0"}).deploy({})
    assert there.operations == ["update_stack"]
    assert parameters(there, "update_stack") == {"Size": "2"}


def test_protection_comes_after_the_create_and_counts_as_a_change_once() -> None:
    client = FakeCloudFormation([None], SCRIPTS)
    a_stack(client, protect=True).deploy({})
    assert client.operations == ["create_stack", "update_termination_protection"]
    protected = FakeCloudFormation(
        ["CREATE_COMPLETE"], refusal=NO_UPDATES, description={"EnableTerminationProtection": True}
    )
    assert not a_stack(protected, protect=True).deploy({}).changed
    lines: list[str] = []
    assert a_stack(FakeCloudFormation(["CREATE_COMPLETE"], refusal=NO_UPDATES), lines, protect=True).deploy({}).changed
    assert lines == ["data: termination protection on"]


def test_a_stack_that_cannot_be_created_is_not_protected() -> None:
    client = FakeCloudFormation([None], {"create_stack": ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"]})
    with pytest.raises(Failed):
        a_stack(client, protect=True).deploy({})
    assert client.operations == ["create_stack"]


# Two runs at once


BUSY = error("Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated.", "UpdateStack")
EXISTS = error("Stack [legacy-test-data] already exists", "CreateStack", "AlreadyExistsException")


@pytest.mark.parametrize(
    ("states", "races", "operations"),
    [
        (
            ["UPDATE_COMPLETE"],
            {"update_stack": (BUSY, ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"])},
            ["update_stack"] * 2,
        ),
        (
            [None],
            {"create_stack": (EXISTS, ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])},
            ["create_stack", "update_stack"],
        ),
    ],
    ids=["update", "create"],
)
def test_what_another_run_does_is_waited_for(states: Any, races: Any, operations: list[str]) -> None:
    """Ansible's workers outlive a run that is killed, and go on."""
    lines: list[str] = []
    client = FakeCloudFormation(states, SCRIPTS, races=races)
    a_stack(client, lines).deploy({})
    assert client.operations == operations
    assert "data: is being changed by another run: waiting for that" in lines
    assert [line for line in lines if "_IN_PROGRESS: wait until" in line]


def test_another_error_is_not_taken_for_a_race() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], SCRIPTS, refusal="Template error")
    with pytest.raises(ClientError, match="Template error"):
        a_stack(client).deploy({})
    assert client.operations == ["update_stack"]


# Reasons


FAILING: list[EventRow] = [
    ("CREATE_IN_PROGRESS", "legacy-test-data", "AWS::CloudFormation::Stack", "User Initiated"),
    ("CREATE_FAILED", "Database", "AWS::RDS::DBInstance", "DB instance class db.t2.micro is not offered"),
    ("CREATE_FAILED", "Files", "AWS::EFS::FileSystem", "Resource creation cancelled"),
    ("ROLLBACK_IN_PROGRESS", "legacy-test-data", "AWS::CloudFormation::Stack", "The following resource(s) failed"),
]


def test_a_failed_stack_gives_the_resource_s_own_reason_and_only_that() -> None:
    client = FakeCloudFormation(
        [None], {"create_stack": ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"]}, {"create_stack": FAILING}
    )
    with pytest.raises(Failed) as failure:
        a_stack(client).deploy({})
    assert str(failure.value) == "Database (AWS::RDS::DBInstance): DB instance class db.t2.micro is not offered"


def test_reasons_of_an_earlier_operation_are_not_those_of_this_one() -> None:
    client = FakeCloudFormation(
        ["UPDATE_ROLLBACK_COMPLETE"],
        {"update_stack": ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]},
        {"update_stack": [("UPDATE_FAILED", "Log", "AWS::Logs::LogGroup", "the new reason")]},
    )
    client.event(("UPDATE_FAILED", "Files", "AWS::EFS::FileSystem", "the old reason"))
    lines: list[str] = []
    with pytest.raises(Failed, match="the new reason") as failure:
        a_stack(client, lines).deploy({})
    assert "the old reason" not in str(failure.value)
    assert not [line for line in lines if "the old reason" in line]


def test_events_are_shown_once_each_and_without_routine() -> None:
    client = FakeCloudFormation(
        [None],
        {"create_stack": ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]},
        {
            "create_stack": [
                ("CREATE_IN_PROGRESS", "Log", "AWS::Logs::LogGroup", ""),
                ("CREATE_IN_PROGRESS", "Log", "AWS::Logs::LogGroup", "Resource creation Initiated"),
                ("CREATE_COMPLETE", "Log", "AWS::Logs::LogGroup", ""),
            ]
        },
    )
    lines: list[str] = []
    a_stack(client, lines).deploy({})
    assert lines == [
        "data: CREATE_IN_PROGRESS   Log",
        "data: CREATE_COMPLETE      Log",
        "data: CREATE_COMPLETE      legacy-test-data",
    ]


def test_a_wait_has_a_deadline_and_a_heartbeat_that_say_what_is_waited_for() -> None:
    client = FakeCloudFormation(
        [None],
        {"create_stack": ["CREATE_IN_PROGRESS"]},
        {"create_stack": [("CREATE_IN_PROGRESS", "Database", "AWS::RDS::DBInstance", "")]},
    )
    lines: list[str] = []
    with pytest.raises(Failed, match=r"still CREATE_IN_PROGRESS after 120 s, waiting for Database .*same command"):
        a_stack(client, lines, timeout=120.0).deploy({})
    beats = [line for line in lines if "waiting for Database (AWS::RDS::DBInstance)" in line]
    assert len(beats) == 3
    assert " s of at most 120 s)" in beats[0]


def test_a_heartbeat_tells_how_long_the_stack_took_before() -> None:
    client = FakeCloudFormation(
        [None],
        {"create_stack": ["CREATE_IN_PROGRESS"]},
        {"create_stack": [("CREATE_IN_PROGRESS", "Database", "AWS::RDS::DBInstance", "")]},
    )
    lines: list[str] = []
    stack = a_stack(client, lines, timeout=120.0)
    stack.expects(lambda: 61.0)
    with pytest.raises(Failed, match="still CREATE_IN_PROGRESS after 120 s"):
        stack.deploy({})
    beats = [line for line in lines if "waiting for Database" in line]
    assert all(" of about 1:00, at most 2:00)" in beat for beat in beats)
    assert not [line for line in lines if "takes about" in line], "whoever starts it has said so"


# Certificates


def test_the_validation_record_is_shown_once_for_two_certificates() -> None:
    lines: list[str] = []
    records = Records()
    for _ in range(2):
        client = FakeCloudFormation(
            [None],
            SCRIPTS,
            {"create_stack": [("CREATE_IN_PROGRESS", "C", "AWS::CertificateManager::Certificate", RECORD)]},
        )
        outcome = a_stack(client, lines, records=records).deploy({})
        assert outcome.records == [{"name": "_a.example.org.", "type": "CNAME", "value": "_b.acm-validations.aws."}]
    shown = [line for line in lines if "_a.example.org.  CNAME  _b.acm-validations.aws." in line]
    assert len(shown) == 1
    assert "CREATE THIS DNS RECORD" in shown[0]


def test_the_validation_record_is_shown_again_to_whoever_comes_back_to_wait() -> None:
    client = FakeCloudFormation(["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"], refusal=NO_UPDATES)
    client.event(("CREATE_IN_PROGRESS", "C", "AWS::CertificateManager::Certificate", RECORD))
    lines: list[str] = []
    a_stack(client, lines).deploy({})
    assert [line for line in lines if "CREATE THIS DNS RECORD" in line]


@pytest.mark.parametrize(
    ("options", "zoned"),
    [
        ([{"DomainName": "acme.at", "HostedZoneId": "Z1"}], True),
        ([{"DomainName": "*.acme.at", "HostedZoneId": "Z1"}], True),
        ([{"DomainName": "acme.at"}], False),
        ([{"DomainName": "www.acme.at", "HostedZoneId": "Z1"}, {"DomainName": "acme.at"}], False),
    ],
)
def test_a_record_that_cloudformation_makes_itself_is_asked_of_nobody(options: Any, zoned: bool) -> None:
    reason = RECORD.replace("_a.example.org.", "_a.acme.at.")
    kind = "AWS::CertificateManager::Certificate"
    client = FakeCloudFormation([None], SCRIPTS, {"create_stack": [("CREATE_IN_PROGRESS", "C", kind, reason)]})
    lines: list[str] = []
    stack = a_stack(client, lines)
    certificate = {"Type": kind, "Properties": {"DomainValidationOptions": options}}
    stack.layer.template.resources["C"] = certificate
    stack.deploy({})
    assert ("data: validated by _a.acme.at. in the hosted zone" in lines) is zoned
    assert any("CREATE THIS DNS RECORD" in line for line in lines) is not zoned


# Plan


def look(stack: Stack, uncertain: frozenset[str] = frozenset()) -> Plan:
    stack.read()
    return stack.look({}, uncertain)


def change(action: str, logical: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": logical, "ResourceType": kind, "PhysicalResourceId": "x", **more}


def test_the_plan_of_no_stack_lists_what_its_template_declares() -> None:
    client = FakeCloudFormation([None])
    outcome = look(a_stack(client))
    assert outcome.changed
    assert outcome.rows == [
        "+ stack legacy-test-data",
        "+ data.Database (AWS::RDS::DBInstance)",
        "+ data.Files (AWS::EFS::FileSystem)",
        "+ data.Log (AWS::Logs::LogGroup)",
    ]
    assert not client.operations


def test_the_plan_of_an_unchanged_stack_is_empty_and_leaves_no_change_set() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"])
    outcome = look(a_stack(client))
    assert not outcome.changed
    assert client.operations == ["create_change_set", "delete_change_set"]


@pytest.mark.parametrize(
    ("wanted", "now", "said"),
    [(True, False, "on"), (False, True, "off"), (True, True, ""), (False, False, ""), (None, True, "")],
)
def test_the_plan_tells_of_termination_protection_too(wanted: bool | None, now: bool, said: str) -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], description={"EnableTerminationProtection": now})
    plan = look(a_stack(client, protect=wanted))
    assert plan.rows == ([f"~ stack legacy-test-data: termination protection {said}"] if said else [])
    assert plan.changed is bool(said)


def test_the_plan_names_what_changes_and_what_is_replaced() -> None:
    client = FakeCloudFormation(
        ["UPDATE_COMPLETE"],
        description=present(Size="1", **{"Password": "****"}),
        changes=[
            change("Modify", "Database", "AWS::RDS::DBInstance", Replacement="Conditional"),
            change("Modify", "Files", "AWS::EFS::FileSystem", Replacement="True"),
            change("Modify", "Log", "AWS::Logs::LogGroup", Replacement="False", Details=[{"Target": {"Name": "Days"}}]),
            change("Modify", "Role", "AWS::IAM::Role", Replacement="True"),
            change("Remove", "Old", "AWS::S3::Bucket", PolicyAction="Delete"),
            change("Remove", "Kept", "AWS::S3::Bucket", PolicyAction="Retain"),
        ],
    )
    outcome = look(a_stack(client, parameters={"Size": "2", "Password": "geheim"}))
    assert outcome.rows == [
        "~ data parameter Size: 1 → 2",
        "~ data.Database (AWS::RDS::DBInstance) — PERHAPS REPLACED",
        "~ data.Files (AWS::EFS::FileSystem) — REPLACED",
        "~ data.Log (AWS::Logs::LogGroup): Days",
        "~ data.Role (AWS::IAM::Role) — REPLACED",
        "- data.Old (AWS::S3::Bucket)",
        "- data.Kept (AWS::S3::Bucket)",
    ]
    because = ", because of a property that CloudFormation does not name"
    assert [(loss.resource, loss.how) for loss in outcome.losses] == [
        ("Database", f"would perhaps be replaced{because}"),
        ("Files", f"would be replaced{because}"),
        ("Old", "would be removed"),
        ("Kept", "would leave the site; it is kept, but nothing uses it any more"),
    ]


def test_what_is_not_known_yet_stays_as_it_is_in_the_plan() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], description=present(Size="1", Ami="ami-old"))
    look(a_stack(client), frozenset({"Ami"}))
    assert parameters(client, "create_change_set") == {"Size": "2", "Ami": True}
    missing = FakeCloudFormation(["UPDATE_COMPLETE"], description=present(Size="1"))
    outcome = look(a_stack(missing), frozenset({"Ami"}))
    assert outcome.changed
    assert "gets Ami, known only after" in outcome.rows[0]
    assert not missing.operations


DATABASE = """
Parameters:
  Topic: {Type: String, Default: ""}
  Size: {Type: Number, Default: 1}
Conditions: {HasTopic: !Not [!Equals [!Ref Topic, ""]]}
Resources:
  Secret: {Type: AWS::SecretsManager::Secret}
  Database: {Type: AWS::RDS::DBInstance, Properties: {AllocatedStorage: !Ref Size, MasterUserPassword: !Ref Secret}}
  Attachment:
    Type: AWS::SecretsManager::SecretTargetAttachment
    Properties: {SecretId: !Ref Secret, TargetId: !Ref Database}
  Full: {Type: AWS::CloudWatch::Alarm, Condition: HasTopic, Properties: {AlarmActions: [!Ref Topic]}}
Outputs:
  SecretArn: {Value: !Ref Attachment}
  Alarm: {Value: !If [HasTopic, !Ref Full, none]}
"""


@pytest.mark.parametrize(
    ("before", "stay"),
    [
        (('Topic: {Type: String, Default: ""}', 'None: {Type: String, Default: ""}'), ["SecretArn"]),
        (("Properties: {SecretId: !Ref Secret,", "Properties: {SecretId: another,"), []),
        (
            (
                "Secret: {Type: AWS::SecretsManager::Secret}",
                "Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: a}}",
            ),
            [],
        ),
        (("SecretArn: {Value: !Ref Attachment}", "SecretArn: {Value: !Ref Secret}"), []),
        (('HasTopic: !Not [!Equals [!Ref Topic, ""]]', 'HasTopic: !Equals [!Ref Size, "2"]'), []),
    ],
    ids=["as it is", "another one attached", "another secret", "led elsewhere", "another condition"],
)
def test_what_hangs_on_nothing_unknown_stays_known(before: tuple[str, str], stay: list[str]) -> None:
    """Else whatever takes from the stack would be taken for led elsewhere, and a live site could get no alarms."""
    made = {"Outputs": [{"OutputKey": name, "OutputValue": "x"} for name in ("SecretArn", "Alarm")]}
    client = FakeCloudFormation(["UPDATE_COMPLETE"], description=present(Size="1") | made)
    stack = a_stack(client, parameters={"Size": "1"})
    stack.layer = dataclasses.replace(stack.layer, template=Template.read(DATABASE))
    stack.read()
    stack.body = DATABASE.replace(*before)
    assert stack.body != DATABASE
    outcome = stack.look({}, frozenset({"Topic"}))
    assert outcome.changed
    assert list(outcome.outputs) == stay


def test_what_hangs_on_another_value_is_not_known() -> None:
    made = {"Outputs": [{"OutputKey": "SecretArn", "OutputValue": "x"}]}
    client = FakeCloudFormation(["UPDATE_COMPLETE"], description=present(Size="1") | made)
    stack = a_stack(client, parameters={"Size": "2"})
    stack.layer = dataclasses.replace(stack.layer, template=Template.read(DATABASE))
    stack.read()
    stack.body = DATABASE
    assert stack.look({}, frozenset({"Topic"})).outputs == {}


def detail(name: str, recreation: str, **more: Any) -> dict[str, Any]:
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification", **more}


REFERENCE = {"Evaluation": "Dynamic", "ChangeSource": "ResourceReference"}


@pytest.mark.parametrize(
    ("details", "lost"),
    [
        ([detail("DBName", "Always")], ["database-1"]),
        ([detail("MultiAZ", "Conditionally")], []),
        ([detail("Engine", "Conditionally")], ["database-1"]),
        ([detail("MultiAZ", "Conditionally"), detail("Engine", "Conditionally")], ["database-1"]),
        ([detail("DBSubnetGroupName", "Always", CausingEntity="Group", **REFERENCE)], []),
        ([detail("DBSubnetGroupName", "Always", CausingEntity="Other", **REFERENCE)], ["database-1"]),
        ([detail("DBSubnetGroupName", "Always", CausingEntity="Unknown", **REFERENCE)], ["database-1"]),
    ],
    ids=["name", "standby", "engine", "both", "in-place", "replaced", "unknown"],
)
def test_a_conditional_replacement_counts_unless_it_is_known_to_be_none(details: Any, lost: list[str]) -> None:
    """A reference to what is only changed in place stays the same, and the schema of RDS is too careful."""
    group = change("Modify", "Group", "AWS::RDS::DBSubnetGroup", Replacement="False", Details=[detail("Ids", "Never")])
    other = change("Modify", "Other", "AWS::RDS::DBSubnetGroup", Replacement="True", Details=[detail("Name", "Always")])
    database = change("Modify", "Database", "AWS::RDS::DBInstance", Replacement="Conditional", Details=details)
    client = FakeCloudFormation(
        ["UPDATE_COMPLETE"], changes=[group, other, {**database, "PhysicalResourceId": "database-1"}]
    )
    assert [loss.physical_id for loss in look(a_stack(client)).losses] == lost


def test_what_a_failed_deletion_has_left_is_not_taken_for_nobody_s() -> None:
    """A teardown that failed half way; what a failed first create left is another matter."""
    resources = [{**each, "ResourceStatus": "DELETE_FAILED"} for each in RESOURCES]
    client = FakeCloudFormation(["DELETE_FAILED"], resources=resources)
    losses = look(a_stack(client)).losses
    assert [loss.physical_id for loss in losses] == ["db", "fs-1"]
    assert refusal(losses, ["db", "fs-1"]) == ""
    assert refusal(losses, ["db"]).endswith("site_remove: [fs-1]")
    created = FakeCloudFormation(["ROLLBACK_COMPLETE"], resources=resources)
    assert look(a_stack(created)).losses == []


def test_a_stack_in_progress_tells_at_least_what_it_would_no_longer_point_at() -> None:
    client = FakeCloudFormation(["UPDATE_IN_PROGRESS"], description=present(Size="2", Ami="fs-0a"))
    losses = look(a_stack(client, parameters={"Ami": "fs-0b"})).losses
    assert [str(loss) for loss in losses] == ["fs-0a: data.Ami points at it now, and would point at fs-0b"]
    assert look(a_stack(client, parameters={"Ami": "fs-0a"})).losses == []


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("fs-0123456789abcdef0", "fs-0123456789abcdef0"),
        ("arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0a", "fs-0a"),
        ("arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0a", "fsap-0a"),
        ("arn:aws-cn:secretsmanager:cn-north-1:1:secret:x-1", "arn:aws-cn:secretsmanager:cn-north-1:1:secret:x-1"),
        ("legacy-db.c0ffee.eu-west-1.rds.amazonaws.com", "legacy-db"),
        ("legacy-db.c0ffee.eusc-de-east-1.rds.amazonaws.eu", "legacy-db"),
        ("arn:aws:ecr:us-east-1:123456789012:repository/legacy-prod/django", "legacy-prod/django"),
        ("arn:aws:s3:::legacy-uploads/x", "legacy-uploads"),
        ("sg-0123456789abcdef0", ""),
        ("db.t3.micro", ""),
        ("us-east-1a", ""),
    ],
)
def test_a_value_that_names_data_is_known_by_its_looks(value: str, name: str) -> None:
    assert data_name(value) == name


def test_a_change_set_that_is_not_known_everywhere_yet_is_asked_for_again() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], late=2, description=present(Size="2"))
    client.changes = [change("Add", "New", "AWS::Logs::LogGroup")]
    assert look(a_stack(client)).rows == ["+ data.New (AWS::Logs::LogGroup)"]


@pytest.mark.parametrize(
    ("state", "row"),
    [
        ("ROLLBACK_COMPLETE", "+ stack legacy-test-data (it is ROLLBACK_COMPLETE"),
        ("UPDATE_ROLLBACK_FAILED", "~ stack legacy-test-data is UPDATE_ROLLBACK_FAILED: continue its rollback"),
        ("UPDATE_IN_PROGRESS", "~ stack legacy-test-data is UPDATE_IN_PROGRESS: wait"),
    ],
)
def test_the_plan_of_a_stack_in_trouble_changes_nothing(state: str, row: str) -> None:
    client = FakeCloudFormation([state])
    outcome = look(a_stack(client))
    assert outcome.rows[0].startswith(row)
    assert outcome.changed
    assert not client.operations


# Deletion


def test_a_protected_stack_is_deleted_only_when_that_is_said() -> None:
    client = FakeCloudFormation(["CREATE_COMPLETE"], SCRIPTS, description={"EnableTerminationProtection": True})
    with pytest.raises(Failed, match="protected"):
        a_stack(client).delete()
    assert not client.operations
    assert a_stack(client).delete(unprotect=True).changed
    assert client.operations == ["update_termination_protection", "delete_stack"]


def test_a_waiting_certificate_is_deleted_at_once_but_an_update_is_waited_for() -> None:
    creating = FakeCloudFormation(["CREATE_IN_PROGRESS"], SCRIPTS)
    a_stack(creating, timeout=60.0).delete()
    assert creating.operations == ["delete_stack"]
    updating = FakeCloudFormation(["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], SCRIPTS)
    a_stack(updating).delete()
    assert updating.operations == ["delete_stack"]


def test_no_stack_is_nothing_to_delete() -> None:
    client = FakeCloudFormation([None])
    assert not a_stack(client).delete().changed
    assert not client.operations


def test_what_a_deletion_leaves_is_told() -> None:
    skipped = ("DELETE_SKIPPED", "Files", "AWS::EFS::FileSystem", "")
    client = FakeCloudFormation(["CREATE_COMPLETE"], SCRIPTS, {"delete_stack": [skipped]})
    assert a_stack(client).delete().kept == ["data.Files (AWS::EFS::FileSystem) files-1"]


BUILT = """
Resources:
  Site: {Type: AWS::S3::Bucket, Metadata: {'Berth::Content': built}}
  Function: {Type: AWS::Lambda::Function, Metadata: {'Berth::Content': built}}
  Uploads: {Type: AWS::S3::Bucket}
"""


def test_what_the_next_run_makes_again_is_no_loss_where_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeCloudFormation(
        ["UPDATE_COMPLETE"],
        description=present(Size="1"),
        changes=[
            change("Remove", "Site", "AWS::S3::Bucket", PolicyAction="Delete"),
            change("Remove", "Uploads", "AWS::S3::Bucket", PolicyAction="Delete"),
        ],
    )
    monkeypatch.setattr(client, "get_template", lambda **_: {"TemplateBody": BUILT})
    outcome = look(a_stack(client, parameters={"Size": "2"}))
    assert [loss.resource for loss in outcome.losses] == ["Uploads"]


class Objects:
    """S3 where each bucket has two files, then a page of nothing, then the marker of a file that was deleted."""

    def __init__(self, code: str = "", errors: tuple[dict[str, str], ...] = ()) -> None:
        self.code, self.errors = code, list(errors)
        self.deleted: list[tuple[str, list[dict[str, str]]]] = []

    def get_paginator(self, operation: str) -> Objects:
        assert operation == "list_object_versions"
        return self

    def paginate(self, Bucket: str) -> Any:
        assert Bucket == "site-1"
        if self.code:
            raise error("no", "ListObjectVersions", self.code)
        versions = [{"Key": key, "VersionId": "1", "Size": 2} for key in ("index.html", "site.css")]
        yield {"Versions": versions}
        yield {}
        yield {"DeleteMarkers": [{"Key": "old.html", "VersionId": "2", "IsLatest": True}]}

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        assert Delete["Quiet"]
        self.deleted.append((Bucket, Delete["Objects"]))
        return {"Errors": self.errors} if self.errors else {}


def deleting(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> tuple[FakeCloudFormation, list[str]]:
    """Delete a stack with a bucket of built files, and other things that are not to be emptied."""

    def row(logical: str, kind: str, physical: str, status: str = "CREATE_COMPLETE") -> dict[str, str]:
        return {"LogicalResourceId": logical, "ResourceType": kind, "PhysicalResourceId": physical,
                "ResourceStatus": status}  # fmt: skip

    rows = [
        row("Site", "AWS::S3::Bucket", "site-1"),
        row("Site", "AWS::S3::Bucket", "site-0", "DELETE_COMPLETE"),
        row("Site", "AWS::S3::Bucket", "", "CREATE_FAILED"),
        row("Function", "AWS::Lambda::Function", "function-1"),
        row("Uploads", "AWS::S3::Bucket", "uploads-1"),
    ]
    client = FakeCloudFormation(["CREATE_COMPLETE"], SCRIPTS, resources=rows)
    monkeypatch.setattr(client, "get_template", lambda **_: {"TemplateBody": BUILT})
    lines: list[str] = []
    a_stack(client, lines, service=lambda name: {"s3": objects}[name]).delete()
    return client, lines


def test_built_files_are_taken_out_of_their_bucket_first_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = Objects()
    client, lines = deleting(objects, monkeypatch)
    assert objects.deleted == [
        ("site-1", [{"Key": "index.html", "VersionId": "1"}, {"Key": "site.css", "VersionId": "1"}]),
        ("site-1", [{"Key": "old.html", "VersionId": "2"}]),
    ]
    assert [line for line in lines if "built files" in line] == [
        "data: taking 2 built files out of site-1",
        "data: taking 1 built files out of site-1",
    ]
    assert client.operations == ["delete_stack"]


def test_a_bucket_that_is_gone_is_empty_and_one_that_keeps_something_stops_the_deletion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, _ = deleting(Objects("NoSuchBucket"), monkeypatch)
    assert client.operations == ["delete_stack"]
    with pytest.raises(ClientError, match="AccessDenied"):
        deleting(Objects("AccessDenied"), monkeypatch)
    kept = Objects(errors=({"Key": "index.html", "Message": "Access Denied"},))
    with pytest.raises(Failed, match=r"site-1 cannot be emptied: index\.html: Access Denied"):
        deleting(kept, monkeypatch)


RESOURCES = [
    {"LogicalResourceId": "Database", "ResourceType": "AWS::RDS::DBInstance", "PhysicalResourceId": "db"},
    {"LogicalResourceId": "Files", "ResourceType": "AWS::EFS::FileSystem", "PhysicalResourceId": "fs-1"},
]


def test_the_plan_of_a_deletion_tells_what_goes_and_what_stays() -> None:
    resources = [{**each, "ResourceStatus": "CREATE_COMPLETE"} for each in RESOURCES]
    client = FakeCloudFormation(["CREATE_COMPLETE"], resources=resources)
    outcome = a_stack(client).plan_deletion()
    assert outcome.plan == [
        "- stack legacy-test-data",
        "- data.Database (AWS::RDS::DBInstance)",
        "= data.Files (AWS::EFS::FileSystem) stays: fs-1",
    ]
    assert outcome.kept == ["data.Files (AWS::EFS::FileSystem) fs-1"]
    assert not client.operations


def test_unprotect_releases_databases_that_go_and_no_others() -> None:
    databases = FakeDatabases()
    retained = {**RESOURCES[0], "LogicalResourceId": "Files"}
    resources = [{**each, "ResourceStatus": "CREATE_COMPLETE"} for each in (RESOURCES[0], retained)]
    client = FakeCloudFormation(["CREATE_COMPLETE"], {"delete_stack": DELETED}, resources=resources)
    a_stack(client, service=lambda _: databases).delete(unprotect=True)
    assert [each["DBInstanceIdentifier"] for each in databases.modified] == ["db"]
