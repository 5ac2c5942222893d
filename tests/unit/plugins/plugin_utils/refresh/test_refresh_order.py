"""The order in which hosts are replaced: from each state the same end, whatever a killed run has left half done."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from plugins.plugin_utils.refresh.order import Goal, Host, Refused, Scene, Step, done, next_step, steps

ZONES = ("a", "b")


def site(count: int, maximum: int, new: bool = False) -> Scene:
    """A site of so many hosts in two zones, with tasks on each."""
    hosts = tuple(Host(f"i-{number}", ZONES[number % 2], new=new, tasks=2) for number in range(count))
    return Scene(hosts, wanted=count, desired=count, maximum=maximum)


def kept(count: int) -> Scene:
    """What a refresh leaves that keeps the old hosts."""
    return end(site(count, 2 * count), Goal.KEEP)


def end(scene: Scene, goal: Goal, in_place: bool = False) -> Scene:
    return [scene, *(after for _, after in steps(scene, goal, in_place))][-1]


def shape(scene: Scene) -> tuple[list[tuple[bool, str]], int, str]:
    """What is the same at each end: how many hosts of which kind in which state, and what the group is to have."""
    return sorted((each.new, each.status) for each in scene.hosts), scene.desired, scene.lacking


def broken_off(before: Scene, step: Step) -> Iterator[Scene]:
    """What AWS may show when a step was begun, and the run was killed in the middle of it."""
    after = done(before, step)
    yield before
    yield after
    if step.kind in ("launch", "await") or (step.kind == "terminate" and not step.number):
        # Launched are none of them yet, or they have not joined, or have, and cannot take tasks yet.
        added = {each.name for each in after.hosts} - {each.name for each in before.hosts}
        yield replace(after, hosts=tuple(each for each in after.hosts if each.name not in added))
        for status, lack in (("", "is Pending"), ("ACTIVE", "its agent is not connected")):
            yield replace(
                after,
                hosts=tuple(
                    replace(each, status=status, lack=lack) if each.name in added else each for each in after.hosts
                ),
            )
    if step.kind == "drain":
        draining = tuple(replace(each, status="DRAINING") if each.name in step.hosts else each for each in before.hosts)
        yield replace(before, hosts=draining)
        yield replace(before, hosts=draining, lacking="1 of 2 tasks of web running")
        yield replace(after, lacking="a target of web is initial")
    if step.kind == "terminate":
        going = tuple(replace(each, leaving=True) for each in before.hosts if each.name in step.hosts)
        yield replace(after, hosts=(*after.hosts, *going))
    if step.kind == "activate":
        for each in step.hosts:
            yield done(before, Step("activate", (each,)))


BEGUN = [
    pytest.param(site(count, maximum), goal, id=f"{count}-of-{maximum}-{goal.value}")
    for count, more in itertools.product((1, 2, 3), (1, 2, 3))
    for goal in Goal
    if (maximum := count + more) and goal is not Goal.BACK and (goal is Goal.REFRESH or maximum >= 2 * count)
] + [pytest.param(kept(count), Goal.BACK, id=f"{count}-back") for count in (1, 2, 3)]


@pytest.mark.parametrize(("scene", "goal"), BEGUN)
def test_a_run_that_was_killed_anywhere_comes_to_the_same_end(scene: Scene, goal: Goal) -> None:
    wanted = shape(end(scene, goal))
    tried = 0
    before = scene
    for step, after in steps(scene, goal):
        for left in broken_off(before, step):
            # Who looks next does not know what was proved before.
            forgotten = replace(left, hosts=tuple(replace(each, proved=False) for each in left.hosts))
            assert shape(end(forgotten, goal)) == wanted, (step, left)
            tried += 1
        before = after
    assert tried > 10


@pytest.mark.parametrize(("scene", "goal"), BEGUN)
def test_on_the_way_there_are_never_too_few_nor_too_many(scene: Scene, goal: Goal) -> None:
    before = scene
    for step, after in steps(scene, goal):
        assert len(after.hosts) <= after.maximum
        usable = [each for each in after.hosts if each.status == "ACTIVE" and not each.lack]
        assert len(usable) >= scene.wanted, step
        if step.kind == "terminate":
            (gone,) = (each for each in before.hosts if each.name in step.hosts)
            assert gone.drained
            assert not before.lacking
        if goal is Goal.REFRESH:
            assert sum(each.status == "DRAINING" for each in after.hosts) <= 1
        if step.kind == "drain":
            assert all(each.proved for each in before.new) or goal is Goal.BACK
        before = after


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("more", [1, 2, 3])
def test_in_the_end_there_are_as_many_hosts_all_of_them_new(count: int, more: int) -> None:
    after = end(site(count, count + more), Goal.REFRESH)
    assert [each.new for each in after.hosts] == [True] * count
    assert after.desired == count
    assert next_step(after, Goal.REFRESH) is None


def test_two_hosts_with_room_for_one_more_go_one_after_the_other() -> None:
    taken = [step for step, _ in steps(site(2, 3), Goal.REFRESH)]
    assert [step.kind for step in taken] == ["launch", "prove", "drain", "terminate"] * 2
    assert [step.number for step in taken if step.kind == "launch"] == [3, 3]
    assert all(step.number == 1 for step in taken if step.kind == "terminate")


def test_with_room_for_all_of_them_the_new_ones_come_together() -> None:
    kinds = [step.kind for step, _ in steps(site(2, 4), Goal.REFRESH)]
    assert kinds == ["launch", "prove", "drain", "terminate", "drain", "terminate"]


def test_the_one_in_the_fuller_zone_goes_first_so_the_group_balances_nothing_by_itself() -> None:
    for _, after in steps(site(2, 4), Goal.REFRESH):
        if after.desired == 2:
            assert {each.zone for each in after.hosts} == {"a", "b"}
    for zone, first in (("a", "i-0"), ("b", "i-1")):
        beside = replace(site(2, 3), desired=3, hosts=(*site(2, 3).hosts, Host("i-9", zone, new=True, proved=True)))
        assert next_step(beside, Goal.REFRESH) == Step("drain", (first,))


def test_kept_hosts_stand_by_without_tasks_and_go_with_the_next_refresh() -> None:
    scene = kept(2)
    assert shape(scene) == ([(False, "DRAINING"), (False, "DRAINING"), (True, "ACTIVE"), (True, "ACTIVE")], 4, "")
    assert next_step(scene, Goal.KEEP) is None
    assert [step.kind for step, _ in steps(scene, Goal.REFRESH)] == ["terminate", "terminate"]
    back = end(scene, Goal.BACK)
    assert shape(back) == ([(False, "ACTIVE"), (False, "ACTIVE")], 2, "")
    assert next_step(back, Goal.BACK) is None


def test_going_back_the_old_hosts_take_tasks_before_a_new_one_is_drained() -> None:
    taken = [step for step, _ in steps(kept(2), Goal.BACK)]
    assert [step.kind for step in taken] == ["activate", "drain", "terminate", "drain", "terminate"]
    assert taken[0].hosts == ("i-0", "i-1")


def test_back_in_the_middle_of_a_refresh_needs_the_old_ones_that_are_wanted() -> None:
    seen = [after for _, after in steps(site(2, 3), Goal.REFRESH)]
    drained, gone, over = seen[2], seen[3], seen[-1]
    assert shape(end(drained, Goal.BACK)) == ([(False, "ACTIVE"), (False, "ACTIVE")], 2, "")
    with pytest.raises(Refused) as few:
        next_step(gone, Goal.BACK)
    assert str(few.value) == "Of the 2 hosts that there are to be, 1 of before are left to go back to"
    assert few.value.maximum == 0
    with pytest.raises(Refused) as none:
        next_step(over, Goal.BACK)
    assert " 0 of before are left" in str(none.value)


def test_back_waits_for_no_launch_that_fails_for_ever() -> None:
    scene = replace(site(2, 3), desired=3)
    assert next_step(scene, Goal.REFRESH) == Step("await", (), 1)
    assert next_step(scene, Goal.BACK) == Step("launch", number=2)
    assert shape(end(scene, Goal.BACK)) == shape(site(2, 3))


@pytest.mark.parametrize("count", [1, 2])
def test_without_room_for_one_more_nothing_is_begun_unless_the_gap_is_accepted(count: int) -> None:
    scene = site(count, count)
    with pytest.raises(Refused) as refused:
        next_step(scene, Goal.REFRESH)
    assert str(refused.value) == f"No new host can stand beside the old ones: there may be {count}"
    assert refused.value.maximum == count + 1
    taken = [step for step, _ in steps(scene, Goal.REFRESH, in_place=True)]
    assert [step.kind for step in taken][:2] == ["drain", "terminate"]
    assert all(step.number == 0 for step in taken if step.kind == "terminate")
    assert shape(end(scene, Goal.REFRESH, in_place=True)) == ([(True, "ACTIVE")] * count, count, "")
    assert next(step.kind for step, _ in steps(site(count, count + 1), Goal.REFRESH, in_place=True)) == "launch"


def test_in_place_the_tasks_come_back_before_the_next_host_goes() -> None:
    first = site(2, 2)
    drained = replace(done(first, Step("drain", ("i-0",))), lacking="1 of 2 tasks of web running")
    assert next_step(drained, Goal.REFRESH, in_place=True) == Step("terminate", ("i-0",), 0)
    came = done(drained, Step("terminate", ("i-0",), 0))
    proved = done(came, Step("prove", ("new host 1",)))
    assert next_step(came, Goal.REFRESH, in_place=True) == Step("prove", ("new host 1",))
    assert next_step(proved, Goal.REFRESH, in_place=True) == Step("settle")


def test_who_wants_to_keep_the_old_ones_needs_room_for_all() -> None:
    with pytest.raises(Refused) as refused:
        next_step(site(2, 3), Goal.KEEP)
    assert str(refused.value) == "To keep the old hosts beside the new ones takes 4, and there may be 3"
    assert refused.value.maximum == 4
    assert next_step(site(2, 4), Goal.KEEP) == Step("launch", number=4)


def test_hosts_that_are_all_new_are_left_alone() -> None:
    for goal in Goal:
        if goal is not Goal.BACK:
            assert next_step(site(2, 3, new=True), goal) is None
    assert not site(2, 3, new=True).under_way
    assert not site(2, 3).under_way
    assert replace(site(2, 3), desired=3).under_way


def test_no_host_goes_while_services_lack_something() -> None:
    for _, after in steps(site(2, 3), Goal.REFRESH):
        lacking = replace(after, lacking="a target of web is unhealthy")
        step = next_step(lacking, Goal.REFRESH)
        assert step is not None
        assert step.kind not in ("drain", "terminate"), after


def test_a_new_host_that_somebody_drained_takes_tasks_again() -> None:
    scene = end(site(2, 4), Goal.REFRESH)
    drained = replace(scene, hosts=tuple(replace(each, status="DRAINING") for each in scene.hosts))
    step = next_step(drained, Goal.REFRESH)
    assert step is not None
    assert step.kind == "activate"


def test_one_that_goes_already_is_waited_for() -> None:
    scene = site(2, 3)
    going = replace(scene.hosts[0], leaving=True)
    assert next_step(replace(scene, hosts=(going, scene.hosts[1])), Goal.REFRESH) == Step("gone", ("i-0",))
