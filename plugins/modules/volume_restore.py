#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: volume_restore
short_description: Have AWS Backup restore the files of a volume, and know how far that has come
description:
  - AWS Backup restores into a new folder of the file system's root, and says nothing of its name. So what is there
    before and after is looked at by a one-off task, between the steps of this.
  - C(begin) says which attempt it is, the one that an earlier run has left or a new one. C(job) starts AWS Backup's
    job, unless it is started, and waits until that is through. C(note) writes down what has become of it. C(last) says
    what the volume was switched to last. C(left) says of which attempt something may be in the file system still, and
    C(over) waits until the job of one does nothing more.
  - All of it is written into the record of the backup, so that the next run of it goes on.
extends_documentation_fragment: [ledger]
options:
  step:
    description: What is to be done.
    type: str
    choices: [begin, job, note, last, left, over]
    required: true
  name:
    description: Name of the backup; not for C(last) and C(left).
    type: str
    default: ""
  volume:
    description: What the inventory calls it.
    type: str
    required: true
  path:
    description: The only file or folder of the volume that is meant, from its root; all if empty.
    type: str
    default: ""
  part:
    description: The part of the backup, for C(job).
    type: dict
    default: {}
  file_system:
    description: Id of the volume's file system, for C(job).
    type: str
    default: ""
  role:
    description: ARN of the role by which AWS Backup restores, for C(job).
    type: str
    default: ""
  state:
    description: What has become of it, for C(note).
    type: str
    choices: [beside, switched, back, removed]
  overwrite:
    description: Whether one that was switched to is restored again, for C(begin).
    type: bool
    default: false
  drill:
    description: Whether it is for a drill, whose attempts are other ones than those of restores.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for the job.
    type: int
    default: 10800
author: Berth
"""

EXAMPLES = r"""
- name: Know which attempt it is
  volume_restore:
    step: begin
    prefix: shop-prod
    name: before-the-move
    volume: media
  register: attempt
"""

RETURN = r"""
attempt:
  description: Names its folder on the file system.
  returned: always
  type: str
state:
  description: How far it has come, C(begun), C(beside), C(switched), C(back), C(failed) or C(removed); empty with
    C(last) and C(left) if there is none.
  returned: always
  type: str
name:
  description: The backup.
  returned: always
  type: str
path:
  description: The path.
  returned: always
  type: str
restored:
  description: Whether AWS Backup has restored what nobody has moved yet.
  returned: with C(over)
  type: bool
"""
