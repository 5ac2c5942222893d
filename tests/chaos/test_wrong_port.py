"""The most frequent first failure, told in the balancer's words. It takes ECS three failures: too long for the gate.

On the site that test_interrupted.py leaves; it runs after that.
"""

from __future__ import annotations

import re
import time

import pytest

from local_aws.cloud import Cloud
from tests.chaos.runs import Site
from tests.e2e.test_site import changed, service, visited

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("images")]


def test_a_wrong_port_is_told_within_a_minute_with_the_path_and_the_ports(cloud: Cloud) -> None:
    before = service(cloud)["taskDefinition"]
    with visited("/healthz") as visits:
        run = Site(**changed("nginx", ports=["81"]))
        run.reaches("TASK [Bring up the services and the domain's name")
        begun = time.monotonic()
        run.reaches("GET /healthz to container nginx, port 81")
        assert time.monotonic() - begun < 60
        said = run.fails()
    assert "/nginx says that it listens on 80 (EXPOSE), but web.nginx will be asked on port 81" in said
    line = (
        r"GET /healthz to container nginx, port 81 \(port \d+ of the host i-\w+\): Health checks failed; it must be 200"
    )
    assert re.search(line, said), run.output
    assert "Does the container listen on port 81" in said
    assert service(cloud)["taskDefinition"] == before
    assert not visits.failed, visits
