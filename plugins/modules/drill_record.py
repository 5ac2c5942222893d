#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: drill_record
short_description: Write down a drill of a restore
description:
  - The last drill has a record in the ledger's bucket, which M(site_status) and M(backup_show) show; what it came to
    stands in the entry of the run as well. A drill whose record says that it runs, while its run does not any more, was
    interrupted.
  - How old the data were is counted from the begin of the backup to the begin of the drill. How long it took is counted
    from there until all was restored and proven, without what is cleaned up then.
  - In check mode writes nothing.
extends_documentation_fragment: [ledger]
options:
  step:
    description: C(begin), C(proven) of a part, or C(end).
    type: str
    choices: [begin, proven, end]
    required: true
  name:
    description: Name of the backup, for C(begin).
    type: str
    default: ""
  of:
    description: When the backup was begun, for C(begin).
    type: str
    default: ""
  part:
    description: Which part, for C(proven).
    type: str
    default: ""
  facts:
    description: What was counted of it, for C(proven).
    type: dict
    default: {}
  reason:
    description: Why it failed, for C(end); it went well if empty.
    type: str
    default: ""
author: Berth
"""

EXAMPLES = r"""
- name: Write down that the drill begins
  drill_record:
    prefix: shop-prod
    step: begin
    name: before-the-move
    of: "2026-11-27T10:02:00+00:00"
"""

RETURN = r"""
drill:
  description: The record; empty in check mode.
  returned: always
  type: dict
"""
