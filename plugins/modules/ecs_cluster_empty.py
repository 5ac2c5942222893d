#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_cluster_empty
short_description: Take all tasks and hosts out of an ECS cluster, so that its stack can be deleted
description:
  - A capacity provider can be deleted only when no task uses it, and a cluster only when no container instance is left.
    So this scales the services to none, stops all tasks and waits, then scales the Auto Scaling group to none while the
    provider is still there, and waits until no container instance is left.
  - Instances that a lifecycle hook holds back are let go, as they have no tasks; it could hold them for 48 hours.
  - A cluster or group that is not there is as it should be.
extends_documentation_fragment: [region]
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  auto_scaling_group:
    description: Name of the group that launches the hosts.
    type: str
  timeout:
    description: Seconds that each of the two waits may take.
    type: int
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: Empty the cluster
  ecs_cluster_empty:
    cluster: "{{ site_name }}-{{ environment_name }}"
    auto_scaling_group: "{{ site.outputs.AutoScalingGroup }}"
"""

RETURN = r"""
tasks:
  description: ARNs of the tasks that were (in check mode, would be) stopped.
  returned: always
  type: list
hosts:
  description: Ids of the instances that were (in check mode, would be) terminated.
  returned: always
  type: list
"""
