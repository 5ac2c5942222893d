"""What instance types are: the few facts that preflight needs before it may ask AWS."""

from __future__ import annotations

import re
from collections.abc import Callable

MEMORY_MIB = {
    "nano": 512, "micro": 1024, "small": 2048, "medium": 4096, "large": 8192, "xlarge": 16384, "2xlarge": 32768,
}  # fmt: skip
"""Memory of the general purpose and burstable sizes; https://aws.amazon.com/ec2/instance-types/."""

GENERAL_PURPOSE = re.compile(r"^(t[234][ag]?|m[4-8][a-z-]*)\.")
COMPUTE = re.compile(r"^c[4-8][a-z-]*\.")
MEMORY = re.compile(r"^r[4-8][a-z-]*\.")

HIDDEN_SHARE = 0.07
"""What firmware and kernel keep of a host's memory; a t2.micro's 1,024 MiB are about 950 to the agent."""

NEW_SINCE_2023 = re.compile(r"^(t5|[a-z]+[89][a-z-]*|[mcr]7(i|a|i-flex)|i4i|[a-z]+7[a-z-]*i[a-z-]*)\.")
"""Families that came after 2022; launch configurations do not know them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-configurations.html
"""


def is_arm(instance_type: str) -> bool:
    """Whether the type has a Graviton processor: a `g` after the generation (t4g, m6gd), or a1."""
    return bool(re.match(r"^(a1|[a-z]+[0-9]+g[a-z]*)\.", str(instance_type)))


def is_newer_than_2022(instance_type: str) -> bool:
    """Whether launch configurations refuse the type because its family came in 2023 or later."""
    return bool(NEW_SINCE_2023.match(str(instance_type)))


def host_memory(instance_type: str) -> int:
    """Memory of a host of this type as its agent sees it, in MiB; 0 for a type that this table does not know."""
    instance_type = str(instance_type)
    size = instance_type.partition(".")[2]
    if size not in MEMORY_MIB:
        return 0
    total = MEMORY_MIB[size]
    if COMPUTE.match(instance_type):
        total //= 2
    elif MEMORY.match(instance_type):
        total *= 2
    elif not GENERAL_PURPOSE.match(instance_type):
        return 0
    return int(total * (1 - HIDDEN_SHARE))


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"is_arm": is_arm, "is_newer_than_2022": is_newer_than_2022, "host_memory": host_memory}
