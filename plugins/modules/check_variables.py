#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: check_variables
short_description: Report everything that is wrong with an inventory, at once
description:
  - Checks the variables of the host against the argument specifications of all roles, then how they fit together.
  - Finds names that nobody reads (with the one that was perhaps meant), files of group_vars that belong to no group,
    keys of hosts.yml that mean nothing, variables that were removed, no environment at all, and two at once.
  - Asks no API. Each complaint names the variable, its file and line, and what to type.
options:
  rules:
    description:
      - How variables relate. Each has C(variable), which the complaint is about; C(that), a conditional; and C(say),
        what is wrong and what to type.
      - A rule that reads a variable which is already known to be wrong is passed over.
      - A rule that cannot be evaluated says nothing about the inventory. It is reported as a defect of its own.
    type: list
    elements: dict
    default: []
    suboptions:
      variable: {description: The variable that the complaint is about., type: str, required: true}
      that: {description: Conditional that must hold., type: raw, required: true}
      say: {description: What is wrong and what to type., type: str, required: true}
  rules_in:
    description:
      - Names of variables that hold rules, beside O(rules). Their sentences are rendered only where they are said, so
        one may read what exists only if its rule does not hold.
      - Such a rule may also have C(each), a list of which each C(item) must fulfil C(that); its C(variable) may be a
        template that reads the item, and name a key in a variable (C(site_databases.main.class)).
    type: list
    elements: str
    default: []
  rules_of:
    description:
      - Roles whose C(rules.yml) holds rules about their inputs, or names of variables that are lists of such roles.
        They may have C(each) as those of O(rules_in).
    type: list
    elements: str
    default: []
  account_of:
    description:
      - Roles whose C(account.yml) judges what the account has answered (the variable C(preflight_asked), result of
        M(aws_account_info)); its C(<role>_account_rules) are as those of O(rules_of).
      - What the account did not answer is shown with what follows (C(<role>_account_unasked)), and so are the
        C(<role>_account_warnings); neither stops the run.
    type: list
    elements: str
    default: []
  roles:
    description: Roles whose variables must be complete and well-formed; all of O(roles_directory) by default.
    type: list
    elements: str
  roles_directory:
    description: Where the roles lie. The default is C(roles) in the project.
    type: path
  inventories_directory:
    description: Where the environments lie, one folder each. The default is C(inventories) in the project.
    type: path
  group_vars:
    description: The folder of variables for all environments. The default is C(group_vars) in the project.
    type: path
  sources:
    description: The inventory sources of the run; C(ansible_inventory_sources) by default.
    type: list
    elements: path
  also_known:
    description: Names of variables that no role's specification has, but that may be set.
    type: list
    elements: str
    default: []
  identity:
    description:
      - Variables that say which site the run is about. The file of the inventory plugin P(environment#inventory) says
        them; anything else that does, C(-e) included, is refused.
    type: list
    elements: str
    default: []
  site:
    description:
      - Whether the nouns of a site are checked (C(site_services), C(site_jobs), C(site_functions), C(site_static),
        C(site_volumes), C(site_databases), C(site_buckets), C(site_tables), C(site_secrets), C(site_hosts),
        C(domain_aliases)), each by itself and what they are to each other. Each complaint names the very key that is
        wrong, its file and line.
      - So are whole numbers that YAML reads otherwise than they are written (C(0755)) where a text is meant; patches,
        which must lead to a resource of their entry's template; and the length of the templates.
    type: bool
    default: false
  removed:
    description:
      - Variables of earlier releases, and what people look for; name to what to set instead, or why there is none.
    type: dict
    default: {}
author: Berth
"""

EXAMPLES = r"""
- name: Refuse a wrong inventory, naming everything that is wrong with it
  check_variables:
    rules:
      - variable: host_imds_tokens
        that: site_rexray_volumes == [] or host_imds_tokens == 'optional'
        say: "is required, and rexray speaks IMDSv1 only. Set host_imds_tokens: optional, or driver: efs."
    removed:
      host_type: "Set host_instance_type."
"""

RETURN = r"""
msg:
  description: Everything that is wrong, a line each, sorted by file and line.
  returned: failure
  type: str
refused_by:
  description: Which rules did not hold, as their places in the list, from 0.
  returned: with -v
  type: list
  elements: int
"""
