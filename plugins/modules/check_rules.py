#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: check_rules
short_description: Refuse settings of a role that cannot work, by the rules beside it
description:
  - Judges the role's C(rules.yml) and fails with the sentences of all rules that do not hold. Nothing is asked of the
    host.
  - Each rule has C(variable), which the complaint is about; C(that), a conditional or several; C(say), what is wrong
    and what to type; and perhaps C(name), and C(each), a list of which each C(item) must fulfil C(that).
  - Preflight judges the same rules (M(check_variables)), with file and line.
options:
  role:
    description: Name of the role.
    type: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Check the settings
  check_rules:
    role: docker_engine
"""

RETURN = r"""
msg:
  description: What is wrong, a line each.
  returned: failure
  type: str
refused_by:
  description: Names of the rules that did not hold.
  returned: always
  type: list
"""
