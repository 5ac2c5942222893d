#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: backup_keep
short_description: Keep the newest good backups of a site, and let go of older ones
description:
  - Of each backup that was begun before the oldest good one of those that are kept the parts go, then its record. What
    did not become whole counts for nothing. Nothing goes but what the records name.
  - Broken off, it goes on with the next run.
extends_documentation_fragment: [ledger]
options:
  keep:
    description: How many good backups stay.
    type: int
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Keep two weeks of backups
  backup_keep:
    prefix: shop-prod
    keep: 14
"""

RETURN = r"""
removed:
  description: Names of the backups that went, in check mode of those that would.
  returned: always
  type: list
"""
