"""What containers write is shown in the order of time, the newest of it; what is typed wrong is refused."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.late_support import LateAws
from plugins.action import log_lines
from plugins.plugin_utils.container_log import OVERLAP, GroupLog, of_stream, readable, stream_name
from tests.unit.fake_cloudformation import error
from tests.unit.plugin_support import run_action

NOW = int(time.time() * 1000)
SITE: dict[str, Any] = {
    "prefix": "/shop/prod",
    "services": {"web": ["nginx", "django"], "worker": ["celery"]},
    "jobs": {"report": ["report"]},
    "functions": ["notes"],
}
MINUTE = 60_000
HOUR = 60 * MINUTE


def an_event(at: int, message: str, stream: str = "nginx/nginx/0123456789abcdef") -> dict[str, Any]:
    return {"eventId": f"{at}-{message}", "timestamp": at, "message": message, "logStreamName": stream}


class Logs:
    """CloudWatch Logs with what the test puts into it, and what was asked of it.

    Attributes:
        events: log group to what it holds, in any order.
        page: how many of a group are on a page; before each stands an empty one.
        asked: the arguments of each look.
        refused: a code that each look ends with.
    """

    def __init__(self, **events: list[dict[str, Any]]) -> None:
        self.events = {f"/shop/prod/{name.replace('_', '/')}": found for name, found in events.items()}
        self.page, self.asked, self.refused = 1000, list[dict[str, Any]](), ""

    def get_paginator(self, operation: str) -> Any:
        assert operation == "filter_log_events"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, **asked: Any) -> Any:
        self.asked.append(asked)
        if self.refused or asked["logGroupName"] not in self.events:
            raise error("?", "FilterLogEvents", self.refused or "ResourceNotFoundException")
        until = asked.get("endTime", 10**15)
        found = [e for e in self.events[asked["logGroupName"]] if asked["startTime"] <= e["timestamp"] <= until]
        for start in range(0, len(found), self.page):
            yield {"events": [], "nextToken": "more"}
            yield {"events": found[start : start + self.page]}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time of day stands still; the monotonic one goes on while somebody sleeps."""
    fake = SimpleNamespace(now=0.0, time=lambda: NOW / 1000, slept=lambda: None)

    def sleep(seconds: float) -> None:
        fake.now += seconds
        fake.slept()

    fake.sleep, fake.monotonic = sleep, lambda: fake.now
    monkeypatch.setattr(log_lines, "time", fake)
    return fake


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was shown."""
    shown: list[str] = []

    display = SimpleNamespace(display=lambda text, **_: shown.append(text))
    monkeypatch.setattr(log_lines, "Display", lambda: display)
    return shown


def look(logs: Any, **typed: Any) -> dict[str, Any]:
    return run_action(log_lines, SITE | typed, client=lambda _service, _region=None: logs)


def without_time(screen: list[str]) -> list[str]:
    return [text[25:] if text[:2] == "20" else text for text in screen]


# Which lines


def test_lines_of_all_services_and_jobs_come_in_the_order_of_time(screen: list[str]) -> None:
    logs = Logs(
        service_web=[
            an_event(NOW - 1000, "GET / 200"),
            an_event(NOW - 3000, "booting", "django/django/fedcba9876543210"),
        ],
        service_worker=[an_event(NOW - 2000, "ready", "celery/celery/11111111ffff")],
        job_report=[an_event(NOW - HOUR, "sent 3", "report/report/22222222ffff")],
        function_notes=[an_event(NOW, "START")],
    )
    result = look(logs)
    assert result == {"changed": False, "shown": 4}
    assert without_time(screen) == [
        "report/report/22222222 sent 3",
        "web/django/fedcba98    booting",
        "worker/celery/11111111 ready",
        "web/nginx/01234567     GET / 200",
    ]
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime((NOW - HOUR) / 1000))
    assert screen[0].startswith(f"{at}.{NOW % 1000:03}Z report/")


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ({"service": "web"}, ["a", "b"]),
        ({"job": "report"}, ["c"]),
        ({"service": "web", "job": "report"}, ["a", "b", "c"]),
        ({"container": "nginx"}, ["a"]),
        ({"service": "web", "container": "django"}, ["b"]),
        ({"function": "notes"}, ["d"]),
        ({"grep": "b"}, ["b"]),
        ({"since": "30s"}, ["c"]),
        ({"lines": "1"}, ["c"]),
    ],
    ids=lambda given: " ".join(given),
)
def test_what_is_named_is_shown_and_nothing_else(typed: dict[str, str], lines: list[str], screen: list[str]) -> None:
    logs = Logs(
        service_web=[an_event(NOW - 3 * MINUTE, "a"), an_event(NOW - 2 * MINUTE, "b", "django/django/1")],
        job_report=[an_event(NOW - 1000, "c", "report/report/2")],
        function_notes=[an_event(NOW - 1000, "d", "2026/11/26/[$LATEST]0a1b2c3d4e5f")],
    )
    assert look(logs, **typed)["shown"] == len(lines)
    assert [text.rsplit(" ", 1)[1] for text in screen if text.startswith("20")] == lines


def test_a_function_s_lines_have_its_name_and_the_id_of_its_environment(screen: list[str]) -> None:
    look(Logs(function_notes=[an_event(NOW, "START\n", "2026/11/26/[$LATEST]0a1b2c3d4e5f")]), function="notes")
    assert without_time(screen)[0].split() == ["notes/0a1b2c3d", "START"]


def test_grep_is_letter_by_letter(screen: list[str]) -> None:
    logs = Logs(service_web=[an_event(NOW, 'GET /?q="a" 404'), an_event(NOW, "get /?q=a"), an_event(NOW, "GET /")])
    look(logs, service="web", grep='/?q="')
    assert len(screen) == 1
    screen.clear()
    look(logs, service="web", grep="?")
    assert len(screen) == 2
    screen.clear()
    assert look(logs, service="web", grep="POST")["shown"] == 0
    assert screen == ["Nothing with 'POST' was written in the last 1d by web."]


def test_the_newest_lines_are_kept_and_lines_of_one_moment_stay_in_their_order(screen: list[str]) -> None:
    logs = Logs(service_web=[an_event(NOW - 10 * (number < 7), f"line {number}") for number in range(10)])
    look(logs, service="web", lines="5")
    assert [text[-6:] for text in screen[:5]] == ["line 5", "line 6", "line 7", "line 8", "line 9"]
    assert screen[5] == "These are the newest 5 lines; -e lines=50 shows more."


def test_no_more_is_read_than_it_takes(screen: list[str]) -> None:
    events = [an_event(NOW - number * MINUTE, f"line {number}") for number in range(60 * 24)][::-1]
    logs = Logs(service_web=events)
    look(logs, service="web", lines="3", since="3d")
    assert len(logs.asked) == 1
    logs.asked.clear()
    screen.clear()
    look(logs, service="web", lines="20", since="3d")
    assert [text[-7:].strip() for text in screen[:2]] == ["line 19", "line 18"]
    first, second = logs.asked
    assert "endTime" not in first, "a host's clock may be ahead"
    assert second["endTime"] == first["startTime"] - 1
    assert first["startTime"] - second["startTime"] == 6 * 5 * MINUTE


def test_all_of_the_time_is_read_and_nothing_before_it(screen: list[str]) -> None:
    logs = Logs(service_web=[an_event(NOW - 3 * 24 * HOUR + MINUTE, "early"), an_event(NOW - 74 * HOUR, "too early")])
    look(logs, service="web", since="3d")
    assert [text[-5:] for text in screen] == ["early"]
    assert abs(min(asked["startTime"] for asked in logs.asked) - (NOW - 72 * HOUR)) < MINUTE


@pytest.mark.usefixtures("screen")
def test_an_empty_page_is_no_end() -> None:
    logs = Logs(service_web=[an_event(NOW - number, str(number)) for number in range(3)])
    logs.page = 1
    assert look(logs, service="web")["shown"] == 3


def test_without_a_line_it_says_so(screen: list[str]) -> None:
    assert not look(Logs(service_web=[]), since="2h").get("failed")
    assert screen == ["Nothing was written in the last 2h by web, worker, report."]


@pytest.mark.usefixtures("screen")
def test_a_site_that_is_not_up_has_no_log() -> None:
    result = look(Logs())
    assert result["failed"]
    assert result["msg"].startswith("There is no log of web, worker, report yet. Type: ansible-playbook site.yml -i ")
    assert not look(Logs(job_report=[])).get("failed")
    refused = Logs(service_web=[])
    refused.refused = "AccessDeniedException"
    assert look(refused)["msg"] == "FilterLogEvents: ?"


# Following


class Followed(Logs):
    """Logs to which the test adds something before each look after the first."""

    def __init__(self, clock: SimpleNamespace, *news: list[dict[str, Any]]) -> None:
        super().__init__(service_web=[an_event(NOW - 5000, "old"), an_event(NOW - 2 * HOUR, "older")])
        self.news = list(news)
        clock.slept = self.add

    def add(self) -> None:
        self.events["/shop/prod/service/web"] += self.news.pop(0) if self.news else []


def test_each_new_line_is_shown_once_also_one_that_comes_late(clock: SimpleNamespace, screen: list[str]) -> None:
    late = an_event(NOW - 4000, "late")
    logs = Followed(clock, [an_event(NOW + 1000, "new")], [], [late, an_event(NOW + 1000, "same")])
    result = look(logs, service="web", follow=True, follow_for="1m", lines="1")
    assert [text.rsplit(" ", 1)[1] for text in screen if text.startswith("20")] == ["old", "new", "late", "same"]
    assert result["shown"] == 4
    assert clock.now == 60
    assert len(logs.asked) == 1 + 30, "every two seconds"
    assert logs.asked[-1]["startTime"] == NOW + 1000 - OVERLAP


@pytest.mark.parametrize(("services", "pause"), [(1, 2.0), (6, 2.0), (12, 4.0)])
def test_many_logs_are_looked_at_less_often(clock: SimpleNamespace, services: int, pause: float) -> None:
    names = [f"s{number}" for number in range(services)]
    logs = Logs(**{f"service_{name}": [an_event(NOW - 5000, "old")] for name in names})
    slept: list[float] = []
    clock.slept = lambda: slept.append(clock.now)
    look(logs, follow_for="1m", services={name: ["web"] for name in names}, jobs={}, functions=[])
    assert slept[0] == pause
    assert clock.now == 60


def test_what_is_followed_is_chosen_as_before(clock: SimpleNamespace, screen: list[str]) -> None:
    logs = Followed(clock, [an_event(NOW, "GET /a"), an_event(NOW, "POST /b", "django/django/1")])
    look(logs, service="web", follow_for="10s", container="django")
    assert [text.rsplit(" ", 1)[1] for text in screen if text.startswith("20")] == ["/b"]


def test_what_was_read_is_forgotten_when_it_is_not_read_again() -> None:
    logs = Logs(service_web=[an_event(NOW + number * 1000, str(number)) for number in range(100)])
    log = GroupLog(logs, "/shop/prod/service/web", "web")
    assert len(list(log.between(0))) == 100
    assert len(log._read) == OVERLAP // 1000 + 1
    assert list(log.fresh(NOW)) == []


# What a line is


def test_a_line_that_a_terminal_would_obey_is_written_out(screen: list[str]) -> None:
    event = an_event(NOW, "\x1b[31mred\x1b[0m\tG\u00fcnther \x1b]0;title\x07\x9b2J\r\nsecond\n")
    look(Logs(service_web=[event]), service="web")
    lines = [text.split(maxsplit=1)[1] for text in without_time(screen)]
    assert lines == ["red\tG\u00fcnther \\x1b]0;title\\x07\\x9b2J", "second"]
    assert readable("plain {{ text }} \u2603") == "plain {{ text }} \u2603"


@pytest.mark.usefixtures("screen")
def test_an_empty_line_is_one() -> None:
    assert look(Logs(service_web=[an_event(NOW, "")]), service="web")["shown"] == 1


def test_a_stream_is_read_as_it_is_named() -> None:
    arn = "arn:aws:ecs:us-east-1:123456789012:task/shop-prod/0123456789abcdef0123456789abcdef"
    assert of_stream(stream_name("django", "django", arn)) == ("django", "01234567")
    assert of_stream(stream_name("a/b", "django", arn)) == ("django", "01234567")
    assert of_stream("2026/11/26/[$LATEST]0a1b2c3d4e5f") == ("", "0a1b2c3d")
    assert of_stream("somebody's") == ("", "somebody")


# What is typed wrong

A_TIME = "write a time as 30s, 15m, 2h or 3d: ansible-playbook logs.yml …"
A_NUMBER = "write a number from 1 to 10000: ansible-playbook logs.yml … -e lines=1000"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"service": "wbe"}, "The site has no service wbe (web, worker): ansible-playbook logs.yml … -e service=web"),
        ({"job": "repotr"}, "The site has no job repotr (report): ansible-playbook logs.yml … -e job=report"),
        ({"function": "web"}, "The site has no function web (notes): ansible-playbook logs.yml … -e function=notes"),
        (
            {"container": "ngnix"},
            "No container of web, worker, report is called ngnix (nginx, django, celery, report): "
            "ansible-playbook logs.yml … -e container=nginx",
        ),
        (
            {"service": "web", "container": "celery"},
            "No container of web is called celery (nginx, django): "
            "ansible-playbook logs.yml … -e service=web -e container=nginx",
        ),
        (
            {"function": "notes", "container": "nginx"},
            "No container of notes is called nginx (a function has none): "
            "ansible-playbook logs.yml … -e function=notes -e container=…",
        ),
        ({"since": "1.5h"}, f"since is '1.5h'; {A_TIME} -e since=15m"),
        ({"since": "0m"}, f"since is '0m'; {A_TIME} -e since=15m"),
        ({"since": ""}, f"since is ''; {A_TIME} -e since=15m"),
        ({"follow_for": "ever"}, f"for is 'ever'; {A_TIME} -e for=15m"),
        ({"lines": "0"}, f"lines is '0'; {A_NUMBER}"),
        ({"lines": "10001"}, f"lines is '10001'; {A_NUMBER}"),
        ({"lines": "all"}, f"lines is 'all'; {A_NUMBER}"),
        (
            {"jobs": {}, "job": "report"},
            "The site has no job report (site_jobs has none): ansible-playbook logs.yml … -e job=…",
        ),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, dict) else "",
)  # fmt: skip
def test_what_is_typed_wrong_is_refused_before_aws_is_asked(typed: dict[str, Any], sentence: str) -> None:
    logs = Logs(service_web=[], job_report=[])
    result = look(logs, **typed)
    assert result["failed"]
    assert result["msg"].replace("-i <inventory>", "…") == sentence
    assert not logs.asked


@pytest.mark.usefixtures("screen")
@pytest.mark.parametrize("typed", [{"since": "30s"}, {"since": "3d"}, {"since": "999999d"}, {"lines": "10000"}])
def test_what_is_typed_right_is_taken(typed: dict[str, str]) -> None:
    logs = Logs(service_web=[])
    assert not look(logs, **typed).get("failed")
    assert all(asked["startTime"] >= 0 for asked in logs.asked)


# Against the embedded AWS


def put(aws: Cloud, group: str, stream: str, *lines: tuple[int, str]) -> None:
    """Write lines as a log driver does."""
    logs = aws.client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": at, "message": text} for at, text in lines]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def test_lines_are_found_in_short_pages(aws: Cloud, late_aws: Callable[..., LateAws], screen: list[str]) -> None:
    late = late_aws(short=1, seed=5)
    for name, before in (("nginx", 0), ("django", 10)):
        lines = [(NOW - 20 * number - before, f"{name} {number}") for number in range(9, -1, -1)]
        put(aws, "/shop/prod/service/web", f"{name}/{name}/a", *lines)
    put(aws, "/shop/prod/job/report", "report/report/c", (NOW - 2 * HOUR, "report"))
    assert look(late.client("logs"))["shown"] == 21
    wanted = [f"{name} {number}" for number in range(9, -1, -1) for name in ("django", "nginx")]
    assert [" ".join(text.split()[3:]) for text in screen] == ["report", *wanted]
