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


INCLUDED = "Bring up the services and the domain's name"


def in_order() -> list[dict[str, Any]]:
    """The tasks of the play, those that it brings in where they stand."""
    found: list[dict[str, Any]] = []
    for name, task in tasks_of("playbooks/services.yml").items():
        for each in tasks_of("playbooks/tasks/services.yml").values() if name == INCLUDED else [task]:
            role = each.get("ansible.builtin.include_role")
            brought = tasks_of(f"roles/{role['name']}/tasks/{role['tasks_from']}.yml").values() if role else [each]
            found += [({"when": task["when"]} if "when" in task else {}) | inner for inner in brought]
    return found


def the_task(module: str) -> dict[str, Any]:
    (task,) = [task for task in in_order() if module in task]
    return task


def given(**more: Any) -> dict[str, Any]:
    (play,) = load("playbooks/services.yml")
    described = {"site_services": SERVICES, "site_jobs": JOBS, "site": {"outputs": {}}, "layers_edge_unsettled": False}
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
    (jobs, services) = [place for place, task in enumerate(order) if "cloudformation_stacks" in task]
    assert jobs < order.index(the_task("ecs_run_task")) < services
    known = given()
    assert evaluate(order[jobs]["cloudformation_stacks"]["layers"], known) == ["function", "job"]
    assert evaluate(order[services]["cloudformation_stacks"]["layers"], known)[0] == "service"


def test_what_the_task_of_the_ground_has_seen_is_not_looked_at_again() -> None:
    deployments = [task for task in in_order() if "cloudformation_stacks" in task]
    assert len(deployments) == 2
    for task in deployments:
        assert holds(task["when"], given(site={"complete": False}))
        assert not holds(task["when"], given(site={"complete": True}))


def test_who_is_let_through_in_maintenance_follows_the_services() -> None:
    order = in_order()
    (before, after) = [place for place, task in enumerate(order) if "alb_maintenance" in task]
    services = max(place for place, task in enumerate(order) if "cloudformation_stacks" in task)
    assert (before, after) == (services - 1, services + 1)
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
