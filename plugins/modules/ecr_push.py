#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecr_push
short_description: Push local images to ECR repositories, unless they are there
description:
  - Asks ECR first, as pushing to an existing tag of a repository with immutable tags is an error, even with the same
    image.
  - The registry's password stays in this process; it is in no command line, file or log.
extends_documentation_fragment: [region]
options:
  images:
    description: What to push.
    type: list
    elements: dict
    required: true
    suboptions:
      image: {description: Name of the local image., type: str, required: true}
      repository: {description: Name of the ECR repository., type: str, required: true}
      tag: {description: Tag in the repository., type: str, required: true}
      build: {description: What to type to build the image; shown when there is none., type: str}
  platform:
    description: What the images must be built for.
    type: str
    default: linux/amd64
requirements: [docker]
author: Berth
"""

EXAMPLES = r"""
- name: Publish the images
  ecr_push:
    images:
      - image: legacy-site/django:2026.11.3
        repository: "{{ site_name }}-{{ environment_name }}/django"
        tag: 2026.11.3
        build: make images
  register: published
"""

RETURN = r"""
images:
  description: >-
    The images in their repositories, in the given order. C(pinned) has tag and digest, as Docker takes both; of what
    a check run would push it has no digest.
  returned: always
  type: list
  sample:
    - image: legacy-site/django:2026.11.3
      repository: legacy-prod/django
      tag: 2026.11.3
      pushed: true
      digest: "sha256:4f0c…"
      uri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/legacy-prod/django:2026.11.3
      pinned: "123456789012.dkr.ecr.us-east-1.amazonaws.com/legacy-prod/django:2026.11.3@sha256:4f0c…"
"""
