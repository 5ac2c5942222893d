#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: route53_alias
short_description: Point a name at a load balancer, in place of whatever it points at now
description:
  - Makes the A and AAAA records of a name aliases of a load balancer. All other A, AAAA and CNAME records of the name
    go in the same batch, which Route 53 does whole or not at all, so nobody is told in between that the name does not
    exist. A CNAME cannot stand beside an A record, so two calls could not do that.
  - CloudFormation can only create a record; where there is one already, its stack fails.
  - With O(state=absent) only those records go that point at the load balancer, as an alias or a CNAME.
  - With O(state=former) the records come back that O(changes) says, in place of those that it says. Where the name has
    others by now, nothing is changed.
extends_documentation_fragment: [region]
options:
  zone:
    description: Id of the hosted zone.
    type: str
    required: true
  name:
    description: The name.
    type: str
    required: true
  target:
    description: DNS name of the load balancer; not for O(state=former).
    type: str
    default: ""
  target_zone:
    description: Hosted zone of the load balancer's own name (AWS's); needed for O(state=present).
    type: str
  state:
    description: Whether the name is to point there, or not to, or as it did before.
    type: str
    choices: [present, absent, former]
    default: present
  changes:
    description: For O(state=former), what was returned as RV(undo) when the name was taken over.
    type: str
    default: ""
author: Berth
"""

EXAMPLES = r"""
- name: Take the name over
  route53_alias:
    zone: Z0123456789ABC
    name: www.example.org
    target: shop-prod-alb-1234567890.eu-central-1.elb.amazonaws.com
    target_zone: Z215JYRZR1TBD5
"""

RETURN = r"""
replaced:
  description: The records that went, as a person reads them.
  returned: always
  type: list
undo:
  description: The batch of changes that would bring the former records back, as JSON for O(ignore:--change-batch).
  returned: when something was changed
  type: str
"""
