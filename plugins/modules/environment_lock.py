#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: environment_lock
short_description: Take the lock of an environment, or let it go
description:
  - One lock an environment, over everything that changes it. It lies in the ledger's bucket, is written on the
    condition that it is as it was seen, and expires by the clock of S3 where nobody renews it.
  - Within a run of a verb it may be taken again; that changes nothing. The callback P(ledger) renews it while the run
    lives, ends the run's entry in the ledger, and lets go.
  - Where the environment has no ledger yet, nothing is taken; RV(held) says so.
  - In check mode nothing is taken. If somebody holds it, that is said.
extends_documentation_fragment: [ledger]
options:
  preview_of:
    description: >-
      Name of the environment whose inventory a preview environment is of; empty for one with an inventory of its own.
      The first run writes it beside the lock. Where another name is written, or none, the environment is refused.
    type: str
    default: ''
  verb:
    description: What the run does, as others are told.
    type: str
    required: true
  arguments:
    description: What the verb was given, as far as others want to know (C(release), C(service)); not what is empty.
    type: dict
    default: {}
  wait:
    description: For how long to wait for a lock that another run holds, C(15m). If empty, it is refused at once.
    type: str
    default: ''
  silence:
    description: >-
      Whether the alarms of services and hosts tell nobody while this run holds the lock; what still rings at its end is
      told then.
    type: bool
    default: false
  state:
    description: V(absent) ends the run's entry and lets the lock go before the end of the run.
    type: str
    choices: [present, absent]
    default: present
author: Berth
"""

EXAMPLES = r"""
- name: Take the environment's lock
  environment_lock:
    prefix: shop-prod
    verb: release
    arguments: {release: 2026.11.3}
    wait: 15m
"""

RETURN = r"""
held:
  description: Whether this run holds the lock.
  returned: always
  type: bool
taken:
  description: Whether it was this task that has taken it.
  returned: always
  type: bool
there:
  description: Whether the environment has a ledger, and so a lock.
  returned: always
  type: bool
by:
  description: Who holds the lock, as a sentence; empty if nobody does.
  returned: always
  type: str
kept:
  description: What the callback needs to know to renew it.
  returned: where it was taken
  type: dict
"""
