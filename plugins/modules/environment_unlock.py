#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: environment_unlock
short_description: Say who holds the lock of an environment, and take it from them
description:
  - Deletes the lock if its holder is the one that is named. The run that held it ends as soon as it learns that.
  - Changes nothing where nobody holds it, where no O(holder) is named, or in check mode.
options:
  prefix:
    description: Begin of the names of the environment's stacks, C(<site_name>-<environment_name>).
    type: str
    required: true
  bucket:
    description: The ledger's bucket, where it is not the one of the layer ledger.
    type: str
    default: ''
  holder:
    description: Who holds it, C(anna@laptop); if empty, it is only said.
    type: str
    default: ''
  run:
    description: Id of the run that holds it, as it was seen, so that a later one of the same holder is left alone.
    type: str
    default: ''
  region:
    description: AWS region; the default is the environment's.
    type: str
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
