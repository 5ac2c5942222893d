#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: secret_rotate
short_description: Give a generated secret another value, for tasks that start
description:
  - O(state=switched) makes a version with another value of one key the current one, which tasks read when they start.
    The one of before stays as AWSPREVIOUS. O(state=retired) waits until no task has it any more.
  - What is where is told by the labels of the secret's versions, so either goes on where it was interrupted.
  - The value is in no argument, log or file. In check mode says what would be done.
extends_documentation_fragment: [region]
options:
  state:
    description: Up to where.
    type: str
    required: true
    choices: [switched, retired]
  cluster:
    description: Cluster whose tasks read the secret.
    type: str
    required: true
  secret:
    description: What the inventory calls it.
    type: str
    required: true
  stack:
    description: Its stack.
    type: str
    required: true
  value_of:
    description: The key that gets another value.
    type: str
    required: true
  length:
    description: Letters and digits of the value.
    type: int
    required: true
  timeout:
    description: Seconds until no task has the one of before.
    type: int
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: Let tasks that start have another value
  secret_rotate:
    state: switched
    cluster: shop-prod
    secret: django
    stack: shop-prod-secret-django
    value_of: secret_key
    length: 50
"""

RETURN = r"""
secret:
  description: ARN of the secret.
  returned: success
  type: str
version:
  description: Id of the version that tasks read when they start; empty in check mode.
  returned: success
  type: str
previous:
  description: Id of the version of before; empty if there is none.
  returned: success
  type: str
services:
  description: ECS's names of the services that have tasks with the value of before.
  returned: success
  type: list
  elements: str
"""
