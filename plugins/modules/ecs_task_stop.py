#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_task_stop
short_description: Stop a one-off task of an ECS cluster and wait until it has ended
description:
  - Its containers are told to end, and are ended after their C(stop_grace_period).
  - A task of a service is refused, as the service would start another.
  - One that has ended already is no failure.
extends_documentation_fragment: [region]
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  task:
    description: Id or ARN of the task.
    type: str
    required: true
  timeout:
    description: Seconds until it must have ended.
    type: int
    default: 300
author: Berth
"""

EXAMPLES = r"""
- name: Stop what goes on for too long
  ecs_task_stop:
    cluster: shop-prod
    task: 0a1b2c3d4e5f60718293a4b5c6d7e8f9
"""

RETURN = r"""
exit_codes:
  description: Container name to exit code; null where it never ran.
  returned: when it has ended
  type: dict
"""
