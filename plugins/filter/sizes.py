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

HIDDEN_MIB = {
    "t2": (70, 79, 96, 196, 266, 406, 686),
    "t3": (89, 104, 131, 253, 365, 590, 1039),
    "t3a": (87, 100, 125, 241, 343, 546, 953),
    "t4g": (103, 103, 197, 256, 374, 608, 1078),
}
"""What firmware and kernel keep of the memory of burstable types, for each size of MEMORY_MIB.

Measured on running instances with the system that keeps most, Bottlerocket (a t4g.nano was not; it has the next one's):
https://github.com/aws/karpenter-provider-aws/blob/15e8769/pkg/providers/instancetype/zz_generated.memory_overhead.go
No such list is known of Amazon Linux 2023, whose kernel may keep some MiB more or less: an estimate. What it is, a host
tells when it registers: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/memory-management.html
"""
HIDDEN_SHARE_SMALL, HIDDEN_SHARE = 0.11, 0.07
"""The largest share of other types in that list: of up to 4 GiB (c5.large, c6g.medium) and of more (m5.large)."""

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
    """About the memory of a host of this type as its agent sees it, in MiB; 0 for a type that this table does not know.

    What is left out may be some MiB more, so that what fits here should fit there.
    """
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
    family = instance_type.partition(".")[0]
    if family in HIDDEN_MIB:
        return total - HIDDEN_MIB[family][list(MEMORY_MIB).index(size)]
    return int(total * (1 - (HIDDEN_SHARE_SMALL if total <= 4096 else HIDDEN_SHARE)))


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"is_arm": is_arm, "is_newer_than_2022": is_newer_than_2022}
