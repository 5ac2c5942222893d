#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: database_upgrade
short_description: Give a database another version of its engine, on a copy first
description:
  - Looks whether RDS upgrades the version that runs to the one that is wanted. Of a major version alone the newest
    minor one is meant.
  - Rehearses it. A snapshot is made and restored to an instance of its own, in the same subnets and behind the same
    security group. It says of each table how many rows it has and what they add up to, is upgraded, and says it again,
    which has to be the same. It is told how long that took, and for how long nobody was answered. The copy is deleted,
    also where any of it fails. The snapshot stays until the upgrade, and is the proof of the rehearsal for 7 days.
  - With O(confirm) the site's own is upgraded then, after another snapshot, which stays. What was rehearsed already is
    not rehearsed again. Afterwards all tables are analyzed, as a major upgrade leaves the planner nothing.
  - The stack is not touched. It is told the version afterwards, and finds nothing to do.
  - What a run has left that was killed is gone on with.
  - In check mode looks at the database, and says what would be done.
extends_documentation_fragment: [database_beside, database_way, ssh_hosts]
options:
  version:
    description: The version that is wanted, in full (V(16.4)) or the major one (V(16)).
    type: str
    required: true
  written:
    description: The version that the inventory says.
    type: str
    required: true
  confirm:
    description: Word that was typed to say that the site's own is to be upgraded.
    type: str
    default: ""
  wanted:
    description: Word that O(confirm) has to be.
    type: str
    required: true
  parameter_group:
    description: Its parameter group, where the inventory names one; of the family of the new version.
    type: str
    default: ""
author: Berth
"""

EXAMPLES = r"""
- name: Give the database another version
  database_upgrade:
    database: main
    version: "16"
    written: "16"
    instance: shop-prod-database-main-database-1abc
    prefix: shop-prod
    confirm: "{{ confirm }}"
    wanted: prod
    stack: shop-prod-database-main
    dbname: site
    hosts: [{name: i-0123456789abcdef0, address: 203.0.113.7, user: ec2-user}]
    region: us-east-1
"""

RETURN = r"""
before:
  description: The version that ran.
  returned: always
  type: str
after:
  description: The version that was, or would be, upgraded to; as RV(before) where there is nothing to do.
  returned: always
  type: str
major:
  description: Whether the major version is another.
  returned: always
  type: bool
upgraded:
  description: Whether the site's own was upgraded in this run.
  returned: always
  type: bool
allocated:
  description: Its storage in GiB.
  returned: always
  type: int
instance:
  description: Its identifier.
  returned: always
  type: str
snapshot:
  description: The snapshot of before the upgrade; empty if the site's own was not upgraded.
  returned: always
  type: str
tables:
  description: How many tables and sequences of the copy were compared.
  returned: when it was rehearsed
  type: int
rows:
  description: How many rows these have.
  returned: when it was rehearsed
  type: int
away_seconds:
  description: For how long nobody was answered, by the last that was upgraded, as far as looking now and then can tell.
  returned: when it was seen
  type: int
took_seconds:
  description: How long the upgrade of the copy took.
  returned: when it was seen
  type: int
"""
