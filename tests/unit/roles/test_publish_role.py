"""Which images the role publish keeps, takes from this machine and hands to the layers."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

VARS = "roles/publish/vars/main.yml"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
WEB = {"web": {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"]}}
WORKER = {"worker": {"image": "shop/worker:3", "mem_limit": "64m"}}
REDIS = {"redis": {"image": "public.ecr.aws/docker/library/redis:7", "mem_limit": "64m"}}
LIVE = {"shop/web": f"{REGISTRY}/shop-prod/shop-web:aaaaaaaaaaaa"}


def site(*services: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Variables of a site, each of whose services has these containers."""
    described = {f"s{place}": {"containers": containers} for place, containers in enumerate(services)}
    return variables(VARS, site_services=described, **more)


def known(live: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"publish_live": {"services": {}, "images": live}, **more}


@pytest.mark.parametrize(("instance_type", "platform"), [("t2.micro", "linux/amd64"), ("t4g.small", "linux/arm64")])
def test_images_must_be_built_for_the_processor_of_the_hosts(instance_type: str, platform: str) -> None:
    push = tasks_of("roles/publish/tasks/push.yml")["Push the images that the registry has not yet"]["ecr_push"]
    assert evaluate(push["platform"], {"host_instance_type": instance_type}) == platform


@pytest.mark.parametrize(
    ("live", "select", "wanted"),
    [
        ({}, "live", ["shop/web", "shop/worker:3"]),
        (LIVE, "live", ["shop/worker:3"]),
        ({**LIVE, "shop/worker:3": "registry/worker:b"}, "live", []),
        ({**LIVE, "shop/worker:2": "registry/worker:b"}, "live", ["shop/worker:3"]),
        (LIVE, "local", ["shop/web", "shop/worker:3"]),
    ],
    ids=["first release", "a second service comes", "all runs", "another tag is asked for", "local"],
)
def test_only_what_nothing_runs_is_taken_from_here(live: dict[str, str], select: str, wanted: list[str]) -> None:
    given = site(WEB, WORKER, publish_select=select, **known(live))
    assert sorted(evaluate("{{ publish_wanted }}", given)) == wanted


def test_a_second_service_is_pushed_and_the_first_stays_as_it_runs() -> None:
    given = site(WEB, WORKER, **known(LIVE, publish_local={"contents": {"shop/worker:3": f"sha256:{'b' * 64}"}}))
    assert evaluate("{{ publish_pushes }}", given) == [
        {"image": "shop/worker:3", "repository": "shop-prod/shop-worker", "tag": "b" * 12}
    ]
    pushed = {"images": [{"image": "shop/worker:3", "pinned": "registry/shop-prod/shop-worker:bbbbbbbbbbbb@sha256:c"}]}
    images = evaluate("{{ publish_images }}", given | {"publish_pushed": pushed})
    assert images == {**LIVE, "shop/worker:3": "registry/shop-prod/shop-worker:bbbbbbbbbbbb@sha256:c"}


def test_what_is_taken_from_this_machine_wins_over_what_runs() -> None:
    pushed = {"images": [{"image": "shop/web", "pinned": "registry/web:new"}]}
    given = site(WEB, publish_select="local", publish_pushed=pushed, **known(LIVE))
    assert evaluate("{{ publish_images }}", given) == {"shop/web": "registry/web:new"}


def test_a_check_run_before_anything_is_published_has_names_that_no_registry_has() -> None:
    images = evaluate("{{ publish_images }}", site(WEB, WORKER, **known(LIVE)))
    assert images == {**LIVE, "shop/worker:3": "unpublished/image:unpublished"}


def test_a_site_of_registry_images_alone_publishes_nothing() -> None:
    given = site(REDIS, publish_select="local", **known({}))
    assert evaluate("{{ publish_wanted }}", given) == []
    for path in ("roles/publish/tasks/main.yml", "playbooks/images.yml"):
        (bring,) = [task for task in tasks_of(path).values() if "when" in task]
        assert not holds(bring["when"], given), path
        assert holds(bring["when"], site(WEB, publish_select="local", **known({}))), path
    (container,) = evaluate("{{ lookup('site', 'service', images=publish_images) }}", given)["s0"]["containers"]
    assert container["Image"] == "public.ecr.aws/docker/library/redis:7"


def test_images_code_and_static_files_are_published_each_where_there_is_any() -> None:
    function = {"code": "functions/hello", "handler": "app.handler", "runtime": "python3.13", "routes": "$default"}
    (bring,) = tasks_of("playbooks/images.yml").values()
    parts = tasks_of("playbooks/tasks/publish.yml").values()
    for images, code, files in itertools.product((False, True), repeat=3):
        nouns = {"site_functions": {"hello": function} if code else {}}
        nouns |= {"site_static": {"front": {"folder": "dist"}} if files else {}}
        given = site(WEB if images else REDIS, publish_select="local", **nouns, **known({}))
        assert holds(bring["when"], given) is (images or code or files)
        assert [holds(part["when"], given) for part in parts] == [images, code, files]


def test_static_files_are_told_which_images_the_site_runs() -> None:
    upload = tasks_of("playbooks/tasks/publish.yml")["Upload the static files"]
    assert evaluate(upload["vars"]["static_images"], site(WEB, **known(LIVE))) == LIVE
    pushed = {"images": [{"image": "shop/web", "pinned": "registry/web:new"}]}
    given = site(WEB, publish_select="local", publish_pushed=pushed, **known(LIVE))
    assert evaluate(upload["vars"]["static_images"], given) == {"shop/web": "registry/web:new"}


def test_who_is_asked_on_which_port_is_the_load_balancers_and_the_other_services_affair() -> None:
    local = tasks_of("roles/publish/tasks/live.yml")
    (look,) = [task["local_images"] for task in local.values() if "local_images" in task]
    given = site(WEB, WORKER, **known({}))
    assert evaluate(look["ports"], given) == []
    given["site_services"]["s0"] |= {"routes": [{"to": "web"}], "expose": "web"}
    assert evaluate(look["ports"], given) == [{"image": "shop/web", "container": "s0.web", "port": 8000}]


def test_the_layers_are_handed_what_is_published() -> None:
    handed = load("playbooks/vars/layers.yml")
    given = site(WEB, **known(LIVE))
    for name in ("service_images", "job_images"):
        assert evaluate(handed[name], given) == LIVE


def two(**more: Any) -> dict[str, Any]:
    """Two services of one image, each of which runs another content of it."""
    services = {name: {"containers": WEB} for name in ("api", "web")}
    jobs = {"migrate": {"like": "web.web", "command": ["migrate"], "run": "before_release"}}
    runs = {name: {"images": {"shop/web": f"registry/web:{name}"}, "name": ""} for name in services}
    runs["web"]["name"] = "2026.11.3"
    live = {"services": runs, "jobs": {}, "images": {"shop/web": "registry/web:api"}}
    return variables(
        VARS, "playbooks/vars/layers.yml", site_services=services, site_jobs=jobs, publish_live=live, **more
    )


def rendered(given: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Key → the image and the release that its container has."""
    found = {}
    for noun in ("service", "job"):
        entries = evaluate(load(f"roles/{noun}/vars/main.yml")[f"{noun}_entries"], given | {f"{noun}_log_options": {}})
        for name, entry in entries.items():
            (container,) = entry["containers"]
            found[f"{noun}.{name}"] = container["Image"], container["DockerLabels"]["berth.release"]
    return found


def test_each_keeps_its_own_content_and_the_name_that_it_was_given() -> None:
    assert rendered(two()) == {
        "service.api": ("registry/web:api", "api"),
        "service.web": ("registry/web:web", "2026.11.3"),
        "job.migrate": ("registry/web:web", "2026.11.3"),
    }


def test_a_service_is_released_alone_with_its_jobs() -> None:
    pushed = {"images": [{"image": "shop/web", "pinned": "registry/web:new"}]}
    more = {"publish_select": "local", "publish_release": "2026.12", "publish_pushed": pushed}
    given = two(publish_services=["web"], **more)
    assert evaluate("{{ publish_wanted }}", given) == ["shop/web"]
    assert rendered(given) == {
        "service.api": ("registry/web:api", "api"),
        "service.web": ("registry/web:new", "2026.12"),
        "job.migrate": ("registry/web:new", "2026.12"),
    }
    assert set(rendered(two(**more)).values()) == {("registry/web:new", "2026.12")}, "without a word, all are"


def test_only_the_images_of_the_service_that_is_released_are_taken_from_here() -> None:
    given = site(WEB, WORKER, publish_select="local", publish_services=["s1"], **known(LIVE))
    assert evaluate("{{ publish_wanted }}", given) == ["shop/worker:3"]
    assert evaluate("{{ publish_images['shop/web'] }}", given) == LIVE["shop/web"]


def test_what_ran_before_runs_again_under_its_name() -> None:
    again = {"api": {"images": {"shop/web": "registry/web:older"}, "name": "2026.10"}}
    given = two(publish_again=again)
    assert rendered(given)["service.api"] == ("registry/web:older", "2026.10")
    assert rendered(given)["service.web"] == ("registry/web:web", "2026.11.3")
    assert evaluate("{{ publish_wanted }}", given) == []
