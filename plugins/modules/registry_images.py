#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: registry_images
short_description: Say which images the site's registry has no longer
description:
  - Asks the site's own repositories (C(<prefix>/<entry>)) for images by tag or digest. What lies in other registries is
    not asked for.
  - Changes nothing.
extends_documentation_fragment: [region]
options:
  prefix:
    description: Begin of the names of the site's repositories.
    type: str
    required: true
  images:
    description: Images as task definitions name them.
    type: list
    elements: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: See whether the images of an older release are still there
  registry_images:
    prefix: shop-prod
    images: ["111122223333.dkr.ecr.us-east-1.amazonaws.com/shop-prod/shop-django:0f3c9d1e2a4b"]
"""

RETURN = r"""
missing:
  description: Those that are not there.
  returned: always
  type: list
  elements: str
unasked:
  description: Those that lie elsewhere.
  returned: always
  type: list
  elements: str
"""
