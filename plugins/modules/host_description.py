#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: host_description
short_description: Render what makes a machine a host, the files and units of its roles, and its user data
description:
  - A host role lists its files and units in its C(vars), as C(<role>_files) and C(<role>_units). They are rendered here
    once, for user data and for whoever compares them with a running host.
  - A file may say C(early) (run at first boot, before anything is installed) and C(drain) false (its change is no
    matter of running tasks).
  - The rules beside the roles (C(rules.yml)) are judged first, since user data is written where nothing could refuse
    it. User data that EC2 would refuse is refused.
options:
  roles:
    description: The host roles, in their order. The default is C(host_roles), of role cluster where nobody sets it.
    type: list
    elements: str
  template:
    description: What user data is made of, reading C(host_files) and C(host_units). The default is role cluster's.
    type: path
author: Berth
"""

EXAMPLES = r"""
- name: Describe the hosts
  host_description:
    roles: [host_limits, docker_engine, ecs_agent]
  register: described
"""

RETURN = r"""
files:
  description: Path to C(permissions), C(content), C(role), C(early) and C(drain) of each file.
  returned: always
  type: dict
units:
  description: The units to enable.
  returned: always
  type: list
user_data:
  description: The cloud-config, plain; EC2 gets it through the filter C(gzip_base64).
  returned: always
  type: str
"""
