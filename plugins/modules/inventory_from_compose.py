#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: inventory_from_compose
short_description: Make the folder of a first inventory of a Compose file
description:
  - The folder is a copy of the template with the site's description filled in, in the Compose file's own words. It is
    there whole or not at all, and nothing that exists is overwritten.
  - What holds a secret becomes a reference; its value is written nowhere.
options:
  src:
    description: The Compose file. C(.env) beside it and files of C(env_file) are read too.
    type: path
    required: true
  dest:
    description: The folder to make. Its name is the environment's.
    type: path
    required: true
  template:
    description: The folder that environments are copied from.
    type: path
    required: true
  layers:
    description: Words of the layers, which are no names of an environment, as stacks are called after them.
    type: list
    elements: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Make the inventory
  inventory_from_compose:
    src: ../shop/compose.yml
    dest: inventories/live
    template: inventories/new
    layers: "{{ site_stages.values() | flatten }}"
"""

RETURN = r"""
files:
  description: The files of the folder.
  returned: always
  type: list
report:
  description: Lines that say what was dropped and why, what was chosen, and what is still to be typed.
  returned: always
  type: list
"""
