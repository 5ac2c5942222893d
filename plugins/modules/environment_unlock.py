#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: environment_unlock
short_description: Say who holds the lock of an environment, and take it from them
description:
  - Deletes the lock if its holder is the one that is named. The run that held it ends as soon as it learns that.
  - Changes nothing where nobody holds it, where no O(holder) is named, or in check mode.
extends_documentation_fragment: [ledger]
options:
  holder:
    description: Who holds it, C(anna@laptop); if empty, it is only said.
    type: str
    default: ''
  run:
    description: Id of the run that holds it, as it was seen, so that a later one of the same holder is left alone.
    type: str
    default: ''
author: Berth
"""

EXAMPLES = r"""
- name: See who holds it
  environment_unlock:
    prefix: shop-prod
  register: seen
"""

RETURN = r"""
lock:
  description: Who holds it (C(name), C(verb), C(run), C(started), C(sentence), C(expired)); empty if nobody does.
  returned: always
  type: dict
"""
