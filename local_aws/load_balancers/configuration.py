"""A load balancer's configuration for HAProxy: what it is, and which changes of it need a reload."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from local_aws import haproxy, network_balancer
from local_aws.haproxy import Balancer
from local_aws.load_balancers.servers import TargetState


def render(balancer: Balancer) -> dict[str, str]:
    """The files of a balancer by their path below `haproxy.FOLDER`.

    Raises:
        Unsupported: it has something that is not emulated.
    """
    return network_balancer.render(balancer) if balancer.type == "network" else haproxy.render(balancer)


def structure(balancer: Balancer) -> Balancer:
    """What a reload is needed for: all but the targets, and these too where HAProxy has other servers track them,
    which it does not let a server that came at run time do.
    """
    groups = tuple(
        group if group.preserve_client_ip else dataclasses.replace(group, targets=()) for group in balancer.groups
    )
    return dataclasses.replace(balancer, groups=groups)


def with_servers(balancer: Balancer, states: Iterable[TargetState]) -> Balancer:
    """The balancer with the servers that HAProxy has, and those of groups of which it has none yet or which only a
    reload gives new ones.

    Args:
        balancer: what is wanted.
        states: of the servers that there are.
    """
    there = list(states)
    groups = []
    for group in balancer.groups:
        present = [state.target for state in there if state.group.arn == group.arn]
        if group.preserve_client_ip:
            present += [target for target in group.targets if target not in present]
        groups.append(dataclasses.replace(group, targets=tuple(present) or group.targets))
    return dataclasses.replace(balancer, groups=tuple(groups))
