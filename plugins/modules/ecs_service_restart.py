#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_service_restart
short_description: Replace the tasks of an ECS service by new ones of the same task definition
description:
  - Begins a new deployment of what the service runs; M(ecs_service_wait) waits for it.
  - Where a deployment is going on, its end is waited for first, so that no task is older than this and no deployment is
    cut short.
  - In check mode says what would be restarted.
extends_documentation_fragment: [region]
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  service:
    description: Name or ARN of the service.
    type: str
    required: true
  timeout:
    description: Seconds for which a deployment that is going on is waited for.
    type: int
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: Restart the service
  ecs_service_restart:
    cluster: "{{ site_name }}-{{ environment_name }}"
    service: "{{ site.outputs['service.web.ServiceName'] }}"
  register: restarted

- name: Wait until all its tasks are new
  ecs_service_wait:
    cluster: "{{ site_name }}-{{ environment_name }}"
    service: "{{ site.outputs['service.web.ServiceName'] }}"
    deployment: "{{ restarted.deployment }}"
"""

RETURN = r"""
deployment:
  description: Id of the new deployment.
  returned: when not in check mode
  type: str
task_definition:
  description: ARN of the task definition that runs.
  returned: always
  type: str
"""
