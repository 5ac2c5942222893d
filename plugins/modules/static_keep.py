#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: static_keep
short_description: Keep the static files that may be shown again, and let others go in some days
description:
  - What is shown stays, and all files of the O(releases). What is neither gets the tag C(berth:superseded), by which a
    lifecycle rule of the bucket takes it some days later. It is written once more with it, as a rule counts an object's
    days from when it was written.
  - What is kept after all loses the tag.
options:
  bucket:
    description: Name of the bucket.
    type: str
    required: true
  releases:
    description: What M(static_files) has called those that may be shown again. What is shown need not be among them.
    type: list
    elements: str
    default: []
author: Berth
"""

EXAMPLES = r"""
- name: Keep what the last good releases have shown
  static_keep:
    bucket: shop-live-static-front-files-1abc
    releases: [0f3c9d1e2a4b5c6d]
"""

RETURN = r"""
kept:
  description: Keys that have lost the tag.
  returned: success
  type: list
  elements: str
superseded:
  description: Keys that have the tag since now.
  returned: success
  type: list
  elements: str
lost:
  description: Releases of which the bucket has not all files any more.
  returned: success
  type: list
  elements: str
"""
