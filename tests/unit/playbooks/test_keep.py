"""What `site` keeps once it has proved itself, and where in its order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

SERVICES = {"web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}}}
REDIS = {"redis": {"containers": {"redis": {"image": "public.ecr.aws/docker/library/redis:7", "mem_limit": "6m"}}}}


def test_only_what_is_proved_is_kept_and_before_the_domain_moves() -> None:
    order = [play["ansible.builtin.import_playbook"] for play in load("playbooks/site.yml")]
    assert order.index("keep.yml") == order.index("domain.yml") - 1
    assert order[order.index("keep.yml") - 1] in ("verify.yml", "answers.yml")


def known(**more: Any) -> dict[str, Any]:
    (play,) = load("playbooks/keep.yml")
    return variables("roles/publish/vars/main.yml", **play["vars"], **more)


def test_a_site_without_a_change_or_without_images_has_nothing_to_keep() -> None:
    bring = tasks_of("playbooks/tasks/worked.yml")["Show the static files, and keep what may be gone back to"]
    for services, complete, wanted in ((SERVICES, False, True), (SERVICES, True, False), (REDIS, False, False)):
        given = known(site_services=services, site={"complete": complete})
        assert holds(bring["when"], given) is wanted


@pytest.mark.parametrize(
    ("complete", "waits", "wanted"), [(True, False, False), (True, True, True), (False, False, True)]
)
def test_static_files_are_shown_and_kept_where_they_or_the_layers_changed(
    complete: bool, waits: bool, wanted: bool
) -> None:
    bring = tasks_of("playbooks/tasks/worked.yml")["Show the static files, and keep what may be gone back to"]
    uploaded = {"results": [{"item": {"key": "front"}, "release": "0f", "waits": waits}, {"skipped": True}]}
    given = known(
        site_services=REDIS, site_static={"front": {"folder": "dist"}}, site={"complete": complete},
        static_uploaded=uploaded,
    )  # fmt: skip
    assert holds(bring["when"], given) is wanted
    (all_of_it,) = tasks_of("playbooks/keep.yml").values()
    assert holds(all_of_it["when"], given | {"log_retention_days": "30", "layers_databases": {}}) is wanted
    tasks = tasks_of("playbooks/tasks/keep_releases.yml")
    parts = {name: task for name, task in tasks.items() if name.startswith("Keep ")}
    assert [holds(task["when"], given) for task in parts.values()] == [False, True], "no images, but files"


def test_what_runs_and_the_good_releases_are_kept_in_the_sites_repositories() -> None:
    (keep,) = [
        task["ecr_keep"] for task in tasks_of("playbooks/tasks/keep_releases.yml").values() if "ecr_keep" in task
    ]
    live = {"services": {"web": {"images": {"shop/web": "r/shop-prod/shop-web:2@sha256:2"}}}, "jobs": {}}
    given = variables("roles/publish/vars/main.yml", site_services=SERVICES, keep_live=live, release_keep=1)
    given["keep_ledger"] = {"entries": []}
    assert evaluate(keep["repositories"], given) == ["shop-prod/shop-web"]
    assert evaluate(keep["images"], given) == ["r/shop-prod/shop-web:2@sha256:2"]
    services = {"web": {"images": {"shop/web": "r/shop-prod/shop-web:1@sha256:1"}}}
    entries = [
        {"outcome": "good", "release": "1", "services": services},
        {"outcome": "good", "release": "0", "services": {"web": {"images": {"shop/web": "r/shop-prod/shop-web:0"}}}},
    ]
    assert evaluate(keep["images"], given | {"keep_ledger": {"entries": entries}}) == [
        "r/shop-prod/shop-web:1@sha256:1",
        "r/shop-prod/shop-web:2@sha256:2",
    ]
