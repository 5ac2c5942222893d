#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: compose_from_inventory
short_description: Render a Compose file of the site, for work on one machine
description:
  - The site is that of the inventory (C(site_services) and so on). PostgreSQL is a container; secrets, buckets and
    tables are variables.
options: {}
author: Berth
"""

EXAMPLES = r"""
- name: Render the site
  compose_from_inventory:
  register: rendered
"""

RETURN = r"""
compose:
  description: Text of the Compose file.
  returned: always
  type: str
variables:
  description: Variables that it reads, with their defaults; empty for one that has to be given.
  returned: always
  type: dict
addresses:
  description: Where what has a route answers.
  returned: always
  type: dict
"""
