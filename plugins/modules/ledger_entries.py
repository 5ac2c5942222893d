#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ledger_entries
short_description: Read the ledger of an environment
description:
  - The runs that changed something, newest first. Changes nothing.
extends_documentation_fragment: [ledger]
options:
  limit:
    description: How many entries at most; 0 for all.
    type: int
    default: 0
  with_release:
    description: Whether only those count that have a release.
    type: bool
    default: false
  verbs:
    description: Whose entries count; those of all verbs if empty.
    type: list
    elements: str
    default: []
  outcomes:
    description: Which outcomes count (C(running), C(good), C(failed), C(interrupted)); all if empty.
    type: list
    elements: str
    default: []
author: Berth
"""

EXAMPLES = r"""
- name: Read the last good releases
  ledger_entries:
    prefix: shop-prod
    with_release: true
    outcomes: [good]
    limit: 5
  register: ledger
"""

RETURN = r"""
there:
  description: Whether the environment has a ledger.
  returned: always
  type: bool
entries:
  description:
    - The entries. Each has C(run), C(verb), C(arguments), C(who), C(where), C(arn), C(started), C(ended), C(seconds),
      C(outcome), C(reason) and what its verb has added. One whose run was killed has the outcome C(interrupted).
  returned: always
  type: list
  elements: dict
lock:
  description: Who holds the lock (C(name), C(verb), C(run), C(started), C(sentence), C(expired)); empty if nobody does.
  returned: always
  type: dict
"""
