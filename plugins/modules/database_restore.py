#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: database_restore
short_description: Take a database back out of a backup, or as it was at a time
description:
  - The snapshot of the backup, or what the instance was at a time, is restored to an instance of its own, in the same
    subnets and behind the same security group. Out of it the database is copied by C(pg_dump) and C(psql) of this
    machine, through a host, in one transaction into a new database beside that of the site. Both servers then say of
    each table how many rows it has and what they add up to, which has to be the same. The instance is deleted.
  - With O(confirm) the two databases change names at once; the one that was the site's before is kept as
    C(<name>_before_1). With O(back) they change back. Neither the stack nor the instance of the site is touched.
  - What an interrupted run has left is gone on with. What was copied as a whole is not copied again.
  - The password of the instance beside is made anew by each run, and is in no argument, environment, log or file with a
    name.
  - In check mode looks at backup and server, and says what would be done.
extends_documentation_fragment: [database_beside, database_way, ssh_hosts]
options:
  backup:
    description: Name of the backup, or what the time is called; empty with O(back).
    type: str
    default: ""
  snapshot:
    description: Identifier of its snapshot of the database; empty with O(back) and O(time).
    type: str
    default: ""
  time:
    description: Time to which the site's own instance is restored beside, as ISO 8601 has it; empty for a snapshot.
    type: str
    default: ""
  table:
    description: The only table whose rows are taken out, as SQL names it; the database is not switched to then.
    type: str
    default: ""
  confirm:
    description: Word that was typed to say that the site is to have what was restored.
    type: str
    default: ""
  wanted:
    description: Word that O(confirm) has to be.
    type: str
    required: true
  back:
    description: Whether the last switch is undone, instead.
    type: bool
    default: false
  named:
    description: Whether it is an error, with O(back), that nothing was switched; else it is said.
    type: bool
    default: true
  overwrite:
    description: Whether a backup that has become the site's database before is restored again.
    type: bool
    default: false
author: Berth
"""

EXAMPLES = r"""
- name: Take the database back
  database_restore:
    database: main
    backup: before-the-move
    snapshot: shop-prod-main-before-the-move
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
beside:
  description: What the database is called that was restored, until it is switched to; empty if there is none.
  returned: always
  type: str
switched:
  description: Whether the names were changed, in check mode whether they would be.
  returned: always
  type: bool
kept:
  description: What the database is called that was the site's before; empty if nothing was switched.
  returned: always
  type: str
tables:
  description: How many tables and sequences were compared.
  returned: when it was copied
  type: int
rows:
  description: How many rows these have.
  returned: when it was copied
  type: int
"""
