"""What may not be is said, and nothing else."""

from __future__ import annotations

from benchmarks.soak.drawing import Act
from benchmarks.soak.judging import Answer, Outcome, objections, sorted_in, table


def outcome(sort: str = "planned", what: str = "restart", *answers: Answer, began: float = 10.0) -> Outcome:
    made = Outcome(Act(3, sort, what, 0.5, 30.0), began, began + 20, frozenset({"one", "two"}))
    made.answers = list(answers)
    return made


WELL = Answer(12, 12.1, True, "one")
FAILED = Answer(13, 18, False, why="503")


def test_a_soak_without_a_failed_request_is_well() -> None:
    assert objections([outcome("planned", "restart", WELL), outcome("fault", "kill host", WELL)], 4, []) == []


def test_a_verb_may_cost_no_request_and_a_fault_may() -> None:
    said = "act 3 (restart): 1 requests failed (503), and a verb may cost none"
    assert objections([outcome("planned", "restart", WELL, FAILED)], 4, []) == [said]
    (killed,) = objections([outcome("killed", "release", FAILED)], 4, [])
    assert killed.startswith("act 3 (SIGKILL of release): 1 requests failed")
    assert objections([outcome("fault", "kill host", FAILED)], 4, []) == []


def test_a_release_that_was_not_to_answer_is_told_after_a_fault_too() -> None:
    (said,) = objections([outcome("fault", "kill host", Answer(12, 13, True, "zero"), WELL)], 4, [])
    assert said == "act 3 (kill host): 1 answers of the release zero"
    assert objections([outcome("fault", "kill host", Answer(12, 13, True, ""))], 4, []) == [], "a page may say nothing"


def test_a_lost_upload_and_a_site_that_is_not_whole_are_told() -> None:
    broken = outcome("fault", "kill host")
    broken.trouble = "not within 240 s"
    assert objections([broken], 4, ["soak-1.png"]) == [
        "the upload soak-1.png is lost", "act 3 (kill host): not within 240 s",
    ]  # fmt: skip


def test_where_nothing_was_uploaded_nothing_is_proven() -> None:
    assert objections([outcome("planned", "restart", WELL)], 0, []) == [
        "no upload was confirmed, so none could be lost"
    ]


def test_an_answer_belongs_to_the_act_in_which_it_was_asked_for() -> None:
    first, second = outcome(began=10), outcome(began=40)
    sorted_in(
        [first, second], [Answer(9, 9.5, True), Answer(10, 45, True), Answer(39, 40, True), Answer(40, 41, False)]
    )
    assert [each.asked for each in first.answers] == [10, 39]
    assert [each.asked for each in second.answers] == [40]


def test_the_table_has_a_line_for_each_kind_of_act() -> None:
    second = outcome("fault", "kill host", WELL, FAILED, Answer(20, 21, False))
    lines = table([outcome("planned", "restart", WELL), second, outcome("fault", "kill host", WELL)])
    assert lines[2:] == [
        "| kill host | 2 | 4 | 2 | 8.0 s | 20 s |",
        "| restart | 1 | 1 | 0 | 0.0 s | 20 s |",
    ]
