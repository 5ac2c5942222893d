#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: static_live
short_description: Show the static files of a release that the bucket has
description:
  - Copies within the bucket what is shown otherwise, pages (C(.html)) last; no file of this machine is needed.
  - Where a file of the release has gone, nothing is changed, and that is an error.
  - What is shown is written down in the bucket, C(_releases/live.json).
options:
  bucket:
    description: Name of the bucket.
    type: str
    required: true
  release:
    description: What M(static_files) has called the release.
    type: str
    required: true
  back:
    description: Whether what was shown is left by a rollback, so that M(static_files) does not come back to it unasked.
    type: bool
    default: false
author: Berth
"""

EXAMPLES = r"""
- name: Show the files of before
  static_live:
    bucket: shop-live-static-front-files-1abc
    release: 0f3c9d1e2a4b5c6d
"""

RETURN = r"""
shown:
  description: Files that were copied, in the order in which they were.
  returned: success
  type: list
  elements: str
replaced:
  description: Those of them that were shown with another content before. A cache may still have that.
  returned: success
  type: list
  elements: str
"""
