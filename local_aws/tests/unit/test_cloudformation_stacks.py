"""Create, update and delete: states, events, order, no-ops, protection, several stacks at once."""

from __future__ import annotations

import threading
import time

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks, Thing, refused, resources, thing
from local_aws.tests.until import until

CHAIN = resources(
    First=thing(Size=1),
    Second=thing(Size="!GetAtt First.Size", Refers="!Ref First"),
    Third=thing(DEPENDS_ON="[Second]"),
)


def test_create_makes_resources_after_those_that_they_need(stacks: Stacks) -> None:
    stack = stacks.create("chain", CHAIN)

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert Thing.log == [("create", "First"), ("create", "Second"), ("create", "Third")]
    physical = stacks.physical("chain")
    assert physical["First"].startswith("chain-First-")
    assert Thing.existing[physical["Second"]]["Refers"] == physical["First"]
    assert Thing.existing[physical["Second"]]["Size"] == "1"


def test_events_tell_the_story_with_the_request_token(stacks: Stacks) -> None:
    stacks.create("chain", resources(Only=thing()), ClientRequestToken="token-1")
    stacks.update("chain", resources(Only=thing(Size=2)), ClientRequestToken="token-2")

    assert [event[:2] for event in stacks.events("chain")] == [
        ("chain", "CREATE_IN_PROGRESS"),
        ("Only", "CREATE_IN_PROGRESS"),
        ("Only", "CREATE_IN_PROGRESS"),
        ("Only", "CREATE_COMPLETE"),
        ("chain", "CREATE_COMPLETE"),
        ("chain", "UPDATE_IN_PROGRESS"),
        ("Only", "UPDATE_IN_PROGRESS"),
        ("Only", "UPDATE_COMPLETE"),
        ("chain", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("chain", "UPDATE_COMPLETE"),
    ]
    raw = stacks.api.describe_stack_events(StackName="chain")["StackEvents"]
    assert [event["ClientRequestToken"] for event in reversed(raw)] == ["token-1"] * 5 + ["token-2"] * 5
    assert raw[-1]["ResourceStatusReason"] == "User Initiated"
    assert len({event["EventId"] for event in raw}) == len(raw)


def test_independent_resources_are_made_side_by_side(stacks: Stacks) -> None:
    names = [f"Thing{number}" for number in range(6)]
    Thing.gates.update({("create", name): threading.Event() for name in names})
    stacks.api.create_stack(StackName="wide", TemplateBody=resources(**{name: thing() for name in names}))

    until(lambda: len(Thing.log) == len(names), "all have begun", 15)
    for gate in Thing.gates.values():
        gate.set()
    assert stacks.settled("wide")["StackStatus"] == "CREATE_COMPLETE"


def test_stacks_of_all_regions_deploy_at_the_same_time(stacks: Stacks, aws: Cloud) -> None:
    Thing.gates["create", "Slow"] = threading.Event()
    elsewhere = Stacks(aws, "eu-central-1")
    for name in ("one", "two"):
        stacks.api.create_stack(StackName=name, TemplateBody=resources(Slow=thing()))
    elsewhere.api.create_stack(StackName="one", TemplateBody=resources(Slow=thing()))
    until(lambda: len(Thing.log) == 3, "all three have begun", 15)
    assert stacks.create("quick", resources(Fast=thing()))["StackStatus"] == "CREATE_COMPLETE"

    Thing.gates["create", "Slow"].set()
    for where, name in ((stacks, "one"), (stacks, "two"), (elsewhere, "one")):
        assert where.settled(name)["StackStatus"] == "CREATE_COMPLETE"
    assert ":eu-central-1:" in elsewhere.describe("one")["StackId"]
    with refused("Stack with id two does not exist"):
        elsewhere.describe("two")


def test_mutating_calls_answer_at_once(stacks: Stacks) -> None:
    Thing.gates["create", "Slow"] = threading.Event()
    begun = time.monotonic()
    stacks.api.create_stack(StackName="slow", TemplateBody=resources(Slow=thing()))
    assert time.monotonic() - begun < 2
    assert stacks.describe("slow")["StackStatus"] == "CREATE_IN_PROGRESS"


def test_update_changes_in_place_adds_and_removes(stacks: Stacks) -> None:
    stacks.create("site", resources(Kept=thing(Size=1), Removed=thing()))
    before = stacks.physical("site")
    Thing.log.clear()

    stacks.update("site", resources(Kept=thing(Size=2), Added=thing()))

    after = stacks.physical("site")
    assert after["Kept"] == before["Kept"]
    assert Thing.existing[after["Kept"]]["Size"] == 2
    assert set(after) == {"Kept", "Added"}
    assert before["Removed"] not in Thing.existing
    assert Thing.log[-1] == ("delete", "Removed"), "removed only after all else was done"


@pytest.mark.parametrize(
    "change", [{"Name": "b"}, {"Name": "a", "Nested": "{Frozen: 2}"}, {"Name": "a", "Maybe": "replace"}]
)
def test_create_only_properties_replace_new_first_then_old(stacks: Stacks, change: dict[str, str]) -> None:
    user = thing(Refers="!Ref Replaced")
    stacks.create("site", resources(Replaced=thing(Name="a", Nested="{Frozen: 1}"), User=user))
    before = stacks.physical("site")
    Thing.log.clear()

    change = {"Nested": "{Frozen: 1}"} | change
    assert stacks.update("site", resources(Replaced=thing(**change), User=user))["StackStatus"] == "UPDATE_COMPLETE"

    after = stacks.physical("site")
    assert Thing.log == [("create", "Replaced"), ("update", "User"), ("delete", "Replaced")]
    assert after["Replaced"] != before["Replaced"]
    assert Thing.existing[after["User"]]["Refers"] == after["Replaced"]
    assert before["Replaced"] not in Thing.existing
    states = [event[:2] for event in stacks.events("site")]
    cleanup = states.index(("site", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    assert ("Replaced", "DELETE_COMPLETE") in states[cleanup:]


def test_free_part_of_a_partly_frozen_property_changes_in_place(stacks: Stacks) -> None:
    stacks.create("site", resources(Only=thing(Nested="{Frozen: 1, Free: 1}", Maybe="in-place")))
    before = stacks.physical("site")
    stacks.update("site", resources(Only=thing(Nested="{Frozen: 1, Free: 2}", Maybe="in-place-too")))
    assert stacks.physical("site") == before


def test_what_cannot_be_cleaned_up_leaves_the_stack(stacks: Stacks) -> None:
    stacks.create("site", resources(Kept=thing(), Stuck=thing()))
    Thing.failing["delete", "Stuck"] = "still in use"
    stack = stacks.update("site", resources(Kept=thing()))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert stack["StackStatusReason"] == "One or more resources could not be deleted."
    assert ("Stuck", "DELETE_FAILED", "RuntimeError: still in use") in stacks.events("site")
    assert set(stacks.physical("site")) == {"Kept"}


def test_delete_goes_the_other_way_round(stacks: Stacks) -> None:
    stacks.create("chain", CHAIN)
    Thing.log.clear()
    stack = stacks.delete("chain")

    assert stack["StackStatus"] == "DELETE_COMPLETE"
    assert "DeletionTime" in stack
    assert Thing.log == [("delete", "Third"), ("delete", "Second"), ("delete", "First")]
    assert Thing.existing == {}
    with refused("Stack with id chain does not exist"):
        stacks.describe("chain")
    stacks.api.delete_stack(StackName="chain")  # a second time is no error
    assert stacks.events(stack["StackId"])[-1][:2] == ("chain", "DELETE_COMPLETE")
    assert stacks.create("chain", CHAIN)["StackStatus"] == "CREATE_COMPLETE", "the name is free again"


def test_delete_in_the_middle_of_a_create_waits_for_what_is_under_way(stacks: Stacks) -> None:
    Thing.gates["create", "Slow"] = threading.Event()
    stacks.create("done", resources(Other=thing()))
    stacks.api.create_stack(
        StackName="site", TemplateBody=resources(Fast=thing(), Slow=thing(), After=thing(Refers="!Ref Slow"))
    )
    stacks.reached("site", "CREATE_COMPLETE", "Fast")
    stack = stacks.delete("site")
    assert stack["StackStatus"] == "DELETE_COMPLETE"
    assert ("create", "After") not in Thing.log
    assert len(Thing.existing) == 1, "only the other stack's"


@pytest.mark.parametrize(
    ("policy", "asked"),
    [("Delete", ["delete"]), ("Retain", []), ("RetainExceptOnCreate", []), ("Snapshot", ["snapshot", "delete"])],
)
def test_deletion_policy(stacks: Stacks, policy: str, asked: list[str]) -> None:
    body = resources(Kept=thing(DELETION=policy), Other=thing())
    stacks.create("site", body)
    Thing.log.clear()
    stack = stacks.delete("site")

    assert stack["StackStatus"] == "DELETE_COMPLETE"
    assert [action for action, name in Thing.log if name == "Kept"] == asked
    skipped = ("Kept", "DELETE_SKIPPED") in [event[:2] for event in stacks.events(stack["StackId"])]
    assert skipped == (asked == [])


@pytest.mark.parametrize(
    ("policy", "asked"), [("Delete", ["delete"]), ("Retain", []), ("Snapshot", ["snapshot", "delete"])]
)
def test_update_replace_policy(stacks: Stacks, policy: str, asked: list[str]) -> None:
    stacks.create("site", resources(Only=thing(Name="a", REPLACE=policy)))
    old = stacks.physical("site")["Only"]
    Thing.log.clear()
    stacks.update("site", resources(Only=thing(Name="b", REPLACE=policy)))
    assert [action for action, _ in Thing.log] == ["create", *asked]
    assert (old in Thing.existing) == (policy == "Retain")


def test_deletion_policy_does_not_keep_what_is_replaced(stacks: Stacks) -> None:
    stacks.create("site", resources(Only=thing(Name="a", DELETION="Retain")))
    old = stacks.physical("site")["Only"]
    stacks.update("site", resources(Only=thing(Name="b", DELETION="Retain")))
    assert old not in Thing.existing


def test_termination_protection(stacks: Stacks) -> None:
    stacks.create("site", CHAIN, EnableTerminationProtection=True)
    assert stacks.describe("site")["EnableTerminationProtection"] is True
    with refused("Stack [site] cannot be deleted while TerminationProtection is enabled"):
        stacks.api.delete_stack(StackName="site")
    stacks.api.update_termination_protection(StackName="site", EnableTerminationProtection=False)
    assert stacks.delete("site")["StackStatus"] == "DELETE_COMPLETE"


def test_stack_tags_reach_resources_and_their_change_is_an_update(stacks: Stacks) -> None:
    body = resources(Only=thing(Name="a"))
    stacks.create("site", body, Tags=[{"Key": "Site", "Value": "one"}])
    physical = stacks.physical("site")["Only"]
    assert Thing.existing[physical]["StackTags"] == {"Site": "one"}
    with refused("No updates are to be performed."):
        stacks.update("site", body)
    with refused("No updates are to be performed."):
        stacks.update("site", body, Tags=[{"Key": "Site", "Value": "one"}])

    stack = stacks.update("site", body, Tags=[{"Key": "Site", "Value": "two"}])
    assert stack["Tags"] == [{"Key": "Site", "Value": "two"}]
    assert stacks.physical("site")["Only"] == physical
    assert Thing.existing[physical]["StackTags"] == {"Site": "two"}


def test_change_of_outputs_alone_is_an_update(stacks: Stacks) -> None:
    body = resources(Only=thing())
    stacks.create("site", body)
    Thing.log.clear()
    stack = stacks.update("site", body + "Outputs: {Id: {Value: !Ref Only, Description: what it is}}\n")
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert stack["Outputs"][0]["Description"] == "what it is"
    assert stacks.outputs("site") == {"Id": stacks.physical("site")["Only"]}
    assert Thing.log == []
    assert stacks.update("site", body)["Outputs"] == []


@pytest.mark.parametrize("edit", ["DeletionPolicy: Retain", "UpdateReplacePolicy: Retain", "Metadata: {Note: new}"])
def test_change_of_a_policy_alone_is_an_update_that_touches_nothing(stacks: Stacks, edit: str) -> None:
    body = resources(Only=thing())
    stacks.create("site", body)
    Thing.log.clear()
    edited = body.replace("{Type:", "{" + edit + ", Type:")
    assert stacks.update("site", edited)["StackStatus"] == "UPDATE_COMPLETE"
    assert Thing.log == []
    with refused("No updates are to be performed."):
        stacks.update("site", edited)
    if edit == "DeletionPolicy: Retain":
        stacks.delete("site")
        assert len(Thing.existing) == 1


def test_numbers_and_text_are_the_same_to_an_update(stacks: Stacks) -> None:
    stacks.create("site", resources(Only=thing(Size=5, Word="true")))
    with refused("No updates are to be performed."):
        stacks.update("site", "# a comment\n" + resources(Only=thing(Size="'5'", Word="'true'")))


def test_names_are_unique_and_tokens_idempotent(stacks: Stacks) -> None:
    first = stacks.create("site", CHAIN, ClientRequestToken="token")["StackId"]
    with refused("Stack [site] already exists", "AlreadyExistsException"):
        stacks.create("site", CHAIN)
    assert stacks.api.create_stack(StackName="site", TemplateBody=CHAIN, ClientRequestToken="token")["StackId"] == first
    with refused("at 'stackName' failed to satisfy constraint"):
        stacks.create("no_underscores", CHAIN)


def test_a_stack_in_progress_cannot_be_updated(stacks: Stacks) -> None:
    stacks.create("site", resources(Slow=thing()))
    Thing.gates["update", "Slow"] = threading.Event()
    stacks.api.update_stack(StackName="site", TemplateBody=resources(Slow=thing(Size=2)))
    with refused("is in UPDATE_IN_PROGRESS state and can not be updated."):
        stacks.update("site", CHAIN)
    with refused("cannot be deleted while in status UPDATE_IN_PROGRESS"):
        stacks.api.delete_stack(StackName="site")


def test_exports_lock_stacks_together(stacks: Stacks) -> None:
    exporting = (
        resources(Only=thing(Size=1)) + "Outputs: {Size: {Value: %s, Export: {Name: !Sub '${AWS::StackName}-Size'}}}\n"
    )
    stacks.create("giver", exporting % "'7'")
    stacks.create("taker", resources(Only=thing(Size="!ImportValue giver-Size")))

    assert Thing.existing[stacks.physical("taker")["Only"]]["Size"] == "7"
    exports = stacks.api.list_exports()["Exports"]
    assert [(export["Name"], export["Value"]) for export in exports] == [("giver-Size", "7")]
    assert stacks.api.list_imports(ExportName="giver-Size")["Imports"] == ["taker"]
    with refused("Export giver-Size cannot be deleted as it is in use by taker"):
        stacks.api.delete_stack(StackName="giver")
    assert stacks.update("giver", exporting % "'8'")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Export giver-Size cannot be updated as it is in use by taker" in str(stacks.events("giver"))
    with refused("No export named nobody-Size found."):
        stacks.create("lost", resources(Only=thing(Size="!ImportValue nobody-Size")))
    stacks.delete("taker")
    assert stacks.delete("giver")["StackStatus"] == "DELETE_COMPLETE"


def test_policy_description_and_template_are_given_back(stacks: Stacks) -> None:
    body = "Description: A site.\n" + CHAIN
    stacks.create("site", body, StackPolicyBody='{"Statement": []}')
    assert stacks.describe("site")["Description"] == "A site."
    assert stacks.api.get_template(StackName="site")["TemplateBody"] == body
    assert stacks.api.get_stack_policy(StackName="site")["StackPolicyBody"] == '{"Statement": []}'
    stacks.api.set_stack_policy(StackName="site", StackPolicyBody="{}")
    assert stacks.api.get_stack_policy(StackName="site")["StackPolicyBody"] == "{}"
    listed = stacks.api.list_stack_resources(StackName="site")["StackResourceSummaries"]
    assert {(item["LogicalResourceId"], item["ResourceStatus"]) for item in listed} == {
        ("First", "CREATE_COMPLETE"),
        ("Second", "CREATE_COMPLETE"),
        ("Third", "CREATE_COMPLETE"),
    }
    detail = stacks.api.describe_stack_resource(StackName="site", LogicalResourceId="First")["StackResourceDetail"]
    assert detail["PhysicalResourceId"] == stacks.physical("site")["First"]
    found = stacks.api.describe_stack_resources(PhysicalResourceId=detail["PhysicalResourceId"])["StackResources"]
    assert found[0]["StackName"] == "site"


def test_list_stacks_remembers_deleted_ones(stacks: Stacks) -> None:
    stacks.create("gone", CHAIN)
    stacks.delete("gone")
    stacks.create("here", CHAIN)
    listed = stacks.api.list_stacks()["StackSummaries"]
    assert {(stack["StackName"], stack["StackStatus"]) for stack in listed} == {
        ("gone", "DELETE_COMPLETE"),
        ("here", "CREATE_COMPLETE"),
    }
    assert [stack["StackName"] for stack in stacks.api.describe_stacks()["Stacks"]] == ["here"]


def test_template_from_s3(stacks: Stacks, aws: Cloud) -> None:
    aws.client("s3").create_bucket(Bucket="templates")
    big = "# " + "x" * 60_000 + "\n" + CHAIN
    aws.client("s3").put_object(Bucket="templates", Key="site/chain.yml", Body=big.encode())
    made = stacks.api.create_stack(
        StackName="site", TemplateURL="https://templates.s3.us-east-1.amazonaws.com/site/chain.yml"
    )["StackId"]
    assert stacks.settled(made)["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.filterwarnings("ignore:Exception.CloudFormationError.")  # moto has no shape for this error code
def test_unsupported_actions_are_refused(stacks: Stacks) -> None:
    with refused("does not support CloudFormation's DetectStackDrift", "UnsupportedOperation"):
        stacks.api.detect_stack_drift(StackName="site")
