"""What a site runs is read from the labels of what its services and jobs are meant to run."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.tests.ecs_support import World
from plugins.action import ecs_live_release
from plugins.plugin_utils import revisions
from tests.unit.plugin_support import run_action
from tests.unit.service_support import Clients


class Live:
    """A cluster `demo` with services and jobs as the layers make them."""

    def __init__(self) -> None:
        self.world = World()
        self.clients = Clients(self.world)

    def define(self, family: str, image: str, release: str = "r1", called: str = "shop/web", **more: str) -> str:
        labels = {"berth.image": called, "berth.release": release, **more}
        return self.world.define(image, f"demo-{family}", dockerLabels=labels)

    def service(self, entry: str, definition: str) -> None:
        self.world.call(
            "CreateService", cluster="demo", serviceName=f"{entry}-1", taskDefinition=definition, desiredCount=0,
            launchType="EC2",
        )  # fmt: skip

    def look(self, *images: str, cluster: str = "demo") -> dict[str, Any]:
        arguments = {"cluster": cluster, "images": list(images)}
        return run_action(ecs_live_release, arguments, client=self.clients)


@pytest.fixture
def live() -> Live:
    return Live()


def test_each_service_says_what_it_runs(live: Live) -> None:
    live.service("web", live.define("service-web", "registry/web:1a", "1a"))
    live.service("worker", live.define("service-worker", "registry/worker:2b", "2b", "shop/worker:3"))
    found = live.look()
    assert found["images"] == {"shop/web": "registry/web:1a", "shop/worker:3": "registry/worker:2b"}
    assert {entry: each["release"] for entry, each in found["services"].items()} == {"web": "1a", "worker": "2b"}
    assert found["services"]["web"]["task_definition"].endswith("/demo-service-web:1")
    assert not found["changed"]
    assert found["services"]["web"]["running"] == 0


def test_what_a_service_is_meant_to_run_counts_and_not_the_newest_revision(live: Live) -> None:
    live.service("web", live.define("service-web", "registry/web:good"))
    live.define("service-web", "registry/web:failed")
    assert live.look()["images"] == {"shop/web": "registry/web:good"}


def test_of_two_contents_of_one_image_that_of_the_first_service_counts(live: Live) -> None:
    live.service("b", live.define("service-b", "registry/web:new"))
    live.service("a", live.define("service-a", "registry/web:old"))
    assert live.look()["images"] == {"shop/web": "registry/web:old"}


def test_only_an_image_that_no_service_runs_is_looked_for_among_the_jobs(live: Live) -> None:
    live.service("web", live.define("service-web", "registry/web:live"))
    live.define("job-other", "registry/web:older")
    live.define("job-mail", "registry/mail:1", called="shop/mail")
    live.define("job-mail", "registry/mail:2", called="shop/mail")
    assert live.look("shop/web")["images"] == {"shop/web": "registry/web:live"}
    assert live.look("shop/web", "shop/mail")["images"] == {
        "shop/web": "registry/web:live",
        "shop/mail": "registry/mail:2",
    }
    assert "shop/new" not in live.look("shop/new")["images"]


def test_a_name_that_was_given_is_told_from_one_that_is_made_of_the_images(live: Live) -> None:
    live.service("web", live.define("service-web", "registry/web:1a", "2026.11.3"))
    live.service("api", live.define("service-api", "registry/api:2b", "2b", "shop/api"))
    found = live.look()["services"]
    assert {entry: (each["release"], each["name"]) for entry, each in found.items()} == {
        "web": ("2026.11.3", "2026.11.3"),
        "api": ("2b", ""),
    }
    assert found["web"]["images"] == {"shop/web": "registry/web:1a"}


def test_jobs_are_described_where_they_are_asked_for_or_an_image_is_missing(live: Live) -> None:
    live.service("web", live.define("service-web", "registry/web:1a", "1a"))
    live.define("job-mail", "registry/mail:1", "2026.11.3", called="shop/mail")
    assert live.look("shop/web")["jobs"] == {}
    assert live.look("shop/mail")["jobs"]["mail"]["name"] == "2026.11.3"
    asked = run_action(ecs_live_release, {"cluster": "demo", "jobs": True}, client=live.clients)
    assert asked["jobs"]["mail"]["images"] == {"shop/mail": "registry/mail:1"}


def test_a_job_tells_whether_its_newest_revision_has_ended_well(live: Live) -> None:
    def ran() -> bool:
        found = run_action(ecs_live_release, {"cluster": "demo", "jobs": True}, client=live.clients)
        return bool(found["jobs"]["mail"]["ran"])

    first = live.define("job-mail", "registry/mail:1", called="shop/mail")
    assert not ran()
    live.world.call("TagResource", resourceArn=first, tags=[{"key": revisions.SUCCESS, "value": "now"}])
    assert ran()
    live.define("job-mail", "registry/mail:2", called="shop/mail")
    assert not ran()


def test_what_is_not_the_sites_own_does_not_count(live: Live) -> None:
    live.service("other", live.world.define("registry/web:other", "somebody", dockerLabels={"berth.image": "shop/web"}))
    plain = live.world.define("public.ecr.aws/redis:7", "demo-service-redis")
    live.service("redis", plain)
    found = live.look()
    assert found["images"] == {}
    assert list(found["services"]) == ["redis"]
    assert found["services"]["redis"]["release"] == ""


def test_a_site_that_is_not_up_runs_nothing(live: Live) -> None:
    assert live.look("shop/web", cluster="gone") == {"changed": False, "services": {}, "jobs": {}, "images": {}}


def test_an_image_by_its_digest_is_told_with_the_tag_that_people_read(live: Live) -> None:
    digest = f"sha256:{'ab' * 32}"
    live.service("web", live.define("service-web", f"registry:5000/web@{digest}", **{"berth.tag": "0f3c9d1e2a4b"}))
    live.service("old", live.define("service-old", "registry:5000/old:1a", called="shop/old"))
    found = live.look()
    assert found["images"] == {
        "shop/web": f"registry:5000/web:0f3c9d1e2a4b@{digest}",
        "shop/old": "registry:5000/old:1a",
    }
    assert found["services"]["old"]["images"] == {"shop/old": "registry:5000/old:1a"}
    assert found["services"]["web"]["name"] == "r1", "a given name"
    live.service("own", live.define("service-own", f"r/web@{digest}", "0f3c9d1e2a4b", **{"berth.tag": "0f3c9d1e2a4b"}))
    assert live.look()["services"]["own"]["name"] == "", "made of the tag, not of the digest"


def test_two_contents_of_one_image_are_told_each_with_its_service(live: Live) -> None:
    live.service("a", live.define("service-a", "registry/web:old"))
    live.service("b", live.define("service-b", "registry/web:new"))
    found = live.look()
    assert {entry: each["images"]["shop/web"] for entry, each in found["services"].items()} == {
        "a": "registry/web:old",
        "b": "registry/web:new",
    }
