#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: database_import
short_description: Bring a dump of PostgreSQL into a database of the site
description:
  - The dump, a file of C(pg_dump), is restored by C(psql) of this machine, through a host, in one transaction into a
    new database beside that of the site. Its rows are counted and compared with the dump's. Then the two change names
    at once; the one that was the site's before is kept as C(<name>_before_1).
  - What an interrupted run has left is made anew, or if it was restored as a whole, not made again. A dump that is the
    site's database already is left alone, unless O(overwrite).
  - Who owned what on the old server, and who could do what there, is not restored. All belongs to the site's user.
  - The password is in no argument, environment, log or file with a name.
  - In check mode looks at dump and server, and says what would be done.
extends_documentation_fragment: [database_way, ssh_hosts]
options:
  dump:
    description: The file; plain (also compressed by gzip), custom or tar.
    type: str
    required: true
  confirm:
    description: Word that was typed to say that a database with tables is to be replaced.
    type: str
    default: ""
  wanted:
    description: Word that O(confirm) has to be then.
    type: str
    required: true
  overwrite:
    description: Whether a dump that has become the site's database before is restored again.
    type: bool
    default: false
  dbname:
    description: Name of the database in the instance.
    type: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Restore the dump beside the database, and switch
  database_import:
    database: main
    dump: shop.dump
    confirm: "{{ confirm }}"
    wanted: prod
    stack: shop-prod-database-main
    dbname: site
    hosts: [{name: i-0123456789abcdef0, address: 203.0.113.7, user: ec2-user}]
    region: us-east-1
"""

RETURN = r"""
checksum:
  description: SHA-256 of the dump.
  returned: always
  type: str
tables:
  description: How many tables of the dump have rows that are known.
  returned: when it was restored
  type: int
rows:
  description: How many rows these have, in the dump and in the database.
  returned: when it was restored
  type: int
counted:
  description: Whether all rows were counted; a dump made with C(--inserts) does not say how many it has.
  returned: when it was restored
  type: bool
kept:
  description: What the database is called that was the site's before; empty if there was none.
  returned: always
  type: str
"""
