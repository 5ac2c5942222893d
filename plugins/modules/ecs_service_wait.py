#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_service_wait
short_description: Wait until an ECS service runs a task definition, and tell a rollback from a success
description:
  - Waits until the primary deployment of the service is complete and is one of O(task_definition).
  - After the circuit breaker has rolled a deployment back, the service is steady too, and CloudFormation has been seen
    to call that a success; here it is a failure, with the exit codes and logs of the tasks that were stopped and what
    the load balancer said of them.
  - Right after a change ECS may still show the service as it was, or none; that is believed only when it lasts.
  - Fails before O(timeout) where no host will have room for the tasks any more, with the arithmetic.
  - Warns where several tasks stand on fewer hosts than there are.
  - Where this run holds the lock of an environment, a wait of some seconds says how long it took in the runs before,
    once the ledger knows three, and writes into the ledger how long it took now (C(durations) of the run's entry).
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
  task_definition:
    description: ARN or C(family:revision) that must be running at the end; whichever is the primary one by default.
    type: str
  deployment:
    description:
      - Id of the deployment that must be the primary one at the end, where its task definition says too little, as
        after a new deployment of the same one.
    type: str
  proven:
    description:
      - Whether it must be the only deployment too, run exactly the tasks that are desired, and all its targets be
        healthy; what still drains does not count.
    type: bool
    default: false
  timeout:
    description: Seconds until the deployment must be complete.
    type: int
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: Wait for the release
  ecs_service_wait:
    cluster: "{{ site_name }}-{{ environment_name }}"
    service: "{{ site.outputs.ServiceName }}"
    task_definition: "{{ site.outputs.TaskDefinition }}"
"""

RETURN = r"""
task_definition:
  description: ARN of the task definition that runs.
  returned: always
  type: str
running:
  description: How many tasks run.
  returned: always
  type: int
desired:
  description: How many are to run.
  returned: always
  type: int
"""
