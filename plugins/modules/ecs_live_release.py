#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_live_release
short_description: Say which release a cluster's service runs
description:
  - Reads the task definition that the service is meant to run. That is not always the newest revision of its family;
    the newest may have failed, or a rollback may have gone back to an older one.
  - A cluster or service that is not there runs nothing. Changes nothing.
options:
  cluster:
    description: Name or ARN of the cluster. It has one service.
    type: str
    required: true
  region:
    description: AWS region; the default is the environment's.
    type: str
author: Berth
"""

EXAMPLES = r"""
- name: See what is live
  ecs_live_release:
    cluster: "{{ site_name }}-{{ environment_name }}"
  register: live
"""

RETURN = r"""
task_definition:
  description: ARN of the task definition, empty if nothing runs.
  returned: always
  type: str
service:
  description: ARN of the service, empty if there is none.
  returned: always
  type: str
images:
  description: Container to image.
  returned: always
  type: dict
release:
  description: What the containers have in RELEASE.
  returned: always
  type: str
"""
