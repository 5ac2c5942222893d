#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ledger_show
short_description: Show the ledger of an environment
description:
  - A line for each release, newest first, which is live, how it ended, and whether its images are there still; or with
    O(all) for each run of a verb that has changed something. Changes nothing.
  - A run of C(site) that has found what an older one had released is left out, but with O(all).
extends_documentation_fragment: [ledger]
options:
  live:
    description: What the services run, as C(ecs_live_release) returns it (C(services)).
    type: dict
    default: {}
  all:
    description: Whether to show all entries, also of verbs that release nothing.
    type: bool
    default: false
  lines:
    description: How many entries at most.
    type: str
    default: '20'
  format:
    description: V(table) for a person, V(json) for a program.
    type: str
    default: table
author: Berth
"""

EXAMPLES = r"""
- name: Show the releases
  ledger_show:
    prefix: shop-prod
    live: "{{ live.services }}"
"""

RETURN = r"""
entries:
  description: As of C(ledger_entries), with C(live), C(images_there) and C(static_there) (null if that is not known).
  returned: always
  type: list
  elements: dict
"""
