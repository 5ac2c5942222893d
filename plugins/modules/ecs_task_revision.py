#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_task_revision
short_description: Find the revision of a task definition that belongs to a release, or to what is live
description:
  - Of the active revisions of a family the newest that carries a release (the Docker label C(berth.release)), or that
    runs the images which the services run.
  - Changes nothing.
extends_documentation_fragment: [region]
options:
  family:
    description: The whole name of the family.
    type: str
    required: true
  release:
    description: The release. Fails with those that there are if no revision carries it.
    type: str
    default: ""
  images:
    description:
      - Image as the inventory calls it to image of the registry, as M(ecs_live_release) returns them. Where there is no
        O(release), the newest revision is taken that runs these; if there is none, the newest of all.
    type: dict
    default: {}
author: Berth
"""

EXAMPLES = r"""
- name: Find what an earlier release ran
  ecs_task_revision:
    family: shop-prod-service-web
    release: "2026.11.3"
  register: found
"""

RETURN = r"""
task_definition:
  description: ARN of the revision.
  returned: always
  type: str
release:
  description: Its release.
  returned: always
  type: str
"""
