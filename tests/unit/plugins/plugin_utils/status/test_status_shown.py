"""The model as lines and as a page: complete, and nothing in it that a browser or a terminal would obey."""

from __future__ import annotations

import html.parser
import re
from typing import Any

import pytest

from plugins.plugin_utils.status import page, terminal, words
from plugins.plugin_utils.status.picture import NARROW, WIDE, svg
from tests.unit.plugins.plugin_utils.status.status_support import STACKS, Account, a_task, ago, said, site, status

EVIL = "<script>alert('x')</script> & \"quoted\""


def evil() -> dict[str, Any]:
    """A model in which strangers have written."""
    account = Account(
        list_tasks=lambda serviceName="", **_: {"taskArns": ["one"] if serviceName == "web-1" else []},
        describe_tasks={"tasks": [a_task(stoppedReason=EVIL)]},
        get_log_events={"events": [{"message": EVIL}]},
    )
    account.answers["describe_certificate"]["Certificate"]["Status"] = EVIL
    account.answers["describe_images"]["Images"][0]["Name"] = EVIL
    account.refused = {"describe_db_snapshots"}
    return status(account)


class Tags(html.parser.HTMLParser):
    """The tags of a page, with their attributes; complains of those that are not closed."""

    VOID = ("meta", "br", "path", "rect")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.mark.parametrize("model", [status(Account()), evil(), status(Account(describe_stacks={"Stacks": []}))])
def test_the_page_is_whole_and_asks_nobody_for_anything(model: dict[str, Any]) -> None:
    text = page.rendered(model)
    tags = Tags(text).found
    assert {name for name, _ in tags} & {"script", "link", "img", "iframe", "object", "form"} == set()
    assert [each for _, given in tags for each in given if each in ("src", "srcset", "onclick", "data")] == []
    assert [given["href"] for name, given in tags if name == "a"] == ["https://www.shop.test/"]
    assert not re.search(r"url\(|@import", text)


def test_what_strangers_write_is_shown_as_text() -> None:
    text = page.rendered(evil())
    assert EVIL not in text
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;quoted&quot;") >= 3


def test_the_page_begins_with_the_verdict() -> None:
    good, bad = page.rendered(status(Account())), page.rendered(evil())
    assert '<p class="verdict good">Well</p>' in good
    assert "What is not well" not in good
    assert '<p class="verdict bad">Not well: 1 thing</p>' in bad
    assert bad.index("What is not well") < bad.index("How it hangs together") < bad.index("<h2>Services</h2>")


def test_a_card_of_a_host() -> None:
    text = page.rendered(status(Account()))
    assert (
        '<article class="card"><div class="head"><h3>host i-0aaaaaaaaaaaaaaa1</h3>'
        '<span class="chip good">active</span></div>'
        "<dl><dt>Instance</dt><dd>t3.micro · us-east-1a</dd><dt>Up</dt><dd>3 days</dd>"
        "<dt>AMI</dt><dd><code>ami-0123456789abcdef0</code>, 14 days old</dd><dt>Agent</dt><dd>1.99.0, connected</dd>"
        "<dt>Docker</dt><dd>25.0.13</dd><dt>Tasks</dt><dd>3</dd>"
        '<dt>Memory</dt><dd>320 of 704 MiB left<div class="bar"><i style="width: 55%"></i></div></dd>'
    ) in text


@pytest.mark.parametrize(("days", "ill"), [(22, False), (20, True)])
def test_a_number_that_is_not_well_is_marked_among_the_first(days: int, ill: bool) -> None:
    account = Account()
    account.answers["describe_certificate"]["Certificate"]["NotAfter"] = ago(days=-days)
    tile = f'<div class="tile{" bad" * ill}"><b>{days} days</b><span>left of the certificate</span></div>'
    assert tile in page.rendered(status(account))


# Terminal


def test_the_lines_of_a_site_that_is_well() -> None:
    lines = terminal.rendered(status(Account()))
    assert lines[0] == ("shop prod · us-east-1 · https://www.shop.test/ · well", "green")
    texts = [text for text, _ in lines]
    assert "  web: 1 of 1 task · release 2026.11.3 · shop-prod-service-web:3" in texts
    assert "    target i-0aaaaaaaaaaaaaaa1:32768 of app:8000 healthy" in texts
    assert "    AMI ami-0123456789abcdef0, 14 days old · agent 1.99.0, connected · Docker 25.0.13" in texts
    assert "    3 tasks · 320 of 704 MiB and 2048 of 2048 CPU units left" in texts
    assert "    restorable to 2026-11-27 09:26 UTC · newest backup 8 hours ago" in texts
    assert "  database main: available · db.t3.micro · postgres 16.9 · 20 GB of at most 50" in texts
    assert "    certificate until 2027-06-15 by rds-ca-rsa2048-g1, until 2054-04-13" in texts
    assert "  www.shop.test: ISSUED · ends in 220 days" in texts
    assert "  13 of 13 stacks well, none known to be changed by hand; the last change was 3 days ago" in texts
    assert not [color for _, color in lines if color in (terminal.BAD, terminal.WARN)]


def test_what_is_wrong_stands_first_with_what_to_type() -> None:
    model = evil()
    lines = terminal.rendered(model)
    assert lines[0] == ("shop prod · us-east-1 · https://www.shop.test/ · NOT WELL: 1 thing", "red")
    assert lines[3:6] == [
        ("What is not well", "red"),
        (f"  certificate: is {EVIL}, not ISSUED", "red"),
        (f"    {model['wrong'][0]['type']}", None),
    ]
    texts = [text for text, _ in lines]
    assert "  database.main: the right rds:DescribeDBSnapshots is missing" in texts
    assert any("backups not asked" in text for text in texts)


def test_lines_of_a_site_that_is_not_up_are_few() -> None:
    assert [text for text, _ in terminal.rendered(status(Account(describe_stacks={"Stacks": []})))][3:5] == [
        "What is not well", "  site: is not up: it has no stack here",
    ]  # fmt: skip


# Picture


def test_the_picture_has_what_the_site_has_and_who_reaches_what() -> None:
    drawn = status(Account())["topology"]
    assert [each["id"] for each in drawn["nodes"]] == [
        "visitors", "balancer", "service.web", "service.worker", "service.redis", "job.migrate", "job.report",
        "volume.uploads", "database.main", "bucket.files", "secret.app",
    ]  # fmt: skip
    lines = {(each["from"], each["to"]) for each in drawn["lines"]}
    assert {
        ("visitors", "balancer"), ("balancer", "service.web"), ("service.web", "volume.uploads"),
        ("service.web", "database.main"), ("service.web", "secret.app"), ("service.web", "bucket.files"),
        ("service.worker", "service.redis"), ("job.report", "database.main"),
    } <= lines  # fmt: skip
    assert ("balancer", "service.worker") not in lines
    assert ("service.worker", "bucket.files") not in lines


def test_a_site_that_nobody_visits_has_no_visitors() -> None:
    alone = site(site_services={"one": {"containers": {"app": {"image": "a", "mem_limit": "64m"}}}}, site_jobs={},
                 site_volumes={}, site_databases={}, site_buckets={}, site_secrets={})  # fmt: skip
    drawn = status(Account(describe_stacks={"Stacks": STACKS}), alone)["topology"]
    assert [each["id"] for each in drawn["nodes"]] == ["service.one"]
    assert svg(drawn, WIDE, "x").count("<g ") == 1


def test_what_is_not_well_is_marked_in_the_picture() -> None:
    model = evil()
    assert said(model).keys() == {"certificate"}
    assert [each["id"] for each in model["topology"]["nodes"] if not each["well"]] == ["balancer"]
    assert svg(model["topology"], WIDE, "x").count('class="node ill"') == 1


@pytest.mark.parametrize("spread", [WIDE, NARROW])
def test_no_node_lies_on_another_and_none_outside(spread: Any) -> None:
    text = svg(status(Account())["topology"], spread, "x")
    (width, height) = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', text)[0])
    places = [(int(x), int(y)) for x, y in re.findall(r'transform="translate\((\d+) (\d+)\)"><title>', text)]
    assert len(places) == 11
    for number, (x, y) in enumerate(places):
        assert x + 176 <= width
        assert y + 58 <= height
        assert all(abs(x - other) >= 176 or abs(y - below) >= 58 for other, below in places[:number])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (7199, "1 hour"), (172_800, "2 days")],
)
def test_ages_have_one_unit(seconds: int, text: str) -> None:
    assert words.age(seconds) == text
