#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: backup_vault_delete
short_description: Delete a vault of AWS Backup and all recovery points in it
description:
  - Deletes each recovery point, waits until none is left, then deletes the vault. A vault that is gone is no change.
extends_documentation_fragment: [region]
options:
  name:
    description: Of the vault; this or O(stack).
    type: str
    default: ''
  stack:
    description: Name of the stack that has made it, or that did before it was deleted; all such vaults go.
    type: str
    default: ''
  timeout:
    description: Seconds to wait until it is empty.
    type: int
    default: 600
author: Berth
"""

EXAMPLES = r"""
- name: Delete a vault
  backup_vault_delete:
    name: shop-prod-backup-0a1b2c3d

- name: Let those in another region go
  backup_vault_delete:
    stack: shop-prod-backup-copy
    region: eu-west-1
"""

RETURN = r"""
points:
  description: How many recovery points there were.
  returned: always
  type: int
"""
