#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: service_drill
short_description: Start a service of the site on restored data, and ask it
description:
  - Registers a task definition that is the release's, with the container that answers visitors and those that it needs,
    but with the addresses of restored databases and the folders of restored files. Starts one task of it, in no target
    group, and asks it through the host that it runs on, as the load balancer would; then stops it.
  - The health path has to be answered with 200, and the first page with less than 500.
  - With O(state=absent) stops all tasks that drills have started, and deregisters their definitions.
  - In check mode says what would be done.
extends_documentation_fragment: [ssh_hosts]
options:
  state:
    description: C(tried), or C(absent).
    type: str
    choices: [tried, absent]
    default: tried
  cluster:
    description: Name of the cluster, which the families of definitions begin with.
    type: str
    required: true
  service:
    description: What the inventory calls it.
    type: str
    default: ""
  task_definition:
    description: ARN of the release's.
    type: str
    default: ""
  container:
    description: That answers visitors.
    type: str
    default: ""
  port:
    description: Of the container.
    type: int
    default: 0
  path:
    description: Its health path.
    type: str
    default: /
  name:
    description: Name of the site that is asked for.
    type: str
    default: ""
  databases:
    description: The restored ones, each with C(address) of the site's own, C(beside), C(secrets) and C(login).
    type: list
    elements: dict
    default: []
  folders:
    description: Name of a volume to C(<file system>:<folder>) with its restored files.
    type: dict
    default: {}
  session_manager:
    description: Whether hosts are reached through Session Manager, which needs the AWS CLI and its plugin here.
    type: bool
    default: false
  region:
    description: AWS region.
    type: str
    required: true
  timeout:
    description: Seconds until it has to answer.
    type: int
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: See that the site answers on what was restored
  service_drill:
    cluster: shop-prod
    service: web
    task_definition: arn:aws:ecs:us-east-1:123456789012:task-definition/shop-prod-service-web:7
    container: nginx
    port: 80
    path: /healthz
    name: www.shop.example
    folders: {media: "fs-0123456789abcdef0:/berth-restore/beside/0a1b2c3d4e5f/files"}
    hosts: [{name: i-0123456789abcdef0, address: 203.0.113.7, user: ec2-user}]
    region: us-east-1
"""

RETURN = r"""
answers:
  description: Path to the status that it was answered with.
  returned: with C(tried), unless in check mode
  type: dict
"""
