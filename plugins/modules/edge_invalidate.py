#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: edge_invalidate
short_description: Have CloudFront let go of files that were replaced
description:
  - The distribution is that of the layer edge. A site without one has nothing that keeps files, so nothing is done.
  - It is not waited for. CloudFront takes a minute or so, and what it shows meanwhile is what was shown before.
  - Who may not do it is told what to type; the release is live all the same.
options:
  prefix:
    description: Of the environment's stacks.
    type: str
    required: true
  files:
    description: Their keys in the bucket, which are their paths at CloudFront.
    type: list
    elements: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Have CloudFront let go of the page of before
  edge_invalidate:
    prefix: shop-live
    files: [index.html]
"""

RETURN = r"""
paths:
  description: What CloudFront was told to let go of.
  returned: success
  type: list
  elements: str
"""
