"""A release for which no host has room: what is in the way is somebody else's service, so no arithmetic tells before.

On the site that test_interrupted.py leaves; it runs after that.
"""

from __future__ import annotations

import json
import re
import time

import pytest

from local_aws.cloud import Cloud
from tests.chaos.runs import NO_ZONE, Site
from tests.chaos.squatter import squatted
from tests.e2e.conftest import playbook, succeed
from tests.e2e.test_site import changed, service, visited

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("images")]

LEFT_MIB = 100
"""What is left on each host: less than a task of the site takes."""


def test_a_release_that_finds_no_place_is_given_up_with_the_arithmetic(cloud: Cloud) -> None:
    """Within a minute; the old tasks go on.

    What was before is put back by deploying it anew, which takes room as well, so somebody has to make it:
    https://github.com/aws/containers-roadmap/issues/117
    """
    # As its inventory has it: of another image the job before the release would come first, and find no room.
    succeed(playbook("site.yml", "-e", json.dumps(NO_ZONE)))
    web = service(cloud)
    with visited("/healthz") as visits:
        with squatted(cloud, LEFT_MIB):
            run = Site(**changed("nginx", environment={"ANOTHER": "release"}))
            run.reaches("TASK [Bring up the services and the domain's name")
            begun = time.monotonic()
            run.reaches("the update is cancelled: what was before is put back")
            assert time.monotonic() - begun < 60
        said = run.fails()
    host = r"i-\w+ registered \d+ MiB for tasks and has \d+ MiB left"
    assert re.search(rf"no host can take another task: a task takes 320 MiB; {host}", said), run.output
    assert "the tasks that run keep theirs until new ones are healthy" in said
    assert "Lower mem_limit or mem_reservation of the containers" in said
    assert "The update was cancelled: the site goes on with what it had before." in said
    assert service(cloud)["taskDefinition"] == web["taskDefinition"]
    assert not visits.failed, visits
    again = playbook("site.yml", "-e", json.dumps(NO_ZONE))
    assert again.status == 0, again.output
