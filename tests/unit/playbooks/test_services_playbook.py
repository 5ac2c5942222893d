"""What playbooks/services.yml asks of the plugins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

SERVICES = {
    "web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}},
    "api": {"containers": {"api": {"image": "shop/api", "mem_limit": "64m"}}},
}
JOBS = {
    "migrate": {"like": "web.web", "command": ["migrate"], "run": "before_release", "minutes": 5},
    "report": {"like": "web.web", "command": ["report"], "run": "by_hand"},
    "clean": {"like": "web.web", "command": ["clean"], "schedule": "0 3 * * *"},
}
IMAGES = {"shop/web": "registry/web:a", "shop/api": "registry/api:b"}


CONTAINER = {"image": "shop/web", "mem_limit": "64m", "ports": ["80"]}
ROUTED = {"containers": {"shop": CONTAINER}, "routes": [{"to": "shop"}]}
BARRED: dict[str, Any] = {
    "site_services": {**SERVICES, "shop": ROUTED},
    "publish_live": {"services": {"api": {"running": 1, "task_definition": "arn:api:1"}}},
}
"""A site with a service with routes, and one behind it that runs."""


INCLUDED = "Bring up the jobs, the services and the domain's name"
CDN = "Bring up the CDN, or let go of it"
"""Has tests of its own: test_edge_on_and_off.py."""
LOGINS = "Let the site log in to its databases as itself"
"""Likewise: test_logins_playbook.py."""


def in_order(complete: bool = False) -> list[dict[str, Any]]:
    """The tasks of the play where something is to be done, or where all is there; those of other files too.

    Those of the CDN and of the logins are left out.
    """
    return list(brought_in("playbooks/services.yml", complete))


def brought_in(path: str, complete: bool) -> Iterator[dict[str, Any]]:
    for task in tasks_of(path).values():
        if (task["name"] == INCLUDED and complete) or task["name"] in (CDN, LOGINS):
            continue
        if role := task.get("ansible.builtin.include_role"):
            yield from brought_in(f"roles/{role['name']}/tasks/{role['tasks_from']}.yml", complete)
        elif file := task.get("ansible.builtin.include_tasks"):
            yield from brought_in(f"playbooks/{file}", complete)
        else:
            yield task


def the_task(module: str, complete: bool = False) -> dict[str, Any]:
    return [task for task in in_order(complete) if module in task][-1]


def given(**more: Any) -> dict[str, Any]:
    (play,) = load("playbooks/services.yml")
    described = {"site_services": SERVICES, "site_jobs": JOBS, "site": {"outputs": {}}, "layers_edge_unsettled": False}
    described["logins_due"] = False
    described["publish_live"] = {"services": {}, "jobs": {}, "images": {}}
    files = [file.removeprefix("../") for file in play["vars_files"] if file.startswith("../")]
    files += ["roles/maintenance/vars/main.yml", "playbooks/vars/closing.yml"]
    return variables(*files, **play["vars"] | described | {"site_prefix": "shop-prod", "site_tags": {}} | more)


def is_brought(**more: Any) -> bool:
    """Whether the tasks are brought in that change something."""
    return holds(tasks_of("playbooks/services.yml")[INCLUDED]["when"], given(**more))


def test_the_jobs_that_come_before_a_release_run_once_for_each_revision() -> None:
    task = the_task("ecs_run_task")
    jobs = evaluate(task["loop"], given())
    assert [job["key"] for job in jobs] == ["migrate"]
    asked = task["ecs_run_task"]
    assert asked["again"] is False, "what the revision's own tag says decides, also after an interrupt"
    outputs = {"job.migrate.TaskDefinitionArn": "arn:migrate:3"}
    known = given(item=jobs[0], rollout_jobs_made={"outputs": outputs})
    assert evaluate(asked["task_definition"], known) == "arn:migrate:3"
    assert evaluate(asked["timeout"], known) == 300
    assert evaluate(asked["passed_over"], known) is False


def test_jobs_that_run_before_a_release_come_before_the_services() -> None:
    order = in_order()
    jobs, web, services = [place for place, task in enumerate(order) if "cloudformation_stacks" in task]
    assert jobs < order.index(the_task("ecs_run_task")) < web < services
    known = given()
    assert evaluate(order[jobs]["cloudformation_stacks"]["layers"], known) == ["function", "job"]
    assert holds(order[jobs]["when"], known)
    assert evaluate(order[jobs]["cloudformation_stacks"]["only"], known) == ["job.migrate", "job.report", "job.clean"]
    assert evaluate(order[services]["cloudformation_stacks"]["layers"], known)[0] == "service"


def test_what_the_task_of_the_ground_has_seen_is_not_looked_at_again() -> None:
    assert len([task for task in in_order() if "cloudformation_stacks" in task]) == 3
    assert not [task for task in in_order(complete=True) if "cloudformation_stacks" in task]
    ran = {"migrate": {"task_definition": "arn:migrate:3", "ran": True}}
    site = {"complete": True, "outputs": {"job.migrate.TaskDefinitionArn": "arn:migrate:3"}}
    assert is_brought(site={"complete": False})
    assert not is_brought(site=site, publish_live={"services": {}, "jobs": ran})


@pytest.mark.parametrize(
    "jobs",
    [{}, {"migrate": {"task_definition": "arn:migrate:3", "ran": False}},
     {"migrate": {"task_definition": "arn:migrate:2", "ran": True}}],
    ids=["not seen", "has failed, or was interrupted", "has run before it was changed"],
)  # fmt: skip
def test_a_job_that_was_changed_alone_runs_though_all_layers_are_as_they_should_be(jobs: dict[str, Any]) -> None:
    site = {"complete": True, "outputs": {"job.migrate.TaskDefinitionArn": "arn:migrate:3"}}
    assert is_brought(site=site, publish_live={"services": {}, "jobs": jobs})
    assert not is_brought(site=site, publish_live={"services": {}, "jobs": jobs}, site_jobs={}), "there is none"


def test_what_runs_is_written_down_last_also_where_nothing_was_to_be_done() -> None:
    task = tasks_of("playbooks/services.yml")["Write down what runs"]
    assert "when" not in task
    outputs = {
        "service.web.TaskDefinitionArn": "arn:web:3",
        "service.api.TaskDefinitionArn": "arn:api:1",
        "job.migrate.TaskDefinitionArn": "arn:migrate:3",
    }
    known = given(publish_images=IMAGES, site={"complete": True, "outputs": outputs})
    facts = evaluate(task["ledger_entry"]["facts"], known)
    assert facts["release"] == "a+b"
    assert facts["services"]["web"] == {
        "task_definition": "arn:web:3", "release": "a", "images": {"shop/web": "registry/web:a"},
    }  # fmt: skip
    assert facts["jobs"] == {"migrate": {"task_definition": "arn:migrate:3", "run": False, "exit_code": None}}
    ran = {"results": [{"item": {"key": "migrate"}, "changed": True, "exit_codes": {"migrate": 0}}]}
    made = {"outputs": {"service.web.TaskDefinitionArn": "arn:web:4"}}
    facts = evaluate(task["ledger_entry"]["facts"], known | {"rollout_jobs_ran": ran, "services_made": made})
    assert facts["jobs"]["migrate"]["run"] is True
    assert facts["services"]["web"]["task_definition"] == "arn:web:4"


def test_who_is_let_through_in_maintenance_follows_the_services() -> None:
    order = in_order()
    (before, after, end) = [place for place, task in enumerate(order) if "alb_maintenance" in task]
    services = [place for place, task in enumerate(order) if task.get("register") in ("rollout_web", "services_made")]
    assert (before, after) == (services[0] - 1, services[1] + 1)
    routed = {"containers": {"a-b": {"like": "web.web", "ports": ["80"]}}, "routes": [{"to": "a-b"}]}
    known = given(site_services={**SERVICES, "shop": routed})
    asked = evaluate(order[before]["alb_maintenance"], known)
    targets = {"web": [], "api": [], "shop": ["TargetGroupax2db"]}
    assert asked == {"prefix": "shop-prod", "state": "released", "targets": targets}
    assert [order[place]["alb_maintenance"]["state"] for place in (after, end)] == ["followed", "settled"]
    task = the_task("alb_maintenance", complete=True)
    assert task["alb_maintenance"]["state"] == "settled", "a run that was killed has led nobody on"


def holding(path: str, module: str) -> list[dict[str, Any]]:
    """The blocks around the first task of a module, the outermost first."""

    def around(items: Any) -> list[dict[str, Any]] | None:
        for item in items or []:
            for key in ("tasks", "block", "always"):
                inner = around(item.get(key))
                if inner is not None:
                    return [*([item] if key == "block" else []), *inner]
            if module in item:
                return []
        return None

    return around(load(path)) or []


@pytest.mark.parametrize(
    "path", ["playbooks/tasks/services.yml", "roles/rollout/tasks/services.yml"], ids=["site", "release"]
)
def test_who_is_let_through_is_led_on_also_where_the_services_have_failed(path: str) -> None:
    (block,) = holding(path, "cloudformation_stacks")
    (task,) = block["always"]
    assert task["ansible.builtin.include_role"] == {"name": "maintenance", "tasks_from": "after"}


@pytest.mark.parametrize("path", ["playbooks/services.yml", "roles/rollout/tasks/main.yml"], ids=["site", "release"])
def test_visitors_and_autoscaling_are_let_in_again_however_it_ends(path: str) -> None:
    first = "ansible.builtin.include_tasks" if path.startswith("playbooks") else "ansible.builtin.import_tasks"
    held, closed = holding(path, first)
    assert [task["scale_in"]["state"] for task in held["always"]] == ["resumed"], "also if the page cannot be asked for"
    (task,) = closed["always"]
    role = task.get("ansible.builtin.include_role")
    (last,) = tasks_of(f"roles/{role['name']}/tasks/{role.get('tasks_from', 'main')}.yml").values() if role else [task]
    assert last["alb_maintenance"]["state"] == "settled"


def test_only_a_service_that_scales_is_kept_from_it() -> None:
    held, resumed = (task for task in in_order() if "scale_in" in task)
    assert in_order().index(held) == 0, "before anything is deployed"
    scaling = {"api": {**SERVICES["api"], "scale": {"min": 1, "max": 3, "cpu": 60}}}
    for task in (held, resumed):
        assert not holds(task["when"], given())
        assert holds(task["when"], given(site_services=SERVICES | scaling))
    assert the_task("scale_in", complete=True) == resumed, "what an interrupted run has held is let go"


CLOSING = {**JOBS, "schema": {"like": "web.web", "command": ["s"], "run": "before_release", "maintenance": True}}


def test_a_job_keeps_visitors_out_if_it_says_so() -> None:
    asked = the_task("ecs_run_task")["ecs_run_task"]["maintenance"]
    known = given(site_jobs=CLOSING, site_beside="/inventories", maintenance_page="away.html")
    expected = {
        "prefix": "shop-prod", "tags": {}, "page": "away.html", "beside": "/inventories", "allowed_cidrs": [],
        "by": "site",
    }  # fmt: skip
    assert evaluate(asked, known | {"item": {"key": "schema"}}) == expected
    assert evaluate(asked, known | {"item": {"key": "migrate"}}) == {}


@pytest.mark.parametrize(
    ("known", "sure"),
    [({}, False), ({"services_run": {"failed": True}}, False), ({"services_run": {"failed": False}}, True)],
    ids=["before the services", "they have failed", "they run"],
)
def test_where_it_has_failed_the_page_goes_only_if_the_site_goes_on(known: dict[str, Any], sure: bool) -> None:
    task = tasks_of("playbooks/services.yml")["Leave visitors with what is there"]["alb_maintenance"]
    asked = {name: evaluate(value, given(**known)) for name, value in task.items()}
    assert asked == {"prefix": "shop-prod", "state": "settled", "sure": sure}


@pytest.mark.parametrize("complete", [False, True], ids=["deployed by this play", "seen by the task of the ground"])
def test_each_service_is_waited_for_with_its_own_revision(complete: bool) -> None:
    task = the_task("ecs_service_wait")
    assert evaluate(task["loop"], given()) == ["web", "api"]
    outputs = {"service.api.ServiceName": "api-1", "service.api.TaskDefinitionArn": "arn:api:2"}
    cluster = {"ClusterName": "shop-prod"}
    known = given(
        item="api",
        **({} if complete else {"rollout_jobs_made": {"outputs": {}}, "services_made": {"outputs": outputs}}),
        site={"outputs": cluster | (outputs if complete else {})},
    )
    asked = {name: evaluate(value, known) for name, value in task["ecs_service_wait"].items()}
    assert (asked["cluster"], asked["service"], asked["task_definition"]) == ("shop-prod", "api-1", "arn:api:2")


@pytest.mark.parametrize(
    ("services", "running", "web"),
    [
        (["web", "api", "shop"], {"web": 1, "api": 2, "shop": 1}, ["shop"]),
        (["web", "api", "shop"], {"web": 0, "api": 2, "gone": 1}, ["shop", "web"]),
        (["web", "api", "shop"], {}, None),
        (["web", "api"], {"web": 1, "api": 1}, None),
        (["shop"], {"shop": 1}, None),
    ],
    ids=["all run", "one does not", "none runs", "none with routes", "nothing behind"],
)
def test_what_runs_behind_a_service_with_routes_is_moved_after_it(
    services: list[str], running: dict[str, int], web: list[str] | None
) -> None:
    described = {name: each for name, each in {"shop": ROUTED, **SERVICES}.items() if name in services}
    live = {name: {"running": count, "task_definition": f"arn:{name}:1"} for name, count in running.items()}
    known = given(site_services=described, site_jobs={}, publish_live={"services": live}, site={"complete": False})
    first, proof, last = [
        task
        for task in tasks_of("playbooks/tasks/services.yml").values()
        if "cloudformation_stacks" in task or "ecs_service_wait" in task
    ]
    assert holds(first["when"], known) is (web is not None)
    assert "when" not in last
    assert "only" not in last["cloudformation_stacks"], "the name, and what goes, come with it"
    if web is None:
        assert evaluate(proof["loop"], known) == []
        return
    assert evaluate(first["cloudformation_stacks"]["only"], known) == [f"service.{each}" for each in web]
    assert evaluate(first["cloudformation_stacks"]["layers"], known) == ["service"]
    assert evaluate(proof["loop"], known) == ["shop"]
    assert proof["ecs_service_wait"]["proven"] is True


@pytest.mark.parametrize(
    ("changed", "revision", "proven"),
    [(True, "arn:shop:1", True), (False, "arn:shop:1", False), (False, "arn:shop:2", True)],
    ids=["changed", "as it was", "changed by a run that was broken off"],
)
def test_only_services_that_change_are_proven_before_the_others(changed: bool, revision: str, proven: bool) -> None:
    (proof,) = [task for task in tasks_of("playbooks/tasks/services.yml").values() if "ecs_service_wait" in task]
    outputs = {"service.shop.ServiceName": "shop-1", "service.shop.TaskDefinitionArn": revision}
    known = given(
        item="shop",
        site_services=BARRED["site_services"],
        publish_live={"services": {"shop": {"running": 1, "task_definition": "arn:shop:1"}}},
        rollout_web={"stacks": {"service.shop": {"changed": changed}}, "outputs": outputs},
    )
    assert holds(proof["when"], known) is proven
    assert evaluate(proof["ecs_service_wait"]["task_definition"], known) == revision


def test_one_service_rolls_while_the_other_keeps_its_task() -> None:
    """A task definition that is the same to the letter makes no revision, and so no deployment."""
    entries = "{{ lookup('site', 'service', images=service_images) }}"
    before = evaluate(entries, given(service_images=IMAGES))
    after = evaluate(entries, given(service_images={**IMAGES, "shop/api": "registry/api:c"}))
    assert after["web"] == before["web"]
    assert after["api"] != before["api"]
    (container,) = after["api"]["containers"]
    assert container["DockerLabels"] == {"berth.release": "c", "berth.image": "shop/api"}
    assert {"Name": "RELEASE", "Value": "c"} in container["Environment"]
    jobs = "{{ lookup('site', 'job', images=service_images) }}"
    assert evaluate(jobs, given(service_images={**IMAGES, "shop/api": "registry/api:c"})) == evaluate(
        jobs, given(service_images=IMAGES)
    ), "nor does a job of the other image run again"
