#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: site_verify
short_description: Ask the account whether a site can run what its inventory describes, by doing it
description:
  - Asks for everything at once, each image, role, secret, log group, way in and volume, and whether a host has room.
  - What only a host can tell is tried there without ssh. A task is started whose entry point does not exist, so that
    the agent pulls the image, reads the secrets with the execution role, mounts the volumes and opens the log, and then
    nothing runs. No secret comes to this machine.
  - Nothing of it stays but the images that a host has pulled. In check mode nothing is started and no event is put.
  - Finds, and judges by no failure; M(verify_report) shows what was found.
extends_documentation_fragment: [region]
options:
  prefix:
    description: Name of the cluster, with which stacks and task definitions begin (C(<site_name>-<environment_name>)).
    type: str
    required: true
  log_prefix:
    description: What the log groups' names begin with; C(/service/<entry>) and so on follows.
    type: str
    required: true
  services:
    description: Service to what its template reads of it (P(site#lookup)).
    type: dict
    default: {}
  jobs:
    description: Job to what its template reads of it.
    type: dict
    default: {}
  databases:
    description: Database to its entry.
    type: dict
    default: {}
  volumes:
    description: Volume to its entry.
    type: dict
    default: {}
  images:
    description: Image as containers call it, to the one to run, where it is another than what runs now.
    type: dict
    default: {}
  platform:
    description: Platform of the hosts, C(linux/amd64).
    type: str
    default: linux/amd64
  scan_threshold:
    description:
      - Severity from which on a weakness that the registry's scan has found in an image is wrong; V(none) shows what it
        has found, and judges nothing.
    type: str
    choices: [none, low, medium, high, critical]
    default: none
  entries:
    description: Entries of the site's ledger, newest first. Without them the last good release is not asked for.
    type: list
    elements: dict
  timeout:
    description: For how many seconds to wait for what is started on a host; a large image takes a while to pull.
    type: int
    default: 300
author: Berth
"""

EXAMPLES = r"""
- name: Ask the account
  site_verify:
    prefix: "{{ site_prefix }}"
    log_prefix: "/{{ site_name }}/{{ environment_name }}"
    services: "{{ lookup('site', 'service') }}"
  register: verify_asked
"""

RETURN = r"""
findings:
  description: Each with C(check), C(subject), C(what), C(state) (OK, WRONG or NOT ASKED) and C(reason).
  returned: always
  type: list
databases:
  description: Database to C(host:port), empty where it is not there yet.
  returned: always
  type: dict
"""
