#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: service_scale
short_description: Set how many tasks of a service run, or between which numbers autoscaling moves
description:
  - Changes the parameters of the service's stack, and nothing else of it, so that what the stack says is what runs.
  - Remembers in the stack what the inventory said, by which a later M(cloudformation_stacks) keeps the number until the
    inventory says another.
  - Refuses more tasks than there is room for on the hosts, with the arithmetic. Where a deployment starts new tasks
    beside the old ones, one of them has to have room too.
  - A deployment that is going on is waited for first. M(ecs_service_wait) waits for the tasks.
extends_documentation_fragment: [region]
options:
  prefix:
    description: Begin of the site's stack names, which is also the cluster's name.
    type: str
    required: true
  service:
    description: Name of the service in the inventory.
    type: str
    required: true
  replicas:
    description: How many tasks are to run, or V(inventory) for what O(inventory) says.
    type: str
    default: ""
  min:
    description: How many tasks run at least, of a service with autoscaling.
    type: str
    default: ""
  max:
    description: How many tasks run at most, of a service with autoscaling.
    type: str
    default: ""
  inventory:
    description: What the inventory says, V(2), or V(1-4) of a service with autoscaling.
    type: str
    required: true
  tags:
    description: Tags of the stack.
    type: dict
    default: {}
  timeout:
    description: Seconds that each wait may take.
    type: int
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: Have two tasks
  service_scale:
    prefix: "{{ site_prefix }}"
    service: web
    replicas: "2"
    inventory: "1"
    tags: "{{ site_tags }}"
"""

RETURN = r"""
service:
  description: Name of the ECS service.
  returned: success
  type: str
count:
  description: The number of tasks now, V(2), or V(1-4) with autoscaling.
  returned: success
  type: str
"""
