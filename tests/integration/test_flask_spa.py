"""The image of the flask_spa example as it runs: an API that signs what it hands out.

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
from tests.integration.site_containers import Stage, answers, confined, last_lines, stage, stop, url

pytestmark = pytest.mark.docker

API = "flask-spa/api"
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
    limits = confined("flask_spa", "api", "flask")
    container = made.run(API, "api", port=5000, mem_limit="192m", environment=ENVIRONMENT, **limits)
    until(lambda: answers(f"{url(container, 5000)}/healthz"), "/healthz answers 200", also=last_lines(container))
    return container


def test_the_api_signs_an_upload_for_the_bucket_alone(api: Any) -> None:
    answer = requests.post(f"{url(api, 5000)}/api/photos", json={"type": "image/png"}, timeout=10)
    assert answer.status_code == 201, answer.text
    assert answer.json()["url"] == "http://192.0.2.1:4566/photos-of-this-test"
    assert answer.json()["fields"]["key"].endswith(f"/{answer.json()['name']}")
    assert "of-this-test/" in answer.json()["fields"]["x-amz-credential"]
    refused = requests.post(f"{url(api, 5000)}/api/photos", json={"type": "text/html"}, timeout=10)
    assert refused.status_code == 400


def test_health_needs_no_host_name(api: Any) -> None:
    answer = requests.get(f"{url(api, 5000)}/healthz", headers={"Host": "10.0.0.1"}, timeout=5)
    assert answer.text == "ok\n"
    assert api.exec_run(["python3", "/app/healthcheck.py"]).exit_code == 0


def test_the_image_is_small_and_runs_as_a_user(api: Any) -> None:
    assert docker.from_env().images.get(API).attrs["Size"] < 250 * 10**6
    assert api.exec_run(["id", "-u"]).output == b"1000\n"


def test_it_stops_by_itself_when_told_to(api: Any) -> None:
    code, seconds = stop(api)
    assert code == 0
    assert seconds < 10
