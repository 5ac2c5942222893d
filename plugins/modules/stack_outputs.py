#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: stack_outputs
short_description: Read what the layers of a site give, and touch none of them
description:
  - Reads the outputs of the stacks of some layers, under the names by which M(cloudformation_stacks) gives them on.
  - Refuses a site of which a layer that the inventory wants is not there, or is not through.
extends_documentation_fragment: [region]
options:
  prefix:
    description: Begin of the stack names, as M(cloudformation_stacks) has it.
    type: str
    required: true
  layers:
    description: Names of the roles that describe the layers; of a noun with entries, all that the inventory has.
    type: list
    elements: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Read what the ground gives
  stack_outputs:
    prefix: "{{ site_prefix }}"
    layers: "{{ site_stages.ground }}"
  register: ground
"""

RETURN = r"""
outputs:
  description: The outputs, those of an entry as C(database.main.SecretArn).
  returned: always
  type: dict
"""
