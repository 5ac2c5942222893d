#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: hosts_refresh
short_description: Replace the hosts of a site one by one, or go back to those of before
description:
  - An old host is one that was launched from something else than its Auto Scaling group launches from now. New ones
    are launched beside them, as many as the group may have. Each must have joined the cluster through the capacity
    provider, carry every attribute that the services' tasks need, and start each of their containers (its image pulled,
    its volumes mounted).
  - Then the old hosts are drained, one at a time, each only while all services have their tasks and healthy targets,
    and terminated, so that the group has as many as it is to have.
  - Which step is next is read from AWS alone. Interrupted at any point, the same task goes on.
  - In check mode nothing is changed; the steps are shown, and what cannot be had fails as it would.
extends_documentation_fragment: [region]
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  auto_scaling_group:
    description: Name of the group that launches the hosts.
    type: str
    required: true
  capacity_provider:
    description: Capacity provider that the hosts must belong to.
    type: str
    required: true
  wanted:
    description: How many hosts there are to be in the end.
    type: int
    required: true
  goal:
    description:
      - V(refresh) lets the old hosts go, V(keep) leaves them beside the new ones, without tasks, V(back) lets the old
        ones take tasks again and the new ones go. V(look) only says what there is.
    type: str
    choices: [refresh, keep, back, look]
    default: refresh
  in_place:
    description: Whether a host may go before there is another, where the group may have no more. That is a gap.
    type: bool
    default: false
  launch_changes:
    description: In check mode, whether what the group launches from is yet to change, so that all hosts are old.
    type: bool
    default: false
  maximum:
    description: In check mode, how many hosts the group will be allowed, where that is yet to change.
    type: int
    default: 0
  join_timeout:
    description: Seconds until new hosts must be ready.
    type: int
    default: 900
  drain_timeout:
    description: Seconds until a host must be drained, services be whole again, or a host be terminated.
    type: int
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: Replace the hosts
  hosts_refresh:
    cluster: "{{ site_prefix }}"
    auto_scaling_group: "{{ site.outputs.HostGroupName }}"
    capacity_provider: "{{ site.outputs.CapacityProviderName }}"
    wanted: "{{ site_hosts.min }}"
"""

RETURN = r"""
steps:
  description: What was done, or would be, a sentence each.
  returned: always
  type: list
  elements: str
under_way:
  description: Whether a refresh had been begun before.
  returned: always
  type: bool
desired:
  description: How many hosts the group was to have before.
  returned: always
  type: int
old:
  description: Instance ids of hosts that were launched from something else than the group launches from.
  returned: always
  type: list
  elements: str
new:
  description: Those of the others.
  returned: always
  type: list
  elements: str
image:
  description: Id of the AMI of the old hosts; empty if there is none.
  returned: always
  type: str
"""
