"""Where a task can go, and what is said when it has no place."""

from __future__ import annotations

import pytest

from local_aws.ecs import placement
from local_aws.ecs.state import Instance, Json, Region, Task


class Connected:
    def send(self, _kind: str, _message: Json) -> None:
        raise AssertionError("placement sends nothing")

    def close(self) -> None:
        raise AssertionError("placement ends nothing")


def definition(**more: object) -> Json:
    container: Json = {"name": "web", "image": "web:1", "memory": 256, "portMappings": [], **more}
    return {"family": "web", "revision": 1, "taskDefinitionArn": "arn", "containerDefinitions": [container]}


def add_instance(region: Region, name: str, memory: int = 700, zone: str = "a", provider: str = "") -> Instance:
    arn = region.arn("container-instance", "demo", name)
    total: Json = {"CPU": 1024, "MEMORY": memory, "PORTS": ["22"], "PORTS_UDP": []}
    instance = Instance(arn, "demo", f"i-{name}", [{"name": "ecs.capability.efs"}], total, {}, [], 0.0, provider)
    instance.zone, instance.channel = zone, Connected()
    region.instances[arn] = instance
    return instance


def add_task(region: Region, instance: Instance, memory: int = 256, group: str = "g", provider: str = "") -> Task:
    task = Task(f"arn/{len(region.tasks)}", "demo", definition(), instance.arn, [], 0.0, group, provider=provider)
    task.memory = memory
    region.tasks[task.arn] = task
    return task


@pytest.fixture
def region() -> Region:
    return Region("us-east-1")


def test_soft_limit_is_what_placement_subtracts() -> None:
    assert placement.needs(definition(memoryReservation=100)).memory == 100
    assert placement.needs(definition()).memory == 256


def test_a_task_needs_what_its_containers_need_unless_it_says_so_itself() -> None:
    two: Json = {
        "containerDefinitions": [
            {
                "memory": 300,
                "memoryReservation": 100,
                "cpu": 10,
                "portMappings": [{"containerPort": 1, "hostPort": 53}],
            },
            {"memory": 200, "portMappings": [{"containerPort": 2, "hostPort": 53, "protocol": "udp"}]},
            {},
        ]
    }
    assert placement.needs(two) == placement.Needs(10, 300, ((53, "tcp"), (53, "udp")), ())
    assert placement.needs({**two, "cpu": "256", "memory": "512"}) == placement.Needs(
        256, 512, ((53, "tcp"), (53, "udp")), ()
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"memory": 701}, "RESOURCE:MEMORY"),
        ({"cpu": 1025}, "RESOURCE:CPU"),
        ({"portMappings": [{"containerPort": 22, "hostPort": 22}]}, "RESOURCE:PORTS"),
        ({"portMappings": [{"containerPort": 22, "hostPort": 0}]}, ""),
        ({"memory": 700, "cpu": 1024}, ""),
    ],
)
def test_resources(region: Region, change: Json, code: str) -> None:
    instance = add_instance(region, "1")
    assert placement.refusal(instance, [], placement.needs(definition(**change))) == code


def test_a_host_has_what_its_agent_registered_less_what_its_tasks_hold(region: Region) -> None:
    instance = add_instance(region, "1")
    task = add_task(region, instance, memory=200)
    task.cpu, task.ports = 24, [(80, "tcp"), (53, "udp")]
    instance.total["PORTS_UDP"] = ["161"]
    left = {"CPU": 1000, "MEMORY": 500, "PORTS": {"22", "80"}, "PORTS_UDP": {"53", "161"}}
    assert placement.remaining(instance, [task]) == left
    instance.total = {}
    assert placement.remaining(instance, []) == {"CPU": 0, "MEMORY": 0, "PORTS": set(), "PORTS_UDP": set()}


@pytest.mark.parametrize(
    ("port", "protocol", "code"),
    [(80, "tcp", "RESOURCE:PORTS"), (80, "udp", ""), (53, "udp", "RESOURCE:PORTS"), (53, "tcp", "")],
)
def test_a_port_is_taken_for_one_protocol(region: Region, port: int, protocol: str, code: str) -> None:
    instance = add_instance(region, "1")
    task = add_task(region, instance)
    task.ports = [(80, "tcp"), (53, "udp")]
    wanted = placement.Needs(0, 0, ((8080, "tcp"), (port, protocol)), ())
    assert placement.refusal(instance, [task], wanted) == code


def test_stopped_tasks_hold_nothing_and_stopping_ones_all(region: Region) -> None:
    instance = add_instance(region, "1")
    task = add_task(region, instance, memory=600)
    task.desired, task.status = "STOPPED", "STOPPING"
    assert placement.refusal(instance, [task], placement.needs(definition())) == "RESOURCE:MEMORY"
    task.status = "STOPPED"
    assert placement.refusal(instance, [task], placement.needs(definition())) == ""


def test_attribute_agent_and_draining(region: Region) -> None:
    instance = add_instance(region, "1")
    wants_rexray = {**definition(), "requiresAttributes": [{"name": "ecs.capability.docker-plugin.rexray/efs"}]}
    wants_efs = {**definition(), "requiresAttributes": [{"name": "ecs.capability.efs"}]}
    assert placement.refusal(instance, [], placement.needs(wants_rexray)) == "ATTRIBUTE"
    assert placement.refusal(instance, [], placement.needs(wants_efs)) == ""
    instance.channel = None
    assert placement.refusal(instance, [], placement.needs(wants_efs)) == "AGENT"
    instance.status = "DRAINING"
    assert placement.refusal(instance, [], placement.needs(wants_efs)) == "DRAINING"


def test_strategy_looks_only_at_its_provider(region: Region) -> None:
    add_instance(region, "outside")
    strategy = [{"capacityProvider": "hosts", "weight": 1, "base": 0}]
    found, _, refusals = placement.place(region, "demo", definition(), strategy=strategy)
    assert found is None
    assert refusals == []
    assert "No Container Instances were found in your capacity provider" in placement.event(refusals, by_provider=True)
    inside = add_instance(region, "inside", provider="hosts")
    assert placement.place(region, "demo", definition(), strategy=strategy)[:2] == (inside, "hosts")


def test_base_then_weight(region: Region) -> None:
    first, second = add_instance(region, "1", 2000, provider="a"), add_instance(region, "2", 2000, provider="b")
    strategy = [
        {"capacityProvider": "a", "base": 1, "weight": 1},
        {"capacityProvider": "b", "base": 0, "weight": 3},
    ]
    got = []
    for _ in range(5):
        instance, provider, _ = placement.place(region, "demo", definition(), strategy=strategy, group="g")
        assert instance in (first, second)
        assert instance is not None
        add_task(region, instance, provider=provider)
        got.append(provider)
    assert got[0] == "a"
    assert got.count("b") > got.count("a")


def test_distinct_instance_and_spread(region: Region) -> None:
    first, second = add_instance(region, "1", 2000, "a"), add_instance(region, "2", 1000, "b")
    add_task(region, first)
    spread = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]
    assert placement.place(region, "demo", definition(), placement=spread, group="g")[0] is second
    binpack = [{"type": "binpack", "field": "memory"}]
    assert placement.place(region, "demo", definition(), placement=binpack, group="h")[0] is second
    add_task(region, second)
    distinct = [{"type": "distinctInstance"}]
    found, _, refusals = placement.place(region, "demo", definition(), constraints=distinct, group="g")
    assert found is None
    assert {each.code for each in refusals} == {"distinctInstance"}


def test_shares_are_those_of_the_group_s_tasks_in_this_cluster(region: Region) -> None:
    hosts = {name: add_instance(region, name, 5000, provider=name) for name in ("a", "b")}
    strategy = [{"capacityProvider": "a", "weight": 1}, {"capacityProvider": "b", "weight": 1}]

    def chosen() -> str:
        return placement.place(region, "demo", definition(), strategy=strategy, group="g")[1]

    add_task(region, hosts["a"], provider="a", group="another")
    add_task(region, hosts["a"], provider="a").cluster = "elsewhere"
    add_task(region, hosts["a"], provider="a").desired = "STOPPED"
    assert chosen() == "a"
    add_task(region, hosts["a"], provider="a")
    assert chosen() == "b"


def test_a_provider_without_weight_gets_its_base_and_then_what_the_others_have_no_room_for(region: Region) -> None:
    small, large = add_instance(region, "1", 300, provider="a"), add_instance(region, "2", 5000, provider="b")
    strategy = [{"capacityProvider": "b", "weight": 0, "base": 1}, {"capacityProvider": "a", "weight": 1}]
    got = []
    for _ in range(3):
        instance, provider, refusals = placement.place(region, "demo", definition(), strategy=strategy, group="g")
        assert instance in (small, large)
        assert refusals == []
        add_task(region, instance or small, provider=provider)
        got.append(provider)
    assert got == ["b", "a", "b"]


def test_a_launch_type_looks_at_every_host_of_the_cluster_and_at_no_other(region: Region) -> None:
    add_instance(region, "other").cluster = "other"
    host = add_instance(region, "1", provider="a")
    strategy = [{"capacityProvider": "b", "weight": 1}]
    assert placement.place(region, "demo", definition(), strategy=strategy, launch_type="EC2") == (host, "", [])
    assert placement.place(region, "demo", definition()) == (host, "", [])


def test_each_host_says_why_it_is_none(region: Region) -> None:
    small, draining = add_instance(region, "1", 100), add_instance(region, "2")
    draining.status = "DRAINING"
    _, _, refusals = placement.place(region, "demo", definition())
    assert refusals == [placement.Refusal("RESOURCE:MEMORY", small), placement.Refusal("DRAINING", draining)]


def test_distinct_instances_are_so_for_the_running_tasks_of_a_group(region: Region) -> None:
    host = add_instance(region, "1", 5000)
    distinct = [{"type": "distinctInstance"}]
    add_task(region, host, group="another")
    add_task(region, host).status = "STOPPED"
    assert placement.place(region, "demo", definition(), constraints=distinct, group="g")[0] is host
    add_task(region, host)
    assert placement.place(region, "demo", definition(), group="g")[0] is host
    own = {**definition(), "placementConstraints": distinct}
    assert placement.place(region, "demo", own, group="g")[0] is None


def test_hosts_that_fit_are_told_from_those_that_do_not_by_a_query(region: Region) -> None:
    add_instance(region, "1", 100)
    _, third = add_instance(region, "2"), add_instance(region, "3")
    member = [{"type": "memberOf", "expression": "ec2InstanceId == i-3"}]
    assert placement.place(region, "demo", definition(), constraints=member)[0] is third
    third.channel = None
    _, _, refusals = placement.place(region, "demo", definition(), constraints=member)
    assert [each.code for each in refusals] == ["RESOURCE:MEMORY", "MemberOf", "AGENT"]


@pytest.mark.parametrize(
    ("strategy", "chosen"),
    [
        ([], "idle"),  # the fewest tasks of the group, then the most memory
        ([{"type": "spread", "field": "instanceId"}], "idle"),
        ([{"type": "spread", "field": "attribute:ecs.availability-zone"}], "alone"),
        ([{"type": "binpack", "field": "memory"}], "busy"),
        ([{"type": "binpack", "field": "CPU"}], "alone"),
        ([{"type": "spread", "field": "host"}, {"type": "binpack", "field": "memory"}], "small"),
        ([{"type": "random"}], "idle"),
    ],
)
def test_a_placement_strategy_decides_in_its_order(region: Region, strategy: list[Json], chosen: str) -> None:
    hosts = {
        "busy": add_instance(region, "busy", 1300, "a"),
        "small": add_instance(region, "small", 2000, "a"),
        "idle": add_instance(region, "idle", 3000, "a"),
        "alone": add_instance(region, "alone", 4000, "b"),
    }
    add_instance(region, "elsewhere", 9000, "b").cluster = "elsewhere"
    add_task(region, region.instances[region.arn("container-instance", "demo", "elsewhere")])
    add_task(region, region.instances[region.arn("container-instance", "demo", "elsewhere")])
    for _ in range(2):
        add_task(region, hosts["busy"])
    add_task(region, hosts["alone"]).cpu = 100
    add_task(region, hosts["small"], group="another")
    add_task(region, hosts["small"]).desired = "STOPPED"
    assert placement.place(region, "demo", definition(), placement=strategy, group="g")[0] is hosts[chosen]


def test_of_hosts_that_are_alike_one_is_always_the_same(region: Region) -> None:
    second, first = add_instance(region, "2"), add_instance(region, "1")
    assert placement.place(region, "demo", definition())[0] is first
    add_task(region, first, group="another")
    assert placement.place(region, "demo", definition())[0] is second  # it has more memory left


@pytest.mark.parametrize(
    ("far", "near", "text"),
    [
        ("ATTRIBUTE", "AGENT", 'encountered error "AGENT"'),
        ("AGENT", "RESOURCE:MEMORY", "has insufficient memory available"),
        ("RESOURCE:MEMORY", "RESOURCE:CPU", "has insufficient CPU units available"),
        ("RESOURCE:CPU", "RESOURCE:PORTS", "is already using a port required by your task"),
        ("RESOURCE:PORTS", "distinctInstance", "does not satisfy the placement constraints"),
        ("distinctInstance", "MemberOf", "does not satisfy the placement constraints"),
        ("DRAINING", "ATTRIBUTE", "is missing an attribute required by your task"),
    ],
)
def test_event_names_the_instance_that_came_closest(region: Region, far: str, near: str, text: str) -> None:
    refusals = [
        placement.Refusal(near, add_instance(region, "near")),
        placement.Refusal(far, add_instance(region, "far")),
    ]
    for each in (refusals, refusals[::-1]):
        said = placement.event(each, by_provider=False)
        assert f"The closest matching (container-instance near) {text}. For more" in said
        assert said.startswith("was unable to place a task because no container instance met all of its requirements.")


def test_where_all_hosts_drain_there_are_none(region: Region) -> None:
    refusals = [placement.Refusal("DRAINING", add_instance(region, "1"))]
    assert "No Container Instances were found in your cluster." in placement.event(refusals, by_provider=False)
    assert "No Container Instances were found in your capacity provider." in placement.event(refusals, by_provider=True)
