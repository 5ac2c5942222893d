#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: backup_show
short_description: Show the backups of an environment
description:
  - A line for each backup, those that AWS Backup has begun by itself too, newest first, what is in it with sizes, how
    it ended, and whether each part is there still, which the account is asked for. Changes nothing.
extends_documentation_fragment: [ledger]
options:
  lines:
    description: How many backups at most.
    type: str
    default: '20'
  format:
    description: V(table) for a person, V(json) for a program.
    type: str
    default: table
author: Berth
"""

EXAMPLES = r"""
- name: Show the backups
  backup_show:
    prefix: shop-prod
"""

RETURN = r"""
backups:
  description: Their records, each with C(gone), the keys of the parts that are not there any more.
  returned: always
  type: list
  elements: dict
"""
