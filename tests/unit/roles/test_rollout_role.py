"""Which services and jobs go to a release, in which order, and what is proven and written down of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

VARS = ("roles/publish/vars/main.yml", "roles/rollout/vars/main.yml", "playbooks/vars/closing.yml")
JOBS = tasks_of("roles/rollout/tasks/jobs.yml")
MAIN = tasks_of("roles/rollout/tasks/main.yml")
SERVICES = tasks_of("roles/rollout/tasks/services.yml")
PROVE = tasks_of("roles/rollout/tasks/prove.yml")
CONTAINER = {"image": "registry.test/web:1", "mem_limit": "64m", "ports": ["80"]}
SITE: dict[str, Any] = {
    "site_services": {
        "worker": {"containers": {"worker": {"image": "registry.test/worker:1", "mem_limit": "64m"}}},
        "web": {"containers": {"web": CONTAINER}, "routes": [{"to": "web"}]},
        "redis": {"containers": {"redis": {"image": "registry.test/redis:7", "mem_limit": "64m"}}},
    },
    "site_jobs": {
        "migrate": {"like": "web.web", "command": ["migrate"], "run": "before_release", "minutes": 5},
        "clean": {"like": "worker.worker", "command": ["clean"], "schedule": "0 3 * * *"},
        "alone": {"image": "registry.test/alone:1", "mem_limit": "64m", "command": ["x"], "run": "before_release"},
    },
    "site_functions": {
        "f": {"code": "functions/f", "handler": "a.b", "runtime": "python3.13", "routes": "$default"}
    },
}  # fmt: skip
OUTPUTS = {"ClusterName": "shop-prod", "CapacityProviderName": "hosts", "AlbDnsName": "alb.test"}
LIVE = {
    name: {
        "task_definition": f"arn:{name}:1",
        "running": 1,
        "release": "old",
        "name": "old",
        "images": {f"registry.test/{name}": "x"},
    }
    for name in ("web", "worker", "redis")
}


def known(**more: Any) -> dict[str, Any]:
    """What a release of everything knows before the first of its stacks."""
    base: dict[str, Any] = {"publish_live": {"services": LIVE, "jobs": {}, "images": {}}, "site": {"outputs": OUTPUTS}}
    base |= {"publish_select": "local", "publish_release": "2026.11.3", "ansible_check_mode": False}
    base |= {"site_prefix": "shop-prod", "site_tags": {}, "site_beside": "/inventories", "closing_verb": "release"}
    return variables(*VARS, **SITE) | base | {"rollout_verb": "release"} | more


ONE = {"publish_services": ["worker"]}
BACK: dict[str, Any] = {
    "publish_select": "live", "rollout_verb": "rollback", "publish_release": "2026.11.2",
    "publish_again": {name: {"images": {}, "name": "2026.11.2"} for name in ("web", "worker")},
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "web", "behind"),
    [({}, ["web"], ["worker", "redis"]), (ONE, [], ["worker"]), (BACK, ["web"], ["worker"])],
    ids=["all", "one", "back"],
)
def test_what_has_routes_comes_first(given: dict[str, Any], web: list[str], behind: list[str]) -> None:
    names = list(SERVICES)
    first, others = (names.index(f"Bring up the services {which}") for which in ("with routes", "behind them"))
    proof = names.index("Prove that they run the release")
    assert first < proof < others, "and is proven before the others are touched"
    for name, wanted in (("with routes", web), ("behind them", behind)):
        task = SERVICES[f"Bring up the services {name}"]
        asked = evaluate(task["cloudformation_stacks"]["only"], known(**given))
        assert asked == [f"service.{each}" for each in wanted]
        assert holds(task["when"], known(**given)) is bool(wanted), "no name at all would mean all of them"
    assert evaluate(SERVICES["Prove that they run the release"]["vars"]["rollout_proven"], known(**given)) == web
    assert holds(SERVICES["Prove that they run the release"]["when"], known(**given)) is bool(web)


@pytest.mark.parametrize(
    ("running", "front", "behind"),
    [
        ({"web": 1, "worker": 2, "redis": 1}, ["web"], ["worker", "redis"]),
        ({"web": 1, "worker": 2, "redis": 0}, ["web", "redis"], ["worker"]),
        ({}, ["web", "worker", "redis"], []),
    ],
    ids=["all", "but one", "none"],
)
def test_what_does_not_run_is_brought_up_beside_what_may_wait_for_it(
    running: dict[str, int], front: list[str], behind: list[str]
) -> None:
    live = {name: LIVE[name] | {"running": count} for name, count in running.items()}
    given = known(publish_live={"services": live, "jobs": {}, "images": {}})
    asked = SERVICES["Bring up the services with routes"]["cloudformation_stacks"]["only"]
    assert evaluate(asked, given) == [f"service.{each}" for each in front]
    assert evaluate(SERVICES["Prove that they run the release"]["vars"]["rollout_proven"], given) == front
    others = SERVICES["Bring up the services behind them"]
    assert holds(others["when"], given) is bool(behind)
    assert evaluate(others["cloudformation_stacks"]["only"], given) == [f"service.{each}" for each in behind]


@pytest.mark.parametrize(
    ("given", "layers", "first"),
    [
        ({}, ["job.migrate", "job.clean", "job.alone", "function.f"], ["migrate", "alone"]),
        (ONE, ["job.clean"], []),
        ({"publish_services": ["web"]}, ["job.migrate"], ["migrate"]),
        ({"publish_services": ["redis"]}, [], []),
        (BACK, ["job.migrate", "job.clean"], ["migrate"]),
    ],
    ids=["all", "one", "one that migrates", "one without jobs", "back"],
)
def test_jobs_go_with_their_services(given: dict[str, Any], layers: list[str], first: list[str]) -> None:
    task = JOBS["Bring up the functions and the jobs"]
    assert evaluate(task["cloudformation_stacks"]["only"], known(**given)) == layers
    assert holds(task["when"], known(**given)) is bool(layers)
    run = JOBS["Run the jobs that come before a release"]
    assert [each["key"] for each in evaluate(run["loop"], known(**given))] == first
    passed_over = evaluate(run["ecs_run_task"]["passed_over"], known(**given))
    assert passed_over is (given is BACK), "a rollback runs none of them, and has them count as run"


def test_what_else_stands_beside_the_jobs_goes_with_all_of_them() -> None:
    stages = {"jobs": ["function", "job", "queue"]}
    layers = ["job.migrate", "job.clean", "job.alone", "function.f", "queue"]
    task = JOBS["Bring up the functions and the jobs"]
    assert evaluate(task["cloudformation_stacks"]["only"], known(site_stages=stages)) == layers
    assert evaluate(task["cloudformation_stacks"]["only"], known(site_stages=stages, **ONE)) == ["job.clean"]


def test_the_first_job_that_fails_is_the_last() -> None:
    task = JOBS["Run the jobs that come before a release"]
    control = task["loop_control"]
    assert holds(control["break_when"], {"rollout_jobs_ran": {"failed": True}})
    assert not holds(control["break_when"], {"rollout_jobs_ran": {"failed": False}})
    assert task["register"] == "rollout_jobs_ran"
    asked = task["ecs_run_task"]
    assert asked["again"] is False
    made = {"outputs": {"job.migrate.TaskDefinitionArn": "arn:migrate:2"}}
    given = known(rollout_jobs_made=made, item={"key": "migrate", "value": {"minutes": 5}})
    assert evaluate(asked["task_definition"], given) == "arn:migrate:2", "of the new revision"
    assert evaluate(asked["timeout"], given) == 300


def test_a_job_keeps_visitors_out_if_it_says_so() -> None:
    asked = JOBS["Run the jobs that come before a release"]["ecs_run_task"]["maintenance"]
    jobs = SITE["site_jobs"] | {"migrate": {**SITE["site_jobs"]["migrate"], "maintenance": True}}
    closing = known(site_jobs=jobs, item={"key": "migrate"})
    assert evaluate(asked, closing)["by"] == "release"
    assert evaluate(asked, closing | {"item": {"key": "alone"}}) == {}
    assert evaluate(asked, known(item={"key": "migrate"})) == {}
    reopen = MAIN["Let visitors in again, if a job has kept them out"]
    assert holds(reopen["when"], closing)
    assert not holds(reopen["when"], known())
    sure = reopen["vars"]["maintenance_sure"]
    assert [evaluate(sure, known(**each)) for each in ({}, {"rollout_written": {"failed": True}})] == [False, False]
    assert evaluate(sure, known(rollout_written={"changed": True})) is True


def test_autoscaling_is_held_while_a_site_that_scales_is_released() -> None:
    scaling = {"web": {**SITE["site_services"]["web"], "scale": {"min": 1, "max": 3, "cpu": 60}}}
    for name in ("Keep autoscaling from taking tasks away", "Let autoscaling take tasks away again"):
        assert evaluate(MAIN[name]["scale_in"]["cluster"], known()) == "shop-prod"
        assert not holds(MAIN[name]["when"], known())
        services = SITE["site_services"] | scaling
        assert holds(MAIN[name]["when"], known(site_services=services))
        assert holds(MAIN[name]["when"], known(site_services=services, **ONE)), "whatever is released"


SHOW = "Show the static files of the release"


def test_static_files_are_shown_after_the_proof_and_in_a_rollback_before_the_services() -> None:
    steps = tasks_of("roles/rollout/tasks/main.yml")
    names = list(steps)
    hook = names.index("Do what the site does after a release")
    assert names.index("Bring up the services") < names.index(SHOW) < hook
    others: tuple[dict[str, Any], ...] = ({"ansible_check_mode": True}, BACK, {"site_static": {}})
    for more in ({}, *others):
        wanted = more == {}
        given = known(**{"site_static": {"front": {"folder": "dist"}}} | more)
        assert holds(steps[SHOW]["when"], given) is wanted, more
    (block,) = [task["block"] for task in load("playbooks/rollback.yml")[1]["tasks"] if "block" in task]
    order = [task["name"] for task in block]
    assert order.index("Try all that it needs") < order.index("Show its static files")
    assert order.index("Show its static files") == order.index("Bring the services to the release, and prove it") - 1


def test_a_rollback_brings_up_the_functions_whose_code_it_knows() -> None:
    task = JOBS["Bring up the functions and the jobs"]
    given = known(**BACK, function_back={"f": "0a.zip"})
    assert evaluate(task["cloudformation_stacks"]["only"], given) == ["job.migrate", "job.clean", "function.f"]


@pytest.mark.parametrize("changed", [False, True])
def test_a_release_of_other_static_files_alone_has_changed_something(changed: bool) -> None:
    steps = ("rollout_jobs_made", "rollout_jobs_ran", "rollout_web", "rollout_others")
    still = {step: {"changed": False} for step in steps}
    assert evaluate("{{ rollout_changed }}", known(**still)) is False
    for name in ("static_uploaded", "static_made_live"):
        assert evaluate("{{ rollout_changed }}", known(**still, **{name: {"changed": changed}})) is changed


def test_what_ran_is_written_down_also_if_it_failed() -> None:
    (block,) = [task for task in load("roles/rollout/tasks/jobs.yml") if "block" in task]
    (task,) = block["always"]
    codes = {"migrate": 1}
    results = [{"item": {"key": "migrate"}, "changed": True, "failed": True, "exit_codes": codes}]
    facts = evaluate(task["ledger_entry"]["facts"], known(rollout_jobs_ran={"results": results}))
    assert facts["release"] == "2026.11.3"
    assert (facts["jobs"]["migrate"]["run"], facts["jobs"]["migrate"]["exit_code"]) == (True, 1)


def test_the_ledger_is_told_what_runs_now_and_what_was_left_alone() -> None:
    made = {"outputs": {"service.worker.TaskDefinitionArn": "arn:worker:2"}}
    given = known(**ONE, rollout_others=made)
    facts = evaluate(SERVICES["Write down what runs"]["ledger_entry"]["facts"], given)
    assert facts["release"] == "2026.11.3"
    found = {name: (each["task_definition"], each["release"]) for name, each in facts["services"].items()}
    assert found == {
        "web": ("arn:web:1", "old"), "worker": ("arn:worker:2", "2026.11.3"), "redis": ("arn:redis:1", "old"),
    }  # fmt: skip


def test_without_a_given_name_it_is_made_of_those_of_the_services() -> None:
    assert evaluate("{{ rollout_name }}", known(publish_release="")) == "1+7"
    assert evaluate("{{ rollout_name }}", known(publish_release="", **ONE)) == "1"


def test_each_service_is_waited_for_until_it_is_proven() -> None:
    task = PROVE["See that each service runs its release, and nothing else"]
    made = {"outputs": {"service.web.ServiceName": "web-1", "service.web.TaskDefinitionArn": "arn:web:2"}}
    given = known(rollout_web=made, rollout_proven=["web"], item="web")
    assert evaluate(task["loop"], given) == ["web"]
    asked = {name: evaluate(value, given) for name, value in task["ecs_service_wait"].items()}
    assert (asked["service"], asked["task_definition"], asked["proven"]) == ("web-1", "arn:web:2", True)


@pytest.mark.parametrize(
    ("given", "shown"), [({}, ["2026.11.3"]), (ONE, []), (BACK, ["2026.11.2"])], ids=["all", "one behind", "back"]
)
def test_the_release_is_looked_for_where_the_site_shows_it(given: dict[str, Any], shown: list[str]) -> None:
    task = PROVE["See that it is the release that answers"]
    place = {"path": "/version", "header": "X-Release"}
    asked = {
        name: evaluate(value, known(**given, release_shown_at=place)) for name, value in task["https_answer"].items()
    }
    assert (asked["path"], asked["header"], asked["shows"]) == ("/version", "X-Release", shown)
    assert asked["address"] == "alb.test"
    assert holds(task["when"], known(**given, release_shown_at=place)) is bool(shown)
    assert not holds(task["when"], known(**given)), "where nobody says where, nothing is looked for"


@pytest.mark.parametrize(
    ("entries", "changed", "called"),
    [
        ([("good", "2026.11.3")], False, False),
        ([("good", "2026.11.3")], True, True),
        ([("interrupted", "2026.11.3"), ("good", "2026.11.2")], False, True),
        ([("good", ""), ("good", "2026.11.3")], False, False),
        ([], False, True),
    ],
    ids=["the same again", "something new", "the run that changed it was killed", "another verb since", "no ledger"],
)
def test_what_comes_after_a_release_comes_also_if_it_was_killed_before(
    entries: list[tuple[str, str]], changed: bool, called: bool
) -> None:
    ledger = [{"outcome": outcome} | ({"release": name} if name else {}) for outcome, name in entries]
    given = known(rollout_entries=ledger, rollout_changed=changed, site_hooks={"after_release": ["true"]})
    (after,) = [
        each for name, each in tasks_of("roles/rollout/tasks/main.yml").items() if name.endswith("after a release")
    ]
    assert holds(after["when"], given) is called
