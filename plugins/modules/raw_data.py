#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: raw_data
short_description: Know which data of a preview environment are not anonymised yet
description:
  - Before the site is switched to data of a backup, C(added) writes into the environment's ledger of which parts they
    are. C(removed) lets go of that, once they are anonymised, or the site has again what it had before.
  - An environment without a ledger has no such data.
  - In check mode nothing is written.
extends_documentation_fragment: [ledger]
options:
  state:
    description: What is to be written; nothing with V(status).
    type: str
    choices: [added, removed, status]
    required: true
  point:
    description: Name of the backup, for V(added).
    type: str
    default: ""
  typed:
    description: For V(added), the arguments of restore.yml that bring it, as they are to be typed again.
    type: str
    default: ""
  parts:
    description: Keys (C(database.main)) of what is meant, a path of a volume or bucket behind it.
    type: list
    elements: str
    default: []
  with_paths:
    description: For V(removed), whether single paths of O(parts) are meant as well.
    type: bool
    default: false
author: Berth
"""

EXAMPLES = r"""
- name: Write down that the site gets data that are not anonymised
  raw_data:
    state: added
    prefix: shop-pr7
    point: test.before-the-move
    typed: -e from=test -e backup=before-the-move
    parts: [database.main]
"""

RETURN = r"""
point:
  description: The backup whose data are not anonymised; empty if there are none.
  returned: always
  type: str
said:
  description: The same for a sentence, C(the backup before-the-move of test); empty if there are none.
  returned: always
  type: str
typed:
  description: The arguments of restore.yml that have brought them.
  returned: always
  type: str
parts:
  description: Keys of these data.
  returned: always
  type: list
"""
