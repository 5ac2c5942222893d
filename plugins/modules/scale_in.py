#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: scale_in
short_description: Keep autoscaling from taking tasks away for a while
description:
  - Suspends scaling in of a cluster's services; scaling out goes on. ECS does so by itself while a service is deployed,
    but not while a release runs its jobs, deploys other services, or proves what runs.
  - What it has suspended carries the tag C(Berth::ScaleInHeld), by which a later run lets it go if this one was killed.
    What somebody else has suspended stays so.
  - Who has no right to do that is told, and no task fails for it.
  - In check mode says what would be done.
extends_documentation_fragment: [region]
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  state:
    description: V(held) suspends it, V(resumed) lets go of what was held.
    type: str
    choices: [held, resumed]
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Keep autoscaling from taking tasks away
  scale_in:
    cluster: "{{ site_prefix }}"
    state: held
"""

RETURN = r"""
services:
  description: Names of the ECS services of which something was changed.
  returned: always
  type: list
  elements: str
"""
