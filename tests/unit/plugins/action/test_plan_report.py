"""What the task plan_report is given, shows and writes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from plugins.action import plan_report
from plugins.plugin_utils.plan.model import CHANGE, CREATE, Resource, StackChange, told
from plugins.plugin_utils.site.reading import read_site
from tests.unit.plugin_support import run_action
from tests.unit.plugins.action import test_alb_maintenance as alb
from tests.unit.plugins.plugin_utils.plan.plan_support import LOSS, full
from tests.unit.variables_support import IDENTITY

alb_site = alb.site
"""The fixture."""
GROUP = {"LaunchConfigurationName": "new", "Instances": [{"InstanceId": "i-1", "LifecycleState": "InService"}]}


class Shown(list[tuple[str, Any]]):
    """What was displayed."""

    def display(self, text: str, color: str | None = None) -> None:
        self.append((text, color))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    made = Shown()
    monkeypatch.setattr(plan_report, "Display", lambda: made)
    return made


def report(**given: Any) -> dict[str, Any]:
    """The result of the task, with a site that has nothing beside its stacks."""
    stacks = {"changes": [], "losses": [], "gaps": [], "outputs": {}} | given.pop("stacks", {})
    autoscaling = SimpleNamespace(describe_auto_scaling_groups=lambda **_: {"AutoScalingGroups": [GROUP]})
    return run_action(
        plan_report,
        {"site": "shop", "environment": "live", "stacks": stacks, **given},
        client=lambda *_: autoscaling,
        _templar=Templar(DataLoader()),
    )


def test_it_says_and_answers_what_there_is(shown: Shown) -> None:
    result = report(stacks={"changes": [told(each) for each in full().stacks], "losses": [LOSS]}, remove=["other"])
    assert not result.get("failed"), result
    assert (result["exit_code"], result["changes"], result["changed"]) == (3, True, False)
    assert shown[0] == (f"Plan of shop-live: {result['summary']}", "red")
    named = report(stacks={"losses": [LOSS]}, remove=["shop-db-1"])
    assert named["exit_code"] == 3, "with leave it goes all the same"
    assert any(text.endswith("named in site_remove") for text, _ in shown)


def test_nothing_is_nothing(shown: Shown) -> None:
    result = report(images={"differ": ["shop/web"], "live": {"shop/web": "registry/web:1"}})
    assert (result["exit_code"], result["changes"]) == (0, False)
    assert shown[0] == ("Plan of shop-live: Nothing to change.", "green")
    assert "differs from what is live (registry/web:1), which stays" in shown[-1][0]


def test_hosts_are_told_of_where_there_is_a_group(shown: Shown) -> None:
    report(ami_live={"id": "ami-1"})
    assert len(shown) == 1
    report(ami_live={"id": "ami-1"}, host_group="hosts")
    assert any("1 host is behind" in text for text, _ in shown)
    assert any("ami-1 is of unknown age" in text for text, _ in shown)


def test_a_maintenance_page_is_no_change_and_told(shown: Shown, alb_site: alb.Site) -> None:
    def planned() -> list[str]:
        shown.clear()
        stacks = {"changes": [], "losses": [], "gaps": [], "outputs": {"HttpsListenerArn": alb_site.listener}}
        given = {"site": "shop", "environment": "live", "stacks": stacks}
        client = lambda name, _region=None: alb_site.aws.client(name)  # noqa: E731 (what replaces a method)
        result = run_action(plan_report, given, client=client, _templar=Templar(DataLoader()))
        assert (result["exit_code"], result["changes"]) == (0, False), result
        return [text for text, _ in shown if "maintenance" in text]

    assert planned() == []
    alb_site.typed("on")
    (said,) = planned()
    assert f"The site is in maintenance since {alb_site.rules.since}: visitors are answered 503" in said
    assert said.endswith(" -e maintenance=off")


@pytest.mark.parametrize("closing", [False, True])
def test_a_job_that_keeps_visitors_out_is_told(shown: Shown, monkeypatch: pytest.MonkeyPatch, closing: bool) -> None:
    containers = {"web": {"image": "shop/web", "mem_limit": "64m"}}
    job = {"like": "web.web", "command": ["m"], "run": "before_release", "maintenance": closing}
    described = read_site(IDENTITY | {"site_services": {"web": {"containers": containers}}, "site_jobs": {"m": job}})
    assert not described.problems
    monkeypatch.setattr(plan_report, "site_of", lambda *_: described)
    report(stacks={"changes": [told(StackChange("job.m", "shop-prod-job-m", CREATE))]}, jobs=["m"])
    assert ("m; visitors see the maintenance page meanwhile" in " ".join(text for text, _ in shown)) is closing


@pytest.mark.parametrize("changing", [False, True])
def test_what_a_service_runs_is_compared_with_its_stack(shown: Shown, changing: bool) -> None:
    services = {"web": {"task_definition": "arn:x/web:2"}}
    revision = Resource("TaskDefinition", "AWS::ECS::TaskDefinition", "Modify", physical_id="arn:x/web:1")
    stacks: dict[str, Any] = {"outputs": {"service.web.TaskDefinitionArn": "arn:x/web:1"}}
    if changing:
        stacks = {"changes": [told(StackChange("service.web", "x", CHANGE, resources=[revision]))]}
    report(stacks=stacks, services=services)
    assert any("service.web runs web:2, and its stack says web:1" in text for text, _ in shown)


@pytest.mark.parametrize("kind", ["text", "markdown", "json"])
def test_the_file_has_what_is_shown(shown: Shown, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "plan.out"
    stacks = {"changes": [told(each) for each in full().stacks]}
    assert not report(stacks=stacks, format=kind, output=str(path)).get("failed")
    written = path.read_text()
    assert written == "".join(f"{text}\n" for text, _ in shown)
    assert "\x1b" not in written
    assert written.startswith({"text": "Plan of", "markdown": "### Plan of", "json": "{"}[kind])
    if kind == "json":
        assert json.loads(written)["site"] == "shop"


def test_a_file_that_cannot_be_written_is_named_after_the_plan_was_shown(shown: Shown, tmp_path: Path) -> None:
    result = report(output=str(tmp_path / "none/plan.md"))
    assert result["failed"]
    assert "plan.md: No such file or directory. Name another file: -e output=…" in result["msg"]
    assert shown
