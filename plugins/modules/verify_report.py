#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: verify_report
short_description: Show what was found of a site, and fail if something is wrong
description:
  - Adds to the findings of M(site_verify) what the databases answered a host, shows all of them as a table, and fails
    if one is WRONG. What was NOT ASKED is shown with the reason and is no failure.
options:
  findings:
    description: Of M(site_verify).
    type: list
    elements: dict
    required: true
  databases:
    description: Of M(site_verify).
    type: dict
    default: {}
  answers:
    description: Results of the task that asked the databases from a host, one a database.
    type: list
    elements: dict
    default: []
  host:
    description: The host that asked; empty if none is known.
    type: str
    default: ""
  prefix:
    description: How the site is called in JSON (C(<site_name>-<environment_name>)).
    type: str
    default: ""
  replaced:
    description: >-
      Whether what runs is about to be replaced. Then how that answers, and what a rollback would bring back, ends
      nothing but is a warning: a site that is down takes a release, and one whose registry has lost an old image too.
    type: bool
    default: false
  format:
    description: V(text), a table, or V(json).
    type: str
    choices: [text, json]
    default: text
author: Berth
"""

EXAMPLES = r"""
- name: Show what was found
  verify_report:
    findings: "{{ verify_asked.findings }}"
"""

RETURN = r"""
ok:
  description: How many are so.
  returned: always
  type: int
wrong:
  description: How many are so.
  returned: always
  type: int
not_asked:
  description: How many are so.
  returned: always
  type: int
"""
