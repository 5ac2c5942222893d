#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: unused_certificates
short_description: Delete the certificates that a stack has replaced
description:
  - Another domain name replaces the certificate in its stack while the load balancer, in another stack, still uses the
    old one. CloudFormation tries to delete it, gives up, and calls the update a success. This deletes it later.
  - Only what the stack's own events name is looked at, so no certificate that somebody else made is ever deleted.
extends_documentation_fragment: [region]
options:
  stack:
    description: Name of the stack.
    type: str
    required: true
  timeout:
    description: Seconds to wait until ACM, too, knows that a certificate is not in use any more.
    type: int
    default: 180
author: Berth
"""

EXAMPLES = r"""
- name: Delete a certificate that nothing uses any more
  unused_certificates:
    stack: "{{ site_prefix }}-certificate"
"""

RETURN = r"""
deleted:
  description: ARNs of the certificates that were (in check mode, would be) deleted.
  returned: always
  type: list
in_use:
  description: Those that something still uses, ARN to the ARNs of what uses it. The next run tries again.
  returned: always
  type: dict
"""
