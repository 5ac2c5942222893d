#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: local_command
short_description: Run a command on this machine, and show what it prints while it runs
description:
  - The command is run as it stands, without a shell. It inherits the run's environment, and with it what leads to AWS.
  - What it prints is shown line by line. Of the command itself only the program is named, as the rest may hold what is
    nobody's business.
  - After the deadline it is told to end, with all that it has started, and killed five seconds later.
  - Is not run in check mode.
options:
  command:
    description: A list of words, or a text that is split into words as a shell would.
    type: raw
    required: true
  name:
    description: What it is, for messages (C(site_hooks.build[0])).
    type: str
    required: true
  chdir:
    description: Folder to run it in.
    type: path
    required: true
  environment:
    description: Variables on top of the run's own.
    type: dict
    default: {}
  timeout:
    description: Seconds that it may take.
    type: float
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: Build the images
  local_command:
    command: make images
    name: site_hooks.build[0]
    chdir: "{{ site_beside }}"
    environment: {BERTH_RELEASE: 2026.11.3}
"""

RETURN = r"""
lines:
  description: The last lines that it printed, at most 50.
  returned: always
  type: list
  elements: str
"""
