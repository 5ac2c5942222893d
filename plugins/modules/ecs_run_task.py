#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_run_task
short_description: Run a one-off task on an ECS cluster and wait for its exit code
description:
  - Starts one task, shows its log while it runs, and fails unless every essential container ends with exit code 0.
  - Where no host has room for it (C(RESOURCE:MEMORY) and the like), tries again until O(timeout), and says what
    the task takes and what each host has left.
  - A task that still runs at O(timeout) is stopped, so that it does not hold the memory of the next release.
  - Where this run holds the lock of an environment, a task without O(overrides) says how long it took in the runs
    before, once the ledger knows three, and writes into the ledger how long it took now (C(durations) of the run's
    entry).
extends_documentation_fragment: [region]
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  task_definition:
    description: ARN, C(family:revision), or family for its newest revision.
    type: str
    required: true
  overrides:
    description:
      - Container name to what is different this time, C(command), a list, and C(environment), a dict.
      - Values of C(environment) are never shown; nevertheless give secrets by the task definition.
    type: dict
    default: {}
  capacity_provider:
    description: Capacity provider to run on. Without it and O(launch_type), the cluster's default strategy is used.
    type: str
  launch_type:
    description: Launch type to run on, where there is no O(capacity_provider).
    type: str
    choices: [EC2, FARGATE, EXTERNAL]
  started_by:
    description:
      - Shown by ECS beside the task, and usable to find it; at most 128 letters, digits, hyphens, slashes, underscores.
      - Where a task that was started by it with the same task definition and O(overrides) runs already, that one is
        waited for, and no other is started.
    type: str
  join:
    description: Whether to wait for such a task. Without it another is started, or with O(alone) none.
    type: bool
    default: true
  alone:
    description:
      - Whether to refuse while any other task of the definition's family runs, whoever started it and from whatever
        machine. Of two that were started at the same moment the later one is stopped.
    type: bool
    default: false
  detach:
    description: Whether to return as soon as it is started.
    type: bool
    default: false
  again:
    description:
      - Whether to run it also if this very revision has ended well before. Where there are no O(overrides), that is
        recorded in the revision's tag C(LastSuccess).
    type: bool
    default: true
  passed_over:
    description: Not to run it, and to record that this revision counts as run, as what it does was done before.
    type: bool
    default: false
  maintenance:
    description:
      - Where it is really to run, keep visitors out from now on by a maintenance page, as M(alb_maintenance) does with
        the same words, C(prefix), C(page), C(beside), C(allowed_cidrs), C(tags) and C(by). They are let in again by
        that module, after what the task was run for. Visitors are not kept out if empty.
    type: dict
    default: {}
  timeout:
    description: Seconds from the first attempt to start the task until it must have ended.
    type: int
    default: 900
  log_lines:
    description: How many of the last lines of each container's log are returned.
    type: int
    default: 30
author: Berth
"""

EXAMPLES = r"""
- name: Migrate the database
  ecs_run_task:
    cluster: "{{ site_name }}-{{ environment_name }}"
    task_definition: "{{ site.outputs['job.migrate.TaskDefinitionArn'] }}"
    capacity_provider: "{{ site.outputs.CapacityProviderName }}"
    started_by: migrate
    overrides:
      migrate: {command: [python, manage.py, migrate, --noinput]}
  register: migration
"""

RETURN = r"""
task_arn:
  description: ARN of the task.
  returned: when one was started
  type: str
task_definition:
  description: ARN of the revision that was run.
  returned: when one was started
  type: str
seconds:
  description: For how long its containers ran.
  returned: when one was started
  type: int
exit_codes:
  description: Container name to exit code; null where it never ran.
  returned: when one was started
  type: dict
stopped_reason:
  description: Why ECS says that the task ended.
  returned: when one was started
  type: str
log:
  description: Container name to the last lines of its log.
  returned: when one was started
  type: dict
"""
