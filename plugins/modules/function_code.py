#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: function_code
short_description: Put folders of code as zips into a bucket, unless they are there
description:
  - A zip is called after what is in it, as the filter P(code_key#filter) says; one that is there is not touched.
options:
  bucket:
    description: Name of the bucket.
    type: str
    required: true
  folders:
    description: Paths of the folders.
    type: list
    elements: path
    default: []
  keys:
    description: Keys of zips of before, which are only looked for.
    type: list
    elements: str
    default: []
author: Berth
"""

EXAMPLES = r"""
- name: Upload the code of the functions that the bucket has not yet
  function_code:
    bucket: shop-live-code-codebucket-1abc
    folders: [functions/items]
"""

RETURN = r"""
uploaded:
  description: Keys of the zips that were uploaded.
  returned: success
  type: list
  elements: str
missing:
  description: Those of O(keys) that are not there.
  returned: success
  type: list
  elements: str
"""
