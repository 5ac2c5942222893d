"""The states in which a stack can be found, and what is done about each: one test a state."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed
from plugins.plugin_utils.stack import STEPS
from tests.unit.fake_cloudformation import NO_UPDATES, STACK_ID, FakeCloudFormation, Script, a_stack, error

CREATED: Script = ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
UPDATED: Script = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
DELETED: Script = ["DELETE_IN_PROGRESS", None]

SCRIPTS: dict[str, Script] = {
    "create_stack": CREATED,
    "update_stack": UPDATED,
    "delete_stack": DELETED,
    "continue_update_rollback": ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"],
    "rollback_stack": ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"],
}

UPDATE, CREATE, AGAIN = ["update_stack"], ["create_stack"], ["delete_stack", "create_stack"]


def test_the_table_knows_every_state() -> None:
    shapes = botocore.session.get_session().get_service_model("cloudformation")
    assert set(STEPS) == set(shapes.shape_for("StackStatus").enum)


@pytest.mark.parametrize(
    ("found", "operations"),
    [
        ([None], CREATE),
        (["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"], UPDATE),
        (["CREATE_COMPLETE"], UPDATE),
        (["CREATE_FAILED"], AGAIN),
        (["ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"], AGAIN),
        (["ROLLBACK_COMPLETE"], AGAIN),
        (["ROLLBACK_FAILED"], AGAIN),
        (["REVIEW_IN_PROGRESS"], AGAIN),
        (["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], UPDATE),
        (["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"], UPDATE),
        (["UPDATE_COMPLETE"], UPDATE),
        (["UPDATE_FAILED"], ["rollback_stack", "update_stack"]),
        (["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"], UPDATE),
        (["UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"], UPDATE),
        (["UPDATE_ROLLBACK_COMPLETE"], UPDATE),
        (["UPDATE_ROLLBACK_FAILED"], ["continue_update_rollback", "update_stack"]),
        (["DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS", None], CREATE),
        (["DELETE_FAILED"], AGAIN),
        (["DELETE_COMPLETE"], CREATE),
        (["IMPORT_COMPLETE"], UPDATE),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, list) else None,
)
def test_a_stack_is_brought_up_from(found: Script, operations: list[str]) -> None:
    client = FakeCloudFormation(list(found), SCRIPTS)
    outcome = a_stack(client).deploy({})
    assert client.operations == operations
    assert outcome.changed


@pytest.mark.parametrize(
    "state",
    ["IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_FAILED", "IMPORT_ROLLBACK_COMPLETE"],
)
def test_an_import_is_left_alone(state: str) -> None:
    client = FakeCloudFormation([state], SCRIPTS)
    with pytest.raises(Failed, match=f"legacy-test-data is {state}: somebody imports"):
        a_stack(client).deploy({})
    assert not client.operations


def test_a_stack_that_is_up_to_date_is_unchanged() -> None:
    client = FakeCloudFormation(
        ["UPDATE_COMPLETE"],
        refusal=NO_UPDATES,
        description={"Outputs": [{"OutputKey": "DatabaseHost", "OutputValue": "db"}]},
    )
    outcome = a_stack(client).deploy({})
    assert not outcome.changed
    assert outcome.outputs == {"DatabaseHost": "db"}


def test_another_refusal_of_an_update_is_not_taken_for_no_updates() -> None:
    client = FakeCloudFormation(["UPDATE_COMPLETE"], refusal="Template error: unresolved Ref")
    with pytest.raises(Exception, match="unresolved Ref"):
        a_stack(client).deploy({})


def test_a_rollback_that_fails_again_says_which_resource() -> None:
    client = FakeCloudFormation(
        ["UPDATE_ROLLBACK_FAILED"],
        {"continue_update_rollback": ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"]},
        {"continue_update_rollback": [("UPDATE_FAILED", "Log", "AWS::Logs::LogGroup", "no such group")]},
    )
    with pytest.raises(Failed, match=r"Log \(AWS::Logs::LogGroup\): no such group.*--resources-to-skip"):
        a_stack(client).deploy({})


@pytest.mark.parametrize(
    ("found", "operations", "what"),
    [
        (["UPDATE_ROLLBACK_FAILED"], ["continue_update_rollback"], "continue its rollback, then update it"),
        (["UPDATE_FAILED"], ["rollback_stack"], "roll it back, then update it"),
        (["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], [], "wait until what is under way is over"),
        (["UPDATE_COMPLETE"], [], ""),
        ([None], [], ""),
    ],
)
def test_what_is_under_way_is_brought_to_its_end_before_a_look(found: Script, operations: list[str], what: str) -> None:
    client = FakeCloudFormation(list(found), SCRIPTS)
    lines: list[str] = []
    stack = a_stack(client, lines)
    stack.read()
    stack.settle()
    assert client.operations == operations
    assert all(arguments["StackName"] == STACK_ID for _, arguments in client.calls)
    assert lines[:1] == ([f"data: is {found[0]}: {what}"] if what else [])
    plan = stack.look({})
    assert (plan.exists, plan.changed) == (found != [None], found == [None])


def test_a_stack_that_never_recovers_is_given_up() -> None:
    client = FakeCloudFormation(["UPDATE_FAILED"], {"rollback_stack": ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_FAILED"]})
    with pytest.raises(Failed, match="legacy-test-data does not recover: it is UPDATE_FAILED again"):
        a_stack(client).deploy({})


def test_a_failed_first_create_under_termination_protection_is_not_deleted() -> None:
    client = FakeCloudFormation(["ROLLBACK_COMPLETE"], SCRIPTS, description={"EnableTerminationProtection": True})
    with pytest.raises(Failed, match="aws cloudformation update-termination-protection"):
        a_stack(client).deploy({})
    assert not client.operations


class FakeDatabases:
    """RDS where each database is protected but `open-db`, and where `gone-db` is none any more."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.modified: list[dict[str, Any]] = []

    def describe_db_instances(self, DBInstanceIdentifier: str) -> dict[str, Any]:
        """One of that name."""
        self.asked.append(DBInstanceIdentifier)
        if DBInstanceIdentifier == "gone-db":
            raise error("gone", "DescribeDBInstances", "DBInstanceNotFound")
        if DBInstanceIdentifier == "secret-db":
            raise error("no right", "DescribeDBInstances", "AccessDenied")
        return {"DBInstances": [{"DeletionProtection": DBInstanceIdentifier != "open-db"}]}

    def modify_db_instance(self, **arguments: Any) -> None:
        """Remember it."""
        self.modified.append(arguments)


DATABASE = {
    "LogicalResourceId": "Database",
    "ResourceType": "AWS::RDS::DBInstance",
    "ResourceStatus": "DELETE_FAILED",
    "PhysicalResourceId": "legacy-db",
}


@pytest.mark.parametrize("state", ["CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_the_database_of_a_failed_first_create_is_released_before_the_deletion(state: str) -> None:
    # DeletionProtection makes the rollback of a create fail, and the deletion after it (aws-pitfalls 1.9).
    databases = FakeDatabases()
    client = FakeCloudFormation([state], SCRIPTS, resources=[DATABASE])
    a_stack(client, service=lambda name: {"rds": databases}[name]).deploy({})
    assert databases.modified == [
        {"DBInstanceIdentifier": "legacy-db", "DeletionProtection": False, "ApplyImmediately": True}
    ]
    assert client.operations == AGAIN


def test_only_databases_that_are_there_and_protected_are_released() -> None:
    databases = FakeDatabases()
    others = [
        {**DATABASE, "PhysicalResourceId": "gone-db"},
        {**DATABASE, "PhysicalResourceId": "open-db"},
        {**DATABASE, "PhysicalResourceId": "deleted-db", "ResourceStatus": "DELETE_COMPLETE"},
        {**DATABASE, "PhysicalResourceId": ""},
        {**DATABASE, "ResourceType": "AWS::EFS::FileSystem", "PhysicalResourceId": "fs-1"},
        DATABASE,
    ]
    client = FakeCloudFormation(["ROLLBACK_FAILED"], SCRIPTS, resources=others)
    a_stack(client, service=lambda _: databases).deploy({})
    assert databases.asked == ["gone-db", "open-db", "legacy-db"]
    assert [each["DBInstanceIdentifier"] for each in databases.modified] == ["legacy-db"]
    client = FakeCloudFormation(
        ["ROLLBACK_FAILED"], SCRIPTS, resources=[{**DATABASE, "PhysicalResourceId": "secret-db"}]
    )
    with pytest.raises(ClientError, match="no right"):
        a_stack(client, service=lambda _: databases).deploy({})


def test_the_database_of_a_failed_deletion_stays_protected() -> None:
    # DELETE_FAILED may be what a teardown of a living site left: nobody said that its database may go.
    databases = FakeDatabases()
    client = FakeCloudFormation(["DELETE_FAILED"], SCRIPTS, resources=[DATABASE])
    a_stack(client, service=lambda name: {"rds": databases}[name]).deploy({})
    assert databases.modified == []


def test_a_deletion_is_not_taken_for_failed_because_it_failed_before() -> None:
    # Right after DeleteStack the old DELETE_FAILED may still be shown.
    client = FakeCloudFormation(["DELETE_FAILED"], SCRIPTS, late=3, late_events=2)
    client.own_event("DELETE_FAILED")
    a_stack(client).deploy({})
    assert client.operations == AGAIN


def test_a_deletion_that_fails_again_says_why() -> None:
    client = FakeCloudFormation(
        ["DELETE_FAILED"],
        {"delete_stack": ["DELETE_IN_PROGRESS", "DELETE_FAILED"]},
        {"delete_stack": [("DELETE_FAILED", "Vpc", "AWS::EC2::VPC", "has dependencies and cannot be deleted")]},
    )
    with pytest.raises(Failed, match=r"Vpc \(AWS::EC2::VPC\): has dependencies"):
        a_stack(client).deploy({})
    assert len(client.operations) > 10, "what holds it may go"


def test_a_deletion_that_fails_without_a_reason_says_how_it_ended() -> None:
    client = FakeCloudFormation(["CREATE_COMPLETE"], {"delete_stack": ["DELETE_IN_PROGRESS", "DELETE_FAILED"]})
    with pytest.raises(Failed, match=r"^cannot be deleted: DELETE_FAILED$"):
        a_stack(client).delete()


def test_what_is_held_for_a_while_is_deleted_again() -> None:
    """The interfaces of a load balancer go some minutes after it, and hold the network's groups until then."""
    held = ("DELETE_FAILED", "Group", "AWS::EC2::SecurityGroup", "resource sg-0a has a dependent object")
    client = FakeCloudFormation(["CREATE_COMPLETE"], {"delete_stack": ["DELETE_IN_PROGRESS", "DELETE_FAILED"]})
    client.emits["delete_stack"] = [held]
    lines: list[str] = []
    stack = a_stack(client, lines)
    failing = client.delete_stack

    def third_time(**arguments: Any) -> Any:
        if client.operations.count("delete_stack") == 2:
            client.scripts["delete_stack"], client.emits["delete_stack"] = DELETED, []
        return failing(**arguments)

    client.delete_stack = third_time  # type: ignore[attr-defined] # it is made for whatever is asked
    stack.delete(False)
    assert client.operations == ["delete_stack"] * 3
    assert sum("is held by what AWS lets go of" in line for line in lines) == 1


def test_what_cannot_be_deleted_for_another_reason_is_not_tried_again() -> None:
    client = FakeCloudFormation(["CREATE_COMPLETE"], {"delete_stack": ["DELETE_IN_PROGRESS", "DELETE_FAILED"]})
    client.emits["delete_stack"] = [("DELETE_FAILED", "Bucket", "AWS::S3::Bucket", "The bucket is not empty")]
    with pytest.raises(Failed, match="not empty"):
        a_stack(client).delete(False)
    assert client.operations == ["delete_stack"]
