#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: static_files
short_description: Put the files of a folder into a bucket, new beside old
description:
  - What pages need goes first, pages (C(.html)) after it, so that none is there before what it names. What the bucket
    has with the same content and headers is not touched.
  - A file that the folder has no longer gets the tag C(berth:superseded), and is written once more with it, as a
    lifecycle rule counts an object's days from when it was written. One that comes back is written without the tag.
  - The content's hash, and whether the folder has it no longer, stand in an object's metadata (C(berth-sha256),
    C(berth-superseded)); one call an object tells all there is to know.
  - Not P(community.aws.s3_sync#module), which has one header C(Cache-Control) for all, tags nothing, deletes what the
    folder has no longer or leaves it for good, and takes types from the machine's tables (community.aws 10.0.0).
options:
  bucket:
    description: Name of the bucket.
    type: str
    required: true
  folder:
    description: Path of the folder.
    type: path
    required: true
  cache_control:
    description:
      - Pattern of a file's path in the folder to its header C(Cache-Control); the first that fits holds. A C(*) stands
        for slashes as well.
      - What none fits is kept for a year where its name has a hash of its content, and otherwise asked for each time.
    type: dict
    default: {}
author: Berth
"""

EXAMPLES = r"""
- name: Upload the front end
  static_files:
    bucket: shop-live-static-front-files-1abc
    folder: front/dist
    cache_control: {"*.pdf": max-age=3600}
"""

RETURN = r"""
uploaded:
  description: Keys that were uploaded, in the order in which they were.
  returned: success
  type: list
  elements: str
superseded:
  description: Keys that the folder has no longer, and that have the tag since now.
  returned: success
  type: list
  elements: str
"""
