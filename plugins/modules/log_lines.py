#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: log_lines
short_description: Show what the containers of a site write, all together in the order of time
description:
  - Shows the newest lines of the log groups of services, jobs and functions, each with its time, its entry, its
    container and the beginning of its task's id; also those of tasks that have ended, one-off and scheduled ones.
  - Without O(service), O(job) and O(function) that is all services and jobs.
  - What is typed wrong is refused before AWS is asked.
extends_documentation_fragment: [region]
options:
  prefix:
    description: What the log groups' names begin with; C(/service/<entry>) and so on follows.
    type: str
    required: true
  services:
    description: Service to the names of its containers.
    type: dict
    default: {}
  jobs:
    description: Job to the names of its containers.
    type: dict
    default: {}
  functions:
    description: The functions.
    type: list
    elements: str
    default: []
  service:
    description: The service that is meant.
    type: str
    default: ""
  job:
    description: The job that is meant.
    type: str
    default: ""
  function:
    description: The function that is meant.
    type: str
    default: ""
  container:
    description: The container that is meant, where not all are.
    type: str
    default: ""
  since:
    description: How far back to look, C(30s), C(15m), C(2h) or C(3d).
    type: str
    default: 1d
  grep:
    description: Only lines in which this stands, letter by letter.
    type: str
    default: ""
  lines:
    description: How many lines are shown at most, the newest; 1 to 10000. What follows them is not counted.
    type: str
    default: "100"
  follow:
    description: Whether to go on and show each new line, until the run is interrupted.
    type: bool
    default: false
  follow_for:
    description: For how long to go on, written as O(since); goes on also without O(follow).
    type: str
    default: ""
author: Berth
"""

EXAMPLES = r"""
- name: Show what the site's services wrote last
  log_lines:
    prefix: "/{{ site_name }}/{{ environment_name }}"
    services: {web: [nginx, django]}
    since: 15m
"""

RETURN = r"""
shown:
  description: How many lines were shown.
  returned: always
  type: int
"""
