"""Which rules let somebody through: they mean the same requests, and hold no more than AWS takes."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.aws_action import Failed
from plugins.plugin_utils.maintenance import FIRST, PAGE, PROGRAMS, Rule, page_text, wanted

FORWARD = [{"Type": "forward", "TargetGroupArn": "arn:web"}]
COOKIE = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "Cookie", "Values": ["*berth-maintenance=t*"]}}


def hosts(*values: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values)}}


def paths(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def addresses(*values: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(values)}}


def through(*conditions: dict[str, Any], cidrs: tuple[str, ...] = (), priority: int = 500) -> list[Any]:
    """The conditions of the rules that let somebody through to a rule with these."""
    rules = wanted([Rule(priority, list(conditions), FORWARD)], "page", "{}", "t", cidrs)
    assert [rule.priority for rule in rules] == [*range(FIRST, FIRST + len(rules) - 2), PROGRAMS, PAGE]
    assert all(rule.actions == FORWARD for rule in rules[:-2])
    return [rule.conditions for rule in rules[:-2]]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([paths("/*")], [[COOKIE]]),
        ([hosts("a.io")], [[hosts("a.io"), COOKIE]]),
        ([hosts("a.io"), paths("/*")], [[hosts("a.io"), COOKIE]]),
        ([hosts("a.io", "b.io"), paths("/a", "/b/*")], [[hosts("a.io", "b.io"), paths("/a", "/b/*"), COOKIE]]),
        (
            [hosts("a.io", "b.io"), paths("/a", "/b", "/c")],
            [[hosts("a.io", "b.io"), paths("/a"), COOKIE], [hosts("a.io", "b.io"), paths("/b", "/c"), COOKIE]],
        ),
        ([paths("/*/a", "/*/b/*", "/c/*")], [[paths("/*/a"), COOKIE], [paths("/*/b/*", "/c/*"), COOKIE]]),
        ([paths("/*/*/*/*")], []),
    ],
    ids=["all", "a name", "a name, all", "four values", "five values", "four wildcards", "four of one pattern"],
)
def test_the_same_requests_if_they_have_the_cookie(conditions: list[dict[str, Any]], expected: list[Any]) -> None:
    assert through(*conditions) == expected


def test_the_same_requests_from_some_addresses() -> None:
    cidrs = tuple(f"192.0.2.{n}/32" for n in range(7))
    assert through(paths("/*"), cidrs=cidrs) == [[COOKIE], [addresses(*cidrs[:5])], [addresses(*cidrs[5:])]]
    assert through(paths("/a", "/b", "/c"), cidrs=cidrs[:3]) == [
        [paths("/a", "/b", "/c"), COOKIE],
        [paths("/a", "/b", "/c"), addresses(*cidrs[:2])],
        [paths("/a", "/b", "/c"), addresses(cidrs[2])],
    ]


def test_rules_that_are_asked_before_stay_as_they_are() -> None:
    assert through(hosts("alias.io"), priority=1) == []


def test_a_page_is_counted_in_bytes_with_the_time_in_it() -> None:
    assert page_text("<p>{until}", "soon") == "<p>soon"
    page_text("ü" * 512, "")
    for page, sentence in (("ü" * 513, ""), ("x" * 1018 + "{until}", "x" * 7)):
        with pytest.raises(Failed, match=r"has 10(25|26) bytes"):
            page_text(page, sentence)
