"""The Flask example as its users meet it: a page, an API, several containers that need nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import docker
import pytest
import requests

from local_aws.tests.until import until
from tests.integration.site_containers import BUILD, answers, confined, last_lines, powers, stage, stop, url

pytestmark = pytest.mark.docker

IMAGE = "flask-plain/flask"


@pytest.fixture(scope="module")
def flask() -> Iterator[Any]:
    with stage("flask_plain") as site:
        container = site.run(
            IMAGE, "flask", port=5000, mem_limit="256m", environment={"GREETING": "Legible?"},
            **confined("flask_plain", "web", "flask"),
        )  # fmt: skip
        until(lambda: answers(f"{url(container, 5000)}/healthz"), "/healthz answers 200", also=last_lines(container))
        yield container


def test_the_page_compares_two_colours(flask: Any) -> None:
    first = requests.get(f"{url(flask, 5000)}/", timeout=5)
    assert first.status_code == 200
    assert "<h1>Legible?</h1>" in first.text
    chosen = requests.get(f"{url(flask, 5000)}/", params={"text": "777", "background": "#FFF"}, timeout=5)
    assert "4.48 : 1" in chosen.text
    assert "AA, large text only" in chosen.text
    assert 'style="color: #777777; background: #ffffff"' in chosen.text


@pytest.mark.parametrize(
    ("text", "ratio", "grade"), [("000", 21.0, "AAA"), ("#767676", 4.54, "AA"), ("fff", 1.0, "fails")]
)
def test_the_api_grades(flask: Any, text: str, ratio: float, grade: str) -> None:
    answer = requests.get(f"{url(flask, 5000)}/api/contrast", params={"text": text, "background": "#ffffff"}, timeout=5)
    assert (answer.status_code, answer.json()) == (200, {"ratio": ratio, "grade": grade})


def test_what_is_no_colour_is_refused_and_shown_as_text(flask: Any) -> None:
    api = requests.get(f"{url(flask, 5000)}/api/contrast", params={"text": "red", "background": "fff"}, timeout=5)
    assert (api.status_code, api.json()) == (400, {"error": "'red' is not a colour; write it as #c81e1e or #fff."})
    page = requests.get(f"{url(flask, 5000)}/", params={"text": "<script>"}, timeout=5)
    assert page.status_code == 400
    assert "<script>" not in page.text


def test_health_needs_no_host_name(flask: Any) -> None:
    assert requests.get(f"{url(flask, 5000)}/healthz", headers={"Host": "10.0.0.1"}, timeout=5).text == "ok\n"
    assert flask.exec_run(["python3", "/app/healthcheck.py"]).exit_code == 0
    assert flask.exec_run(["env", "PORT=80", "python3", "/app/healthcheck.py"]).exit_code == 1


def test_requests_are_logged_with_the_clients_address(flask: Any) -> None:
    requests.get(f"{url(flask, 5000)}/api/contrast", headers={"X-Forwarded-For": "203.0.113.7"}, timeout=5)
    until(
        lambda: '203.0.113.7 "GET /api/contrast HTTP/1.1" 400' in flask.logs().decode(),
        "it is logged",
        5,
        last_lines(flask),
    )
    assert "ERROR" not in flask.logs().decode()


def test_the_image_is_small_and_runs_as_a_user(flask: Any) -> None:
    image = docker.from_env().images.get(IMAGE)
    assert image.attrs["Size"] < 200 * 10**6
    assert flask.exec_run(["id", "-u"]).output == b"1000\n"
    assert flask.exec_run(["python3", "-m", "pip"]).exit_code != 0


def test_it_has_no_power_that_it_does_not_need(flask: Any) -> None:
    assert powers(flask) == {"user": 1000, "capabilities": 0, "may_get_more": False, "writes": False}


def test_one_that_says_nothing_has_more() -> None:
    with stage("flask_plain") as site:
        powerful = powers(site.run(IMAGE, "flask"))
    assert powerful["capabilities"] > 0
    assert (powerful["may_get_more"], powerful["writes"]) == (True, True)


def test_it_stops_by_itself_when_told_to(flask: Any) -> None:
    code, seconds = stop(flask)
    assert code == 0
    assert seconds < 10
    flask.start()
    until(lambda: answers(f"{url(flask, 5000)}/healthz"), "/healthz answers 200 again", also=last_lines(flask))


@pytest.mark.usefixtures("flask")
def test_an_unchanged_build_builds_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    subprocess.run([sys.executable, str(BUILD), "flask_plain"], check=True)
    assert "building" not in capfd.readouterr().out
    assert time.monotonic() - started < 10
