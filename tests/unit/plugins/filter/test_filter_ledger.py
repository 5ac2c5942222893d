"""What the ledger says of a release."""

from __future__ import annotations

from typing import Any

from plugins.filter.ledger import jobs_ran, release_name, services_released
from tests.unit.variables_support import evaluate, flat, load, tasks_of, variables

SERVICES = {
    "web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m"}}},
    "api": {"containers": {"api": {"image": "shop/api", "mem_limit": "64m"}}},
}
IMAGES = {"shop/web": "registry/web:a", "shop/api": "registry/api:b"}


def released(outputs: dict[str, str]) -> Any:
    given = variables(site_services=SERVICES, site_jobs={}, publish_images=IMAGES)
    return services_released(evaluate("{{ lookup('site', 'service', images=publish_images) }}", given), outputs)


def test_services_are_told_with_what_they_run() -> None:
    assert released({"service.web.TaskDefinitionArn": "arn:web:3"}) == {
        "web": {"task_definition": "arn:web:3", "release": "a", "images": {"shop/web": "registry/web:a"}},
        "api": {"task_definition": "", "release": "b", "images": {"shop/api": "registry/api:b"}},
    }


def test_a_release_has_one_name() -> None:
    assert release_name(released({})) == "a+b"
    assert release_name({"web": {"release": "a"}, "api": {"release": "a"}, "new": {"release": ""}}) == "a"
    assert release_name({}) == ""


def test_jobs_are_told_with_whether_they_ran() -> None:
    results: list[dict[str, Any]] = [
        {"item": {"key": "migrate"}, "changed": True, "exit_codes": {"migrate": 0}},
        {"item": {"key": "seed"}, "changed": False, "msg": "seed:3 ran well at …"},
        {"item": {"key": "broken"}, "changed": True, "exit_codes": {"side": 0, "main": 3}},
        {"skipped": True},
    ]
    assert jobs_ran(results, {"job.migrate.TaskDefinitionArn": "arn:migrate:3"}) == {
        "migrate": {"task_definition": "arn:migrate:3", "run": True, "exit_code": 0},
        "seed": {"task_definition": "", "run": False, "exit_code": None},
        "broken": {"task_definition": "", "run": True, "exit_code": 3},
    }


def test_a_site_writes_down_what_it_releases_before_the_services_and_after() -> None:
    (task,) = tasks_of("playbooks/tasks/record.yml").values()
    known = variables(site_services=SERVICES, site_jobs={}, publish_images=IMAGES, publish_running={})
    known["site_prefix"] = "shop-prod"
    outputs = {"service.web.TaskDefinitionArn": "arn:web:3"}
    known |= dict(task["vars"]) | {"record_outputs": outputs, "record_jobs": {"skipped": True}}
    facts = evaluate(task["ledger_entry"]["facts"], known)
    assert facts["release"] == "a+b"
    assert facts["services"]["web"]["task_definition"] == "arn:web:3"
    assert facts["jobs"] == {}
    first, last = (list(flat(load(path))) for path in ("playbooks/tasks/site.yml", "playbooks/services.yml"))
    names = [task["name"] for task in first]
    before = first[names.index("Bring up the services and the domain's name") - 1]
    (after,) = [task for task in last if task.get("ansible.builtin.import_tasks") == "tasks/record.yml"]
    assert before["ansible.builtin.import_tasks"] == "record.yml"
    assert last.index(after) == [task["name"] for task in last].index("Wait until each service runs its release") + 1
    jobs = after["vars"]["record_jobs"]
    assert evaluate(jobs, {"site": {"complete": True}, "services_ran": {"results": [1]}}) == {"results": [1]}
    assert evaluate(jobs, {"site": {"complete": False}, "services_ran": {"skipped": True}}) == {}, (
        "they stand there already"
    )
