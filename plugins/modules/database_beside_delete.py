#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: database_beside_delete
short_description: Let go of instances that restores and drills of databases have left beside the site's
description:
  - A restore that was broken off, and that nobody went on with, leaves an instance of RDS, a copy of a snapshot; a
    drill that was killed does so, too. It stands in the subnets and behind the security group of a database of the
    site, neither of which can be deleted before it is gone.
options:
  prefix:
    description: Of the environment, for example C(shop-prod).
    type: str
    required: true
  verbs:
    description: Those that were made by these verbs.
    type: list
    elements: str
    choices: [restore, drill]
    default: [restore, drill]
  timeout:
    description: Seconds to wait until they are gone.
    type: int
    default: 1800
author: Berth
"""

EXAMPLES = r"""
- name: Let go of what a broken-off restore has left
  database_beside_delete:
    prefix: shop-prod
"""

RETURN = r"""
names:
  description: Identifiers of those that were there.
  returned: always
  type: list
"""
