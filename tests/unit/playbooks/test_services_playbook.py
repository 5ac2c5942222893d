"""What playbooks/services.yml asks of the plugins."""

from __future__ import annotations

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
INCLUDED = "Bring up the services and the domain's name"


def in_order() -> list[dict[str, Any]]:
    """The tasks of the play, those that it brings in where they stand."""
    found: list[dict[str, Any]] = []
    for name, task in tasks_of("playbooks/services.yml").items():
        for each in tasks_of("playbooks/tasks/services.yml").values() if name == INCLUDED else [task]:
            role = each.get("ansible.builtin.include_role")
            brought = tasks_of(f"roles/{role['name']}/tasks/{role['tasks_from']}.yml").values() if role else [each]
            for inner in brought:
                conditions = [condition for each in (task, inner) for condition in _listed(each.get("when", []))]
                found.append(inner | ({"when": conditions} if conditions else {}))
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def the_task(module: str) -> dict[str, Any]:
    return [task for task in in_order() if module in task][-1]


def given(**more: Any) -> dict[str, Any]:
    (play,) = load("playbooks/services.yml")
    described = {"site_services": SERVICES, "site_jobs": JOBS, "site": {"outputs": {}}}
    described["publish_live"] = {"services": {}}
    return variables("roles/maintenance/vars/main.yml", **play["vars"] | described | more)


def test_the_jobs_that_come_before_a_release_run_once_for_each_revision() -> None:
    task = the_task("ecs_run_task")
    assert "when" not in task, "a job that was changed alone would never run"
    jobs = evaluate(task["loop"], given())
    assert [job["key"] for job in jobs] == ["migrate"]
    asked = task["ecs_run_task"]
    assert asked["again"] is False, "what the revision's own tag says decides, also after an interrupt"
    outputs = {"job.migrate.TaskDefinitionArn": "arn:migrate:3"}
    known = given(item=jobs[0], services_jobs={"outputs": outputs})
    assert evaluate(asked["task_definition"], known) == "arn:migrate:3"
    assert evaluate(asked["timeout"], known) == 300


def test_jobs_that_run_before_a_release_come_before_the_services() -> None:
    order = in_order()
    jobs, web, services = [place for place, task in enumerate(order) if "cloudformation_stacks" in task]
    assert jobs < order.index(the_task("ecs_run_task")) < web < services
    known = given()
    assert evaluate(order[jobs]["cloudformation_stacks"]["layers"], known) == ["function", "job"]
    assert evaluate(order[services]["cloudformation_stacks"]["layers"], known)[0] == "service"


def test_what_the_task_of_the_ground_has_seen_is_not_looked_at_again() -> None:
    deployments = [task for task in in_order() if "cloudformation_stacks" in task]
    assert len(deployments) == 3
    for task in deployments:
        assert holds(task["when"], given(site={"complete": False}, **BARRED))
        assert not holds(task["when"], given(site={"complete": True}, **BARRED))


def test_who_is_let_through_in_maintenance_follows_the_services() -> None:
    order = in_order()
    (before, after) = [place for place, task in enumerate(order) if "alb_maintenance" in task]
    services = [place for place, task in enumerate(order) if task.get("register") in ("services_web", "services_made")]
    assert (before, after) == (services[0] - 1, services[1] + 1)
    routed = {"containers": {"a-b": {"like": "web.web", "ports": ["80"]}}, "routes": [{"to": "a-b"}]}
    known = given(site_services={**SERVICES, "shop": routed})
    asked = evaluate(order[before]["alb_maintenance"], known | {"site_prefix": "shop-prod"})
    targets = {"web": [], "api": [], "shop": ["TargetGroupax2db"]}
    assert asked == {"prefix": "shop-prod", "state": "released", "targets": targets}
    assert order[after]["alb_maintenance"]["state"] == "followed"
    for place in (before, after):
        assert holds(order[place]["when"], given(site={"complete": False}))
        assert not holds(order[place]["when"], given(site={"complete": True}))


@pytest.mark.parametrize("complete", [False, True], ids=["deployed by this play", "seen by the task of the ground"])
def test_each_service_is_waited_for_with_its_own_revision(complete: bool) -> None:
    task = the_task("ecs_service_wait")
    assert evaluate(task["loop"], given()) == ["web", "api"]
    outputs = {"service.api.ServiceName": "api-1", "service.api.TaskDefinitionArn": "arn:api:2"}
    skipped, cluster = {"skipped": True}, {"ClusterName": "shop-prod"}
    known = given(
        item="api",
        services_jobs=skipped if complete else {"outputs": {}},
        **({} if complete else {"services_made": {"outputs": outputs}}),
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
        services_web={"stacks": {"service.shop": {"changed": changed}}, "outputs": outputs},
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
