"""A job that keeps visitors out: from when on, and in which cases it does not."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.action import ecs_run_task
from tests.unit.plugins.action.test_alb_maintenance import PAGE, PREFIX, Site, site
from tests.unit.plugins.action.test_modules_ecs import ONE_OFF, a_task, no_real_waits, one_off, run

__all__ = ["no_real_waits", "site"]  # fixtures
PAGE_OF_A_JOB: dict[str, Any] = {
    "prefix": PREFIX, "tags": {"Site": "shop"}, "page": PAGE, "beside": "", "allowed_cidrs": ["203.0.113.9/32"],
    "by": "release",
}  # fmt: skip
RAN = [{"key": "LastSuccess", "value": "2026-11-27T09:00:00+00:00"}]


class Job:
    """A job beside a load balancer; `closed` says whether the page was shown when its task was started."""

    def __init__(self, site: Site, code: int = 0, **answers: Any) -> None:
        self.site, self.closed = site, list[bool]()
        self.clients = one_off(a_task("STOPPED", code), **answers)
        self.clients["ecs"].answers["run_task"] = self._start
        self.clients |= {name: site.aws.client(name) for name in ("cloudformation", "elbv2")}

    def _start(self, **_: Any) -> dict[str, Any]:
        self.closed.append(self.site.rules.on)
        return {"tasks": [a_task("PROVISIONING")], "failures": []}

    def run(self, check: bool = False, **more: Any) -> tuple[dict[str, Any], str]:
        given = ONE_OFF | {"maintenance": PAGE_OF_A_JOB} | more
        return run(ecs_run_task, self.clients, check, **given)


@pytest.mark.parametrize("code", [0, 1], ids=["well", "failed"])
def test_the_page_is_there_before_the_task_and_stays_until_it_is_taken_away(site: Site, code: int) -> None:
    job = Job(site, code)
    result, shown = job.run()
    assert bool(result.get("failed")) is bool(code)
    assert job.closed == [True]
    assert "maintenance: is on as long as release runs: everybody else is answered 503" in shown
    assert (site.rules.verb, site.rules.cidrs) == ("release", ["203.0.113.9/32"])
    assert site.typed("settled")["changed"]


def test_a_job_that_says_nothing_closes_nothing(site: Site) -> None:
    job = Job(site)
    job.run(maintenance={})
    assert (job.closed, site.rules.ours) == ([False], {})


@pytest.mark.parametrize("more", [{"again": False}, {"passed_over": True}], ids=["it ran already", "it is passed over"])
def test_a_job_that_does_not_run_closes_nothing(site: Site, more: dict[str, Any]) -> None:
    job = Job(site)
    told = job.clients["ecs"].answers["describe_task_definition"]
    job.clients["ecs"].answers["describe_task_definition"] = told | ({"tags": RAN} if "again" in more else {})
    result, _ = job.run(**more)
    assert not result["changed"]
    assert (job.closed, site.rules.ours) == ([], {})


def test_nor_does_one_that_is_refused_for_another(site: Site) -> None:
    job = Job(site, list_tasks={"taskArns": ["arn:other"]})
    job.clients["ecs"].answers["describe_tasks"] = {"tasks": [a_task("RUNNING")]}
    job.clients["ecs"].answers["describe_task_definition"]["taskDefinition"]["family"] = "shop-prod-job-migrate"
    result, _ = job.run(alone=True)
    assert "runs already" in result["msg"]
    assert site.rules.ours == {}


def test_a_check_run_says_and_closes_nothing(site: Site) -> None:
    job = Job(site)
    result, shown = job.run(check=True)
    assert result["msg"].endswith("would be run.")
    assert shown == "maintenance: would be switched on"
    assert (job.closed, site.rules.ours) == ([], {})


def test_a_page_that_cannot_be_shown_keeps_the_job_from_running(site: Site) -> None:
    job = Job(site)
    result, _ = job.run(maintenance=PAGE_OF_A_JOB | {"page": "<p>" + "x" * 1024})
    assert "maintenance_page has 1027 bytes" in result["msg"]
    assert job.closed == []


def test_a_site_that_a_person_has_closed_stays_as_it_is(site: Site) -> None:
    site.typed("on", page="<p>Mine")
    job = Job(site)
    _, shown = job.run()
    assert "maintenance: is on already, and stays on when this is through" in shown
    assert (site.answered(), job.closed) == ("<p>Mine", [True])
    assert not site.typed("settled")["changed"]
