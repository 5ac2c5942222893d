"""The verb verify: everything that is wrong is told at once, by an ECS in memory and the embedded APIs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from ansible.utils.display import Display

from local_aws.cloud import Cloud
from local_aws.tests.ecs_support import World
from plugins.action import site_verify, verify_report
from plugins.plugin_utils import aws_action
from plugins.plugin_utils.site import rendering
from plugins.plugin_utils.site.definitions import Run
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.verify.roles import SERVICE
from plugins.plugin_utils.verify.starts import ENTRY
from tests.unit.plugin_support import run_action
from tests.unit.plugins.plugin_utils.verify.test_starts import Host
from tests.unit.service_support import Clients

GROUP = "/demo/service/web"
ARGUMENTS: dict[str, Any] = {"prefix": "demo", "log_prefix": "/demo"}
FINDINGS: dict[str, Any] = {
    "check": "role", "subject": "service.web", "what": "task role", "state": "OK", "reason": "it is there",
}  # fmt: skip


class Site:
    """A site that is up.

    Attributes:
        world: its ECS.
        host: its host.
        secret: ARN of its secret.
        registry: address of its image's repository.
    """

    def __init__(self, aws: Cloud) -> None:
        self.aws, self.world = aws, World()
        self.host = Host(self.world, "", 1000)
        able = ("ecs.capability.secrets.asm.environment-variables", "ecs.capability.execution-role-awslogs")
        named = [*able, "com.amazonaws.ecs.capability.task-iam-role"]
        attributes = [{"name": name, "targetId": self.host.arn} for name in named]
        self.world.call("PutAttributes", cluster="demo", attributes=attributes)
        for name in ("execution", "task"):
            self.trust(name, SERVICE, make=True)
        aws.client("logs").create_log_group(logGroupName=GROUP)
        self.secret = aws.client("secretsmanager").create_secret(Name="demo/app", SecretString='{"key": "hush"}')["ARN"]
        self.registry = aws.client("ecr").create_repository(repositoryName="demo/app")["repository"]["repositoryUri"]
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
        manifest |= {"config": {"digest": "sha256:" + "c" * 64}, "layers": []}
        aws.client("ecr").put_image(repositoryName="demo/app", imageTag="1", imageManifest=json.dumps(manifest))
        container = {
            "name": "app", "image": f"{self.registry}:1", "memory": 100, "dockerLabels": {"berth.image": "shop/app"},
        }  # fmt: skip
        made = self.world.call(
            "RegisterTaskDefinition",
            family="demo-service-web",
            containerDefinitions=[container],
            executionRoleArn="arn:aws:iam::123456789012:role/demo-execution",
            taskRoleArn="arn:aws:iam::123456789012:role/demo-task",
        )
        self.world.create(made["taskDefinition"]["taskDefinitionArn"])
        self.described = {
            "site_name": "demo", "environment_name": "unit", "domain_name": "www.demo.test",
            "site_services": {
                "web": {
                    "containers": {
                        "app": {"image": "shop/app", "mem_limit": "100m", "secrets": {"KEY": f"{self.secret}:key"}}
                    }
                }
            },
        }  # fmt: skip

    def trust(self, name: str, service: str, make: bool = False) -> None:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        if make:
            self.aws.client("iam").create_role(RoleName=f"demo-{name}", AssumeRolePolicyDocument=policy)
        else:
            self.aws.client("iam").update_assume_role_policy(RoleName=f"demo-{name}", PolicyDocument=policy)

    def client(self, service: str, _region: str | None = None) -> Any:
        if service != "ecs":
            return self.aws.client(service)
        ecs = Clients(self.world)("ecs")
        ecs.meta = type("Meta", (), {"region_name": "us-east-1"})
        return ecs

    def asked(self, check: bool = False, **more: Any) -> dict[str, Any]:
        site = read_site(self.described)
        assert not site.problems
        entry = rendering.entry(site, "service.web", Run({"shop/app": "shop/app"}, "us-east-1"))
        return run_action(site_verify, {**ARGUMENTS, "services": {"web": entry}, **more}, check, client=self.client)


@pytest.fixture
def site(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(aws)

    def wait(seconds: float, say: Any, name: str) -> aws_action.Wait:
        world = made.world
        return aws_action.Wait(seconds, say, name, lambda: world.now, lambda pause: world.tick(2, pause / 2))

    monkeypatch.setattr(site_verify, "Wait", wait)
    # The registry of these APIs holds no layers; its own tests and those of `images` are about them.
    answer = {"layers": [{"layerDigest": "sha256:" + "c" * 64, "layerAvailability": "AVAILABLE"}]}
    client = aws.client("ecr")
    monkeypatch.setattr(client, "batch_check_layer_availability", lambda **_: answer)
    ask = made.client
    monkeypatch.setattr(
        made, "client", lambda service, region=None: client if service == "ecr" else ask(service, region)
    )
    return made


def states(result: Mapping[str, Any]) -> dict[str, str]:
    assert not result.get("failed"), result
    return {f"{each['subject']} {each['what']}": each["state"] for each in result["findings"]}


def wrong(result: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"{each['subject']} {each['what']}": each["reason"] for each in result["findings"] if each["state"] == "WRONG"
    }


def test_a_site_that_is_well_is_ok_in_everything(site: Site) -> None:
    result = site.asked()
    found = states(result)
    assert {name for name, state in found.items() if state != "OK"} == {
        "last good release can be pulled", "service.web/app known weaknesses",
    }  # fmt: skip
    assert {
        "service.web/app in the registry", "service.web/app a host can pull it", "service.web/app KEY",
        "service.web execution role", "service.web task role", "service.web takes an event",
        "service.web a new task fits", "service.web a container's log opens",
    } <= found.keys()  # fmt: skip
    assert "hush" not in json.dumps(result), "no value of a secret comes to this machine"
    assert not result["changed"]
    assert site.aws.client("logs").describe_log_streams(logGroupName=GROUP)["logStreams"] == []


def test_everything_that_is_wrong_is_told_at_once(site: Site) -> None:
    site.trust("execution", "ec2.amazonaws.com")
    site.aws.client("iam").delete_role(RoleName="demo-task")
    site.aws.client("ecr").batch_delete_image(repositoryName="demo/app", imageIds=[{"imageTag": "1"}])
    site.aws.client("secretsmanager").delete_secret(SecretId=site.secret, ForceDeleteWithoutRecovery=True)
    site.aws.client("logs").delete_log_group(logGroupName=GROUP)
    found = wrong(site.asked())
    assert "the registry has no image" in found["service.web/app in the registry"]
    assert "there is no secret" in found["service.web/app KEY"]
    assert "does not trust" in found["service.web execution role"]
    assert "there is no role demo-task" in found["service.web task role"]
    assert "there is no log group" in found["service.web takes an event"]
    assert len(found) == 5


def test_what_has_a_role_that_ecs_cannot_take_is_not_started(site: Site) -> None:
    site.trust("task", "ec2.amazonaws.com")
    result = site.asked()
    assert list(wrong(result)) == ["service.web task role"]
    assert states(result)["service.web/app KEY"] == "NOT ASKED"
    assert "demo-verify" not in site.world.region.revisions


def test_a_weakness_of_an_image_is_wrong_from_the_threshold_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"findingSeverityCounts": {"HIGH": 1}}
    answer = {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": found}
    monkeypatch.setattr(site.client("ecr"), "describe_image_scan_findings", lambda **_: answer)
    assert states(site.asked())["service.web/app known weaknesses"] == "OK"
    assert not wrong(site.asked(scan_threshold="critical"))
    assert list(wrong(site.asked(scan_threshold="high"))) == ["service.web/app known weaknesses"]


def test_what_a_host_cannot_pull_is_told_by_its_agent(site: Site) -> None:
    site.host.fails.add(f"{site.registry}:1")
    found = wrong(site.asked())
    assert "CannotPullImageManifestError" in found["service.web/app a host can pull it"]


def test_a_check_run_changes_nothing(site: Site) -> None:
    before = dict(site.world.region.revisions)
    found = states(site.asked(check=True))
    for what in ("service.web/app a host can pull it", "service.web/app KEY", "service.web takes an event"):
        assert found[what] == "NOT ASKED"
    assert found["service.web execution role"] == "OK"
    assert site.world.region.revisions == before


def test_without_a_host_that_takes_tasks_what_it_would_tell_is_not_asked(site: Site) -> None:
    site.world.call(
        "UpdateContainerInstancesState", cluster="demo", containerInstances=[site.host.arn], status="DRAINING"
    )
    found = states(site.asked())
    assert found["service.web/app a host can pull it"] == "NOT ASKED"
    assert found["service.web a new task fits"] == "WRONG"


def test_a_site_that_is_not_up_says_what_to_type(site: Site) -> None:
    result = site.asked(prefix="other")
    assert result["failed"]
    assert result["msg"].startswith(
        "There is no cluster other, so there is nothing to verify yet. Type: ansible-playbook "
    )


def test_the_last_good_release_is_looked_for_where_the_ledger_is_known(site: Site) -> None:
    images = {"shop/app": f"{site.registry}:0"}
    entry = {"release": "r0", "outcome": "good", "services": {"web": {"task_definition": "td:0", "images": images}}}
    found = wrong(site.asked(entries=[entry]))
    assert list(found) == ["r0: service.web can be pulled"]


def shown(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> tuple[dict[str, Any], str]:
    lines: list[str] = []
    monkeypatch.setattr(Display, "display", lambda _self, text, **_: lines.append(text))
    return run_action(verify_report, arguments), "\n".join(lines)


def test_the_report_counts_and_is_well_without_anything_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    unasked = {**FINDINGS, "what": "roles", "state": "NOT ASKED", "reason": "not authorized"}
    result, said = shown(monkeypatch, findings=[FINDINGS, unasked], databases={"main": "db:5432"})
    assert not result.get("failed")
    assert (result["ok"], result["wrong"], result["not_asked"]) == (1, 0, 2)
    assert said.endswith("1 OK, 0 WRONG, 2 NOT ASKED")
    assert "database.main" in said


def test_the_report_fails_with_all_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {**FINDINGS, "state": "WRONG", "reason": "gone"}
    answers = [{"item": "main", "rc": 124, "stdout": ""}]
    result, said = shown(monkeypatch, findings=[bad], databases={"main": "db:5432"}, answers=answers, host="i-1")
    assert result["failed"]
    assert result["msg"] == (
        "2 things that the site needs are wrong: service.web, database.main. The lines WRONG above say why."
    )
    assert len(re.findall("^WRONG", said, re.MULTILINE)) == 2


DOWN = {"check": "way in", "subject": "service.web/app:80", "what": "answers", "state": "WRONG", "reason": "a 500"}
GONE = {
    "check": "last good release",
    "subject": "r0: service.web",
    "what": "can be pulled",
    "state": "WRONG",
    "reason": "x",
}


def test_how_what_is_replaced_answers_ends_no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that is down is brought up by one; and an old image that is gone comes never back."""
    result, said = shown(monkeypatch, findings=[FINDINGS, DOWN, GONE], replaced=True)
    assert not result.get("failed"), result
    assert result["warnings"] == [
        "service.web/app:80 (answers): a 500. That is of what is replaced now.",
        "r0: service.web (can be pulled): x. That is of what is replaced now.",
    ]
    assert (result["wrong"], len(re.findall("^WRONG", said, re.MULTILINE))) == (2, 2)
    assert "warnings" not in shown(monkeypatch, findings=[FINDINGS], replaced=True)[0]


def test_all_else_that_is_wrong_does_and_so_does_all_of_it_to_who_only_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    led = DOWN | {"what": "a listener leads to it"}
    result, _ = shown(monkeypatch, findings=[DOWN, led, GONE], replaced=True)
    assert result["msg"].startswith("1 thing that the site needs is wrong: service.web/app:80.")
    result, _ = shown(monkeypatch, findings=[DOWN, GONE])
    assert result["msg"].startswith("2 things that the site needs are wrong: service.web/app:80, r0: service.web.")


def test_the_report_as_json_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = shown(monkeypatch, findings=[FINDINGS], format="json", prefix="demo")
    assert json.loads(said) == {"site": "demo", "ok": 1, "wrong": 0, "not_asked": 0, "findings": [FINDINGS]}


def test_the_entry_point_that_is_not_there_is_an_absolute_path() -> None:
    assert ENTRY.startswith("/"), "a bare name would be looked for in PATH"
