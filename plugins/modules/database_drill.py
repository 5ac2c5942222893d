#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: database_drill
short_description: Restore a database out of a backup to an instance that is thrown away
description:
  - The snapshot of the backup is restored to an instance of its own, in the same subnets and behind the same security
    group. In there the database is copied by C(pg_dump) and C(psql) of this machine, through a host, as a restore would
    copy it. Of both the instance says of each table how many rows it has and what they add up to, which has to be the
    same. Nothing is written to the site's own instance.
  - An instance that is left is found again by its name. M(database_beside_delete) deletes it.
  - In check mode says what would be done.
extends_documentation_fragment: [database_beside, database_way, ssh_hosts]
options:
  backup:
    description: Name of the backup.
    type: str
    required: true
  snapshot:
    description: Identifier of its snapshot of the database.
    type: str
    required: true
  site_login:
    description: Whether whom the site logs in as now is let in there, for a task of the site.
    type: bool
    default: false
author: Berth
"""

EXAMPLES = r"""
- name: See that the database can be had again
  database_drill:
    database: main
    backup: before-the-move
    snapshot: shop-prod-main-before-the-move
    instance: shop-prod-database-main-database-1abc
    prefix: shop-prod
    stack: shop-prod-database-main
    dbname: site
    hosts: [{name: i-0123456789abcdef0, address: 203.0.113.7, user: ec2-user}]
    region: us-east-1
"""

RETURN = r"""
address:
  description: Of the instance beside.
  returned: unless in check mode
  type: str
tables:
  description: How many tables and sequences were compared.
  returned: unless in check mode
  type: int
rows:
  description: How many rows these have.
  returned: unless in check mode
  type: int
"""
