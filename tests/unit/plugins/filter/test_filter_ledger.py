"""What the ledger says of a release."""

from __future__ import annotations

from typing import Any

from plugins.filter.ledger import jobs_due, jobs_ran, release_name, services_released
from tests.unit.variables_support import evaluate, variables

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


def test_a_job_that_nobody_had_to_ask_for_has_not_run() -> None:
    results = [{"item": {"key": "migrate"}, "changed": True, "exit_codes": {"migrate": 0}}]
    found = jobs_ran(results, {"job.seed.TaskDefinitionArn": "arn:seed:1"}, ["seed", "migrate"])
    assert found["migrate"]["run"] is True
    assert found["seed"] == {"task_definition": "arn:seed:1", "run": False, "exit_code": None}


def test_a_job_is_due_until_its_revision_has_ended_well() -> None:
    names = ("done", "changed", "failed")
    live = {name: {"task_definition": f"arn:{name}:1", "ran": name != "failed"} for name in names}
    outputs = {f"job.{name}.TaskDefinitionArn": f"arn:{name}:1" for name in ("done", "failed", "new")}
    outputs["job.changed.TaskDefinitionArn"] = "arn:changed:2"
    assert jobs_due(["done", "changed", "failed", "new"], live, outputs) == ["changed", "failed", "new"]
