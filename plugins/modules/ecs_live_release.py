#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_live_release
short_description: Say what a site's services run
description:
  - Reads the task definitions that the services are meant to run. Those are not always the newest revisions of their
    families; the newest may have failed, or a rollback may have gone back to an older one.
  - An image is known by the Docker label C(berth.image) of its container, which is what the inventory calls it. Of two
    services that run different contents of one image, the first by name counts in RV(images).
  - A cluster or service that is not there runs nothing. Changes nothing.
extends_documentation_fragment: [region]
options:
  cluster:
    description: Name of the cluster, with which the services' families begin (C(<cluster>-service-<entry>)).
    type: str
    required: true
  images:
    description:
      - Images, as the inventory calls them, that are asked for. One that no service runs is looked for among the newest
        revisions of the jobs (C(<cluster>-job-<entry>)).
    type: list
    elements: str
    default: []
  jobs:
    description: Whether the newest revisions of the jobs are described in any case.
    type: bool
    default: false
author: Berth
"""

EXAMPLES = r"""
- name: See what is live
  ecs_live_release:
    cluster: shop-prod
  register: live
"""

RETURN = r"""
services:
  description:
    - Entry of site_services to C(service) and C(task_definition), both ARNs; C(running), how many tasks of it run;
      C(release), its label; C(name), the same unless it is made of the images; and its C(images).
  returned: always
  type: dict
jobs:
  description:
    - Entry of site_jobs to the same of its newest revision, but C(service) and C(running), and C(ran), whether it has
      ended well; empty where they were not asked for.
  returned: always
  type: dict
images:
  description: >-
    Image as the inventory calls it, to image of the registry, with the tag and the digest by which it runs.
  returned: always
  type: dict
"""
