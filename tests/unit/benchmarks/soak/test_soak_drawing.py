"""The same seed draws the same acts."""

from __future__ import annotations

from collections import Counter

from benchmarks.soak.drawing import FAULTS, KILLED, LONGEST, PLANNED, drawn


def test_a_seed_draws_the_same_again_and_another_seed_something_else() -> None:
    assert drawn(7, 100) == drawn(7, 100)
    assert drawn(7, 100) != drawn(8, 100)
    assert drawn(7, 100)[:20] == drawn(7, 20), "a shorter soak is the start of a longer one"


def test_all_that_there_is_comes_up() -> None:
    acts = drawn(1, 1000)
    for sort, kinds in (("planned", PLANNED), ("killed", KILLED), ("fault", FAULTS)):
        assert Counter(act.what for act in acts if act.sort == sort).keys() == kinds.keys()


def test_a_verb_is_killed_while_it_runs() -> None:
    for act in drawn(1, 1000):
        if act.sort == "killed":
            assert 1.0 <= act.seconds <= LONGEST[act.what]


def test_an_act_is_called_by_what_is_done() -> None:
    names = {act.name for act in drawn(1, 1000)}
    assert {"release", "SIGKILL of release", "kill host"} <= names
