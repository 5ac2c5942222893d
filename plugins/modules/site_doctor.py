#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: site_doctor
short_description: Say what ails a site, why, and what to type
description:
  - Takes what M(site_status) reads and M(site_verify) has tried, what hosts have said, and what else AWS says (events
    of services and stacks, scaling activities, logs, dead letters, the load balancer's errors, consoles of hosts), and
    recognises failures by their words (plugins/plugin_utils/doctor/signatures.py).
  - It only reads, also outside of check mode. What it has no right to ask is a finding of its own.
extends_documentation_fragment: [region]
options:
  layers:
    description: Words of the site's layers, by which its stacks are known.
    type: list
    elements: str
    required: true
  host:
    description: Instance to look at alone; empty for the whole site.
    type: str
    default: ""
  hosts:
    description: Results of the task that asked hosts by ssh, one a host.
    type: list
    elements: dict
    default: []
  findings:
    description: Of M(site_verify).
    type: list
    elements: dict
    default: []
  databases:
    description: Of M(site_verify).
    type: dict
    default: {}
  answers:
    description: Results of the task that asked the databases from a host.
    type: list
    elements: dict
    default: []
  asker:
    description: The host that asked the databases; empty if none is known.
    type: str
    default: ""
  logins:
    description: Results of the task that logged in to the databases from inside tasks (M(database_logins)), one a host.
    type: list
    elements: dict
    default: []
  session_manager:
    description: Whether Session Manager is the way to the hosts.
    type: bool
    default: false
  message:
    description: Of M(alarm_test); empty if no message was asked for.
    type: dict
    default: {}
  failed:
    description: Why M(site_verify) could not try anything; empty where it could.
    type: str
    default: ""
  subscribers:
    description: As M(site_status) takes it.
    type: list
    elements: str
    default: []
  format:
    description: V(text) or V(json).
    type: str
    choices: [text, json]
    default: text
author: Berth
"""

EXAMPLES = r"""
- name: See what ails the site
  site_doctor:
    layers: "{{ site_stages.values() | flatten }}"
  register: doctor_found
"""

RETURN = r"""
well:
  description: Whether nothing was found.
  returned: always
  type: bool
ails:
  description: What was found, a phrase each.
  returned: always
  type: list
findings:
  description:
    - C(signature), C(about), C(cause), C(mend), C(type) (the command), C(lines) (how many say so), and C(evidence), the
      first different ones, with C(where), C(place) and C(line).
  returned: always
  type: list
done:
  description:
    - What was done on hosts or sent, C(about), C(what) (V(session), V(login) or V(message)), C(state) (V(good), V(bad)
      or V(untried)) and C(said).
  returned: always
  type: list
unexplained:
  description: What is wrong besides, C(about), C(what), C(type).
  returned: always
  type: list
"""
