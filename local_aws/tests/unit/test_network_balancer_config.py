"""A network load balancer as HAProxy configuration; parts/test_network_load_balancers.py has the real one."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from local_aws import haproxy, network_balancer
from local_aws.haproxy import Balancer, HealthCheck, Listener, Rule, Target, TargetGroup, Unsupported
from local_aws.load_balancers.configuration import structure
from local_aws.tests.unit.test_load_balancer_config import section

CHECK = HealthCheck(protocol="TCP", interval=10, timeout=3, healthy=2, unhealthy=4)
TARGETS = (Target("i-1", 32768, "10.0.0.5"), Target("i-2", 32770, "10.0.0.6"))
CACHE = TargetGroup("arn:cache", "cache", "TCP", "round_robin", CHECK, TARGETS)
CMS = TargetGroup("arn:cms", "cms", "TCP", "round_robin", HealthCheck(path="/up", matcher="200-399"))
PRESERVED = dataclasses.replace(CACHE, preserve_client_ip=True)


def listener(port: int, arn: str, protocol: str = "TCP", idle: int = 350) -> Listener:
    forward = {"Type": "forward", "TargetGroupArn": arn}
    return Listener(port, protocol, (Rule("default", (), (forward,)),), idle=idle)


def text(*groups: TargetGroup, listeners: tuple[Listener, ...] = ()) -> str:
    listeners = listeners or tuple(listener(6379 + number, group.arn) for number, group in enumerate(groups))
    return network_balancer.render(Balancer("lb", listeners, groups, type="network"))[haproxy.FILE]


def test_a_listener_is_a_port_and_its_group_a_backend_of_tcp() -> None:
    configuration = text(CACHE, CMS)
    assert "mode tcp" in section(configuration, "defaults")
    assert "mode http" not in configuration
    assert section(configuration, "frontend listener_6379") == [
        "bind :6379",
        "timeout client 350s",
        "default_backend cache",
    ]
    assert "default_backend cms" in section(configuration, "frontend listener_6380")
    servers = [line for line in section(configuration, "backend cache") if line.startswith("server")]
    options = "check inter 10s rise 2 fall 4 on-marked-down shutdown-sessions"
    assert servers == [f"server i-1_32768 10.0.0.5:32768 {options}", f"server i-2_32770 10.0.0.6:32770 {options}"]


def test_the_check_is_a_connection_or_a_request() -> None:
    configuration = text(CACHE, CMS)
    assert "httpchk" not in " ".join(section(configuration, "backend cache"))
    assert "timeout check 3s" in section(configuration, "backend cache")
    lines = section(configuration, "backend cms")
    assert "http-check expect status 200-399" in lines
    assert any(line.startswith("http-check send meth GET uri '/up'") for line in lines)


def test_each_listener_has_its_idle_timeout_and_servers_the_longest() -> None:
    configuration = text(CACHE, CMS, listeners=(listener(1, "arn:cache", idle=60), listener(2, "arn:cms", idle=900)))
    assert "timeout client 60s" in section(configuration, "frontend listener_1")
    assert "timeout client 900s" in section(configuration, "frontend listener_2")
    assert "timeout server 900s" in section(configuration, "defaults")


def test_without_the_clients_address_a_host_reaches_a_target_on_itself() -> None:
    assert "hairpin" not in text(CACHE)


def test_with_the_clients_address_what_comes_back_to_its_own_host_is_lost() -> None:
    configuration = text(PRESERVED)
    lines = section(configuration, "frontend listener_6379")
    assert "use_backend cache:10.0.0.5 if { src 10.0.0.5 }" in lines
    assert lines[-1] == "default_backend cache", "who is no target loses nothing"
    assert [line for line in section(configuration, "backend cache:10.0.0.6") if line.startswith("server")] == [
        "server i-1_32768 10.0.0.5:32768 track cache/i-1_32768",
        "server i-2_32770 abns@hairpin track cache/i-2_32770",
    ]
    assert section(configuration, "frontend hairpin") == [
        "bind abns@hairpin",
        "tcp-request inspect-delay 350s",
        "tcp-request content reject if WAIT_END",
    ]
    assert "backend hairpin" not in configuration


def test_targets_come_by_the_runtime_api_unless_others_track_them() -> None:
    """HAProxy: `unable to use … for tracking as it is a dynamic server`."""
    for group, reloads in ((CACHE, False), (PRESERVED, True)):
        fewer = dataclasses.replace(group, targets=group.targets[:1])
        before, after = (Balancer("lb", (listener(6379, group.arn),), (each,)) for each in (fewer, group))
        assert (structure(before) != structure(after)) is reloads


@pytest.mark.parametrize(
    ("listeners", "groups", "words"),
    [
        ((listener(443, "arn:cache", "TLS"),), (CACHE,), "Listener protocol TLS"),
        (
            (Listener(1, "TCP", (Rule("default", (), ({"Type": "fixed-response"},)),)),),
            (CACHE,),
            "Actions fixed-response",
        ),
        ((listener(1, "arn:cache"),), (dataclasses.replace(CACHE, protocol="UDP"),), "protocol UDP"),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(listeners: Any, groups: Any, words: str) -> None:
    with pytest.raises(Unsupported, match=re.escape(words)):
        network_balancer.render(Balancer("lb", listeners, groups, type="network"))


def test_several_target_groups_of_a_listener_are_refused() -> None:
    config = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": 1} for arn in ("arn:cache", "arn:cms")]}
    given = Listener(1, "TCP", (Rule("default", (), ({"Type": "forward", "ForwardConfig": config},)),))
    with pytest.raises(Unsupported, match="several target groups"):
        network_balancer.render(Balancer("lb", (given,), (CACHE, CMS), type="network"))
