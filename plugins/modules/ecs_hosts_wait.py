#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_hosts_wait
short_description: Wait until hosts have joined an ECS cluster through its capacity provider
description:
  - A host counts once it is ACTIVE, its agent is connected and it belongs to the capacity provider. One that registered
    before the provider was there never belongs to it, and services of the provider do not use it.
  - Failed scaling activities of the Auto Scaling group are shown while waiting, and are the reason when time is up. So
    is what a host says on its console of why it has not joined (host role ecs_agent, ecs-boot-report).
  - Where this run holds the lock of an environment, a wait of some seconds says how long it took in the runs before,
    once the ledger knows three, and writes into the ledger how long it took now (C(durations) of the run's entry).
extends_documentation_fragment: [region]
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  count:
    description: How many hosts must be there.
    type: int
    required: true
  auto_scaling_group:
    description: Name of the group that launches the hosts.
    type: str
  capacity_provider:
    description: Capacity provider that the hosts must belong to; any by default.
    type: str
  tasks:
    description:
      - MiB of each task that may stand at the same time, those of a deployment beside those that run.
      - The hosts must have registered memory for all of them. What an instance type is said to have is more than its
        agent registers, and a task without a place is waited for in vain.
    type: list
    elements: int
    default: []
  timeout:
    description: Seconds until they must be there.
    type: int
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: Wait for the hosts
  ecs_hosts_wait:
    cluster: "{{ site_name }}-{{ environment_name }}"
    count: "{{ site_hosts.min }}"
    auto_scaling_group: "{{ site.outputs.AutoScalingGroup }}"
    tasks: "{{ lookup('site', 'memory') }}"
"""

RETURN = r"""
hosts:
  description: The hosts that are ready.
  returned: always
  type: list
  sample: [{instance_id: i-0a, container_instance: "arn:…", agent_version: 1.104.0, capacity_provider: legacy}]
"""
