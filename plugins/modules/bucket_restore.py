#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: bucket_restore
short_description: Make a bucket what it was at the time of a backup, or what it was before that
description:
  - A bucket that keeps old versions has in it what a backup of it needs. What is brought back is copied on top of what
    is there, and what was not there then is deleted, which leaves it in the bucket as an old version.
  - Of a backup of another environment the objects are copied out of its bucket, of which nothing is changed.
  - Without C(confirm) it says how the bucket differs and changes nothing.
  - Which time it goes back to is written into the record of the backup before anything is changed, so a run that was
    killed is gone on with by the next, and the way back is the one of the first.
extends_documentation_fragment: [ledger]
options:
  entry:
    description: What the inventory calls the bucket.
    type: str
    required: true
  name:
    description: Name of the backup; not for C(back).
    type: str
    default: ""
  part:
    description: The part of the backup; not for C(back).
    type: dict
    default: {}
  of:
    description: Name of the site's bucket.
    type: str
    required: true
  days:
    description: For how many days it keeps old versions, for C(back).
    type: int
    default: 0
  path:
    description: The only object that is meant, or all below it; all if empty. For C(back) that of then is taken.
    type: str
    default: ""
  confirm:
    description: Whether something is changed.
    type: bool
    default: false
  back:
    description: Whether the bucket gets what it had before the last restore.
    type: bool
    default: false
  overwrite:
    description: Whether a backup is restored again that the bucket has already got.
    type: bool
    default: false
author: Berth
"""

EXAMPLES = r"""
- name: Say how a bucket differs from what it was
  bucket_restore:
    prefix: shop-prod
    entry: uploads
    name: before-the-move
    part: {kind: versions, of: shop-prod-bucket-uploads-bucket-1a2b, made: "2026-11-26T10:02:00+00:00", days: 90}
    of: shop-prod-bucket-uploads-bucket-1a2b
"""

RETURN = r"""
state:
  description:
    - C(beside) if nothing was to be changed; C(switched) or C(back) once it was.
    - C(had) if the bucket has got this backup before, or if there is nothing to go back to.
  returned: always
  type: str
back:
  description: How many objects were brought back, or would be.
  returned: always
  type: int
away:
  description: How many were deleted as they were not there then, or would be.
  returned: always
  type: int
path:
  description: The path that is meant.
  returned: always
  type: str
"""
