#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: database_login
short_description: Give a site a login of its databases that is not RDS's master
description:
  - CloudFormation makes the secret that the tasks of a site read empty. This makes the user, by C(psql) of this machine
    and through a host, proves that it logs in and acts as the owner of what the site has, and only then writes its
    login into the secret. So nobody can have read one that does not do, and a run that was interrupted is done again.
  - The user is the first of the two that take turns (M(database_rotate)), and made by the same statements.
  - A secret that names another address than its database has, as that was replaced, gets the one of now; the same user
    with the same password is made there.
  - A secret that has RDS's master in it, as CloudFormation once wrote, stays as it is, and what to type is said.
  - A password is in no argument, statement, environment, log or file with a name.
  - In check mode, or without hosts, says which have no login yet, and makes none.
extends_documentation_fragment: [ssh_hosts]
options:
  databases:
    description: >-
      The databases, by what the inventory calls them; each with its C(stack), C(dbname), the name of the first database
      in it, and C(username), RDS's master.
    type: dict
    required: true
  session_manager:
    description: Whether hosts are reached through Session Manager, which needs the AWS CLI and its plugin here.
    type: bool
    default: false
  region:
    description: AWS region.
    type: str
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: Make the logins that the site has not yet
  database_login:
    databases:
      main: {stack: shop-prod-database-main, dbname: site, username: site}
    hosts: [{name: i-0123456789abcdef0, address: 203.0.113.7, user: ec2-user}]
    region: us-east-1
"""

RETURN = r"""
missing:
  description: The databases of which the site had no login that does.
  returned: success
  type: list
  elements: str
masters:
  description: The databases to which the site logs in as RDS's master.
  returned: success
  type: list
  elements: str
"""
