"""Replacing hosts, against the embedded ECS and its scheduler, and a group that launches what it is told to."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.ecs.errors import EcsError
from local_aws.tests.ecs_support import Agent, World
from plugins.action import hosts_refresh
from plugins.plugin_utils import aws_action
from tests.unit.plugin_support import run_action

CHANGING = {
    "update_container_instances_state", "set_desired_capacity", "terminate_instance_in_auto_scaling_group", "stop_task",
}  # fmt: skip


class Killed(BaseException):
    """SIGKILL, which no handler sees."""


class Site:
    """A cluster of hosts that a group launches, in two zones in turn.

    Args:
        count: hosts that there are and are to be.
        maximum: that the group may have.
        tasks: of the one service, behind a load balancer.
    """

    def __init__(self, count: int, maximum: int, tasks: int = 2) -> None:
        self.world = World()
        self.wanted = self.desired = count
        self.maximum, self.launched = maximum, 0
        self.hosts: dict[str, str] = {}
        self.version = "1"
        self.joins = True
        self.failures: list[str] = []
        self.proofs: list[str] = []
        self.calls: list[str] = []
        self.killed_at = 0
        self.lost = 0
        provider = {
            "autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:u:autoScalingGroupName/asg"
        }
        self.world.call("CreateCapacityProvider", name="legacy", autoScalingGroupProvider=provider)
        self.world.call(
            "PutClusterCapacityProviders",
            cluster="demo",
            capacityProviders=["legacy"],
            defaultCapacityProviderStrategy=[],
        )
        self.launch()
        self.world.balanced(self.world.define(), desired=tasks)
        self.pass_time(20)
        self.version, self.lost = "2", 0

    def pass_time(self, seconds: float) -> None:
        for _ in range(max(1, int(seconds * 2))):
            self.world.tick(1)
            self.lost += not self.served

    @property
    def served(self) -> bool:
        """Whether a task that runs is behind the load balancer and healthy."""
        return any(state == "healthy" for state in self.world.elsewhere.health.values())

    @property
    def running(self) -> dict[str, int]:
        """Host → tasks that run there."""
        instances = self.world.region.instances
        names = [instances[task.instance].ec2_id for task in self.world.tasks() if task.wanted]
        return {name: names.count(name) for name in names}

    @property
    def shape(self) -> tuple[list[tuple[str, str]], int]:
        """What is there: version and status of the hosts; what the group is to have."""
        status = {each.ec2_id: each.status for each in self.world.region.instances.values()}
        return sorted((version, status.get(name, "")) for name, version in self.hosts.items()), self.desired

    # The group

    def launch(self) -> None:
        while len(self.hosts) < self.desired and not self.failures:
            self.launched += 1
            name = f"i-{self.launched}"
            self.hosts[name] = self.version
            self.world.elsewhere.groups[name] = "asg"
            if self.joins:
                self.world.agent(name)

    def describe_auto_scaling_groups(self, **_given: Any) -> dict[str, Any]:
        members = [
            {
                "InstanceId": name, "LifecycleState": "InService", "AvailabilityZone": "ab"[int(name[2:]) % 2],
                "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": version},
            }
            for name, version in self.hosts.items()
        ]  # fmt: skip
        group = {
            "Instances": members, "DesiredCapacity": self.desired, "MaxSize": self.maximum,
            "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": self.version},
        }  # fmt: skip
        return {"AutoScalingGroups": [group]}

    def set_desired_capacity(self, DesiredCapacity: int, **_given: Any) -> None:
        assert self.wanted <= DesiredCapacity <= self.maximum
        self.desired = DesiredCapacity
        self.launch()

    def terminate_instance_in_auto_scaling_group(self, InstanceId: str, ShouldDecrementDesiredCapacity: bool) -> None:
        if InstanceId not in self.hosts:
            error = {"Code": "ValidationError", "Message": f"Instance Id not found - {InstanceId}"}
            raise ClientError({"Error": error}, "TerminateInstanceInAutoScalingGroup")
        del self.hosts[InstanceId]
        self.world.elsewhere.gone.add(InstanceId)
        self.desired -= ShouldDecrementDesiredCapacity
        self.launch()

    def describe_scaling_activities(self, **_given: Any) -> dict[str, Any]:
        now = datetime.datetime.now(datetime.UTC)
        activities = [{"StatusCode": "Failed", "StartTime": now, "StatusMessage": each} for each in self.failures]
        return {"Activities": activities}

    # EC2 and the load balancer

    def describe_instances(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:
        names = Filters[0]["Values"]
        instances = [{"InstanceId": name, "ImageId": f"ami-{self.hosts[name]}"} for name in names]
        return {"Reservations": [{"Instances": instances}]}

    def get_console_output(self, **_given: Any) -> dict[str, str]:
        return {"Output": "ecs-boot-report: BEGIN report: no route to ECS\necs-boot-report: END report\n"}

    def describe_target_health(self, **_given: Any) -> dict[str, Any]:
        found = self.world.elsewhere.health.items()
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": host, "Port": port}, "TargetHealth": {"State": state}}
                for (host, port), state in found
            ]
        }


class Client:
    """boto3's client of any service, in front of a `Site`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.meta = SimpleNamespace(region_name="us-east-1")

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        site = self._site
        action = "".join(word.capitalize() for word in operation.split("_"))

        def call(**arguments: Any) -> Any:
            if operation in CHANGING:
                site.calls.append(operation)
            if hasattr(Site, operation):
                answer = getattr(site, operation)(**arguments)
            else:
                try:
                    answer = site.world.call(action, **arguments)
                except EcsError as error:
                    raise ClientError({"Error": {"Code": error.kind, "Message": str(error)}}, action) from error
            if operation in CHANGING and len(site.calls) == site.killed_at:
                raise Killed
            return answer

        return call

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **arguments: [getattr(self, operation)(**arguments)])


@pytest.fixture(autouse=True)
def _time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting lets the site's time pass; each start is well."""

    def wait(seconds: float, say: Any, name: str) -> aws_action.Wait:
        site = say.__self__
        return aws_action.Wait(seconds, say, name, lambda: site.site.world.now, lambda s: site.site.pass_time(s))

    def unproved(_client: Any, _cluster: str, host: str, services: Any, _wait: Any) -> list[str]:
        assert services
        Turn.site_now.proofs.append(host)
        return ["service.web: no such volume"] if host in Turn.broken else []

    monkeypatch.setattr(hosts_refresh, "Wait", wait)
    monkeypatch.setattr(hosts_refresh, "unproved", unproved)
    Turn.broken = set()


class Turn:
    """One run of the action."""

    site_now: Site
    broken: Collection[str] = ()

    def __init__(self, site: Site) -> None:
        self.site = site
        Turn.site_now = site
        self.shown: list[str] = []

    def say(self, _name: str, text: str, _color: str | None = None) -> None:
        self.shown.append(text)

    def run(self, goal: str = "refresh", check: bool = False, **more: Any) -> dict[str, Any]:
        given = {
            "cluster": "demo", "auto_scaling_group": "asg", "capacity_provider": "legacy", "wanted": self.site.wanted,
            "goal": goal, "join_timeout": 60, "drain_timeout": 120,
        }  # fmt: skip
        return run_action(
            hosts_refresh, given | more, check, client=lambda _service, _region=None: Client(self.site), say=self.say
        )


def refresh(site: Site, goal: str = "refresh", check: bool = False, **more: Any) -> tuple[dict[str, Any], str]:
    turn = Turn(site)
    result = turn.run(goal, check, **more)
    return result, "\n".join(turn.shown)


@pytest.mark.parametrize(("count", "maximum"), [(1, 2), (2, 3), (2, 4), (3, 4)])
def test_all_hosts_are_replaced_and_something_serves_all_the_time(count: int, maximum: int) -> None:
    site = Site(count, maximum)
    result, shown = refresh(site)
    assert not result.get("failed"), result
    assert site.shape == ([("2", "ACTIVE")] * count, count)
    assert set(site.running) <= set(site.hosts)
    assert sum(site.running.values()) == 2
    assert (site.lost, result["changed"], result["old"], len(result["new"])) == (0, True, [], count)
    assert set(site.proofs) == set(site.hosts)
    assert "let the group have" in shown
    again, quiet = refresh(site)
    assert (again["changed"], again["steps"]) == (False, [])
    assert quiet.startswith("all hosts are made from what new ones are made from: i-")


def ends_of(goal: str) -> tuple[list[tuple[str, str]], int]:
    kept = [("1", "DRAINING"), ("1", "DRAINING"), ("2", "ACTIVE"), ("2", "ACTIVE")]
    return {"refresh": ([("2", "ACTIVE")] * 2, 2), "keep": (kept, 4), "back": ([("1", "ACTIVE")] * 2, 2)}[goal]


@pytest.mark.parametrize("call", range(1, 11))
@pytest.mark.parametrize("goal", ["refresh", "keep", "back"])
def test_killed_after_any_call_the_same_command_comes_to_the_same_end(goal: str, call: int) -> None:
    site = Site(2, 4)
    if goal == "back":
        refresh(site, "keep")
    site.killed_at, before = len(site.calls) + call, len(site.calls)
    try:
        refresh(site, goal)
    except Killed:
        assert len(site.calls) - before == call
    site.killed_at = 0
    result, _ = refresh(site, goal)
    assert not result.get("failed"), result
    assert site.shape == ends_of(goal)
    assert site.lost == 0
    serving = {"2"} if goal != "back" else {"1"}
    assert {site.hosts[name] for name in site.running} == serving


def test_kept_hosts_take_no_tasks_go_back_and_leave() -> None:
    site = Site(2, 4)
    result, shown = refresh(site, "keep")
    assert (site.shape, result["image"]) == (ends_of("keep"), "ami-1")
    assert "kept beside them, without tasks: i-1, i-2" in shown
    assert not refresh(site, "keep")[0]["changed"]
    back, _ = refresh(site, "back")
    assert (site.shape, back["image"], back["new"]) == (ends_of("back"), "ami-1", [])
    assert not refresh(site, "back")[0]["changed"]
    refresh(site, "keep")
    refresh(site, "refresh")
    assert (site.shape, site.lost) == (ends_of("refresh"), 0)


def test_a_check_run_says_the_steps_and_changes_nothing() -> None:
    site = Site(2, 3)
    site.version = "1"
    result, shown = refresh(site, check=True, launch_changes=True)
    assert result["changed"]
    assert result["steps"][0] == "let the group have 3 hosts"
    assert [step.split()[0] for step in result["steps"]] == ["let", "prove", "drain", "terminate"] * 2
    assert "would drain i-" in shown
    assert (site.calls, site.proofs) == ([], [])
    assert not refresh(site, check=True)[0]["changed"]


def test_without_room_it_is_said_what_would_be_interrupted_and_what_to_type() -> None:
    site = Site(1, 1, tasks=1)
    result, _ = refresh(site)
    assert result["failed"]
    assert result["msg"].startswith("No new host can stand beside the old ones: there may be 1. No host was touched.")
    assert "refresh_hosts.yml" in result["msg"]
    assert '-e \'{"site_hosts": {"min": 1, "max": 2}}\'' in result["msg"]
    assert "web would be away for the minutes that a new host takes to start" in result["msg"]
    assert "-e hosts_downtime=true" in result["msg"]
    assert site.calls == []
    assert refresh(site, check=True)[0]["msg"] == result["msg"]
    done, shown = refresh(site, in_place=True)
    assert not done.get("failed"), done
    assert site.shape == ([("2", "ACTIVE")], 1)
    assert "for which the group launches another" in shown
    kept, _ = refresh(Site(2, 3), "keep")
    assert '"max": 4' in kept["msg"]
    assert kept["msg"].endswith("-e keep_old=true")


def test_back_without_the_old_hosts_names_their_image() -> None:
    site = Site(2, 3)
    refresh(site)
    result, _ = refresh(site, "back")
    assert "0 of before are left to go back to. Nothing was changed." in result["msg"]
    assert "-e host_ami_id=ami-…" in result["msg"]


def test_a_host_that_does_not_join_is_told_with_what_it_and_its_group_say() -> None:
    site = Site(2, 3)
    site.joins = False
    result, shown = refresh(site)
    assert "i-3 is InService, not registered yet" in result["msg"]
    assert "host i-3 did not join: no route to ECS" in result["msg"]
    assert "After 60 s the refresh waits: hosts are not ready" in result["msg"]
    assert "-e back=true" in result["msg"]
    assert shown.count("no route to ECS") == 1
    assert site.running == {"i-1": 1, "i-2": 1}, "no host was drained"
    back, _ = refresh(site, "back")
    assert not back.get("failed"), back
    assert (site.shape, site.lost) == (ends_of("back"), 0)


def test_a_launch_that_fails_is_told_and_can_be_gone_back_from() -> None:
    site = Site(2, 3)
    site.failures = ["We currently do not have sufficient t3.micro capacity"]
    result, _ = refresh(site)
    assert "1 more to be launched" in result["msg"]
    assert "asg: We currently do not have sufficient t3.micro capacity" in result["msg"]
    assert site.desired == 3
    refresh(site, "back")
    assert (site.shape, site.lost) == (ends_of("back"), 0)


def test_a_host_that_cannot_start_what_runs_ends_it_before_any_is_drained() -> None:
    site = Site(2, 3)
    Turn.broken = {"i-3"}
    result, _ = refresh(site)
    assert "The new host i-3 cannot start what the site runs: service.web: no such volume." in result["msg"]
    assert "No further host was drained." in result["msg"]
    assert site.running == {"i-1": 1, "i-2": 1}


def test_a_host_without_an_attribute_is_waited_for_and_named() -> None:
    site = Site(2, 3)
    registered = site.world.agent

    def bare(ec2_id: str = "", memory: int = 1000) -> Agent:
        agent = registered(ec2_id, memory)
        instance = site.world.region.instances[agent.arn]
        instance.attributes = [each for each in instance.attributes if "awslogs" not in each["name"]]
        instance.attributes = [each for each in instance.attributes if "container-health" not in each["name"]]
        return agent

    site.world.agent = bare  # type: ignore[method-assign] # of this world alone
    result, _ = refresh(site)
    assert "i-3 lacks ecs.capability.container-health-check, which the site's tasks need" in result["msg"]


def test_a_task_that_will_not_move_is_told_with_the_arithmetic() -> None:
    site = Site(2, 3)
    for each in site.world.region.instances.values():
        each.total["MEMORY"] = 200
    registered = site.world.agent

    def small(ec2_id: str = "", memory: int = 0) -> Agent:
        return registered(ec2_id, memory or 150)

    site.world.agent = small  # type: ignore[method-assign] # as above
    result, _ = refresh(site)
    assert "was not drained: ECS would never stop task" in result["msg"]
    assert "because no other host has room for it" in result["msg"]
    assert "No further host was terminated." in result["msg"]
    assert [call for call in site.calls if call != "set_desired_capacity"] == []


def test_a_service_that_is_not_whole_stops_it_with_its_events() -> None:
    site = Site(2, 3)
    for target in site.world.elsewhere.health:
        site.world.elsewhere.health[target] = "initial"
    site.world.elsewhere.new_target = "initial"
    result, _ = refresh(site)
    assert "services lack something: 0 of 2 targets of web healthy" in result["msg"]
    assert "has reached a steady state" in result["msg"] or "registered" in result["msg"]
    assert "terminate_instance_in_auto_scaling_group" not in site.calls
    assert site.running == {"i-1": 1, "i-2": 1}
