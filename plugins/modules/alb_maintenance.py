#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: alb_maintenance
short_description: Answer for a site with a maintenance page, at its load balancer
description:
  - Adds rules to the HTTPS listener of a site, before those of its services; they answer every request with status 503
    and a page, or a line of JSON for who asks for JSON. Health checks go to the targets themselves, so tasks stay
    healthy, and deployments go on.
  - Whoever has the cookie, or comes from an address of O(allowed_cidrs), is let through. For that each rule of a
    service is there twice, as a rule of a load balancer has no word for what a request must not have.
  - Rules are known by their tag C(Berth::Maintenance), which says until when; C(Berth::MaintenanceSince) says since
    when, and C(Berth::MaintenanceBy) who shows it. No stack has them, so no deployment takes them away.
  - In check mode says what would be done.
extends_documentation_fragment: [region]
options:
  prefix:
    description: Begin of the site's stack names; the listener is an output of C(<prefix>-cluster).
    type: str
    required: true
  state:
    description:
      - V(on), V(off), or V(status), which changes nothing.
      - V(followed), after a deployment, leads those who are let through to what the services' rules lead to now.
      - V(released), before one, leads them to the page where the target group is none of O(targets) and so is about to
        go. It could not be deleted while a rule leads to it. Both do nothing while maintenance is off.
      - V(settled), at the end of a run, takes away the page that a verb shows; who is let through by that of a person
        is led on as by V(followed).
    type: str
    choices: ["on", "off", status, followed, released, settled]
    required: true
  page:
    description:
      - The page, a text of HTML or the path of a file with it; with a sentence about the time in place of C({until}).
        A load balancer answers with 1024 bytes at most.
    type: str
    default: ""
  beside:
    description: Folder that a relative path in O(page) begins at.
    type: str
    default: ""
  for_time:
    description: For how long, for example V(2h), as the page and V(status) say it. Nothing ends by itself.
    type: str
    default: ""
  allowed_cidrs:
    description: Networks that are let through.
    type: list
    elements: str
    default: []
  by:
    description:
      - With O(state=on), verb that shows the page as long as it runs, and leaves one alone that a person has switched
        on. Empty for a person.
    type: str
    default: ""
  sure:
    description:
      - With O(state=settled), whether the site is known to work. Else each service with routes that is to run tasks
        must have a healthy target, or the page of a verb stays, and that is said.
    type: bool
    default: true
  targets:
    description: With O(state=released), service to logical ids of the target groups that its stack is to have.
    type: dict
    default: {}
  tags:
    description: Tags of the rules, beside that which they are known by.
    type: dict
    default: {}
author: Berth
"""

EXAMPLES = r"""
- name: Answer with the page
  alb_maintenance:
    prefix: "{{ site_prefix }}"
    state: "on"
    page: "<!doctype html><title>Back soon</title><h1>Back soon</h1><p>{until}"
    for_time: 2h
    allowed_cidrs: [203.0.113.7/32]
    tags: "{{ site_tags }}"
"""

RETURN = r"""
on:
  description: Whether maintenance is on now.
  returned: always
  type: bool
by:
  description: Verb that shows the page as long as it runs, or did when it was killed; empty if a person does.
  returned: always
  type: str
there:
  description: Whether there is a load balancer, by which visitors come.
  returned: with O(state=status)
  type: bool
until:
  description: Until when, in ISO 8601; empty if that was not said.
  returned: always
  type: str
"""
