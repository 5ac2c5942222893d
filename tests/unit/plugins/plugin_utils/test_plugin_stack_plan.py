"""What a plan shows and what it takes for lost, change by change; and what is read of events and change sets."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.tests.clock import Clock
from plugins.plugin_utils import stack_events, stack_plan
from plugins.plugin_utils.aws_action import Failed, Wait
from plugins.plugin_utils.layers import Layer, Template
from plugins.plugin_utils.stack_plan import Loss, Plan
from plugins.plugin_utils.stack_tables import decided
from tests.unit.fake_cloudformation import STACK_ID, FakeCloudFormation, a_layer, a_stack, error

POINT, TARGET = "AWS::EFS::AccessPoint", "AWS::EFS::MountTarget"
SECRET, ATTACHMENT = "AWS::SecretsManager::Secret", "AWS::SecretsManager::SecretTargetAttachment"
BUCKET = "AWS::S3::Bucket"
REMOUNT = (
    "the old access point goes first: what is mounted stays mounted, but a task that starts before the next roll "
    "cannot mount; and owner and mode of a folder that exists do not change by it"
)


def change(action: str, kind: str, *details: dict[str, Any], name: str = "Thing", **more: Any) -> dict[str, Any]:
    given = {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": "p-1"}
    return {**given, "Details": list(details), **more}


def detail(name: str, recreation: str = "Always", **target: Any) -> dict[str, Any]:
    return {
        "Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation, **target},
        "Evaluation": "Static",
        "ChangeSource": "DirectModification",
    }


def planned(
    changes: list[dict[str, Any]] | None, template: str = "", thoroughly: bool = True, **layer: Any
) -> tuple[Plan, FakeCloudFormation]:
    """The plan of a stack for which a change set has these changes; with a template in place of the deployed one."""
    description = layer.pop("description", {})
    client = FakeCloudFormation(["UPDATE_COMPLETE"], changes=changes, description=description)
    stack = a_stack(client, **layer)
    if template:
        stack.layer = dataclasses.replace(stack.layer, template=Template.read(template))
    stack.read()
    return stack.look({}, thoroughly=thoroughly), client


# What is lost


@pytest.mark.parametrize(
    ("given", "lost"),
    [
        (change("Add", BUCKET), []),
        (change("Remove", "AWS::Logs::LogGroup"), []),
        (change("Remove", BUCKET), [("p-1", "would be removed")]),
        # Of what was never made there is no id.
        (
            {key: value for key, value in change("Remove", BUCKET).items() if key != "PhysicalResourceId"},
            [("", "would be removed")],
        ),
        (change("Remove", POINT), [("p-1", "would be removed")]),
        (change("Remove", TARGET), []),
        (change("Modify", "AWS::Logs::LogGroup", detail("Name"), Replacement="True"), []),
        (change("Modify", BUCKET, detail("Tags", "Never"), Replacement="False"), []),
        (
            change("Modify", BUCKET, detail("B"), detail("A"), Replacement="True"),
            [("p-1", "would be replaced, because of A, B")],
        ),
        (
            change("Modify", POINT, detail("FileSystemId", BeforeValue="fs-1"), Replacement="True"),
            [("fs-1", "would be replaced: it would lead to another one")],
        ),
        (
            change("Modify", POINT, detail("FileSystemId"), detail("PosixUser"), Replacement="Conditional"),
            [
                ("p-1", "would perhaps be replaced: it would lead to another one"),
                ("p-1", f"would perhaps be replaced, because of PosixUser; {REMOUNT}"),
            ],
        ),
        (
            change(
                "Modify", TARGET, detail("SubnetId"), detail("FileSystemId", "Always"), Replacement="True",
                BeforeContext=json.dumps({"Properties": {"FileSystemId": "fs-2"}}),
            ),
            [("fs-2", "would be replaced: it would lead to another one")],
        ),
        (change("Modify", TARGET, detail("SubnetId"), Replacement="True"), []),
        (
            change("Modify", ATTACHMENT, detail("SecretId"), Replacement="True", BeforeContext='"?"'),
            [("p-1", "would be replaced: it would lead to another one")],
        ),
        (
            change("Modify", SECRET, detail("SecretString", "Never"), detail("GenerateSecretString", "Never"),
                   Replacement="False"),
            [("p-1", "would get another value, because of GenerateSecretString, SecretString")],
        ),
        (change("Modify", SECRET, detail("Description", "Never"), Replacement="False"), []),
        (
            change("Modify", SECRET, detail("Name"), detail("SecretString", "Never"), Replacement="True"),
            [("p-1", "would be replaced, because of Name")],
        ),
        (
            change("Modify", "AWS::RDS::DBInstance", detail("MultiAZ"), Replacement="True"),
            [("p-1", "would be replaced, because of MultiAZ")],
        ),
        *(
            (change("Modify", "AWS::RDS::DBInstance", detail(name, "Conditionally"), Replacement="Conditional"), [])
            for name in ("AutoMinorVersionUpgrade", "BackupRetentionPeriod", "DBParameterGroupName", "MultiAZ",
                         "PreferredMaintenanceWindow")
        ),
        *(
            (change("Remove", kind), [("p-1", "would be removed")])
            for kind in ("AWS::RDS::DBInstance", "AWS::EFS::FileSystem", "AWS::DynamoDB::Table",
                         "AWS::ECR::Repository", SECRET)
        ),
    ],
)  # fmt: skip
def test_what_a_change_takes_from_the_site(given: dict[str, Any], lost: list[tuple[str, str]]) -> None:
    plan, _ = planned([given])
    assert [(loss.physical_id, loss.how) for loss in plan.losses] == lost
    assert all(
        (loss.layer, loss.resource, loss.type) == ("data", "Thing", given["ResourceType"]) for loss in plan.losses
    )


def test_a_refusal_names_each_loss_and_what_to_type_once() -> None:
    losses = [Loss("data", "A", BUCKET, "b-1", "would be removed"), Loss("web", "X", "", "b-1", "points elsewhere")]
    said = stack_plan.refusal([*losses, losses[0], Loss("data", "B", BUCKET, "b-2", "goes")], ["b-2"])
    assert said.splitlines()[1:3] == [
        f"  b-1: data.A ({BUCKET}) would be removed",
        "  b-1: web.X points elsewhere",
    ]
    assert len(said.splitlines()) == 4
    assert said.endswith("site_remove: [b-1]")
    assert stack_plan.refusal(losses, ["b-1"]) == ""


def test_what_a_deletion_left_is_what_is_there_and_holds_data() -> None:
    def row(kind: str, status: str = "DELETE_FAILED", **more: str) -> dict[str, str]:
        return {"LogicalResourceId": "Thing", "ResourceType": kind, "ResourceStatus": status, **more}

    rows = [
        row(BUCKET, PhysicalResourceId="b-1"),
        row(BUCKET, "DELETE_COMPLETE", PhysicalResourceId="b-2"),
        row(BUCKET),
        row("AWS::Logs::LogGroup", PhysicalResourceId="log"),
    ]
    assert [each.physical_id for each in stack_plan.left_over(a_layer(), rows)] == ["b-1"]


# What is shown


@pytest.mark.parametrize(
    ("given", "row"),
    [
        (change("Add", BUCKET), f"+ data.Thing ({BUCKET})"),
        (change("Remove", BUCKET, Replacement="True"), f"- data.Thing ({BUCKET})"),
        (change("Import", BUCKET), f"? data.Thing ({BUCKET})"),
        (
            change("Modify", BUCKET, detail("B"), {"Target": {"Attribute": "Tags"}}, {}, Replacement="False"),
            f"~ data.Thing ({BUCKET}): B, Tags",
        ),
        (change("Modify", BUCKET, detail("B"), Replacement="True"), f"~ data.Thing ({BUCKET}): B — REPLACED"),
    ],
)
def test_a_change_is_a_line(given: dict[str, Any], row: str) -> None:
    plan, _ = planned([given], parameters={})
    assert (plan.rows, plan.changed, plan.exists) == ([row], True, True)


def test_parameters_are_shown_but_for_secret_ones() -> None:
    values = {"Size": "2", "Ami": "ami-2", "Password": "geheim"}
    before = {"Parameters": [{"ParameterKey": "Ami", "ParameterValue": "ami-1"}]}
    plan, client = planned([], parameters=values, description=before, tags={"b": "2", "a": "1"})
    assert plan.rows == ["~ data parameter Size: (none) → 2", "~ data parameter Ami: ami-1 → ami-2"]
    asked = client.arguments("create_change_set")
    assert asked["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert asked["Capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
    assert (asked["StackName"], asked["ChangeSetType"]) == ("legacy-test-data", "UPDATE")
    assert asked["TemplateBody"].strip().startswith("Parameters:")
    assert client.arguments("delete_change_set") == {"ChangeSetName": "change-set"}


def test_what_changes_without_a_resource_is_said_too() -> None:
    plan, _ = planned([], description={"Parameters": [{"ParameterKey": "Size", "ParameterValue": "2"}]})
    assert plan.rows == ["~ stack legacy-test-data: tags or outputs only"]


def test_outputs_that_may_get_another_value_are_not_known() -> None:
    template = """
Parameters: {Size: {Type: Number, Default: 1}}
Resources: {Thing: {Type: AWS::S3::Bucket}, Other: {Type: AWS::S3::Bucket}}
Outputs: {Sized: {Value: !Ref Size}, Named: {Value: !Ref Thing}, Stays: {Value: !Ref Other}}
"""
    values = {"Sized": "1", "Named": "b", "Stays": "c", "Gone": "d"}
    description = {"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in values.items()]}
    replaced = change("Modify", BUCKET, detail("BucketName"), Replacement="True")
    kept = change("Modify", BUCKET, detail("Tags", "Never"), name="Other", Replacement="False")
    plan, _ = planned([replaced, kept], template, description=description)
    assert plan.outputs == {"Stays": "c"}
    unchanged, _ = planned(None, template, description=description)
    assert (unchanged.outputs, unchanged.changed, unchanged.rows) == (values, False, [])


LOG = "Resources: {Log: {Type: AWS::Logs::LogGroup}}\n"


def test_a_change_set_is_made_only_where_there_is_something_to_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    same, client = planned([], thoroughly=False, parameters={})
    assert (same.changed, client.operations) == (True, ["create_change_set", "delete_change_set"])  # it has NoEcho
    plain = FakeCloudFormation(["UPDATE_COMPLETE"], changes=[])
    monkeypatch.setattr(plain, "get_template", lambda **_: {"TemplateBody": LOG})
    for template, changed in ((LOG, False), (LOG.replace("Log:", "Logs:"), True)):
        stack = a_stack(plain, parameters={})
        stack.layer = dataclasses.replace(stack.layer, template=Template.read(template))
        stack.read()
        assert stack.look({}, thoroughly=False).changed is changed
        assert plain.operations == []
    stack.layer = dataclasses.replace(stack.layer, template=Template.read(LOG.replace("Logs::LogGroup", "S3::Bucket")))
    stack.look({}, thoroughly=False)
    assert plain.operations == ["create_change_set", "delete_change_set"]


def test_data_of_who_takes_from_a_layer_concerns_it() -> None:
    giver = Layer("web", "s-web", None, Template.read(LOG))
    holds = Layer("data", "s-data", None, Template.read(LOG.replace("Logs::LogGroup", "EFS::FileSystem")))
    taker = dataclasses.replace(holds, takes={"X": ("web", "Out")})
    assert not stack_plan.concerns_data(giver, {"web": giver, "data": holds})
    assert stack_plan.concerns_data(giver, {"web": giver, "data": taker})
    assert stack_plan.concerns_data(holds, {})


# Change sets


class ChangeSets:
    """Answers of DescribeChangeSet, one after the other."""

    def __init__(self, *answers: dict[str, Any] | ClientError) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    def describe_change_set(self, **given: Any) -> dict[str, Any]:
        self.asked.append(given)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, ClientError):
            raise answer
        return answer


def read(client: ChangeSets, seconds: float = 60) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    clock = Clock()
    return stack_plan.read_change_set(client, "c", Wait(seconds, lambda *_: None, "data", clock, clock.sleep))


def test_all_pages_of_a_change_set_are_read() -> None:
    pages = ChangeSets(
        {"Status": "CREATE_PENDING"},
        {"Status": "CREATE_IN_PROGRESS"},
        {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": {"n": 1}}, {"Type": "?"}], "NextToken": "two"},
        {"NextToken": "three"},
        {"Changes": [{"ResourceChange": {"n": 2}}]},
    )
    found, changes = read(pages)
    assert (found["Status"], changes) == ("CREATE_COMPLETE", [{"n": 1}, {"n": 2}])
    assert [each.get("NextToken") for each in pages.asked] == [None, None, None, "two", "three"]
    assert all(each["IncludePropertyValues"] and each["ChangeSetName"] == "c" for each in pages.asked)


def test_a_change_set_that_is_never_made_is_given_up() -> None:
    with pytest.raises(Failed, match=r"its change set is still CREATE_IN_PROGRESS after 60 s\."):
        read(ChangeSets({"Status": "CREATE_IN_PROGRESS"}))
    with pytest.raises(ClientError, match="no right"):
        read(ChangeSets(error("no right", "DescribeChangeSet", "AccessDenied")))


@pytest.mark.parametrize(
    ("reason", "said"), [({"StatusReason": "no such parameter"}, "no such parameter"), ({}, "its change set failed")]
)
def test_a_change_set_that_fails_tells_why_and_is_deleted(
    reason: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"])
    monkeypatch.setattr(client, "describe_change_set", lambda **_: {"Status": "FAILED", **reason})
    stack = a_stack(client)
    stack.read()
    with pytest.raises(Failed, match=f"cannot tell what would change: {said}"):
        stack.look({})
    assert client.operations == ["create_change_set", "delete_change_set"]


# Events

NOW = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)


def event(status: str, minutes: float = 0, kind: str = "AWS::CloudFormation::Stack", **more: Any) -> dict[str, Any]:
    return {
        "EventId": f"{status}{minutes}{kind}", "ResourceStatus": status, "ResourceType": kind, "LogicalResourceId": "L",
        "PhysicalResourceId": STACK_ID, "Timestamp": NOW + datetime.timedelta(minutes=minutes), **more,
    }  # fmt: skip


class Listed:
    """DescribeStackEvents in pages, newest first."""

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self.pages, self.read = pages, 0

    def get_paginator(self, operation: str) -> Listed:
        assert operation == "describe_stack_events"
        return self

    def paginate(self, StackName: str) -> Any:
        assert StackName == STACK_ID
        for page in self.pages:
            self.read += 1
            yield {"StackEvents": page}


@pytest.mark.parametrize(
    ("pages", "description", "settled"),
    [
        ([[]], {}, True),  # they are kept for 90 days
        ([[event("UPDATE_IN_PROGRESS")]], {"StackStatus": "UPDATE_COMPLETE"}, None),
        ([[event("UPDATE_COMPLETE", 1), event("UPDATE_IN_PROGRESS")]], {"StackStatus": "UPDATE_COMPLETE"}, True),
        ([[event("UPDATE_COMPLETE", 1), event("UPDATE_IN_PROGRESS")]], {"StackStatus": "CREATE_COMPLETE"}, False),
        (
            [[event("UPDATE_COMPLETE", 5)], [event("UPDATE_IN_PROGRESS", 4)]],
            {"StackStatus": "UPDATE_COMPLETE", "LastUpdatedTime": NOW},
            False,
        ),
        (
            [[event("UPDATE_COMPLETE", 5)], [event("UPDATE_IN_PROGRESS", 1)]],
            {"StackStatus": "UPDATE_COMPLETE", "LastUpdatedTime": NOW},
            True,
        ),
        (
            [[event("CREATE_COMPLETE", 5), event("CREATE_IN_PROGRESS", 4)]],
            {"StackStatus": "CREATE_COMPLETE", "CreationTime": NOW},
            False,
        ),
        (
            [[event("CREATE_IN_PROGRESS", 2, BUCKET), event("UPDATE_COMPLETE", 1, PhysicalResourceId="nested"),
              event("UPDATE_ROLLBACK_COMPLETE")]],
            {"StackStatus": "UPDATE_ROLLBACK_COMPLETE"},
            True,
        ),
    ],
)  # fmt: skip
def test_a_description_is_as_new_as_the_events(pages: Any, description: dict[str, Any], settled: bool | None) -> None:
    assert stack_events.is_settled(Listed(*pages), {"StackId": STACK_ID, **description}) is settled


def test_events_are_read_back_to_the_beginning_of_the_operation_and_no_further() -> None:
    mine = {"ClientRequestToken": "mine"}
    pages = [
        [event("UPDATE_COMPLETE", 9), event("UPDATE_COMPLETE", 8, BUCKET, **mine)],
        [event("UPDATE_IN_PROGRESS", 6, **mine), event("CREATE_COMPLETE", 5)],
        [event("CREATE_IN_PROGRESS", 4)],
    ]
    client = Listed(*pages)
    events = stack_events.Events(client, STACK_ID, "mine")
    assert [each["ResourceStatus"] for each in events.new()] == ["UPDATE_IN_PROGRESS"] + ["UPDATE_COMPLETE"] * 2
    assert client.read == 2
    assert events.new() == []
    assert (events.status, (events.end() or {})["Timestamp"]) == (
        "UPDATE_COMPLETE",
        NOW + datetime.timedelta(minutes=9),
    )


def test_of_somebody_else_s_operation_what_came_since_then_is_read() -> None:
    pages = [[event("UPDATE_COMPLETE", 9), event("UPDATE_IN_PROGRESS", 6), event("CREATE_COMPLETE", 5)]]
    since = NOW + datetime.timedelta(minutes=6)
    events = stack_events.Events(Listed(*pages), STACK_ID, None, since)
    assert [each["ResourceStatus"] for each in events.new()] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    every = stack_events.Events(Listed(*pages), STACK_ID, None)
    assert len(every.new()) == 3


def test_what_is_being_worked_on_is_named_with_its_type() -> None:
    rows = [
        event("CREATE_IN_PROGRESS", 1, BUCKET, LogicalResourceId="A", PhysicalResourceId=""),
        event("CREATE_IN_PROGRESS", 2, BUCKET, LogicalResourceId="A", PhysicalResourceId="a-1"),
        event("CREATE_IN_PROGRESS", 3, POINT, LogicalResourceId="B", PhysicalResourceId=""),
        event("CREATE_COMPLETE", 4, BUCKET, LogicalResourceId="C", PhysicalResourceId="c-1"),
        event("CREATE_IN_PROGRESS", 0),
    ]
    events = stack_events.Events(Listed(rows[::-1]), STACK_ID, None)
    events.new()
    assert events.in_progress() == {"A": "a-1", "B": ""}
    assert events.in_progress(BUCKET) == {"A": "a-1"}
    assert events.pending() == f"A ({BUCKET}), B ({POINT})"


def test_reasons_are_those_of_resources_that_failed_themselves() -> None:
    rows = [
        event("CREATE_FAILED", 1, BUCKET, LogicalResourceId="A", ResourceStatusReason="exists"),
        event("CREATE_FAILED", 2, BUCKET, LogicalResourceId="B", ResourceStatusReason="Resource creation cancelled"),
        event("UPDATE_FAILED", 2, BUCKET, LogicalResourceId="C", ResourceStatusReason="Resource update cancelled"),
        event("DELETE_FAILED", 3, BUCKET, LogicalResourceId="D"),
        event("CREATE_FAILED", 4, BUCKET, LogicalResourceId="A", ResourceStatusReason="exists"),
        event("CREATE_COMPLETE", 5, BUCKET, LogicalResourceId="E", ResourceStatusReason="well"),
        event("CREATE_FAILED", 6, ResourceStatusReason="The following resource(s) failed"),
    ]
    assert stack_events.reasons(rows) == f"A ({BUCKET}): exists; D ({BUCKET}): no reason given"


class Refusing:
    """Nobody may ask it."""

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        raise error("no right")


def test_only_a_stack_that_is_not_there_is_none() -> None:
    client = FakeCloudFormation([None])
    assert stack_events.describe(client, "legacy-test-data") is None
    with pytest.raises(ClientError, match="no right"):
        stack_events.describe(Refusing(), "legacy-test-data")


# Tables


def test_a_table_s_details_keep_what_else_they_say() -> None:
    types = json.dumps({"Properties": {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}})
    given = change(
        "Modify", "AWS::DynamoDB::Table", detail("AttributeDefinitions", "Conditionally", Path="/x"), {"Target": {}},
        Replacement="Conditional", BeforeContext=types, AfterContext=types,
    )  # fmt: skip
    first, second = decided(given)["Details"]
    assert first == detail("AttributeDefinitions", "Never", Path="/x")
    assert second == {"Target": {}}
    assert decided(given)["Replacement"] == "False"  # a detail that tells nothing of a replacement is none
    assert decided({**given, "Replacement": "True"})["Replacement"] == "True"


# As data


DETAILED = """
Parameters:
  Size: {Type: Number, Default: 1}
  Colour: {Type: String, Default: red}
  ApiToken: {Type: String, Default: none}
  Password: {Type: String, Default: x, NoEcho: true}
  Host: {Type: String, Default: none}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Environment:
            - {Name: SIZE, Value: !Ref Size}
            - {Name: PLAIN, Value: !Ref Password}
            - {Name: HOST, Value: !Ref Host}
"""


def test_what_would_change_is_there_as_data_too() -> None:
    given = {"Size": "1", "Colour": "red", "ApiToken": "old-secret", "Password": "****", "Host": "a"}
    description = {"Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]}
    changes = [change("Modify", "AWS::RDS::DBInstance", detail("Name"), detail("Tags", "Never"), Replacement="True")]
    plan, _ = planned(
        changes, DETAILED, description=description,
        parameters={"Size": "2", "Colour": "red", "ApiToken": "new-secret", "Password": "real-secret", "Host": "a"},
    )  # fmt: skip
    assert plan.detail is not None
    assert plan.detail.action == "change"
    assert [(each.name, each.before, each.after) for each in plan.detail.parameters] == [
        ("Size", "1", "2"),
        ("ApiToken", "(not shown)", "(not shown)"),
    ]
    (resource,) = plan.detail.resources
    assert (resource.name, resource.replacement, resource.causes) == ("Thing", "True", ("Name",))
    assert resource.properties == ("Name", "Tags")
    assert resource.holds_data
    told = repr(plan)
    assert "real-secret" not in told
    assert "new-secret" not in told
    assert "old-secret" not in told


def test_a_perhaps_that_is_none_is_no_replacement_as_data() -> None:
    harmless = detail("MultiAZ", "Conditionally")
    plan, _ = planned([change("Modify", "AWS::RDS::DBInstance", harmless, Replacement="Conditional")])
    assert plan.detail is not None
    assert plan.detail.replaced == []
    sure, _ = planned([change("Modify", "AWS::RDS::DBInstance", detail("DBName"), Replacement="True")])
    assert sure.detail is not None
    assert [each.name for each in sure.detail.replaced] == ["Thing"]


def test_a_stack_without_a_change_and_a_new_one_are_told_as_data() -> None:
    plan, _ = planned(None)
    assert plan.detail is not None
    assert plan.detail.action == "nothing"
    new = a_stack(FakeCloudFormation([None]))
    new.read()
    detail_of_new = new.look({}).detail
    assert detail_of_new is not None
    assert detail_of_new.action == "create"
    assert [(each.name, each.holds_data) for each in detail_of_new.resources] == [
        ("Database", True), ("Files", True), ("Log", False),
    ]  # fmt: skip


def test_a_value_that_another_stack_gives_later_is_told_as_such_in_a_container() -> None:
    given = {"Size": "1", "Colour": "red", "ApiToken": "x", "Password": "****", "Host": "a"}
    client = FakeCloudFormation(
        ["UPDATE_COMPLETE"],
        changes=[change("Modify", "AWS::ECS::TaskDefinition", detail("ContainerDefinitions"), Replacement="True")],
        description={"Parameters": [{"ParameterKey": name, "ParameterValue": each} for name, each in given.items()]},
    )
    stack = a_stack(client, parameters={"Size": "1", "Colour": "red", "ApiToken": "x", "Password": "y"})
    stack.layer = dataclasses.replace(stack.layer, template=Template.read(DETAILED))
    stack.read()
    stack.body = DETAILED
    later = ("environment.HOST", "a", "(known during the run)")
    for uncertain, told in ((frozenset({"Host"}), [later]), (frozenset[str](), [])):
        found = stack.look({} if uncertain else {"Host": "a"}, uncertain).detail
        assert found is not None
        assert [(each.name, each.before, each.after) for one in found.containers for each in one.values] == told
