#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: dynamodb_table_delete
short_description: Delete a table of DynamoDB and what is in it, protected against deletion or not
description:
  - community.aws.dynamodb_table cannot switch off the deletion protection of a table (community.aws 10.0.0).
  - It does not wait until the table is gone.
extends_documentation_fragment: [region]
options:
  name:
    description: Name of the table.
    type: str
    required: true
  timeout:
    description: Seconds to wait until DynamoDB takes the deletion, as it does not while the table is changed.
    type: int
    default: 300
author: Berth
"""

EXAMPLES = r"""
- name: Delete a table that a teardown has kept
  dynamodb_table_delete:
    name: shop-prod-table-items-Table-1A2B3C4D5E6F
"""

RETURN = r"""
changed: {description: Whether there was a table to delete., returned: always, type: bool}
"""
