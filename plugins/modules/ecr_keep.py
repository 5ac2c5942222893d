#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecr_keep
short_description: Keep images from the lifecycle rules of their repositories, and let others go
description:
  - Gives each image that is to stay a tag C(keep-<its tag>) beside its own, which the first lifecycle rule of
    cloudformation/image.yml spares, and takes it from those that need not stay any longer. What has lost it is one of
    many again, and goes when enough newer ones have come.
  - All tags are given before the first is taken. A repository of which no image is to be kept stays as it is, since
    nothing says that it is needed no longer.
  - Works in repositories with immutable tags, as a tag is only ever made or deleted.
extends_documentation_fragment: [region]
options:
  repositories:
    description: Names of the repositories. One that is not there is passed over.
    type: list
    elements: str
    required: true
  images:
    description:
      - The images to keep, by digest or, where none is known, by tag (C(…/shop-web:0f3c9d1e2a4b@sha256:…)). Those of
        other repositories are none of its business.
    type: list
    elements: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Keep what is live and the last good releases
  ecr_keep:
    repositories: ["{{ site_prefix }}/shop-web"]
    images: "{{ live | kept_images(entries, release_keep) }}"
"""

RETURN = r"""
kept:
  description: Tags that were given, or would be, as C(<repository>:<tag>).
  returned: always
  type: list
let_go:
  description: Tags that were taken, or would be, as C(<repository>:<tag>).
  returned: always
  type: list
lost:
  description: Images that were to be kept, and that their repositories no longer have.
  returned: always
  type: list
"""
