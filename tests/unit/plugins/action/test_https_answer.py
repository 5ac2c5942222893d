"""The question that ends a run, asked of a real server with a certificate of its own authority."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_aws.ca import Authority
from plugins.action import https_answer
from plugins.plugin_utils.maintenance import COOKIE, FIRST, PAGE, Rule, Rules, header
from tests.unit.plugin_support import run_action


@dataclass
class Site:
    """A server for www.shop.test on this machine; `answers` are given in turn, the last one for ever.

    An answer is a status and a Location; the status 0 is what is no HTTP. With `let_through` everybody but who has that
    cookie is answered 503.
    """

    port: int
    ca_file: Path
    answers: list[tuple[int, str]]
    release: str = ""
    text: str = ""
    let_through: str = ""

    def asked(self, **more: Any) -> dict[str, Any]:
        arguments = {"name": "www.shop.test", "address": "127.0.0.1", "port": self.port, "ca_file": str(self.ca_file)}
        return run_action(https_answer, {**arguments, "timeout": 0.3, **more})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("BERTH_POLL_SECONDS", "0.05")
    authority = Authority(tmp_path)
    chain, key = authority.issue(["www.shop.test"])
    for name, content in (("chain", chain), ("key", key)):
        (tmp_path / name).write_text(content)
    found = Site(0, authority.certificate_path, [(200, "")])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, location = found.answers.pop(0) if len(found.answers) > 1 else found.answers[0]
            if found.let_through and found.let_through != self.headers.get("Cookie"):
                status = 503
            if not status:
                self.wfile.write(b"hello\r\n\r\n")
                return
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            if found.release:
                self.send_header("X-Release", found.release)
            self.end_headers()
            self.wfile.write(found.text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain", tmp_path / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def test_a_site_that_answers_is_well(site: Site) -> None:
    assert site.asked() == {"changed": False, "status": 200, "page": False}


def test_one_that_answers_late_is_waited_for(site: Site) -> None:
    site.answers = [(503, ""), (0, ""), (200, "")]
    assert site.asked(timeout=10)["status"] == 200


def test_one_that_does_not_answer_well_in_time_is_told_with_its_last_answer(site: Site) -> None:
    site.answers = [(404, "")]
    result = site.asked()
    assert result["failed"]
    where = f"https://www.shop.test:{site.port}/ (at 127.0.0.1)"
    assert result["msg"] == f"{where} did not answer well within 0 s; the last time: it answers with status 404"


def test_what_does_not_speak_http_is_told_so(site: Site) -> None:
    site.answers = [(0, "")]
    assert "the last time: BadStatusLine: hello" in site.asked()["msg"]


def test_the_certificate_must_be_of_the_name_and_of_the_authority(site: Site) -> None:
    assert "CERTIFICATE_VERIFY_FAILED" in site.asked(name="other.shop.test")["msg"]
    assert "CERTIFICATE_VERIFY_FAILED" in site.asked(ca_file="")["msg"]


def test_where_a_name_leads_is_looked_at_and_not_followed(site: Site) -> None:
    site.answers = [(301, "https://shop.test/")]
    assert site.asked(redirected_to="shop.test")["status"] == 301
    assert "not to https://elsewhere.test/" in site.asked(redirected_to="elsewhere.test")["msg"]


def test_the_release_is_seen_in_a_header(site: Site) -> None:
    site.release = "2026.11.3"
    assert site.asked(shows=["2026.11.3"], header="X-Release")["status"] == 200
    assert site.asked(shows=["2026.11.2", "2026.11.3"], header="x-release")["status"] == 200
    said = site.asked(shows=["2026.11"], header="X-Release")["msg"]
    assert said.endswith("the last time: its header X-Release shows 2026.11.3, not 2026.11")
    assert "its header X-Other shows nothing" in site.asked(shows=["2026.11.3"], header="X-Other")["msg"]


@pytest.mark.parametrize("text", ["release 2026.11.3.", '{"release":"2026.11.3"}', "2026.11.3\n"])
def test_the_release_is_seen_in_the_text(site: Site, text: str) -> None:
    site.text = text
    assert site.asked(shows=["2026.11.3"])["status"] == 200


@pytest.mark.parametrize("text", ["", "2026.11.31", "2026.11.3.1", "12026.11.3", "v2026.11.3", "2026.11.3-rc1"])
def test_another_release_is_not_taken_for_it(site: Site, text: str) -> None:
    site.text = text
    assert site.asked(shows=["2026.11.3"])["msg"].endswith("its text does not show 2026.11.3")


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file or directory"), ("no certificate", "no certificate")]
)
def test_an_authority_that_is_none_is_told_at_once(site: Site, tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "other.pem"
    if content:
        path.write_text(content)
    message = site.asked(ca_file=str(path), timeout=60)["msg"]
    assert "See site_ca_file." in message
    assert why in message


PAGE_RULE = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "MessageBody": "<p>Back soon"}}]
FORWARD = [{"Type": "forward", "TargetGroupArn": "arn:web"}]


def in_maintenance(monkeypatch: pytest.MonkeyPatch, through: Any = FORWARD, on: bool = True) -> tuple[list[str], ...]:
    """The load balancer's rules, one of which lets through who has the cookie; what is said, and for what site it was
    looked, are filled in."""
    said: list[str] = []
    looked: list[str] = []
    rules = Rules(None, "")
    cookie = {"Field": "http-header", "HttpHeaderConfig": header("Cookie", f"*{COOKIE}=secret*")}
    rules.ours = {PAGE: Rule(PAGE, [], PAGE_RULE)} if on else {}
    if on and through:
        rules.ours[FIRST] = Rule(FIRST, [cookie], through)

    def rules_of(_client: object, prefix: str) -> Rules:
        looked.append(prefix)
        return rules

    monkeypatch.setattr(https_answer, "rules_of", rules_of)
    monkeypatch.setattr(https_answer.ActionModule, "say", lambda _self, _name, text, _color=None: said.append(text))
    return looked, said


def test_a_site_in_maintenance_is_asked_with_the_cookie_and_that_is_said(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, said = in_maintenance(monkeypatch)
    assert site.asked(prefix="shop-prod")["status"] == 200
    assert looked == [], "nothing is asked of AWS while all is well"
    site.let_through = "berth-maintenance=secret"
    result = site.asked(prefix="shop-prod")
    assert (result["status"], result["page"]) == (200, False)
    assert (looked, len(said)) == (["shop-prod"], 1)
    assert said[0].startswith("is in maintenance, and asked with the cookie")
    assert "secret" not in said[0]
    assert "status 503" in site.asked()["msg"], "who is not told which site it is asks as everybody"


@pytest.mark.parametrize("header", ["", "X-Release"], ids=["in the text", "in a header"])
def test_a_release_is_seen_behind_a_maintenance_page(site: Site, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    in_maintenance(monkeypatch)
    site.let_through = "berth-maintenance=secret"
    site.text = site.release = "2026.11.3"
    assert site.asked(prefix="shop-prod", shows=["2026.11.3"], header=header)["status"] == 200
    said = site.asked(prefix="shop-prod", shows=["2026.11.2"], header=header)["msg"]
    assert said.endswith("show 2026.11.2" if not header else "shows 2026.11.3, not 2026.11.2"), "it is still looked for"
    assert "secret" not in said
    assert "status 503" in site.asked(shows=["2026.11.3"], header=header)["msg"], (
        "what everybody is answered shows none"
    )


def test_another_503_is_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, said = in_maintenance(monkeypatch, on=False)
    site.answers = [(503, "")]
    assert "status 503" in site.asked(prefix="shop-prod")["msg"]
    assert looked == ["shop-prod"], "once, not with each attempt"
    assert said == ["answers 503, and is not in maintenance"]


@pytest.mark.parametrize("shows", [[], ["2026.11.3"]], ids=["any answer", "a release"])
def test_where_nobody_is_let_through_the_page_is_what_is_seen_and_said(
    site: Site, monkeypatch: pytest.MonkeyPatch, shows: list[str]
) -> None:
    _, said = in_maintenance(monkeypatch, through=None)
    site.answers, site.text = [(503, "")], "<!doctype html><p>Back soon"
    result = site.asked(prefix="shop-prod", shows=shows)
    assert (result.get("status"), result.get("page")) == (503, True), result
    assert said[0] == "answers 503, and is in maintenance, where nobody is let through"
    assert "and not what is behind the page" in said[1]
    assert ("nor whether it shows 2026.11.3" in said[1]) is bool(shows)


def test_a_service_that_answers_503_behind_the_page_is_no_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    in_maintenance(monkeypatch)
    site.answers, site.text = [(503, "")], "<p>The database is away"
    assert "status 503" in site.asked(prefix="shop-prod")["msg"]


def test_who_is_let_through_and_sees_the_page_was_not_led_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    in_maintenance(monkeypatch, through=PAGE_RULE)
    site.answers, site.text = [(503, "")], "<p>Back soon"
    message = site.asked(prefix="shop-prod")["msg"]
    assert "the page is shown also to who is let through: ansible-playbook " in message
    assert message.endswith("-e maintenance=on")
