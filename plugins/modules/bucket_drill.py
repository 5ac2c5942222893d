#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: bucket_drill
short_description: See that a bucket can be had as it was at the time of a backup
description:
  - What the bucket was lies in its old versions. Each of these is read to its end, and its size compared with what is
    listed; its content too, where S3 has a checksum of the whole of it. Nothing is written, and nothing is kept.
  - In check mode they are listed, and none is read.
options:
  entry:
    description: What the inventory calls the bucket.
    type: str
    required: true
  name:
    description: Name of the backup.
    type: str
    required: true
  part:
    description: The part of the backup.
    type: dict
    required: true
  of:
    description: Name of the site's bucket.
    type: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: See that the bucket can be had again
  bucket_drill:
    entry: uploads
    name: before-the-move
    part: {kind: versions, of: shop-prod-bucket-uploads-bucket-1a2b, made: "2026-11-26T10:02:00+00:00", days: 90}
    of: shop-prod-bucket-uploads-bucket-1a2b
"""

RETURN = r"""
objects:
  description: How many were there then.
  returned: always
  type: int
bytes:
  description: How large these are together.
  returned: always
  type: int
checked:
  description: Of how many the content was held against a checksum; of the others it was the size.
  returned: always
  type: int
"""
