#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_container_instance
short_description: Drain a host of an ECS cluster, or let it take tasks again, and wait until it is so
description:
  - With O(state=DRAINING), ECS moves the tasks of services to other hosts; the task ends when the host runs none.
  - ECS stops a service's task only for one that is healthy elsewhere, unless the service's minimumHealthyPercent lets
    it go. A host whose tasks would have no place elsewhere would drain for ever, so it is refused before anything is
    changed; O(stop_tasks) stops these tasks instead, which is a gap.
  - Tasks that no service keeps (run-task) are not touched by a drain; they are waited for and never stopped.
  - With O(state=ACTIVE), the task ends when the host's agent is connected and, if the host had not been taking tasks,
    when the services of the cluster run as many tasks as they are to run.
  - A host that has not registered yet counts as drained; with O(state=ACTIVE) its registration is waited for.
extends_documentation_fragment: [region]
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  instance_id:
    description: The host's EC2 instance id.
    type: str
    required: true
  state:
    description: State that the container instance is to have.
    type: str
    choices: [ACTIVE, DRAINING]
    required: true
  stop_tasks:
    description: Whether tasks of services that have no place on another host are stopped.
    type: bool
    default: false
  timeout:
    description: Seconds until the host must be drained, or connected.
    type: int
    default: 900
notes:
  - In check mode nothing is changed or waited for; a drain that would be refused is a warning.
author: Berth
"""

EXAMPLES = r"""
- name: Drain the host
  ecs_container_instance:
    cluster: legacy-prod
    instance_id: i-0123456789abcdef0
    state: DRAINING

- name: Let the host take tasks again
  ecs_container_instance:
    cluster: legacy-prod
    instance_id: i-0123456789abcdef0
    state: ACTIVE
"""

RETURN = r"""
arn:
  description: ARN of the container instance; empty if the host was not registered.
  returned: success
  type: str
before:
  description: The state in which the host was found; empty if it was not registered.
  returned: success
  type: str
stopped:
  description: ARNs of the tasks that were stopped because they had no place elsewhere.
  returned: success
  type: list
  elements: str
"""
