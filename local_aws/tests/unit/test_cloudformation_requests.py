"""What each request is answered in each state: tokens, names, refusals, and what of it is shown afterwards."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.cloudformation.change_sets import ChangeSet
from local_aws.cloudformation.engine import NOT_DELETABLE, Engine, Request
from local_aws.cloudformation.errors import AlreadyExistsException, ValidationError
from local_aws.cloudformation.parameters import Given
from local_aws.cloudformation.stacks import Region, Resource
from local_aws.tests.stack_support import Stacks, Thing, refused, resources, thing

ONE, TWO = resources(Only=thing(Size=1)), resources(Only=thing(Size=2))


def tokens(stacks: Stacks, name: str = "site") -> dict[str, str]:
    """State of the stack → token of the request that led to it, the last one of each."""
    events = stacks.api.describe_stack_events(StackName=name)["StackEvents"]
    return {
        each["ResourceStatus"]: each.get("ClientRequestToken", "")
        for each in reversed(events)
        if each["LogicalResourceId"] == name
    }


def stuck(stacks: Stacks) -> None:
    """A stack in UPDATE_ROLLBACK_FAILED."""
    stacks.create("site", ONE)
    Thing.failing["update", "Only"] = "neither forth nor back"
    assert stacks.update("site", TWO, ClientRequestToken="update")["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    Thing.failing.clear()


def test_each_request_gives_its_token_to_what_follows_from_it(stacks: Stacks) -> None:
    stuck(stacks)
    with refused("is in UPDATE_ROLLBACK_FAILED state and can not be rolled back."):
        stacks.api.rollback_stack(StackName="site")
    stacks.api.continue_update_rollback(StackName="site", ClientRequestToken="continue")
    assert stacks.settled("site")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.states("site")[-3] == "UPDATE_ROLLBACK_IN_PROGRESS"
    Thing.failing["update", "Only"] = "no"
    stacks.update("site", TWO, DisableRollback=True)
    Thing.failing.clear()
    stacks.api.rollback_stack(StackName="site", ClientRequestToken="back")
    assert stacks.settled("site")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.states("site")[-4:] == [
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert tokens(stacks)["UPDATE_ROLLBACK_COMPLETE"] == "back"
    stack = stacks.describe("site")["StackId"]
    stacks.delete("site", ClientRequestToken="delete")
    events = stacks.api.describe_stack_events(StackName=stack)["StackEvents"]
    given = [each.get("ClientRequestToken") for each in reversed(events)]
    assert given[given.index("continue") : given.index("back")].count("continue") >= 3
    assert events[0]["ClientRequestToken"] == "delete"


def test_a_create_without_rollback_is_rolled_back_on_request(stacks: Stacks) -> None:
    Thing.failing["create", "Only"] = "no"
    assert stacks.create("site", ONE, OnFailure="DO_NOTHING")["StackStatus"] == "CREATE_FAILED"
    stacks.api.rollback_stack(StackName="site", ClientRequestToken="back")
    assert stacks.settled("site")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stacks.states("site") == ["CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    assert tokens(stacks)["ROLLBACK_IN_PROGRESS"] == "back"
    assert ("site", "ROLLBACK_IN_PROGRESS", "User Initiated") in stacks.events("site")
    with refused("is in ROLLBACK_COMPLETE state and can not be rolled back."):
        stacks.api.rollback_stack(StackName="site")
    with refused("is in ROLLBACK_COMPLETE state and can not continue its update rollback."):
        stacks.api.continue_update_rollback(StackName="site")


def test_an_update_that_failed_can_be_tried_again_with_the_same_template(stacks: Stacks) -> None:
    stacks.create("site", ONE)
    Thing.failing["update", "Only"] = "not now"
    assert stacks.update("site", TWO, DisableRollback=True)["StackStatus"] == "UPDATE_FAILED"
    Thing.failing.clear()
    assert stacks.update("site", TWO)["StackStatus"] == "UPDATE_COMPLETE"
    with refused("No updates are to be performed."):
        stacks.update("site", TWO)


def test_the_same_token_again_is_the_same_request(stacks: Stacks) -> None:
    made = stacks.create("site", ONE, ClientRequestToken="create")
    again = stacks.api.create_stack(StackName="site", TemplateBody=ONE, ClientRequestToken="create")
    assert again["StackId"] == made["StackId"]
    for token in ({}, {"ClientRequestToken": "another"}):
        with refused("Stack [site] already exists", "AlreadyExistsException"):
            stacks.api.create_stack(StackName="site", TemplateBody=ONE, **token)
    stacks.update("site", TWO, ClientRequestToken="update")
    states = stacks.states("site")
    stacks.update("site", TWO, ClientRequestToken="update")
    assert stacks.states("site") == states
    stacks.update("site", resources(Only=thing(Size=3)), ClientRequestToken="another")
    assert len(stacks.states("site")) > len(states)
    stacks.update("site", ONE)
    with refused("No updates are to be performed."):  # it had no token, as this one has not
        stacks.update("site", ONE)
    stacks.delete("site")
    stacks.create("site", ONE, ClientRequestToken="both")
    with refused("No updates are to be performed."):  # the token was another request's
        stacks.update("site", ONE, ClientRequestToken="both")


@pytest.mark.parametrize("name", ["9site", "a_b", "", "a" * 129, "größe"])
def test_a_name_of_a_stack_is_letters_digits_and_hyphens(name: str) -> None:
    engine = Engine(lambda *_: None)
    with pytest.raises(ValidationError, match="failed to satisfy constraint"):
        engine.create(engine.region("us-east-1"), Request(name, ONE, Given({})))


def test_names_of_change_sets_are_checked_too(stacks: Stacks) -> None:
    stacks.create("site", ONE)
    with refused("at 'changeSetName' is not a valid name"):
        stacks.change_set("site", TWO, ChangeSetName="9")
    assert stacks.made("a" * 128, ONE)


def test_times_are_those_of_the_requests(stacks: Stacks) -> None:
    created = stacks.create("site", ONE)
    assert "LastUpdatedTime" not in created
    updated = stacks.update("site", TWO)
    assert updated["CreationTime"] == created["CreationTime"] < updated["LastUpdatedTime"]
    deleted = stacks.delete("site")
    assert deleted["DeletionTime"] >= updated["LastUpdatedTime"]
    events = stacks.api.describe_stack_events(StackName=created["StackId"])["StackEvents"]
    stamps = [each["Timestamp"] for each in events]
    assert stamps == sorted(stamps, reverse=True)


def test_an_event_of_a_resource_has_its_properties_and_the_stack_s_has_none(stacks: Stacks) -> None:
    stacks.create("site", ONE)
    events = stacks.api.describe_stack_events(StackName="site")["StackEvents"]
    given = {each["LogicalResourceId"]: each.get("ResourceProperties") for each in events}
    assert json.loads(given["Only"]) == {"Size": 1}
    assert given["site"] is None
    ids = {(each["StackId"], each["StackName"], each["ResourceType"]) for each in events}
    stack = stacks.describe("site")["StackId"]
    assert ids == {(stack, "site", "AWS::CloudFormation::Stack"), (stack, "site", "Test::Fake::Thing")}


def test_a_policy_stays_until_there_is_another(stacks: Stacks) -> None:
    first, second = '{"Statement": []}', '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'

    def policy() -> str:
        return str(stacks.api.get_stack_policy(StackName="site")["StackPolicyBody"])

    stacks.create("site", ONE, StackPolicyBody=first)
    stacks.update("site", TWO)
    assert policy() == first
    stacks.update("site", ONE, StackPolicyBody=second)
    assert policy() == second


# --- delete


def test_what_is_being_deleted_is_not_deleted_twice(stacks: Stacks) -> None:
    stacks.create("site", ONE)
    stack = stacks.describe("site")["StackId"]
    Thing.gates["delete", "Only"] = threading.Event()
    for token in ("first", "second"):
        stacks.api.delete_stack(StackName="site", ClientRequestToken=token)
    Thing.gates["delete", "Only"].set()
    assert stacks.settled(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.states(stack).count("DELETE_IN_PROGRESS") == 1
    assert Thing.log.count(("delete", "Only")) == 1


@pytest.mark.parametrize("status", sorted(NOT_DELETABLE))
def test_a_stack_in_the_middle_of_an_update_is_not_deleted(status: str) -> None:
    engine = Engine(lambda *_: None)
    region = engine.region("us-east-1")
    stack = region.new("site")
    stack.set(status)
    with pytest.raises(ValidationError, match=f"cannot be deleted while in status {status}"):
        engine.delete(region, stack, None)
    assert stack.status == status
    assert {"UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"} < NOT_DELETABLE
    assert {"UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"} < NOT_DELETABLE


def test_only_what_is_there_can_be_retained(stacks: Stacks) -> None:
    stacks.create("site", resources(Stuck=thing()))
    Thing.failing["delete", "Stuck"] = "in use"
    assert stacks.delete("site")["StackStatus"] == "DELETE_FAILED"
    with refused("Resource Other does not exist for stack site"):
        stacks.api.delete_stack(StackName="site", RetainResources=["Stuck", "Other"])


@pytest.mark.parametrize(("fails", "kept"), [("create", 0), ("delete", 0)])
def test_retain_except_on_create_keeps_nothing_of_a_create_that_was_never_through(
    stacks: Stacks, fails: str, kept: int
) -> None:
    body = resources(Data=thing(DELETION="RetainExceptOnCreate"), Bad=thing(Refers="!Ref Data"))
    Thing.failing["create", "Bad"] = "no"
    if fails == "delete":
        Thing.failing["delete", "Data"] = "in use"
    stack = stacks.create("site", body)
    assert stack["StackStatus"] == ("ROLLBACK_FAILED" if fails == "delete" else "ROLLBACK_COMPLETE")
    Thing.failing.clear()
    assert stacks.delete("site")["StackStatus"] == "DELETE_COMPLETE"
    assert len(Thing.existing) == kept


def test_retain_except_on_create_keeps_it_once_the_create_was_through(stacks: Stacks) -> None:
    stacks.create("site", resources(Data=thing(DELETION="RetainExceptOnCreate")))
    stacks.delete("site")
    assert len(Thing.existing) == 1


def test_a_create_is_cancelled_by_its_deletion(stacks: Stacks) -> None:
    Thing.gates["create", "Slow"] = threading.Event()
    body = resources(Done=thing(DELETION="RetainExceptOnCreate"), Slow=thing(Refers="!Ref Done"))
    stack = stacks.api.create_stack(StackName="site", TemplateBody=body)["StackId"]
    stacks.reached("site", "CREATE_IN_PROGRESS", "Slow")
    stacks.api.delete_stack(StackName="site", ClientRequestToken="delete")
    assert stacks.settled(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.states(stack) == ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert Thing.existing == {}


@pytest.mark.parametrize(("given", "shown"), [({}, "update"), ({"ClientRequestToken": "cancel"}, "cancel")])
def test_a_cancelled_update_has_the_token_of_who_cancelled_it_if_there_is_one(
    stacks: Stacks, given: dict[str, str], shown: str
) -> None:
    stacks.create("site", ONE)
    Thing.gates["create", "Added"] = threading.Event()
    body = resources(Only=thing(Size=2), Added=thing())
    stacks.api.update_stack(StackName="site", TemplateBody=body, ClientRequestToken="update")
    stacks.reached("site", "CREATE_IN_PROGRESS", "Added")
    stacks.api.cancel_update_stack(StackName="site", **given)
    assert stacks.settled("site")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert tokens(stacks)["UPDATE_ROLLBACK_COMPLETE"] == shown


# --- change sets


def test_a_change_set_is_found_by_its_arn_or_with_its_stack(stacks: Stacks) -> None:
    for name in ("site", "other"):
        stacks.create(name, ONE)
    made = stacks.change_set("site", TWO)
    stack = stacks.describe("site")["StackId"]
    for given in ({"ChangeSetName": made["ChangeSetId"]}, {"ChangeSetName": "plan", "StackName": "site"},
                  {"ChangeSetName": "plan", "StackName": stack}):  # fmt: skip
        assert stacks.api.describe_change_set(**given)["ChangeSetId"] == made["ChangeSetId"]
    for given in ({"ChangeSetName": "plan", "StackName": "other"}, {"ChangeSetName": "plans", "StackName": "site"}):
        with refused(f"ChangeSet [{given['ChangeSetName']}] does not exist", "ChangeSetNotFound"):
            stacks.api.describe_change_set(**given)
    assert stacks.change_set("other", TWO)["ChangeSetId"] != made["ChangeSetId"]  # of the same name


def test_a_change_set_that_creates_wants_no_stack_or_one_under_review(stacks: Stacks) -> None:
    first = stacks.change_set("new", ONE, ChangeSetType="CREATE", ClientToken="mine")
    assert stacks.describe("new")["StackStatus"] == "REVIEW_IN_PROGRESS"
    second = stacks.change_set("new", TWO, ChangeSetType="CREATE", ChangeSetName="second")
    assert first["StackId"] == second["StackId"]
    with refused("ChangeSet second already exists", "AlreadyExistsException"):
        stacks.change_set("new", TWO, ChangeSetType="CREATE", ChangeSetName="second")
    stacks.api.execute_change_set(ChangeSetName=second["ChangeSetId"])
    assert stacks.settled("new")["StackStatus"] == "CREATE_COMPLETE"
    with refused("Stack [new] already exists and cannot be created again with the changeSet [third]."):
        stacks.change_set("new", TWO, ChangeSetType="CREATE", ChangeSetName="third")


def test_a_change_set_waits_for_a_state_in_which_it_can_be_executed(stacks: Stacks) -> None:
    stacks.create("site", ONE)
    made = stacks.change_set("site", TWO)
    Thing.failing["update", "Only"] = "neither forth nor back"
    assert stacks.update("site", resources(Only=thing(Size=3)))["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    with refused("is in UPDATE_ROLLBACK_FAILED state and can not be updated."):
        stacks.api.execute_change_set(ChangeSetName=made["ChangeSetId"])
    with refused("is in UPDATE_ROLLBACK_FAILED state and can not be updated."):
        stacks.change_set("site", TWO, ChangeSetName="later")


def test_a_failed_create_by_a_change_set_is_deleted_if_that_is_asked_for(stacks: Stacks) -> None:
    Thing.failing["create", "Only"] = "no"
    for on_failure, status in (("DELETE", "DELETE_COMPLETE"), ("DO_NOTHING", "CREATE_FAILED")):
        made = stacks.change_set(f"new-{status[:6].lower()}", ONE, ChangeSetType="CREATE", OnStackFailure=on_failure)
        stacks.api.execute_change_set(ChangeSetName=made["ChangeSetId"])
        assert stacks.settled(made["StackId"])["StackStatus"] == status
    # Who executes it has the last word.
    made = stacks.change_set("last", ONE, ChangeSetType="CREATE", OnStackFailure="DELETE")
    stacks.api.execute_change_set(ChangeSetName=made["ChangeSetId"], DisableRollback=True)
    assert stacks.settled(made["StackId"])["StackStatus"] == "CREATE_FAILED"


def test_a_template_knows_where_it_is_deployed(stacks: Stacks) -> None:
    names = "AccountId Partition Region StackName URLSuffix"
    outputs = "".join(f"  {name}: {{Value: !Ref AWS::{name}}}\n" for name in names.split())
    topic = "arn:aws:sns:us-east-1:123456789012:topic"
    listed = "  Topics: {Value: !Join [',', !Ref AWS::NotificationARNs]}\n"
    zones = "  Zones: {Value: !Join [',', !GetAZs '']}\n"
    body = f"{ONE}Outputs:\n{outputs}{listed}{zones}"
    stacks.create("site", body)
    assert stacks.outputs("site") | {"Zones": ""} == {
        "AccountId": "123456789012", "Partition": "aws", "Region": "us-east-1", "StackName": "site",
        "URLSuffix": "amazonaws.com", "Topics": "", "Zones": "",
    }  # fmt: skip
    zones_given = stacks.outputs("site")["Zones"].split(",")
    assert zones_given == sorted(zones_given)
    assert zones_given[0] == "us-east-1a"
    assert topic not in stacks.outputs("site").values()


def test_a_parameter_that_is_not_in_the_store_is_named(stacks: Stacks) -> None:
    body = "Parameters: {Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /nothing/there}}\n" + ONE
    with refused("/nothing/there"):
        stacks.create("site", body)


# --- what is known of stacks


def test_a_region_has_one_stack_of_a_name() -> None:
    region = Region("us-east-1")
    first = region.new("site")
    assert first.id.startswith("arn:aws:cloudformation:us-east-1:123456789012:stack/site/")
    assert first.region == "us-east-1"
    region.add(first)
    with pytest.raises(AlreadyExistsException, match=r"Stack \[site\] already exists"):
        region.add(region.new("site"))
    assert region.find("site") is region.find(first.id) is first


def test_a_deleted_stack_is_found_by_its_arn_by_who_asks_for_deleted_ones() -> None:
    region = Region("us-east-1")
    first, other = region.new("site"), region.new("other")
    for stack in (first, other):
        region.add(stack)
        plan: Any = SimpleNamespace(empty=False)
        change_set = ChangeSet(f"arn/{stack.name}", "plan", stack, "UPDATE", plan, plan)
        region.change_sets[change_set.id] = change_set
    region.forget(first)
    assert (first.status, first.deleted is not None) == ("DELETE_COMPLETE", True)
    assert set(region.change_sets) == {"arn/other"}
    assert region.find(first.id, deleted=True) is first
    for name, deleted in ((first.id, False), ("site", True)):
        with pytest.raises(ValidationError, match=f"Stack with id {name} does not exist"):
            region.find(name, deleted)
    region.forget(region.new("never listed"))
    assert list(region.stacks) == ["other"]


def test_exports_are_those_of_the_region_s_stacks() -> None:
    region = Region("us-east-1")
    giver, takers = region.new("giver"), [region.new("b"), region.new("a"), region.new("c")]
    for stack in (giver, *takers):
        region.add(stack)
    giver.outputs = [
        {"OutputKey": "A", "OutputValue": "1", "ExportName": "vpc"},
        {"OutputKey": "B", "OutputValue": "2"},
    ]
    for taker in takers[:2]:
        taker.imports.add("vpc")
    assert region.exports() == {"vpc": (giver, "1")}
    assert (region.importers("vpc"), region.importers("other")) == (["a", "b"], [])


@pytest.mark.parametrize(
    ("kind", "definition", "deletion", "replace"),
    [
        ("AWS::EC2::VPC", {}, "Delete", "Delete"),
        ("AWS::RDS::DBInstance", {}, "Snapshot", "Delete"),
        ("AWS::RDS::DBCluster", {}, "Snapshot", "Delete"),
        ("AWS::RDS::DBInstance", {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Snapshot"}, "Retain", "Snapshot"),
    ],
)
def test_what_becomes_of_a_resource(kind: str, definition: dict[str, str], deletion: str, replace: str) -> None:
    resource = Resource("Data", kind, definition=definition)
    assert (resource.deletion_policy, resource.update_replace_policy) == (deletion, replace)
