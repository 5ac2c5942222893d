"""Another number of tasks: what is typed, what the stack has then, and what a later `site` makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import service_scale
from plugins.plugin_utils import aws_action
from plugins.plugin_utils.scale_room import Room
from tests.unit.noun_support import TASKS, Deployed, made
from tests.unit.plugin_support import run_action
from tests.unit.plugins.action.test_noun_service_stacks import TASK, site

__all__ = ["site"]  # the fixture
ENTRIES: dict[str, Any] = {
    "service": {
        "web": {**TASK, "replicas": 1},
        "beat": {**TASK, "replicas": 1, "stop_first": True},
        "api": {**TASK, "scale": {"min": 1, "max": 3, "cpu": 60}},
    }
}


@pytest.fixture(scope="module")
def layers() -> dict[str, dict[str, Any]]:
    return made(ENTRIES, TASKS)


@pytest.fixture
def up(site: Deployed, layers: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """A site whose services are there, with room for three tasks, and none being deployed."""
    for name, layer in layers.items():
        site.create(name, layer)
    monkeypatch.setattr(service_scale, "WATCHERS", {})
    monkeypatch.setattr(service_scale, "room", lambda *_: Room(3, "a task takes 64 MiB; i-1 has 128 MiB left"))
    monkeypatch.setattr(service_scale, "primary_of", lambda _: {"rolloutState": "COMPLETED"})
    return site


def scaled(service: str, inventory: str, /, *, check: bool = False, **typed: Any) -> tuple[dict[str, Any], list[str]]:
    """The result, and what was shown."""
    shown: list[str] = []
    arguments = {"prefix": "shop-unit", "service": service, "inventory": inventory, "timeout": 20, **typed}
    say = lambda _name, text, _color=None: shown.append(text)  # noqa: E731 (what replaces a method)
    return run_action(service_scale, arguments, check, say=say), shown


def parameters(aws: Cloud, service: str) -> dict[str, str]:
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=f"shop-unit-service-{service}")["Stacks"]
    told = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    return {name: value for name, value in told.items() if name.startswith(("ServiceRep", "ServiceSc"))}


def desired(aws: Cloud, service: str) -> int:
    ecs = aws.client("ecs")
    arns = ecs.list_services(cluster="shop-unit")["serviceArns"]
    found = ecs.describe_services(cluster="shop-unit", services=arns)["services"]
    (count,) = [each["desiredCount"] for each in found if f"-{service}-" in each["serviceName"]]
    return int(count)


def with_inventory(layer: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The layer where the inventory says another number."""
    said = str(changed.get("ServiceReplicas", layer["parameters"].get("ServiceReplicas")))
    held = {name: {"ServiceScaledFrom": said} for name in layer["keep_while"]}
    return {**layer, "parameters": {**layer["parameters"], **changed}, "keep_while": held}


def test_a_number_that_was_set_stays_until_the_inventory_says_another(
    up: Deployed, layers: dict[str, dict[str, Any]]
) -> None:
    layer = layers["service.web"]
    result, shown = scaled("web", "1", replicas="2")
    assert not result.get("failed"), result
    assert (result["changed"], result["count"]) == (True, "2")
    assert shown[0] == "1 become 2"
    assert parameters(up.aws, "web") == {"ServiceReplicas": "2", "ServiceScaledFrom": "1"}
    assert desired(up.aws, "web") == 2

    assert not up.run("service.web", layer)["changed"], "the inventory says 1 as before"
    release = {**layer, "template_body": layer["template_body"].replace("shop/web:1", "shop/web:2")}
    assert up.run("service.web", release)["changed"]
    assert desired(up.aws, "web") == 2, "a release is no reason"
    assert up.run("service.web", with_inventory(release, ServiceReplicas=3))["changed"]
    assert parameters(up.aws, "web") == {"ServiceReplicas": "3", "ServiceScaledFrom": "inventory"}
    assert desired(up.aws, "web") == 3


def test_back_to_what_the_inventory_says(up: Deployed) -> None:
    scaled("web", "1", replicas="2")
    assert not scaled("web", "1", replicas="2")[0]["changed"]
    result, _ = scaled("web", "1", replicas="inventory")
    assert (result["changed"], result["count"]) == (True, "1")
    assert parameters(up.aws, "web") == {"ServiceReplicas": "1", "ServiceScaledFrom": "inventory"}
    scaled("web", "1", replicas="2")
    assert scaled("web", "1", replicas="1")[0]["changed"], "the same, typed as a number"
    assert parameters(up.aws, "web")["ServiceScaledFrom"] == "inventory"


def test_limits_of_autoscaling_change_together_or_alone(up: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    result, _ = scaled("api", "1-3", min="2")
    assert result["count"] == "2-3"
    scaled("api", "1-3", max="2")
    expected = {"ServiceScaleMinimum": "2", "ServiceScaleMaximum": "2", "ServiceScaledFrom": "1-3"}
    assert parameters(up.aws, "api") == expected
    (target,) = up.aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 2)
    assert not up.run("service.api", layers["service.api"])["changed"]
    assert scaled("api", "1-3", replicas="inventory")[0]["count"] == "1-3"


def test_a_check_run_says_and_changes_nothing(up: Deployed) -> None:
    result, shown = scaled("web", "1", check=True, replicas="2")
    assert (result["changed"], shown) == (True, ["1 would become 2"])
    assert parameters(up.aws, "web")["ServiceReplicas"] == "1"


def test_a_site_says_what_it_keeps(
    up: Deployed, layers: dict[str, dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    said = (
        "ServiceReplicas stays 2, and the inventory says 1. scale.yml has set that; to go back, type: ansible-playbook"
    )
    scaled("web", "1", replicas="2")
    for check in (False, True):
        capfd.readouterr()
        up.run("service.web", layers["service.web"], check=check)
        assert said in " ".join(capfd.readouterr().out.split())
    scaled("web", "1", replicas="inventory")
    capfd.readouterr()
    up.run("service.web", layers["service.web"])
    assert "stays" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("service", "typed", "says"),
    [
        ("web", {"replicas": "3"}, "web cannot have 3 tasks: 0 run, and 3 more, and one that each deployment has"),
        (
            "beat",
            {"replicas": "4"},
            "beat cannot have 4 tasks: 0 run, and 4 more have to have room; there is room for 3",
        ),
        ("api", {"max": "9"}, "api cannot have 9 tasks"),
        ("api", {"replicas": "2"}, "api scales by itself, between 1 and 3 tasks. Say between which numbers"),
        ("api", {}, "api scales by itself"),
        ("api", {"min": "4"}, "min=4 and max=3 of api leave no number"),
        ("api", {"min": "0", "max": "0"}, "min=0 and max=0 of api leave no number"),
        ("web", {"min": "2"}, "web does not scale by itself; it has 1 tasks. Say how many"),
        ("web", {}, "web does not scale by itself"),
        ("web", {"replicas": "two"}, "replicas=two is no whole number from 0 to 1000"),
        ("web", {"replicas": "1001"}, "replicas=1001 is no whole number"),
        ("gone", {"replicas": "2"}, "There is no service gone in shop-unit yet. Type: "),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changed(
    up: Deployed, service: str, typed: dict[str, str], says: str
) -> None:
    inventory = "1-3" if service == "api" else "1"
    arguments: dict[str, Any] = dict(typed)
    result, _ = scaled(service, inventory, **arguments)
    assert result["failed"]
    assert says in result["msg"]
    assert parameters(up.aws, "web") == {"ServiceReplicas": "1", "ServiceScaledFrom": "inventory"}


@pytest.mark.usefixtures("up")
def test_the_last_task_that_has_room_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "failed" not in scaled("beat", "1", replicas="3")[0], "stop-first needs no room beside"
    monkeypatch.setattr(service_scale, "room", lambda *_: Room(0, ""))
    assert "failed" not in scaled("beat", "1", replicas="0")[0], "fewer need no room"


def test_a_stack_of_before_is_told(up: Deployed, layers: dict[str, dict[str, Any]]) -> None:
    assert "The inventory says of web that it scales" in scaled("web", "1-3", replicas="2")[0]["msg"]
    layer = layers["service.web"]
    body = "\n".join(line for line in layer["template_body"].splitlines())
    begin, _, rest = body.partition("  ServiceScaledFrom:\n")
    body = begin + rest.partition("or inventory.\n")[2]
    body = body.replace("  ScaledFrom:\n    Value: !Ref ServiceScaledFrom", "").replace(
        "- ServiceScaledFrom", "- EntryName"
    )
    up.create("service.web", {**{k: v for k, v in layer.items() if not k.startswith("keep")}, "template_body": body})
    assert "was made before there was scale.yml" in scaled("web", "1", replicas="2")[0]["msg"]


def test_a_deployment_that_is_going_on_ends_first(up: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    states = ["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]
    monkeypatch.setattr(service_scale, "primary_of", lambda _: {"rolloutState": states.pop(0)})
    result, shown = scaled("web", "1", replicas="2")
    assert result["changed"]
    assert shown[0].startswith("is being deployed, which has to end first")
    assert states == []
    monkeypatch.setattr(service_scale, "primary_of", lambda _: {"rolloutState": "IN_PROGRESS"})
    monkeypatch.setattr(aws_action.Wait, "pause", lambda *_: False)
    result, _ = scaled("web", "1", replicas="1")
    assert "web was not scaled: it is still being deployed after" in result["msg"]
    assert parameters(up.aws, "web")["ServiceReplicas"] == "2"
