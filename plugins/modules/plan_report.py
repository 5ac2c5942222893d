#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: plan_report
short_description: Say what a run of site would change
description:
  - Puts together what M(cloudformation_stacks) found in check mode and what is to be said beside the stacks, and shows
    it. It changes nothing on AWS.
  - Where O(stacks) tells what is billed, it says what a month costs as it is and as it would be, at the list prices of
    docs/prices.yml.
  - No secret value is shown. What is one by its name or its looks is hidden, and a parameter with C(NoEcho) is left
    out.
extends_documentation_fragment: [region]
options:
  site:
    description: Name of the site.
    type: str
    required: true
  environment:
    description: Name of the environment.
    type: str
    required: true
  stacks:
    description: The result of M(cloudformation_stacks) in check mode.
    type: dict
    required: true
  remove:
    description: Physical ids that may be lost (the variable C(site_remove)).
    type: list
    elements: str
    default: []
  images:
    description:
      - C(wanted), the images that would be published, as containers call them; C(live), image to what runs of it;
        C(contents), image to the id of its content on this machine; C(differ), those that differ from what is live.
    type: dict
    default: {}
  jobs:
    description: Names of the jobs that run before a release.
    type: list
    elements: str
    default: []
  services:
    description: What the site's services run (M(ecs_live_release)).
    type: dict
    default: {}
  host_group:
    description: Name of the hosts' Auto Scaling group; empty if there is none.
    type: str
    default: ""
  ami_live:
    description: The AMI that hosts start from, C(id), C(name) and C(creation_date).
    type: dict
    default: {}
  ami_newest:
    description: The newest one of the family, likewise.
    type: dict
    default: {}
  domain_fates:
    description: Name of the site to what becomes of it.
    type: dict
    default: {}
  domain_elsewhere:
    description: Name of the site to where it points now.
    type: dict
    default: {}
  given:
    description: Variable that names what exists to its value.
    type: dict
    default: {}
  format:
    description: How the plan is shown.
    type: str
    choices: [text, markdown, json]
    default: text
  output:
    description: A file that gets the same, without colors; none if empty.
    type: str
    default: ""
author: Berth
"""

EXAMPLES = r"""
- name: Show the plan
  plan_report:
    site: "{{ site_name }}"
    environment: "{{ environment_name }}"
    stacks: "{{ site }}"
    format: markdown
    output: plan.md
  register: plan
"""

RETURN = r"""
exit_code:
  description: 3 if the site would lose something that holds data, or no longer see it; else 0.
  returned: always
  type: int
changes:
  description: Whether a run would change anything.
  returned: always
  type: bool
summary:
  description: The plan in one sentence.
  returned: always
  type: str
"""
