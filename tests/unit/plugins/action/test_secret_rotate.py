"""A generated secret gets another value for tasks that start; Secrets Manager is real, ECS is stood in for."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import secret_rotate
from plugins.plugin_utils.rotation import versions
from plugins.plugin_utils.rotation.versions import Versions
from tests.unit.plugin_support import run_action
from tests.unit.plugins.action.test_database_rotate import OTHER, WEB, Ecs, Killed


class Site:
    """A secret of a site, whose service reads it."""

    def __init__(self, aws: Cloud) -> None:
        self.vault = aws.client("secretsmanager")
        first = json.dumps({"word": "first", "username": "admin"})
        self.arn = str(self.vault.create_secret(Name="shop-prod/secret/key/01234567", SecretString=first)["ARN"])
        self.versions = Versions(self.vault, self.arn)
        self.ecs = Ecs(self.value, {WEB: [self.arn], OTHER: []})
        self.ecs.start("first")
        self.kill = ""

    def value(self) -> dict[str, Any]:
        return self.versions.current.value

    def client(self, service: str) -> Any:
        if service == "cloudformation":
            told = [{"OutputKey": "SecretArn", "OutputValue": self.arn}] if self.arn else []
            return SimpleNamespace(describe_stacks=lambda StackName: {"Stacks": [{"Outputs": told}]})  # noqa: ARG005
        if service == "ecs":
            return self.ecs

        def step(name: str) -> Any:
            def do(**given: Any) -> Any:
                if self.kill == f"{name} {given.get('VersionStage', '')}".strip():
                    raise Killed
                return getattr(self.vault, name)(**given)

            return do

        names = ("describe_secret", "get_secret_value", "put_secret_value", "update_secret_version_stage")
        return SimpleNamespace(**{name: step(name) for name in names})

    def go(self, state: str, check: bool = False) -> tuple[dict[str, Any], str]:
        shown = list[str]()
        arguments = {
            "state": state, "cluster": "shop-prod", "secret": "key", "stack": "shop-prod-secret-key",
            "value_of": "word", "length": 40, "timeout": 1,
        }  # fmt: skip
        result = run_action(
            secret_rotate, arguments, check, client=self.client, say=lambda _, text, _color=None: shown.append(text)
        )
        assert not self.arn or self.value()["word"] not in str(result) + "".join(shown)
        return result, "\n".join(shown)

    def rotate(self) -> None:
        for service in self.go("switched")[0]["services"]:
            self.ecs.restart(service)
        result, _ = self.go("retired")
        assert not result.get("failed"), result


@pytest.fixture
def site(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("BERTH_POLL_SECONDS", "0.05")
    monkeypatch.setattr(versions, "SETTLE_SECONDS", 0)
    return Site(aws)


def test_tasks_get_another_value_and_the_rest_of_the_secret_stays(site: Site) -> None:
    before = site.versions.ids()["AWSCURRENT"]
    site.rotate()
    now = site.value()
    assert (now["username"], len(now["word"]), now["word"] != "first") == ("admin", 40, True)
    assert list(site.ecs.held.values()) == [now]
    assert site.versions.ids()["AWSPREVIOUS"] == before
    assert "AWSPENDING" not in site.versions.ids()
    assert not site.go("retired")[0]["changed"]


def test_a_task_that_starts_at_once_is_younger_than_the_change(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets Manager may tell the second alone in which the label was moved; the task would never be waited for."""
    monkeypatch.undo()
    monkeypatch.setenv("BERTH_POLL_SECONDS", "0.05")
    for service in site.go("switched")[0]["services"]:
        site.ecs.restart(service, late=0)
    assert site.go("switched")[0]["services"] == []
    assert site.go("retired")[0]["changed"]


STEPS = [
    "put_secret_value", "update_secret_version_stage AWSCURRENT", "update_secret_version_stage AWSPENDING",
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_rotation_that_was_killed_is_finished_by_the_same_command(site: Site, step: str) -> None:
    site.kill = step
    with pytest.raises(Killed):
        site.rotate()
    late = dict(site.value())
    site.kill = ""
    site.rotate()
    assert list(site.ecs.held.values()) == [site.value()]
    assert site.value()["word"] != "first"
    assert (site.value() == late) == (step == STEPS[2]), "one that tasks have read already is not changed again"
    assert "AWSPENDING" not in site.versions.ids()


def test_a_task_that_has_the_value_of_before_is_waited_for(site: Site) -> None:
    site.ecs.start("export", service="")
    site.ecs.restart(*site.go("switched")[0]["services"])
    result, said = site.go("switched")
    assert (result["services"], "a rotation goes on" in said) == ([], True)
    said = site.go("retired")[0]["msg"]
    assert said.startswith(
        "The value of before of the secret key was not retired: after 1 s tasks still have it: export"
    )
    site.ecs.end("export")
    assert site.go("retired")[0]["changed"]


def test_check_mode_says_what_would_be_done_and_changes_nothing(site: Site) -> None:
    result, said = site.go("switched", check=True)
    assert (result["changed"], result["services"], said) == (True, ["web"], "word would get another value")
    assert site.go("retired", check=True)[0]["changed"]
    assert site.value()["word"] == "first"


def test_a_secret_that_is_not_there_yet_is_told(site: Site) -> None:
    site.arn = ""
    assert "The secret key is not there yet (stack shop-prod-secret-key). Type: " in site.go("switched")[0]["msg"]
