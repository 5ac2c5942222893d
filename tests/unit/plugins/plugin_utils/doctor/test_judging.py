"""What lines come to: each failure once, what says most, and what is wrong besides."""

from __future__ import annotations

from plugins.plugin_utils.doctor.judging import plain, recognised, unexplained
from plugins.plugin_utils.doctor.showing import WIDTH, rendered
from plugins.plugin_utils.doctor.signature import Evidence

EXIT = "Essential container in task exited (app ended with exit code 3)"


def names(*lines: Evidence) -> list[tuple[str, str]]:
    return [(each.signature, each.about) for each in recognised(lines)]


def test_a_failure_is_said_once_for_what_it_is_about_with_its_first_different_lines() -> None:
    lines = [Evidence("stopped task", "service.web", f"{EXIT} {number % 4}") for number in range(8)]
    (found,) = recognised([*lines, Evidence("log", "service.web", "all is well")])
    assert (found.signature, found.lines, len(found.evidence)) == ("program-failed", 8, 3)
    other = Evidence("stopped task", "service.worker", EXIT)
    assert names(*lines, other) == [("program-failed", "service.web"), ("program-failed", "service.worker")]


def test_what_says_only_that_something_is_wrong_is_left_out_where_another_says_what() -> None:
    end = Evidence("stopped task", "service.web", EXIT)
    log = Evidence("log", "service.web", 'FATAL:  password authentication failed for user "shop"')
    assert names(end, log) == [("database-password", "service.web")]
    retired = Evidence("log", "service.web", 'FATAL:  role "shop_a" is not permitted to log in')
    assert names(retired) == [("database-password", "service.web")]
    assert names(end, Evidence("log", "service.worker", log.text)) == [
        ("database-password", "service.worker"),
        ("program-failed", "service.web"),
    ]


def test_what_is_wrong_and_explained_by_nothing_is_left() -> None:
    wrong = [
        {"about": about, "what": "is so", "type": ""}
        for about in ("service.web", "service.worker", "database.main", "hosts", "host i-1")
    ]
    found = recognised([
        Evidence("stopped task", "service.web", EXIT), Evidence("host", "host i-1", "status: error"),
    ])  # fmt: skip
    assert [each["about"] for each in unexplained(wrong, found)] == ["service.worker", "database.main"]
    assert unexplained(wrong, []) == wrong


def test_the_lines_have_evidence_cause_and_what_to_type() -> None:
    long = "CannotPullContainerError: manifest for " + "x" * 40 + " not found: " + "word " * 40
    findings = [plain(each) for each in recognised([Evidence("stopped task", "service.web", long, "0123")] * 2)]
    left = [{"about": "database.main", "what": "is stopped", "type": "ansible-playbook site.yml"}]
    tried = [
        {"about": "service.web", "what": "login", "state": state, "said": f"app to database.main {'x ' * 70}"}
        for state in ("good", "bad", "untried")
    ]
    model = {"findings": findings, "unexplained": left, "asked": 2, "not_looked_at": [], "done": tried}
    shown = [line for line, _ in rendered(model)]
    assert shown[0] == "service.web: image-gone"
    assert shown[1].startswith("  seen   stopped task 0123: CannotPullContainerError: ")
    assert "         2 lines say so" in shown
    assert any(line.startswith("  type   ansible-playbook publish.yml ") for line in shown)
    assert "database.main: is stopped" in shown
    assert all(len(line) <= WIDTH for line in shown if "type" not in line)
    for begin in ("", "failed: ", "not tried: "):
        assert any(line.startswith(f"login    service.web: {begin}app to database.main") for line in shown)
    nothing = {"findings": [], "unexplained": [], "asked": 7, "not_looked_at": ["i-1", "i-2"], "done": []}
    assert [line for line, _ in rendered(nothing)] == [
        "Not looked at by ssh: i-1, i-2.",
        "7 lines were looked at, and none tells of a failure that is known.",
    ]
