"""The images of the flask_spa example as they run: the files of its front end, an API that signs what it hands out.

What the API does with a bucket is in tests/unit/examples/test_flask_spa.py; both at one address in
tests/e2e/test_examples.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import pytest
import requests

from local_aws.tests.until import until
from tests.integration.site_containers import Stage, answers, last_lines, stage, stop, url

pytestmark = pytest.mark.docker

API, FRONT = "flask-spa/api", "flask-spa/front"
ENVIRONMENT = {
    "PHOTOS": "photos-of-this-test", "BROWSER_ENDPOINT_URL_S3": "http://192.0.2.1:4566", "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "of-this-test", "AWS_SECRET_ACCESS_KEY": "of-this-test",
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Iterator[Stage]:
    with stage("flask_spa") as site:
        yield site


@pytest.fixture(scope="module")
def api(made: Stage) -> Any:
    container = made.run(API, "api", port=5000, mem_limit="192m", read_only=True, environment=ENVIRONMENT)
    until(lambda: answers(f"{url(container, 5000)}/healthz"), "/healthz answers 200", also=last_lines(container))
    return container


@pytest.fixture(scope="module")
def front(made: Stage) -> Any:
    container = made.run(FRONT, "front", port=80, mem_limit="64m")
    until(lambda: answers(f"{url(container, 80)}/healthz"), "/healthz answers 200", also=last_lines(container))
    return container


def test_the_api_signs_an_upload_for_the_bucket_alone(api: Any) -> None:
    answer = requests.post(f"{url(api, 5000)}/api/photos", json={"type": "image/png"}, timeout=10)
    assert answer.status_code == 201, answer.text
    assert answer.json()["url"] == "http://192.0.2.1:4566/photos-of-this-test"
    assert answer.json()["fields"]["key"].endswith(f"/{answer.json()['name']}")
    assert "of-this-test/" in answer.json()["fields"]["x-amz-credential"]
    refused = requests.post(f"{url(api, 5000)}/api/photos", json={"type": "text/html"}, timeout=10)
    assert refused.status_code == 400


def test_the_front_end_is_served_and_asked_for_again(front: Any) -> None:
    page = requests.get(f"{url(front, 80)}/", timeout=5)
    assert '<script src="/app.js" defer>' in page.text
    for path, kind in (("/app.js", "javascript"), ("/style.css", "text/css")):
        answer = requests.get(url(front, 80) + path, timeout=5)
        assert answer.status_code == 200
        assert kind in answer.headers["Content-Type"]
        assert answer.headers["Cache-Control"] == "no-cache"
        known = {"If-None-Match": answer.headers["ETag"]}
        assert requests.get(url(front, 80) + path, headers=known, timeout=5).status_code == 304


def test_a_path_of_the_front_end_is_its_page_and_a_missing_file_is_missing(front: Any) -> None:
    paths = ("/", "/my/ears", "/missing.js")
    page, mine, missing = (requests.get(url(front, 80) + path, timeout=5) for path in paths)
    assert (mine.status_code, mine.text) == (200, page.text)
    assert missing.status_code == 404


@pytest.mark.parametrize(("name", "check"), [("api", ["python3", "/app/healthcheck.py"]), ("front", ["healthcheck"])])
def test_health_needs_no_host_name(name: str, check: list[str], request: pytest.FixtureRequest) -> None:
    container, port = request.getfixturevalue(name), {"api": 5000, "front": 80}[name]
    answer = requests.get(f"{url(container, port)}/healthz", headers={"Host": "10.0.0.1"}, timeout=5)
    assert answer.text == "ok\n"
    assert container.exec_run(check).exit_code == 0


@pytest.mark.parametrize(("name", "image", "user"), [("api", API, b"1000\n"), ("front", FRONT, b"101\n")])
def test_the_images_are_small_and_run_as_a_user(
    name: str, image: str, user: bytes, request: pytest.FixtureRequest
) -> None:
    assert docker.from_env().images.get(image).attrs["Size"] < 250 * 10**6
    assert request.getfixturevalue(name).exec_run(["id", "-u"]).output == user


@pytest.mark.parametrize("name", ["api", "front"])
def test_they_stop_by_themselves_when_told_to(name: str, request: pytest.FixtureRequest) -> None:
    code, seconds = stop(request.getfixturevalue(name))
    assert code == 0
    assert seconds < 10
