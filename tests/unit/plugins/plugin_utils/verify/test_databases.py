"""What databases answered a host."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.verify.databases import addresses, judge
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG
from tests.unit.plugins.plugin_utils.verify.support import only

ADDRESS = {"main": "db.aws:5432"}


def test_addresses_are_those_of_the_stacks_or_of_the_inventory() -> None:
    entries: dict[str, dict[str, Any]] = {
        "main": {"endpoint": "", "port": 5432}, "old": {"endpoint": "db.example.net", "port": 6432},
        "new": {"endpoint": "", "port": 5432},
    }  # fmt: skip
    outputs = {"database.main.Endpoint": "db.aws", "database.main.Port": "5432"}
    assert addresses(entries, outputs) == {"main": "db.aws:5432", "old": "db.example.net:6432", "new": ""}


@pytest.mark.parametrize(
    ("answer", "state", "why"),
    [
        ({"rc": 0, "stdout": "S"}, OK, "db.aws:5432 with TLS, asked from i-1"),
        ({"rc": 0, "stdout": "N"}, OK, "db.aws:5432 without TLS, asked from i-1"),
        ({"rc": 0, "stdout": "H"}, WRONG, "something else than PostgreSQL answers there"),
        ({"rc": 0, "stdout": ""}, WRONG, "it took the connection and said nothing"),
        ({"rc": 124, "stdout": ""}, WRONG, "no answer. Does its security group let the hosts in?"),
        (
            {
                "rc": 1,
                "stdout": "",
                "stderr": "bash: connect: x\nbash: line 1: /dev/tcp/db.aws/5432: Connection refused",
            },
            WRONG,
            "Connection refused",
        ),
        ({"unreachable": True, "msg": "x"}, NOT_ASKED, "i-1 cannot be reached by ssh (host_admin_cidrs"),
        ({"skipped": True}, NOT_ASKED, "cannot be reached"),
        (
            {"failed": True, "msg": "The module interpreter was not found."},
            NOT_ASKED,
            "i-1 cannot ask: The module interp",
        ),
        (
            {"rc": 127, "stdout": "", "stderr": "timeout: failed to run command 'bash'"},
            NOT_ASKED,
            "cannot ask: timeout: f",
        ),
        ({"rc": 137, "stdout": ""}, NOT_ASKED, "the question ended with exit code 137"),
    ],
)
def test_an_answer_is_judged(answer: dict[str, Any], state: str, why: str) -> None:
    found = only(judge(ADDRESS, [{"item": "other", "rc": 1}, {"item": "main", **answer}], "i-1"))
    assert (found.subject, found.state) == ("database.main", state)
    assert why in found.reason


def test_without_a_host_or_an_address_nothing_is_asked() -> None:
    assert only(judge(ADDRESS, [], "")).state == NOT_ASKED
    assert only(judge(ADDRESS, [], "i-1")).state == NOT_ASKED
    found = only(judge({"new": ""}, [], "i-1"))
    assert (found.state, "it is not there yet" in found.reason) == (NOT_ASKED, True)
