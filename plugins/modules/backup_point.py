#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: backup_point
short_description: Back up a site, all of it under one name
description:
  - Makes a snapshot of each database of RDS and a recovery point of each volume of EFS, side by side, looks which
    buckets keep old versions, and waits until AWS says of each part that it is whole.
  - Writes a record into the environment's ledger before it begins and with each part, so that a run of the same name
    goes on where another was killed. A part that is there is not made again.
  - Fails if a part cannot be had; what is there stays.
extends_documentation_fragment: [ledger]
options:
  name:
    description: Of the backup, small letters, digits and single hyphens; made of the time if empty.
    type: str
    default: ''
  outputs:
    description: Of the site's layers, as C(stack_outputs) returns them.
    type: dict
    required: true
  buckets:
    description: Entry to bucket, as C(lookup('site', 'bucket')) has them.
    type: dict
    default: {}
  without:
    description: What of the site cannot be in a backup, a sentence each.
    type: list
    elements: str
    default: []
  live:
    description: What the services run, as C(ecs_live_release) returns it (C(services)).
    type: dict
    default: {}
  tags:
    description: Tags of all that is made.
    type: dict
    default: {}
  counted:
    description: Whether CloudWatch is told of one that is whole, for the alarm that rings where none was made.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for all parts.
    type: int
    default: 10800
author: Berth
"""

EXAMPLES = r"""
- name: Back up the site
  backup_point:
    prefix: shop-prod
    name: before-the-move
    outputs: "{{ site.outputs }}"
"""

RETURN = r"""
name:
  description: Of the backup.
  returned: always
  type: str
point:
  description: Its record.
  returned: outside of check mode
  type: dict
parts:
  description: Keys of the parts that are made, in check mode that would be.
  returned: always
  type: list
"""
