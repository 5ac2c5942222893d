"""What a type of hosts is, as far as preflight has to know it."""

from __future__ import annotations

import pytest

from plugins.filter.sizes import host_memory, is_arm, is_newer_than_2022


@pytest.mark.parametrize(
    ("instance_type", "arm", "new"),
    [
        ("t2.micro", False, False),
        ("t3a.small", False, False),
        ("t4g.micro", True, False),
        ("m6gd.large", True, False),
        ("a1.medium", True, False),
        ("m7i.large", False, True),
        ("m7i-flex.large", False, True),
        ("m8g.large", True, True),
        ("g4dn.xlarge", False, False),
        ("r7a.large", False, True),
        ("i4i.large", False, True),
        ("hpc7a.large", False, False),
        ("t5.small", False, True),
        ("c7gn.large", True, False),
        ("c7g.large", True, False),
    ],
)
def test_what_an_instance_type_is(instance_type: str, arm: bool, new: bool) -> None:
    assert is_arm(instance_type) is arm
    assert is_newer_than_2022(instance_type) is new


@pytest.mark.parametrize(
    ("instance_type", "measured"),
    [
        ("t2.micro", 945), ("t3.micro", 920), ("t3a.micro", 924), ("t4g.micro", 921), ("t3.small", 1917),
        ("t4g.medium", 3840), ("t3.2xlarge", 31729), ("c5.large", 3663), ("c6g.medium", 1839), ("m5.large", 7633),
        ("m6i.xlarge", 15712), ("r5.large", 15685),
    ],
)  # fmt: skip
def test_memory_of_a_host_is_estimated_from_below(instance_type: str, measured: int) -> None:
    """As measured (the source stands in sizes.py): what fits by the estimate fits on such a host."""
    assert measured * 0.9 <= host_memory(instance_type) <= measured


@pytest.mark.parametrize(
    ("instance_type", "memory"),
    [
        ("t2.nano", 442), ("t3.micro", 920), ("t3a.small", 1923), ("t4g.medium", 3840), ("t2.large", 7926),
        ("t3.xlarge", 15794), ("t3a.2xlarge", 31815), ("t2.2xlarge", 32082), ("t3.2xlarge", 31729),
        ("t4g.2xlarge", 31690), ("t4g.nano", 409), ("m5.medium", 3645), ("m5.large", 7618), ("c5.large", 3645),
        ("c6g.xlarge", 7618), ("r5.medium", 7618), ("r6i.large", 15237), ("m7i-flex.large", 7618),
    ],
)  # fmt: skip
def test_memory_of_a_host_is_what_the_type_has_less_what_is_hidden(instance_type: str, memory: int) -> None:
    assert host_memory(instance_type) == memory


@pytest.mark.parametrize("instance_type", ["u-6tb1.metal", "g5.large", "c5", "t3.huge", "x.nano", "", "c9.large"])
def test_a_type_that_is_not_known_is_not_guessed(instance_type: str) -> None:
    assert host_memory(instance_type) == 0
