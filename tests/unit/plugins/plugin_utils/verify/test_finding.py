"""The table of what was found."""

from __future__ import annotations

from botocore.exceptions import ClientError

from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding, attempt, lines, ordered, plain

RIGHT = Finding("role", "service.web", "task role", OK, "shop-task trusts ecs-tasks.amazonaws.com")
BAD = Finding("image", "service.web/app", "in the registry", WRONG, "the registry has no image. " * 8)


def test_a_question_that_is_not_answered_is_not_asked_with_the_right_that_is_missing() -> None:
    message = "User: arn:aws:iam::1:user/x is not authorized to perform: iam:GetRole"

    def refused() -> list[Finding]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "GetRole")

    (found,) = attempt("role", "service.web", "roles", refused)
    assert (found.state, found.reason) == (NOT_ASKED, f"GetRole: {message}")
    assert attempt("role", "service.web", "roles", lambda: [RIGHT]) == [RIGHT]


def test_the_table_has_a_line_each_in_the_order_of_the_checks_and_no_line_is_too_long() -> None:
    shown = list(lines([RIGHT, BAD, RIGHT]))
    assert shown[0][0].startswith("WRONG      service.web/app  in the registry  the registry has no image.")
    assert shown[0][1] == "red"
    assert shown[1][0].startswith(" " * 45), "a reason goes on below itself"
    last, color = shown[-1]
    assert last == "OK         service.web      task role        shop-task trusts ecs-tasks.amazonaws.com"
    assert color == "green"
    assert all(len(line) <= 132 for line, _ in shown)


def test_what_was_said_twice_stands_once() -> None:
    assert ordered([RIGHT, BAD, RIGHT]) == [BAD, RIGHT]
    assert plain([RIGHT]) == [
        {
            "check": "role", "subject": "service.web", "what": "task role", "state": "OK",
            "reason": "shop-task trusts ecs-tasks.amazonaws.com",
        }
    ]  # fmt: skip
