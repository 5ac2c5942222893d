#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: volume_import
short_description: Bring the files of a folder of this machine to a volume of the site
description:
  - By ssh through a running container of the site that has the volume, as its own user; nothing is kept on the host.
  - The SHA-256 of each file is compared on both sides first. Only what the volume has not is sent, in pieces; each file
    is read back there and takes its place when it is whole. So it goes on where it was interrupted, and typed once
    more it is a comparison.
  - A file that the volume has with another content ends the run before anything is sent, unless O(overwrite). Files
    that only the volume has stay.
  - In check mode compares, and says what would be sent.
extends_documentation_fragment: [ssh_hosts]
options:
  volume:
    description: What the inventory calls it.
    type: str
    required: true
  folder:
    description: Folder of this machine.
    type: str
    required: true
  overwrite:
    description: Whether files of the volume are replaced where the folder has another content.
    type: bool
    default: false
  prefix:
    description: Begin of the families of the services' task definitions.
    type: str
    required: true
  writers:
    description: Containers of services that mount the volume to write to it.
    type: list
    elements: dict
    required: true
    suboptions:
      task:
        description: The service.
        type: str
        required: true
      container:
        description: C(<service>.<container>).
        type: str
        required: true
      path:
        description: Where the volume is in it.
        type: str
        required: true
  script:
    description: What runs in the container, for C(sh).
    type: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Bring the files over
  volume_import:
    volume: uploads
    folder: /srv/old/uploads
    prefix: shop-prod
    writers: [{task: web, container: web.app, path: /srv/uploads}]
    hosts: [{name: i-0123456789abcdef0, address: 203.0.113.7, user: ec2-user}]
    script: "{{ lookup('ansible.builtin.file', 'import-volume.sh') }}"
"""

RETURN = r"""
files:
  description: How many files the folder has.
  returned: always
  type: int
bytes:
  description: Their size.
  returned: always
  type: int
sent:
  description: How many were sent; in check mode, how many would be.
  returned: always
  type: int
replaced:
  description: How many of these took the place of another content.
  returned: always
  type: int
beside:
  description: How many files only the volume has.
  returned: always
  type: int
"""
