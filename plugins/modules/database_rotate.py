#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: database_rotate
short_description: Give a site another user and password of its database, while it goes on
description:
  - Two users take turns. O(state=switched) makes the one whose turn it is, by C(psql) of this machine and through a
    host, proves that it may log in and read what the one of now reads, and makes its login the current version of the
    secret. Tasks that start from then on have it; those that run have the one of before, which still works.
  - O(state=retired) waits until no task has the one of before, takes it the right to log in, gives RDS's master user
    another password, and proves that what was in the secret before is refused.
  - What is where is told by the labels of the secret's versions, so either goes on where it was interrupted.
  - All that the master user has in the site's databases becomes that of a role that never logs in, as which both act.
  - A password is in no argument, statement, environment, log or file with a name; the server is told what it would
    keep of it.
  - In check mode reads the secret, and says what would be done.
extends_documentation_fragment: [database_way, ssh_hosts]
options:
  state:
    description: Up to where.
    type: str
    required: true
    choices: [switched, retired]
  cluster:
    description: Cluster whose tasks read the secret.
    type: str
    required: true
  dbname:
    description: Name of the database in the instance.
    type: str
    required: true
  timeout:
    description: Seconds until all tasks have the new one, and until RDS has changed the master's password.
    type: int
    default: 900
author: Berth
"""

EXAMPLES = r"""
- name: Let tasks that start log in as the other user
  database_rotate:
    state: switched
    cluster: shop-prod
    database: main
    stack: shop-prod-database-main
    dbname: site
    hosts: [{name: i-0123456789abcdef0, address: 203.0.113.7, user: ec2-user}]
    region: us-east-1
"""

RETURN = r"""
secret:
  description: ARN of the secret.
  returned: success
  type: str
version:
  description: Id of the version that tasks read when they start; empty in check mode.
  returned: success
  type: str
previous:
  description: Id of the version of before; empty if there is none.
  returned: success
  type: str
services:
  description: ECS's names of the services that have tasks with the login of before.
  returned: success
  type: list
  elements: str
"""
