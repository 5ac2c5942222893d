#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: ecs_container_alone
short_description: Register a task definition that has one container of another, and what that needs
description:
  - For a command in the surroundings of a service. It keeps the image, the environment, the secrets, the volumes, the
    roles, the log group and the memory of the container; of the others only those stay that it depends on, links to or
    takes volumes from.
  - The container is the only essential one, and has neither ports nor a health check. Its log streams begin with
    C(run/).
  - One that was registered before from the same revision is used again.
extends_documentation_fragment: [region]
options:
  task_definition:
    description: ARN of the revision that it is made of.
    type: str
    required: true
  container:
    description: Name of the container.
    type: str
    required: true
  family:
    description: Family of the new definition.
    type: str
    required: true
  file_system:
    description:
      - Id of a file system whose root the container has at C(/file-system), as root, in the place of all else that it
        has but its image, memory and log group. The file system must have no policy.
    type: str
    default: ""
  entry_point:
    description: What it runs then, before the command.
    type: list
    elements: str
    default: []
  environment:
    description: Names that the command's environment gets besides; refused where one is a secret of the container.
    type: list
    elements: str
    default: []
  tags:
    description: Tags of the new definition.
    type: dict
    default: {}
author: Berth
"""

EXAMPLES = r"""
- name: Make a task of the container alone
  ecs_container_alone:
    task_definition: "{{ live.services.web.task_definition }}"
    container: app
    family: shop-prod-run-web
  register: alone
"""

RETURN = r"""
task_definition:
  description: ARN of the new definition; in check mode, and where there is none yet, of the one it would be made of.
  returned: always
  type: str
containers:
  description: Names of its containers.
  returned: always
  type: list
  elements: str
memory:
  description: MiB that its task takes of a host.
  returned: always
  type: int
"""
