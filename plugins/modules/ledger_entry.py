#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ledger_entry
short_description: Add to this run's entry in the ledger
description:
  - Merges facts into the entry that C(environment_lock) has begun; mappings key by key, all else is replaced.
  - Does nothing in check mode, and where this run holds no lock of the environment, as it has no ledger yet.
  - Whoever may look at the site may read the ledger, so no secret belongs into it.
extends_documentation_fragment: [region]
options:
  prefix:
    description: Begin of the names of the environment's stacks, C(<site_name>-<environment_name>).
    type: str
    required: true
  facts:
    description: What the run has done, such as C(release), C(services), C(jobs). The callback P(ledger) writes its end.
    type: dict
    required: true
  secrets_of:
    description: >-
      ARNs of task definitions. Which version each secret has that they name is written down too, as C(secrets); no
      value is read. What cannot be asked for is left out.
    type: list
    elements: str
    default: []
  key:
    description: Key of another run's entry to add to, as M(ledger_entries) gives it; this run's own if empty.
    type: str
    default: ''
author: Berth
"""

EXAMPLES = r"""
- name: Write down what was released
  ledger_entry:
    prefix: shop-prod
    facts: {release: 2026.11.3}
"""

RETURN = r"""
recorded:
  description: Whether it was written.
  returned: always
  type: bool
entry:
  description: The entry as it is now.
  returned: where it was written
  type: dict
"""
