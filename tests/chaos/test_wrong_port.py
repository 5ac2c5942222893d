"""The most frequent first failure, told in the balancer's words. It takes ECS three failures: too long for the gate.

On the site that test_interrupted.py leaves; it runs after that.
"""

from __future__ import annotations

import json
import re

import pytest

from local_aws.cloud import Cloud
from tests.chaos.test_interrupted import NO_ZONE
from tests.e2e.conftest import playbook
from tests.e2e.test_site import changed, service, visited

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("images")]


def test_a_wrong_port_is_told_with_the_path_and_the_ports(cloud: Cloud) -> None:
    before = service(cloud)["taskDefinition"]
    wrong = changed("nginx", ports=["81"])
    with visited("/healthz") as visits:
        given = NO_ZONE | {"service_grace_seconds": 5} | wrong
        run = playbook("site.yml", "-e", json.dumps(given))
    assert run.status != 0
    assert "/nginx says that it listens on 80 (EXPOSE), but web.nginx will be asked on port 81" in run.output
    line = (
        r"GET /healthz to container nginx, port 81 \(port \d+ of the host i-\w+\): Health checks failed; it must be 200"
    )
    assert re.search(line, run.output), run.output
    assert "Does the container listen on port 81" in run.output
    assert service(cloud)["taskDefinition"] == before
    assert not visits.failed, visits
