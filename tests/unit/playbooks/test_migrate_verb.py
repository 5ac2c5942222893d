"""The verb migrate: the jobs before a release, in their order, of what is live, and never two at once."""

from __future__ import annotations

from typing import Any

from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

APP = {"image": "shop/web", "mem_limit": "64m"}
SITE: dict[str, Any] = {
    "site_services": {"web": {"containers": {"proxy": APP, "app": APP}}},
    "site_jobs": {
        "schema": {"like": "web.app", "command": ["schema"], "run": "before_release", "minutes": 90},
        "report": {"like": "web.app", "command": ["report"]},
        "data": {"like": "web.app", "command": ["data"], "run": "before_release"},
    },
}
REFUSAL = tasks_of("playbooks/migrate.yml")["Refuse a site that has nothing to run before a release"][
    "ansible.builtin.assert"
]


def known(site: dict[str, Any] = SITE, **more: Any) -> dict[str, Any]:
    (play,) = load("playbooks/migrate.yml")
    identity = {"site_prefix": "shop-prod", "site_tags": {}, "site_beside": "/inventories"}
    return variables("playbooks/vars/closing.yml", **site) | dict(play["vars"]) | identity | more


def test_all_jobs_before_a_release_run_in_their_order() -> None:
    assert evaluate("{{ migrate_jobs }}", known()) == ["schema", "data"]
    task = tasks_of("playbooks/migrate.yml")["Run one after the other"]
    assert evaluate(task["loop"], known()) == ["schema", "data"]
    assert holds(REFUSAL["that"], known())


def test_a_site_without_one_is_told_what_to_write() -> None:
    for jobs, like in (({}, "web.proxy"), ({"report": SITE["site_jobs"]["report"]}, "web.app")):
        there = known(SITE | {"site_jobs": jobs})
        assert not holds(REFUSAL["that"], there)
        said = evaluate(REFUSAL["fail_msg"], there)
        assert f"site_jobs: {{migrate: {{like: {like}, command: [" in said
        assert "run: before_release}}, then ansible-playbook site.yml" in said


def test_each_is_the_revision_that_is_live_and_runs_alone() -> None:
    tasks = tasks_of("playbooks/tasks/migrate.yml")
    there = known(migrate_job="schema", migrate_live={"images": {"shop/web": "registry/web:1"}}) | {
        "migrate_revision": {"task_definition": "arn/schema:3", "release": "1"}, "migrate_task": {"seconds": 83},
        "ansible_check_mode": False,
    }  # fmt: skip
    find = tasks["Find the job's revision that belongs to what is live"]["ecs_task_revision"]
    assert {name: evaluate(value, there) for name, value in find.items()} == {
        "family": "shop-prod-job-schema", "images": {"shop/web": "registry/web:1"},
    }  # fmt: skip
    run = tasks["Run the job, and show its log"]["ecs_run_task"]
    assert {name: evaluate(value, there) for name, value in run.items()} == {
        "cluster": "shop-prod", "task_definition": "arn/schema:3", "started_by": "migrate", "alone": True,
        "join": False, "again": True, "maintenance": {}, "timeout": 5400,
    }  # fmt: skip
    say = tasks["Say how long it took"]["ansible.builtin.debug"]["msg"]
    assert evaluate(say, there) == "schema of the release 1 ended with exit code 0 after 83 s."
    assert evaluate(say, there | {"ansible_check_mode": True}) == "schema of the release 1 would be run."


def test_one_that_keeps_visitors_out_lets_them_in_again_however_it_ends() -> None:
    tasks = tasks_of("playbooks/tasks/migrate.yml")
    jobs = SITE["site_jobs"] | {"schema": {**SITE["site_jobs"]["schema"], "maintenance": True}}
    there = known(SITE | {"site_jobs": jobs}, migrate_job="schema")
    asked = tasks["Run the job, and show its log"]["ecs_run_task"]["maintenance"]
    assert evaluate(asked, there)["by"] == "migrate"
    assert evaluate(asked, there | {"migrate_job": "data"}) == {}
    (block,) = [task for task in load("playbooks/tasks/migrate.yml") if "block" in task]
    (reopen,) = block["always"]
    assert reopen["ansible.builtin.include_role"] == {"name": "maintenance", "tasks_from": "reopen"}
    assert holds(reopen["when"], there)
    assert not holds(reopen["when"], there | {"migrate_job": "data"})
    for failed in (False, True):
        told = there | {"migrate_task": {"failed": failed}}
        assert evaluate(reopen["vars"]["maintenance_sure"], told) is not failed
