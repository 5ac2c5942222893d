#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: service_linked_role
short_description: Make sure that service-linked roles exist
description:
  - Services make their service-linked role on first use, and that first use may fail because the role is not there yet.
    So a new account needs them before the first stack.
extends_documentation_fragment: [region]
options:
  services:
    description: Service principals, C(ecs.amazonaws.com) for example.
    type: list
    elements: str
    required: true
  timeout:
    description: Seconds until a new role must be readable.
    type: int
    default: 60
author: Berth
"""

EXAMPLES = r"""
- name: Make sure that the service-linked roles exist
  service_linked_role:
    services: [ecs.amazonaws.com, autoscaling.amazonaws.com, elasticloadbalancing.amazonaws.com, rds.amazonaws.com]
"""

RETURN = r"""
roles:
  description: Service principal to the name of its role; null in check mode where it would be made.
  returned: always
  type: dict
created:
  description: The service principals whose role was made.
  returned: always
  type: list
"""
