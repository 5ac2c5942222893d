"""What hosts have tried of logins, told once for each that the site has."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.doctor.judging import recognised
from plugins.plugin_utils.doctor.logins import done, evidence

WANTED = [{"service": "web", "container": "app", "database": "main", "variables": {}, "known": {}}]
ONE, TWO = "i-0aaaaaaaaaaaaaaa1", "i-0bbbbbbbbbbbbbbb2"
REFUSED = (
    'connection to server at "db" (10.0.0.7), port 5432 failed: FATAL:  password authentication failed for user "a"'
)


def result(host: str, state: str, **more: str) -> dict[str, Any]:
    said = {"service": "web", "container": "app", "database": "main", "state": state, "why": "", **more}
    return {"item": host, "logins": [said]}


def good(host: str) -> dict[str, Any]:
    return result(host, "good", where="inside a task", to="db:5432", tls="TLSv1.3")


def bad(host: str) -> dict[str, Any]:
    return result(host, "bad", where="inside a task", to="db:5432", tls="TLSv1.3", why=REFUSED)


@pytest.mark.parametrize(
    ("results", "state", "said"),
    [
        ([good(ONE)], "good", f"app to database.main at db:5432 (TLSv1.3), inside a task on {ONE}"),
        ([good(ONE), bad(TWO)], "bad", f"app to database.main, inside a task on {TWO}: {REFUSED}"),
        (
            [result(ONE, "untried"), good(TWO)],
            "good",
            f"app to database.main at db:5432 (TLSv1.3), inside a task on {TWO}",
        ),
        ([result(ONE, "untried")], "untried", "app to database.main: no host that was asked has a task of it"),
        ([], "untried", "app to database.main: no host that was asked has a task of it"),
        ([result(ONE, "untried", why="its task has no PW")], "untried", "app to database.main: its task has no PW"),
        (
            [{"item": ONE, "failed": True, "msg": "no\npython"}],
            "untried",
            f"app to database.main: {ONE}: no python",
        ),
    ],
)  # fmt: skip
def test_what_came_of_each(results: list[dict[str, Any]], state: str, said: str) -> None:
    assert list(done(WANTED, results)) == [{"about": "service.web", "what": "login", "state": state, "said": said}]


def test_a_refusal_is_a_failure_of_the_service_with_what_helps() -> None:
    assert list(evidence([good(ONE), result(TWO, "untried")])) == []
    (found,) = recognised(evidence([good(ONE), bad(TWO)]))
    assert (found.signature, found.about) == ("database-password", "service.web")
    assert found.types.endswith(" -e service=web")
    assert found.evidence[0].place == f"app to database.main, inside a task on {TWO}"
