#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: database_tunnel
short_description: Hold a port of this machine that leads to a database of the site
description:
  - The database has no public address; the port leads through a host, by ssh or by Session Manager. It is open on this
    machine's loopback alone.
  - Proves that the database answers behind it, says what to type for C(psql), and where the password is; the password
    itself is not read.
  - Stays until it is interrupted, or for O(open_for). Of several hosts the first that can be reached is taken.
  - In check mode says what it would do.
extends_documentation_fragment: [database_way, ssh_hosts]
options:
  dbname:
    description: Name of the database in the instance.
    type: str
    default: ""
  username:
    description: Who logs in; empty where only the secret knows.
    type: str
    default: ""
  port:
    description: Port of this machine.
    type: str
    default: "15432"
  open_for:
    description: For how long, C(30s), C(15m), C(2h) or C(3d); until it is interrupted if empty.
    type: str
    default: ""
author: Berth
"""

EXAMPLES = r"""
- name: Lead a port to the database
  database_tunnel:
    database: main
    stack: shop-prod-database-main
    dbname: site
    username: site
    hosts: [{name: i-0123456789abcdef0, address: 203.0.113.7, user: ec2-user}]
    region: us-east-1
"""

RETURN = r"""
host:
  description: The host that it led through; in check mode the first that would be tried.
  returned: always
  type: str
"""
