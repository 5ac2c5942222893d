"""What happens when something fails: rollback of create and update, stuck rollbacks, cancelling, stuck deletes."""

from __future__ import annotations

import threading

import pytest

from local_aws.tests.stack_support import Stacks, Thing, refused, resources, thing


def test_failed_create_is_rolled_back_with_the_resources_own_reason(stacks: Stacks) -> None:
    Thing.failing["create", "Bad"] = "no room for it"
    stack = stacks.create(
        "site", resources(Good=thing(), Bad=thing(Refers="!Ref Good"), Never=thing(Refers="!Ref Bad"))
    )

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stacks.states("site") == ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    events = stacks.events("site")
    assert ("Bad", "CREATE_FAILED", "RuntimeError: no room for it") in events
    assert (
        "site",
        "ROLLBACK_IN_PROGRESS",
        "The following resource(s) failed to create: [Bad]. Rollback requested by user.",
    ) in events
    assert ("Good", "DELETE_COMPLETE", "") in events
    assert "Never" not in {event[0] for event in events}
    assert Thing.existing == {}


def test_failure_cancels_what_is_still_being_made(stacks: Stacks) -> None:
    Thing.gates["create", "Slow"] = threading.Event()
    Thing.gates["create", "Bad"] = threading.Event()
    stacks.api.create_stack(StackName="site", TemplateBody=resources(Slow=thing(), Bad=thing()))
    Thing.failing["create", "Bad"] = "no"
    stacks.reached("site", "CREATE_IN_PROGRESS", "Slow")
    Thing.gates["create", "Bad"].set()

    assert stacks.settled("site")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("Slow", "CREATE_FAILED", "Resource creation cancelled") in stacks.events("site")


def test_resource_that_is_done_only_after_the_failure_is_cancelled_and_deleted(stacks: Stacks) -> None:
    Thing.gates["create", "Deaf"] = threading.Event()
    Thing.deaf.add(("create", "Deaf"))
    Thing.failing["create", "Bad"] = "no"
    stacks.api.create_stack(StackName="site", TemplateBody=resources(Deaf=thing(), Bad=thing()))
    stacks.reached("site", "CREATE_FAILED", "Bad")
    Thing.gates["create", "Deaf"].set()

    assert stacks.settled("site")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("Deaf", "CREATE_FAILED", "Resource creation cancelled") in stacks.events("site")
    assert Thing.existing == {}


def test_resource_that_failed_half_way_is_deleted(stacks: Stacks) -> None:
    Thing.failing["half", "Half"] = "made, but its policy was refused"
    stack = stacks.create("site", resources(Half=thing()))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert Thing.log == [("delete", "Half")]
    assert Thing.existing == {}


def test_half_made_resource_of_an_update_is_deleted(stacks: Stacks) -> None:
    stacks.create("site", resources(Kept=thing()))
    Thing.failing["half", "Half"] = "no"
    stack = stacks.update("site", resources(Kept=thing(), Half=thing()))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert set(Thing.existing) == {stacks.physical("site")["Kept"]}
    assert set(stacks.physical("site")) == {"Kept"}


@pytest.mark.parametrize(
    ("policy", "kept"), [("Delete", False), ("RetainExceptOnCreate", False), ("Snapshot", False), ("Retain", True)]
)
def test_only_plain_retain_leaves_orphans_of_a_failed_create(stacks: Stacks, policy: str, kept: bool) -> None:
    Thing.failing["create", "Bad"] = "no"
    stacks.create("site", resources(Data=thing(DELETION=policy), Bad=thing(Refers="!Ref Data")))
    assert bool(Thing.existing) == kept
    assert ("snapshot", "Data") not in Thing.log


def test_stuck_rollback_of_a_create_can_be_deleted_later(stacks: Stacks) -> None:
    Thing.failing["create", "Bad"] = "no"
    Thing.failing["delete", "Stuck"] = "in use"
    stack = stacks.create("site", resources(Stuck=thing(), Bad=thing(Refers="!Ref Stuck")))
    assert stack["StackStatus"] == "ROLLBACK_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [Stuck]. "
    with refused("is in ROLLBACK_FAILED state and can not be updated."):
        stacks.update("site", resources(Other=thing()))

    Thing.failing.clear()
    assert stacks.delete("site")["StackStatus"] == "DELETE_COMPLETE"
    assert Thing.existing == {}


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE"])
def test_rolled_back_create_can_only_be_deleted(stacks: Stacks, status: str) -> None:
    Thing.failing["create", "Bad"] = "no"
    body = resources(Bad=thing())
    assert stacks.create("site", body)["StackStatus"] == status
    Thing.failing.clear()
    with refused(f"is in {status} state and can not be updated."):
        stacks.update("site", body)
    with refused("already exists", "AlreadyExistsException"):
        stacks.create("site", body)
    assert stacks.delete("site")["StackStatus"] == "DELETE_COMPLETE"


def test_create_without_rollback_keeps_what_is_there_and_can_be_mended(stacks: Stacks) -> None:
    Thing.failing["create", "Bad"] = "no"
    body = resources(Good=thing(), Bad=thing(Refers="!Ref Good"))
    stack = stacks.create("site", body, DisableRollback=True)
    assert stack["StackStatus"] == "CREATE_FAILED"
    assert len(Thing.existing) == 1

    Thing.failing.clear()
    assert stacks.update("site", body)["StackStatus"] == "UPDATE_COMPLETE"
    assert len(Thing.existing) == 2


def test_create_without_rollback_can_be_rolled_back_by_hand(stacks: Stacks) -> None:
    Thing.failing["create", "Bad"] = "no"
    stacks.create("site", resources(Good=thing(), Bad=thing(Refers="!Ref Good")), OnFailure="DO_NOTHING")
    stacks.api.rollback_stack(StackName="site")
    assert stacks.settled("site")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert Thing.existing == {}


def test_on_failure_delete_removes_the_stack_too(stacks: Stacks) -> None:
    Thing.failing["create", "Bad"] = "no"
    made = stacks.api.create_stack(StackName="site", TemplateBody=resources(Bad=thing()), OnFailure="DELETE")["StackId"]
    assert stacks.settled(made)["StackStatus"] == "DELETE_COMPLETE"
    with refused("does not exist"):
        stacks.describe("site")


def test_create_that_takes_too_long_is_rolled_back(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    from local_aws.cloudformation import api

    monkeypatch.setattr(api, "MINUTE", 0.01)
    Thing.gates["create", "Slow"] = threading.Event()
    stack = stacks.create("site", resources(Slow=thing()), TimeoutInMinutes=5)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Stack creation time exceeded the specified timeout." in str(stacks.events("site"))


def test_failed_update_is_taken_back(stacks: Stacks) -> None:
    old = resources(Changed=thing(Size=1), Replaced=thing(Name="a"), Removed=thing(), Last=thing(Size=1))
    new = resources(
        Changed=thing(Size=2), Replaced=thing(Name="b"), Added=thing(),
        Last=thing(Size=2, DEPENDS_ON="[Changed, Replaced, Added]"),
    )  # fmt: skip
    stacks.create("site", old + "Outputs: {Size: {Value: old}}\n", Tags=[{"Key": "Site", "Value": "one"}])
    before, things = stacks.physical("site"), dict(Thing.existing)
    Thing.failing["update", "Last"] = "refused"
    Thing.once.add(("update", "Last"))
    Thing.log.clear()
    stacks.api.update_stack(
        StackName="site", TemplateBody=new + "Outputs: {Size: {Value: new}}\n", Tags=[{"Key": "Site", "Value": "two"}]
    )
    stack = stacks.settled("site")

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.physical("site") == before
    assert Thing.existing == things, "as it was, nothing left over"
    assert stack["Tags"] == [{"Key": "Site", "Value": "one"}]
    assert stacks.outputs("site") == {"Size": "old"}
    assert ("delete", "Removed") not in Thing.log
    assert stacks.api.get_template(StackName="site")["TemplateBody"].startswith(old)
    assert "The following resource(s) failed to update: [Last]. " in str(stacks.events("site"))


def test_failed_replacement_keeps_the_old_one(stacks: Stacks) -> None:
    stacks.create("site", resources(Only=thing(Name="a")))
    before = dict(Thing.existing)
    Thing.failing["create", "Only"] = "name is taken"
    stack = stacks.update("site", resources(Only=thing(Name="b")))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert Thing.existing == before
    assert stacks.states("site")[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    Thing.failing.clear()
    assert stacks.update("site", resources(Only=thing(Name="b")))["StackStatus"] == "UPDATE_COMPLETE"


def _stuck(stacks: Stacks) -> dict[str, str]:
    """A stack in UPDATE_ROLLBACK_FAILED because of Stuck; returns its physical ids from before."""
    stacks.create("site", resources(Stuck=thing(Size=1), Other=thing(Size=1)))
    before = stacks.physical("site")
    Thing.failing["update", "Stuck"] = "neither forth nor back"
    stack = stacks.update("site", resources(Stuck=thing(Size=2), Other=thing(Size=1), Added=thing()))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to update: [Stuck]. "
    return before


def test_stuck_update_rollback_can_be_continued(stacks: Stacks) -> None:
    before = _stuck(stacks)
    with refused("is in UPDATE_ROLLBACK_FAILED state and can not be updated."):
        stacks.update("site", resources(Other=thing()))
    stacks.api.continue_update_rollback(StackName="site")
    assert stacks.settled("site")["StackStatus"] == "UPDATE_ROLLBACK_FAILED"

    Thing.failing.clear()
    stacks.api.continue_update_rollback(StackName="site", ClientRequestToken="again")
    assert stacks.settled("site")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.physical("site") == before
    assert set(Thing.existing) == set(before.values())
    with refused("can not continue its update rollback"):
        stacks.api.continue_update_rollback(StackName="site")


def test_stuck_update_rollback_can_skip_the_resource(stacks: Stacks) -> None:
    before = _stuck(stacks)
    with refused("Resource Other is not in a failed state"):
        stacks.api.continue_update_rollback(StackName="site", ResourcesToSkip=["Other"])
    stacks.api.continue_update_rollback(StackName="site", ResourcesToSkip=["Stuck"])
    assert stacks.settled("site")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.physical("site") == before


def test_stuck_update_rollback_can_be_deleted(stacks: Stacks) -> None:
    _stuck(stacks)
    assert stacks.delete("site")["StackStatus"] == "DELETE_COMPLETE"
    assert Thing.existing == {}


def test_update_without_rollback_can_be_mended_or_rolled_back(stacks: Stacks) -> None:
    old, new = resources(Only=thing(Size=1)), resources(Only=thing(Size=2), Added=thing())
    stacks.create("site", old)
    Thing.failing["update", "Only"] = "not now"
    assert stacks.update("site", new, DisableRollback=True)["StackStatus"] == "UPDATE_FAILED"
    Thing.failing.clear()
    stacks.api.rollback_stack(StackName="site")
    assert stacks.settled("site")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert next(iter(Thing.existing.values()))["Size"] == 1
    assert len(Thing.existing) == 1


def test_update_under_way_can_be_cancelled(stacks: Stacks) -> None:
    stacks.create("site", resources(Slow=thing(Size=1)))
    before = dict(Thing.existing)
    Thing.gates["create", "Added"] = threading.Event()
    stacks.api.update_stack(StackName="site", TemplateBody=resources(Slow=thing(Size=2), Added=thing()))
    stacks.reached("site", "UPDATE_COMPLETE", "Slow")
    stacks.api.cancel_update_stack(StackName="site")
    assert stacks.settled("site")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert Thing.existing == before
    with refused("CancelUpdateStack cannot be called from current stack status UPDATE_ROLLBACK_COMPLETE"):
        stacks.api.cancel_update_stack(StackName="site")


def test_failed_delete_names_what_is_stuck_and_can_retain_it(stacks: Stacks) -> None:
    stacks.create("site", resources(Base=thing(), Stuck=thing(Refers="!Ref Base"), Free=thing()))
    with refused("only when the stack is in the DELETE_FAILED state"):
        stacks.api.delete_stack(StackName="site", RetainResources=["Stuck"])
    Thing.failing["delete", "Stuck"] = "has children"
    stack = stacks.delete("site")
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [Stuck]. "
    assert ("Stuck", "DELETE_FAILED", "RuntimeError: has children") in stacks.events("site")
    assert ("delete", "Base") not in Thing.log, "what a stuck resource needs is not touched"
    assert set(stacks.physical("site")) == {"Base", "Stuck"}

    assert stacks.delete("site", RetainResources=["Stuck"])["StackStatus"] == "DELETE_COMPLETE"
    assert len(Thing.existing) == 1


def test_failed_delete_can_be_tried_again(stacks: Stacks) -> None:
    stacks.create("site", resources(Stuck=thing()))
    Thing.failing["delete", "Stuck"] = "not yet"
    assert stacks.delete("site")["StackStatus"] == "DELETE_FAILED"
    Thing.failing.clear()
    assert stacks.delete("site")["StackStatus"] == "DELETE_COMPLETE"


def test_forced_delete_leaves_the_stuck_behind(stacks: Stacks) -> None:
    stacks.create("site", resources(Stuck=thing()))
    Thing.failing["delete", "Stuck"] = "for ever"
    assert stacks.delete("site", DeletionMode="FORCE_DELETE_STACK")["StackStatus"] == "DELETE_COMPLETE"
