"""What is kept, what is released now, and what goes with what."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils import releases

SERVICES = {"web": ["shop/django", "shop/nginx"], "worker": ["shop/django"], "mail": ["shop/mail"]}
JOBS: dict[str, Any] = {
    "migrate": {"like": "worker.celery"},
    "report": {"image": "shop/django"},
    "own": {"like": "web.django", "image": "shop/mail"},
    "alone": {"image": "shop/other"},
}
OWNERS = {"migrate": "worker", "report": "web", "own": "mail", "alone": ""}
LIVE = {
    "web": {"images": {"shop/django": "registry/django:a"}, "name": "2026.1"},
    "worker": {"images": {"shop/django": "registry/django:b"}, "name": ""},
    "mail": {"images": {"shop/mail": "registry/mail:c"}, "name": "2026.1"},
}
NOW = {"images": {}, "release": "2026.2"}


def kept(service: str) -> dict[str, Any]:
    return {"images": LIVE[service]["images"], "release": LIVE[service]["name"]}


def test_a_job_goes_with_the_service_that_it_is_like_or_the_first_that_runs_its_image() -> None:
    assert releases.owners(JOBS, SERVICES) == OWNERS
    assert releases.owners({"odd": None, "gone": {"like": "gone.one"}}, SERVICES) == {"odd": "", "gone": ""}


def test_without_a_release_each_keeps_what_it_runs_and_its_name() -> None:
    found = releases.runs(LIVE, {"alone": {"images": {"shop/other": "registry/other:d"}, "name": "2026.1"}}, OWNERS)
    assert {key: found[key] for key in ("service.web", "service.worker", "service.mail")} == {
        f"service.{name}": kept(name) for name in LIVE
    }
    assert found["job.migrate"] == kept("worker")
    assert found["job.report"] == kept("web")
    assert found["job.alone"] == {"images": {"shop/other": "registry/other:d"}, "release": "2026.1"}


def test_a_site_that_runs_nothing_takes_what_is_published() -> None:
    assert releases.runs({}, {}, OWNERS) == {}


def test_a_whole_release_is_of_all_services_and_all_jobs() -> None:
    found = releases.runs(LIVE, {"alone": {"images": {}, "name": "old"}}, OWNERS, list(LIVE), True, "2026.2")
    assert found == {key: NOW for key in [*(f"service.{name}" for name in LIVE), *(f"job.{name}" for name in OWNERS)]}


def test_one_that_is_released_alone_has_a_new_name_and_its_jobs_too() -> None:
    found = releases.runs(LIVE, {}, OWNERS, ["worker"], False, "2026.2")
    assert found == {
        "service.web": kept("web"), "service.worker": NOW, "service.mail": kept("mail"),
        "job.migrate": NOW, "job.report": kept("web"), "job.own": kept("mail"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["2026.11.3", "v1", "a_b-c.d", "9" * 40])
def test_a_name_that_can_be_one(name: str) -> None:
    assert releases.NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", ".a", "-a", "a b", "a/b", "a:b", "ä", "9" * 41, "a\n"])
def test_a_name_that_cannot(name: str) -> None:
    assert not releases.NAME.fullmatch(name)


def test_the_images_of_a_service_are_its_jobs_too() -> None:
    jobs = {"migrate": ["shop/django"], "own": ["shop/mail"], "alone": ["shop/other"], "report": ["shop/report"]}
    assert releases.images_of(SERVICES, jobs, OWNERS, ["web"]) == ["shop/django", "shop/nginx", "shop/report"]
    assert releases.images_of(SERVICES, jobs, OWNERS, ["worker"]) == ["shop/django"]


def test_what_containers_call_their_images_is_told_by_their_labels() -> None:
    containers = [{"Image": "a:1", "DockerLabels": {"berth.image": name}} for name in ("shop/a", "shop/b", "shop/a")]
    assert releases.called({"web": {"containers": containers}}) == {"web": ["shop/a", "shop/b"]}


def test_the_ledger_is_told_of_all_that_runs() -> None:
    def entry(release: str) -> dict[str, Any]:
        labels = {"berth.image": "shop/web", "berth.release": release}
        return {"containers": [{"Image": f"registry/web:{release}", "DockerLabels": labels}]}

    live = {
        name: {"task_definition": f"arn:{name}:1", "release": "old", "images": {"a": "b"}, "name": "", "service": "x"}
        for name in ("web", "worker", "gone")
    }
    outputs = {"service.web.TaskDefinitionArn": "arn:web:2"}
    found = releases.facts(live, {"web": entry("2"), "worker": entry("2"), "new": entry("2")}, outputs, ["web", "gone"])
    assert found == {
        "web": {"task_definition": "arn:web:2", "release": "2", "images": {"shop/web": "registry/web:2"}},
        "worker": {"task_definition": "arn:worker:1", "release": "old", "images": {"a": "b"}},
    }
